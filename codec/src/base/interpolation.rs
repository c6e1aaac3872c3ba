//! Multi-level interpolation: coarse to fine, axis by axis, each new point predicted from points already decoded (SPEC §6.2).
use super::Geometry;
use super::contexts::{SETS, Surroundings, slots};
use super::least_squares::NormalEquations;
use super::quantiser::Quantiser;
use crate::entropy::{BitCoder, Magnitude, ResidualCoder, log_class};

/// Features of the fitted correction.
const FEATURES: usize = 10;
/// Points that a fit looks at, at most about.
const FIT_POINTS: usize = 30_000;

/// What the encoder chose for one chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Axes in the order in which they are refined; axes that are left out are not predicted across.
    pub order: Vec<u8>,
    /// Step of level l is divided by min(alpha^(l-1), beta): both in sixteenths.
    pub alpha: u8,
    /// See `alpha`.
    pub beta: u8,
    /// Linear instead of cubic interpolation.
    pub linear: bool,
    /// The finest levels whose predictions are corrected by fitted weights.
    pub fitted: u8,
}

/// State of one run over a chunk.
pub struct Run<'a, const N: usize> {
    g: Geometry,
    p: &'a Parameters,
    quant: Quantiser,
    /// Values: the originals when encoding, overwritten by reconstructions.
    values: &'a mut [f64],
    /// Masked points, which are predicted but not coded.
    mask: Option<&'a [bool]>,
    /// Codes, saturated.
    codes: Vec<i16>,
    /// Reconstruction minus plain interpolation.
    residuals: Vec<f64>,
    coder: ResidualCoder<N>,
}

struct Pass {
    axis: usize,
    level: u32,
    s: usize,
    start: [usize; 4],
    step: [usize; 4],
    fitted: bool,
    weights: [f64; FEATURES],
}

impl Pass {
    /// Calls `f` with every point of the pass: coordinates and offset.
    #[inline(always)]
    fn each(&self, g: &Geometry, thin: usize, mut f: impl FnMut([usize; 4], usize)) {
        let mut rows = 0usize;
        for a in (self.start[0]..g.n[0]).step_by(self.step[0]) {
            for b in (self.start[1]..g.n[1]).step_by(self.step[1]) {
                for y in (self.start[2]..g.n[2]).step_by(self.step[2]) {
                    rows += 1;
                    if rows % thin != 0 {
                        continue;
                    }
                    let row = a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                    for x in (self.start[3]..g.n[3]).step_by(self.step[3]) {
                        f([a, b, y, x], row + x);
                    }
                }
            }
        }
    }
}

/// What plain interpolation sees at a point.
struct Local {
    p: f64,
    h1: bool,
    grad: f64,
    curve: f64,
    curve_signed: f64,
}

impl<'a, const N: usize> Run<'a, N> {
    pub fn new(
        g: Geometry,
        p: &'a Parameters,
        quant: Quantiser,
        values: &'a mut [f64],
        mask: Option<&'a [bool]>,
    ) -> Self {
        let codes = vec![0; g.len()];
        let residuals = if p.fitted > 0 { vec![0.0; g.len()] } else { Vec::new() };
        Run { g, p, quant, values, mask, codes, residuals, coder: ResidualCoder::new(slots::<N>(), SETS) }
    }

    /// Levels of refinement.
    fn levels(&self) -> u32 {
        let widest = self.p.order.iter().map(|&a| self.g.n[a as usize]).max().unwrap_or(1);
        usize::BITS - (widest - 1).leading_zeros()
    }

    /// Codes (or decodes) all points; `values` then holds the reconstruction.
    pub fn run<C: BitCoder>(mut self, c: &mut C) {
        let levels = self.levels();
        let base = self.quant;
        self.anchors(c, levels);
        for level in (1..=levels).rev() {
            self.quant = base.refined(self.p.alpha, self.p.beta, level);
            let s = 1usize << (level - 1);
            for k in 0..self.p.order.len() {
                let axis = self.p.order[k] as usize;
                if self.g.n[axis] <= s {
                    continue;
                }
                let fitted = level <= u32::from(self.p.fitted);
                let mut pass = Pass { axis, level, s, start: [0; 4], step: [1; 4], fitted, weights: [0.0; FEATURES] };
                for (j, &a) in self.p.order.iter().enumerate() {
                    pass.step[a as usize] = if j < k { s } else { 2 * s };
                }
                pass.start[axis] = s;
                if fitted {
                    self.fit(c, &mut pass);
                }
                self.pass(c, &pass);
            }
        }
    }

    /// The points that no axis of the order reaches: coded as differences along the array.
    fn anchors<C: BitCoder>(&mut self, c: &mut C, levels: u32) {
        self.quant = self.quant.refined(self.p.alpha, self.p.beta, levels.max(1));
        let n: [usize; 4] = std::array::from_fn(|a| if self.p.order.contains(&(a as u8)) { 1 } else { self.g.n[a] });
        let mut last = 0.0;
        let mut slot = 0;
        for a in 0..n[0] {
            for b in 0..n[1] {
                for y in 0..n[2] {
                    for x in 0..n[3] {
                        let i = a * self.g.stride[0] + b * self.g.stride[1] + y * self.g.stride[2] + x;
                        let m = Magnitude { slots: [slot; N], start: slot.saturating_sub(16), set: 0, sign: [0; 3] };
                        let q = self.point(c, i, last, &m);
                        slot = log_class(q.unsigned_abs() * 256).min(63);
                        last = self.values[i];
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn point<C: BitCoder>(&mut self, c: &mut C, i: usize, p: f64, m: &Magnitude<N>) -> i64 {
        let p = self.quant.snap(p);
        if let Some(mask) = self.mask
            && mask[i]
        {
            self.values[i] = p;
            return 0;
        }
        let q = if C::DECODING { 0 } else { self.quant.quantise(self.values[i], p) };
        let q = self.coder.code(c, q, m);
        self.values[i] = self.quant.reconstruct(p, q);
        self.codes[i] = q.clamp(-32767, 32767) as i16;
        q
    }

    /// Interpolation along the axis of the pass.
    #[inline(always)]
    fn local(&self, pass: &Pass, at: &[usize; 4], i: usize) -> Local {
        let (s, stride) = (pass.s, pass.s * self.g.stride[pass.axis]);
        let (along, n) = (at[pass.axis], self.g.n[pass.axis]);
        let (h0, h1, h3) = (along >= 3 * s, along + s < n, along + 3 * s < n);
        let v = &self.values;
        let v1 = v[i - stride];
        if !h1 {
            let p = if h0 { 1.5 * v1 - 0.5 * v[i - 3 * stride] } else { v1 };
            return Local { p, h1, grad: 0.0, curve: 0.0, curve_signed: 0.0 };
        }
        let v2 = v[i + stride];
        let v0 = if h0 { v[i - 3 * stride] } else { 0.0 };
        let v3 = if h3 { v[i + 3 * stride] } else { 0.0 };
        let sum = v1 + v2;
        let p = if self.p.linear || !(h0 || h3) {
            0.5 * sum
        } else if h0 && h3 {
            (9.0 * sum - (v0 + v3)) * 0.0625
        } else if h0 {
            (6.0 * v1 + 3.0 * v2 - v0) * 0.125
        } else {
            (3.0 * v1 + 6.0 * v2 - v3) * 0.125
        };
        let grad = (v1 - v2).abs();
        let curve_signed = if h0 && h3 { (v0 + v3) - sum } else { 0.0 };
        let curve = if h0 && h3 { curve_signed.abs() } else { grad };
        Local { p, h1, grad, curve, curve_signed }
    }

    /// What the fitted weights multiply; all vanish on constant and linear fields.
    #[inline(always)]
    fn features(&self, pass: &Pass, at: &[usize; 4], i: usize, l: &Local) -> [f64; FEATURES] {
        let mut f = [0.0; FEATURES];
        f[0] = l.curve_signed;
        let stride = pass.s * self.g.stride[pass.axis];
        let v = &self.values;
        let mut back = [0usize; 4];
        for a in 0..4 {
            let t = pass.step[a];
            let o = t * self.g.stride[a];
            let before = at[a] >= pass.start[a] + t;
            if before {
                back[a] = o;
                f[4 + a] = self.residuals[i - o];
            }
            if a != pass.axis && l.h1 && before && at[a] + t < self.g.n[a] {
                let k = if a < pass.axis { a } else { a - 1 };
                f[1 + k] = 0.25 * ((v[i - o - stride] + v[i - o + stride]) + (v[i + o - stride] + v[i + o + stride]))
                    - 0.5 * (v[i - stride] + v[i + stride]);
            }
        }
        if back[2] > 0 {
            if back[3] > 0 {
                f[8] = self.residuals[i - back[2] - back[3]];
            }
            if at[3] + pass.step[3] < self.g.n[3] {
                f[9] = self.residuals[i - back[2] + pass.step[3]];
            }
        }
        f
    }

    /// Fits the weights of a pass (encoder) and codes them.
    fn fit<C: BitCoder>(&mut self, c: &mut C, pass: &mut Pass) {
        let mut w = [0i32; FEATURES];
        if !C::DECODING {
            let points = (0..4).map(|a| (self.g.n[a] - pass.start[a]).div_ceil(pass.step[a])).product::<usize>();
            let thin = (points / FIT_POINTS).max(1);
            // Residuals of the originals stand in for those that decoding will know.
            let mut res = std::mem::take(&mut self.residuals);
            pass.each(&self.g, 1, |at, i| res[i] = self.values[i] - self.local(pass, &at, i).p);
            self.residuals = res;
            let mut eq = NormalEquations::<FEATURES>::new();
            pass.each(&self.g, thin, |at, i| {
                if self.mask.is_some_and(|m| m[i]) {
                    return;
                }
                let l = self.local(pass, &at, i);
                let f = self.features(pass, &at, i, &l);
                eq.add(&f, self.values[i] - l.p);
            });
            let noise = self.quant.variance();
            eq.add_noise(&std::array::from_fn(|k| if k >= 4 { noise } else { noise * 0.1 }));
            w = eq.solve().map(|w| (w * 64.0).round().clamp(-128.0, 127.0) as i32);
        }
        for k in 0..FEATURES {
            w[k] = c.raw((w[k] + 128) as u32, 8) as i32 - 128;
            pass.weights[k] = f64::from(w[k]) * 0.015625;
        }
    }

    fn pass<C: BitCoder>(&mut self, c: &mut C, pass: &Pass) {
        let g = self.g;
        let Pass { start, step, .. } = *pass;
        let dims = 2 + u32::from(g.n[1] > 1);
        let stride = pass.s * g.stride[pass.axis];
        pass.each(&g, 1, |at, i| {
            let l = self.local(pass, &at, i);
            let mut p = l.p;
            if pass.fitted {
                let f = self.features(pass, &at, i, &l);
                let mut sum = 0.0;
                for k in 0..FEATURES {
                    sum += pass.weights[k] * f[k];
                }
                p += sum;
            }
            let q = &self.codes;
            let o: [usize; 4] = std::array::from_fn(|a| step[a] * g.stride[a]);
            let has: [bool; 4] = std::array::from_fn(|a| at[a] >= start[a] + step[a]);
            let hood = Surroundings {
                back: std::array::from_fn(|k| if has[3 - k] { q[i - o[3 - k]] } else { 0 }),
                diagonal: [
                    if has[2] && at[3] + step[3] < g.n[3] { q[i - o[2] + o[3]] } else { 0 },
                    if has[1] && at[2] + step[2] < g.n[2] { q[i - o[1] + o[2]] } else { 0 },
                ],
                dims,
                parents: [q[i - stride], if l.h1 { q[i + stride] } else { q[i - stride] }],
                curve: self.quant.fine(l.curve),
                grad: self.quant.fine(l.grad),
                level: pass.level,
                axis: pass.axis as u32,
            };
            self.point(c, i, p, &hood.magnitude());
            if pass.fitted {
                self.residuals[i] = self.values[i] - l.p;
            }
        });
    }
}
