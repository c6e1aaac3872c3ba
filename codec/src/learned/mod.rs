//! The learned base: interpolation guided by a network (SPEC §8.8).
mod ahead;
mod backgrounds;
mod causal;
mod coefficients;
mod features;
mod guide;
mod latent_inputs;
mod latents;
mod models;
mod predictor;
mod samples;
mod surroundings;

/// Most elements of a chunk that is guided: what a pass remembers of its points takes memory.
pub const MOST_VALUES: usize = 1 << 22;

pub use crate::entropy::{ABOVE, LatentTables};
pub use backgrounds::{Background, CodedBackground, MOST_BACKGROUND_VALUES};
pub(crate) use backgrounds::{read as read_backgrounds, write as write_backgrounds};
pub use causal::{Above, BEFORE, Beside, CAUSAL};
pub use coefficients::{COEFFICIENT_CHANNELS, COEFFICIENT_NETWORK, CoefficientSample, Coefficients};
pub(crate) use coefficients::{MAGNITUDES, Surroundings, ZEROS};
pub use features::{CHANNELS, CONDITIONS, Features, UNIT};
pub(crate) use guide::Said;
pub use guide::{Guide, Hint};
pub use latent_inputs::{INPUTS, latent_inputs};
pub use latents::{Field, LATENT_NETWORKS, LatentLattice, Latents, STRIDES, gain_of};
pub(crate) use models::{AtHand, Guiding, parent_that_ships, unasked};
pub use models::{DEFAULT, LoadedModel, ModelNumber, builtin, shipped};
pub use predictor::Predictor;
pub use samples::{PassSample, Setting, coefficient_samples, samples};
