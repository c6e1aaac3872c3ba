//! The bases: what predicts a chunk (SPEC §8).
pub mod companion;
mod contexts;
mod geometry;
mod integers;
pub mod interpolation;
pub(crate) mod least_squares;
pub mod lossless;
pub mod quantiser;
pub mod raster;
mod rows;
pub mod tabled;
pub mod tucker;
mod tucker_axes;
pub mod tucker_search;
pub mod wavelet;
pub(crate) mod wavelet_bands;
pub(crate) mod wavelet_coding;
mod wavelet_correct;
mod wavelet_fill;
mod wavelet_guess;
mod wavelet_guided;
mod wavelet_probe;
mod wavelet_quick;
pub(crate) mod wavelet_runs;
mod wavelet_search;
mod wavelet_transform;

pub use geometry::Geometry;
