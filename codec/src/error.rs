//! What can go wrong, by who is at fault.

/// Errors of this library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not what SPEC says they must be.
    #[error("corrupt data: {what} (SPEC §{section})")]
    Corrupt {
        /// What is wrong.
        what: String,
        /// The section of SPEC.md that the bytes break.
        section: &'static str,
    },
    /// The caller's arguments make no sense together.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// A limit on memory or size would be exceeded.
    #[error("{what} is {asked}, over the limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What the data asks for.
        asked: u64,
    },
    /// Valid, but of a kind that this version does not know.
    #[error("unsupported: {feature}")]
    Unsupported {
        /// The unknown feature.
        feature: String,
    },
    /// The encoder could not keep the bound: a defect of the encoder, so nothing is written.
    #[error("the error bound could not be kept: asked {asked}, got {got}")]
    BoundNotMet {
        /// The limit.
        asked: f64,
        /// The error that was made.
        got: f64,
    },
}
