//! Chains for one point at a time in AVX2.
use super::avx2::finish8;
use super::points::{Layer, PackedChain, SAID, WIDTH, end};
use std::arch::x86_64::*;

/// Vectors of eight sums of a layer.
const PARTS: usize = WIDTH / 8;

/// Where sums are loaded from.
///
/// SAFETY: the processor has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(sums: &[i32; WIDTH]) -> [__m256i; PARTS] {
    let mut all = [_mm256_setzero_si256(); PARTS];
    for q in 0..PARTS {
        // SAFETY: four times eight sums are there.
        all[q] = unsafe { _mm256_loadu_si256(sums.as_ptr().add(8 * q).cast()) };
    }
    all
}

/// Adds the products of a pair.
///
/// SAFETY: the processor has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add(all: &mut [__m256i; PARTS], pair: [i16; 2], w: &[i16; 2 * WIDTH]) {
    let both = _mm256_set1_epi32(i32::from(pair[0] as u16) | i32::from(pair[1]) << 16);
    for q in 0..PARTS {
        // SAFETY: four times eight pairs of weights are there.
        let w = unsafe { _mm256_loadu_si256(w.as_ptr().add(16 * q).cast()) };
        all[q] = _mm256_add_epi32(all[q], _mm256_madd_epi16(both, w));
    }
}

/// See [`super::points::ahead`].
///
/// SAFETY: the processor has AVX2; every point has `step` values, of all pairs.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn ahead(input: &[i16], step: usize, chain: &PackedChain, sums: &mut [[i32; WIDTH]]) {
    let mut points = input.chunks_exact(step);
    // SAFETY: by the caller; sums have room for four times eight.
    unsafe {
        for sums in sums.chunks_mut(2) {
            let start = load(&chain.first.end.start);
            let (Some(x), y) = (points.next(), points.next()) else { return };
            let mut all = [start; 2];
            // A lone last point is done twice.
            let y = y.unwrap_or(x);
            let (x, _) = x.as_chunks::<2>();
            let (y, _) = y.as_chunks::<2>();
            for ((x, y), w) in x.iter().zip(y).zip(&chain.ahead) {
                add(&mut all[0], *x, w);
                add(&mut all[1], *y, w);
            }
            for (sums, all) in sums.iter_mut().zip(all) {
                for q in 0..PARTS {
                    _mm256_storeu_si256(sums.as_mut_ptr().add(8 * q).cast(), all[q]);
                }
            }
        }
    }
}

/// Values of a layer, from its sums.
///
/// SAFETY: the processor has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn values(all: [__m256i; PARTS], l: &Layer) -> [i16; WIDTH] {
    let mut x = [0; WIDTH];
    for q in 0..PARTS {
        // SAFETY: a layer has 32 channels, with as many multipliers, if any.
        unsafe {
            _mm_storeu_si128(x.as_mut_ptr().add(8 * q).cast(), finish8(all[q], 8 * q, &l.end.finish()));
        }
    }
    x
}

/// See [`super::points::say`].
///
/// SAFETY: the processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn say<const L: usize>(sums: &[i32; WIDTH], late: &[[i16; 2]; L], c: &PackedChain) -> [i16; SAID] {
    // SAFETY: by the caller; 32 values and as many weights of each output are there.
    unsafe {
        let mut all = load(sums);
        for (w, x) in c.first.weights.iter().zip(late) {
            add(&mut all, *x, w);
        }
        let mut x = values(all, &c.first);
        for l in &c.middle {
            all = load(&l.end.start);
            let mut others = [_mm256_setzero_si256(); PARTS];
            let (pairs, _) = x.as_chunks::<2>();
            for (x, w) in pairs.chunks_exact(2).zip(l.weights.chunks_exact(2)) {
                add(&mut all, x[0], &w[0]);
                add(&mut others, x[1], &w[1]);
            }
            for q in 0..PARTS {
                all[q] = _mm256_add_epi32(all[q], others[q]);
            }
            x = values(all, l);
        }
        let mut both = [_mm_setzero_si128(); SAID];
        for (both, w) in both.iter_mut().zip(&c.last) {
            let mut sum = _mm256_setzero_si256();
            for half in [0, 16] {
                let x = _mm256_loadu_si256(x.as_ptr().add(half).cast());
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, _mm256_loadu_si256(w.as_ptr().add(half).cast())));
            }
            *both = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        }
        let halves = _mm_hadd_epi32(both[0], both[1]);
        let sums = _mm_hadd_epi32(halves, halves);
        end([_mm_cvtsi128_si32(sums), _mm_extract_epi32::<1>(sums)], c)
    }
}
