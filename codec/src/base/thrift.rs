//! The encoder's thrift under a bound on the mean error: a code nearer to zero is taken where the bits that this saves are worth
//! the error that it makes. Decoders see nothing of it.
use super::quantiser::Quantiser;
use super::wavelet_probe::log2;

/// Kinds of neighbourhoods that codes tell of; those that a network's scales tell of follow.
const BY_CODES: usize = 16;
const SCALES: usize = 64;
/// The kind of what has no neighbourhood.
pub const ANCHOR: usize = BY_CODES - 1;
/// What a new kind counts as having seen, and the number of codes after which what was seen is halved.
const FIRST: f32 = 8.0;
const MEMORY: f32 = 4096.0;
/// Codes of a kind between two looks at what they cost.
const REFRESH: u32 = 16;
/// The part that bits of levels but the finest are worth: others are predicted from what they leave.
const COARSE: f64 = 0.5;
/// The furthest that a threshold moves, in steps.
const FURTHEST: f64 = 0.4;

/// The kind of a neighbourhood: by the codes before and above, or by a network's scale if that is not 0.
#[inline(always)]
pub fn kind(before: i16, above: i16, scale: u8) -> usize {
    if scale > 0 {
        return BY_CODES + usize::from(scale).min(SCALES - 1);
    }
    let [before, above] = [before, above].map(|q| usize::from(q.unsigned_abs().min(8)));
    (2 * before + above).min(BY_CODES - 1)
}

/// The code of value `x` with prediction `p` (encoder): the nearest, or the one that thrift takes and notes.
#[inline(always)]
pub fn code(thrift: &mut Option<Thrift>, quant: &Quantiser, kind: usize, x: f64, p: f64) -> i64 {
    match thrift {
        Some(thrift) => thrift.code(kind, quant.steps(x, p)),
        None => quant.quantise(x, p),
    }
}

/// What was seen of codes, by kinds.
pub struct Thrift {
    worth: f64,
    /// The part of it that a bit is worth here.
    part: f64,
    kinds: Vec<Kind>,
}

/// Of one kind: how many codes were 0, ±1 and beyond, and how far that moves the thresholds of 1 and of those beyond, in steps.
#[derive(Clone, Copy)]
struct Kind {
    seen: [f32; 3],
    moved: [f64; 2],
    since: u32,
}

impl Thrift {
    /// Where a bit is worth so much, in squared steps; none where it is worth nothing.
    pub fn new(worth: f64) -> Option<Thrift> {
        let kinds = || (0..BY_CODES + SCALES).map(|k| Kind::new(expected(k), worth)).collect();
        (worth > 0.0).then(|| Thrift { worth, part: 1.0, kinds: kinds() })
    }

    /// For the codes of this level of interpolation, 1 the finest.
    pub fn at_level(&mut self, level: u32) {
        self.part = if level > 1 { COARSE } else { 1.0 };
    }

    /// The code of what is so many steps from its prediction.
    #[inline(always)]
    pub fn nearest(&self, kind: usize, steps: f64) -> i64 {
        let magnitude = steps.abs();
        let moved = self.kinds[kind].moved[usize::from(magnitude >= 1.5)];
        let q = (magnitude + (0.5 - self.part * moved)) as i64;
        if steps < 0.0 { -q } else { q }
    }

    /// The same of a point that is coded, and noted.
    #[inline(always)]
    pub fn code(&mut self, kind: usize, steps: f64) -> i64 {
        let q = self.nearest(kind, steps);
        let k = &mut self.kinds[kind];
        k.seen[q.unsigned_abs().min(2) as usize] += 1.0;
        k.since += 1;
        if k.since >= REFRESH {
            k.refresh(self.worth);
        }
        q
    }
}

/// Quarters of an octave.
const QUARTERS: [f32; 4] = [1.0, 1.189_207_1, std::f32::consts::SQRT_2, 1.681_792_8];

/// The mean magnitude that a kind tells of before anything is seen of it.
fn expected(kind: usize) -> f32 {
    match kind.checked_sub(BY_CODES) {
        None => 0.3 * kind as f32 + 0.1,
        // A quarter of an octave each, from 1/16 step on (SPEC §8.8).
        Some(scale) => QUARTERS[scale % 4] * (1u32 << (scale / 4)) as f32 / 16.0,
    }
}

impl Kind {
    /// One of this mean magnitude: as if it were of a geometric distribution.
    fn new(mean: f32, worth: f64) -> Kind {
        let more = mean / (1.0 + mean);
        let shares = [1.0 - more, more * (1.0 - more), more * more];
        let mut kind = Kind { seen: shares.map(|p| FIRST * p + 0.05), moved: [0.0; 2], since: 0 };
        kind.refresh(worth);
        kind
    }

    fn refresh(&mut self, worth: f64) {
        let [zero, one, more] = self.seen;
        // What 1 takes more than 0, its sign included, and what every further one takes.
        let bits = [log2(zero) - log2(one) + 1.0, log2(one + more) - log2(more)];
        self.moved = bits.map(|bits| (0.5 * worth * f64::from(bits)).clamp(0.0, FURTHEST));
        self.since = 0;
        if zero + one + more > MEMORY {
            self.seen = self.seen.map(|n| 0.5 * n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of two-sided exponential noise of this mean magnitude.
    fn noise(mean: f64) -> Vec<f64> {
        let mut seed = 7u64;
        let mut unit = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((seed >> 33) as f64 + 0.5) / (1u64 << 31) as f64
        };
        (0..20_000).map(|_| -mean * unit().ln() * if unit() < 0.5 { -1.0 } else { 1.0 }).collect()
    }

    /// Squared error and bits of each, by what these codes' shares say.
    fn spent(steps: &[f64], codes: &[i64]) -> (f64, f64) {
        let n = codes.len() as f64;
        let error: f64 = steps.iter().zip(codes).map(|(t, &q)| (t - q as f64).powi(2)).sum();
        let mut counts = std::collections::BTreeMap::new();
        codes.iter().for_each(|q| *counts.entry(q).or_insert(0.0) += 1.0);
        let bits: f64 = counts.values().map(|k| -k * f64::log2(k / n)).sum();
        (error / n, bits / n)
    }

    #[test]
    fn what_is_saved_is_worth_the_error() {
        for mean in [0.15, 0.4, 1.0, 3.0] {
            let steps = noise(mean);
            let mut thrift = Thrift::new(0.1).unwrap();
            let thrifty: Vec<i64> = steps.iter().map(|&t| thrift.code(kind(0, 0, 0), t)).collect();
            let rounded: Vec<i64> = steps.iter().map(|t| t.round() as i64).collect();
            for (t, q) in rounded.iter().zip(&thrifty) {
                assert!(q.abs() <= t.abs() && q.abs() >= t.abs() - 1 && q * t >= 0, "{q} for {t}");
            }
            let ((e, b), (error, bits)) = (spent(&steps, &thrifty), spent(&steps, &rounded));
            assert!(b < bits && e > error, "{mean}");
            assert!(e + 0.1 * b < error + 0.1 * bits, "{mean}: {e} {b}, {error} {bits}");
        }
    }

    #[test]
    fn where_bits_are_worth_nothing_or_less_is_known_codes_are_the_nearest() {
        assert!(Thrift::new(0.0).is_none());
        let mut thrift = Thrift::new(0.1).unwrap();
        let far = |thrift: &Thrift| (0..120).map(|k| 0.5 + 0.004 * f64::from(k)).find(|t| thrift.nearest(3, *t) > 0);
        let before = far(&thrift);
        (0..1000).for_each(|_| assert_eq!(thrift.code(3, 0.1), 0));
        assert!(far(&thrift) > before, "what is rare takes many bits");
        thrift.at_level(2);
        assert!(far(&thrift) > before && far(&thrift) < Some(0.5 + FURTHEST));
    }

    #[test]
    fn kinds_are_all_there() {
        let thrift = Thrift::new(0.1).unwrap();
        for (before, above, scale) in [(0, 0, 0), (i16::MIN, i16::MAX, 0), (0, 0, 1), (3, 3, 255)] {
            assert_eq!(thrift.nearest(kind(before, above, scale), -2.0), -2);
        }
    }
}
