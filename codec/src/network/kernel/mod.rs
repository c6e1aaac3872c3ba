//! The inner loops of networks, one set for each kind of processor, all with the same results to the bit.
//!
//! Besides `simd` and `canvas` this is where the crate has `unsafe`. What is outside calls [`dense`], [`depthwise`], [`add`],
//! [`scale`] and what [`points`] offers, which check every extent before any pointer is made.
#![allow(unsafe_code)]
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
pub(super) mod points;
#[cfg(target_arch = "x86_64")]
mod points_avx2;
#[cfg(target_arch = "x86_64")]
mod points_avx512;
mod scalar;

use crate::Error;
pub(super) use pack::{PackedDense, PackedDepthwise, by_lane};

/// Which instructions run a network. The results are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernel {
    /// Plain Rust, anywhere.
    Scalar,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, VL) and VNNI.
    Avx512,
    /// AArch64.
    Neon,
}

impl Kernel {
    /// Those that this processor can run, slowest first.
    pub fn available() -> Vec<Kernel> {
        [Kernel::Scalar, Kernel::Neon, Kernel::Avx2, Kernel::Avx512].into_iter().filter(|k| k.runs_here()).collect()
    }

    /// The fastest that this processor can run, or the one that the environment variable `SCICODEC_KERNEL` names:
    /// `scalar`, `avx2`, `avx512` or `neon`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the variable names another, or one that cannot run here.
    pub fn choose() -> Result<Kernel, Error> {
        let Some(name) = std::env::var_os("SCICODEC_KERNEL").filter(|n| !n.is_empty()) else {
            return Ok(Kernel::available().pop().unwrap_or(Kernel::Scalar));
        };
        let all = [Kernel::Scalar, Kernel::Neon, Kernel::Avx2, Kernel::Avx512];
        match all.into_iter().find(|k| name == k.name()) {
            Some(k) if k.runs_here() => Ok(k),
            Some(_) => Err(Error::InvalidArgument(format!("SCICODEC_KERNEL={name:?}: this processor cannot run it"))),
            None => {
                Err(Error::InvalidArgument(format!("SCICODEC_KERNEL={name:?}, expected scalar, avx2, avx512 or neon")))
            }
        }
    }

    /// Its name in `SCICODEC_KERNEL`.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Scalar => "scalar",
            Kernel::Avx2 => "avx2",
            Kernel::Avx512 => "avx512",
            Kernel::Neon => "neon",
        }
    }

    /// Whether this processor can run it.
    pub fn runs_here(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        match self {
            Kernel::Avx2 => return is_x86_feature_detected!("avx2"),
            Kernel::Avx512 => {
                return is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni");
            }
            _ => {}
        }
        self == Kernel::Scalar || cfg!(target_arch = "aarch64") && self == Kernel::Neon
    }
}

/// How 32-bit sums become values.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    /// Where sums start, channel by channel, a multiple of 8 of them: the bias, and the rounding if nothing multiplies.
    pub start: &'a [i32],
    /// As many; none if nothing multiplies.
    pub multipliers: Option<&'a [i32]>,
    /// Of depthwise convolutions: the same two by lane, as [`by_lane`] orders them.
    pub lane_start: &'a [i32],
    pub lane_multipliers: &'a [i32],
    pub shift: u32,
    pub low: i16,
    pub high: i16,
}

/// Points in a line, and where their results go.
pub(super) struct Line<'a> {
    pub input: &'a [i16],
    /// Values from a point of the input to the next.
    pub step: usize,
    pub output: &'a mut [i16],
    /// Values from a point of the output to the next: the number of channels, rounded up to a multiple of 8.
    pub out_step: usize,
    pub points: usize,
}

impl Line<'_> {
    /// That no access leaves the slices, if each tap of a point reads `width` values from its start on.
    fn check(&self, starts: &[usize], width: usize, finish: &Finish) {
        let far = starts.iter().copied().max().map_or(0, |s| s + (self.points - 1) * self.step + width);
        assert!(far <= self.input.len() && self.points * self.out_step <= self.output.len());
        assert!(self.out_step.is_multiple_of(8) && finish.start.len() == self.out_step);
        assert!(finish.multipliers.is_none_or(|m| m.len() == self.out_step));
        assert!(finish.shift <= 32);
    }
}

/// One tap of a window at the first point of a line.
pub(super) struct Taps<'a> {
    /// Where it reads in the line's input.
    pub starts: &'a [usize],
    /// Which of the window's taps it is.
    pub numbers: &'a [usize],
}

/// Sums over all channels of all taps. The outputs beyond the last channel come to the clamped 0.
pub(super) fn dense(kernel: Kernel, line: &mut Line, taps: &Taps, weights: &PackedDense, finish: &Finish) {
    if line.points == 0 {
        return;
    }
    line.check(taps.starts, 2 * weights.pairs, finish);
    assert!(taps.starts.len() == taps.numbers.len() && taps.numbers.iter().all(|&n| n < weights.taps));
    assert!(weights.blocks.iter().map(|b| b.lanes).sum::<usize>() == line.out_step && weights.kernel == kernel);
    assert!(kernel.runs_here());
    match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the kernel runs here and the extents are right, as was checked above.
        Kernel::Avx2 => unsafe { avx2::dense(line, taps, weights, finish) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kernel::Avx512 => unsafe { avx512::dense(line, taps, weights, finish) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above; every AArch64 processor has NEON.
        Kernel::Neon => unsafe { neon::dense(line, taps, weights, finish) },
        _ => scalar::dense(line, taps, weights, finish),
    }
}

/// Sums over the taps of each channel by itself. The weights are those of exactly the taps at `starts`.
pub(super) fn depthwise(kernel: Kernel, line: &mut Line, starts: &[usize], weights: &PackedDepthwise, finish: &Finish) {
    if line.points == 0 || starts.is_empty() {
        // No row of the window meets the source: only the start is summed.
        scalar::depthwise(line, starts, weights, finish);
        return;
    }
    line.check(starts, line.out_step, finish);
    assert!(weights.taps == starts.len() && weights.channels == line.out_step && weights.kernel == kernel);
    let by_lane = line.out_step / 8 * pack::lanes(kernel);
    assert!(kernel.runs_here() && finish.lane_start.len() == by_lane);
    assert!(finish.multipliers.is_none() || finish.lane_multipliers.len() == by_lane);
    match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the kernel runs here and the extents are right, as was checked above.
        Kernel::Avx2 => unsafe { avx2::depthwise(line, starts, weights, finish) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kernel::Avx512 => unsafe { avx512::depthwise(line, starts, weights, finish) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above; every AArch64 processor has NEON.
        Kernel::Neon => unsafe { neon::depthwise(line, starts, weights, finish) },
        _ => scalar::depthwise(line, starts, weights, finish),
    }
}

/// `clamp((a·factors[0] + b·factors[1] + half) >> shift)`, value by value; all slices have the same length.
pub(super) fn add(
    kernel: Kernel,
    out: &mut [i16],
    sources: [&[i16]; 2],
    factors: [i16; 2],
    shift: u32,
    clamp: [i16; 2],
) {
    match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a kernel is chosen only where it runs; it works on slices.
        Kernel::Avx2 | Kernel::Avx512 if kernel.runs_here() => unsafe {
            avx2::add(out, sources, factors, shift, clamp);
        },
        _ => scalar::add(out, sources, factors, shift, clamp),
    }
}

/// `clamp((a·gates + half) >> shift)`, value by value; all slices have the same length.
pub(super) fn scale(kernel: Kernel, out: &mut [i16], source: &[i16], gates: &[i16], shift: u32, clamp: [i16; 2]) {
    match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a kernel is chosen only where it runs; it works on slices.
        Kernel::Avx2 | Kernel::Avx512 if kernel.runs_here() => unsafe {
            avx2::scale(out, source, gates, shift, clamp);
        },
        _ => scalar::scale(out, source, gates, shift, clamp),
    }
}
