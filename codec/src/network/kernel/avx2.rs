//! The kernels in AVX2: pairs of 16-bit products summed by `pmaddwd`.
//!
//! A sum of two products wraps only if all four factors are −32768, which the loader's proof excludes.
use super::{Finish, Line, PackedDense, PackedDepthwise, Taps, scalar};
use std::arch::x86_64::*;

/// Sums of eight channels to values.
///
/// SAFETY: the processor has AVX2, and `channel + 8` is at most the number of multipliers.
#[target_feature(enable = "avx2")]
unsafe fn finish8(sum: __m256i, channel: usize, finish: &Finish) -> __m128i {
    let shifted = match finish.multipliers {
        None => _mm256_sra_epi32(sum, _mm_cvtsi32_si128(finish.shift as i32)),
        Some(m) => {
            debug_assert!(channel + 8 <= m.len());
            // SAFETY: by the caller.
            let m = unsafe { _mm256_loadu_si256(m.as_ptr().add(channel).cast()) };
            let half = _mm256_set1_epi64x(1i64 << (finish.shift - 1));
            let count = _mm_cvtsi32_si128(finish.shift as i32);
            // Results fit into 32 bits and the shift is at most 32, so that a logical shift leaves the right low half.
            let even = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(sum, m), half), count);
            let (sum, m) = (_mm256_srli_epi64::<32>(sum), _mm256_srli_epi64::<32>(m));
            let odd = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(sum, m), half), count);
            _mm256_blend_epi32::<0xaa>(even, _mm256_slli_epi64::<32>(odd))
        }
    };
    let packed = _mm_packs_epi32(_mm256_castsi256_si128(shifted), _mm256_extracti128_si256::<1>(shifted));
    _mm_min_epi16(_mm_max_epi16(packed, _mm_set1_epi16(finish.low)), _mm_set1_epi16(finish.high))
}

/// `P` points of `Q` blocks.
///
/// SAFETY: the processor has AVX2; the line was checked for the taps; `P` points from `point` on and `Q` blocks from
/// `block` on exist.
#[target_feature(enable = "avx2")]
unsafe fn tile<const P: usize, const Q: usize>(
    line: &mut Line,
    taps: &Taps,
    weights: &PackedDense,
    finish: &Finish,
    point: usize,
    block: usize,
) {
    let apart = weights.taps * weights.pairs * 16;
    // SAFETY: all offsets stay inside of the slices, by the caller.
    unsafe {
        let mut sums = [[_mm256_setzero_si256(); Q]; P];
        for q in 0..Q {
            let start = _mm256_loadu_si256(finish.start.as_ptr().add((block + q) * 8).cast());
            for p in 0..P {
                sums[p][q] = start;
            }
        }
        let first = weights.data.as_ptr().add(weights.blocks[block].start);
        for (&start, &number) in taps.starts.iter().zip(taps.numbers) {
            let x = line.input.as_ptr().add(start + point * line.step);
            let w = first.add(number * weights.pairs * 16);
            for pair in 0..weights.pairs {
                let mut columns = [_mm256_setzero_si256(); Q];
                for q in 0..Q {
                    columns[q] = _mm256_loadu_si256(w.add(pair * 16 + q * apart).cast());
                }
                for p in 0..P {
                    let both = x.add(p * line.step + 2 * pair).cast::<i32>().read_unaligned();
                    let both = _mm256_set1_epi32(both);
                    for q in 0..Q {
                        sums[p][q] = _mm256_add_epi32(sums[p][q], _mm256_madd_epi16(both, columns[q]));
                    }
                }
            }
        }
        let out = line.output.as_mut_ptr().add(point * line.out_step + block * 8);
        for p in 0..P {
            for q in 0..Q {
                let values = finish8(sums[p][q], (block + q) * 8, finish);
                _mm_storeu_si128(out.add(p * line.out_step + q * 8).cast(), values);
            }
        }
    }
}

/// All points of `Q` blocks.
///
/// SAFETY: as of [`tile`].
#[target_feature(enable = "avx2")]
unsafe fn blocks<const P: usize, const Q: usize>(
    line: &mut Line,
    taps: &Taps,
    weights: &PackedDense,
    finish: &Finish,
    block: usize,
) {
    let mut point = 0;
    // SAFETY: by the caller; points are within the line.
    unsafe {
        while point + P <= line.points {
            tile::<P, Q>(line, taps, weights, finish, point, block);
            point += P;
        }
        while point < line.points {
            tile::<1, Q>(line, taps, weights, finish, point, block);
            point += 1;
        }
    }
}

/// See [`super::dense`].
///
/// SAFETY: the processor has AVX2 and the line was checked for the taps.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dense(line: &mut Line, taps: &Taps, weights: &PackedDense, finish: &Finish) {
    let mut block = 0;
    // SAFETY: by the caller; blocks are within those of the weights.
    unsafe {
        while block < weights.blocks.len() {
            match weights.blocks.len() - block {
                1 => blocks::<8, 1>(line, taps, weights, finish, block),
                left if left % 2 == 0 => {
                    blocks::<6, 2>(line, taps, weights, finish, block);
                    block += 1;
                }
                _ => {
                    blocks::<4, 3>(line, taps, weights, finish, block);
                    block += 2;
                }
            }
            block += 1;
        }
    }
}

/// See [`super::depthwise`].
///
/// SAFETY: the processor has AVX2 and the line was checked for the taps.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn depthwise(line: &mut Line, starts: &[usize], weights: &PackedDepthwise, finish: &Finish) {
    let pairs = starts.len().div_ceil(2);
    let mut chunk = 0;
    // SAFETY: by the caller. A chunk reads 16 or 8 channels of those that were checked, and a lone last tap is read
    // twice, with a weight of 0 the second time.
    unsafe {
        while chunk + 16 <= line.out_step {
            let w = weights.data.as_ptr().add(chunk * 2 * pairs);
            depthwise16(line, starts, w, finish, chunk);
            chunk += 16;
        }
        if chunk < line.out_step {
            let w = weights.data.as_ptr().add(chunk * 2 * pairs);
            depthwise8(line, starts, w, finish, chunk);
        }
    }
}

/// Sixteen channels of all points.
///
/// SAFETY: as of [`depthwise`], with the chunk's weights at `w`.
#[target_feature(enable = "avx2")]
unsafe fn depthwise16(line: &mut Line, starts: &[usize], w: *const i16, finish: &Finish, chunk: usize) {
    // SAFETY: by the caller.
    unsafe {
        let begin = finish.start.as_ptr().add(chunk);
        let (b0, b1) = (_mm256_loadu_si256(begin.cast()), _mm256_loadu_si256(begin.add(8).cast()));
        let begin = [_mm256_permute2x128_si256::<0x20>(b0, b1), _mm256_permute2x128_si256::<0x31>(b0, b1)];
        for point in 0..line.points {
            let x = line.input.as_ptr().add(point * line.step + chunk);
            let mut sums = begin;
            let mut w = w;
            for pair in starts.chunks(2) {
                let a = _mm256_loadu_si256(x.add(pair[0]).cast());
                let b = _mm256_loadu_si256(x.add(pair[pair.len() - 1]).cast());
                let (low, high) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
                let (wl, wh) = (_mm256_loadu_si256(w.cast()), _mm256_loadu_si256(w.add(16).cast()));
                sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, wl));
                sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, wh));
                w = w.add(32);
            }
            let s0 = _mm256_permute2x128_si256::<0x20>(sums[0], sums[1]);
            let s1 = _mm256_permute2x128_si256::<0x31>(sums[0], sums[1]);
            let out = line.output.as_mut_ptr().add(point * line.out_step + chunk);
            _mm_storeu_si128(out.cast(), finish8(s0, chunk, finish));
            _mm_storeu_si128(out.add(8).cast(), finish8(s1, chunk + 8, finish));
        }
    }
}

/// Eight channels of all points.
///
/// SAFETY: as of [`depthwise16`].
#[target_feature(enable = "avx2")]
unsafe fn depthwise8(line: &mut Line, starts: &[usize], w: *const i16, finish: &Finish, chunk: usize) {
    // SAFETY: by the caller.
    unsafe {
        let begin = _mm256_loadu_si256(finish.start.as_ptr().add(chunk).cast());
        for point in 0..line.points {
            let x = line.input.as_ptr().add(point * line.step + chunk);
            let mut sum = begin;
            let mut w = w;
            for pair in starts.chunks(2) {
                let a = _mm_loadu_si128(x.add(pair[0]).cast());
                let b = _mm_loadu_si128(x.add(pair[pair.len() - 1]).cast());
                let both = _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b));
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(both, _mm256_loadu_si256(w.cast())));
                w = w.add(16);
            }
            let out = line.output.as_mut_ptr().add(point * line.out_step + chunk);
            _mm_storeu_si128(out.cast(), finish8(sum, chunk, finish));
        }
    }
}

/// See [`super::add`]: the scalar code, for the compiler to vectorise.
///
/// SAFETY: the processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn add(out: &mut [i16], sources: [&[i16]; 2], factors: [i16; 2], shift: u32, clamp: [i16; 2]) {
    scalar::add(out, sources, factors, shift, clamp);
}

/// See [`super::scale`]: the scalar code, for the compiler to vectorise.
///
/// SAFETY: the processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn scale(out: &mut [i16], source: &[i16], gates: &[i16], shift: u32, clamp: [i16; 2]) {
    scalar::scale(out, source, gates, shift, clamp);
}
