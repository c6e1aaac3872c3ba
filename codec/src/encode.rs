//! Writing files: under a temporary name that is renamed at the end, or past the end of a file that stays valid.
use crate::report::{FileReport, VariableReport};
use crate::{EncodeOptions, Error, Progress, Source, VariableMeta, session::Session};
use scicodec_format::{Container, Limits};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What to do where the destination exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it, with an error.
    #[default]
    Refuse,
    /// Replace it, at the moment the new file is complete.
    Replace,
}

/// Writes a file variable by variable, with memory for a few chunks per thread.
///
/// A new file is written to a temporary name beside its destination, and renamed by [`Encoder::finish`]. Dropped
/// without `finish`, or after an error, nothing is left behind: the temporary file is removed, or a file that was
/// appended to is cut back to what it was. Should the process be killed while appending, the file keeps all it had and
/// every chunk that was complete; [`crate::recover`] gets at them.
///
/// The bytes depend on the values and options alone, not on threads or time.
pub struct Encoder {
    /// `None` only while `finish` takes it apart.
    session: Option<Session<BufWriter<File>>>,
    target: Target,
    path: PathBuf,
}

enum Target {
    /// A temporary file to rename.
    New {
        temporary: PathBuf,
        overwrite: Overwrite,
    },
    /// A file that was this long.
    Append {
        length: u64,
    },
    Finished,
}

impl Encoder {
    /// Starts a new file. Errors: `Io`, with `AlreadyExists` where the destination exists and may not be replaced.
    pub fn create(path: &Path, overwrite: Overwrite) -> Result<Encoder, Error> {
        check_free(path, overwrite)?;
        let (file, temporary) = temporary_beside(path)?;
        // From here on dropping removes the temporary file.
        let mut encoder =
            Encoder { session: None, target: Target::New { temporary, overwrite }, path: path.to_path_buf() };
        encoder.session = Some(Session::create(BufWriter::new(file))?);
        Ok(encoder)
    }

    /// Goes on with a file that is there. Its bytes are not changed: more are written behind them, the new index last.
    ///
    /// Errors: those of [`crate::Reader::open`]; `InvalidArgument` where another process is appending.
    pub fn append(path: &Path) -> Result<Encoder, Error> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(Error::InvalidArgument(format!("{} is being appended to by another process", path.display())));
        }
        let container = Container::open(path, Limits::default())?;
        let length = file.seek(SeekFrom::End(0))?;
        if length != container.length() {
            return Err(Error::InvalidArgument(format!("{} changed while it was opened", path.display())));
        }
        let session = Some(Session::resume(BufWriter::new(file), container)?);
        Ok(Encoder { session, target: Target::Append { length }, path: path.to_path_buf() })
    }

    /// Adds a variable.
    ///
    /// With a bound that speaks of the variable's range or size the source is read twice. Each chunk is written only
    /// after its bound has been checked on decoded values. Errors: those of the source; `InvalidArgument` for bounds,
    /// chunk shapes, fill values and names that make no sense; `Io`. After an error the file cannot be finished.
    pub fn add_variable(
        &mut self,
        meta: &VariableMeta,
        source: &dyn Source,
        options: &EncodeOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<VariableReport, Error> {
        self.session()?.add_variable(meta, source, options, progress)
    }

    /// Adds more indices along axis 0 to a variable: same dtype, same other extents, same bound as asked.
    ///
    /// A bound that speaks of the range keeps the range of the variable's first segment. `l2` cannot be extended.
    pub fn extend_variable(
        &mut self,
        name: &str,
        source: &dyn Source,
        options: &EncodeOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<VariableReport, Error> {
        self.session()?.extend_variable(name, source, options, progress)
    }

    fn session(&mut self) -> Result<&mut Session<BufWriter<File>>, Error> {
        self.session.as_mut().ok_or_else(|| Error::InvalidArgument("the file is finished".into()))
    }

    /// The temporary name of a new file: what to remove where a process must end without dropping this.
    pub fn temporary_path(&self) -> Option<&Path> {
        match &self.target {
            Target::New { temporary, .. } => Some(temporary),
            Target::Append { .. } | Target::Finished => None,
        }
    }

    /// Writes the index, syncs, and puts a new file in its place.
    pub fn finish(mut self) -> Result<FileReport, Error> {
        let Some(mut session) = self.session.take() else {
            return Err(Error::InvalidArgument("the file is finished".into()));
        };
        if let Target::Append { .. } = self.target {
            // The data are on disk before the index that speaks of them.
            io::Write::flush(session.sink())?;
            session.sink().get_ref().sync_data()?;
        }
        let (out, length) = session.finish()?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        if let Target::New { temporary, overwrite } = &self.target {
            check_free(&self.path, *overwrite)?;
            fs::rename(temporary, &self.path)?;
        }
        self.target = Target::Finished;
        Ok(FileReport { path: std::mem::take(&mut self.path), length })
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // What is buffered is dropped unwritten where it can be; errors have nobody to go to.
        match &self.target {
            Target::New { temporary, .. } => {
                self.session = None;
                let _ = fs::remove_file(temporary);
            }
            Target::Append { length } => {
                self.session = None;
                let _ = OpenOptions::new().write(true).open(&self.path).and_then(|f| f.set_len(*length));
            }
            Target::Finished => {}
        }
    }
}

/// Encodes one variable into bytes of a whole file.
pub fn encode_to_vec(meta: &VariableMeta, source: &dyn Source, options: &EncodeOptions) -> Result<Vec<u8>, Error> {
    let mut session = Session::create(vec![])?;
    session.add_variable(meta, source, options, &|_| {})?;
    Ok(session.finish()?.0)
}

pub(crate) fn check_free(path: &Path, overwrite: Overwrite) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e.into()),
        Ok(_) if overwrite == Overwrite::Refuse => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", path.display())).into())
        }
        Ok(m) if m.is_file() || m.is_symlink() => Ok(()),
        Ok(_) => Err(Error::InvalidArgument(format!("{} is not a file", path.display()))),
    }
}

/// A new file beside `path`, of a name that no other process or thread uses.
pub(crate) fn temporary_beside(path: &Path) -> Result<(File, PathBuf), Error> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(Error::InvalidArgument(format!("{} is no file name", path.display())));
    };
    loop {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{}.tmp", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
        let temporary = path.with_file_name(hidden);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e.into()),
        }
    }
}
