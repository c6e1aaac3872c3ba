//! The encoder's search for the wavelet's parameters.
use super::Geometry;
use super::wavelet::{Parameters, code_beside, depth, prepare, reconstruct, storable, storable_signed};
use super::wavelet_bands::{Band, bands};
use super::wavelet_errors::Errors;
use super::wavelet_fill::fill;
use super::wavelet_probe::{Quantised, quantise};
use super::wavelet_transform::{Edge, Edges};
use crate::Effort;
use crate::entropy::{CostCounter, Mixture, Start};
use crate::simd::{Kernel, widest};
use std::sync::Arc;

/// What the reconstruction must reach, over the points that are not masked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The largest error.
    MaxError(f64),
    /// The root of the mean squared error.
    Rmse(f64),
}

/// Parameters and about how many bytes they make.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// To hand to `code`.
    pub parameters: Parameters,
    /// Coded bytes, parameters included.
    pub bytes: f64,
}

/// What is searched, and against what.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The values are a part of the chunk: guesses must do.
    pub part: bool,
    /// They are every so many of the chunk's: steps are sought again on all.
    pub thin: bool,
    /// Bytes that the best other base needs.
    pub rival: f64,
    /// How hard to try.
    pub effort: Effort,
    /// What coders start from.
    pub start: Start<'a>,
}

/// Bytes for each value below which a part is searched as the whole would be.
const SPARSE: f64 = 1.0 / 12.0;
/// Values of a small chunk.
const FEW: usize = 1 << 16;
/// Bytes whose difference tells nothing yet.
const SMALL: f64 = 200.0;

impl Ground<'_> {
    /// Whether there is time for more than the likeliest: of a whole chunk, if it is small.
    pub(super) fn leisurely(&self, g: &Geometry) -> bool {
        !self.part && g.len() <= FEW
    }

    /// Whether a root mean squared error is met as closely as can be.
    fn closely(&self, g: &Geometry) -> bool {
        self.effort == Effort::Max || self.leisurely(g)
    }

    /// Above these bits a search has no hope, which is told thrice: of the first shape, of fewer axes, of another order.
    fn hopeless(&self, k: usize, few: bool) -> f64 {
        let times = match self.part {
            false => f64::INFINITY,
            true if few => [4.0, 2.5, 1.4][k],
            true => [4.0, 1.9, 1.3][k],
        };
        times * 8.0 * (self.rival + SMALL)
    }
}

pub(super) struct Search<'a> {
    pub(super) g: Geometry,
    values: &'a [f64],
    mask: Option<&'a [bool]>,
    /// The values with masked ones filled, if there are any.
    filled: Option<Vec<f64>>,
    mean: f64,
    pub(super) valid: f64,
    start: Start<'a>,
}

/// Levels, the axes that go first, and the edges.
pub(super) type Shape = ([u8; 4], u8, Edges);

/// All axes mirrored.
pub const MIRRORED: Edges = [Edge::Mirrored; 4];

pub(super) struct Layout {
    levels: [u8; 4],
    first: u8,
    edges: Edges,
    pub(super) bands: Vec<Band>,
    pub(super) coef: Vec<f64>,
}

impl Search<'_> {
    pub(super) fn layout(&self, (levels, first, edges): Shape) -> Layout {
        let bands = bands(&self.g, levels, first);
        let coef =
            prepare(&self.g, levels, first, edges, self.mean, self.filled.as_deref().unwrap_or(self.values), None);
        Layout { levels, first, edges, bands, coef }
    }

    pub(super) fn parameters(&self, l: &Layout, step: f64, lambda: f64) -> Parameters {
        let step = storable(step);
        Parameters {
            levels: l.levels,
            first: l.first,
            edges: l.edges,
            step,
            mean: self.mean,
            shift: [0; 2],
            correction: 0.0,
            trellis: false,
            lambda,
            scalar: step,
            found: None,
        }
    }

    pub(super) fn quantise(&self, l: &Layout, p: &mut Parameters) -> Quantised {
        let q = quantise(&self.g, p, &l.bands, &l.coef);
        p.shift = q.shift;
        q
    }

    /// Keeps what is quantised with the parameters.
    pub(super) fn keep(p: &mut Parameters, q: Quantised) {
        p.found = Some(Arc::new(q.q));
    }

    /// About how many bits these levels need for the target, starting at a step; and the step.
    pub(super) fn judge(&self, levels: Shape, target: Target, step: f64, lambda: f64) -> (f64, f64) {
        let l = self.layout(levels);
        match target {
            Target::Rmse(e) => self.judge_rmse(&l, e, step, lambda),
            Target::MaxError(e) => (self.judge_max(&l, e, step, lambda), step),
        }
    }

    /// Bits at an error, by the error in the coefficients.
    fn judge_rmse(&self, l: &Layout, rmse: f64, step: f64, lambda: f64) -> (f64, f64) {
        let goal = (rmse * rmse * self.valid).ln();
        let mut step = step;
        let mut last: Option<(f64, f64, f64)> = None;
        for _ in 0..5 {
            let mut p = self.parameters(l, step, lambda);
            let q = self.quantise(l, &mut p);
            if q.overflow {
                return (f64::INFINITY, step);
            }
            let d = q.distortion.max(1e-300).ln();
            let slope = match last {
                // (ln step, ln error, bits)
                Some((s, e, _)) if (p.step.ln() - s).abs() > 1e-3 => ((d - e) / (p.step.ln() - s)).clamp(0.3, 2.5),
                _ => 1.5,
            };
            if (d - goal).abs() < 0.1 {
                // The error in the values, which near straight edges is larger than that in the coefficients; what is
                // left of the difference at 6 dB a bit of every nonzero coefficient or so.
                let d = self.errors(l, &p, &q).0.max(1e-300).ln();
                let per = q.nonzero.max(1.0) * 0.72;
                return (q.bits + per * (d - goal), p.step * ((goal - d) / slope).exp());
            }
            last = Some((p.step.ln(), d, q.bits));
            step = p.step * ((goal - d) / slope).clamp(-2.0, 2.0).exp();
            if last.is_some_and(|l| (l.0 - step.ln()).abs() < 1e-3) {
                break;
            }
        }
        last.map_or((f64::INFINITY, step), |l| (l.2, step))
    }

    /// Bits for a bound on every error.
    fn judge_max(&self, l: &Layout, e: f64, step: f64, lambda: f64) -> f64 {
        let mut p = self.parameters(l, step, lambda);
        let q = self.quantise(l, &mut p);
        if q.overflow {
            return f64::INFINITY;
        }
        let mut y = vec![0.0; self.g.len()];
        reconstruct(&self.g, &p, &l.bands, &q.q, &mut y);
        let mut count = [1.0f64; 8];
        let inverse = 0.5 / e;
        for (i, (a, b)) in self.values.iter().zip(&y).enumerate() {
            if !self.mask.is_some_and(|m| m[i]) {
                count[(((a - b).abs() * inverse + 0.5) as usize).min(7)] += 1.0;
            }
        }
        let total: f64 = count.iter().sum();
        let outliers = total - count[0];
        q.bits + outliers + count.iter().map(|c| c * (total / c).log2()).sum::<f64>() * 0.9
    }

    /// What was tried of axes to transform, depths and order, best first, with estimated bits and steps.
    fn shapes(&self, target: Target, lambda: f64, ground: Ground<'_>) -> Vec<(f64, Shape, f64)> {
        let guess = match target {
            Target::Rmse(e) => 4.0 * e,
            Target::MaxError(e) => 2.5 * e,
        };
        let mut all = Vec::new();
        // The last bits of a part tell little of the whole, unless they are few.
        let few = ground.rival < SPARSE * self.g.len() as f64;
        let full = (self.g.n.map(depth), 0, MIRRORED);
        let (bits, step) = self.judge(full, target, guess, lambda);
        let mut best = (bits, full, step);
        if bits > ground.hopeless(0, few) {
            return Vec::new();
        }
        all.push(best);
        // Tries shapes next to the best one as long as one of them is better.
        let mut climb = |best: &mut (f64, Shape, f64), next: &dyn Fn(Shape) -> Vec<Shape>| {
            loop {
                let before = *best;
                for shape in next(before.1) {
                    if all.iter().any(|s: &(f64, Shape, f64)| s.1 == shape) {
                        continue;
                    }
                    let (bits, step) = self.judge(shape, target, before.2, lambda);
                    all.push((bits, shape, step));
                    if bits < best.0 {
                        *best = (bits, shape, step);
                    }
                }
                if best.1 == before.1 {
                    break;
                }
            }
        };
        // Axes left out first and order after, then order first and axes after: each way misses what the other finds.
        let on = |levels: [u8; 4]| (0..4).filter(move |&a| levels[a] > 0);
        let left_out = |(levels, first, edges): Shape| {
            let without = move |a: usize| std::array::from_fn(|b| if a == b { 0 } else { levels[b] });
            on(levels).map(move |a| (without(a), first & !(8 >> a), edges))
        };
        let turned = |(levels, first, edges): Shape| {
            let several = on(levels).count() > 1;
            on(levels).filter(move |_| several).map(move |a| (levels, first ^ 8 >> a, edges))
        };
        climb(&mut best, &|s| left_out(s).collect());
        if best.0 > ground.hopeless(1, few) {
            return Vec::new();
        }
        climb(&mut best, &|s| turned(s).collect());
        if best.0 > ground.hopeless(2, few) {
            return Vec::new();
        }
        let thorough = !ground.part || few;
        if thorough {
            let mut other = (f64::INFINITY, full, step);
            climb(&mut other, &|s| if s == full { turned(s).collect() } else { Vec::new() });
            climb(&mut other, &|s| left_out(s).chain(turned(s)).collect());
            if other.0 < best.0 {
                best = other;
            }
        }
        // Then how lines go on, axis by axis.
        climb(&mut best, &|(levels, first, edges): Shape| {
            if !thorough {
                return [Edge::Periodic, Edge::Straight].map(|e| (levels, first, [e; 4])).to_vec();
            }
            let others =
                |a: usize| [Edge::Mirrored, Edge::Periodic, Edge::Straight].into_iter().filter(move |&e| e != edges[a]);
            let with = |a: usize, e: Edge| {
                let mut edges = edges;
                edges[a] = e;
                (levels, first, edges)
            };
            on(levels).flat_map(|a| others(a).map(move |e| with(a, e))).collect()
        });
        climb(&mut best, &|(levels, first, edges): Shape| {
            let deepest = levels.into_iter().max().unwrap_or(0);
            (deepest.saturating_sub(2).max(2)..deepest).map(|k| (levels.map(|l| l.min(k)), first, edges)).collect()
        });
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }

    /// Sum of squared errors, and largest error.
    pub(super) fn errors(&self, l: &Layout, p: &Parameters, q: &Quantised) -> (f64, f64) {
        let mut y = vec![0.0; self.g.len()];
        reconstruct(&self.g, p, &l.bands, &q.q, &mut y);
        self.beside(&y)
    }

    /// The same of these values.
    fn beside(&self, y: &[f64]) -> (f64, f64) {
        widest(Errors(self.values, y, self.mask))
    }

    /// Parameters that reach a root mean squared error, as closely as there is time for.
    pub(super) fn for_mean(
        &self,
        l: &Layout,
        rmse: f64,
        step: f64,
        lambda: f64,
        ground: Ground<'_>,
    ) -> Option<Parameters> {
        match ground.closely(&self.g) {
            true => self.for_rmse(l, near(rmse), step, lambda),
            false => self.soon_for_rmse(l, near(rmse), step, lambda),
        }
    }

    /// Parameters that just reach a root mean square error.
    pub(super) fn for_rmse(&self, l: &Layout, rmse: f64, step: f64, lambda: f64) -> Option<Parameters> {
        let target = rmse * rmse * self.valid;
        // Every try of a large chunk takes long: a little of what is allowed may be left.
        let enough = if self.g.len() <= LITTLE { 0.99 } else { 0.97 };
        let mut step = step;
        // (ln step, ln error) of the last tries.
        let mut below: Option<(f64, f64)> = None;
        let mut above: Option<(f64, f64)> = None;
        let mut best: Option<(f64, Parameters)> = None;
        // The error in the values over that in the coefficients.
        let mut gain: Option<f64> = None;
        for round in 0..40 {
            if round >= 14 {
                // Far from where the error falls evenly: just make it small enough.
                if best.is_some() {
                    break;
                }
                step = step.min(rmse * 3.0) * 0.8;
            }
            let mut p = self.parameters(l, step, lambda);
            let q = self.quantise(l, &mut p);
            if q.overflow {
                return None;
            }
            // Far from the target the coefficients tell enough.
            let far = |g: f64| !(0.8..1.2).contains(&(g * q.distortion / target));
            let d = match gain {
                Some(g) if round < 14 && far(g) => g * q.distortion,
                _ => {
                    let d = self.errors(l, &p, &q).0;
                    gain = Some(d / q.distortion).filter(|g| g.is_normal());
                    if d <= target && best.as_ref().is_none_or(|b| p.step > b.0) {
                        let mut p = p.clone();
                        Self::keep(&mut p, q);
                        best = Some((p.step, p));
                    }
                    if d <= target && (d >= target * enough || (round > 8 && above.is_some())) {
                        break;
                    }
                    d
                }
            };
            let at = (p.step.ln(), d.max(target * 1e-9).ln());
            if d <= target {
                below = Some(at);
            } else {
                above = Some(at);
            }
            let goal = (target * (0.6 + 0.4 * enough)).ln();
            step = match (below, above) {
                (Some(b), Some(a)) => {
                    if a.0 - b.0 < 4e-4 {
                        break;
                    }
                    let f = ((goal - b.1) / (a.1 - b.1)).clamp(0.05, 0.95);
                    let f = if round % 4 == 3 { 0.5 } else { f };
                    (b.0 + f * (a.0 - b.0)).exp()
                }
                _ => step * (0.6 * (goal - at.1)).clamp(-3.0, 3.0).exp(),
            };
        }
        best.map(|b| b.1)
    }

    /// Bytes of the values with these parameters, and the root of the mean squared error.
    pub(super) fn price(&self, p: &Parameters) -> (f64, f64) {
        struct Count<'a>(&'a Search<'a>, &'a Parameters, &'a mut [f64]);
        impl Kernel for Count<'_> {
            type Out = f64;
            #[inline(always)]
            fn run(self) -> f64 {
                let (mut c, s) = (CostCounter::default(), self.0);
                code_beside::<_, Mixture<4, true>>(&mut c, s.g, self.1, self.2, s.values, s.mask, &s.start);
                c.bytes()
            }
        }
        let mut head = Vec::new();
        p.write(&mut head);
        let mut y = vec![0.0; self.values.len()];
        let bytes = widest(Count(self, p, &mut y));
        (bytes + head.len() as f64, (self.beside(&y).0 / self.valid).sqrt())
    }

    pub(super) fn cost(&self, p: &Parameters) -> f64 {
        self.price(p).0
    }
}

/// Steps that are tried for a bound on every error, in multiples of it.
const RATIOS: [f64; 9] = [1.2, 1.6, 2.1, 2.8, 3.7, 5.0, 6.6, 8.8, 12.0];

/// The index of the first that is not below this one.
fn nearest_ratio(ratio: f64) -> usize {
    RATIOS.iter().position(|&r| r >= 0.99 * ratio).unwrap_or(RATIOS.len() - 1)
}

/// Values up to which a root mean squared error is met as closely as can be.
const LITTLE: usize = 1 << 18;
/// Values up to which steps are judged by true coding.
const CODED: usize = 1 << 19;

impl Search<'_> {
    pub(super) fn new<'a>(g: Geometry, values: &'a [f64], mask: Option<&'a [bool]>) -> Option<Search<'a>> {
        let (mean, valid) = mean(values, mask)?;
        Some(Search {
            g,
            values,
            mask,
            filled: mask.map(|m| fill(&g, values, m)),
            mean,
            valid,
            start: Start::default(),
        })
    }

    /// Layouts to code with, and about which steps.
    fn plan(&self, target: Target, lambda: f64, ground: Ground<'_>) -> Vec<(Shape, f64)> {
        if ground.effort != Effort::Max {
            return self.quick_shapes(target, lambda, ground);
        }
        let all = self.shapes(target, lambda, ground);
        let least = all.first().map_or(0.0, |s| s.0);
        // Different axes or orders: estimates of depths err less.
        let mut seen = Vec::new();
        let kinds = all.into_iter().filter(|s| {
            let kind = (s.1.0.map(|l| l > 0), s.1.1, s.1.2);
            let new = s.0 < least * 1.2 && !seen.contains(&kind);
            seen.push(kind);
            new
        });
        let tries = if ground.part { 1 } else { 4 };
        kinds.take(tries).map(|s| (s.1, s.2)).collect()
    }

    /// The step for a bound on every error, in multiples of the bound; with its index among those tried.
    /// The one at index `at` is tried first, and alone where it is far from what a rival needs.
    fn best_ratio(&self, l: &Layout, e: f64, lambda: f64, at: usize, rival: f64) -> Option<(f64, usize, Parameters)> {
        let mut bytes = [f64::NAN; RATIOS.len()];
        let mut found: Option<(f64, usize, Parameters)> = None;
        let mut at = at;
        let mut judge = |k: usize| {
            if bytes[k].is_nan() {
                let mut p = self.parameters(l, e * RATIOS[k], lambda);
                p.correction = storable(2.0 * near(e));
                let q = self.quantise(l, &mut p);
                let overflow = q.overflow;
                Self::keep(&mut p, q);
                bytes[k] = if overflow {
                    f64::INFINITY
                } else if self.g.len() <= CODED {
                    self.cost(&p)
                } else {
                    self.judge_max(l, e, p.step, lambda)
                };
                if bytes[k].is_finite() && found.as_ref().is_none_or(|f| bytes[k] < f.0) {
                    found = Some((bytes[k], k, p));
                }
            }
            bytes[k]
        };
        let here = judge(at);
        let alone = here > WORTH * rival;
        let up = !alone && at + 1 < RATIOS.len() && judge(at + 1) < here;
        while !alone && if up { at + 1 < RATIOS.len() } else { at > 0 } {
            let next = if up { at + 1 } else { at - 1 };
            if judge(next) > judge(at) {
                break;
            }
            at = next;
        }
        found
    }
}

/// Candidates for a chunk, the cheapest first; none if the wavelet cannot reach the target.
pub fn choose<'a>(
    g: Geometry,
    values: &'a [f64],
    mask: Option<&'a [bool]>,
    target: Target,
    ground: Ground<'a>,
) -> Vec<Candidate> {
    let Some(mut s) = Search::new(g, values, mask) else {
        return Vec::new();
    };
    s.start = ground.start;
    let lambda = LAMBDA;
    let mut all: Vec<Candidate> = Vec::new();
    // Of a bound on every error: the index of the best step so far, and its bytes.
    let (mut ratio, mut least) = (None, f64::INFINITY);
    for (shape, step) in s.plan(target, lambda, ground) {
        let l = s.layout(shape);
        let found = match target {
            Target::Rmse(e) => s.for_mean(&l, e, step, lambda, ground),
            Target::MaxError(e) => {
                let at = ratio.unwrap_or_else(|| nearest_ratio(step / e));
                s.best_ratio(&l, e, lambda, at, least).map(|(bytes, k, p)| {
                    if bytes < least {
                        (ratio, least) = (Some(k), bytes);
                    }
                    p
                })
            }
        };
        // Of a part there is but one, which is held against nothing here unless there is a trellis to try.
        let alone = ground.part && !ground.thin && matches!(target, Target::MaxError(_));
        all.extend(found.map(|p| Candidate { bytes: if alone { 0.0 } else { s.cost(&p) }, parameters: p }));
    }
    all.sort_by(|a, b| a.bytes.total_cmp(&b.bytes));
    if let Target::Rmse(e) = target {
        s.add_woven(&mut all, e, ground.rival);
    }
    all
}

/// A little below a bound, so that rounding does not break it.
pub(super) fn near(bound: f64) -> f64 {
    bound * (1.0 - 1e-9)
}

/// Other steps are tried for a layout that at the best layout's needs less than this multiple of its bytes.
const WORTH: f64 = 1.06;
/// What a bit is worth, in squared steps: the slope of a uniform quantiser at high rates.
pub(super) const LAMBDA: f64 = 0.11;

/// The mean of values that are not masked, as a file can hold it, and their number; none if all are masked.
fn mean(values: &[f64], mask: Option<&[bool]>) -> Option<(f64, f64)> {
    let (mut sum, mut valid) = (0.0, 0.0);
    for (i, v) in values.iter().enumerate() {
        if !mask.is_some_and(|m| m[i]) {
            sum += v;
            valid += 1.0;
        }
    }
    (valid > 0.0).then(|| (storable_signed(sum / valid), valid))
}

/// Parameters for a chunk from those that were found for a part of it; none if the wavelet cannot reach the target.
pub fn transfer(
    g: Geometry,
    values: &[f64],
    mask: Option<&[bool]>,
    target: Target,
    found: &Parameters,
    part: Geometry,
    ground: Ground<'_>,
) -> Option<Parameters> {
    let levels =
        std::array::from_fn(|a| if found.levels[a] == depth(part.n[a]) { depth(g.n[a]) } else { found.levels[a] });
    match target {
        Target::MaxError(e) if ground.thin => {
            let mut s = Search::new(g, values, mask)?;
            s.start = ground.start;
            let l = s.layout((levels, found.first, found.edges));
            let at = nearest_ratio(1.2 * found.step / e);
            s.best_ratio(&l, e, found.lambda, at, ground.rival).map(|b| b.2)
        }
        Target::MaxError(e) => {
            let correction = found.correction.min(storable(2.0 * near(e)));
            Some(Parameters { levels, mean: mean(values, mask)?.0, correction, found: None, ..found.clone() })
        }
        Target::Rmse(e) => {
            let mut s = Search::new(g, values, mask)?;
            s.start = ground.start;
            let l = s.layout((levels, found.first, found.edges));
            match found.trellis {
                true => s.woven_like(&l, e, found, ground),
                false => s.for_mean(&l, e, found.scalar, found.lambda, ground),
            }
        }
    }
}
