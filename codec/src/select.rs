//! Chooses how to code a chunk, by coded size.
use crate::Error;
use crate::base::interpolation::Parameters;
use crate::base::raster::Weights;
use crate::bytes::storable;
use crate::chunk::{ChunkBound, Effort, cost, reconstruct};
use crate::lattice::{Lattice, packed, spacing};
use crate::plan::{Base, Map, Plan};
use crate::prepare::Prepared;

/// Whole numbers below this are exact in binary64 with room for sums.
const WHOLE: f64 = 1_125_899_906_842_624.0; // 2^50

struct Search<'a> {
    x: &'a Prepared,
    best: Plan,
    cost: f64,
}

impl Search<'_> {
    fn plan(&self, base: Base, map: Map) -> Plan {
        Plan { base, map, masked: self.x.special.is_some(), fast: self.x.effort == Effort::Fast, rounding: 0.5 }
    }

    fn consider(&mut self, plan: Plan) {
        let (cost, _) = cost(self.x, &plan);
        if cost < self.cost {
            self.cost = cost;
            self.best = plan;
        }
    }

    /// Sets the step so that the root mean squared error just meets its limit, where that is the bound.
    fn fit_step(&self, mut plan: Plan) -> Plan {
        let ChunkBound::Rmse(limit) = self.x.bound else { return plan };
        let mut keeps = 0.0;
        let mut breaks = f64::INFINITY;
        let mut step = plan.step();
        for _ in 0..7 {
            step = storable(step);
            plan.set_step(step);
            let rmse = self.x.rmse(&reconstruct(self.x, &plan));
            if rmse <= limit {
                keeps = step;
                if rmse > 0.997 * limit {
                    break;
                }
            } else {
                breaks = step;
            }
            let guess = step * (0.999 * limit / rmse.max(0.05 * limit)).powf(1.1);
            step = if keeps > 0.0 && breaks.is_finite() {
                guess.clamp(keeps + 0.1 * (breaks - keeps), breaks - 0.1 * (breaks - keeps))
            } else {
                guess
            };
        }
        while keeps == 0.0 {
            step = storable(step * 0.8);
            plan.set_step(step);
            if self.x.rmse(&reconstruct(self.x, &plan)) <= limit || step < limit * 1e-3 {
                keeps = step;
            }
        }
        plan.set_step(keeps);
        plan
    }

    /// Bases that predict numbers, on one map with one step.
    fn numeric(&mut self, map: &Map, step: f64) {
        let g = self.x.g;
        let axes: Vec<u8> = (0..4u8).filter(|&a| g.n[a as usize] > 1).collect();
        let plain = Parameters { order: axes.clone(), alpha: 16, beta: 16, linear: false, fitted: 2 };
        let mut best: Option<(f64, Parameters)> = None;
        let mut attempt = |s: &mut Self, p: Parameters| {
            let plan = s.fit_step(s.plan(Base::Interpolation { p: p.clone(), step }, map.clone()));
            let (cost, _) = cost(s.x, &plan);
            if best.as_ref().is_none_or(|b| cost < b.0) {
                best = Some((cost, p));
            }
            if cost < s.cost {
                s.cost = cost;
                s.best = plan;
            }
            best.as_ref().map(|b| b.1.clone()).unwrap_or_else(|| plain.clone())
        };
        let mut p = plain.clone();
        for (alpha, beta) in [(16, 16), (20, 32), (24, 64), (32, 128)] {
            p = attempt(self, Parameters { alpha, beta, ..plain.clone() });
        }
        for skip in 0..axes.len().saturating_sub(1) {
            let mut order = p.order.clone();
            order.retain(|&a| a != axes[skip]);
            if !order.is_empty() && order.len() < p.order.len() {
                p = attempt(self, Parameters { order, ..p.clone() });
            }
        }
        let reversed: Vec<u8> = p.order.iter().rev().copied().collect();
        if reversed.len() > 1 {
            p = attempt(self, Parameters { order: reversed, ..p.clone() });
        }
        for fitted in [0, 4] {
            p = attempt(self, Parameters { fitted, ..p.clone() });
        }
        attempt(self, Parameters { linear: true, ..p.clone() });
        for weights in [Weights::Fitted, Weights::Lorenzo(0), Weights::Lorenzo(2), Weights::Lorenzo(3)] {
            let plan = self.fit_step(self.plan(Base::Raster { weights, step }, map.clone()));
            self.consider(plan);
        }
    }

    fn lossless(&mut self) {
        for order in 0..=3 {
            for shift in [0, 8, 16, 24, 32] {
                if shift < 8 * self.x.dtype.size() as u8 {
                    let plan = self.plan(Base::Lossless { order, shift }, Map::Plain);
                    self.consider(plan);
                }
            }
        }
    }

    fn on_lattice(&mut self, l: Lattice, bound: f64) {
        let step = if l.exact { 2.0 * (bound / l.scale).floor() + 1.0 } else { (2.0 * bound / l.scale).floor() };
        if step >= 1.0 {
            self.numeric(&Map::Lattice(l), step);
        }
    }
}

/// The plan that codes this chunk in the fewest bytes of those tried.
pub fn choose(x: &Prepared) -> Result<Plan, Error> {
    let first = x.special.as_ref().map_or(Some(0), |s| s.iter().position(|s| !s)).filter(|&i| i < x.bits.len());
    let Some(first) = first else {
        return Ok(Plan {
            base: Base::Constant(0),
            map: Map::Plain,
            masked: x.special.is_some(),
            fast: false,
            rounding: 0.5,
        });
    };
    let constant = Base::Constant(x.bits[first]);
    let same = (0..x.bits.len()).all(|i| x.special.as_ref().is_some_and(|s| s[i]) || x.bits[i] == x.bits[first]);
    let mut s = Search {
        x,
        best: Plan {
            base: constant,
            map: Map::Plain,
            masked: x.special.is_some(),
            fast: x.effort == Effort::Fast,
            rounding: 0.5,
        },
        cost: f64::INFINITY,
    };
    if same {
        return Ok(s.best);
    }
    let largest = x.lo.abs().max(x.hi.abs());
    let float = x.dtype.is_float();
    match x.bound {
        ChunkBound::Lossless => {
            s.lossless();
            if float {
                if let Some(l) = packed(x.dtype, &x.numbers, x.lo, x.hi) {
                    s.on_lattice(l, 0.0);
                }
            } else if largest < WHOLE {
                s.on_lattice(Lattice { offset: 0.0, scale: 1.0, exact: true }, 0.0);
            }
        }
        ChunkBound::Abs(e) if !float => {
            if largest < WHOLE {
                s.on_lattice(Lattice { offset: 0.0, scale: 1.0, exact: true }, e.floor());
            } else {
                s.lossless();
            }
        }
        ChunkBound::Abs(e) => {
            let lattice = packed(x.dtype, &x.numbers, x.lo, x.hi).filter(|l| e < 16.0 * l.scale);
            if let Some(l) = lattice.or_else(|| spacing(x.dtype, &x.numbers, x.lo, x.hi, e)) {
                s.on_lattice(l, e);
            }
            if e > 0.0 && lattice.is_none_or(|l| e > l.scale) {
                s.numeric(&Map::Plain, storable(2.0 * e * (1.0 - 1e-12)));
            }
            if s.cost.is_infinite() || s.cost > 0.5 * (x.bits.len() * x.dtype.size()) as f64 {
                s.lossless();
            }
        }
        ChunkBound::PwRel(e) => {
            let limit = (1.0 + e).log2() * (1.0 - 1e-9);
            if limit > 0.0 {
                s.numeric(&Map::Logarithm, storable(2.0 * limit));
            }
            s.lossless();
        }
        ChunkBound::Rmse(e) => {
            if e > 0.0 {
                s.numeric(&Map::Plain, storable(e * 3.4));
            }
            s.lossless();
        }
    }
    Ok(s.best)
}
