//! Multi-level interpolation: coarse to fine, axis by axis, each new point predicted from points already decoded (SPEC §8.2).
use super::Geometry;
use super::companion::{Aside, BESIDE};
use super::contexts::{Blend, GUIDED_SLOTS, SETS, SLOTS};
use super::least_squares::{NormalEquations, fit_points};
use super::quantiser::Quantiser;
use super::rows::Row;
use super::thrift::{self, ANCHOR, Thrift, kind};
use crate::entropy::{Aside as Slot, BitCoder, CONTEXTS, Counter, Magnitude, Place, Residuals, Start, log_class};
use crate::learned::{Beside, Guide};
use quiet::{Flags, QUIET_ROW};

mod along_rows;
mod quiet;

/// Features of the fitted correction.
const FEATURES: usize = 10;

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
pub struct Run<'a, R> {
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
    coder: R,
    /// Probabilities that a row has only zero codes.
    quiet_rows: Vec<Counter>,
    /// What speaks of points before they are coded.
    guide: Option<Guide<'a>>,
    /// Other fields that are known at all points.
    aside: Option<Aside<'a>>,
    start: Start<'a>,
    /// Who weighs errors against bits (encoder).
    thrift: Option<Thrift>,
}

/// The points that one axis of one level adds.
pub struct Pass {
    /// The axis that is refined.
    pub axis: usize,
    /// The level, 1 the finest.
    pub level: u32,
    /// Distance from a new point to those beside it on the axis.
    pub s: usize,
    /// Index of the first point on every axis.
    pub start: [usize; 4],
    /// From one point to the next on every axis.
    pub step: [usize; 4],
    fitted: bool,
    weights: [f64; FEATURES],
    /// Residuals are kept: somebody looks at them.
    tracked: bool,
}

impl Pass {
    /// Calls `f` with every point of the pass: coordinates and offset.
    #[inline]
    pub fn each(&self, g: &Geometry, thin: usize, mut f: impl FnMut([usize; 4], usize)) {
        let mut rows = 0usize;
        for a in (self.start[0]..g.n[0]).step_by(self.step[0]) {
            for b in (self.start[1]..g.n[1]).step_by(self.step[1]) {
                for y in (self.start[2]..g.n[2]).step_by(self.step[2]) {
                    rows += 1;
                    if !rows.is_multiple_of(thin) {
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
pub(super) struct Local {
    pub(super) p: f64,
    h1: bool,
    grad: f64,
    curve: f64,
    curve_signed: f64,
}

impl<'a, R: Residuals> Run<'a, R> {
    /// A run over a chunk of this geometry; a decoder's `values` may hold anything.
    pub fn new(
        g: Geometry,
        p: &'a Parameters,
        quant: Quantiser,
        values: &'a mut [f64],
        mask: Option<&'a [bool]>,
    ) -> Self {
        let codes = vec![0; g.len()];
        let residuals = if p.fitted > 0 { vec![0.0; g.len()] } else { Vec::new() };
        Run {
            g,
            p,
            quant,
            values,
            mask,
            codes,
            residuals,
            coder: R::new(SLOTS, SETS),
            start: Start::default(),
            quiet_rows: vec![Counter::NEW; 128],
            guide: None,
            aside: None,
            thrift: None,
        }
    }

    /// Looks at other fields as well.
    pub fn beside(mut self, aside: Option<Aside<'a>>) -> Self {
        self.aside = aside;
        self
    }

    /// Starts from what has been learned elsewhere. To be called last.
    pub fn starting(mut self, start: Start<'a>) -> Self {
        if let Some(states) = start.of(self.place()) {
            self.coder.prime(states);
        }
        self.thrift = Thrift::new(start.worth);
        self.start = start;
        self
    }

    fn place(&self) -> Place {
        if self.guide.is_some() { Place::Guided } else { Place::Interpolation }
    }

    /// Lets a network speak of the points of the finest levels, which must be fitted ones.
    pub fn guided(mut self, guide: Guide<'a>) -> Self {
        self.residuals = vec![0.0; self.g.len()];
        self.coder = R::new(GUIDED_SLOTS, SETS);
        self.guide = Some(guide);
        self
    }

    /// Levels of refinement.
    fn levels(&self) -> u32 {
        let widest = self.p.order.iter().map(|&a| self.g.n[a as usize]).max().unwrap_or(1);
        usize::BITS - (widest - 1).leading_zeros()
    }

    /// Codes (or decodes) all points; `values` then holds the reconstruction.
    #[inline(always)]
    pub fn run<C: BitCoder>(mut self, c: &mut C) {
        let levels = self.levels();
        let base = self.quant;
        self.anchors(c, levels);
        for level in (1..=levels).rev() {
            self.quant = base.refined(self.p.alpha, self.p.beta, level);
            let s = 1usize << (level - 1);
            if let Some(thrift) = &mut self.thrift {
                thrift.at_level(level);
            }
            for k in 0..self.p.order.len() {
                let axis = self.p.order[k] as usize;
                if self.g.n[axis] <= s {
                    continue;
                }
                let fitted = level <= u32::from(self.p.fitted);
                let tracked = fitted || self.guide.as_ref().is_some_and(|g| g.covers(level));
                let (start, step) = ([0; 4], [1; 4]);
                let mut pass = Pass { axis, level, s, start, step, fitted, weights: [0.0; FEATURES], tracked };
                for (j, &a) in self.p.order.iter().enumerate() {
                    pass.step[a as usize] = if j < k { s } else { 2 * s };
                }
                pass.start[axis] = s;
                if let Some(aside) = &mut self.aside {
                    aside.enter(&self.g, &pass, self.p.linear, self.mask);
                }
                let told = self.aside.as_ref().is_some_and(|a| a.fits(level));
                if fitted || self.aside.is_some() {
                    self.fit(c, &mut pass, told);
                }
                self.pass(c, &pass);
            }
        }
        self.start.leave(self.place(), || self.coder.states());
        if let Some(guide) = self.guide {
            guide.leave();
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
                        let m = Magnitude {
                            slots: [slot; CONTEXTS],
                            start: slot.saturating_sub(16),
                            class: slot,
                            set: 0,
                            sign: [0; 3],
                            aside: Slot::default(),
                        };
                        let q = self.point(c, i, last, &m, ANCHOR);
                        slot = log_class(q.unsigned_abs().saturating_mul(256)).min(63);
                        last = self.values[i];
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn point<C: BitCoder>(&mut self, c: &mut C, i: usize, p: f64, m: &Magnitude, kind: usize) -> i64 {
        let p = self.quant.snap(p);
        if let Some(mask) = self.mask
            && mask[i]
        {
            self.values[i] = p;
            return 0;
        }
        let q = if C::DECODING { 0 } else { thrift::code(&mut self.thrift, &self.quant, kind, self.values[i], p) };
        let q = self.coder.code(c, q, m);
        self.values[i] = self.quant.reconstruct(p, q);
        self.codes[i] = q.clamp(-32767, 32767) as i16;
        q
    }

    /// Interpolation along the axis of the pass.
    #[inline]
    fn local(&self, pass: &Pass, at: &[usize; 4], i: usize) -> Local {
        local(self.values, &self.g, pass, self.p.linear, at, i)
    }

    /// What the fitted weights multiply; all vanish on constant and linear fields. Residuals of the originals stand in
    /// for those that decoding will know.
    #[inline]
    fn features(&self, pass: &Pass, at: &[usize; 4], i: usize, l: &Local) -> [f64; FEATURES] {
        let mut f = [0.0; FEATURES];
        f[0] = l.curve_signed;
        let stride = pass.s * self.g.stride[pass.axis];
        let v = &self.values;
        let residual = |at: [usize; 4], i: usize| v[i] - self.local(pass, &at, i).p;
        let mut back = [0usize; 4];
        for a in 0..4 {
            let t = pass.step[a];
            let o = t * self.g.stride[a];
            let before = at[a] >= pass.start[a] + t;
            if before {
                back[a] = o;
                let mut there = *at;
                there[a] -= t;
                f[4 + a] = residual(there, i - o);
            }
            if a != pass.axis && l.h1 && before && at[a] + t < self.g.n[a] {
                let k = if a < pass.axis { a } else { a - 1 };
                f[1 + k] = 0.25 * ((v[i - o - stride] + v[i - o + stride]) + (v[i + o - stride] + v[i + o + stride]))
                    - 0.5 * (v[i - stride] + v[i + stride]);
            }
        }
        if back[2] > 0 {
            let t = pass.step[3];
            if back[3] > 0 {
                f[8] = residual([at[0], at[1], at[2] - pass.step[2], at[3] - t], i - back[2] - back[3]);
            }
            if at[3] + t < self.g.n[3] {
                f[9] = residual([at[0], at[1], at[2] - pass.step[2], at[3] + t], i - back[2] + t);
            }
        }
        f
    }

    /// Fits the weights of a pass (encoder) and codes them; with `told`, those of companions, too.
    fn fit<C: BitCoder>(&mut self, c: &mut C, pass: &mut Pass, told: bool) {
        let companions = self.aside.as_ref().filter(|_| told).map_or(0, Aside::count);
        let mut w = [0.0; FEATURES];
        let mut beside = vec![[0.0; BESIDE]; companions];
        if !C::DECODING && (pass.fitted || companions > 0) {
            match companions {
                0 => self.solve::<FEATURES>(pass, &mut w, &mut beside),
                1 => self.solve::<{ FEATURES + BESIDE }>(pass, &mut w, &mut beside),
                2 => self.solve::<{ FEATURES + 2 * BESIDE }>(pass, &mut w, &mut beside),
                _ => self.solve::<{ FEATURES + 3 * BESIDE }>(pass, &mut w, &mut beside),
            }
        }
        if pass.fitted {
            for k in 0..FEATURES {
                let q = (w[k] * 64.0).round().clamp(-128.0, 127.0) as i32;
                let q = c.raw((q + 128) as u32, 8) as i32 - 128;
                pass.weights[k] = f64::from(q) * 0.015625;
            }
        }
        if let Some(aside) = &mut self.aside {
            aside.weigh(c, &self.g, pass, told.then_some(beside));
        }
    }

    /// Least-squares weights of features, and of what companions say.
    fn solve<const K: usize>(&self, pass: &Pass, w: &mut [f64; FEATURES], beside: &mut [[f64; BESIDE]]) {
        let points = (0..4).map(|a| (self.g.n[a] - pass.start[a]).div_ceil(pass.step[a])).product::<usize>();
        // Odd, so that rows are not always taken from the same place of a plane.
        let thin = (points / fit_points(self.values.len())) | 1;
        let mut eq = NormalEquations::<K>::new();
        pass.each(&self.g, thin, |at, i| {
            if self.mask.is_some_and(|m| m[i]) {
                return;
            }
            let l = self.local(pass, &at, i);
            let mut f = [0.0; K];
            if pass.fitted {
                f[..FEATURES].copy_from_slice(&self.features(pass, &at, i, &l));
            }
            if let Some(aside) = &self.aside {
                for k in 0..beside.len() {
                    f[FEATURES + k * BESIDE..][..BESIDE].copy_from_slice(&aside.around(k, &self.g, pass, &at, i));
                }
            }
            eq.add(&f, self.values[i] - l.p);
        });
        let noise = self.quant.variance();
        eq.add_noise(&std::array::from_fn(|k| match k {
            0..4 => noise * 0.1,
            4..FEATURES => noise,
            _ => noise * 0.02,
        }));
        let all = eq.solve();
        w.copy_from_slice(&all[..FEATURES]);
        for (k, w) in beside.iter_mut().enumerate() {
            w.copy_from_slice(&all[FEATURES + k * BESIDE..][..BESIDE]);
        }
    }

    #[inline(always)]
    fn pass<C: BitCoder>(&mut self, c: &mut C, pass: &Pass) {
        let g = self.g;
        let Pass { start, step, .. } = *pass;
        let blend = Blend::new(2 + u32::from(g.n[1] > 1));
        let place = pass.level.min(15) * 4 + pass.axis as u32;
        let mut row = Row::new((g.n[3] - start[3]).div_ceil(step[3]));
        let mut guide = self.guide.take();
        let mut guided = guide.as_mut().filter(|g| g.covers(pass.level));
        if let Some(guide) = &mut guided {
            guide.enter(&g, pass, &self.p.order, self.quant.step(), self.values, &self.codes);
        }
        let mut aside = self.aside.take();
        let mut flags = Flags::new(&g, pass);
        for a in (start[0]..g.n[0]).step_by(step[0]) {
            for b in (start[1]..g.n[1]).step_by(step[1]) {
                for y in (start[2]..g.n[2]).step_by(step[2]) {
                    let first = a * g.stride[0] + b * g.stride[1] + y * g.stride[2] + start[3];
                    // From a point to one before it in another row, or to itself, whose code is still 0.
                    let above = match () {
                        _ if y > start[2] => step[2] * g.stride[2],
                        _ if b > start[1] => step[1] * g.stride[1],
                        _ => 0,
                    };
                    self.interpolate(pass, [a, b, y], first, &mut row);
                    if pass.fitted {
                        self.correct(pass, [a, b, y], first, &mut row);
                    }
                    if let Some(aside) = &aside {
                        aside.add(&g, pass, [a, b, y], first, &mut row.p);
                    }
                    if row.p.len() >= QUIET_ROW && self.quiet(c, pass, [a, b, y], first, &row, &mut flags) {
                        continue;
                    }
                    if !C::SILENT {
                        self.survey(pass, [a, b, y], first, &mut row, &blend);
                    }
                    let count = row.p.len();
                    if let Some(guide) = guided.as_mut().filter(|guide| guide.looks()) {
                        self.above(pass, [a, b, y], first, &mut row, guide.start(count));
                        guide.look(pass, [a, b, y]);
                    }
                    let (mut before, mut residual) = (0i16, 0.0);
                    let mut beside = Beside::default();
                    let (predictions, base, known) = (&row.p[..count], &row.base[..count], row.known.first(count));
                    for k in 0..count {
                        let i = first + k * step[3];
                        let (mut p, base) = (predictions[k], base[k]);
                        let mut known = known.known(k);
                        if pass.fitted {
                            p += pass.weights[7] * residual;
                        }
                        let without = p;
                        if let Some(aside) = &aside {
                            p += aside.correction(&g, pass, [a, b, y, start[3] + k * step[3]], i, self.quant.step());
                            known.told = Some(aside.told(i, &self.quant));
                        }
                        if let Some(guide) = &mut guided {
                            beside = Beside {
                                residuals: [residual, beside.residuals[0]],
                                codes: [before, beside.codes[0]],
                                fitted: p - base,
                            };
                            let hint = guide.point(k, &beside, self.quant.step(), self.values[i] - p);
                            p += hint.correction;
                            known.scale = hint.scale;
                        }
                        let m = known.contexts(&blend, before, place);
                        let kind = match self.thrift {
                            Some(_) if !C::DECODING => kind(before, self.codes[i - above], known.scale),
                            _ => ANCHOR,
                        };
                        self.point(c, i, p, &m, kind);
                        if let Some(aside) = &mut aside {
                            aside.learn(i, self.values[i] - without);
                        }
                        before = self.codes[i];
                        if pass.tracked {
                            residual = self.values[i] - base;
                            self.residuals[i] = residual;
                        }
                    }
                }
            }
        }
        self.guide = guide;
        self.aside = aside;
    }
}

/// Interpolation of values `v` along the axis of the pass.
#[inline]
pub(super) fn local(v: &[f64], g: &Geometry, pass: &Pass, linear: bool, at: &[usize; 4], i: usize) -> Local {
    let (s, stride) = (pass.s, pass.s * g.stride[pass.axis]);
    let (along, n) = (at[pass.axis], g.n[pass.axis]);
    let (h0, h1, h3) = (along >= 3 * s, along + s < n, along + 3 * s < n);
    let v1 = v[i - stride];
    if !h1 {
        let p = if h0 { 1.5 * v1 - 0.5 * v[i - 3 * stride] } else { v1 };
        return Local { p, h1, grad: 0.0, curve: 0.0, curve_signed: 0.0 };
    }
    let v2 = v[i + stride];
    let v0 = if h0 { v[i - 3 * stride] } else { 0.0 };
    let v3 = if h3 { v[i + 3 * stride] } else { 0.0 };
    let sum = v1 + v2;
    let p = if linear || !(h0 || h3) {
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
