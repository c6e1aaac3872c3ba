//! Networks, training, fine-tuning and export for scicodec: the only crate that may name `burn`.
//!
//! Everything here is behind a feature: `flex` trains on the CPU in Rust alone, `tch` through libtorch, on the CPU or with
//! CUDA. Without either the crate is empty: encoding and decoding never need it.
#![cfg(feature = "flex")]

mod checkpoint;
mod coded;
mod coefficients;
mod config;
mod curve;
mod depthwise;
mod device;
mod error;
mod export;
mod export_latents;
mod field;
mod integer;
mod item;
mod latents;
mod loss;
mod network;
mod parameters;
mod pool;
mod run;
mod tensors;
mod trainer;
mod validate;
mod weights;

pub use checkpoint::{Best, Checkpoint, Standing};
pub use coded::{CODED_BOUNDS, CodedScore, CodedValidation};
pub use coefficients::{
    CURVE, CoefficientEvent, CoefficientOptions, CoefficientReport, Piece, WEIGHTS, train_coefficients,
};
pub use config::{Config, TrainingConfig};
pub use device::device;
pub use error::Error;
pub use export::{CORRECTION_UNIT, NETWORK_NAMES, SCALE_UNIT};
pub use field::TrainingField;
pub use integer::run_integers;
pub use latents::LatentConfig;
pub use network::{NetworkConfig, Spatial};
pub use run::{CHECKPOINT, Event, RunOptions, RunReport, run, split};
pub use trainer::{Step, Trainer, Until};
pub use validate::{BOUNDS, Score, Validation};
pub use weights::{CARD, FLOATS, MODEL};
