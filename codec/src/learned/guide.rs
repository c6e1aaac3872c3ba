//! What a network says of the points of a pass, one after another (SPEC §8.8.3).
use super::ahead::{Ahead, Place};
use super::causal::{Above, Beside};
use super::features::{Features, lg};
use super::latents::Field;
use super::predictor::Predictor;
use super::samples::Recorder;
use crate::base::Geometry;
use crate::base::interpolation::Pass;
use crate::entropy::Left;
use std::sync::Arc;

/// Goes through the passes of a chunk together with interpolation.
pub struct Guide<'a> {
    /// The network that speaks, and what it remembers of the pass.
    predictor: Option<&'a Predictor>,
    hidden: Vec<i16>,
    /// What latents say, where there are some.
    told: Option<Field>,
    /// Who writes down what a network should have said.
    recorder: Option<&'a mut Recorder>,
    /// What was said of the chunk before, or where what is said now is to be left.
    said: Option<&'a Said>,
    /// What is said now.
    saying: Vec<Hint>,
    /// So many points of those of which something was said before are behind.
    past: usize,
    /// So many of the finest levels are guided.
    levels: u32,
    features: Features,
    ahead: Ahead,
    /// Number of the row's first point in the pass.
    first: usize,
}

/// What is said of a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hint {
    /// To be added to the prediction.
    pub correction: f64,
    /// Index of the expected magnitude, in quarters of octaves; 0 if nothing is said.
    pub scale: u8,
}

/// What a network says of a chunk's points, in the order in which it is asked. It depends on what is decoded and on nothing
/// of how that is coded: whoever codes a chunk again with the same predictions need not ask.
#[derive(Debug)]
pub enum Said {
    /// Known.
    Before(Arc<[Hint]>),
    /// To be left here in the end.
    Now(Left<Vec<Hint>>),
}

/// Index of a scale of one step.
const ONE_STEP: i32 = 16;

impl<'a> Guide<'a> {
    /// Guides the finest levels of a chunk of so many points by a network.
    pub fn new(predictor: &'a Predictor, points: usize, levels: u32) -> Guide<'a> {
        Guide::of(Some(predictor), None, points, levels)
    }

    /// Lets the network see what latents say of every point: as many channels as it sees more than those of a pass.
    pub fn told(mut self, told: Option<Field>) -> Guide<'a> {
        self.told = told;
        self
    }

    /// Says what was said before, or keeps what is said.
    pub fn remembering(mut self, said: Option<&'a Said>) -> Guide<'a> {
        self.said = said;
        self
    }

    /// Writes down what should have been said; guides by a network, or not at all.
    pub fn recording(
        recorder: &'a mut Recorder,
        predictor: Option<&'a Predictor>,
        points: usize,
        levels: u32,
    ) -> Guide<'a> {
        Guide::of(predictor, Some(recorder), points, levels)
    }

    fn of(
        predictor: Option<&'a Predictor>,
        recorder: Option<&'a mut Recorder>,
        points: usize,
        levels: u32,
    ) -> Guide<'a> {
        let (hidden, ahead) = Default::default();
        // The last passes of a level add half of the points.
        let features = Features::with_room(points.div_ceil(2));
        let (said, saying, past) = (None, vec![], 0);
        Guide { predictor, hidden, told: None, recorder, said, saying, past, levels, features, ahead, first: 0 }
    }

    /// Whether passes of this level are guided.
    pub fn covers(&self, level: u32) -> bool {
        level <= self.levels
    }

    /// Whether it looks at anything: not where all was said before.
    pub fn looks(&self) -> bool {
        !matches!(self.said, Some(Said::Before(_)))
    }

    /// Starts a pass that is covered. `step` is that of its quantiser.
    pub fn enter(&mut self, g: &Geometry, pass: &Pass, order: &[u8], step: f64, values: &[f64], codes: &[i16]) {
        if !self.looks() {
            return;
        }
        self.features.enter(g, pass, order, step, values, codes);
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(&self.features, self.features.places(g, pass));
        }
        if let Some(told) = &self.told {
            let places = self.features.places(g, pass);
            self.features.extend(&places, told.channels(), |i, out| told.at(i, out));
        }
        if let Some(predictor) = self.predictor {
            predictor.look(&self.features, &mut self.hidden);
        }
    }

    /// Starts a row of so many points of the pass, where it looks at any: what is decoded around them in rows before is to be
    /// put here.
    pub fn start(&mut self, count: usize) -> &mut Above {
        self.ahead.start(count)
    }

    /// Looks at that row. The first point has these coordinates.
    pub fn look(&mut self, pass: &Pass, at: [usize; 3]) {
        let first = self.features.number(pass, &[at[0], at[1], at[2], pass.start[3]]);
        let place = Place { first, apart: self.features.stride[3] };
        self.ahead.look(&self.features, place, self.predictor, &self.hidden);
        self.first = first;
    }

    /// What is said of point `k` of the row. `missing` is what the prediction so far misses, if that is known.
    #[inline]
    pub fn point(&mut self, k: usize, beside: &Beside, step: f64, missing: f64) -> Hint {
        if let Some(Said::Before(all)) = self.said {
            let hint = all.get(self.past).copied().unwrap_or_default();
            self.past += 1;
            return hint;
        }
        let hint = self.ask(k, beside, step, missing);
        if self.said.is_some() {
            self.saying.push(hint);
        }
        hint
    }

    /// Leaves what was said, where that is to be kept.
    pub fn leave(self) {
        if let Some(Said::Now(left)) = self.said {
            left.push(self.saying);
        }
    }

    /// Asks the network. In one place only: decoding spends its time here.
    #[inline(always)]
    fn ask(&mut self, k: usize, beside: &Beside, step: f64, missing: f64) -> Hint {
        let (amplitude, lg_amplitude) = self.ahead.amplitude(k);
        if amplitude <= 0.0 {
            return Hint::default();
        }
        let late = self.ahead.late(k, beside, step);
        if let Some(recorder) = &mut self.recorder {
            let number = self.first + k * self.features.stride[3];
            recorder.point(number, &self.ahead.causal(k, &late), missing / amplitude, 0.5 * step / amplitude);
        }
        let Some(predictor) = self.predictor else { return Hint::default() };
        let [correction, scale] = self.ahead.say(predictor, k, &late);
        let octaves = (lg_amplitude - lg(step)) >> 4;
        Hint {
            correction: f64::from(correction) * (amplitude * 0.00390625),
            scale: (i32::from(scale) + octaves + ONE_STEP).clamp(1, 63) as u8,
        }
    }
}
