//! The kernels in AVX-512 with VNNI: `vpdpwssd` multiplies pairs and sums them in one step, without saturation.
use super::{Finish, Kernel, Line, PackedDense, PackedDepthwise, Taps, avx2::finish8, pack};
use std::arch::x86_64::*;

/// `(sum·m + 2^(shift − 1)) >> shift` in 64 bits. Results fit into 32 bits and the shift is at most 32, so that a logical
/// shift leaves the right low half.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn multiplied(sum: __m512i, m: __m512i, shift: u32) -> __m512i {
    let half = _mm512_set1_epi64(1i64 << (shift - 1));
    let count = _mm_cvtsi32_si128(shift as i32);
    let even = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum, m), half), count);
    let (sum, m) = (_mm512_srli_epi64::<32>(sum), _mm512_srli_epi64::<32>(m));
    let odd = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum, m), half), count);
    _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64::<32>(odd))
}

/// Sums of sixteen channels to values.
///
/// SAFETY: the processor has AVX-512 F, BW and VL, and `channel + 16` is at most the number of multipliers.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn finish16(sum: __m512i, channel: usize, finish: &Finish) -> __m256i {
    let count = _mm_cvtsi32_si128(finish.shift as i32);
    let shifted = match finish.multipliers {
        None => _mm512_sra_epi32(sum, count),
        Some(m) => {
            debug_assert!(channel + 16 <= m.len());
            // SAFETY: by the caller.
            let m = unsafe { _mm512_loadu_si512(m.as_ptr().add(channel).cast()) };
            multiplied(sum, m, finish.shift)
        }
    };
    let packed = _mm512_cvtsepi32_epi16(shifted);
    _mm256_min_epi16(_mm256_max_epi16(packed, _mm256_set1_epi16(finish.low)), _mm256_set1_epi16(finish.high))
}

/// Sums of twice sixteen channels to values, without multipliers.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn finish32(a: __m512i, b: __m512i, finish: &Finish) -> __m512i {
    let count = _mm_cvtsi32_si128(finish.shift as i32);
    let packed = _mm512_packs_epi32(_mm512_sra_epi32(a, count), _mm512_sra_epi32(b, count));
    // Packing leaves quarters of `a` and of `b` by turns.
    let ordered = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
    let (low, high) = (_mm512_set1_epi16(finish.low), _mm512_set1_epi16(finish.high));
    _mm512_min_epi16(_mm512_max_epi16(ordered, low), high)
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
            for q in (0..Q).step_by(2) {
                if q + 1 < Q && finish.multipliers.is_none() {
                    let values = finish32(sums[p][q], sums[p][q + 1], finish);
                    _mm512_storeu_si512(out.add(q * 16).cast(), values);
                    continue;
                }
                for q in q..Q.min(q + 2) {
                    let values = finish16(sums[p][q], channel + q * 16, finish);
                    _mm256_storeu_si256(out.add(q * 16).cast(), values);
                }
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
    let channels = line.out_step;
    // Where points follow each other without a gap, vectors run over their borders.
    let joined = line.step == channels;
    let (rows, width) = if joined { (1, line.points * channels) } else { (line.points, channels) };
    let period = pack::period(Kernel::Avx512, channels);
    for row in 0..rows {
        let (from, to) = (row * line.step, row * channels);
        let mut at = 0;
        // SAFETY: by the caller: a row's values are of one point, or of all, and all lanes taken are among them.
        unsafe {
            while at + 4 * period <= width {
                for at in (at..at + period).step_by(32) {
                    vectors::<4>(line, starts, weights, finish, [from + at, to + at, period], u32::MAX);
                }
                at += 4 * period;
            }
            while at < width {
                let mask = if width - at >= 32 { u32::MAX } else { (1 << (width - at)) - 1 };
                vectors::<1>(line, starts, weights, finish, [from + at, to + at, 0], mask);
                at += 32;
            }
        }
    }
}

/// `N` vectors of 32 lanes, or of those that the mask tells, from a place of the input to one of the output; the third
/// number is the distance between the vectors, which all begin with the same channel.
///
/// SAFETY: as of [`depthwise`], these lanes being in the line.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn vectors<const N: usize>(
    line: &mut Line,
    starts: &[usize],
    weights: &PackedDepthwise,
    finish: &Finish,
    [from, to, apart]: [usize; 3],
    mask: u32,
) {
    let first = to % line.out_step / 8;
    let last = starts.len() - 1;
    // SAFETY: by the caller; a lone last tap is read twice, with a weight of 0 the second time.
    unsafe {
        let x = line.input.as_ptr().add(from);
        let mut w = weights.data.as_ptr().add(first * starts.len().div_ceil(2) * 64);
        let start = finish.lane_start.as_ptr().add(first * 32);
        let mut low_sums = [_mm512_loadu_si512(start.cast()); N];
        let mut high_sums = [_mm512_loadu_si512(start.add(16).cast()); N];
        for tap in (0..=last).step_by(2) {
            let a = x.add(*starts.get_unchecked(tap));
            let b = x.add(*starts.get_unchecked(last.min(tap + 1)));
            let (w_low, w_high) = (_mm512_loadu_si512(w.cast()), _mm512_loadu_si512(w.add(32).cast()));
            for n in 0..N {
                let [a, b] = [a, b].map(|x| x.add(n * apart));
                let (a, b) = if N > 1 {
                    (_mm512_loadu_si512(a.cast()), _mm512_loadu_si512(b.cast()))
                } else {
                    (_mm512_maskz_loadu_epi16(mask, a), _mm512_maskz_loadu_epi16(mask, b))
                };
                low_sums[n] = _mm512_dpwssd_epi32(low_sums[n], _mm512_unpacklo_epi16(a, b), w_low);
                high_sums[n] = _mm512_dpwssd_epi32(high_sums[n], _mm512_unpackhi_epi16(a, b), w_high);
            }
            w = w.add(64);
        }
        let (low, high) = (_mm512_set1_epi16(finish.low), _mm512_set1_epi16(finish.high));
        for n in 0..N {
            let (low_sum, high_sum) = if finish.multipliers.is_some() {
                let m = finish.lane_multipliers.as_ptr().add(first * 32);
                let low_sum = multiplied(low_sums[n], _mm512_loadu_si512(m.cast()), finish.shift);
                (low_sum, multiplied(high_sums[n], _mm512_loadu_si512(m.add(16).cast()), finish.shift))
            } else {
                let count = _mm_cvtsi32_si128(finish.shift as i32);
                (_mm512_sra_epi32(low_sums[n], count), _mm512_sra_epi32(high_sums[n], count))
            };
            let packed = _mm512_packs_epi32(low_sum, high_sum);
            let packed = _mm512_min_epi16(_mm512_max_epi16(packed, low), high);
            let out = line.output.as_mut_ptr().add(to + n * apart);
            _mm512_mask_storeu_epi16(out, mask, packed);
        }
    }
}
