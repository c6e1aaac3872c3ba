//! What adaptive coders of integers know at their start or at their end (SPEC §9.5).
use super::bits::SYMBOLS;
use super::mixer::Counter;
use super::residual::CONTEXTS;

/// Contexts of a magnitude that states are kept of, and of a sign.
pub const MIXED: usize = 4;
/// See [`MIXED`].
pub const SIGNS: usize = 2;

/// An adaptive distribution: for every symbol but the last the probability of those above it, in units of 2^-16; in
/// place of the last one's, how many symbols it is an average over.
pub type Row = [u16; SYMBOLS];

/// Where coders of integers are used: each place has states of its own. The numbers are those of SPEC §9.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Errors of interpolation.
    Interpolation = 0,
    /// Errors of interpolation that a network guides.
    Guided = 1,
    /// Errors of prediction in C order.
    Raster = 2,
    /// Wavelet coefficients, and runs of them.
    Wavelet = 3,
    /// See `Wavelet`.
    WaveletRuns = 4,
    /// Corrections after a wavelet, and runs of them.
    Corrections = 5,
    /// See `Corrections`.
    CorrectionRuns = 6,
    /// The core of a Tucker decomposition, and its factors.
    Core = 7,
    /// See `Core`.
    Factors = 8,
    /// Wavelet coefficients that a network guides, and runs of them.
    Coefficients = 9,
    /// See `Coefficients`.
    CoefficientRuns = 10,
}

impl Place {
    /// All of them, in the order of their numbers.
    pub const ALL: [Place; 11] = [
        Place::Interpolation,
        Place::Guided,
        Place::Raster,
        Place::Wavelet,
        Place::WaveletRuns,
        Place::Corrections,
        Place::CorrectionRuns,
        Place::Core,
        Place::Factors,
        Place::Coefficients,
        Place::CoefficientRuns,
    ];
}

/// Weights of a mixture of distributions, in units of 2^-30, and of a mixture of logits, in units of 2^-16.
pub type Weights<T> = Vec<[T; MIXED]>;

/// The states of one coder. What is missing, and counters and rows that have seen nothing, start as without states.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct States {
    /// By context and slot: counters of zeros, or of runs that hold something.
    pub counters: [Vec<Counter>; MIXED],
    /// By context and slot: distributions of symbols.
    pub rows: [Vec<Row>; MIXED],
    /// By context and slot: counters of negative signs.
    pub signs: [Vec<Counter>; SIGNS],
    /// By set: weights of distributions (all 0: none), and what the sets count as having seen.
    pub weights: Weights<u32>,
    /// See `weights`.
    pub weights_seen: u32,
    /// By set: weights of logits (all 0: none), and what the sets count as having seen.
    pub logits: Weights<i32>,
    /// See `logits`.
    pub logits_seen: u16,
}

impl States {
    /// Those of `one` coder's slots and sets for a coder of `both`'s, which are as many or twice as many.
    pub fn repeated(&self, one: ([usize; CONTEXTS], usize), both: ([usize; CONTEXTS], usize)) -> States {
        fn again<T: Copy>(from: &[T], one: usize, both: usize, none: T) -> Vec<T> {
            let mut all = from.to_vec();
            if both > one {
                all.resize(one, none);
                all.extend_from_within(..);
            }
            all
        }
        States {
            counters: std::array::from_fn(|i| again(&self.counters[i], one.0[i], both.0[i], Counter::NEW)),
            rows: std::array::from_fn(|i| again(&self.rows[i], one.0[i], both.0[i], [0; SYMBOLS])),
            signs: self.signs.clone(),
            weights: again(&self.weights, one.1, both.1, [0; MIXED]),
            weights_seen: self.weights_seen,
            logits: again(&self.logits, one.1, both.1, [0; MIXED]),
            logits_seen: self.logits_seen,
        }
    }

    /// Those of the first slots and sets alone.
    pub fn first(mut self, (slots, sets): ([usize; CONTEXTS], usize)) -> States {
        for i in 0..MIXED {
            self.counters[i].truncate(slots[i]);
            self.rows[i].truncate(slots[i]);
        }
        self.weights.truncate(sets);
        self.logits.truncate(sets);
        self
    }
}

/// Copies as many as there are on both sides.
pub(super) fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    let n = to.len().min(from.len());
    to[..n].copy_from_slice(&from[..n]);
}
