//! The two networks of a model: one that looks at a whole pass, one that speaks of every point (SPEC §8.8).
use super::causal::CAUSAL;
use super::features::{CHANNELS, CONDITIONS, Features};
use crate::Error;
use crate::network::{Chain, Model, ModelId, Network, Scratch};
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
    head: Chain,
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
        let head = Chain::new(head)?;
        Ok(Predictor { id: model.id(), trunk, head, width })
    }

    /// The model's name.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Looks at a pass: `hidden` becomes what it remembers of every point.
    pub fn look(&self, f: &Features, hidden: &mut Vec<i16>) {
        hidden.clear();
        SCRATCH.with_borrow_mut(|scratch| {
            // Cannot fail: shapes were checked with the model. Were it to fail, nothing would be remembered.
            match self.trunk.run(&f.data, f.shape, f.condition, scratch) {
                Ok(out) => hidden.extend_from_slice(out),
                Err(_) => hidden.resize(f.amplitude.len() * self.width, 0),
            }
        });
    }

    /// Correction, in 1/256 of the amplitude, and log2 of the scale, in amplitudes and quarters of octaves.
    #[inline]
    pub fn point(&self, hidden: &[i16], k: usize, causal: &[i16; CAUSAL]) -> [i16; 2] {
        self.head.run(&[&hidden[k * self.width..][..self.width], causal])
    }
}
