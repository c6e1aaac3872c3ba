//! The bases: what predicts a chunk (SPEC §6).
mod geometry;
pub mod interpolation;
pub mod quantiser;

pub use geometry::Geometry;
