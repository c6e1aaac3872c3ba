//! The learned base: interpolation guided by a network (SPEC §8.8).
mod causal;
mod features;
mod guide;
mod models;
mod predictor;
mod samples;

pub use causal::{BEFORE, CAUSAL, Surroundings};
pub use features::{CHANNELS, CONDITIONS, Features, UNIT};
pub use guide::{Guide, Hint};
pub use models::{ModelNumber, builtin};
pub use predictor::Predictor;
pub use samples::{PassSample, Setting, samples};
