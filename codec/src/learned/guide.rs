//! What a network says of the points of a pass, one after another (SPEC §8.8.3).
use super::causal::{CAUSAL, Surroundings};
use super::features::{Features, lg};
use super::latents::Field;
use super::predictor::Predictor;
use super::samples::Recorder;
use crate::base::Geometry;
use crate::base::interpolation::Pass;

/// Goes through the passes of a chunk together with interpolation.
pub struct Guide<'a> {
    /// The network that speaks, and what it remembers of the pass.
    predictor: Option<&'a Predictor>,
    hidden: Vec<i16>,
    /// What latents say, where there are some.
    told: Option<Field>,
    /// Who writes down what a network should have said.
    recorder: Option<&'a mut Recorder>,
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
        let (features, number) = (Features::default(), vec![0; points]);
        Guide { predictor: Some(predictor), hidden: Vec::new(), told: None, recorder: None, levels, features, number }
    }

    /// Lets the network see what latents say of every point: as many channels as it sees more than those of a pass.
    pub fn told(mut self, told: Option<Field>) -> Guide<'a> {
        self.told = told;
        self
    }

    /// Writes down what should have been said; guides by a network, or not at all.
    pub fn recording(
        recorder: &'a mut Recorder,
        predictor: Option<&'a Predictor>,
        points: usize,
        levels: u32,
    ) -> Guide<'a> {
        let (features, number) = (Features::default(), vec![0; points]);
        Guide { predictor, hidden: Vec::new(), told: None, recorder: Some(recorder), levels, features, number }
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
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(&self.features);
        }
        if let Some(told) = &self.told {
            self.features.extend(told.channels(), |i, out| told.at(i, out));
        }
        if let Some(predictor) = self.predictor {
            predictor.look(&self.features, &mut self.hidden);
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
        if let Some(recorder) = &mut self.recorder {
            recorder.point(k, &causal, missing / amplitude, 0.5 * step / amplitude);
        }
        let Some(predictor) = self.predictor else { return Hint::default() };
        let [correction, scale] = predictor.point(&self.hidden, k, &causal);
        let octaves = (lg(amplitude) - lg(step)) >> 4;
        Hint {
            correction: f64::from(correction) * (amplitude * 0.00390625),
            scale: (i32::from(scale) + octaves + ONE_STEP).clamp(1, 63) as u8,
        }
    }
}
