//! The learned base: interpolation whose passes are guided by a network (SPEC §8.8).
mod features;
mod samples;

pub use features::{CHANNELS, CONDITIONS, Features, UNIT};
pub use samples::{PassSample, Setting, samples};
