//! The kernels in plain Rust: what the others must equal.
use super::{Finish, Line, PackedDense, PackedDepthwise, Taps};

impl Finish<'_> {
    /// The value of a sum of one channel.
    #[inline(always)]
    pub(super) fn value(&self, channel: usize, sum: i32) -> i16 {
        let shifted = match self.multipliers {
            None => sum >> self.shift,
            Some(m) => {
                let half = 1i64 << (self.shift - 1);
                ((i64::from(sum) * i64::from(m[channel]) + half) >> self.shift) as i32
            }
        };
        shifted.clamp(i32::from(self.low), i32::from(self.high)) as i16
    }
}

/// See [`super::dense`]. Sums wrap nowhere: the loader has proved it.
pub(super) fn dense(line: &mut Line, taps: &Taps, weights: &PackedDense, finish: &Finish) {
    const LANES: usize = 8;
    for (b, block) in weights.blocks.iter().enumerate() {
        for point in 0..line.points {
            let mut sums = [0i32; LANES];
            sums.copy_from_slice(&finish.start[b * LANES..][..LANES]);
            for (&start, &number) in taps.starts.iter().zip(taps.numbers) {
                let x = &line.input[start + point * line.step..][..2 * weights.pairs];
                let w = &weights.data[block.start + number * weights.pairs * 2 * LANES..];
                for (x, w) in x.chunks_exact(2).zip(w.chunks_exact(2 * LANES)) {
                    let (a, b) = (i32::from(x[0]), i32::from(x[1]));
                    for lane in 0..LANES {
                        sums[lane] += a * i32::from(w[2 * lane]) + b * i32::from(w[2 * lane + 1]);
                    }
                }
            }
            let out = &mut line.output[point * line.out_step + b * LANES..][..LANES];
            for lane in 0..LANES {
                out[lane] = finish.value(b * LANES + lane, sums[lane]);
            }
        }
    }
}

/// See [`super::depthwise`].
pub(super) fn depthwise(line: &mut Line, starts: &[usize], weights: &PackedDepthwise, finish: &Finish) {
    const LANES: usize = 8;
    for first in (0..line.out_step).step_by(LANES) {
        for point in 0..line.points {
            let mut sums = [0i32; LANES];
            sums.copy_from_slice(&finish.start[first..][..LANES]);
            for (tap, &start) in starts.iter().enumerate() {
                let x = &line.input[start + point * line.step + first..][..LANES];
                let w = &weights.data[tap * weights.channels + first..][..LANES];
                for lane in 0..LANES {
                    sums[lane] += i32::from(x[lane]) * i32::from(w[lane]);
                }
            }
            let out = &mut line.output[point * line.out_step + first..][..LANES];
            for lane in 0..LANES {
                out[lane] = finish.value(first + lane, sums[lane]);
            }
        }
    }
}

/// What is added before shifting.
#[inline(always)]
fn half(shift: u32) -> i32 {
    if shift == 0 { 0 } else { 1 << (shift - 1) }
}

/// See [`super::add`]. Values beyond the last channel are arbitrary and may wrap; nothing reads what becomes of them.
#[inline(always)]
pub(super) fn add(out: &mut [i16], [a, b]: [&[i16]; 2], factors: [i16; 2], shift: u32, clamp: [i16; 2]) {
    let [fa, fb] = factors.map(i32::from);
    let [low, high] = clamp.map(i32::from);
    let half = half(shift);
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        let sum = (i32::from(*a) * fa).wrapping_add(i32::from(*b) * fb).wrapping_add(half);
        *out = (sum >> shift).clamp(low, high) as i16;
    }
}

/// See [`super::scale`], and [`add`] on wrapping.
#[inline(always)]
pub(super) fn scale(out: &mut [i16], source: &[i16], gates: &[i16], shift: u32, clamp: [i16; 2]) {
    let [low, high] = clamp.map(i32::from);
    let half = half(shift);
    for ((out, a), gate) in out.iter_mut().zip(source).zip(gates) {
        let product = (i32::from(*a) * i32::from(*gate)).wrapping_add(half);
        *out = (product >> shift).clamp(low, high) as i16;
    }
}
