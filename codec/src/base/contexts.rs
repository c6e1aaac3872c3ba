//! From what surrounds a point to the contexts of its code (SPEC §5.5).
use crate::entropy::{Magnitude, log_class};

/// Contexts of the full mix.
pub const CONTEXTS: usize = 6;
/// Classes of magnitudes in units of 1/256 step.
const LEVELS: u32 = 64;

/// Slots that each context needs.
pub fn slots<const N: usize>() -> [usize; N] {
    const ALL: [usize; CONTEXTS] = [64, 1024, 1024, 64 * 64, 1024, 4096];
    std::array::from_fn(|i| ALL[if N == 1 { 1 } else { i }])
}

/// Weight sets that the mixer needs.
pub const SETS: usize = 32;

/// Codes and differences around a point; absent neighbours are 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// Codes of causal neighbours: previous along axes 3, 2, 1, 0.
    pub back: [i16; 4],
    /// Codes of the two diagonal causal neighbours.
    pub diagonal: [i16; 2],
    /// How many of the four directions exist in the chunk.
    pub dims: u32,
    /// Codes of the points that prediction started from.
    pub parents: [i16; 2],
    /// Second difference of known points, in 1/256 steps.
    pub curve: u32,
    /// First difference of known points, in 1/256 steps.
    pub grad: u32,
    /// Level of refinement, 1 finest.
    pub level: u32,
    /// Axis of refinement.
    pub axis: u32,
}

impl Surroundings {
    /// The contexts of the point's code.
    #[inline(always)]
    pub fn magnitude<const N: usize>(&self) -> Magnitude<N> {
        let a = self.back.map(|v| u32::from(v.unsigned_abs()));
        let near = 256 * (a[0] + a[1] + a[2] + a[3])
            + 128 * (u32::from(self.diagonal[0].unsigned_abs()) + u32::from(self.diagonal[1].unsigned_abs()));
        let inter = 256 * (u32::from(self.parents[0].unsigned_abs()) + u32::from(self.parents[1].unsigned_abs()));
        // Expected magnitude in 1/256.
        let e =
            (u64::from(near) * 10 + u64::from(inter) * 7 + u64::from(self.curve) * 3) / u64::from(10 * self.dims + 7);
        let class = |v: u64| log_class(v).min(LEVELS - 1);
        let kk = class(e);
        let k1 = class(u64::from(near / self.dims));
        let k2 = class(u64::from(inter / 2));
        let k3 = class(u64::from(self.curve));
        let k4 = class(u64::from(self.grad));
        let start = log_class((e * 10) >> 12).min(LEVELS - 1);
        let rel = |k: u32| (k + 8).saturating_sub(kk).min(15);
        let all = [
            kk,
            kk * 16 + rel(k1),
            kk * 16 + rel(k2),
            (kk * 8 + self.level.min(7)) * 4 + self.axis,
            kk * 16 + rel(k3),
            if start < 3 {
                ((a[0].min(4) * 5 + a[1].min(4)) * 5 + a[2].min(4)) * 3 + start
            } else {
                1024 + kk * 16 + rel(k4)
            },
        ];
        let sign = |v: i16| (v.signum() + 1) as u32;
        let s = sign(self.back[0]) * 9 + sign(self.back[1]) * 3 + sign(self.back[2]);
        Magnitude {
            slots: std::array::from_fn(|j| all[if N == 1 { 1 } else { j }]),
            start,
            set: k1.min(48) / 2,
            sign: [
                s * 4 + self.axis,
                (self.level.min(4) * 27 + s) * 9 + sign(self.parents[0]) * 3 + sign(self.parents[1]),
                0,
            ],
        }
    }
}
