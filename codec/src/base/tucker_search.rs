//! The encoder's search for a Tucker decomposition: axes from the field, then the step that costs least.
use super::Geometry;
use super::thrift::{Thrift, kind};
use super::tucker::{Integers, LONGEST, Parameters, code, expand, norms, predict, reconstruct};
use super::tucker_axes::{principal, rank};
use super::wavelet::{Target, storable, storable_signed};
use super::wavelet_fill::fill;
use super::wavelet_search::LAMBDA;
use crate::entropy::{CostCounter, Mixture, Start};
use std::sync::Arc;

/// Shorter axes have no factors.
const SHORTEST: usize = 8;
/// Largest chunks that are tried.
const MOST: usize = 1 << 22;
/// Cubes of extents, the work of finding axes: most per value, and what is little for any chunk.
const WORK: usize = 40;
const LITTLE: usize = 1 << 18;
/// Magnitudes up to which integers stay exact whatever predicts them.
const EXACT: f64 = (1u64 << 36) as f64;
/// Fractions of a step below which a coefficient of the core is dropped, or about that.
const DEAD: f64 = 0.6;
/// The share of its dimensions that a field may use and be tried.
const HOPE: f64 = 0.6;
/// How fine factors are, in 16ths.
const FINENESS: u8 = 16;

/// A field in axes of its own.
struct Decomposition<'a> {
    g: Geometry,
    values: &'a [f64],
    start: Start<'a>,
    /// What a bit is worth, in squared steps of the core; 0 where the least bytes are at another balance.
    worth: f64,
    mask: Option<&'a [bool]>,
    mean: f64,
    /// Rows of axes, none where an axis stays as it is.
    axes: [Vec<f64>; 4],
    core: Vec<f64>,
}

/// Bits of the best other base, for each value of the core that axes leave, below which a field is not tried.
const GATE_MAX: f64 = 6.0;
const GATE_RMSE: f64 = 4.0;
/// Where time is short: bits that a value of a factor takes, and one of the core under a bound on every error and under
/// one on the root of the mean squared one, at least; and the share of another base's bits below which it is worth trying.
const PER_FACTOR: f64 = 3.0;
const PER_CORE: (f64, f64) = (3.5, 2.0);
const PROMISING: f64 = 0.8;
/// The share of masked points that leave no hope: coasts have no axes.
const MASKED: f64 = 0.1;
/// What an estimate may be above the best other base and a field still be tried.
const SLACK: f64 = 1.05;
/// The same over what others are guessed to need.
const BEYOND: f64 = 1.2;
/// Steps of the core that are estimated, in multiples of a largest error.
const STEPS: [f64; 4] = [2.2, 2.8, 3.6, 4.6];
/// The step for a root mean squared error that is tried first, in multiples of it.
const FIRST: f64 = 4.0;

/// How much is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Steps by true coding, where there is hope.
    Steps,
    /// The same where there is much hope.
    Coded,
    /// By estimates alone, where there is much hope.
    Likely,
}

/// Parameters that keep the target and an estimate of their bytes; none where there is no hope of fewer bytes than others
/// have: about `guess`, and surely what `rival` finds out.
pub fn choose(
    g: Geometry,
    values: &[f64],
    mask: Option<&[bool]>,
    target: Target,
    search: Search,
    guess: f64,
    start: Start<'_>,
    mut rival: impl FnMut() -> f64,
) -> Option<(Parameters, f64)> {
    let chosen: Vec<usize> = (0..4).filter(|&a| (SHORTEST..=LONGEST).contains(&g.n[a])).collect();
    let work: usize = chosen.iter().map(|&a| g.n[a].pow(3)).sum();
    if chosen.len() < 2 || g.len() > MOST || work > WORK * g.len() + LITTLE {
        return None;
    }
    let masked = mask.map_or(0, |m| m.iter().filter(|&&m| m).count());
    if masked as f64 > MASKED * g.len() as f64 {
        return None;
    }
    let mean = storable_signed(values.iter().sum::<f64>() / values.len() as f64);
    let mut centred: Vec<f64> = values.iter().map(|x| x - mean).collect();
    let (error, gate, per_core) = match target {
        Target::MaxError(e) => (e, GATE_MAX, PER_CORE.0),
        Target::Rmse(e) => (e, GATE_RMSE, PER_CORE.1),
    };
    let ranks: Vec<usize> = chosen.iter().map(|&a| rank(&centred, &g, a, error)).collect();
    let used: f64 = chosen.iter().zip(&ranks).map(|(&a, &r)| r as f64 / g.n[a] as f64).product();
    let hopeless = |bytes: f64| 8.0 * bytes < gate * used * g.len() as f64;
    if matches!(search, Search::Coded | Search::Likely) {
        let factors: usize = chosen.iter().zip(&ranks).map(|(&a, &r)| r * g.n[a]).sum();
        let least = PER_FACTOR * factors as f64 + per_core * used * g.len() as f64;
        if used > HOPE || least > PROMISING * 8.0 * guess {
            return None;
        }
    } else if used > HOPE || hopeless(guess) {
        return None;
    }
    let short = search == Search::Likely;
    if !short && hopeless(rival()) {
        return None;
    }
    if let Some(mask) = mask {
        centred = fill(&g, &centred, mask);
    }
    let mut axes: [Vec<f64>; 4] = Default::default();
    let mut core = centred.clone();
    for &a in &chosen {
        axes[a] = principal(&centred, &g, a);
    }
    for &a in &chosen {
        let n = g.n[a];
        let transposed: Vec<f64> = (0..n * n).map(|i| axes[a][i % n * n + i / n]).collect();
        core = expand(&core, g.n, a, &transposed, n);
    }
    // Under a largest error every value that is beyond it takes bits of its own.
    let worth = if matches!(target, Target::Rmse(_)) { LAMBDA } else { 0.0 };
    let d = Decomposition { g, values, mask, mean, axes, core, start, worth };
    // To find out what others really need takes as long as all of this.
    let mut beaten = |bits: f64| bits > BEYOND * 8.0 * guess || bits > SLACK * 8.0 * rival();
    match target {
        Target::MaxError(e) if !short => d.fit_max(e).map(|p| (p, f64::INFINITY)),
        Target::MaxError(e) => {
            let estimates = STEPS.map(|s| (d.estimate(s * e, e).0, s * e));
            let (bits, step) = estimates.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
            if beaten(bits) {
                return None;
            }
            let p = d.quantise(storable(step), FINENESS)?;
            Some((Parameters { correction: storable(2.0 * e * (1.0 - 1e-12)), ..p }, bits / 8.0))
        }
        Target::Rmse(e) => {
            // The step at which the core alone makes most of the error.
            let goal = 0.85 * e * e * d.core.len() as f64;
            let mut step = FIRST * e;
            let mut bits = 0.0;
            for _ in 0..4 {
                let squares;
                (bits, squares) = d.estimate(step, f64::INFINITY);
                let more = (goal / squares.max(1e-3 * goal)).powf(0.7);
                step *= more;
                if (0.95..1.05).contains(&more) {
                    break;
                }
            }
            if short && beaten(bits) {
                return None;
            }
            d.fit_rmse(e, step, if short { 0.985 } else { 0.995 }).map(|p| (p, bits / 8.0))
        }
    }
}

impl Decomposition<'_> {
    /// About how many bits a step needs under a largest error, and the sum of squared errors that the core makes.
    fn estimate(&self, step: f64, e: f64) -> (f64, f64) {
        let inverse = 1.0 / step;
        let mut squares = 0.0;
        let mut bits = 0.0;
        let g = &self.g;
        let mut norms: [Vec<f64>; 4] = std::array::from_fn(|a| vec![0.0; g.n[a]]);
        for (r, row) in self.core.chunks(g.n[3]).enumerate() {
            let mut energy = 0.0;
            // Logarithms are taken of products.
            let mut product = 1.0;
            for (x, v) in row.iter().enumerate() {
                let t = (v * inverse).abs();
                if t < DEAD {
                    squares += t * t;
                    continue;
                }
                let q = t.round();
                squares += (t - q) * (t - q);
                energy += q * q;
                norms[3][x] += q * q;
                product *= 1.0 + q;
                bits += 2.0;
                if product > 1e200 {
                    bits += f64::log2(product);
                    product = 1.0;
                }
            }
            bits += f64::log2(product);
            if energy > 0.0 {
                norms[2][r % g.n[2]] += energy;
                norms[1][r / g.n[2] % g.n[1]] += energy;
                norms[0][r / (g.n[2] * g.n[1])] += energy;
            }
        }
        for a in (0..4).filter(|&a| !self.axes[a].is_empty()) {
            // A factor's values have as many bits as their share in its norm.
            let n = g.n[a] as f64;
            bits += norms[a].iter().filter(|&&s| s > 0.0).map(|s| n * (1.0 + 0.5 * (s / n + 1.0).log2())).sum::<f64>();
        }
        // Factors add a little to the error; what is beyond the bound is corrected, were errors normally distributed.
        let t = e / (step * (1.2 * squares / self.core.len() as f64).sqrt());
        let beyond = (-t * (0.717 + 0.416 * t)).exp().min(0.7);
        let corrections = if beyond > 1e-9 { beyond * (2.5 - beyond.log2()) } else { 0.0 };
        (bits + self.core.len() as f64 * corrections, squares * step * step)
    }

    /// Integers of a step.
    fn quantise(&self, step: f64, fineness: u8) -> Option<Parameters> {
        let inverse = 1.0 / step;
        let g = &self.g;
        let mut ranks = [0; 4];
        let mut q = vec![0i64; self.core.len()];
        let mut thrift = Thrift::new(self.worth);
        let code = |q: i64| q.clamp(-32767, 32767) as i16;
        let (mut before, mut above) = (0, vec![0i16; g.n[3]]);
        for (i, (q, v)) in q.iter_mut().zip(&self.core).enumerate() {
            let t = v * inverse;
            if t.is_nan() || t.abs() >= EXACT {
                return None;
            }
            let x = i % g.n[3];
            *q = match &mut thrift {
                Some(thrift) => thrift.code(kind(if x > 0 { before } else { 0 }, above[x], 0), t),
                None if t.abs() < DEAD => 0,
                None => t.round() as i64,
            };
            before = code(*q);
            above[x] = before;
            if *q != 0 {
                for a in (0..4).filter(|&a| !self.axes[a].is_empty()) {
                    ranks[a] = ranks[a].max(i / g.stride[a] % g.n[a] + 1);
                }
            }
        }
        for a in (0..4).filter(|&a| !self.axes[a].is_empty()) {
            ranks[a] = ranks[a].max(1);
        }
        let mut p = Parameters { ranks, fineness, step, correction: 0.0, mean: self.mean, found: Arc::default() };
        let n = p.extents(g);
        let mut it = Integers { core: Vec::with_capacity(n.iter().product()), ..Integers::default() };
        for a in 0..n[0] {
            for b in 0..n[1] {
                for y in 0..n[2] {
                    let row = a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                    it.core.extend_from_slice(&q[row..row + n[3]]);
                }
            }
        }
        for a in (0..4).filter(|&a| ranks[a] > 0) {
            let scale = norms(&it.core, n, a).into_iter().map(|s| s as f64 / (f64::from(fineness) * 0.0625));
            for (row, scale) in self.axes[a].chunks(g.n[a]).zip(scale) {
                let factors: Vec<i64> = row.iter().map(|f| (f * scale).round() as i64).collect();
                if factors.iter().any(|f| f.unsigned_abs() as f64 >= EXACT) {
                    return None;
                }
                let order = (0..4u8).min_by_key(|&order| {
                    let error = |i: usize| (factors[i] - predict(order, &factors[..i])).unsigned_abs();
                    (0..factors.len()).map(|i| u64::from((2 * error(i) + 1).ilog2())).sum::<u64>()
                });
                it.orders[a].push(order.unwrap_or(0));
                it.factors[a].extend(factors);
            }
        }
        p.found = Arc::new(it);
        Some(p)
    }

    fn bytes(&self, p: &Parameters) -> f64 {
        let mut c = CostCounter::default();
        let mut v = self.values.to_vec();
        code::<_, Mixture<4, true>>(&mut c, self.g, p, &mut v, self.mask, &self.start);
        let mut head = Vec::new();
        p.write(&mut head);
        c.bytes() + head.len() as f64
    }

    /// The least bytes under a largest error, over steps of the core.
    fn fit_max(&self, e: f64) -> Option<Parameters> {
        let correction = storable(2.0 * e * (1.0 - 1e-12));
        let mut best: Option<(f64, Parameters)> = None;
        let mut attempt = |step: f64, fineness: u8| {
            let Some(p) = self.quantise(storable(step), fineness) else { return false };
            let p = Parameters { correction, ..p };
            let bytes = self.bytes(&p);
            let better = best.as_ref().is_none_or(|b| bytes < b.0);
            if better {
                best = Some((bytes, p));
            }
            better
        };
        let mut step = 2.4 * e;
        let mut ratio = 1.25;
        attempt(step, FINENESS);
        if !attempt(step * ratio, FINENESS) {
            ratio = 1.0 / ratio;
        } else {
            step *= ratio;
        }
        for _ in 0..5 {
            if !attempt(step * ratio, FINENESS) {
                break;
            }
            step *= ratio;
        }
        best.map(|b| b.1)
    }

    fn rmse(&self, p: &Parameters) -> f64 {
        let mut v = vec![0.0; self.values.len()];
        reconstruct(&self.g, p, &p.found, &mut v);
        let (mut sum, mut n) = (0.0, 0.0);
        for (i, (x, y)) in self.values.iter().zip(&v).enumerate() {
            if !self.mask.is_some_and(|m| m[i]) {
                sum += (x - y) * (x - y);
                n += 1.0;
            }
        }
        f64::sqrt(sum / n)
    }

    /// A step that just keeps a root mean squared error, from one on; `enough` of what is allowed must be used.
    fn fit_rmse(&self, e: f64, first: f64, enough: f64) -> Option<Parameters> {
        let aim = (0.4 + 0.6 * enough) * e;
        let mut best = None;
        let (mut keeps, mut breaks) = (0.0, f64::INFINITY);
        let mut step = first;
        for _ in 0..10 {
            let p = self.quantise(storable(step), FINENESS)?;
            let rmse = self.rmse(&p);
            if rmse <= e {
                keeps = step;
                best = Some(p);
                if rmse > enough * e {
                    break;
                }
            } else {
                breaks = step;
            }
            // Where most of the core is zero the error grows slower than the step.
            let guess = step * (aim / rmse.max(0.02 * e)).powf(1.4);
            step = if keeps > 0.0 && breaks.is_finite() {
                guess.clamp(keeps + 0.1 * (breaks - keeps), breaks - 0.1 * (breaks - keeps))
            } else {
                guess
            };
        }
        best
    }
}
