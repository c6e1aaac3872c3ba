//! Adaptive probabilities, and their mixture in the logistic domain (SPEC §7.3).
use super::states::{MIXED, copy};
use super::tables::{RECIPROCAL, squash, stretch};

/// An adaptive probability: 22 bits of probability of a one, 10 bits of how many bits were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter(u32);

impl Default for Counter {
    fn default() -> Counter {
        Counter::NEW
    }
}

impl Counter {
    /// Nothing seen: one and zero alike likely.
    pub const NEW: Counter = Counter(1 << 31);

    /// A counter that starts at probability `p16`/65536 as though it had seen `n` bits.
    pub const fn primed(p16: u32, n: u32) -> Counter {
        Counter((p16 << 16) | n)
    }

    /// Whether it has seen no bit.
    #[inline(always)]
    pub const fn unseen(self) -> bool {
        self.0 & 1023 == 0
    }

    /// The same probability, as though of `n` bits.
    #[inline(always)]
    pub const fn forgetting(self, n: u32) -> Counter {
        Counter(self.0 & !1023 | n)
    }

    /// How many bits it has seen.
    pub const fn seen(self) -> u32 {
        self.0 & 1023
    }

    /// Probability of a one in units of 2^-16.
    #[inline(always)]
    pub fn p16(self) -> u32 {
        (self.0 >> 16).clamp(1, 65535)
    }

    #[inline(always)]
    fn logit(self) -> i32 {
        stretch(self.0 >> 20)
    }

    /// Learns from a bit; the rate falls as 1/n down to that of `limit` bits seen.
    #[inline(always)]
    pub fn update(&mut self, bit: bool, limit: u32) {
        let n = self.0 & 1023;
        let p = i64::from(self.0 >> 10);
        let target = if bit { (1i64 << 22) - 1 } else { 0 };
        let p = p + (((target - p) * i64::from(RECIPROCAL[(n & 1023) as usize])) >> 16);
        self.0 = ((p as u32) << 10) | (n + u32::from(n < limit));
    }
}

/// Learning rates of the weights, in units of 2^-10: at the end, and what is added at the start.
const RATE_END: i32 = 6;
const RATE_START: i32 = 40;

/// Vectors that have seen fewer bits have not learned much.
const SETTLED: u16 = 64;

/// Room for logits: a whole register, the rest zero.
const LANES: usize = 8;

/// Mixes the logits of N counters with weights that learn online.
pub struct Mixer<const N: usize> {
    weights: Vec<[i32; LANES]>,
    seen: Vec<u16>,
}

/// What a mixer said, kept until the bit is known.
pub struct Mixed<const N: usize> {
    logits: [i32; LANES],
    /// Probability of a one in units of 2^-16.
    pub p1: u32,
}

impl<const N: usize> Mixer<N> {
    /// `sets` weight vectors, each starting at `start`/65536.
    pub fn new(sets: usize, start: i32) -> Self {
        Mixer { weights: vec![[start; LANES]; sets], seen: vec![0; sets] }
    }

    /// `sets` weight vectors that start at these values.
    pub fn starting(sets: usize, starts: [i32; N]) -> Self {
        let mut all = [0; LANES];
        all[..N].copy_from_slice(&starts);
        Mixer { weights: vec![all; sets], seen: vec![0; sets] }
    }

    /// Starts from these weights, but for vectors that are all 0, as though they had seen so many bits.
    pub fn prime(&mut self, weights: &[[i32; MIXED]], seen: u16) {
        for (k, from) in weights.iter().enumerate().take(self.weights.len()) {
            if from.iter().any(|&w| w != 0) {
                copy(&mut self.weights[k][..N], from);
                self.seen[k] = seen;
            }
        }
    }

    /// The first weights of every vector that has learned enough from bits; 0 for the others.
    pub fn learned(&self) -> Vec<[i32; MIXED]> {
        let of = |(w, &seen): (&[i32; LANES], &u16)| std::array::from_fn(|i| if seen >= SETTLED { w[i] } else { 0 });
        self.weights.iter().zip(&self.seen).map(of).collect()
    }

    /// Mixes these counters with weight vector `set`.
    #[inline(always)]
    pub fn mix(&self, set: usize, counters: &[Counter; N]) -> Mixed<N> {
        let mut logits = [0i32; LANES];
        let w = &self.weights[set];
        for i in 0..N {
            logits[i] = counters[i].logit();
        }
        let mut dot = 0i32;
        for i in 0..LANES {
            dot = dot.wrapping_add((w[i] >> 4).wrapping_mul(logits[i]));
        }
        Mixed { logits, p1: squash(dot >> 12) }
    }

    /// Moves weight vector `set` so that the bit becomes likelier.
    #[inline(always)]
    pub fn update(&mut self, set: usize, m: &Mixed<N>, bit: bool) {
        let seen = &mut self.seen[set];
        // A vector learns fast at first, then ever slower.
        let rate = RATE_END + i32::from(RATES[usize::from(*seen >> 3)]);
        *seen += u16::from(*seen < 1023);
        // Rounded, not floored: at the edge of certainty the smallest errors must not add up.
        let err = (((i32::from(bit) << 16) - m.p1 as i32) * rate + 32) >> 6;
        let w = &mut self.weights[set];
        for i in 0..LANES {
            w[i] = w[i].wrapping_add((m.logits[i] * err + 2048) >> 12);
        }
    }
}

/// What is added to a weight vector's rate after 8n bits.
static RATES: [u8; 128] = rates();

const fn rates() -> [u8; 128] {
    let mut table = [0u8; 128];
    let mut n = 0;
    while n < 128 {
        table[n] = (RATE_START * 8 / (8 + n as i32)) as u8;
        n += 1;
    }
    table
}
