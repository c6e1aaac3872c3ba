//! The bases: what predicts a chunk (SPEC §6).
mod contexts;
mod geometry;
pub mod interpolation;
mod least_squares;
pub mod lossless;
pub mod quantiser;
pub mod raster;

pub use geometry::Geometry;
pub use contexts::CONTEXTS;
