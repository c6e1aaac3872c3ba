//! The kernels in AVX2: pairs of 16-bit products summed by `pmaddwd`.
//!
//! A sum of two products wraps only if all four factors are −32768, which the loader's proof excludes.
use super::{Finish, Kernel, Line, PackedDense, PackedDepthwise, Taps, pack, scalar};
use std::arch::x86_64::*;

/// `(sum·m + 2^(shift − 1)) >> shift` in 64 bits.
#[target_feature(enable = "avx2")]
fn multiplied(sum: __m256i, m: __m256i, shift: u32) -> __m256i {
    let half = _mm256_set1_epi64x(1i64 << (shift - 1));
    let count = _mm_cvtsi32_si128(shift as i32);
    // Results fit into 32 bits and the shift is at most 32, so that a logical shift leaves the right low half.
    let even = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(sum, m), half), count);
    let (sum, m) = (_mm256_srli_epi64::<32>(sum), _mm256_srli_epi64::<32>(m));
    let odd = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(sum, m), half), count);
    _mm256_blend_epi32::<0xaa>(even, _mm256_slli_epi64::<32>(odd))
}

/// Sums of eight channels to values.
///
/// SAFETY: the processor has AVX2, and `channel + 8` is at most the number of multipliers.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn finish8(sum: __m256i, channel: usize, finish: &Finish) -> __m128i {
    let shifted = match finish.multipliers {
        None => _mm256_sra_epi32(sum, _mm_cvtsi32_si128(finish.shift as i32)),
        Some(m) => {
            debug_assert!(channel + 8 <= m.len());
            // SAFETY: by the caller.
            let m = unsafe { _mm256_loadu_si256(m.as_ptr().add(channel).cast()) };
            multiplied(sum, m, finish.shift)
        }
    };
    let packed = _mm_packs_epi32(_mm256_castsi256_si128(shifted), _mm256_extracti128_si256::<1>(shifted));
    _mm_min_epi16(_mm_max_epi16(packed, _mm_set1_epi16(finish.low)), _mm_set1_epi16(finish.high))
}

/// Sums of twice eight channels to values, without multipliers.
#[target_feature(enable = "avx2")]
fn finish16(a: __m256i, b: __m256i, finish: &Finish) -> __m256i {
    let count = _mm_cvtsi32_si128(finish.shift as i32);
    let packed = _mm256_packs_epi32(_mm256_sra_epi32(a, count), _mm256_sra_epi32(b, count));
    // Packing leaves quarters of `a` and of `b` by turns.
    let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
    _mm256_min_epi16(_mm256_max_epi16(ordered, _mm256_set1_epi16(finish.low)), _mm256_set1_epi16(finish.high))
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
            let out = out.add(p * line.out_step);
            for q in (0..Q).step_by(2) {
                if q + 1 < Q && finish.multipliers.is_none() {
                    let values = finish16(sums[p][q], sums[p][q + 1], finish);
                    _mm256_storeu_si256(out.add(q * 8).cast(), values);
                    continue;
                }
                for q in q..Q.min(q + 2) {
                    let values = finish8(sums[p][q], (block + q) * 8, finish);
                    _mm_storeu_si128(out.add(q * 8).cast(), values);
                }
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
                    blocks::<3, 3>(line, taps, weights, finish, block);
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
    let channels = line.out_step;
    // Where points follow each other without a gap, vectors run over their borders.
    let joined = line.step == channels;
    let (rows, width) = if joined { (1, line.points * channels) } else { (line.points, channels) };
    let period = pack::period(Kernel::Avx2, channels);
    // SAFETY: by the caller: a row's values are of one point, or of all.
    unsafe {
        for row in 0..rows {
            let (from, to) = (row * line.step, row * channels);
            let mut at = 0;
            while at + 4 * period <= width {
                for at in (at..at + period).step_by(16) {
                    vectors::<4>(line, starts, weights, finish, from + at, to + at, period);
                }
                at += 4 * period;
            }
            while at + 16 <= width {
                vectors::<1>(line, starts, weights, finish, from + at, to + at, 0);
                at += 16;
            }
            if at < width && width >= 16 {
                // The last eight lanes again with the eight before them.
                vectors::<1>(line, starts, weights, finish, from + width - 16, to + width - 16, 0);
            } else if at < width {
                eight(line, starts, weights, finish, from + at, to + at);
            }
        }
    }
}

/// `N` vectors of sixteen lanes, from `from` of the input to `to` of the output and so on, `apart` from each other; all
/// begin with the same channel.
///
/// SAFETY: as of [`depthwise`], these lanes being in the line.
#[target_feature(enable = "avx2")]
unsafe fn vectors<const N: usize>(
    line: &mut Line,
    starts: &[usize],
    weights: &PackedDepthwise,
    finish: &Finish,
    from: usize,
    to: usize,
    apart: usize,
) {
    let first = to % line.out_step / 8;
    let last = starts.len() - 1;
    // SAFETY: by the caller; a lone last tap is read twice, with a weight of 0 the second time.
    unsafe {
        let x = line.input.as_ptr().add(from);
        let mut w = weights.data.as_ptr().add(first * starts.len().div_ceil(2) * 32);
        let start = finish.lane_start.as_ptr().add(first * 16);
        let mut low_sums = [_mm256_loadu_si256(start.cast()); N];
        let mut high_sums = [_mm256_loadu_si256(start.add(8).cast()); N];
        for tap in (0..=last).step_by(2) {
            let a = x.add(*starts.get_unchecked(tap));
            let b = x.add(*starts.get_unchecked(last.min(tap + 1)));
            let (w_low, w_high) = (_mm256_loadu_si256(w.cast()), _mm256_loadu_si256(w.add(16).cast()));
            for n in 0..N {
                let a = _mm256_loadu_si256(a.add(n * apart).cast());
                let b = _mm256_loadu_si256(b.add(n * apart).cast());
                let low = _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), w_low);
                let high = _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), w_high);
                low_sums[n] = _mm256_add_epi32(low_sums[n], low);
                high_sums[n] = _mm256_add_epi32(high_sums[n], high);
            }
            w = w.add(32);
        }
        let (low, high) = (_mm256_set1_epi16(finish.low), _mm256_set1_epi16(finish.high));
        for n in 0..N {
            let (low_sum, high_sum) = if finish.multipliers.is_some() {
                let m = finish.lane_multipliers.as_ptr().add(first * 16);
                let low_sum = multiplied(low_sums[n], _mm256_loadu_si256(m.cast()), finish.shift);
                (low_sum, multiplied(high_sums[n], _mm256_loadu_si256(m.add(8).cast()), finish.shift))
            } else {
                let count = _mm_cvtsi32_si128(finish.shift as i32);
                (_mm256_sra_epi32(low_sums[n], count), _mm256_sra_epi32(high_sums[n], count))
            };
            let packed = _mm256_packs_epi32(low_sum, high_sum);
            let packed = _mm256_min_epi16(_mm256_max_epi16(packed, low), high);
            _mm256_storeu_si256(line.output.as_mut_ptr().add(to + n * apart).cast(), packed);
        }
    }
}

/// Eight lanes.
///
/// SAFETY: as of [`vectors`].
#[target_feature(enable = "avx2")]
unsafe fn eight(line: &mut Line, starts: &[usize], weights: &PackedDepthwise, finish: &Finish, from: usize, to: usize) {
    let first = to % line.out_step;
    // SAFETY: by the caller. Of sixteen lanes the first eight are in the first half of each half.
    unsafe {
        let x = line.input.as_ptr().add(from);
        let mut w = weights.data.as_ptr().add(first / 8 * starts.len().div_ceil(2) * 32);
        let mut sum = _mm256_loadu_si256(finish.start.as_ptr().add(first).cast());
        for pair in starts.chunks(2) {
            let a = _mm_loadu_si128(x.add(pair[0]).cast());
            let b = _mm_loadu_si128(x.add(pair[pair.len() - 1]).cast());
            let both = _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b));
            let weights = _mm256_loadu2_m128i(w.add(16).cast(), w.cast());
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(both, weights));
            w = w.add(32);
        }
        let values = finish8(sum, first, finish);
        _mm_storeu_si128(line.output.as_mut_ptr().add(to).cast(), values);
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
