//! What can go wrong, by who is at fault.
use std::{io, path::PathBuf};

/// Errors of this library. They do not name the file: whoever opened it knows its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes are not what the format says they must be.
    #[error("{what} at byte {offset}")]
    Corrupt {
        /// What was found, and what was expected.
        what: String,
        /// Where, from the start of the file.
        offset: u64,
    },
    /// The file ends before its data does.
    #[error("truncated: the data needs {need} bytes, the file has {have}")]
    Truncated {
        /// Bytes that the header or the caller's shape asks for.
        need: u64,
        /// Bytes that there are.
        have: u64,
    },
    /// Valid, but of a kind that scicodec does not read.
    #[error("unsupported: {feature}")]
    Unsupported {
        /// The kind, as the file names it.
        feature: String,
    },
    /// The caller's arguments make no sense together, or do not fit the file.
    #[error("{0}")]
    InvalidArgument(String),
    /// This destination exists, and overwriting was not asked for.
    #[error("already exists; not overwritten")]
    Exists(PathBuf),
    /// A file that a library could not read or write, in its words.
    #[error("{what}: {message}")]
    Library {
        /// The kind of file.
        what: &'static str,
        /// What the library says.
        message: String,
    },
    /// From the codec, about a `.scz` file.
    #[error(transparent)]
    Codec(#[from] scicodec::Error),
}

impl Error {
    /// This program was built without what reads or writes such files.
    #[cfg(not(all(feature = "netcdf", feature = "zarr")))]
    pub(crate) fn without(feature: &str, what: &str) -> Error {
        Error::Unsupported { feature: format!("{what}: this program was built without the feature `{feature}`") }
    }
}
