//! The bit that tells a run of codes along axis 3 to be all zero, and what it is expected from (SPEC §8.4.4).
use super::Geometry;
use crate::entropy::{BitCoder, Counter, Mixer, States};

/// Codes along axis 3 that one bit tells to be all zero.
pub const RUN: usize = 16;
/// Boxes with shorter rows have no such bits.
pub const LEAST: usize = 8;
/// Where the first code that is not zero of a run may be, or that there is no telling.
pub const POSITIONS: u32 = RUN as u32 + 1;

/// Bits that its counters average over.
const LIMIT: u32 = 255;
/// Slots of every context.
const SLOTS: usize = 512;
/// Weight sets: as many as `Run::before` has values.
const SETS: usize = 6;
/// Contexts of a run.
pub const RUN_CONTEXTS: usize = 4;

/// Slots of the contexts of a run, and the weight set.
pub type RunContext = ([usize; RUN_CONTEXTS], usize);

/// The model of these bits.
pub struct RunCoder {
    counters: [Vec<Counter>; RUN_CONTEXTS],
    mixer: Mixer<RUN_CONTEXTS>,
}

impl RunCoder {
    /// Starts from these states where there are some.
    pub fn new(start: Option<&States>) -> RunCoder {
        let mut runs = RunCoder {
            counters: std::array::from_fn(|_| vec![Counter::NEW; SLOTS]),
            mixer: Mixer::new(SETS, 65536 * 18 / (10 * RUN_CONTEXTS as i32)),
        };
        if let Some(s) = start {
            runs.prime(s);
        }
        runs
    }

    fn prime(&mut self, s: &States) {
        for (to, from) in self.counters.iter_mut().zip(&s.counters) {
            let n = to.len().min(from.len());
            to[..n].copy_from_slice(&from[..n]);
        }
        self.mixer.prime(&s.logits, s.logits_seen);
    }

    /// What has been learned.
    pub fn states(&self) -> States {
        States { counters: self.counters.clone(), logits: self.mixer.learned(), ..States::default() }
    }

    /// Codes whether some code is not zero; and the probability that was given to it, in units of 2^-16.
    #[inline(always)]
    pub fn code<C: BitCoder>(&mut self, c: &mut C, some: bool, (slots, set): &RunContext) -> (bool, u32) {
        let k = std::array::from_fn(|i| self.counters[i][slots[i]]);
        let mixed = self.mixer.mix(*set, &k);
        let some = c.bit(some, mixed.p1);
        self.mixer.update(*set, &mixed, some);
        for i in 0..RUN_CONTEXTS {
            self.counters[i][slots[i]].update(some, LIMIT);
        }
        (some, mixed.p1)
    }
}

/// How much a run of codes in steps, or in halves of one, holds, in four classes.
#[inline]
pub fn holds(codes: &[i16], halves: bool) -> u8 {
    let sum: u32 = codes.iter().map(|q| u32::from(q.unsigned_abs())).sum();
    match if halves { sum.div_ceil(2) } else { sum } {
        0 => 0,
        1..=2 => 1,
        3..=8 => 2,
        _ => 3,
    }
}

/// What the runs next to one hold, that are finished. What is not there counts 1.
pub struct Beside {
    /// What the run before it in the row holds.
    pub left: usize,
    up: usize,
    right: usize,
    plane: usize,
}

impl Beside {
    /// Of the run at element `i`, index `x` of axis 3 of `width`.
    #[inline]
    pub fn new(held: &[u8], g: &Geometry, i: usize, [_, b, y]: [usize; 3], x: usize, width: usize) -> Beside {
        let at = |have: bool, back: usize| if have { usize::from(held[i - back]) } else { 1 };
        Beside {
            left: at(x > 0, RUN),
            up: at(y > 0, g.stride[2]),
            right: if y > 0 && x + RUN < width { usize::from(held[i + RUN - g.stride[2]]) } else { 1 },
            plane: at(b > 0, g.stride[1]),
        }
    }

    /// All of it in six classes.
    #[inline]
    pub fn before(&self) -> usize {
        (self.left + self.up + self.plane).div_ceil(2).min(5)
    }

    /// Each for itself, below 256.
    #[inline]
    pub fn each(&self) -> usize {
        ((self.left * 4 + self.up) * 4 + self.right) * 4 + self.plane
    }
}
