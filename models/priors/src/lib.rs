//! Trains the states that the adaptive coders of integers start from (SPEC §9.5).
//!
//! A coder that starts with nothing pays for learning what is the same in most fields. A model can hold states instead:
//! [`prime`] codes many fields, gathers what the coders ended with, and fits a beginning to it.
mod fields;
mod finetune;
mod fit;
mod journal;
mod means;
mod pieces;
mod prime;
mod tune;
mod view;

pub use fields::{Array, variations};
pub use finetune::{
    FinetuneError, FinetuneOptions, MOST_PIECES, Outcome, Sizes, Stage as FinetuneStage, Subject, finetune,
};
pub use fit::{Gathered, Stage};
pub use prime::{BOUNDS, Progress, prime};
pub use tune::{Knob, Seen, tune};
