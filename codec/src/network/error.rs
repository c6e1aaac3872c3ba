//! A refusal before it is known whose fault it is: the file's, or the caller's who built the network.
use crate::Error;

/// Why a network or a model is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It breaks a rule of a section of SPEC.
    Wrong(String, &'static str),
    /// It is larger than it may be.
    Limit { what: &'static str, limit: u64, asked: u64 },
    /// It needs a later version.
    Unsupported(String),
    /// It ends early.
    Truncated { what: &'static str, need: u64, have: u64 },
    /// The model that it stands on cannot be had.
    Other(Error),
}

impl Refusal {
    /// The error of reading a file.
    pub(super) fn of_file(self) -> Error {
        match self {
            Refusal::Wrong(what, section) => Error::Corrupt { what, section },
            Refusal::Limit { what, limit, asked } => Error::Limit { what, limit, asked },
            Refusal::Unsupported(feature) => Error::Unsupported { feature },
            Refusal::Truncated { what, need, have } => Error::Truncated { what, need, have },
            Refusal::Other(e) => e,
        }
    }

    /// The error of building a network.
    pub(super) fn of_caller(self) -> Error {
        match self {
            Refusal::Wrong(what, section) => Error::InvalidArgument(format!("{what} (SPEC §{section})")),
            other => other.of_file(),
        }
    }
}

pub(super) fn wrong<T>(section: &'static str, what: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Wrong(what.into(), section))
}

/// Refuses what is above a limit.
pub(super) fn within(what: &'static str, asked: u64, limit: u64) -> Result<(), Refusal> {
    if asked > limit { Err(Refusal::Limit { what, limit, asked }) } else { Ok(()) }
}
