//! Whole numbers in place of elements: which number stands for which element (SPEC §8.13).
//!
//! What must come back bit for bit is told in few bits where its elements are few, whatever they are, or where they all end in
//! bits that say nothing. As whole numbers they are predicted and coded as those of integer types are.
use crate::Error;
use crate::bytes::{Bytes, put_varint};
use crate::chunk::{ChunkBound, Effort};
use crate::elements::{from_ordered, ordered};
use crate::entropy::{
    Aside, BitCoder, BitDecoder, BitEncoder, CONTEXTS, Magnitude, ResidualCoder, Residuals, log_class,
};
use crate::prepare::{Prepared, fill_in};
use crate::remembered::Remembered;
use scicodec_format::DType;
use std::collections::HashSet;

/// The kinds from here on have a palette, whose differences are told, or how these change.
const PALETTE: u8 = 64;
const CHANGES: u8 = 65;
/// Values for each element of a palette, at least: where all must be exact, and where a bound lets them be otherwise.
const WORTH: [usize; 2] = [3, 8];
/// Elements of a palette, at most.
const MOST: usize = 1 << 20;
/// Values that tell whether elements are few.
const SAMPLE: usize = 1 << 13;
/// Numbers below this are predicted in binary64.
const WHOLE: i128 = 1 << 50;

/// Which number stands for which element.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbering {
    /// Ordered integers without so many low bits, counted from this one.
    Ordered { low: u32, first: i64 },
    /// Places in a list of them, in rising order.
    Palette { low: u32, all: Vec<i64>, told: Told },
}

/// How a palette is told: by changes of differences, or differences; and how many low bits of these are raw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    changes: bool,
    shift: u32,
}

fn corrupt<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Corrupt { what: what.into(), section: "8.13" })
}

/// Low bits of an ordered integer that say nothing: zeros, but ones of a negative float.
fn idle(dtype: DType, o: i64) -> u32 {
    if dtype.is_float() && o < 0 { o.trailing_ones() } else { o.trailing_zeros() }
}

impl Numbering {
    /// Those that may tell a chunk in less than so many bytes.
    pub fn likely(x: &Prepared, bytes: usize) -> Vec<Numbering> {
        let exact = x.bound == ChunkBound::Lossless;
        let n = x.bits.len();
        if x.valid == 0 || x.below.is_some() || (!exact && bytes < n / 8) {
            return vec![];
        }
        let mut likely = vec![];
        let order = |&b: &u64| ordered(x.dtype, b);
        let low = x.bits.iter().map(|b| idle(x.dtype, order(b))).min().unwrap_or(0).min(63);
        if exact {
            let valid = (0..n).filter(|&i| !x.special.as_ref().is_some_and(|s| s[i])).map(|i| order(&x.bits[i]) >> low);
            let (first, last) = valid.fold((i64::MAX, i64::MIN), |(a, b), o| (a.min(o), b.max(o)));
            // Others, and integers as they are, are predicted as well without.
            let near = x.dtype.is_float() && i128::from(last) - i128::from(first) < WHOLE;
            if low > 0 || near && x.effort != Effort::Fast {
                likely.push(Numbering::Ordered { low, first });
            }
        }
        let most = (n / WORTH[usize::from(!exact)]).min(MOST);
        let step = (n / SAMPLE).max(1);
        let some: HashSet<u64> = x.bits.iter().copied().step_by(step).collect();
        // Where hardly a value is there twice they are not few.
        if some.len() <= most && some.len() * 20 < n.div_ceil(step) * 19 {
            let mut all: Vec<i64> = x.bits.iter().map(|b| order(b) >> low).collect();
            all.sort_unstable();
            all.dedup();
            let wide = i128::from(all[all.len() - 1]) - i128::from(all[0]);
            // Integers that lie close are predicted as well as they are.
            if all.len() <= most && (x.dtype.is_float() || wide > 2 * all.len() as i128) {
                let ways = (0..64).step_by(4).flat_map(|shift| [true, false].map(|changes| Told { changes, shift }));
                let some = &all[all.len().saturating_sub(SAMPLE) / 2..][..all.len().min(SAMPLE)];
                let told = ways.min_by_key(|&told| tell(some, told).len()).unwrap_or(Told { changes: false, shift: 0 });
                likely.push(Numbering::Palette { low, all, told });
            }
        }
        likely
    }

    /// The number that stands for an element of the chunk.
    fn number(&self, dtype: DType, bits: u64) -> i64 {
        let o = ordered(dtype, bits);
        match self {
            Numbering::Ordered { low, first } => (o >> low).wrapping_sub(*first),
            Numbering::Palette { low, all, .. } => all.partition_point(|&e| e < o >> low) as i64,
        }
    }

    /// The bits of the element that a number stands for.
    fn element(&self, dtype: DType, number: i64) -> u64 {
        let (low, high) = match self {
            Numbering::Ordered { low, first } => (low, number.wrapping_add(*first)),
            Numbering::Palette { low, all, .. } => (low, all[number.clamp(0, all.len() as i64 - 1) as usize]),
        };
        let o = high << low;
        from_ordered(dtype, if dtype.is_float() && o < 0 { o | !(-1 << low) } else { o })
    }

    /// The bits of the elements that numbers stand for, as a chunk of `int64` holds them.
    pub fn elements(&self, dtype: DType, numbers: &[u64]) -> Vec<u64> {
        numbers.iter().map(|&k| self.element(dtype, k as i64)).collect()
    }

    /// The chunk of numbers.
    pub fn chunk(&self, x: &Prepared) -> Prepared {
        let bits: Vec<u64> = x.bits.iter().map(|&b| self.number(x.dtype, b) as u64).collect();
        let mut numbers: Vec<f64> = bits.iter().map(|&k| k as i64 as f64).collect();
        let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
        for (i, &v) in numbers.iter().enumerate() {
            if !x.special.as_ref().is_some_and(|s| s[i]) {
                (lo, hi) = (lo.min(v), hi.max(v));
            }
        }
        if let Some(special) = &x.special {
            fill_in(&x.g, &mut numbers, special);
        }
        Prepared {
            dtype: DType::I64,
            bound: ChunkBound::Lossless,
            bits,
            numbers,
            lo,
            hi,
            special: x.special.clone(),
            model: x.model.clone(),
            references: vec![],
            below: None,
            origin: None,
            said: Remembered::default(),
            ..*x
        }
    }

    /// Appends what decoders must know.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Numbering::Ordered { low, first } => {
                out.push(*low as u8);
                out.extend_from_slice(&first.to_le_bytes());
            }
            Numbering::Palette { low, all, told } => {
                out.push(if told.changes { CHANGES } else { PALETTE });
                out.extend([*low as u8, told.shift as u8]);
                let stream = tell(all, *told);
                put_varint(out, all.len() as u64);
                put_varint(out, stream.len() as u64);
                out.extend(stream);
            }
        }
    }

    /// Reads what `write` wrote, for a chunk of `n` elements.
    pub fn read(b: &mut Bytes<'_>, n: usize) -> Result<Numbering, Error> {
        let kind = b.byte()?;
        if kind < PALETTE {
            let first = b.take(8)?.iter().rev().fold(0, |v, &b| v << 8 | u64::from(b));
            return Ok(Numbering::Ordered { low: u32::from(kind), first: first as i64 });
        }
        if kind > CHANGES {
            return corrupt(format!("a numbering of kind {kind}"));
        }
        let (low, shift) = (u32::from(b.byte()?), u32::from(b.byte()?));
        if low > 63 || shift > 63 {
            return corrupt(format!("{low} and {shift} low bits"));
        }
        let (count, length) = (b.varint()?, b.varint()?);
        if count == 0 || count > n as u64 {
            return corrupt(format!("{count} different elements of {n}"));
        }
        let mut c = BitDecoder::new(b.take(usize::try_from(length).unwrap_or(usize::MAX))?);
        let mut all = vec![0; count as usize];
        let told = Told { changes: kind == CHANGES, shift };
        code_palette(&mut c, &mut all, told);
        c.check()?;
        Ok(Numbering::Palette { low, all, told })
    }
}

/// The stream of a palette.
fn tell(all: &[i64], told: Told) -> Vec<u8> {
    let mut c = BitEncoder::default();
    code_palette(&mut c, &mut all.to_vec(), told);
    c.finish()
}

/// Codes (or decodes) rising integers by their differences, or by how these change; so many low bits of these are sent raw.
fn code_palette<C: BitCoder>(c: &mut C, all: &mut [i64], Told { changes, shift }: Told) {
    let mut coder = ResidualCoder::<1>::new([64, 0, 0, 0, 0, 0], 1);
    let (mut before, mut difference, mut code) = (0i64, 0i64, 0i64);
    for o in all {
        let expected = if changes { difference } else { 0 };
        let class = log_class(code.unsigned_abs()).min(63);
        let sign = [(code.signum() + 1) as u32, 0, 0];
        let mut slots = [0; CONTEXTS];
        slots[0] = class;
        let m = Magnitude { slots, start: class.min(61), class: 0, set: 0, sign, aside: Aside::default() };
        let own = o.wrapping_sub(before).wrapping_sub(expected);
        code = coder.code(c, own >> shift, &m);
        let raw = c.raw_wide(own as u64 & ((1 << shift) - 1), shift);
        difference = expected.wrapping_add(code << shift | raw as i64);
        before = before.wrapping_add(difference);
        *o = before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palettes_come_back() {
        let mut seed = 1u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> (seed >> 58)) as i64
        };
        for n in [1, 2, 300] {
            let mut all: Vec<i64> = (0..n).map(|_| random()).chain([i64::MIN, i64::MAX]).collect();
            all.sort_unstable();
            all.dedup();
            for (changes, shift) in [(false, 0), (true, 0), (false, 33), (true, 63)] {
                let told = Told { changes, shift };
                let numbering = Numbering::Palette { low: 0, all: all.clone(), told };
                let mut out = vec![];
                numbering.write(&mut out);
                assert_eq!(Numbering::read(&mut Bytes(&out), all.len()).unwrap(), numbering);
                assert!(Numbering::read(&mut Bytes(&out), all.len() - 1).is_err());
                for end in 0..out.len() {
                    let _ = Numbering::read(&mut Bytes(&out[..end]), all.len());
                }
            }
        }
    }

    #[test]
    fn every_element_has_a_number_and_every_number_an_element() {
        let floats = [-1.5f32, -0.0, 0.0, 2.0, 1e30, f32::NAN, f32::INFINITY];
        let all: Vec<u64> = floats.iter().map(|v| f64::from(*v).to_bits()).collect();
        let low = all.iter().map(|&b| idle(DType::F64, ordered(DType::F64, b))).min().unwrap();
        assert!((29..52).contains(&low), "{low}");
        let numbering = Numbering::Ordered { low, first: -7 };
        for &b in &all {
            assert_eq!(numbering.element(DType::F64, numbering.number(DType::F64, b)), b);
        }
        // Nothing overflows, whatever a file says.
        let all = Numbering::Ordered { low: 63, first: i64::MAX };
        assert_eq!(all.element(DType::F64, i64::MIN), all.element(DType::F64, 2));
        for dtype in DType::ALL {
            let palette = Numbering::Palette { low: 0, all: vec![-3, 0, 9], told: Told { changes: true, shift: 0 } };
            let told = [-9, 0, 1, 2, 77].map(|k| ordered(dtype, palette.element(dtype, k)));
            assert!(told[0] == told[1] && told[3] == told[4], "{dtype:?}");
        }
    }
}
