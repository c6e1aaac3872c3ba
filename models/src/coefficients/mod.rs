//! A small network that is asked about every coefficient of a wavelet: how likely it is to be 0, and how large it is otherwise.
//!
//! It is far smaller than the networks that guide interpolation, and what it learns from does not depend on it: chunks are coded
//! once, and a run takes minutes.
mod export;
mod loss;
mod network;
mod run;
mod samples;
mod trainer;

pub use run::{CURVE, CoefficientEvent, CoefficientOptions, CoefficientReport, WEIGHTS, train_coefficients};
pub use samples::Piece;
