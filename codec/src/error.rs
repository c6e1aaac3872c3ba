//! What can go wrong, by who is at fault.

/// Errors of this library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The container or a payload header is not what SPEC says it must be, or the file has no index.
    #[error(transparent)]
    Container(scicodec_format::Error),
    /// The bytes are not what SPEC says they must be.
    #[error("corrupt data: {what} (SPEC §{section})")]
    Corrupt {
        /// What is wrong.
        what: String,
        /// The section of SPEC.md that the bytes break.
        section: &'static str,
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
    /// A chunk was lost before the file was recovered; the others can be decoded by region.
    #[error("chunk {chunk} of variable {variable:?} was lost (the file was recovered): decode a region without it")]
    MissingChunk {
        /// Name of the variable.
        variable: String,
        /// Ordinal of the chunk.
        chunk: u64,
    },
    /// A chunk that another cannot be decoded without was lost before the file was recovered.
    #[error(
        "chunk {child} of variable {child_variable:?} cannot be decoded without chunk {chunk} of variable {variable:?}, which \
         was lost (the file was recovered)"
    )]
    MissingReference {
        /// Name of the variable whose chunk was lost.
        variable: String,
        /// Ordinal of the chunk that was lost.
        chunk: u64,
        /// Name of the variable whose chunk needs it.
        child_variable: String,
        /// Ordinal of the chunk that needs it.
        child: u64,
    },
    /// The caller's arguments make no sense together.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// A limit on memory or size would be exceeded.
    #[error("{what}: {asked} asked, over the limit of {limit}")]
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
    /// A model that the data was coded with is not at hand.
    #[error(
        "model {id} is missing: give its file (`--model FILE`), install it (`scicodec model import FILE`), or encode again \
         with `--embed-model`"
    )]
    ModelMissing {
        /// Which one: the digest of its file.
        id: String,
    },
    /// A model is at hand, but not the one that the data was coded with.
    #[error("model {wanted} is needed, and {given} was given")]
    ModelMismatch {
        /// Digest of the one that is needed.
        wanted: String,
        /// Digest of the one that is there.
        given: String,
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

impl From<scicodec_format::Error> for Error {
    fn from(e: scicodec_format::Error) -> Error {
        use scicodec_format::Error as F;
        match e {
            F::Io(e) => Error::Io(e),
            F::Truncated { what, need, have } => Error::Truncated { what, need, have },
            F::Unsupported { feature } => Error::Unsupported { feature },
            F::Limit { what, limit, asked } => Error::Limit { what, limit, asked },
            F::InvalidArgument(what) => Error::InvalidArgument(what),
            other => Error::Container(other),
        }
    }
}
