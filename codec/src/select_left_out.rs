//! Chooses what a wavelet leaves out of a chunk: a weighted sum of references.
use crate::base::Geometry;
use crate::base::companion::{Beside, WEIGHT_UNIT, Way};
use crate::base::least_squares::NormalEquations;
use crate::base::wavelet::{self, Target};
use crate::chunk::{Effort, cost};
use crate::entropy::Start;
use crate::plan::{Base, Coder, Plan};
use crate::prepare::Prepared;
use crate::select_beside::exponent;
use scicodec_format::MAX_REFERENCES;

/// What a wavelet may cost, with nothing left out, more than the best for this to be tried.
const REACH: f64 = 1.5;

/// A chunk or a part of one, and the wavelet that was cheapest for it with nothing left out.
pub struct Ground<'a> {
    pub x: &'a Prepared,
    pub target: Target,
    /// What coders start from.
    pub start: Start<'a>,
    /// What the cheapest of all plans costs.
    pub rival: f64,
}

/// The cheapest plan found that leaves out references, from wavelets that were tried without; none if none is cheaper than
/// `rival`.
pub fn choose(ground: &Ground<'_>, tried: &[(f64, Plan)]) -> Option<Plan> {
    let x = ground.x;
    if x.references.is_empty() || x.effort == Effort::Fast {
        return None;
    }
    let wavelets = tried.iter().filter(|(c, p)| matches!(p.base, Base::Wavelet(_)) && *c < REACH * ground.rival);
    let (without, plain) = wavelets.min_by(|a, b| a.0.total_cmp(&b.0))?;
    // Every reference alone, then the best of them with others.
    let mut ranked: Vec<(f64, Plan, usize)> = (0..x.references.len())
        .filter_map(|k| {
            let plan = less(ground, plain, x.g, &beside(x, plain, &[k])?)?;
            Some((cost(x, &plan), plan, k))
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut bytes, mut best, first) = ranked.first().cloned()?;
    let mut chosen = vec![first];
    for &(alone, _, k) in ranked.iter().skip(1) {
        if chosen.len() == MAX_REFERENCES || alone > *without {
            break;
        }
        let more = [&chosen[..], &[k]].concat();
        let Some(plan) = beside(x, plain, &more).and_then(|b| less(ground, plain, x.g, &b)) else { continue };
        let with = cost(x, &plan);
        if with < bytes {
            (bytes, best, chosen) = (with, plan, more);
        }
    }
    if bytes >= *without {
        return None;
    }
    // What is left may be best with another layout.
    let left = x.state(&best).numbers;
    let searched = wavelet::Ground { part: false, thin: false, rival: bytes, effort: x.effort, start: ground.start };
    for c in wavelet::choose(x.g, &left, x.special.as_deref(), ground.target, searched) {
        let plan = Plan { base: Base::Wavelet(c.parameters), ..best.clone() };
        let with = cost(x, &plan);
        if with < bytes {
            (bytes, best) = (with, plan);
        }
    }
    (bytes < ground.rival).then_some(best)
}

/// The plan with the wavelet of `found`, which was for a chunk of extents `from`, that leaves this out.
pub fn less(ground: &Ground<'_>, found: &Plan, from: Geometry, beside: &Beside) -> Option<Plan> {
    let x = ground.x;
    let Base::Wavelet(wavelet) = &found.base else { return None };
    let plan = Plan { beside: Some(beside.clone()), coder: Coder::ZerosFirst, ..found.clone() };
    let left = x.state(&plan).numbers;
    let on = wavelet::Ground { part: true, thin: false, rival: f64::INFINITY, effort: x.effort, start: ground.start };
    let p = wavelet::transfer(x.g, &left, x.special.as_deref(), ground.target, wavelet, from, on)?;
    Some(Plan { base: Base::Wavelet(p), ..plan })
}

/// Weights of these references that leave the smallest differences of neighbours; none if all are 0.
fn beside(x: &Prepared, plan: &Plan, references: &[usize]) -> Option<Beside> {
    let chosen: Vec<(usize, i16)> = references.iter().map(|&k| (k, exponent(x, plan, k))).collect();
    let scaled = Beside { chosen: chosen.clone(), way: Way::LeftOut(vec![]) }.companions(&x.references);
    let known = |i: usize| {
        let gone = |m: &Option<Vec<bool>>| m.as_ref().is_some_and(|m| m[i]);
        !gone(&x.special) && !scaled.iter().any(|c| gone(&c.missing))
    };
    let mut equations = NormalEquations::<MAX_REFERENCES>::new();
    for a in (0..4).filter(|&a| x.g.n[a] > 1) {
        let (o, n) = (x.g.stride[a], x.g.n[a]);
        for i in o..x.numbers.len() {
            if (i / o).is_multiple_of(n) || !known(i) || !known(i - o) {
                continue;
            }
            let mut f = [0.0; MAX_REFERENCES];
            for (f, c) in f.iter_mut().zip(&scaled) {
                *f = c.values[i] - c.values[i - o];
            }
            equations.add(&f, x.numbers[i] - x.numbers[i - o]);
        }
    }
    let weights = equations.solve().into_iter().take(references.len());
    let weights: Vec<i16> = weights.map(|w| (w / WEIGHT_UNIT).round().clamp(-32768.0, 32767.0) as i16).collect();
    let some = weights.iter().any(|&w| w != 0);
    some.then_some(Beside { chosen, way: Way::LeftOut(weights) })
}
