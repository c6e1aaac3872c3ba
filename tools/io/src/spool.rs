//! A stream, made seekable.
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// Copies a stream into an unnamed temporary file, which the system frees however this process ends.
pub(crate) fn spool(stream: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(stream, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
