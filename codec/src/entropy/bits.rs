//! One bit at a time: into a stream, out of a stream, or only counted. Modelling code is written once over all three.
use crate::Error;
use crate::simd::lanes::Lanes;
use constriction::stream::Encode;
use constriction::stream::model::{EncoderModel, EntropyModel};
use constriction::stream::queue::{DefaultRangeEncoder, EncoderSituation};
use core::borrow::Borrow;
use core::num::NonZeroU32;

/// A coder of bits under given probabilities. A decoder ignores the bit it is given and returns the true one.
pub trait BitCoder {
    /// Whether bits come out of a stream.
    const DECODING: bool;
    /// Whether bits go nowhere: models need not be asked.
    const SILENT: bool = false;
    /// Codes a bit that is one with probability `p1`/65536, `p1` in 1..=65535.
    fn bit(&mut self, bit: bool, p1: u32) -> bool;
    /// Codes one of 16 symbols. `above[i]`/65536 is the probability of those above symbol i; it falls, to 0 in the end.
    fn symbol(&mut self, symbol: usize, above: &[u16; SYMBOLS]) -> usize;
    /// Codes the low `n` ≤ 16 bits of `value`, all values alike likely.
    fn raw(&mut self, value: u32, n: u32) -> u32;
    /// Codes the low `n` ≤ 64 bits of `value`, most significant part first.
    fn raw_wide(&mut self, value: u64, n: u32) -> u64 {
        let mut left = n;
        let mut out = 0u64;
        while left > 0 {
            let k = left.min(16);
            left -= k;
            out = (out << k) | u64::from(self.raw(((value >> left) & ((1 << k) - 1)) as u32, k));
        }
        out
    }
}

/// Symbols of `BitCoder::symbol`.
pub const SYMBOLS: usize = 16;

const PRECISION: usize = 16;

/// Two symbols: one below `p1`, zero above.
struct Bernoulli(u32);

impl EntropyModel<PRECISION> for Bernoulli {
    type Symbol = bool;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Bernoulli {
    #[inline(always)]
    fn left_cumulative_and_probability(&self, symbol: impl Borrow<bool>) -> Option<(u32, NonZeroU32)> {
        let (left, p) = if *symbol.borrow() { (0, self.0) } else { (self.0, 65536 - self.0) };
        Some((left, NonZeroU32::new(p)?))
    }
}

/// Where a symbol's part of the interval begins, and its probability.
#[inline(always)]
fn place(above: &[u16; SYMBOLS], symbol: usize) -> (u32, u32) {
    let left = u32::from(above[symbol & (SYMBOLS - 1)]);
    // No branch: nothing can guess symbols.
    let before = u32::from(above[symbol.wrapping_sub(1) & (SYMBOLS - 1)]);
    let right = before & u32::from(symbol > 0).wrapping_neg() | u32::from(symbol == 0) << 16;
    (left, right.wrapping_sub(left))
}

/// Sixteen symbols, the last one lowest.
struct Steps<'a>(&'a [u16; SYMBOLS]);

impl EntropyModel<PRECISION> for Steps<'_> {
    type Symbol = usize;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Steps<'_> {
    #[inline(always)]
    fn left_cumulative_and_probability(&self, symbol: impl Borrow<usize>) -> Option<(u32, NonZeroU32)> {
        let (left, p) = place(self.0, *symbol.borrow());
        Some((left, NonZeroU32::new(p)?))
    }
}

/// 2^n symbols, all alike likely.
struct Uniform(u32);

impl EntropyModel<PRECISION> for Uniform {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Uniform {
    #[inline(always)]
    fn left_cumulative_and_probability(&self, symbol: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        let shift = 16 - self.0;
        Some((*symbol.borrow() << shift, NonZeroU32::new(1 << shift)?))
    }
}

/// Writes bits through constriction's range encoder.
#[derive(Default)]
pub struct BitEncoder(DefaultRangeEncoder);

impl BitEncoder {
    /// The bytes of the stream: 32-bit words, most significant byte first, as few as identify it when zeros follow
    /// (SPEC §7.1).
    pub fn finish(self) -> Vec<u8> {
        let (words, state, situation) = self.0.into_raw_parts();
        let bytes = |words: Vec<u32>| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
        let mut out = if situation == EncoderSituation::Normal {
            let (lower, range) = (state.lower(), state.range().get());
            let mut out = bytes(words);
            // The number in [lower, lower + range) with the most zero bytes at its end.
            let end = (0..8).rev().map(|k| (1u64 << (8 * k)) - 1).find_map(|mask| {
                let v = lower.checked_add(mask)? & !mask;
                (v - lower < range).then_some(v)
            });
            out.extend(end.unwrap_or(lower).to_be_bytes());
            out
        } else {
            let Ok(words) = DefaultRangeEncoder::from_raw_parts(words, state, situation).into_compressed();
            bytes(words)
        };
        while out.last() == Some(&0) {
            out.pop();
        }
        out
    }
}

impl BitCoder for BitEncoder {
    const DECODING: bool = false;
    #[inline(always)]
    fn bit(&mut self, bit: bool, p1: u32) -> bool {
        // Cannot fail: writing to a Vec is infallible and both symbols have nonzero probability.
        let _ = self.0.encode_symbol(bit, Bernoulli(p1));
        bit
    }
    #[inline(always)]
    fn symbol(&mut self, symbol: usize, above: &[u16; SYMBOLS]) -> usize {
        let _ = self.0.encode_symbol(symbol, Steps(above));
        symbol
    }
    #[inline(always)]
    fn raw(&mut self, value: u32, n: u32) -> u32 {
        let _ = self.0.encode_symbol(value, Uniform(n));
        value
    }
}

/// Reads bits that constriction's range encoder wrote. Past its end the stream reads as zeros.
///
/// constriction's own decoder gives the same; this one needs no division for a bit, and is compiled into the loops it is
/// used in.
pub struct BitDecoder {
    words: Vec<u32>,
    next: usize,
    /// How far the code word lies above the lower end of the interval.
    above: u64,
    /// The interval's width.
    range: u64,
    failed: bool,
}

impl BitDecoder {
    /// Starts reading these bytes.
    pub fn new(bytes: &[u8]) -> BitDecoder {
        let words: Vec<u32> = bytes
            .chunks(4)
            .map(|c| c.iter().enumerate().fold(0u32, |w, (i, &b)| w | (u32::from(b) << (24 - 8 * i))))
            .collect();
        let mut d = BitDecoder { words, next: 0, above: 0, range: u64::MAX, failed: false };
        d.above = u64::from(d.word()) << 32;
        d.above |= u64::from(d.word());
        d
    }

    /// An error if the stream held a code word that no encoder writes.
    pub fn check(&self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Corrupt {
                what: "entropy-coded stream holds an impossible code word".into(),
                section: "7.1",
            });
        }
        Ok(())
    }

    #[inline(always)]
    fn word(&mut self) -> u32 {
        let word = self.words.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        word
    }

    /// What one unit of probability is worth; none if no symbol has the code word.
    #[inline(always)]
    fn scale(&mut self) -> Option<u64> {
        let scale = self.range >> PRECISION;
        let valid = self.above < scale << PRECISION;
        self.failed |= !valid;
        valid.then_some(scale)
    }

    /// Takes the part of the interval from `left` on, `range` wide.
    #[inline(always)]
    fn narrow(&mut self, left: u64, range: u64) {
        self.above = self.above.wrapping_sub(left);
        self.range = range;
        if range < 1 << 32 {
            self.range <<= 32;
            self.above = (self.above << 32) | u64::from(self.word());
        }
    }
}

impl BitCoder for BitDecoder {
    const DECODING: bool = true;
    #[inline(always)]
    fn bit(&mut self, _: bool, p1: u32) -> bool {
        let Some(scale) = self.scale() else { return false };
        let split = scale * u64::from(p1);
        let one = self.above < split;
        let (left, range) = if one { (0, split) } else { (split, (scale << PRECISION) - split) };
        self.narrow(left, range);
        one
    }
    #[inline(always)]
    fn symbol(&mut self, _: usize, above: &[u16; SYMBOLS]) -> usize {
        let Some(scale) = self.scale() else { return 0 };
        let quantile = (self.above / scale) as u16;
        let symbol = Lanes::load(above).count_above(quantile) & (SYMBOLS - 1);
        let (left, p) = place(above, symbol);
        self.narrow(scale * u64::from(left), scale * u64::from(p));
        symbol
    }
    #[inline(always)]
    fn raw(&mut self, _: u32, n: u32) -> u32 {
        let Some(scale) = self.scale() else { return 0 };
        let one = scale << (16 - n);
        let value = self.above / one;
        self.narrow(value * one, one);
        value as u32
    }
}

/// Adds up what bits would cost.
#[derive(Default)]
pub struct CostCounter {
    cost: u64,
}

impl CostCounter {
    /// Bytes that the bits so far would take.
    pub fn bytes(&self) -> f64 {
        self.cost as f64 / f64::from(8 << 12)
    }
}

/// -log2(i/4096) in units of 2^-12 bits.
static COST: std::sync::LazyLock<Vec<u32>> = std::sync::LazyLock::new(|| {
    (0..=4096).map(|i| (4096.0 * (12.0 - (f64::from(i).max(0.25)).log2())) as u32).collect()
});

impl BitCoder for CostCounter {
    const DECODING: bool = false;
    #[inline(always)]
    fn bit(&mut self, bit: bool, p1: u32) -> bool {
        let p = if bit { p1 } else { 65536 - p1 };
        // Near certainty the table is too coarse: -log2(1 - ε) is ε/ln 2 there.
        self.cost += u64::from(if p > 61440 { ((65536 - p) * 369) >> 12 } else { COST[(p >> 4) as usize] });
        bit
    }
    #[inline(always)]
    fn symbol(&mut self, symbol: usize, above: &[u16; SYMBOLS]) -> usize {
        self.bit(true, place(above, symbol).1);
        symbol
    }
    #[inline(always)]
    fn raw(&mut self, value: u32, n: u32) -> u32 {
        self.cost += u64::from(n) << 12;
        value
    }
}

/// Codes nothing: what quantisation alone does.
pub struct Silence;

impl BitCoder for Silence {
    const DECODING: bool = false;
    const SILENT: bool = true;
    #[inline(always)]
    fn bit(&mut self, bit: bool, _: u32) -> bool {
        bit
    }
    #[inline(always)]
    fn symbol(&mut self, symbol: usize, _: &[u16; SYMBOLS]) -> usize {
        symbol
    }
    #[inline(always)]
    fn raw(&mut self, value: u32, _: u32) -> u32 {
        value
    }
}
