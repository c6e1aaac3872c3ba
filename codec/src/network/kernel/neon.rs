//! The kernels in NEON: `smlal` of 16-bit values into 32-bit sums.
use super::{Finish, Line, PackedDense, PackedDepthwise, Taps};
use std::arch::aarch64::*;

/// Sums of four channels, shifted.
///
/// SAFETY: `channel + 4` is at most the number of multipliers.
unsafe fn shifted(sum: int32x4_t, channel: usize, finish: &Finish) -> int32x4_t {
    // SAFETY: by the caller; NEON is there on every AArch64.
    unsafe {
        match finish.multipliers {
            None => vshlq_s32(sum, vdupq_n_s32(-(finish.shift as i32))),
            Some(m) => {
                let m = vld1q_s32(m.as_ptr().add(channel));
                let half = vdupq_n_s64(1i64 << (finish.shift - 1));
                let right = vdupq_n_s64(-i64::from(finish.shift));
                let low = vaddq_s64(vmull_s32(vget_low_s32(sum), vget_low_s32(m)), half);
                let high = vaddq_s64(vmull_s32(vget_high_s32(sum), vget_high_s32(m)), half);
                vcombine_s32(vmovn_s64(vshlq_s64(low, right)), vmovn_s64(vshlq_s64(high, right)))
            }
        }
    }
}

/// Sums of eight channels to values.
///
/// SAFETY: `channel + 8` is at most the number of multipliers.
unsafe fn finish8(low: int32x4_t, high: int32x4_t, channel: usize, finish: &Finish) -> int16x8_t {
    // SAFETY: by the caller.
    unsafe {
        let low = vqmovn_s32(shifted(low, channel, finish));
        let high = vqmovn_s32(shifted(high, channel + 4, finish));
        let both = vcombine_s16(low, high);
        vminq_s16(vmaxq_s16(both, vdupq_n_s16(finish.low)), vdupq_n_s16(finish.high))
    }
}

/// `P` points of a block. Each of the four sums of a point holds two channels, each with one sum of even and one of odd
/// input channels, which are added at the end.
///
/// SAFETY: the line was checked for the taps; `P` points from `point` on and the block exist.
unsafe fn tile<const P: usize>(
    line: &mut Line,
    taps: &Taps,
    weights: &PackedDense,
    finish: &Finish,
    point: usize,
    block: usize,
) {
    // SAFETY: all offsets stay inside of the slices, by the caller.
    unsafe {
        let mut sums = [[vdupq_n_s32(0); 4]; P];
        let first = weights.data.as_ptr().add(weights.blocks[block].start);
        for (&start, &number) in taps.starts.iter().zip(taps.numbers) {
            let x = line.input.as_ptr().add(start + point * line.step);
            let w = first.add(number * weights.pairs * 16);
            for pair in 0..weights.pairs {
                let (w0, w1) = (vld1q_s16(w.add(pair * 16)), vld1q_s16(w.add(pair * 16 + 8)));
                for p in 0..P {
                    let both = x.add(p * line.step + 2 * pair).cast::<i32>().read_unaligned();
                    let both = vreinterpret_s16_s32(vdup_n_s32(both));
                    sums[p][0] = vmlal_s16(sums[p][0], vget_low_s16(w0), both);
                    sums[p][1] = vmlal_s16(sums[p][1], vget_high_s16(w0), both);
                    sums[p][2] = vmlal_s16(sums[p][2], vget_low_s16(w1), both);
                    sums[p][3] = vmlal_s16(sums[p][3], vget_high_s16(w1), both);
                }
            }
        }
        let start = finish.start.as_ptr().add(block * 8);
        let (start0, start1) = (vld1q_s32(start), vld1q_s32(start.add(4)));
        for p in 0..P {
            let low = vaddq_s32(vpaddq_s32(sums[p][0], sums[p][1]), start0);
            let high = vaddq_s32(vpaddq_s32(sums[p][2], sums[p][3]), start1);
            let out = line.output.as_mut_ptr().add((point + p) * line.out_step + block * 8);
            vst1q_s16(out, finish8(low, high, block * 8, finish));
        }
    }
}

/// See [`super::dense`].
///
/// SAFETY: the line was checked for the taps.
pub(super) unsafe fn dense(line: &mut Line, taps: &Taps, weights: &PackedDense, finish: &Finish) {
    for block in 0..weights.blocks.len() {
        let mut point = 0;
        // SAFETY: by the caller; points are within the line, blocks within the weights.
        unsafe {
            while point + 4 <= line.points {
                tile::<4>(line, taps, weights, finish, point, block);
                point += 4;
            }
            while point < line.points {
                tile::<1>(line, taps, weights, finish, point, block);
                point += 1;
            }
        }
    }
}

/// See [`super::depthwise`].
///
/// SAFETY: the line was checked for the taps.
pub(super) unsafe fn depthwise(line: &mut Line, starts: &[usize], weights: &PackedDepthwise, finish: &Finish) {
    for chunk in (0..line.out_step).step_by(8) {
        // SAFETY: by the caller; a chunk reads 8 channels of those that were checked.
        unsafe {
            let start = finish.start.as_ptr().add(chunk);
            for point in 0..line.points {
                let x = line.input.as_ptr().add(point * line.step + chunk);
                let (mut low, mut high) = (vld1q_s32(start), vld1q_s32(start.add(4)));
                for (tap, &start) in starts.iter().enumerate() {
                    let x = vld1q_s16(x.add(start));
                    let w = vld1q_s16(weights.data.as_ptr().add(tap * weights.channels + chunk));
                    low = vmlal_s16(low, vget_low_s16(x), vget_low_s16(w));
                    high = vmlal_high_s16(high, x, w);
                }
                let out = line.output.as_mut_ptr().add(point * line.out_step + chunk);
                vst1q_s16(out, finish8(low, high, chunk, finish));
            }
        }
    }
}
