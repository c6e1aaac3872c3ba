//! Encodings made by a thread of their own while training goes on. What a step sees depends on the seed and the step's
//! number alone, so that a run that was interrupted goes on as if it had not been.
use crate::{
    Error,
    field::TrainingField,
    item::{self, Encoding},
    latents::Whole,
};
use scicodec::learned::{PassSample, Predictor};
use std::{
    collections::VecDeque,
    sync::{Arc, mpsc},
    thread,
};

/// How samples are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    /// Encodings held at a time.
    pub held: usize,
    /// Steps after which the oldest encoding gives way to a new one.
    pub steps_per_encoding: u64,
    /// Points of a field in an encoding.
    pub crop_points: usize,
    /// Windows in a step.
    pub windows: usize,
    /// Points of a window.
    pub window_points: usize,
}

/// A window of a pass, and what a value of it costs without a network.
pub struct Window {
    /// The window.
    pub sample: PassSample,
    /// Bits per value of its pass without a network.
    pub plain_bits: f32,
    /// The crop that it is of.
    pub whole: Arc<Whole>,
}

/// The encodings that steps draw from.
pub struct Pool {
    drawing: Drawing,
    seed: u64,
    held: VecDeque<Encoding>,
    /// Encodings taken from the thread so far, counted from the start of the run.
    taken: u64,
    made: mpsc::Receiver<Result<Encoding, Error>>,
}

/// A generator for one thing of a run: neighbouring numbers give unrelated ones.
pub fn generator(seed: u64, kind: u64, number: u64) -> fastrand::Rng {
    let mut rng = fastrand::Rng::with_seed(seed ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    fastrand::Rng::with_seed(rng.u64(..) ^ number.wrapping_mul(0xbf58_476d_1ce4_e5b9))
}

impl Pool {
    /// A pool that is about to serve step `step` of a run.
    pub fn new(
        fields: Arc<Vec<TrainingField>>,
        among: Vec<usize>,
        drawing: Drawing,
        sampler: Option<Arc<Predictor>>,
        seed: u64,
        step: u64,
    ) -> Pool {
        let (sender, made) = mpsc::sync_channel(2);
        let first = step / drawing.steps_per_encoding;
        thread::spawn(move || {
            for number in first.. {
                let mut rng = generator(seed, 1, number);
                let e = item::encode(&fields, &among, drawing.crop_points, None, sampler.as_deref(), &mut rng);
                // The other end is gone: training is over.
                if sender.send(e).is_err() {
                    return;
                }
            }
        });
        Pool { drawing, seed, held: VecDeque::new(), taken: first, made }
    }

    /// The windows of step `step`; steps are asked for in order.
    pub fn windows(&mut self, step: u64) -> Result<Vec<Window>, Error> {
        let newest = step / self.drawing.steps_per_encoding + self.drawing.held as u64;
        while self.taken < newest {
            let gone = || Error::InvalidArgument("the thread that encodes training fields ended".into());
            self.held.push_back(self.made.recv().map_err(|_| gone())??);
            self.taken += 1;
            if self.held.len() > self.drawing.held {
                self.held.pop_front();
            }
        }
        let mut rng = generator(self.seed, 2, step);
        Ok((0..self.drawing.windows)
            .map(|_| {
                let encoding = &self.held[rng.usize(..self.held.len())];
                let item = encoding.draw(&mut rng);
                let sample = item.window(self.drawing.window_points, &mut rng);
                Window { sample, plain_bits: item.plain_bits, whole: encoding.whole.clone() }
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::tests::field;

    #[test]
    fn a_step_sees_the_same_windows_wherever_the_run_began() {
        let fields = Arc::new(vec![field("a__b", &[40, 60], 3), field("c__d", &[50, 50], 4)]);
        let drawing = Drawing { held: 3, steps_per_encoding: 2, crop_points: 2000, windows: 2, window_points: 300 };
        let mut whole = Pool::new(fields.clone(), vec![0, 1], drawing, None, 7, 0);
        let seen: Vec<_> = (0..9).map(|s| whole.windows(s).unwrap()).collect();
        let mut resumed = Pool::new(fields, vec![0, 1], drawing, None, 7, 5);
        for step in 5..9 {
            let again = resumed.windows(step as u64).unwrap();
            assert!(again.iter().zip(&seen[step]).all(|(a, b)| a.sample.target == b.sample.target));
        }
    }
}
