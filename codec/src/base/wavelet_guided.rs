//! Contexts of wavelet coefficients that a network speaks of (SPEC §8.4.4.2).
use super::wavelet::SLOTS;
use super::wavelet_bands::Band;
use super::wavelet_coding::{CLASSES, Features, RunAt};
use super::wavelet_runs::{POSITIONS, RunContext};
use crate::entropy::{CONTEXTS, Left, Magnitude, Start};
use crate::learned::{CoefficientSample, Coefficients, MAGNITUDES, Surroundings, ZEROS};

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

/// Bits that a zero takes, by the index of its logit, in units of 2^-10.
#[rustfmt::skip]
const BITS_OF_ZERO: [u32; ZEROS as usize] = [
    11819, 11450, 11081, 10712, 10343, 9974, 9605, 9236, 8868, 8499, 8131, 7764, 7397, 7030, 6664, 6300,
    5936, 5574, 5215, 4857, 4504, 4154, 3810, 3472, 3142, 2822, 2514, 2219, 1940, 1680, 1439, 1220,
    1024, 851, 700, 572, 463, 372, 298, 237, 188, 148, 117, 92, 72, 56, 44, 34,
    27, 21, 16, 13, 10, 8, 6, 5, 4, 3, 2, 2, 1, 1, 1, 1,
];
/// How much a run holds of which the network is not asked: more than any other.
const MUCH: usize = 80;

/// 0 to 3, then four an octave.
#[inline(always)]
fn quarter_octave(v: u32) -> usize {
    let lg = 31 - (v | 3).leading_zeros();
    if v < 4 { v as usize } else { (4 * (lg - 1) + (v >> (lg - 2) & 3)) as usize }
}

/// Who guides, or writes down what should be said.
pub struct Guide<'a> {
    network: Option<&'a Coefficients>,
    samples: Option<&'a Left<CoefficientSample>>,
    seen: Surroundings,
    /// Where the run begins.
    begin: usize,
    /// Whether the network may be asked about some of its coefficients.
    asked: bool,
}

impl<'a> Guide<'a> {
    pub fn new(start: &Start<'a>, len: usize) -> Option<Guide<'a>> {
        let (network, samples) = (start.coefficients, start.samples);
        let wanted = network.is_some() || samples.is_some();
        wanted.then(|| Guide { network, samples, seen: Surroundings::new(len), begin: 0, asked: false })
    }

    /// Starts a band, number `before` of its group.
    pub fn band(&mut self, band: &Band, before: usize, low: bool) {
        self.seen.band(band, before, low);
    }

    /// Looks at a run before it is coded; where more than `little` is expected of all of it the network is not asked.
    #[inline(always)]
    pub fn look(&mut self, run: &RunAt<'_>, little: impl Fn(u32) -> bool) {
        self.begin = run.begin;
        self.asked = run.least[..run.len].iter().any(|&e| little(e));
        if self.asked {
            self.seen.look(self.network, run);
        }
    }

    /// Contexts of the bit that tells whether a run of so many holds something, by what the network says of its coefficients.
    #[inline(always)]
    pub fn run(&self, len: usize, (slots, set): &RunContext) -> Option<RunContext> {
        let network = self.network?;
        let alone = Features { place: POSITIONS - 1, ..Features::default() };
        let bits = |k: usize| BITS_OF_ZERO[self.seen.say(network, k, &alone)[0] as usize];
        let much = match self.asked {
            true if self.seen.alike() => quarter_octave(len as u32 * bits(0)),
            true => quarter_octave((0..len).map(bits).sum()),
            false => MUCH,
        };
        let mut slots = *slots;
        slots[0] = much * 4 + slots[0] % 4;
        slots[2] = slots[2] / 8 * 8 + (much / 8).min(7);
        Some((slots, *set))
    }

    /// Changes the contexts of coefficient `i`, of which little is expected, by what the network says; or writes down that it is `d`.
    #[inline(always)]
    pub fn point(&self, i: usize, f: &Features, d: i64, m: &mut Magnitude) {
        let k = i - self.begin;
        if let Some(network) = self.network {
            let [zero, magnitude] = self.seen.say(network, k, f);
            let [a, b, c] = OWN;
            m.slots[1] = a + zero * MAGNITUDES + magnitude;
            m.slots[2] = b + zero * POSITIONS + f.place;
            // In place of the class.
            m.slots[3] = c + zero * 64 + m.slots[3] % 64;
            m.set = 2 * CLASSES + zero + if f.place < POSITIONS - 1 { ZEROS } else { 0 };
        }
        if let Some(samples) = self.samples {
            samples.push(self.seen.sample(k, f, d.unsigned_abs().min(32767) as u16));
        }
    }

    /// Ends a run: keeps its codes, in steps.
    #[inline(always)]
    pub fn end(&mut self, i: usize, codes: impl ExactSizeIterator<Item = i16>) {
        self.seen.keep(i, codes);
    }
}
