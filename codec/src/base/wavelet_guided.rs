//! Contexts of wavelet coefficients that a network speaks of (SPEC §8.4.4.2).
use super::wavelet::SLOTS;
use super::wavelet_coding::CLASSES;
use super::wavelet_runs::POSITIONS;
use crate::entropy::{CONTEXTS, Magnitude, Start};
use crate::learned::{CoefficientSample, Coefficients, MAGNITUDES, Surroundings, ZEROS};
use std::cell::RefCell;

/// The first slots of contexts that a network speaks in.
const OWN: [u32; 3] = [SLOTS[1] as u32, SLOTS[2] as u32, SLOTS[3] as u32];
/// Slots of each context where a network guides, and weight sets.
pub const GUIDED_SLOTS: [usize; CONTEXTS] = [
    SLOTS[0],
    SLOTS[1] + (ZEROS * MAGNITUDES) as usize,
    SLOTS[2] + (ZEROS * POSITIONS) as usize,
    SLOTS[3] + ZEROS as usize * 64,
    SLOTS[4],
    SLOTS[5],
];
pub const GUIDED_SETS: usize = (2 * CLASSES + 2 * ZEROS) as usize;

/// Changes contexts by what a network says.
#[inline(always)]
pub fn guided(m: &mut Magnitude, [zero, magnitude]: [u32; 2], place: u32) {
    let [a, b, c] = OWN;
    m.slots[1] = a + zero * MAGNITUDES + magnitude;
    m.slots[2] = b + zero * POSITIONS + place;
    // In place of the class.
    m.slots[3] = c + zero * 64 + m.slots[3] % 64;
    m.set = 2 * CLASSES + zero + if place < POSITIONS - 1 { ZEROS } else { 0 };
}

/// Who guides, or writes down what should be said.
pub struct Guide<'a> {
    pub network: Option<&'a Coefficients>,
    pub samples: Option<&'a RefCell<Vec<CoefficientSample>>>,
    pub seen: Surroundings,
    /// Where the run begins.
    pub begin: usize,
}

impl<'a> Guide<'a> {
    pub fn new(start: &Start<'a>, len: usize) -> Option<Guide<'a>> {
        let (network, samples) = (start.coefficients, start.samples);
        let wanted = network.is_some() || samples.is_some();
        wanted.then(|| Guide { network, samples, seen: Surroundings::new(len), begin: 0 })
    }
}
