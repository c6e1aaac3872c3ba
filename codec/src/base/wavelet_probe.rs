//! The encoder's quantisation of coefficients for the least bytes at an error, and a quick estimate of those bytes.
//!
//! Nothing here is seen by a decoder.
use super::Geometry;
use super::wavelet::{Parameters, predict_low};
use super::wavelet_bands::Band;
use super::wavelet_coding::{CLASSES, Features, Visitor, class, walk};
use super::wavelet_runs::{LEAST, POSITIONS, RunCoder, RunContext};
use crate::entropy::Silence;
use crate::simd::{Kernel, widest};

/// Symbols of the rate model: magnitudes 0 to 14, and all above.
pub(super) const SYMBOLS: usize = 16;
/// Kinds of coefficients in the rate model: classes of what is expected, those in a run that held nothing yet last.
pub(super) const KINDS: usize = 2 * CLASSES as usize;
/// The kind of a coefficient in a run that is left out.
pub(super) const LEFT_OUT: u8 = u8::MAX;
/// Updates of a class between refreshes of its costs.
const REFRESH: u32 = 16;

/// What one quantisation gave.
#[derive(Clone, Debug, Default)]
pub struct Quantised {
    /// The integers, low band included.
    pub q: Vec<i32>,
    /// Estimated bits.
    pub bits: f64,
    /// Sum of squared errors that the coefficients' errors will make, about.
    pub distortion: f64,
    /// Where the values of magnitude 1 and of magnitudes ≥ 2 lie against it, on average, in units of 1/128 step.
    pub shift: [i8; 2],
    /// How many integers are not zero.
    pub nonzero: f64,
    /// Some integer did not fit.
    pub overflow: bool,
}

/// What is known of a chunk's coefficients once they are quantised.
#[derive(Default)]
pub(super) struct Notes {
    /// By coefficient.
    pub kinds: Vec<u8>,
    /// By the first coefficient of a run that holds something: bits that it takes more to tell that than to leave it out.
    pub held: Vec<f32>,
    /// What was seen, by kind.
    pub seen: Vec<[f32; SYMBOLS]>,
}

/// Where the magnitudes of integers 1 and ≥ 2 lie against their points, in steps.
#[derive(Clone, Copy, Default)]
pub(super) struct Moved([(f64, f64); 2]);

impl Moved {
    /// Of an integer of magnitude `m`.
    #[inline(always)]
    pub fn add(&mut self, m: f64, by: f64) {
        let r = &mut self.0[usize::from(m > 1.0)];
        r.0 += by;
        r.1 += 1.0;
    }

    /// The shifts of points that suit best, and what they change in the sum of squared errors.
    pub fn shifts(&self) -> ([i8; 2], f64) {
        let mut change = 0.0;
        let shifts = self.0.map(|(sum, n)| {
            let shift = if n > 0.0 { (sum / n * 128.0).round().clamp(-64.0, 64.0) } else { 0.0 };
            let s = shift / 128.0;
            change += n * s * s - 2.0 * s * sum;
            shift as i8
        });
        (shifts, change)
    }
}

struct Probe<'a> {
    g: &'a Geometry,
    coef: &'a [f64],
    q: Vec<i32>,
    inverse: f64,
    base: f64,
    step: f64,
    low: bool,
    flagged: bool,
    runs: RunCoder,
    /// When the run began: bits, errors, shifts, integers that are not zero; its energy, and more bits if it is not zero.
    start: (f64, [f64; 3], Moved, f64),
    zeroed: (f64, f64),
    lambda: f64,
    count: Vec<[f32; SYMBOLS]>,
    total: Vec<f32>,
    cost: Vec<[f32; SYMBOLS]>,
    since: Vec<u32>,
    bits: f64,
    sum: [f64; 3],
    shift: Moved,
    overflow: bool,
    nonzero: f64,
    /// Where all this is noted, if it is wanted.
    notes: Option<Notes>,
}

/// About log2 of a positive normal number, within 2·10⁻⁵: 1 + u = its significand.
#[inline(always)]
pub(super) fn log2(x: f32) -> f32 {
    const SERIES: [f32; 6] = [0.043_005, -0.187_488_6, 0.409_470_3, -0.706_486_4, 1.441_492_4, 0.000_016_5];
    let bits = x.to_bits();
    let u = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000) - 1.0;
    let mut fraction = 0.0;
    for c in SERIES {
        fraction = fraction * u + c;
    }
    fraction + ((bits >> 23) as i32 - 127) as f32
}

/// The largest magnitude, and the sum of squares.
#[inline(always)]
fn extent(row: &[f64]) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut largest, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
    let mut add = |k: usize, c: f64| {
        largest[k] = if c.abs() > largest[k] { c.abs() } else { largest[k] };
        squares[k] += c * c;
    };
    let (whole, rest) = row.as_chunks::<LANES>();
    for c in whole {
        (0..LANES).for_each(|k| add(k, c[k]));
    }
    rest.iter().enumerate().for_each(|(k, &c)| add(k, c));
    (largest.into_iter().fold(0.0, f64::max), squares.into_iter().sum())
}

impl Probe<'_> {
    fn refresh(&mut self, k: usize) {
        let total = log2(self.total[k]);
        for (c, &n) in self.cost[k].iter_mut().zip(&self.count[k]) {
            *c = total - log2(n);
        }
        self.since[k] = 0;
    }
}

impl Visitor for Probe<'_> {
    #[inline(always)]
    fn band(&mut self, band: &Band, index: usize, _group: &[Band]) -> bool {
        self.step = self.base * band.weight;
        self.inverse = 1.0 / self.step;
        self.low = index == 0;
        self.flagged = band.n[3] >= LEAST;
        self.zeroed = (0.0, 0.0);
        self.bits += 0.5;
        if index == 0 {
            return true;
        }
        let limit = 0.5 * self.step;
        let g = self.g;
        let mut energy = 0.0;
        for a in 0..band.n[0] {
            for b in 0..band.n[1] {
                for y in 0..band.n[2] {
                    let i = band.offset + a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                    let (largest, squares) = extent(&self.coef[i..i + band.n[3]]);
                    if largest >= limit {
                        return true;
                    }
                    energy += squares;
                }
            }
        }
        self.sum[0] += energy * self.inverse * self.inverse;
        false
    }

    #[inline(always)]
    fn run(&mut self, i: usize, n: usize, context: &RunContext) -> bool {
        let limit = 0.5 * self.step;
        let (largest, squares) = extent(&self.coef[i..i + n]);
        let some = largest >= limit;
        let p = self.runs.code(&mut Silence, some, context).1 as f32;
        let (one, zero) = (f64::from(16.0 - log2(p)), f64::from(16.0 - log2(65536.0 - p)));
        let energy = squares * self.inverse * self.inverse;
        if !some {
            self.bits += zero;
            self.sum[0] += energy;
            return false;
        }
        self.bits += zero;
        self.start = (self.bits, self.sum, self.shift, self.nonzero);
        self.zeroed = (energy, one - zero);
        if let Some(notes) = &mut self.notes {
            notes.held[i] = (one - zero) as f32;
        }
        true
    }

    /// Makes the run zero if it is not worth its bits.
    #[inline(always)]
    fn end(&mut self, i: usize, codes: &mut [i16]) {
        let (bits, sum, shift, nonzero) = self.start;
        self.bits += self.zeroed.1;
        if self.low || !self.flagged || self.nonzero - nonzero > 3.0 {
            return;
        }
        let error = |s: &[f64; 3]| s[0] + s[1] + s[2];
        let cost = error(&self.sum) - error(&sum) + self.lambda * (self.bits - bits);
        if self.zeroed.0 <= cost {
            (self.bits, self.sum, self.shift, self.nonzero) = (bits, sum, shift, nonzero);
            self.sum[0] += self.zeroed.0;
            codes.fill(0);
            self.q[i..i + codes.len()].fill(0);
            if let Some(notes) = &mut self.notes {
                notes.kinds[i..i + codes.len()].fill(LEFT_OUT);
            }
        }
    }

    #[inline(always)]
    fn point(&mut self, i: usize, f: &Features) -> i16 {
        let t = self.coef[i] * self.inverse;
        if self.low {
            let r = t.round();
            self.overflow |= r.is_nan() || r.abs() >= 1e9;
            self.q[i] = r as i32;
            self.sum[0] += (t - r) * (t - r);
            let d = i64::from(self.q[i]) - predict_low(&self.q, self.g, f.before, i);
            self.bits += 2.0 * ((d.unsigned_abs() + 1) as f64).log2() + 1.0;
            return d.clamp(-32767, 32767) as i16;
        }
        let k = (class(f.expected) + if f.place < POSITIONS - 1 { CLASSES } else { 0 }) as usize;
        if let Some(notes) = &mut self.notes {
            notes.kinds[i] = k as u8;
        }
        let mag = t.abs();
        let hi = (mag + 0.5).floor();
        let mut m = hi;
        if hi >= 1.0 {
            self.overflow |= hi.is_nan() || hi >= 1e9;
            let cost = &self.cost[k];
            let s = (hi as usize).min(SYMBOLS - 1);
            let sign = if hi == 1.0 { 1.0 } else { 0.0 };
            let up = (mag - hi) * (mag - hi) + self.lambda * f64::from(cost[s] + sign);
            let down = (mag - hi + 1.0) * (mag - hi + 1.0) + self.lambda * f64::from(cost[s - 1]);
            if s < SYMBOLS - 1 && down < up {
                m = hi - 1.0;
            }
        }
        let s = (m as usize).min(SYMBOLS - 1);
        let mut bits = self.cost[k][s];
        if s > 0 {
            bits += 1.0;
            if s == SYMBOLS - 1 {
                bits += 2.0 * ((m - 13.0) as f32).log2();
            }
            self.shift.add(m, mag - m);
            self.nonzero += 1.0;
        }
        self.bits += f64::from(bits);
        self.sum[s.min(2)] += (mag - m) * (mag - m);
        self.count[k][s] += 1.0;
        self.total[k] += 1.0;
        self.since[k] += 1;
        if self.since[k] >= REFRESH.min(1 + self.total[k] as u32 / 8) {
            self.refresh(k);
        }
        let q = if t < 0.0 { -(m as i32) } else { m as i32 };
        self.q[i] = q;
        q.clamp(-32767, 32767) as i16
    }
}

struct Walk<'a, 'b>(&'a mut Probe<'b>, &'a [Band]);

impl Kernel for Walk<'_, '_> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let mut codes = vec![0i16; self.0.coef.len()];
        let g = self.0.g;
        walk(self.0, g, self.1, &mut codes);
    }
}

/// Quantises the coefficients `coef` for the parameters' step and λ.
pub fn quantise(g: &Geometry, p: &Parameters, bands: &[Band], coef: &[f64]) -> Quantised {
    probe(g, p, bands, coef, None).0
}

/// The same, and what it noted.
pub(super) fn noted(g: &Geometry, p: &Parameters, bands: &[Band], coef: &[f64]) -> (Quantised, Notes) {
    let (kinds, held) = (vec![LEFT_OUT; coef.len()], vec![0.0; coef.len()]);
    probe(g, p, bands, coef, Some(Notes { kinds, held, seen: vec![] }))
}

fn probe(g: &Geometry, p: &Parameters, bands: &[Band], coef: &[f64], notes: Option<Notes>) -> (Quantised, Notes) {
    let mut probe = Probe {
        g,
        coef,
        q: vec![0; coef.len()],
        inverse: 1.0,
        base: p.step,
        step: 1.0,
        low: false,
        flagged: false,
        runs: RunCoder::new(None),
        start: Default::default(),
        zeroed: (0.0, 0.0),
        lambda: p.lambda,
        count: Vec::new(),
        total: Vec::new(),
        cost: Vec::new(),
        since: vec![0; KINDS],
        bits: 0.0,
        sum: [0.0; 3],
        shift: Moved::default(),
        overflow: false,
        nonzero: 0.0,
        notes,
    };
    for k in 0..KINDS {
        let class = k % CLASSES as usize;
        // Before anything is seen: geometric with a mean near the class's expected magnitude.
        let mean = (if class < 4 {
            class as f32
        } else {
            (2u32 << (class / 2 - 1)) as f32 * if class % 2 == 1 { 1.5 } else { 1.0 }
        } / 16.0)
            * 0.8
            + 0.02;
        let ratio = mean / (1.0 + mean);
        let mut count = [0.0; SYMBOLS];
        let mut left = 4.0f32;
        for c in count.iter_mut() {
            *c = left * (1.0 - ratio) + 0.005;
            left *= ratio;
        }
        count[SYMBOLS - 1] += left;
        probe.total.push(count.iter().sum());
        probe.count.push(count);
        probe.cost.push([0.0; SYMBOLS]);
        probe.refresh(k);
    }
    widest(Walk(&mut probe, bands));
    let (shift, change) = probe.shift.shifts();
    let distortion = probe.sum.iter().sum::<f64>() + change;
    let found = Quantised {
        q: probe.q,
        bits: probe.bits,
        distortion: distortion * p.step * p.step,
        shift,
        nonzero: probe.nonzero,
        overflow: probe.overflow,
    };
    let notes = probe.notes.unwrap_or_default();
    (found, Notes { seen: probe.count, ..notes })
}

#[cfg(test)]
mod tests {
    #[test]
    fn logarithms_are_close() {
        for i in 1..100_000 {
            let x = 0.003 * i as f32;
            assert!((super::log2(x) - x.log2()).abs() < 4e-5, "{x}");
        }
    }
}
