//! The kernels in AVX-512 with VNNI: `vpdpwssd` multiplies pairs and sums them in one step, without saturation.
use super::{Finish, Line, PackedDense, PackedDepthwise, Taps};
use std::arch::x86_64::*;

/// Sums of sixteen channels to values.
///
/// SAFETY: the processor has AVX-512 F, BW and VL, and `channel + 16` is at most the number of multipliers.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn finish16(sum: __m512i, channel: usize, finish: &Finish) -> __m256i {
    let count = _mm_cvtsi32_si128(finish.shift as i32);
    let shifted = match finish.multipliers {
        None => _mm512_sra_epi32(sum, count),
        Some(m) => {
            debug_assert!(channel + 16 <= m.len());
            // SAFETY: by the caller.
            let m = unsafe { _mm512_loadu_si512(m.as_ptr().add(channel).cast()) };
            let half = _mm512_set1_epi64(1i64 << (finish.shift - 1));
            let even = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum, m), half), count);
            let (sum, m) = (_mm512_srli_epi64::<32>(sum), _mm512_srli_epi64::<32>(m));
            let odd = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum, m), half), count);
            _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64::<32>(odd))
        }
    };
    let packed = _mm512_cvtsepi32_epi16(shifted);
    _mm256_min_epi16(_mm256_max_epi16(packed, _mm256_set1_epi16(finish.low)), _mm256_set1_epi16(finish.high))
}

/// Sums of eight channels to values.
///
/// SAFETY: as of [`finish16`], for 8 channels.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn finish8(sum: __m256i, channel: usize, finish: &Finish) -> __m128i {
    let count = _mm_cvtsi32_si128(finish.shift as i32);
    let shifted = match finish.multipliers {
        None => _mm256_sra_epi32(sum, count),
        Some(m) => {
            debug_assert!(channel + 8 <= m.len());
            // SAFETY: by the caller.
            let m = unsafe { _mm256_loadu_si256(m.as_ptr().add(channel).cast()) };
            let half = _mm256_set1_epi64x(1i64 << (finish.shift - 1));
            let even = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(sum, m), half), count);
            let (sum, m) = (_mm256_srli_epi64::<32>(sum), _mm256_srli_epi64::<32>(m));
            let odd = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(sum, m), half), count);
            _mm256_blend_epi32::<0xaa>(even, _mm256_slli_epi64::<32>(odd))
        }
    };
    let packed = _mm256_cvtsepi32_epi16(shifted);
    _mm_min_epi16(_mm_max_epi16(packed, _mm_set1_epi16(finish.low)), _mm_set1_epi16(finish.high))
}

/// `P` points of `Q` blocks of 16 channels, and of a block of 8 after them if `half` is 1 (else it is 0).
///
/// SAFETY: the processor has AVX-512 F, BW, VL and VNNI; the line was checked for the taps; `P` points from `point` on
/// and these blocks from `block` on exist.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn tile<const P: usize, const Q: usize, const HALF: usize>(
    line: &mut Line,
    taps: &Taps,
    weights: &PackedDense,
    finish: &Finish,
    point: usize,
    block: usize,
) {
    let apart = weights.taps * weights.pairs * 32;
    let channel = block * 16;
    // SAFETY: all offsets stay inside of the slices, by the caller.
    unsafe {
        let mut sums = [[_mm512_setzero_si512(); Q]; P];
        let mut rest = [[_mm256_setzero_si256(); HALF]; P];
        for q in 0..Q {
            let start = _mm512_loadu_si512(finish.start.as_ptr().add(channel + q * 16).cast());
            for p in 0..P {
                sums[p][q] = start;
            }
        }
        for h in 0..HALF {
            let start = _mm256_loadu_si256(finish.start.as_ptr().add(channel + Q * 16).cast());
            for p in 0..P {
                rest[p][h] = start;
            }
        }
        let first = weights.data.as_ptr().add(weights.blocks[block].start);
        for (&start, &number) in taps.starts.iter().zip(taps.numbers) {
            let x = line.input.as_ptr().add(start + point * line.step);
            let w = first.add(number * weights.pairs * 32);
            let w_half = first.add(Q * apart + number * weights.pairs * 16);
            for pair in 0..weights.pairs {
                let mut columns = [_mm512_setzero_si512(); Q];
                let mut last = [_mm256_setzero_si256(); HALF];
                for q in 0..Q {
                    columns[q] = _mm512_loadu_si512(w.add(pair * 32 + q * apart).cast());
                }
                for h in 0..HALF {
                    last[h] = _mm256_loadu_si256(w_half.add(pair * 16).cast());
                }
                for p in 0..P {
                    let both = x.add(p * line.step + 2 * pair).cast::<i32>().read_unaligned();
                    for q in 0..Q {
                        sums[p][q] = _mm512_dpwssd_epi32(sums[p][q], _mm512_set1_epi32(both), columns[q]);
                    }
                    for h in 0..HALF {
                        rest[p][h] = _mm256_dpwssd_epi32(rest[p][h], _mm256_set1_epi32(both), last[h]);
                    }
                }
            }
        }
        let out = line.output.as_mut_ptr().add(point * line.out_step + channel);
        for p in 0..P {
            let out = out.add(p * line.out_step);
            for q in 0..Q {
                let values = finish16(sums[p][q], channel + q * 16, finish);
                _mm256_storeu_si256(out.add(q * 16).cast(), values);
            }
            for h in 0..HALF {
                let values = finish8(rest[p][h], channel + Q * 16, finish);
                _mm_storeu_si128(out.add(Q * 16).cast(), values);
            }
        }
    }
}

/// All points of these blocks.
///
/// SAFETY: as of [`tile`].
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn blocks<const P: usize, const Q: usize, const HALF: usize>(
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
            tile::<P, Q, HALF>(line, taps, weights, finish, point, block);
            point += P;
        }
        while point + 2 <= line.points {
            tile::<2, Q, HALF>(line, taps, weights, finish, point, block);
            point += 2;
        }
        if point < line.points {
            tile::<1, Q, HALF>(line, taps, weights, finish, point, block);
        }
    }
}

/// See [`super::dense`].
///
/// SAFETY: the processor has AVX-512 F, BW, VL and VNNI, and the line was checked for the taps.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn dense(line: &mut Line, taps: &Taps, weights: &PackedDense, finish: &Finish) {
    let whole = line.out_step / 16;
    let half = !line.out_step.is_multiple_of(16);
    let mut block = 0;
    // SAFETY: by the caller; blocks are within those of the weights: all of 16 channels but a last one of 8.
    unsafe {
        while block < whole {
            match (whole - block, half) {
                (1, true) => {
                    blocks::<10, 1, 1>(line, taps, weights, finish, block);
                    return;
                }
                (1, false) => blocks::<12, 1, 0>(line, taps, weights, finish, block),
                (3, _) => {
                    blocks::<6, 3, 0>(line, taps, weights, finish, block);
                    block += 2;
                }
                _ => {
                    blocks::<10, 2, 0>(line, taps, weights, finish, block);
                    block += 1;
                }
            }
            block += 1;
        }
        if half {
            blocks::<12, 0, 1>(line, taps, weights, finish, block);
        }
    }
}

/// See [`super::depthwise`].
///
/// SAFETY: the processor has AVX-512 F, BW, VL and VNNI, and the line was checked for the taps.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
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
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
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
                sums[0] = _mm256_dpwssd_epi32(sums[0], low, wl);
                sums[1] = _mm256_dpwssd_epi32(sums[1], high, wh);
                w = w.add(32);
            }
            let s0 = _mm256_permute2x128_si256::<0x20>(sums[0], sums[1]);
            let s1 = _mm256_permute2x128_si256::<0x31>(sums[0], sums[1]);
            let sums = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(s0), s1);
            let out = line.output.as_mut_ptr().add(point * line.out_step + chunk);
            _mm256_storeu_si256(out.cast(), finish16(sums, chunk, finish));
        }
    }
}

/// Eight channels of all points.
///
/// SAFETY: as of [`depthwise16`].
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
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
                sum = _mm256_dpwssd_epi32(sum, both, _mm256_loadu_si256(w.cast()));
                w = w.add(16);
            }
            let out = line.output.as_mut_ptr().add(point * line.out_step + chunk);
            _mm_storeu_si128(out.cast(), finish8(sum, chunk, finish));
        }
    }
}
