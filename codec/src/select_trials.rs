//! Like plans, told apart by guessed sizes before the best are coded for their true ones.
use crate::base::interpolation::Parameters;
use crate::base::raster::Weights;
use crate::bytes::storable;
use crate::chunk::{ChunkBound, Effort, cost, price};
use crate::plan::{Base, Coder, Map, Plan};
use crate::prepare::Prepared;
use crate::select_fit::fit_step;

/// Guessed bytes above this multiple of the least lose.
const NEAR: f64 = 1.15;

/// The part of all values from which on, if they are what a neighbour is, copies are worth a try.
const REPEATED: f64 = 0.1;

/// Whether many values are what one of their neighbours is.
pub fn repeats(x: &Prepared) -> bool {
    let known = |i: usize| !x.special.as_ref().is_some_and(|s| s[i]);
    let like = |i: usize, a: usize| {
        let (n, stride) = (x.g.n[a], x.g.stride[a]);
        !(i / stride).is_multiple_of(n) && x.numbers[i] == x.numbers[i - stride] && known(i - stride)
    };
    let axes: Vec<usize> = (0..4).rev().filter(|&a| x.g.n[a] > 1).collect();
    let repeated = (0..x.numbers.len()).filter(|&i| known(i) && axes.iter().any(|&a| like(i, a))).count();
    repeated as f64 > REPEATED * x.valid as f64
}

/// Tries interpolations: schedules of steps first, then what they are best with.
pub fn interpolations(t: &mut Trials<'_>, effort: Effort, large: bool) {
    let axes: Vec<u8> = (0..4u8).filter(|&a| t.x.g.n[a as usize] > 1).collect();
    let step = t.plan.step();
    let mut p = Parameters { order: axes.clone(), alpha: 16, beta: 16, linear: false, fitted: 2 };
    let mut best = f64::INFINITY;
    let l2 = matches!(t.x.bound, ChunkBound::Rmse(_));
    let mut attempt = |p: &mut Parameters, q: Parameters| {
        let cost = t.attempt(Base::Interpolation { p: q.clone(), step });
        if cost < best {
            best = cost;
            *p = q;
        }
    };
    let flat = p.clone();
    attempt(&mut p, flat);
    // Ever steeper schedules; of a large chunk while they are better, but under an L2 norm a steep one may be better where a
    // less steep one is not.
    for schedule in [(20, 32), (24, 64), (32, 128)] {
        let q = Parameters { alpha: schedule.0, beta: schedule.1, ..p.clone() };
        attempt(&mut p, q);
        if p.alpha != schedule.0 && large && !l2 {
            break;
        }
    }
    for &skip in axes.iter().take(axes.len().saturating_sub(1)) {
        let mut q = p.clone();
        q.order.retain(|&a| a != skip);
        attempt(&mut p, q);
    }
    if effort != Effort::Fast {
        if p.order.len() > 1 {
            let q = Parameters { order: p.order.iter().rev().copied().collect(), ..p.clone() };
            attempt(&mut p, q);
        }
        for fitted in [0, 4] {
            let q = Parameters { fitted, ..p.clone() };
            attempt(&mut p, q);
        }
        let q = Parameters { linear: true, ..p.clone() };
        attempt(&mut p, q);
    }
}

/// Plans that are tried on one ground, told apart by guessed sizes.
pub struct Trials<'a> {
    x: &'a Prepared,
    plan: Plan,
    /// Where the bound is an L2 norm: bytes that one more in the logarithm of the error saves.
    slope: Option<f64>,
    /// All, with their costs.
    all: Vec<(f64, Base)>,
}

impl Trials<'_> {
    pub fn new(x: &Prepared, plan: Plan) -> Trials<'_> {
        let coder = if x.effort != Effort::Fast { Coder::Estimate } else { plan.coder };
        Trials { x, plan: Plan { coder, ..plan }, slope: None, all: Vec::new() }
    }

    /// About how many bytes a base would need.
    pub fn attempt(&mut self, mut base: Base) -> f64 {
        let step = self.plan.step();
        if let Base::Interpolation { step: s, .. } | Base::Raster { step: s, .. } = &mut base {
            *s = step;
        }
        self.plan.base = base;
        let cost = match self.x.bound {
            ChunkBound::Rmse(limit) if !matches!(self.plan.map, Map::Lattice(_)) => {
                let slope = self.slope.unwrap_or_else(|| self.fit());
                let (bytes, rmse) = price(self.x, &self.plan);
                bytes + slope * (rmse / limit).max(1e-6).ln()
            }
            _ => cost(self.x, &self.plan),
        };
        self.all.push((cost, self.plan.base.clone()));
        cost
    }

    /// Fits the step to the bound by the present base; all others are tried with that step.
    fn fit(&mut self) -> f64 {
        self.plan = fit_step(self.x, self.plan.clone());
        let (bytes, rmse) = price(self.x, &self.plan);
        let mut finer = self.plan.clone();
        finer.set_step(storable(0.85 * self.plan.step()));
        let (more, less) = price(self.x, &finer);
        let slope = ((more - bytes) / (rmse / less).ln()).clamp(0.0, 0.25 * self.x.bits.len() as f64);
        let slope = if slope.is_finite() { slope } else { 0.0 };
        self.slope = Some(slope);
        slope
    }

    /// The best plans of every kind, at most so many of each, the cheapest first, but for those that are far from it.
    pub fn finalists(self, most: usize) -> Vec<Base> {
        let mut all = self.all;
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let limit = all.first().map_or(0.0, |b| NEAR * b.0 + 8.0);
        // Where the bound is an L2 norm, guesses of unlike plans are hardly comparable.
        let l2 = self.slope.is_some();
        let mut seen = [0; 3];
        let mut goes_on = |cost: f64, base: &Base| {
            let kind = match base {
                Base::Raster { weights: Weights::Copies, .. } => 2,
                Base::Raster { .. } => 1,
                _ => 0,
            };
            let seen = &mut seen[kind];
            *seen += 1;
            *seen <= most && cost <= limit || l2 && *seen == 1
        };
        all.into_iter().filter(|(cost, base)| goes_on(*cost, base)).map(|b| b.1).collect()
    }
}
