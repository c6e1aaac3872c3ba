//! Elements of any dtype, one at a time: what the bound, the mask and the statistics need of them.
use crate::simd::{Kernel, widest};
use scicodec_format::{DType, ValueRange};
use std::marker::PhantomData;

/// One element type.
pub(crate) trait Element: Copy + PartialOrd {
    const SIZE: usize;
    /// From its bytes in the machine's order.
    fn load(bytes: &[u8]) -> Self;
    fn bits(self) -> u64;
    /// Neither NaN nor infinite.
    fn finite(self) -> bool;
    /// Nearest double.
    fn value(self) -> f64;
    /// |self - other|, in double arithmetic for floating-point types, exact and then rounded up for integers.
    fn distance(self, other: Self) -> f64;
}

macro_rules! integer {
    ($($t:ty),*) => {$(
        impl Element for $t {
            const SIZE: usize = size_of::<$t>();
            #[inline(always)]
            fn load(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$t>()];
                raw.copy_from_slice(bytes);
                <$t>::from_ne_bytes(raw)
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                let mut raw = [0; 8];
                raw[..Self::SIZE].copy_from_slice(&self.to_le_bytes());
                u64::from_le_bytes(raw)
            }
            #[inline(always)]
            fn finite(self) -> bool {
                true
            }
            #[inline(always)]
            fn value(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn distance(self, other: Self) -> f64 {
                let exact = self.abs_diff(other) as u64;
                let rounded = exact as f64;
                if (rounded as u128) < u128::from(exact) { rounded.next_up() } else { rounded }
            }
        }
    )*};
}
integer!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! float {
    ($($t:ty, $bits:ty);*) => {$(
        impl Element for $t {
            const SIZE: usize = size_of::<$t>();
            #[inline(always)]
            fn load(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$t>()];
                raw.copy_from_slice(bytes);
                <$t>::from_bits(<$bits>::from_ne_bytes(raw))
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self.to_bits())
            }
            #[inline(always)]
            fn finite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn value(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn distance(self, other: Self) -> f64 {
                (f64::from(self) - f64::from(other)).abs()
            }
        }
    )*};
}
float!(f32, u32; f64, u64; half::f16, u16);

/// Calls a generic function with the element type of a dtype.
macro_rules! with_element {
    ($dtype:expr, $f:ident, ($($arg:expr),* $(,)?)) => {
        match $dtype {
            scicodec_format::DType::F16 => $f::<half::f16>($($arg),*),
            scicodec_format::DType::F32 => $f::<f32>($($arg),*),
            scicodec_format::DType::F64 => $f::<f64>($($arg),*),
            scicodec_format::DType::I8 => $f::<i8>($($arg),*),
            scicodec_format::DType::I16 => $f::<i16>($($arg),*),
            scicodec_format::DType::I32 => $f::<i32>($($arg),*),
            scicodec_format::DType::I64 => $f::<i64>($($arg),*),
            scicodec_format::DType::U8 => $f::<u8>($($arg),*),
            scicodec_format::DType::U16 => $f::<u16>($($arg),*),
            scicodec_format::DType::U32 => $f::<u32>($($arg),*),
            scicodec_format::DType::U64 => $f::<u64>($($arg),*),
        }
    };
}
pub(crate) use with_element;

pub(crate) fn elements<T: Element>(bytes: &[u8]) -> impl Iterator<Item = T> {
    bytes.chunks_exact(T::SIZE).map(T::load)
}

/// Extremes and number of the values that a bound speaks of: finite, and not the fill value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Extent {
    /// Bits of the smallest and the largest value, and their difference's double.
    pub range: Option<(u64, u64)>,
    pub valid: u64,
}

impl Extent {
    pub(crate) fn of(dtype: DType, bytes: &[u8], fill: Option<u64>) -> Extent {
        with_element!(dtype, scan, (bytes, fill))
    }

    pub(crate) fn join(self, other: Extent, dtype: DType) -> Extent {
        let range = match (self.range, other.range) {
            (Some(a), Some(b)) => Some(with_element!(dtype, join_bits, (a, b))),
            (a, b) => a.or(b),
        };
        Extent { range, valid: self.valid + other.valid }
    }

    /// Largest minus smallest value, in double arithmetic (integers: the exact difference, rounded to double).
    pub(crate) fn width(self, dtype: DType) -> Option<f64> {
        self.range.map(|(a, b)| with_element!(dtype, bits_distance, (a, b)))
    }

    pub(crate) fn as_value_range(self) -> ValueRange {
        match self.range {
            Some((min, max)) => ValueRange::Bits { min, max, dropped: 0 },
            None => ValueRange::Empty,
        }
    }
}

/// The double nearest to the value that these bits are of.
pub(crate) fn bits_value(dtype: DType, bits: u64) -> f64 {
    fn f<T: Element>(bits: u64) -> f64 {
        from_bits::<T>(bits).value()
    }
    with_element!(dtype, f, (bits))
}

/// The bits of the element nearest to a value; `None` where a dtype of integers does not have it.
pub(crate) fn value_bits(dtype: DType, value: f64) -> Option<u64> {
    let whole = |low: f64, high: f64| value.fract() == 0.0 && value >= low && value < high;
    let power = 2f64.powi(dtype.size() as i32 * 8 - 1);
    let mask = u64::MAX >> (64 - dtype.size() * 8);
    match dtype {
        DType::F16 => Some(u64::from(half::f16::from_f32(value as f32).to_bits())),
        DType::F32 => Some(u64::from((value as f32).to_bits())),
        DType::F64 => Some(value.to_bits()),
        DType::I8 | DType::I16 | DType::I32 | DType::I64 => whole(-power, power).then_some(value as i64 as u64 & mask),
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => whole(0.0, 2.0 * power).then_some(value as u64),
    }
}

fn from_bits<T: Element>(bits: u64) -> T {
    let le = bits.to_le_bytes();
    let mut ne = [0u8; 8];
    ne[..T::SIZE].copy_from_slice(&le[..T::SIZE]);
    if cfg!(target_endian = "big") {
        ne[..T::SIZE].reverse();
    }
    T::load(&ne[..T::SIZE])
}

fn scan<T: Element>(bytes: &[u8], fill: Option<u64>) -> Extent {
    widest(Scan::<T>(bytes, fill, PhantomData))
}

struct Scan<'a, T>(&'a [u8], Option<u64>, PhantomData<T>);

impl<T: Element> Kernel for Scan<'_, T> {
    type Out = Extent;
    #[inline(always)]
    fn run(self) -> Extent {
        const LANES: usize = 16;
        let Scan(bytes, fill, _) = self;
        let (filled, fill) = (fill.is_some(), fill.unwrap_or(0));
        let valid = |x: &T| x.finite() & !(filled & (fill == x.bits()));
        let Some(first) = elements::<T>(bytes).find(valid) else { return Extent::default() };
        // Lanes side by side, so that neither comparisons nor counts wait for each other.
        let (mut low, mut high, mut count) = ([first; LANES], [first; LANES], 0);
        for part in bytes.chunks((LANES * T::SIZE) << 12) {
            let mut counts = [0u16; LANES];
            let mut look = |k: usize, x: T| {
                let ok = valid(&x);
                low[k] = if ok & (x < low[k]) { x } else { low[k] };
                high[k] = if ok & (x > high[k]) { x } else { high[k] };
                counts[k] += u16::from(ok);
            };
            let blocks = part.chunks_exact(LANES * T::SIZE);
            elements::<T>(blocks.remainder()).enumerate().for_each(|(k, x)| look(k, x));
            for block in blocks {
                for k in 0..LANES {
                    look(k, T::load(&block[k * T::SIZE..(k + 1) * T::SIZE]));
                }
            }
            count += counts.iter().map(|&n| u64::from(n)).sum::<u64>();
        }
        let low = low.into_iter().fold(first, |a, x| if x < a { x } else { a });
        let high = high.into_iter().fold(first, |a, x| if x > a { x } else { a });
        Extent { range: Some((low.bits(), high.bits())), valid: count }
    }
}

fn join_bits<T: Element>(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    let low = if from_bits::<T>(b.0) < from_bits::<T>(a.0) { b.0 } else { a.0 };
    let high = if from_bits::<T>(b.1) > from_bits::<T>(a.1) { b.1 } else { a.1 };
    (low, high)
}

fn bits_distance<T: Element>(a: u64, b: u64) -> f64 {
    from_bits::<T>(b).distance(from_bits::<T>(a))
}
