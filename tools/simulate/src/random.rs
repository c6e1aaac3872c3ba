//! Draws from a seed.
use crate::{Kind, grid::Grid};
use std::f64::consts::TAU;

/// A stream of draws (wyrand, as the crate `fastrand` has it) for one kind and one seed.
pub(crate) struct Random(fastrand::Rng);

impl Random {
    pub fn new(kind: Kind, seed: u64) -> Random {
        // Kinds draw apart: FNV-1a of the name is mixed into the seed.
        let name = kind
            .name()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Random(fastrand::Rng::with_seed(seed ^ name))
    }

    /// Evenly from [low, high).
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// Evenly in the logarithm.
    pub fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        self.within(low.ln(), high.ln()).exp()
    }

    pub fn whole(&mut self, low: i32, high: i32) -> i32 {
        self.0.i32(low..=high)
    }

    pub fn angle(&mut self) -> f64 {
        self.within(0.0, TAU)
    }

    /// A place (y, x) on the grid.
    pub fn place(&mut self, grid: &Grid) -> (f64, f64) {
        let (ly, lx) = grid.sides();
        (self.within(0.0, ly), self.within(0.0, lx))
    }

    /// Independent draws of mean 0 and variance 1.
    pub fn noise(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.within(-(3f64.sqrt()), 3f64.sqrt())).collect()
    }
}
