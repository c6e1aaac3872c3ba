//! The encoder's way through a trellis: of all sequences of integers the one whose errors and bits cost least (A. J. Viterbi,
//! IEEE Trans. Inf. Theory 13, 1967).
//!
//! Nothing here is seen by a decoder.
use super::Geometry;
use super::trellis::{NEXT, STATES, State};
use super::wavelet_bands::Band;
use super::wavelet_probe::{KINDS, LEFT_OUT, Moved, Notes, Quantised, SYMBOLS, log2};
use super::wavelet_runs::{LEAST, RUN};
use crate::simd::{Kernel, widest};

/// What integers without a trellis tell of those with one counts as so many of a kind, and how often others count as seen.
const FIRST: f32 = 128.0;
const UNSEEN: f32 = 0.01;
/// The cost of what cannot be.
const NEVER: f32 = 1e30;
/// Integers from here on do not fit.
const LARGEST: f64 = 1e9;

/// For every state the two from which it is reached, and whether by an odd integer.
const BEFORE: [[(usize, usize); 2]; STATES] = {
    let mut all = [[(0, 0); 2]; STATES];
    let mut n = [0; STATES];
    let mut k = 0;
    while k < 2 * STATES {
        let to = NEXT[k / 2][k % 2] as usize;
        all[to][n[to]] = (k / 2, k % 2);
        n[to] += 1;
        k += 1;
    }
    all
};

/// A coefficient on the way: bit s tells by which of the two ways state s was reached; and for every quantiser and parity
/// the best magnitude, as a difference from the whole number below the value, or that it is 0.
#[derive(Clone, Copy)]
struct Coefficient {
    from: u8,
    best: [i8; 4],
}

/// In place of a difference: the magnitude is 0.
const ZERO: i8 = i8::MAX;

/// A run on the way: where it begins and how long it is; bit s tells that it is left out on the way to state s.
#[derive(Clone, Copy)]
struct Run {
    begin: usize,
    len: usize,
    left_out: u8,
    /// Whether its coefficients are on the way as well.
    visited: bool,
}

/// Coefficients, and what is known of their integers.
pub struct Trellis<'a> {
    g: &'a Geometry,
    bands: &'a [Band],
    coef: &'a [f64],
    notes: Notes,
    /// How often magnitudes were seen and what they cost in bits, by quantiser and kind.
    seen: [Vec<[f32; SYMBOLS]>; 2],
    bits: [Vec<[f32; SYMBOLS]>; 2],
    /// Which were seen since it was found what they cost.
    stale: [[bool; KINDS]; 2],
    coefficients: Vec<Coefficient>,
    runs: Vec<Run>,
}

impl<'a> Trellis<'a> {
    /// Of coefficients that were quantised without a trellis, to about the same error.
    pub fn new(g: &'a Geometry, bands: &'a [Band], coef: &'a [f64], notes: Notes) -> Trellis<'a> {
        let plain = |seen: &[f32; SYMBOLS]| {
            let scale = (FIRST / seen.iter().sum::<f32>()).min(1.0);
            seen.map(|n| n * scale + UNSEEN)
        };
        let plain: Vec<_> = notes.seen.iter().map(plain).collect();
        // Its steps lie half on one and half on the next, but 0 has only half of its own.
        let shifted = |seen: &[f32; SYMBOLS]| {
            let mut to = std::array::from_fn(|m| 0.5 * (seen[m] + if m > 0 { seen[m - 1] } else { 0.0 }));
            to[SYMBOLS - 1] += 0.5 * seen[SYMBOLS - 1];
            to
        };
        let shifted = plain.iter().map(shifted).collect();
        let bits = std::array::from_fn(|_| vec![[0.0; SYMBOLS]; KINDS]);
        let (coefficients, runs) = Default::default();
        let (seen, stale) = ([plain, shifted], [[true; KINDS]; 2]);
        let mut trellis = Trellis { g, bands, coef, notes, seen, bits, stale, coefficients, runs };
        trellis.refresh();
        trellis
    }

    fn refresh(&mut self) {
        let all = self.bits.iter_mut().flatten().zip(self.seen.iter().flatten());
        for ((bits, seen), stale) in all.zip(self.stale.iter_mut().flatten()) {
            if !std::mem::take(stale) {
                continue;
            }
            let all = log2(seen.iter().sum());
            for (m, (bits, &n)) in bits.iter_mut().zip(seen).enumerate() {
                let sign = if m > 0 { 1.0 } else { 0.0 };
                *bits = all - log2(n) + sign;
            }
        }
    }

    /// The integers of this step, where a bit is worth `worth` squared steps; how many bits they take is not told. What is
    /// seen of them serves the next call.
    pub fn quantise(&mut self, step: f64, worth: f64) -> Quantised {
        widest(Quantise { trellis: self, step, worth: worth as f32 })
    }
}

struct Quantise<'t, 'a> {
    trellis: &'t mut Trellis<'a>,
    step: f64,
    worth: f32,
}

impl Kernel for Quantise<'_, '_> {
    type Out = Quantised;
    #[inline(always)]
    fn run(self) -> Quantised {
        let Quantise { trellis: t, step, worth } = self;
        let mut found = Quantised { q: vec![0; t.coef.len()], ..Quantised::default() };
        let mut moved = Moved::default();
        for (k, band) in t.bands.iter().enumerate() {
            let inverse = 1.0 / (step * band.weight);
            if k == 0 {
                t.low(band, inverse, &mut found);
                continue;
            }
            let end = t.forward(band, inverse, worth);
            t.back(end, inverse, &mut found.q);
            t.look(band, inverse, &mut found, &mut moved);
            t.refresh();
        }
        let (shift, change) = moved.shifts();
        let distortion = (found.distortion + change) * step * step;
        Quantised { shift, distortion, ..found }
    }
}

impl Trellis<'_> {
    /// The low band, which is none of the trellis.
    fn low(&self, band: &Band, inverse: f64, found: &mut Quantised) {
        for i in band.rows(self.g).flat_map(|i| i..i + band.n[3]) {
            let t = self.coef[i] * inverse;
            let r = t.round();
            found.overflow |= r.is_nan() || r.abs() >= LARGEST;
            found.q[i] = r as i32;
            found.distortion += (t - r) * (t - r);
        }
    }

    /// All ways through a band; where the best one ends.
    #[inline(always)]
    fn forward(&mut self, band: &Band, inverse: f64, worth: f32) -> State {
        self.coefficients.clear();
        self.runs.clear();
        let width = band.n[3];
        let flagged = width >= LEAST;
        let mut cost = [NEVER; STATES];
        cost[0] = 0.0;
        for i0 in band.rows(self.g) {
            for x in (0..width).step_by(RUN) {
                let (begin, len) = (i0 + x, RUN.min(width - x));
                let zeros = |cost: &[f32; STATES]| {
                    let mut after = [NEVER; STATES];
                    for (s, &c) in cost.iter().enumerate() {
                        after[State::new(s).after_zeros(len).number()] = c;
                    }
                    after
                };
                if self.notes.kinds[begin] == LEFT_OUT {
                    if len % 4 > 0 {
                        cost = zeros(&cost);
                        self.runs.push(Run { begin, len, left_out: u8::MAX, visited: false });
                    }
                    continue;
                }
                let before = cost;
                let mut energy = 0.0;
                for i in begin..begin + len {
                    let magnitude = (self.coef[i] * inverse).abs();
                    energy += (magnitude * magnitude) as f32;
                    cost = self.visit(self.notes.kinds[i], magnitude, worth, &cost);
                }
                let mut left_out = 0;
                if flagged {
                    let held = worth * self.notes.held[begin];
                    for (s, (cost, zeros)) in cost.iter_mut().zip(zeros(&before)).enumerate() {
                        let (kept, left) = (*cost + held, zeros + energy);
                        left_out |= u8::from(left < kept) << s;
                        *cost = kept.min(left);
                    }
                }
                self.runs.push(Run { begin, len, left_out, visited: true });
                let least = cost.iter().fold(NEVER, |a, &b| a.min(b));
                cost.iter_mut().for_each(|c| *c -= least);
            }
        }
        let best = (0..STATES).min_by(|&a, &b| cost[a].total_cmp(&cost[b]));
        State::new(best.unwrap_or(0))
    }

    /// All ways over one coefficient of this magnitude, in steps.
    #[inline(always)]
    fn visit(&mut self, kind: u8, magnitude: f64, worth: f32, cost: &[f32; STATES]) -> [f32; STATES] {
        let kind = usize::from(kind) % KINDS;
        let below = magnitude.min(LARGEST).floor();
        let part = (magnitude - below) as f32;
        let below = below as i32;
        // By quantiser and parity.
        let mut least = [NEVER; 4];
        let mut best = [ZERO; 4];
        for shifted in 0..2 {
            let bits = &self.bits[shifted][kind];
            let zero = magnitude as f32;
            least[2 * shifted] = zero * zero + worth * bits[0];
            let half = 0.5 * shifted as f32;
            // The shifted one has points below its numbers.
            for d in shifted as i32 - 1..=shifted as i32 + 1 {
                let m = below + d;
                let e = part - (d as f32 - half);
                let c = e * e + worth * bits[(m.max(0) as usize).min(SYMBOLS - 1)];
                let k = 2 * shifted + (m & 1) as usize;
                if m > 0 && c < least[k] {
                    (least[k], best[k]) = (c, d as i8);
                }
            }
        }
        let mut to = [NEVER; STATES];
        let mut from = 0;
        for (s, before) in BEFORE.iter().enumerate() {
            let [one, other] = before.map(|(b, odd)| cost[b] + least[2 * (b & 1) + odd]);
            from |= u8::from(other < one) << s;
            to[s] = if other < one { other } else { one };
        }
        self.coefficients.push(Coefficient { from, best });
        to
    }

    /// The best way that ends there: its integers.
    #[inline(always)]
    fn back(&mut self, end: State, inverse: f64, q: &mut [i32]) {
        let mut s = end;
        for run in self.runs.iter().rev() {
            let n = self.coefficients.len() - if run.visited { run.len } else { 0 };
            if run.left_out >> s.number() & 1 == 1 {
                s = s.before_zeros(run.len);
                self.coefficients.truncate(n);
                continue;
            }
            for (k, c) in self.coefficients[n..].iter().enumerate().rev() {
                let (before, odd) = BEFORE[s.number()][usize::from(c.from >> s.number() & 1)];
                s = State::new(before);
                let value = self.coef[run.begin + k] * inverse;
                let d = c.best[2 * usize::from(s.shifted()) + odd];
                let m = if d == ZERO { 0 } else { value.abs().min(LARGEST).floor() as i32 + i32::from(d) };
                q[run.begin + k] = if value < 0.0 { -m } else { m };
            }
            self.coefficients.truncate(n);
        }
    }

    /// Looks at a band's integers: what errors they make, and how often magnitudes were seen.
    #[inline(always)]
    fn look(&mut self, band: &Band, inverse: f64, found: &mut Quantised, moved: &mut Moved) {
        let mut state = State::default();
        for i in band.rows(self.g).flat_map(|i| i..i + band.n[3]) {
            let (magnitude, q) = ((self.coef[i] * inverse).abs(), found.q[i]);
            let m = q.unsigned_abs();
            let e = magnitude - 0.5 * state.halves(i64::from(m)) as f64;
            found.overflow |= e.is_nan() || f64::from(m) >= LARGEST;
            found.distortion += e * e;
            if m > 0 {
                moved.add(f64::from(m), e);
                found.nonzero += 1.0;
            }
            let kind = self.notes.kinds[i];
            if kind != LEFT_OUT {
                let (shifted, kind) = (usize::from(state.shifted()), usize::from(kind) % KINDS);
                self.seen[shifted][kind][(m as usize).min(SYMBOLS - 1)] += 1.0;
                self.stale[shifted][kind] = true;
            }
            state = state.after(q);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wavelet_bands::bands;
    use super::*;

    /// A row of so many coefficients in one band behind a low band of as many, and what is known of them: all of one kind, in runs
    /// that it costs `held` bits more to keep.
    fn row(coef: &[f64], held: f32) -> (Geometry, Vec<Band>, Vec<f64>, Notes) {
        let g = Geometry::new(&[2, coef.len()]);
        let bands = bands(&g, [0, 0, 1, 0], 0);
        assert!(bands.len() == 2 && bands[1].offset == coef.len());
        let all: Vec<f64> = coef.iter().map(|_| 0.0).chain(coef.iter().map(|c| c * bands[1].weight)).collect();
        let mut seen = vec![[1.0; SYMBOLS]; KINDS];
        (seen[3][0], seen[3][1]) = (40.0, 20.0);
        let notes = Notes { kinds: vec![3; all.len()], held: vec![held; all.len()], seen };
        (g, bands, all, notes)
    }

    /// What a way costs, by the bits that the trellis has.
    fn cost(t: &Trellis<'_>, q: &[i32], coef: &[f64], worth: f64, held: f32) -> f64 {
        let (mut state, mut cost) = (State::default(), 0.0);
        let left_out = coef.len() >= LEAST && q.iter().all(|&q| q == 0);
        for (&q, c) in q.iter().zip(coef) {
            let point = 0.5 * state.halves(i64::from(q)) as f64;
            let bits = t.bits[usize::from(state.shifted())][3][q.unsigned_abs() as usize];
            cost += (c - point).powi(2) + if left_out { 0.0 } else { worth * f64::from(bits) };
            state = state.after(q);
        }
        cost + if coef.len() >= LEAST && !left_out { worth * f64::from(held) } else { 0.0 }
    }

    #[test]
    fn no_other_way_costs_less() {
        let mut seed = 5u64;
        let mut unit = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as f64 / (1u64 << 31) as f64
        };
        let (mut empty, mut all) = (0, 0);
        for round in 0..60 {
            let (n, height) = if round % 2 == 0 { (6, 3.0) } else { (8, 0.8) };
            let coef: Vec<f64> = (0..n).map(|_| height * (2.0 * unit() - 1.0)).collect();
            let (held, worth) = (2.0, 0.06);
            let (g, bands, values, notes) = row(&coef, held);
            let mut t = Trellis::new(&g, &bands, &values, notes);
            // What was seen changes what bits cost.
            let bits = t.bits.clone();
            let found = t.quantise(1.0, worth).q[n..].to_vec();
            t.bits = bits;
            let least = cost(&t, &found, &coef, worth, held);
            // All magnitudes near the values, or 0.
            let mut best = f64::INFINITY;
            for code in 0..4usize.pow(n as u32) {
                let way: Vec<i32> = (0..n)
                    .map(|i| {
                        let d = code / 4usize.pow(i as u32) % 4;
                        let m = (coef[i].abs().floor() as i32 + d as i32 - 1).max(0);
                        if coef[i] < 0.0 { -m } else { m }
                    })
                    .collect();
                best = best.min(cost(&t, &way, &coef, worth, held));
            }
            assert!(least <= best + 1e-4, "{least} {best} {found:?} {coef:?}");
            (empty, all) = (empty + usize::from(found.iter().all(|&q| q == 0)), all + 1);
        }
        assert!(empty > 0 && empty < all / 2, "{empty} of {all} are left out");
    }

    #[test]
    fn large_ones_are_met_and_too_large_ones_told() {
        for (height, fits) in [(1e8, true), (3e9, false), (f64::NAN, false)] {
            let coef = [height, -0.3 * height, 0.5, 0.0];
            let (g, bands, values, notes) = row(&coef, 0.0);
            let found = Trellis::new(&g, &bands, &values, notes).quantise(1.0, 0.06);
            assert_eq!(found.overflow, !fits, "{height}");
            assert!(!fits || found.distortion < 4.0, "{}", found.distortion);
        }
    }
}
