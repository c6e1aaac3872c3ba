//! Rebuilding a damaged or interrupted file.
use crate::encode::{Overwrite, check_free, temporary_beside};
use crate::{Error, Limits};
use scicodec_format::Container;
use std::io::{self, BufWriter};
use std::{fs, path::Path};

pub use scicodec_format::{Recovered as RecoverReport, RecoveredVariable};

/// Writes everything intact of a damaged or interrupted file to a new one, which must not exist yet.
///
/// Chunks that are lost stay marked as such; the others decode as before. Of chunks whose index is lost the error that
/// was achieved and the extremes are not known any more. Errors: `Io`; `Limit`.
pub fn recover(input: &Path, output: &Path) -> Result<RecoverReport, Error> {
    recover_to(input, output, Overwrite::Refuse)
}

/// [`recover`], with a choice of what to do where the output exists. Input and output may be the same file.
pub fn recover_to(input: &Path, output: &Path, overwrite: Overwrite) -> Result<RecoverReport, Error> {
    check_free(output, overwrite)?;
    let bytes = Container::map_unchecked(input)?;
    let (file, temporary) = temporary_beside(output)?;
    let written = scicodec_format::recover(&bytes, &Limits::default(), BufWriter::new(file))
        .map_err(Error::from)
        .and_then(|(out, report)| {
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            check_free(output, overwrite)?;
            fs::rename(&temporary, output)?;
            Ok(report)
        });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
