//! What can go wrong, by who is at fault.
use crate::Defect;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The bytes are not what SPEC says they must be.
    #[error("corrupt file at byte {offset}: {what} (SPEC §{})", what.section())]
    Corrupt {
        /// The way in which the file lies.
        what: Defect,
        /// Where: an offset from the start of the bytes that were given.
        offset: u64,
    },
    /// The bytes end before they should.
    #[error("truncated: {what} needs {need} bytes, {have} are there")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes needed.
        need: u64,
        /// Bytes there.
        have: u64,
    },
    /// The file starts as one of ours and has no index at its end: writing it was interrupted, or its tail was cut off.
    #[error(
        "the file has no index at its end, as after an interrupted write: `scicodec recover` rebuilds it (SPEC §6.7)"
    )]
    Torn,
    /// Valid, but of a kind that this version does not know.
    #[error("unsupported: {feature}")]
    Unsupported {
        /// The unknown feature.
        feature: String,
    },
    /// A limit of [`crate::Limits`] would be exceeded.
    #[error("{what}: {asked} asked, over the limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What the bytes ask for.
        asked: u64,
    },
    /// The caller's arguments make no sense together.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
}

pub(crate) fn corrupt<T>(what: Defect, offset: u64) -> Result<T, Error> {
    Err(Error::Corrupt { what, offset })
}
