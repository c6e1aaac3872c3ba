//! Writing decoded arrays: a file appears under its name only when it is whole.
use crate::{ByteOrder, Error, array_file::swap_bytes, npy};
use scicodec::DType;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// Whether an existing file may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It may.
    Allow,
    /// It is an error.
    Refuse,
}

/// A file being written under a temporary name next to its destination.
///
/// [`OutputFile::finish`] gives it its name; dropped before that, it leaves nothing behind. A destination that is no
/// regular file (`/dev/null`, a pipe) is written directly.
#[derive(Debug)]
pub struct OutputFile {
    inner: Inner,
    destination: PathBuf,
    overwrite: Overwrite,
}

#[derive(Debug)]
enum Inner {
    Temporary(BufWriter<NamedTempFile>),
    Direct(BufWriter<File>),
}

impl OutputFile {
    /// Begins a file. Errors: `Exists` where the destination exists and may not be replaced, `Io`.
    pub fn create(destination: &Path, overwrite: Overwrite) -> Result<OutputFile, Error> {
        let inner = match std::fs::metadata(destination) {
            Ok(meta) if meta.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory).into()),
            Ok(meta) if !meta.is_file() => {
                Inner::Direct(BufWriter::new(OpenOptions::new().write(true).open(destination)?))
            }
            Ok(_) if overwrite == Overwrite::Refuse => return Err(Error::Exists(destination.to_owned())),
            _ => Inner::Temporary(BufWriter::with_capacity(1 << 18, temporary_beside(destination)?)),
        };
        Ok(OutputFile { inner, destination: destination.to_owned(), overwrite })
    }

    /// The temporary name, while there is one.
    pub fn temporary_path(&self) -> Option<&Path> {
        match &self.inner {
            Inner::Temporary(f) => Some(f.get_ref().path()),
            Inner::Direct(_) => None,
        }
    }

    /// Writes out what is buffered and gives the file its name.
    pub fn finish(self) -> Result<(), Error> {
        match self.inner {
            Inner::Direct(mut f) => Ok(f.flush()?),
            Inner::Temporary(f) => {
                let file = f.into_inner().map_err(|e| e.into_error())?;
                file.as_file().sync_all()?;
                let kept = match self.overwrite {
                    Overwrite::Allow => file.persist(&self.destination),
                    Overwrite::Refuse => file.persist_noclobber(&self.destination),
                };
                match kept {
                    Ok(_) => Ok(()),
                    Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists(self.destination)),
                    Err(e) => Err(e.error.into()),
                }
            }
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Temporary(f) => f.write(bytes),
            Inner::Direct(f) => f.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Temporary(f) => f.flush(),
            Inner::Direct(f) => f.flush(),
        }
    }
}

fn temporary_beside(destination: &Path) -> io::Result<NamedTempFile> {
    let folder = match destination.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(destination.file_name().unwrap_or_default());
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    // A temporary file is private by default; this one becomes the user's file, with the permissions files have.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// What an array file looks like outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayFormat {
    /// npy version 1.
    Npy,
    /// Elements only.
    Raw,
}

impl ArrayFormat {
    /// `.npy` is npy; everything else is raw.
    pub fn of(path: &Path) -> ArrayFormat {
        match path.extension() {
            Some(e) if e.eq_ignore_ascii_case("npy") => ArrayFormat::Npy,
            _ => ArrayFormat::Raw,
        }
    }
}

/// Streams elements, C order and the machine's byte order, into a little-endian array file.
#[derive(Debug)]
pub struct ArrayWriter<W: Write> {
    inner: W,
    size: usize,
    pending: Vec<u8>,
}

impl<W: Write> ArrayWriter<W> {
    /// Writes the header, where the format has one.
    pub fn new(mut inner: W, format: ArrayFormat, dtype: DType, shape: &[u64]) -> io::Result<Self> {
        if format == ArrayFormat::Npy {
            inner.write_all(&npy::header(dtype, shape))?;
        }
        Ok(ArrayWriter { inner, size: dtype.size(), pending: Vec::new() })
    }

    /// The writer below, with everything passed on to it.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for ArrayWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if ByteOrder::NATIVE == ByteOrder::Little || self.size == 1 {
            return self.inner.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
        let whole = self.pending.len() - self.pending.len() % self.size;
        swap_bytes(&mut self.pending[..whole], self.size);
        self.inner.write_all(&self.pending[..whole])?;
        self.pending.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
