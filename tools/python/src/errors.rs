//! Errors of the library as exceptions of one family, with the same words.
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use scicodec::Error;

/// The exception for an error; `about` names the file that it is about.
pub fn exception(py: Python<'_>, error: &Error, about: Option<&str>) -> PyErr {
    let words = match about {
        Some(name) => format!("{name}: {error}"),
        None => error.to_string(),
    };
    make(py, class(error), &words).unwrap_or_else(|_| PyRuntimeError::new_err(words))
}

fn make(py: Python<'_>, class: &str, words: &str) -> PyResult<PyErr> {
    let class = py.import("scicodec._errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call1((words,))?))
}

/// The class in `scicodec._errors`.
fn class(error: &Error) -> &'static str {
    use std::io::ErrorKind;
    match error {
        Error::Io(e) => match e.kind() {
            ErrorKind::NotFound => "NotFoundError",
            ErrorKind::AlreadyExists => "ExistsError",
            _ => "IoError",
        },
        Error::Container(scicodec::format::Error::Torn) => "TornError",
        Error::Container(_) | Error::Corrupt { .. } => "CorruptError",
        Error::Truncated { .. } => "TruncatedError",
        Error::MissingChunk { .. } | Error::MissingReference { .. } => "MissingChunkError",
        Error::InvalidArgument(_) => "InvalidArgumentError",
        Error::Limit { .. } => "LimitError",
        Error::Unsupported { .. } => "UnsupportedError",
        Error::ModelMissing { .. } => "ModelMissingError",
        Error::ModelMismatch { .. } => "ModelMismatchError",
        Error::BoundNotMet { .. } => "BoundNotMetError",
        _ => "Error",
    }
}
