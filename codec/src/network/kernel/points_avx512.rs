//! Chains for one point at a time in AVX-512 with VNNI.
use super::avx512::{finish16, finish32};
use super::points::{PackedChain, SAID, WIDTH, end};
use super::{Finish, points::Layer};
use std::arch::x86_64::*;

/// The sums of `P` points.
///
/// SAFETY: the processor has AVX-512 F, BW, VL and VNNI; `P` points from `x` on and `sums` have the values of all pairs.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn points<const P: usize>(x: *const i16, step: usize, chain: &PackedChain, sums: &mut [[i32; WIDTH]]) {
    // SAFETY: all offsets stay inside of the slices, by the caller.
    unsafe {
        let start = chain.first.end.start.as_ptr();
        let start = [_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(16).cast())];
        let mut all = [start; P];
        for (pair, w) in chain.ahead.iter().enumerate() {
            let w = [_mm512_loadu_si512(w.as_ptr().cast()), _mm512_loadu_si512(w.as_ptr().add(32).cast())];
            for p in 0..P {
                let both = _mm512_set1_epi32(x.add(p * step + 2 * pair).cast::<i32>().read_unaligned());
                all[p][0] = _mm512_dpwssd_epi32(all[p][0], both, w[0]);
                all[p][1] = _mm512_dpwssd_epi32(all[p][1], both, w[1]);
            }
        }
        for (all, sums) in all.iter().zip(sums) {
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), all[0]);
            _mm512_storeu_si512(sums.as_mut_ptr().add(16).cast(), all[1]);
        }
    }
}

/// See [`super::points::ahead`].
///
/// SAFETY: the processor has AVX-512 F, BW, VL and VNNI; every point has `step` values, of all pairs.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn ahead(input: &[i16], step: usize, chain: &PackedChain, sums: &mut [[i32; WIDTH]]) {
    let mut x = input.as_ptr();
    let mut parts = sums.chunks_exact_mut(8);
    // SAFETY: by the caller.
    unsafe {
        for sums in &mut parts {
            points::<8>(x, step, chain, sums);
            x = x.wrapping_add(8 * step);
        }
        for sums in parts.into_remainder().chunks_exact_mut(1) {
            points::<1>(x, step, chain, sums);
            x = x.wrapping_add(step);
        }
    }
}

/// Values of a layer, from its sums.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn values(sums: [__m512i; 2], finish: &Finish) -> __m512i {
    if finish.multipliers.is_none() {
        return finish32(sums[0], sums[1], finish);
    }
    // SAFETY: a layer has a multiplier for each of 32 channels.
    let (a, b) = unsafe { (finish16(sums[0], 0, finish), finish16(sums[1], 16, finish)) };
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(a), b)
}

/// One layer of 32 channels.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn layer(x: __m512i, l: &Layer, weights: &[[i16; 2 * WIDTH]; 16]) -> __m512i {
    // SAFETY: a pair has weights of twice 64 bytes, and 32 sums have starts.
    unsafe {
        let start = l.end.start.as_ptr();
        let zero = _mm512_setzero_si512();
        // Several sums, so that one multiplication need not wait for the one before.
        let mut all = [[zero; 2]; 4];
        all[0] = [_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(16).cast())];
        for (k, w) in weights.iter().enumerate() {
            let both = _mm512_permutexvar_epi32(_mm512_set1_epi32(k as i32), x);
            for q in 0..2 {
                let w = _mm512_loadu_si512(w.as_ptr().add(32 * q).cast());
                all[k % 4][q] = _mm512_dpwssd_epi32(all[k % 4][q], both, w);
            }
        }
        let mut sums = [zero; 2];
        for q in 0..2 {
            let (a, b) = (_mm512_add_epi32(all[0][q], all[1][q]), _mm512_add_epi32(all[2][q], all[3][q]));
            sums[q] = _mm512_add_epi32(a, b);
        }
        values(sums, &l.end.finish())
    }
}

/// See [`super::points::say`].
///
/// SAFETY: the processor has AVX-512 F, BW, VL and VNNI; the first layer has `L` pairs.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn say<const L: usize>(sums: &[i32; WIDTH], late: &[[i16; 2]; L], c: &PackedChain) -> [i16; SAID] {
    // SAFETY: 32 sums and as many weights of each pair are there, and 32 of each output.
    unsafe {
        let s = sums.as_ptr();
        let mut all = [_mm512_loadu_si512(s.cast()), _mm512_loadu_si512(s.add(16).cast())];
        for (x, w) in late.iter().zip(&c.first.weights) {
            let both = _mm512_set1_epi32(i32::from(x[0] as u16) | i32::from(x[1]) << 16);
            for q in 0..2 {
                all[q] = _mm512_dpwssd_epi32(all[q], both, _mm512_loadu_si512(w.as_ptr().add(32 * q).cast()));
            }
        }
        let mut x = values(all, &c.first.end.finish());
        for l in &c.middle {
            if let Some(weights) = l.weights.first_chunk() {
                x = layer(x, l, weights);
            }
        }
        let zero = _mm512_setzero_si512();
        let mut both = [_mm_setzero_si128(); SAID];
        for (both, w) in both.iter_mut().zip(&c.last) {
            let products = _mm512_dpwssd_epi32(zero, x, _mm512_loadu_si512(w.as_ptr().cast()));
            let (a, b) = (_mm512_castsi512_si256(products), _mm512_extracti64x4_epi64::<1>(products));
            let sum = _mm256_add_epi32(a, b);
            *both = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        }
        let halves = _mm_hadd_epi32(both[0], both[1]);
        let sums = _mm_hadd_epi32(halves, halves);
        end([_mm_cvtsi128_si32(sums), _mm_extract_epi32::<1>(sums)], c)
    }
}
