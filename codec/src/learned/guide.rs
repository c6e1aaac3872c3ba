//! What a network says of the points of a pass, one after another (SPEC §8.8.3).
use super::causal::{CAUSAL, Surroundings};
use super::features::{Features, lg};
use super::predictor::Predictor;
use super::samples::Recorder;
use crate::base::Geometry;
use crate::base::interpolation::Pass;

/// Who is told of every point.
enum Listener<'a> {
    /// A network, which answers.
    Network { predictor: &'a Predictor, hidden: Vec<i16> },
    /// Somebody who writes down what a network should have said.
    Recorder(&'a mut Recorder),
}

/// Goes through the passes of a chunk together with interpolation.
pub struct Guide<'a> {
    listener: Listener<'a>,
    /// So many of the finest levels are guided.
    levels: u32,
    features: Features,
    /// From the offset of a point to its number in the pass.
    number: Vec<u32>,
}

/// What is said of a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hint {
    /// To be added to the prediction.
    pub correction: f64,
    /// Index of the expected magnitude, in quarters of octaves; 0 if nothing is said.
    pub scale: u8,
}

/// Index of a scale of one step.
const ONE_STEP: i32 = 16;

impl<'a> Guide<'a> {
    /// Guides the finest levels of a chunk of so many points by a network.
    pub fn new(predictor: &'a Predictor, points: usize, levels: u32) -> Guide<'a> {
        Guide::of(Listener::Network { predictor, hidden: Vec::new() }, points, levels)
    }

    /// Guides nothing, but writes down.
    pub fn recording(recorder: &'a mut Recorder, points: usize, levels: u32) -> Guide<'a> {
        Guide::of(Listener::Recorder(recorder), points, levels)
    }

    fn of(listener: Listener<'a>, points: usize, levels: u32) -> Guide<'a> {
        Guide { listener, levels, features: Features::default(), number: vec![0; points] }
    }

    /// Whether passes of this level are guided.
    pub fn covers(&self, level: u32) -> bool {
        level <= self.levels
    }

    /// Starts a pass that is covered. `step` is that of its quantiser.
    pub fn enter(&mut self, g: &Geometry, pass: &Pass, order: &[u8], step: f64, values: &[f64], codes: &[i16]) {
        self.features = Features::new(g, pass, order, step, values, codes);
        for (k, &i) in self.features.place.iter().enumerate() {
            self.number[i as usize] = k as u32;
        }
        match &mut self.listener {
            Listener::Network { predictor, hidden } => predictor.look(&self.features, hidden),
            Listener::Recorder(r) => r.enter(&self.features),
        }
    }

    /// What is said of the point at offset `i`. `missing` is what the prediction so far misses, if that is known.
    #[inline]
    pub fn point(&mut self, i: usize, around: &Surroundings, step: f64, missing: f64) -> Hint {
        let k = self.number[i] as usize;
        let amplitude = self.features.amplitude[k];
        if amplitude <= 0.0 {
            return Hint::default();
        }
        let causal: [i16; CAUSAL] = around.channels(amplitude, step);
        match &mut self.listener {
            Listener::Network { predictor, hidden } => {
                let [correction, scale] = predictor.point(hidden, k, &causal);
                let octaves = (lg(amplitude) - lg(step)) >> 4;
                Hint {
                    correction: f64::from(correction) * (amplitude * 0.00390625),
                    scale: (i32::from(scale) + octaves + ONE_STEP).clamp(1, 63) as u8,
                }
            }
            Listener::Recorder(r) => {
                r.point(k, &causal, missing / amplitude, 0.5 * step / amplitude);
                Hint::default()
            }
        }
    }
}
