//! Elements on a grid of whole numbers and back: the loops that touch every element (SPEC §8.7.1).
use crate::scratch::take;
use crate::simd::{Kernel, widest};
use scicodec_format::DType;
use std::borrow::Cow;

/// Where whole numbers lie: `offset + unit·k`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    pub offset: f64,
    pub unit: f64,
}

/// A float type whose elements can be put on a grid.
pub trait Float: bytemuck::Pod + PartialOrd + Default {
    const DTYPE: DType;
    const BYTES: usize;
    fn read(bytes: &[u8]) -> Self;
    fn write(self, bytes: &mut [u8]);
    fn wide(self) -> f64;
    fn near(v: f64) -> Self;
    fn bits(self) -> u64;
    fn finite(self) -> bool;
    const LEAST: Self;
    const MOST: Self;
}

macro_rules! float {
    ($t:ty, $dtype:expr) => {
        impl Float for $t {
            const DTYPE: DType = $dtype;
            const BYTES: usize = size_of::<$t>();
            const LEAST: Self = <$t>::NEG_INFINITY;
            const MOST: Self = <$t>::INFINITY;
            #[inline(always)]
            fn read(bytes: &[u8]) -> Self {
                let mut b = [0; size_of::<$t>()];
                b.copy_from_slice(bytes);
                <$t>::from_ne_bytes(b)
            }
            #[inline(always)]
            fn write(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_ne_bytes());
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn near(v: f64) -> Self {
                v as $t
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self.to_bits())
            }
            #[inline(always)]
            fn finite(self) -> bool {
                self.abs() < Self::INFINITY
            }
        }
    };
}
float!(f32, DType::F32);
float!(f64, DType::F64);

/// Elements of bytes in the machine's order, where they lie if they lie well.
pub fn elements<T: Float>(bytes: &[u8]) -> Cow<'_, [T]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(all) => Cow::Borrowed(all),
        Err(_) => Cow::Owned(bytes.chunks_exact(T::BYTES).map(T::read).collect()),
    }
}

/// Numbers on the grid nearest to elements; what lies far beyond it gives anything.
pub fn numbers<T: Float>(x: &[T], grid: Grid) -> Vec<i32> {
    struct Run<'a, T>(&'a [T], Grid, &'a mut [i32]);
    impl<T: Float> Kernel for Run<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            /// Added to a binary64 it rounds numbers below 2^51 to integers, which are then its low bits.
            const ROUNDER: f64 = 6_755_399_441_055_744.0;
            let (grid, inverse) = (self.1, 1.0 / self.1.unit);
            for (k, v) in self.2.iter_mut().zip(self.0) {
                *k = ((v.wide() - grid.offset) * inverse + ROUNDER).to_bits() as i32;
            }
        }
    }
    let mut out = take(x.len());
    widest(Run(x, grid, &mut out));
    out
}

/// Elements at places of the grid, as bytes in the machine's order.
pub fn values<T: Float>(numbers: &[i32], grid: Grid) -> Vec<u8> {
    struct Run<'a, T>(&'a [i32], Grid, &'a mut [u8], T);
    impl<T: Float> Kernel for Run<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            for (b, &k) in self.2.chunks_exact_mut(T::BYTES).zip(self.0) {
                T::near(self.1.offset + self.1.unit * f64::from(k)).write(b);
            }
        }
    }
    let mut out = take(numbers.len() * T::BYTES);
    widest(Run(numbers, grid, &mut out, T::default()));
    out
}

/// Extremes and number of the elements that are finite and have not the bits of `fill`.
pub fn extremes<T: Float>(x: &[T], fill: Option<u64>) -> (T, T, u64) {
    struct Run<'a, T>(&'a [T], Option<u64>);
    impl<T: Float> Kernel for Run<'_, T> {
        type Out = (T, T, u64);
        #[inline(always)]
        fn run(self) -> (T, T, u64) {
            const LANES: usize = 16;
            let (mut lo, mut hi, mut n) = ([T::MOST; LANES], [T::LEAST; LANES], [0u32; LANES]);
            let mut total = 0;
            let fill = self.1.unwrap_or(0);
            let filled = self.1.is_some();
            // Counts are short, so that lanes are of one width; they are added up before they could run over.
            for part in self.0.chunks(1 << 20) {
                let mut look = |k: usize, v: T| {
                    let ok = v.finite() & !(filled & (v.bits() == fill));
                    lo[k] = if ok & (v < lo[k]) { v } else { lo[k] };
                    hi[k] = if ok & (v > hi[k]) { v } else { hi[k] };
                    n[k] += u32::from(ok);
                };
                let (blocks, rest) = part.as_chunks::<LANES>();
                for x in blocks {
                    for k in 0..LANES {
                        look(k, x[k]);
                    }
                }
                rest.iter().enumerate().for_each(|(k, &v)| look(k, v));
                total += n.iter().map(|&n| u64::from(n)).sum::<u64>();
                n = [0; LANES];
            }
            let lo = lo.into_iter().fold(T::MOST, |a, b| if b < a { b } else { a });
            let hi = hi.into_iter().fold(T::LEAST, |a, b| if b > a { b } else { a });
            (lo, hi, total)
        }
    }
    widest(Run(x, fill))
}

/// Errors of what numbers on a grid stand for.
pub struct Errors {
    pub max: f64,
    pub squares: f64,
    /// Places where an error is above the limit, left out of the sums.
    pub wrong: Vec<usize>,
}

/// Compares elements with what numbers on a grid stand for; masked ones are left out.
pub fn errors<T: Float>(x: &[T], mask: Option<&[u8]>, numbers: &[i32], grid: Grid, limit: f64) -> Errors {
    struct Run<'a, T>(&'a [T], Option<&'a [u8]>, &'a [i32], Grid, f64);
    impl<T: Float> Kernel for Run<'_, T> {
        type Out = Errors;
        #[inline(always)]
        fn run(self) -> Errors {
            const BLOCK: usize = 512;
            const LANES: usize = 8;
            let Run(x, mask, numbers, grid, limit) = self;
            let mut out = Errors { max: 0.0, squares: 0.0, wrong: vec![] };
            let (mut max, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
            for (b, (x, k)) in x.chunks(BLOCK).zip(numbers.chunks(BLOCK)).enumerate() {
                let mut block = [0.0f64; BLOCK];
                let block = &mut block[..x.len()];
                for ((e, &x), &k) in block.iter_mut().zip(x).zip(k) {
                    *e = (x.wide() - T::near(grid.offset + grid.unit * f64::from(k)).wide()).abs();
                }
                if let Some(mask) = mask {
                    for (e, &m) in block.iter_mut().zip(&mask[b * BLOCK..]) {
                        *e = if m != 0 { 0.0 } else { *e };
                    }
                }
                // What is no number is wrong too.
                let mut good = true;
                for &e in block.iter() {
                    good &= e <= limit;
                }
                if !good {
                    for (i, e) in block.iter_mut().enumerate().filter(|(_, e)| e.is_nan() || **e > limit) {
                        out.wrong.push(b * BLOCK + i);
                        *e = 0.0;
                    }
                }
                let mut add = |k: usize, e: f64| {
                    max[k] = if e > max[k] { e } else { max[k] };
                    squares[k] += e * e;
                };
                let (lanes, rest) = block.as_chunks::<LANES>();
                for e in lanes {
                    for k in 0..LANES {
                        add(k, e[k]);
                    }
                }
                rest.iter().enumerate().for_each(|(k, &e)| add(k, e));
            }
            out.max = max.into_iter().fold(0.0, f64::max);
            out.squares = squares.iter().sum();
            out
        }
    }
    widest(Run(x, mask, numbers, grid, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_leave_out_what_is_no_number() {
        let mut x: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        x[3] = f32::NAN;
        x[700] = f32::INFINITY;
        x[701] = f32::NEG_INFINITY;
        x[999] = -99.0;
        let (lo, hi, n) = extremes(&x, Some(u64::from((-99.0f32).to_bits())));
        let ok: Vec<f32> = x.iter().copied().filter(|v| v.is_finite() && *v != -99.0).collect();
        assert_eq!(n, 996);
        assert_eq!(lo, ok.iter().copied().fold(f32::INFINITY, f32::min));
        assert_eq!(hi, ok.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    }

    #[test]
    fn elements_come_back_within_half_a_unit() {
        let x: Vec<f64> = (0..777).map(|i| (f64::from(i) * 0.01).cos() * 5.0).collect();
        let grid = Grid { offset: 1.0, unit: 0.001 };
        let mut k = numbers(&x, grid);
        let e = errors(&x, None, &k, grid, 0.000_501);
        assert!(e.wrong.is_empty() && e.max > 0.0);
        assert_eq!(elements::<f64>(&values::<f64>(&k, grid)).len(), x.len());
        k[7] += 3;
        assert_eq!(errors(&x, None, &k, grid, 0.000_501).wrong, [7]);
    }
}
