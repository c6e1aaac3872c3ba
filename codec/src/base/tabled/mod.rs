//! Interpolation of whole numbers, row by row, under static tables (SPEC §8.7): the base of effort `fast`.
//!
//! Levels are arrays of their own, so that nearly all loops run over neighbours in memory. What a row's codes are coded
//! under is known before the row is: a row is predicted, coded and reconstructed as a whole.
mod contexts;
mod lorenzo;
mod predict;
mod pyramid;
pub mod read;
pub mod write;

use super::Geometry;
pub use pyramid::Wanted;

/// How the points of a chunk are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictor {
    /// Coarse to fine; steps by a schedule of `plan::SCHEDULES`.
    Interpolation {
        /// Axes in the order in which they are refined, two bits each; those left out are not predicted across.
        order: u8,
        /// How many they are.
        count: u8,
        /// Number of the schedule.
        schedule: u8,
        /// Linear instead of cubic.
        linear: bool,
    },
    /// In C order, from neighbours one step back along the last axes, so many of them.
    Lorenzo(u8),
}

/// What the encoder chose for one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// What predicts.
    pub predictor: Predictor,
    /// Quantisation step of the finest level, in units of the grid.
    pub step: u32,
}

/// Kinds of passes, whose codes are told apart.
pub const KINDS: usize = 2;
/// Classes of expected magnitudes.
pub const CLASSES: usize = 32;
/// Contexts of a code.
pub const CONTEXTS: usize = KINDS * CLASSES;
/// The context of masked points, whose codes are always 0.
pub const MASKED: u8 = CONTEXTS as u8;
/// Points that share one bit for whether all their codes are zero.
pub const BLOCK: usize = 32;
/// Slots of those bits.
pub const QUIET_SLOTS: usize = 8 * CONTEXTS;
/// Numbers are kept below this in magnitude, so that predictions stay in 32 bits.
pub const LARGEST: f64 = 67_108_864.0; // 2^26

impl Parameters {
    /// The axes refined, in order; empty for Lorenzo.
    pub fn axes(&self) -> Vec<usize> {
        match self.predictor {
            Predictor::Interpolation { order, count, .. } => {
                (0..count).map(|k| usize::from(order >> (2 * k) & 3)).collect()
            }
            Predictor::Lorenzo(_) => vec![],
        }
    }

    /// The step of a level: that of the finest divided by min(alpha^(level-1), beta). Odd steps stay odd, so that whole
    /// errors stay symmetric.
    pub fn level_step(&self, alpha: u8, beta: u8, level: u32) -> i32 {
        let (alpha, beta) = (f64::from(alpha) * 0.0625, f64::from(beta) * 0.0625);
        let mut f = 1.0;
        for _ in 1..level {
            f *= alpha;
            if f > beta {
                f = beta;
                break;
            }
        }
        let whole = ((f64::from(self.step) / f) as i32).max(1);
        whole - i32::from(self.step % 2 == 1 && whole % 2 == 0)
    }
}

/// Levels of refinement of these axes.
pub fn levels(g: &Geometry, axes: &[usize]) -> u32 {
    let widest = axes.iter().map(|&a| g.n[a]).max().unwrap_or(1);
    usize::BITS - (widest - 1).leading_zeros()
}

/// What a run does with each row: codes it or decodes it.
pub trait Rows {
    /// Codes anchors: points that nothing is known of but the one before.
    fn anchors(&mut self, step: i32, values: &mut [i32], mask: Option<&[u8]>);
    /// Codes a row. Leaves reconstructions in `values` and magnitudes of codes in `mags`.
    fn row(&mut self, step: i32, row: &mut Row<'_>);
}

/// A row on its way through the coder.
pub struct Row<'a> {
    /// Predictions.
    pub pred: &'a [i32],
    /// Contexts, filled up with zeros to whole blocks.
    pub ctx: &'a [u8],
    /// Values: the originals when encoding, then the reconstructions.
    pub values: &'a mut [i32],
    /// Magnitudes of the codes, saturated.
    pub mags: &'a mut [u16],
    /// Whether blocks had only zero codes: of the row above.
    pub up: &'a [u8],
    /// And of the same row in the plane before.
    pub back: &'a [u8],
    /// The same of this row, told by the coder.
    pub quiet: &'a mut [u8],
}

/// Slot of a block's bit; contexts beyond the row are 0.
#[inline(always)]
pub fn quiet_slot(left: u8, up: u8, back: u8, ctx: &[u8; BLOCK]) -> usize {
    // Masked points say nothing: their context is the first one that has none of these bits.
    const { assert!(MASKED as usize == CONTEXTS && CONTEXTS.is_power_of_two()) };
    // The larger of each half and the other, as long as there are halves: vectors take such steps whole.
    let mut most = ctx.map(|c| c & (MASKED - 1));
    let mut half = BLOCK / 2;
    while half > 0 {
        for k in 0..half {
            most[k] = most[k].max(most[k + half]);
        }
        half /= 2;
    }
    let class = most[0];
    (usize::from(class) << 3 | usize::from(left) << 2 | usize::from(up) << 1 | usize::from(back)) % QUIET_SLOTS
}
