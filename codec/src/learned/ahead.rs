//! What is computed for a row of points before any of them is decoded (SPEC §8.8.3).
use super::causal::{ABOVE, Above, Beside, CAUSAL, LATE_PAIRS, causal};
use super::features::{Features, UNIT, lg};
use super::predictor::Predictor;
use crate::network::Sums;
use crate::simd::{Kernel, widest};

/// Points of a row, as the head of a network sees them.
#[derive(Default)]
pub struct Ahead {
    above: Above,
    /// Local amplitudes; 0 where nothing is said.
    amplitude: Vec<f64>,
    /// The unit of fixed-point numbers over them, and their logarithms.
    inverse: Vec<f64>,
    lg: Vec<i32>,
    /// Channels that are known, `step` for each point, of which `width` are what the network remembers.
    known: Vec<i16>,
    step: usize,
    width: usize,
    sums: Sums,
}

/// Points of a row in their pass: the number of the first one, and from one to the next.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub first: usize,
    pub apart: usize,
}

impl Ahead {
    /// Starts a row of so many points: their surroundings in rows before are to be put here.
    pub fn start(&mut self, count: usize) -> &mut Above {
        self.above.start(count);
        self.amplitude.resize(count, 0.0);
        self.inverse.resize(count, 0.0);
        self.lg.resize(count, 0);
        &mut self.above
    }

    /// Looks at the points, whose surroundings are known now.
    pub fn look(&mut self, f: &Features, place: Place, predictor: Option<&Predictor>, hidden: &[i16]) {
        (self.width, self.step) = predictor.map_or((0, 2 * ABOVE), |p| (p.width(), p.step()));
        // Whatever is left from another row is written over, or has no weight.
        self.known.resize(self.amplitude.len() * self.step, 0);
        widest(Look(self, f, place, hidden));
        if let Some(predictor) = predictor {
            predictor.sum(&mut self.known, &mut self.sums);
        }
    }

    /// Local amplitude at point `k`, and its logarithm.
    #[inline(always)]
    pub fn amplitude(&self, k: usize) -> (f64, i32) {
        (self.amplitude[k], self.lg[k])
    }

    /// The late channels of point `k`.
    #[inline(always)]
    pub fn late(&self, k: usize, beside: &Beside, step: f64) -> [[i16; 2]; LATE_PAIRS] {
        self.above.late(k, beside, self.inverse[k], self.lg[k], step)
    }

    /// All its causal channels.
    pub fn causal(&self, k: usize, late: &[[i16; 2]; LATE_PAIRS]) -> [i16; CAUSAL] {
        causal(&self.known[k * self.step + self.width..][..2 * ABOVE], late)
    }

    /// What the network says of it.
    #[inline(always)]
    pub fn say(&self, predictor: &Predictor, k: usize, late: &[[i16; 2]; LATE_PAIRS]) -> [i16; 2] {
        predictor.say(&self.known, &self.sums, k, late)
    }
}

struct Look<'a>(&'a mut Ahead, &'a Features, Place, &'a [i16]);

impl Kernel for Look<'_> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Look(row, f, Place { first, apart }, hidden) = self;
        let (width, step) = (row.width, row.step);
        for (k, amplitude) in row.amplitude.iter_mut().enumerate() {
            *amplitude = f.amplitude[first + k * apart];
        }
        row.inverse.iter_mut().zip(&row.amplitude).for_each(|(to, a)| *to = UNIT / a);
        row.lg.iter_mut().zip(&row.amplitude).for_each(|(to, a)| *to = lg(*a));
        if width > 0 {
            for (k, known) in row.known.chunks_exact_mut(step).enumerate() {
                let from = &hidden[(first + k * apart) * width..][..width];
                // Eight at a time: copies of a size that only the program knows are calls.
                let (eights, rest) = from.as_chunks::<8>();
                let (to, last) = known[..width].as_chunks_mut::<8>();
                to.iter_mut().zip(eights).for_each(|(to, from)| *to = *from);
                last.copy_from_slice(rest);
            }
        }
        row.above.channels(&row.inverse, step, &mut row.known[width..]);
    }
}
