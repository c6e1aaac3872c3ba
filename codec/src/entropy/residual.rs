//! Codes one integer: its class of magnitude against an expected one, its sign, its mantissa (SPEC §7.4).
use super::bits::BitCoder;
use super::mixer::{Counter, Mixer};
use super::states::States;

/// Bins of one context: the first comparison, 15 steps up, 16 steps down.
const BINS: usize = 32;
/// Classes of magnitude: 0, 1, 2, 3, then two an octave up to 2^31.
pub const CLASSES: u32 = 62;
/// Magnitudes from here on are escaped: sent as 64 raw bits.
pub const ESCAPE: u64 = 1 << 31;
/// Contexts of a magnitude.
pub const CONTEXTS: usize = 6;
/// Contexts of the sign.
pub const SIGN_CONTEXTS: usize = 3;
const SIGN_SLOTS: usize = 1 << 12;
const MANTISSA_SLOTS: usize = 64 * 16;

/// Class of a magnitude: 0, 1, 2, 3, then two an octave.
#[inline(always)]
pub fn log_class(v: u64) -> u32 {
    if v < 4 {
        v as u32
    } else {
        let lg = 63 - v.leading_zeros();
        2 * lg + ((v >> (lg - 1)) & 1) as u32
    }
}

/// Codes integers, each from what is known before it.
pub trait Residuals {
    /// Whether contexts beyond the first count.
    const MIXES: bool;
    /// `slots[i]` slots for context i, `sets` weight sets.
    fn new(slots: [usize; CONTEXTS], sets: usize) -> Self;
    /// Starts from these states where they say something; for mixtures only.
    fn prime(&mut self, _: &States) {}
    /// What has been learned, as far as states hold it.
    fn states(&self) -> States {
        States::default()
    }
    /// Codes `q` (ignored by a decoder) and returns it.
    fn code<C: BitCoder>(&mut self, c: &mut C, q: i64, m: &Magnitude) -> i64;
}

/// What is known about the integer before it is coded.
#[derive(Clone, Copy, Debug)]
pub struct Magnitude {
    /// One slot per context; coders of fewer contexts take the first ones.
    pub slots: [u32; CONTEXTS],
    /// The class that the magnitude is compared with first.
    pub start: u32,
    /// Expected class, in 256ths of a step; only mixtures look at it.
    pub class: u32,
    /// Weight set of the mixer.
    pub set: u32,
    /// Contexts of the sign, each below 2^12.
    pub sign: [u32; SIGN_CONTEXTS],
    /// Where companions are looked at: the slot of the second context that new slots of theirs start from, and its class.
    pub aside: Aside,
}

/// What contexts that look at companions start from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aside {
    /// Slot of the second context.
    pub slot: u32,
    /// Expected class there.
    pub class: u32,
}

/// Codes integers under N contexts of magnitude; with N = 1 there is nothing to mix.
pub struct ResidualCoder<const N: usize> {
    counters: [Vec<[Counter; BINS]>; N],
    mixer: Mixer<N>,
    sign: [Vec<Counter>; SIGN_CONTEXTS],
    sign_mixer: Mixer<SIGN_CONTEXTS>,
    mantissa: Vec<Counter>,
    limit: u32,
}

impl<const N: usize> ResidualCoder<N> {
    #[inline(always)]
    fn decide<C: BitCoder>(&mut self, c: &mut C, bit: bool, m: &Magnitude, bin: usize) -> bool {
        if N == 1 {
            let k = &mut self.counters[0][m.slots[0] as usize][bin];
            let bit = c.bit(bit, k.p16());
            k.update(bit, self.limit);
            return bit;
        }
        let mut k = [Counter::NEW; N];
        for i in 0..N {
            k[i] = self.counters[i][m.slots[i] as usize][bin];
        }
        let set = m.set as usize * BINS + bin;
        let mixed = self.mixer.mix(set, &k);
        let bit = c.bit(bit, mixed.p1);
        self.mixer.update(set, &mixed, bit);
        for i in 0..N {
            k[i].update(bit, self.limit);
            self.counters[i][m.slots[i] as usize][bin] = k[i];
        }
        bit
    }

    #[inline(always)]
    fn code_sign<C: BitCoder>(&mut self, c: &mut C, negative: bool, sign: &[u32; SIGN_CONTEXTS]) -> bool {
        let k: [Counter; SIGN_CONTEXTS] = std::array::from_fn(|i| self.sign[i][sign[i] as usize]);
        let mixed = self.sign_mixer.mix(0, &k);
        let negative = c.bit(negative, mixed.p1);
        self.sign_mixer.update(0, &mixed, negative);
        for i in 0..SIGN_CONTEXTS {
            self.sign[i][sign[i] as usize].update(negative, 255);
        }
        negative
    }

    /// The bits below the two that the class tells: the first one modelled, the rest raw.
    #[inline(always)]
    fn code_mantissa<C: BitCoder>(&mut self, c: &mut C, mag: u64, cls: u32, start: u32) -> u64 {
        let lg = cls / 2;
        let mut n = lg - 1;
        let mut v = 2 | u64::from(cls & 1);
        if n > 0 {
            n -= 1;
            let above = (cls + 8).saturating_sub(start).min(15);
            let k = &mut self.mantissa[(cls * 16 + above) as usize];
            let bit = c.bit((mag >> n) & 1 == 1, k.p16());
            k.update(bit, 255);
            v = (v << 1) | u64::from(bit);
        }
        if n > 0 {
            v = (v << n) | c.raw_wide(mag & ((1 << n) - 1), n);
        }
        v
    }
}

impl<const N: usize> Residuals for ResidualCoder<N> {
    const MIXES: bool = N > 1;

    fn new(slots: [usize; CONTEXTS], sets: usize) -> Self {
        ResidualCoder {
            counters: std::array::from_fn(|i| vec![[Counter::NEW; BINS]; slots[i]]),
            mixer: Mixer::new(sets * BINS, 65536 * 18 / (10 * N as i32)),
            sign: std::array::from_fn(|_| vec![Counter::NEW; SIGN_SLOTS]),
            sign_mixer: Mixer::new(16, 26000),
            mantissa: vec![Counter::NEW; MANTISSA_SLOTS],
            limit: 255,
        }
    }

    #[inline(always)]
    fn code<C: BitCoder>(&mut self, c: &mut C, q: i64, m: &Magnitude) -> i64 {
        if C::SILENT {
            return q;
        }
        let mag = q.unsigned_abs();
        let cls = if mag >= ESCAPE { CLASSES } else { log_class(mag) };
        let start = m.start;
        let mut k;
        if self.decide(c, cls > start, m, 0) {
            k = start + 1;
            let mut bin = 1;
            while k < CLASSES && self.decide(c, cls > k, m, bin) {
                k += 1;
                bin = (bin + 1).min(15);
            }
        } else {
            k = start;
            let mut bin = 16;
            while k > 0 && self.decide(c, cls < k, m, bin) {
                k -= 1;
                bin = (bin + 1).min(31);
            }
        }
        if k == 0 {
            return 0;
        }
        let negative = self.code_sign(c, q < 0, &m.sign);
        let mag = if k < 4 {
            u64::from(k)
        } else if k >= CLASSES {
            c.raw_wide(mag, 64)
        } else {
            self.code_mantissa(c, mag, k, start)
        };
        if negative { (mag as i64).wrapping_neg() } else { mag as i64 }
    }
}
