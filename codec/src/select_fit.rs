//! The step of quantisation that just keeps a root mean squared error.
use crate::bytes::storable;
use crate::chunk::{ChunkBound, reconstruct};
use crate::plan::{Map, Plan};
use crate::prepare::Prepared;
use crate::select_parts::tried;

/// Multiple of a step up to which another is nearly the same.
const NEARLY_ONE: f64 = 1.004;

/// Sets the step so that the root mean squared error just meets its limit, where that is the bound.
pub fn fit_step(x: &Prepared, mut plan: Plan) -> Plan {
    let ChunkBound::Rmse(limit) = x.bound else { return plan };
    if matches!(plan.map, Map::Lattice(_)) || plan.step() == 0.0 {
        return plan;
    }
    // Every try of a large chunk takes long: a little of what is allowed may be left.
    let large = x.g.len() > tried(x.effort, false).0;
    let enough = if large { 0.985 } else { 0.995 };
    let aim = (0.4 + 0.6 * enough) * limit;
    let (mut keeps, mut breaks) = (0.0, f64::INFINITY);
    let mut step = plan.step();
    let (mut last, mut power): (Option<(f64, f64)>, f64) = (None, 1.1);
    for _ in 0..7 {
        step = storable(step);
        plan.set_step(step);
        let rmse = x.rmse(&reconstruct(x, &plan));
        if rmse <= limit {
            keeps = step;
            if rmse > enough * limit {
                break;
            }
        } else {
            breaks = step;
        }
        // The error grows as some power of the step.
        if let Some((s, e)) = last {
            let slope = (step / s).ln() / (rmse / e).ln();
            power = if slope.is_finite() { slope.clamp(0.7, 3.0) } else { power };
        }
        last = Some((step, rmse));
        let guess = step * (aim / rmse.max(0.05 * limit)).powf(power);
        // Where errors jump, nothing is to be found between two steps that are nearly one.
        if large && keeps > 0.0 && breaks < keeps * NEARLY_ONE {
            break;
        }
        step = if keeps > 0.0 && breaks.is_finite() {
            guess.clamp(keeps + 0.1 * (breaks - keeps), breaks - 0.1 * (breaks - keeps))
        } else {
            guess
        };
    }
    while keeps == 0.0 {
        step = storable(step.min(breaks) * 0.8);
        if !step.is_normal() {
            return plan;
        }
        plan.set_step(step);
        if x.rmse(&reconstruct(x, &plan)) <= limit || step < limit * 1e-3 {
            keeps = step;
        }
    }
    plan.set_step(keeps);
    plan
}
