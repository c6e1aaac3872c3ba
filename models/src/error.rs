//! What can go wrong in training, by who can mend it.
use thiserror::Error as ThisError;

/// Why training or export stopped.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing a file failed.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The caller asked for what does not make sense.
    #[error("{0}")]
    InvalidArgument(String),
    /// A checkpoint or configuration is not what this version writes or reads.
    #[error("{path}: {what}")]
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The device asked for is not in this build, or not there.
    #[error("no device {device}: {why}")]
    NoDevice {
        /// Its name.
        device: String,
        /// What is missing.
        why: String,
    },
    /// Losses or gradients stayed NaN or infinite although steps were skipped and the last checkpoint restored.
    #[error("training diverged at step {step}: the loss is not finite, also after going back {restores} times")]
    Diverged {
        /// The step at which it was given up.
        step: u64,
        /// How often the last good weights were restored.
        restores: u32,
    },
    /// The codec could not encode a training field.
    #[error(transparent)]
    Codec(#[from] scicodec::Error),
}

impl Error {
    /// For `map_err`: an input or output error about a file.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
        move |error| Error::Io { path: path.display().to_string(), error }
    }
}
