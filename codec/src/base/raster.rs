//! Raster-order prediction: each point from a fitted combination of causal neighbours, in C order (SPEC §6.3).
//!
//! With its fixed weights it is the Lorenzo predictor; fitted ones take in noise, oscillation and anisotropy.
use super::Geometry;
use super::contexts::{SETS, Surroundings, slots};
use super::least_squares::NormalEquations;
use super::quantiser::Quantiser;
use crate::entropy::{BitCoder, ResidualCoder};

/// Neighbours that a prediction may use.
pub const TAPS: usize = 24;
/// Points that a fit looks at, at most about.
const FIT_POINTS: usize = 40_000;
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
}

/// One run over a chunk.
pub struct Run<'a, const N: usize> {
    g: Geometry,
    quant: Quantiser,
    values: &'a mut [f64],
    mask: Option<&'a [bool]>,
    codes: Vec<i16>,
    weights: [f64; TAPS],
    flat: [isize; TAPS],
    coder: ResidualCoder<N>,
}

impl<'a, const N: usize> Run<'a, N> {
    pub fn new(g: Geometry, quant: Quantiser, values: &'a mut [f64], mask: Option<&'a [bool]>) -> Self {
        let flat = OFFSETS.map(|o| (0..4).map(|a| o[a] as isize * g.stride[a] as isize).sum());
        Run {
            g,
            quant,
            values,
            mask,
            codes: vec![0; g.len()],
            weights: [0.0; TAPS],
            flat,
            coder: ResidualCoder::new(slots::<N>(), SETS),
        }
    }

    /// Codes (or decodes) all points in C order.
    pub fn run<C: BitCoder>(mut self, c: &mut C, weights: Weights) {
        match weights {
            Weights::Fitted => self.fit(c),
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
        for a in 0..g.n[0] {
            for b in 0..g.n[1] {
                for y in 0..g.n[2] {
                    self.row(c, [a, b, y]);
                }
            }
        }
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

    /// The value that all taps are taken relative to: the nearest causal neighbour there is.
    #[inline(always)]
    fn anchor(&self, at: [usize; 3], x: usize, i: usize) -> f64 {
        if x > 0 {
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
    #[inline(always)]
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

    fn fit<C: BitCoder>(&mut self, c: &mut C) {
        let mut w = [0i32; TAPS];
        if !C::DECODING {
            let mut eq = NormalEquations::<TAPS>::new();
            let g = self.g;
            let rows = g.n[0] * g.n[1] * g.n[2];
            let thin = (self.values.len() / FIT_POINTS).clamp(1, rows.div_ceil(8).max(1));
            for r in (thin / 2..rows).step_by(thin) {
                let at = [r / (g.n[1] * g.n[2]), r / g.n[2] % g.n[1], r % g.n[2]];
                let ok = self.row_taps(at);
                for x in 0..g.n[3] {
                    let i = r * g.n[3] + x;
                    if self.mask.is_some_and(|m| m[i]) {
                        continue;
                    }
                    let anchor = self.anchor(at, x, i);
                    eq.add(&self.taps(&ok, x, i, anchor), self.values[i] - anchor);
                }
            }
            let noise = self.quant.variance();
            eq.add_noise(&[noise; TAPS]);
            eq.add_shared_noise(noise);
            w = eq.solve().map(|w| (w / WEIGHT_UNIT).round().clamp(-32768.0, 32767.0) as i32);
        }
        for k in 0..TAPS {
            w[k] = c.raw((w[k] + 32768) as u32, 16) as i32 - 32768;
            self.weights[k] = f64::from(w[k]) * WEIGHT_UNIT;
        }
    }

    fn row<C: BitCoder>(&mut self, c: &mut C, at: [usize; 3]) {
        let g = self.g;
        let ok = self.row_taps(at);
        let row = at[0] * g.stride[0] + at[1] * g.stride[1] + at[2] * g.stride[2];
        let dims = 2 + u32::from(g.n[1] > 1);
        for x in 0..g.n[3] {
            let i = row + x;
            let anchor = self.anchor(at, x, i);
            let f = self.taps(&ok, x, i, anchor);
            // Four sums, so that the order is fixed and short chains remain.
            let mut sum = [0.0; 4];
            for k in (0..TAPS).step_by(4) {
                for j in 0..4 {
                    sum[j] += self.weights[k + j] * f[k + j];
                }
            }
            let p = self.quant.snap(anchor + ((sum[0] + sum[1]) + (sum[2] + sum[3])));
            if self.mask.is_some_and(|m| m[i]) {
                self.values[i] = p;
                continue;
            }
            let q = &self.codes;
            let has = [x > 0, at[2] > 0, at[1] > 0, at[0] > 0];
            let pick = |ok: bool, o: usize| if ok { q[i - o] } else { 0 };
            let hood = Surroundings {
                back: [
                    pick(has[0], 1),
                    pick(has[1], g.stride[2]),
                    pick(has[2], g.stride[1]),
                    pick(has[3], g.stride[0]),
                ],
                diagonal: [
                    if has[1] && x + 1 < g.n[3] { q[i - g.stride[2] + 1] } else { 0 },
                    pick(has[2] && at[2] + 1 < g.n[2], g.stride[1] - g.stride[2]),
                ],
                dims,
                parents: [pick(x > 1, 2), pick(has[0] && has[1], g.stride[2] + 1)],
                // How much the neighbours differ: along the row above, and from the row above to this one.
                curve: self.quant.fine((f[1] - f[3]).abs()),
                grad: self.quant.fine((f[2]).abs().max((f[1] - f[2]).abs())),
                level: 0,
                axis: 0,
            };
            let v = if C::DECODING { 0 } else { self.quant.quantise(self.values[i], p) };
            let v = self.coder.code(c, v, &hood.magnitude());
            self.values[i] = self.quant.reconstruct(p, v);
            self.codes[i] = v.clamp(-32767, 32767) as i16;
        }
    }
}
