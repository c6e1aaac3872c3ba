//! Raster-order prediction: each point from a fitted combination of causal neighbours, in C order (SPEC §8.3).
//!
//! With its fixed weights it is the Lorenzo predictor; fitted ones take in noise, oscillation and anisotropy. About a centre they
//! need not follow the value before: what is noise alone is then coded as it is. Points may also be copies of a neighbour.
use super::Geometry;
use super::contexts::{Blend, Known, Rest, SETS, SLOTS, magnitude};
use super::least_squares::{NormalEquations, fit_points};
use super::quantiser::Quantiser;
use super::raster_copies::{Copies, around};
use super::thrift::{self, Thrift, kind};
use crate::entropy::{BitCoder, Place, Residuals, Start};

/// Neighbours that a prediction may use.
pub const TAPS: usize = 24;
/// Weights are multiples of this.
const WEIGHT_UNIT: f64 = 1.0 / 4096.0;

/// Offsets of the neighbours along axes 0 to 3; all come earlier in C order.
const OFFSETS: [[i32; 4]; TAPS] = [
    [0, 0, 0, -1],
    [0, 0, -1, 0],
    [0, 0, -1, -1],
    [0, 0, -1, 1],
    [0, 0, 0, -2],
    [0, 0, -2, 0],
    [0, 0, -1, 2],
    [0, 0, -1, -2],
    [0, 0, -2, -1],
    [0, 0, -2, 1],
    [0, 0, 0, -3],
    [0, -1, 0, 0],
    [0, -1, 0, -1],
    [0, -1, 0, 1],
    [0, -1, -1, 0],
    [0, -1, 1, 0],
    [0, -1, -1, -1],
    [0, -1, -1, 1],
    [0, -1, 1, 1],
    [0, -1, 1, -1],
    [0, -2, 0, 0],
    [-1, 0, 0, 0],
    [-1, 0, 0, 1],
    [-1, 0, 1, 0],
];

/// Which weights predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// The Lorenzo predictor over the last `n` axes; 0 predicts the value before in the row, else zero.
    Lorenzo(u8),
    /// Weights that the encoder fitted and sent.
    Fitted,
    /// The same, of differences from one value for all points instead of from the value before. The encoder chooses it so.
    Centred(Centre),
    /// Fitted ones for the points that are no copies of a neighbour.
    Copies,
}

/// About what an encoder codes values that do not follow the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centre {
    /// About the mean, with fitted weights: noise that hangs together a little.
    Mean,
    /// About the end of the range that most values are near, without weights: densities over decades.
    End,
}

impl Weights {
    /// What is worth a try besides fitted ones.
    pub const OTHERS: [Weights; 5] = [
        Weights::Centred(Centre::Mean),
        Weights::Centred(Centre::End),
        Weights::Lorenzo(0),
        Weights::Lorenzo(2),
        Weights::Lorenzo(3),
    ];
}

/// One run over a chunk.
pub struct Run<'a, R> {
    g: Geometry,
    quant: Quantiser,
    values: &'a mut [f64],
    mask: Option<&'a [bool]>,
    codes: Vec<i16>,
    weights: [f64; TAPS],
    /// What all taps are taken relative to, if not to the value before.
    centre: Option<f64>,
    /// Where points may be copies.
    copies: Option<Copies>,
    /// Who weighs errors against bits (encoder).
    thrift: Option<Thrift>,
    flat: [isize; TAPS],
    coder: R,
    start: Start<'a>,
}

impl<'a, R: Residuals> Run<'a, R> {
    /// A run over a chunk of this geometry; a decoder's `values` may hold anything.
    pub fn new(
        g: Geometry,
        quant: Quantiser,
        values: &'a mut [f64],
        mask: Option<&'a [bool]>,
        start: Start<'a>,
    ) -> Self {
        let flat = OFFSETS.map(|o| (0..4).map(|a| o[a] as isize * g.stride[a] as isize).sum());
        let coder = start.coder(Place::Raster, SLOTS, SETS);
        let (codes, weights, thrift) = (vec![0; g.len()], [0.0; TAPS], Thrift::new(start.worth));
        Run { g, quant, values, mask, codes, weights, centre: None, copies: None, thrift, flat, coder, start }
    }

    /// Codes (or decodes) all points in C order.
    #[inline(always)]
    pub fn run<C: BitCoder>(mut self, c: &mut C, weights: Weights) {
        match weights {
            Weights::Fitted => self.fit(c, false),
            Weights::Copies => {
                let originals = if C::DECODING { Vec::new() } else { self.values.to_vec() };
                self.copies = Some(Copies::new(self.g.len(), originals));
                self.fit(c, false);
            }
            Weights::Centred(about) => {
                self.centre = Some(self.tell_centre(c, about));
                self.fit(c, about != Centre::Mean);
            }
            Weights::Lorenzo(order) => {
                // Signs of the corners of the unit cube behind the point, less the anchor's own.
                for (o, w) in OFFSETS.iter().zip(&mut self.weights) {
                    let axes = (0..4).filter(|&a| o[a] != 0);
                    let corner =
                        o.iter().all(|&d| d == 0 || d == -1) && axes.clone().all(|a| 4 - a <= usize::from(order));
                    if corner {
                        *w = if axes.count() % 2 == 1 { 1.0 } else { -1.0 };
                    }
                }
            }
        }
        let g = self.g;
        let mut outer = Outer::default();
        for a in 0..g.n[0] {
            for b in 0..g.n[1] {
                for y in 0..g.n[2] {
                    self.row(c, [a, b, y], &mut outer);
                }
            }
        }
        self.start.leave(Place::Raster, || self.coder.states());
    }

    /// Which taps lie within the chunk for a whole row, whatever the place in it.
    fn row_taps(&self, at: [usize; 3]) -> [bool; TAPS] {
        std::array::from_fn(|k| {
            (0..3).all(|a| {
                let p = at[a] as i64 + i64::from(OFFSETS[k][a]);
                p >= 0 && p < self.g.n[a] as i64
            })
        })
    }

    /// What values are coded about, as the upper half of a double. Hostile bytes may hold what is no number.
    fn tell_centre<C: BitCoder>(&self, c: &mut C, centre: Centre) -> f64 {
        let mut about = 0.0;
        if !C::DECODING {
            let (mut sum, mut count, mut low, mut high) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
            for (_, &v) in self.values.iter().enumerate().filter(|(i, _)| !self.mask.is_some_and(|m| m[*i])) {
                (sum, count, low, high) = (sum + v, count + 1.0, f64::min(low, v), f64::max(high, v));
            }
            let mean = sum / f64::max(count, 1.0);
            about = match centre {
                Centre::Mean => mean,
                Centre::End if mean - low < high - mean => low,
                Centre::End => high,
            };
        }
        let told = f64::from_bits(c.raw_wide(about.to_bits() >> 32, 32) << 32);
        if told.is_finite() { told } else { 0.0 }
    }

    /// The value that all taps are taken relative to: the centre, if there is one, else the nearest causal neighbour there is.
    #[inline]
    fn anchor(&self, at: [usize; 3], x: usize, i: usize) -> f64 {
        if let Some(centre) = self.centre {
            centre
        } else if x > 0 {
            self.values[i - 1]
        } else if at[2] > 0 {
            self.values[i - self.g.stride[2]]
        } else if at[1] > 0 {
            self.values[i - self.g.stride[1]]
        } else if at[0] > 0 {
            self.values[i - self.g.stride[0]]
        } else {
            0.0
        }
    }

    /// Neighbours relative to the anchor, absent ones 0.
    #[inline]
    fn taps(&self, ok: &[bool; TAPS], x: usize, i: usize, anchor: f64) -> [f64; TAPS] {
        let n = self.g.n[3];
        if x >= 3 && x + 2 < n {
            std::array::from_fn(|k| if ok[k] { self.values[i.wrapping_add_signed(self.flat[k])] - anchor } else { 0.0 })
        } else {
            std::array::from_fn(|k| {
                let p = x as i64 + i64::from(OFFSETS[k][3]);
                if ok[k] && p >= 0 && p < n as i64 {
                    self.values[i.wrapping_add_signed(self.flat[k])] - anchor
                } else {
                    0.0
                }
            })
        }
    }

    /// Whether an encoder's point is what a neighbour is.
    fn is_copy(&self, at: [usize; 3], x: usize, i: usize) -> bool {
        around(&self.g, at, x, i, self.mask).iter().flatten().any(|&j| self.values[j] == self.values[i])
    }

    /// Weights that leave least, or none, and tells them.
    fn fit<C: BitCoder>(&mut self, c: &mut C, none: bool) {
        let mut w = [0i32; TAPS];
        if !C::DECODING && !none {
            let mut eq = NormalEquations::<TAPS>::new();
            let g = self.g;
            let rows = g.n[0] * g.n[1] * g.n[2];
            let thin = (self.values.len() / fit_points(self.values.len())).clamp(1, rows.div_ceil(8).max(1)) | 1;
            for r in (thin / 2..rows).step_by(thin) {
                let at = [r / (g.n[1] * g.n[2]), r / g.n[2] % g.n[1], r % g.n[2]];
                let ok = self.row_taps(at);
                for x in 0..g.n[3] {
                    let i = r * g.n[3] + x;
                    if self.mask.is_some_and(|m| m[i]) || self.copies.is_some() && self.is_copy(at, x, i) {
                        continue;
                    }
                    let anchor = self.anchor(at, x, i);
                    eq.add(&self.taps(&ok, x, i, anchor), self.values[i] - anchor);
                }
            }
            let noise = self.quant.variance();
            eq.add_noise(&[noise; TAPS]);
            if self.centre.is_none() {
                eq.add_shared_noise(noise);
            }
            w = eq.solve().map(|w| (w / WEIGHT_UNIT).round().clamp(-32768.0, 32767.0) as i32);
        }
        for k in 0..TAPS {
            w[k] = c.raw((w[k] + 32768) as u32, 16) as i32 - 32768;
            self.weights[k] = f64::from(w[k]) * WEIGHT_UNIT;
        }
    }

    #[inline(always)]
    fn row<C: BitCoder>(&mut self, c: &mut C, at: [usize; 3], outer: &mut Outer) {
        let g = self.g;
        let n = g.n[3];
        let ok = self.row_taps(at);
        let row = at[0] * g.stride[0] + at[1] * g.stride[1] + at[2] * g.stride[2];
        let blend = Blend::new(2 + u32::from(g.n[1] > 1));
        self.add_up(&ok, row, outer);
        if !C::SILENT {
            self.survey(at, row, outer);
        }
        let w: [f64; 3] = std::array::from_fn(|d| self.weights[IN_ROW[d]]);
        let has = [at[2] > 0, at[1] > 0];
        for x in 0..n {
            let i = row + x;
            let masked = self.mask.is_some_and(|m| m[i]);
            if let Some(copies) = self.copies.as_mut().filter(|_| !masked) {
                let around = around(&g, at, x, i, self.mask);
                if let Some(from) = copies.code(c, &around, self.values, i) {
                    self.values[i] = self.values[from];
                    self.codes[i] = self.codes[from];
                    copies.keep(&around, self.values, i);
                    continue;
                }
            }
            let v = &self.values;
            let anchor = self.anchor(at, x, i);
            let mut p = anchor + (outer.sum[x] - outer.weight[x] * anchor);
            // Of the value before, the difference from itself is none.
            if self.centre.is_some() && x >= 1 {
                p += w[0] * (v[i - 1] - anchor);
            }
            if x >= 2 {
                p += w[1] * (v[i - 2] - anchor);
            }
            if x >= 3 {
                p += w[2] * (v[i - 3] - anchor);
            }
            let p = self.quant.snap(p);
            if masked {
                self.values[i] = p;
                continue;
            }
            if C::SILENT {
                // Nobody asks for contexts; codes are for thrift.
                let q = self.code(at, x, i, p);
                self.values[i] = self.quant.reconstruct(p, q);
                self.codes[i] = q.clamp(-32767, 32767) as i16;
                self.keep(at, x, i);
                continue;
            }
            let q = &self.codes;
            let code = |ok: bool, back: usize| if ok { q[i - back] } else { 0 };
            // How much the row above differs from this one.
            let mut grad = 0.0;
            if has[0] && x > 0 {
                let u = i - g.stride[2];
                grad = (v[u - 1] - v[i - 1]).abs().max((v[u] - v[u - 1]).abs());
            }
            let rest = Rest {
                parents: magnitude(code(x > 1, 2)) + magnitude(code(has[0] && x > 0, g.stride[2] + 1)),
                curve: outer.curve[x],
                grad: self.quant.fine(grad),
            };
            let back = [code(has[0], g.stride[2]), code(has[1], g.stride[1])];
            let known = Known::new(&blend, outer.near[x], rest, back);
            let m = known.contexts(&blend, if x > 0 { q[i - 1] } else { 0 }, 0);
            let q = if C::DECODING { 0 } else { self.code(at, x, i, p) };
            let q = self.coder.code(c, q, &m);
            self.values[i] = self.quant.reconstruct(p, q);
            self.codes[i] = q.clamp(-32767, 32767) as i16;
            self.keep(at, x, i);
        }
    }

    /// The code of a point with this prediction (encoder).
    #[inline(always)]
    fn code(&mut self, at: [usize; 3], x: usize, i: usize, p: f64) -> i64 {
        let back = |have: bool, back: usize| if have { self.codes[i - back] } else { 0 };
        let kind = kind(back(x > 0, 1), back(at[2] > 0, self.g.stride[2]), 0);
        thrift::code(&mut self.thrift, &self.quant, kind, self.values[i], p)
    }

    /// Keeps which neighbours a point that is no copy turned out to be like.
    #[inline(always)]
    fn keep(&mut self, at: [usize; 3], x: usize, i: usize) {
        if let Some(copies) = &mut self.copies {
            copies.keep(&around(&self.g, at, x, i, self.mask), self.values, i);
        }
    }

    /// For every place of a row: magnitudes of codes in other rows, and how much the row above differs along itself.
    #[inline(always)]
    fn survey(&self, at: [usize; 3], row: usize, outer: &mut Outer) {
        let (g, n) = (&self.g, self.g.n[3]);
        let Outer { near, curve, .. } = outer;
        near.clear();
        near.resize(n, 0);
        curve.clear();
        curve.resize(n, self.quant.fine(0.0));
        let mut add = |from: usize, part: u32| {
            let codes = &self.codes[from..from + n];
            near.iter_mut().zip(codes).for_each(|(near, &c)| *near += magnitude(c) / part);
        };
        if at[2] > 0 {
            add(row - g.stride[2], 1);
        }
        if at[1] > 0 {
            add(row - g.stride[1], 1);
            if at[2] + 1 < g.n[2] {
                add(row - g.stride[1] + g.stride[2], 2);
            }
        }
        if at[0] > 0 {
            add(row - g.stride[0], 1);
        }
        if at[2] > 0 {
            let above = row - g.stride[2];
            let codes = &self.codes[above + 1..above + n];
            near.iter_mut().zip(codes).for_each(|(near, &c)| *near += magnitude(c) / 2);
            let values = &self.values[above..above + n];
            // The last one has none after it.
            let pairs = values.iter().zip(&values[1..]).skip(1);
            curve[1.min(n)..].iter_mut().zip(pairs).for_each(|(c, (v, next))| *c = self.quant.fine((v - next).abs()));
        }
    }

    /// For every place of a row: sums of weighted neighbours in other rows, and of those weights.
    #[inline(always)]
    fn add_up(&self, ok: &[bool; TAPS], row: usize, outer: &mut Outer) {
        let n = self.g.n[3];
        outer.sum.clear();
        outer.sum.resize(n, 0.0);
        outer.weight.clear();
        outer.weight.resize(n, 0.0);
        for k in 0..TAPS {
            let w = self.weights[k];
            if !ok[k] || IN_ROW.contains(&k) || w == 0.0 {
                continue;
            }
            let dx = OFFSETS[k][3];
            let lo = (-dx).max(0) as usize;
            let hi = n.saturating_sub(dx.max(0) as usize);
            if lo >= hi {
                continue;
            }
            let from = (row + lo).wrapping_add_signed(self.flat[k]);
            let taps = &self.values[from..from + (hi - lo)];
            for (s, v) in outer.sum[lo..hi].iter_mut().zip(taps) {
                *s += w * v;
            }
            for s in &mut outer.weight[lo..hi] {
                *s += w;
            }
        }
    }
}

/// Taps in the point's own row, nearest first.
const IN_ROW: [usize; 3] = [0, 4, 10];

/// What a row's predictions take from other rows.
#[derive(Default)]
struct Outer {
    sum: Vec<f64>,
    weight: Vec<f64>,
    /// What its codes are expected from.
    near: Vec<u32>,
    curve: Vec<u32>,
}
