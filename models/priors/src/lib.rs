//! Trains the states that the adaptive coders of integers start from (SPEC §9.5).
//!
//! A coder that starts with nothing pays for learning what is the same in most fields. A model can hold states instead:
//! [`prime`] codes many fields, gathers what the coders ended with, and fits a beginning to it.
mod fields;
mod fit;
mod prime;

pub use fields::{Array, variations};
pub use fit::{Gathered, Stage};
pub use prime::{BOUNDS, Progress, prime};
