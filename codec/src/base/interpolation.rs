//! Multi-level interpolation: coarse to fine, axis by axis, each new point predicted from points already decoded (SPEC §6.2).
use super::Geometry;
use super::quantiser::Quantiser;
use crate::entropy::{BitCoder, Magnitude, ResidualCoder, log_class};

/// Contexts of the full mix.
pub const CONTEXTS: usize = 6;
const LEVELS: u32 = 48;

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
    coder: ResidualCoder<N>,
}

struct Pass {
    axis: usize,
    level: u32,
    s: usize,
    start: [usize; 4],
    step: [usize; 4],
}

impl<'a, const N: usize> Run<'a, N> {
    pub fn new(
        g: Geometry,
        p: &'a Parameters,
        quant: Quantiser,
        values: &'a mut [f64],
        mask: Option<&'a [bool]>,
    ) -> Self {
        let coder = ResidualCoder::new(
            std::array::from_fn(|i| [48, 768, 768, 48 * 32, 768, 4096][if N == 1 { 1 } else { i }]),
            48,
        );
        let codes = vec![0; g.len()];
        Run { g, p, quant, values, mask, codes, coder }
    }

    /// Levels of refinement.
    fn levels(&self) -> u32 {
        let widest = self.p.order.iter().map(|&a| self.g.n[a as usize]).max().unwrap_or(1);
        usize::BITS - (widest - 1).leading_zeros()
    }

    /// Codes (or decodes) all points; `values` then holds the reconstruction.
    pub fn run<C: BitCoder>(mut self, c: &mut C) {
        let levels = self.levels();
        self.anchors(c, levels);
        let base = self.quant;
        for level in (1..=levels).rev() {
            self.quant = base.refined(self.p.alpha, self.p.beta, level);
            let s = 1usize << (level - 1);
            for k in 0..self.p.order.len() {
                let axis = self.p.order[k] as usize;
                if self.g.n[axis] <= s {
                    continue;
                }
                let mut pass = Pass { axis, level, s, start: [0; 4], step: [1; 4] };
                for (j, &a) in self.p.order.iter().enumerate() {
                    pass.step[a as usize] = if j < k { s } else { 2 * s };
                }
                pass.start[axis] = s;
                self.pass(c, &pass);
            }
        }
    }

    /// The points that no axis of the order reaches: coded as differences along the array.
    fn anchors<C: BitCoder>(&mut self, c: &mut C, levels: u32) {
        self.quant = self.quant.refined(self.p.alpha, self.p.beta, levels.max(1));
        let active: Vec<bool> = (0..4).map(|a| self.p.order.contains(&(a as u8))).collect();
        let n: [usize; 4] = std::array::from_fn(|a| if active[a] { 1 } else { self.g.n[a] });
        let mut last = 0.0;
        let mut slot = 0;
        for a in 0..n[0] {
            for b in 0..n[1] {
                for y in 0..n[2] {
                    for x in 0..n[3] {
                        let i = a * self.g.stride[0] + b * self.g.stride[1] + y * self.g.stride[2] + x;
                        let m = Magnitude { slots: [slot; N], start: slot.saturating_sub(8), set: 0, sign: [0; 3] };
                        let q = self.point(c, i, last, &m);
                        slot = log_class(q.unsigned_abs() * 16).min(LEVELS - 1);
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

    fn pass<C: BitCoder>(&mut self, c: &mut C, pass: &Pass) {
        let Pass { axis: d, s, start, step, .. } = *pass;
        let g = self.g;
        let stride = s * g.stride[d];
        let nd = g.n[d];
        for a in (start[0]..g.n[0]).step_by(step[0]) {
            for b in (start[1]..g.n[1]).step_by(step[1]) {
                for y in (start[2]..g.n[2]).step_by(step[2]) {
                    let row = a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                    let at = [a, b, y];
                    for x in (start[3]..g.n[3]).step_by(step[3]) {
                        let i = row + x;
                        let along = if d == 3 { x } else { at[d] };
                        let h1 = along + s < nd;
                        let h0 = along >= 3 * s;
                        let h3 = along + 3 * s < nd;
                        let v = &self.values;
                        let v1 = v[i - stride];
                        let m1 = self.codes[i - stride].unsigned_abs() as u32;
                        let (v2, m2) =
                            if h1 { (v[i + stride], self.codes[i + stride].unsigned_abs() as u32) } else { (v1, m1) };
                        let v0 = if h0 { v[i - 3 * stride] } else { 0.0 };
                        let v3 = if h3 { v[i + 3 * stride] } else { 0.0 };
                        let p = if h1 {
                            if self.p.linear {
                                0.5 * (v1 + v2)
                            } else if h0 && h3 {
                                (9.0 * (v1 + v2) - (v0 + v3)) * 0.0625
                            } else if h0 {
                                (6.0 * v1 + 3.0 * v2 - v0) * 0.125
                            } else if h3 {
                                (3.0 * v1 + 6.0 * v2 - v3) * 0.125
                            } else {
                                0.5 * (v1 + v2)
                            }
                        } else if h0 {
                            1.5 * v1 - 0.5 * v0
                        } else {
                            v1
                        };
                        let grad = (v1 - v2).abs();
                        let curve = if h0 && h3 { ((v0 + v3) - (v1 + v2)).abs() } else { grad };
                        let grad = self.quant.sixteenths(grad);
                        let curve = self.quant.sixteenths(curve);
                        // Causal neighbours of the same pass.
                        let q = &self.codes;
                        let w = if x >= start[3] + step[3] { q[i - step[3]] } else { 0 };
                        let n = if y >= start[2] + step[2] { q[i - step[2] * g.stride[2]] } else { 0 };
                        let t = if b >= start[1] + step[1] { q[i - step[1] * g.stride[1]] } else { 0 };
                        let u = if a >= start[0] + step[0] { q[i - step[0] * g.stride[0]] } else { 0 };
                        let ne = if y >= start[2] + step[2] && x + step[3] < g.n[3] {
                            q[i - step[2] * g.stride[2] + step[3]]
                        } else {
                            0
                        };
                        let ts = if b >= start[1] + step[1] && y + step[2] < g.n[2] {
                            q[i - step[1] * g.stride[1] + step[2] * g.stride[2]]
                        } else {
                            0
                        };
                        let aw = w.unsigned_abs() as u32;
                        let an = n.unsigned_abs() as u32;
                        let at_ = t.unsigned_abs() as u32;
                        let au = u.unsigned_abs() as u32;
                        let near =
                            16 * (aw + an + at_ + au) + 8 * (ne.unsigned_abs() as u32 + ts.unsigned_abs() as u32);
                        let inter = 16 * (m1 + m2);
                        let dims = 2 + u32::from(g.n[1] > 1);
                        // Expected magnitude in sixteenths.
                        let e = (near as u64 * 10 + inter as u64 * 7 + curve as u64 * 3) / (10 * dims as u64 + 7);
                        let kk = log_class(e).min(LEVELS - 1);
                        let k1 = log_class((near / dims) as u64).min(LEVELS - 1);
                        let k2 = log_class(inter as u64 / 2).min(LEVELS - 1);
                        let k3 = log_class(curve as u64).min(LEVELS - 1);
                        let k4 = log_class(grad as u64).min(LEVELS - 1);
                        let lv = pass.level.min(4);
                        let start_class = log_class((e * 10) >> 8).min(LEVELS - 1);
                        let rel = |k: u32| (k + 8).saturating_sub(kk).min(15);
                        let slots_all = [
                            kk,
                            kk * 16 + rel(k1),
                            kk * 16 + rel(k2),
                            (kk * 8 + lv) * 4 + d as u32,
                            kk * 16 + rel(k3),
                            if start_class < 3 {
                                ((aw.min(4) * 5 + an.min(4)) * 5 + at_.min(4)) * 3 + start_class
                            } else {
                                1024 + kk * 16 + rel(k4)
                            },
                        ];
                        let sg = |v: i16| (v.signum() + 1) as u32;
                        let sc = sg(w) * 9 + sg(n) * 3 + sg(t);
                        let m = Magnitude {
                            slots: std::array::from_fn(|j| slots_all[if N == 1 { 1 } else { j }]),
                            start: start_class,
                            set: kk,
                            sign: [
                                sc * 4 + d as u32,
                                (lv * 27 + sc) * 9
                                    + sg(self.codes[i - stride]) * 3
                                    + if h1 { sg(self.codes[i + stride]) } else { 1 },
                                0,
                            ],
                        };
                        self.point(c, i, p, &m);
                    }
                }
            }
        }
    }
}
