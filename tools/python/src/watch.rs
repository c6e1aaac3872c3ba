//! Long calls that end when the user says so (Ctrl-C), or when Python code that they call fails.
use pyo3::prelude::*;
use scicodec::{DType, Error, Progress, Source};
use std::{
    cell::Cell,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often pending signals are looked for.
const PERIOD: Duration = Duration::from_millis(100);

/// The first exception that was raised meanwhile.
#[derive(Default)]
pub struct Watch {
    stopped: AtomicBool,
    exception: Mutex<Option<PyErr>>,
}

impl Watch {
    /// Keeps an exception; the reading of the source ends.
    pub fn stop(&self, exception: PyErr) {
        self.exception.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(exception);
        self.stopped.store(true, Ordering::Release);
    }

    pub fn take(&self) -> Option<PyErr> {
        self.exception.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A progress function that handles signals now and then. It must be called on the thread that Python called.
    pub fn signals(&self) -> impl Fn(Progress) {
        let last = Cell::new(Instant::now());
        move |_| {
            if last.get().elapsed() >= PERIOD {
                last.set(Instant::now());
                if let Err(e) = Python::attach(|py| py.check_signals()) {
                    self.stop(e);
                }
            }
        }
    }
}

/// A source that fails once the watch has stopped.
pub struct Watched<'a> {
    pub source: &'a dyn Source,
    pub watch: &'a Watch,
}

impl Source for Watched<'_> {
    fn dtype(&self) -> DType {
        self.source.dtype()
    }

    fn shape(&self) -> &[u64] {
        self.source.shape()
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error> {
        if self.watch.stopped.load(Ordering::Acquire) {
            return Err(Error::Io(std::io::ErrorKind::Interrupted.into()));
        }
        self.source.read(start, extent, out)
    }
}
