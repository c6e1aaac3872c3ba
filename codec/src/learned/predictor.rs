//! The two networks of a model: one that looks at a whole pass, one that speaks of every point (SPEC §8.8).
use super::causal::{CAUSAL, LATE, LATE_PAIRS};
use super::features::{CHANNELS, CONDITIONS, Features};
use crate::Error;
use crate::network::{Chain, Model, ModelId, Network, Scratch, Sums};
use std::cell::RefCell;

/// Names of the network that looks at a pass and of the one that speaks of a point.
const NAMES: [&str; 2] = ["passes", "points"];

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// A model that guides interpolation.
pub struct Predictor {
    id: ModelId,
    trunk: Network,
    head: Chain<LATE_PAIRS>,
    width: usize,
}

impl Predictor {
    /// Of a model that has the two networks in the shapes that are needed.
    ///
    /// Errors: [`Error::Unsupported`] if it has not.
    pub fn new(model: &Model) -> Result<Predictor, Error> {
        Predictor::named(model, NAMES, 0)
    }

    /// The same of networks of these names, the first of which sees `more` channels after those of the pass.
    pub(super) fn named(model: &Model, names: [&str; 2], more: usize) -> Result<Predictor, Error> {
        let other = || Error::Unsupported { feature: format!("what model {} is for", model.id()) };
        let network = |name: &str| model.network(name).map_err(|_| other());
        let trunk = network(names[0])?.clone();
        let width = trunk.output_channels();
        let (g, shape) = (trunk.graph(), [2, 3, 5, 7]);
        let fits = g.channels == CHANNELS + more
            && g.conditions == CONDITIONS
            && trunk.output_shape(shape).ok() == Some(shape);
        let head = network(names[1])?;
        let speaks = head.graph().channels == width + CAUSAL && head.output_channels() == 2;
        if !fits || !speaks {
            return Err(other());
        }
        let head = Chain::new(head, &LATE.map(|c| width + c))?;
        Ok(Predictor { id: model.id(), trunk, head, width })
    }

    /// The model's name.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Looks at a pass: `hidden` becomes what it remembers of every point.
    pub fn look(&self, f: &Features, hidden: &mut Vec<i16>) {
        SCRATCH.with_borrow_mut(|scratch| {
            // Cannot fail: shapes were checked with the model. Were it to fail, nothing would be remembered.
            if self.trunk.run(&f.data, f.shape, f.condition, scratch).is_ok() {
                scratch.exchange(hidden);
            } else {
                hidden.clear();
                hidden.resize(f.amplitude.len() * self.width, 0);
            }
        });
    }

    /// Channels that it remembers of a point.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Values from a point to the next in what is known before points are decoded: those that are remembered, then those
    /// of rows before.
    pub fn step(&self) -> usize {
        self.head.step()
    }

    /// Sums what is known of points.
    pub fn sum(&self, known: &mut [i16], sums: &mut Sums) {
        self.head.look(known, sums);
    }

    /// Of point `k` of those: correction, in 1/256 of the amplitude, and log2 of the scale, in amplitudes and quarters of
    /// octaves.
    #[inline]
    pub fn say(&self, known: &[i16], sums: &Sums, k: usize, late: &[[i16; 2]; LATE_PAIRS]) -> [i16; 2] {
        self.head.run(known, sums, k, late)
    }
}
