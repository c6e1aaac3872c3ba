//! The entropy coder: adaptive binary contexts, logistically mixed, over constriction's range coder (SPEC §7).
//!
//! Every state is an integer, so that encoder and decoder agree on any machine.
mod bits;
mod delta;
mod estimate;
mod latent_tables;
mod mixer;
mod mixture;
mod priming;
mod priors;
pub mod rans;
mod residual;
mod states;
mod tables;
pub mod tokens;

pub use bits::{BitCoder, BitDecoder, BitEncoder, CostCounter, SYMBOLS, Silence};
pub use delta::{read_delta, write_delta};
pub use estimate::Estimate;
pub use latent_tables::{ABOVE, LEAST, LatentTables};
pub use mixer::{Counter, Mixer};
pub use mixture::Mixture;
pub use priors::{Left, Lesson, Priors, Start};
pub use residual::{Aside, CONTEXTS, Magnitude, ResidualCoder, Residuals, SIGN_CONTEXTS, log_class};
pub use states::{MIXED, Place, Row, SIGNS, States};
pub use tables::squash;
