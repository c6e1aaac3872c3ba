//! Ctrl-C, and the end that leaves no half file.
//!
//! A signal ends the program at once, and removes the temporary file that is under work. Where a file is appended to, or
//! is getting its name, it only raises a flag: sources and sinks look at it between boxes and fail, and the file is cut
//! back to what it was. That takes as long as the chunk under way.
use crate::{
    failure::{Failure, Outcome},
    text,
};
use scicodec::{DType, Source};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What a signal would leave behind.
enum UnderWork {
    Nothing,
    /// A file or folder to remove.
    Temporary(PathBuf),
    /// A file that only its owner can put right.
    Owned,
}

static RAISED: AtomicBool = AtomicBool::new(false);
static UNDER_WORK: Mutex<UnderWork> = Mutex::new(UnderWork::Nothing);

const MESSAGE: &str = "interrupted; nothing was written";

fn under_work() -> MutexGuard<'static, UnderWork> {
    UNDER_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn install() -> Outcome {
    ctrlc::set_handler(|| {
        // Held to the end: nobody begins or finishes a file meanwhile, or says a second time what is said here.
        let work = under_work();
        RAISED.store(true, Ordering::SeqCst);
        match &*work {
            UnderWork::Owned => return,
            UnderWork::Temporary(path) if path.is_dir() => drop(std::fs::remove_dir_all(path)),
            UnderWork::Temporary(path) => drop(std::fs::remove_file(path)),
            UnderWork::Nothing => {}
        }
        text::remark(&format!("scicodec: error: {MESSAGE}"));
        std::process::exit(1);
    })
    .map_err(Failure::new)
}

/// A file is under work: a temporary one, or one that only its owner can put right.
pub fn writing(temporary: Option<&Path>) {
    *under_work() = temporary.map_or(UnderWork::Owned, |path| UnderWork::Temporary(path.to_owned()));
}

/// The file is about to get its name, unless a signal has come. From here on a signal comes too late.
pub fn finishing() -> Outcome {
    *under_work() = UnderWork::Owned;
    if RAISED.load(Ordering::SeqCst) { Err(Failure::new(MESSAGE)) } else { Ok(()) }
}

/// Whether a signal has come while a file was under work that only its owner can put right.
pub fn raised() -> bool {
    RAISED.load(Ordering::Relaxed)
}

/// The signal has been heeded: what is said from here on is said as it is.
pub fn heeded() {
    RAISED.store(false, Ordering::SeqCst);
}

/// What to say of a failure: one that came of a signal has only that reason.
pub fn reason(failure: &Failure) -> &str {
    if !RAISED.load(Ordering::SeqCst) {
        return &failure.message;
    }
    // A signal that ends the program says so itself, and never lets go of this.
    drop(under_work());
    MESSAGE
}

fn check() -> io::Result<()> {
    // Not `ErrorKind::Interrupted`: that one means "try again" to everybody.
    if RAISED.load(Ordering::Relaxed) { Err(io::Error::other("interrupted")) } else { Ok(()) }
}

/// A source that fails once a signal has come, and remembers whether it failed.
pub struct Interruptible<'a> {
    source: &'a dyn Source,
    failed: AtomicBool,
}

impl<'a> Interruptible<'a> {
    pub fn new(source: &'a dyn Source) -> Self {
        Interruptible { source, failed: AtomicBool::new(false) }
    }

    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Source for Interruptible<'_> {
    fn dtype(&self) -> DType {
        self.source.dtype()
    }

    fn shape(&self) -> &[u64] {
        self.source.shape()
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        let read = check().map_err(Into::into).and_then(|()| self.source.read(start, extent, out));
        if read.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        read
    }
}

/// A sink that fails once a signal has come.
pub struct InterruptibleSink<W>(pub W);

impl<W: Write> Write for InterruptibleSink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        check()?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
