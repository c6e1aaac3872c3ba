//! Chooses beside which of its references a chunk is interpolated.
use crate::base::companion::{Beside, Way};
use crate::chunk::{ChunkBound, Effort, cost};
use crate::plan::{Base, Coder, Map, Plan};
use crate::prepare::Prepared;
use crate::select_fit::fit_step;
use scicodec_format::MAX_REFERENCES;

/// What a plan may cost, without references, more than the best for it to be tried with some.
const REACH: f64 = 1.4;

/// The cheapest plan found that looks at references, of those that were tried without; none if none is cheaper than
/// `rival`, what the cheapest without costs.
pub fn choose(x: &Prepared, tried: &[(f64, Plan)], rival: f64) -> Option<Plan> {
    if x.references.is_empty() || x.effort == Effort::Fast {
        return None;
    }
    let mut kinds: Vec<&(f64, Plan)> = Vec::new();
    for guided in [true, false] {
        let like = |p: &Plan| match p.base {
            Base::Learned { .. } => guided,
            Base::Interpolation { .. } => !guided,
            _ => false,
        };
        let kind = tried.iter().filter(|(c, p)| like(p) && *c < REACH * rival);
        kinds.extend(kind.min_by(|a, b| a.0.total_cmp(&b.0)));
    }
    kinds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, others) = kinds.split_first()?;
    // Every reference alone, under the plan that is cheapest without.
    let with = |plan: &Plan, chosen: Vec<(usize, i16)>, damping, told| {
        let way = Way::Corrected { damping, told };
        let plan = Plan { beside: Some(Beside { chosen, way }), coder: Coder::ZerosFirst, ..plan.clone() };
        (cost(x, &plan), plan)
    };
    let mut ranked: Vec<(f64, (usize, i16))> = (0..x.references.len())
        .map(|k| {
            let one = (k, exponent(x, &first.1, k));
            (with(&first.1, vec![one], 0, 0).0, one)
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (_, nearest) = *ranked.first()?;
    let mut best = with(&first.1, vec![nearest], 0, 0);
    let keep = |best: &mut (f64, Plan), other: (f64, Plan)| {
        if other.0 < best.0 {
            *best = other;
        }
    };
    for other in others {
        keep(&mut best, with(&other.1, vec![nearest], 0, 0));
    }
    for kind in &kinds {
        keep(&mut best, with(&kind.1, vec![nearest], 1, 2));
    }
    let (plain, (_, told)) = (best.1.clone(), way(&best.1));
    for (damping, told) in if told > 0 { [(1, 4), (3, 2)] } else { [(1, 0), (2, 0)] } {
        keep(&mut best, with(&plain, vec![nearest], damping, told));
    }
    for &(_, more) in ranked.iter().skip(1) {
        let Some(Beside { chosen, .. }) = best.1.beside.clone() else { break };
        let (damping, told) = way(&best.1);
        if chosen.len() < MAX_REFERENCES {
            let plan = best.1.clone();
            keep(&mut best, with(&plan, [chosen, vec![more]].concat(), damping, told));
        }
    }
    if let ChunkBound::Rmse(_) = x.bound {
        let plan = fit_step(x, best.1);
        best = (cost(x, &plan), plan);
    }
    (best.0 < rival).then_some(best.1)
}

fn way(plan: &Plan) -> (u8, u8) {
    match plan.beside {
        Some(Beside { way: Way::Corrected { damping, told }, .. }) => (damping, told),
        _ => (0, 0),
    }
}

/// The power of two that scales a reference so that its differences along rows are about as large as those of what a plan
/// codes.
pub fn exponent(x: &Prepared, plan: &Plan, k: usize) -> i16 {
    let unit = if let Map::Lattice(l) = &plan.map { l.scale } else { 1.0 };
    let r = &x.references[k];
    let valid = |i: usize| !x.special.as_ref().is_some_and(|s| s[i]) && !r.missing.as_ref().is_some_and(|m| m[i]);
    let (mut own, mut other) = (0.0, 0.0);
    for i in 1..x.numbers.len() {
        if valid(i) && valid(i - 1) {
            own += (x.numbers[i] - x.numbers[i - 1]).abs() / unit;
            other += (r.values[i] - r.values[i - 1]).abs();
        }
    }
    let ratio = own / other;
    if ratio.is_normal() { ratio.log2().round().clamp(-400.0, 400.0) as i16 } else { 0 }
}
