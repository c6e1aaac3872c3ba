//! Seeded solvers of textbook flows, waves and reactions: fields to train models on, as many as are wanted.
//!
//! [`simulate`] draws the parameters of a [`Kind`] from a seed, runs its solver and gives the recorded [`Field`]s. One
//! thread computes, without SIMD kernels chosen at run time: one seed gives the same bits, run after run, on one machine.
//! (Sines and exponentials come from the platform's maths library, so that other machines may differ in last bits.)
//!
//! Lengths are in units of the shorter side of the grid, whose cells are square; each module states its equations, units
//! and reference. Shapes are slowest axis first: frames, then y, x or z, y, x.
mod acoustic_elastic;
mod advection;
mod convection;
mod error;
mod field;
mod finite_volume;
mod flame;
mod flow2d;
mod gray_scott;
mod grid;
mod integrate;
mod kind;
mod mhd;
mod modes;
mod random;
mod rayleigh_taylor;
mod shallow_water;
mod solver;
mod spectral;
mod transport;
mod turbulence2d;
mod turbulence3d;

pub use error::Error;
pub use field::{Field, Setup};
pub use kind::{Kind, simulate};
