//! Writing files variable by variable.
use crate::errors::exception;
use crate::options::{Options, invalid};
use crate::source;
use pyo3::prelude::*;
use scicodec::{Encoder, Overwrite, VariableReport};
use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// A file that is being written. Dropped before it is finished, it leaves nothing behind.
#[pyclass(frozen, module = "scicodec._native")]
pub struct Writer {
    /// `None` once it is finished or given up.
    encoder: Mutex<Option<Encoder>>,
    name: String,
}

/// What encoding came to.
#[derive(IntoPyObject)]
struct Report {
    name: String,
    raw_bytes: u64,
    compressed_bytes: u64,
    chunks: u64,
    max_error: f64,
    rmse: f64,
}

impl From<VariableReport> for Report {
    fn from(r: VariableReport) -> Report {
        Report {
            name: r.name,
            raw_bytes: r.raw_bytes,
            compressed_bytes: r.compressed_bytes,
            chunks: r.chunks,
            max_error: r.max_error,
            rmse: r.rmse,
        }
    }
}

impl Writer {
    fn take(&self) -> Option<Encoder> {
        self.encoder.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl Writer {
    /// Starts a new file.
    #[staticmethod]
    fn create(py: Python<'_>, path: PathBuf, overwrite: bool) -> PyResult<Writer> {
        let name = path.display().to_string();
        let overwrite = if overwrite { Overwrite::Replace } else { Overwrite::Refuse };
        let encoder = Encoder::create(&path, overwrite).map_err(|e| exception(py, &e, Some(&name)))?;
        Ok(Writer { encoder: Mutex::new(Some(encoder)), name })
    }

    /// Goes on with a file that is there.
    #[staticmethod]
    fn append(py: Python<'_>, path: PathBuf) -> PyResult<Writer> {
        let name = path.display().to_string();
        let encoder = Encoder::append(&path).map_err(|e| exception(py, &e, Some(&name)))?;
        Ok(Writer { encoder: Mutex::new(Some(encoder)), name })
    }

    /// Adds a variable, or more indices along axis 0 of one that is there.
    fn add<'py>(
        &self,
        py: Python<'py>,
        elements: &Bound<'py, PyAny>,
        options: Options,
        extend: bool,
    ) -> PyResult<Report> {
        let (meta, encode_options, dtype) = options.resolve(py)?;
        let finished = || invalid(py, format!("{} is finished", self.name));
        // Taken out while it works: another thread that wants it meanwhile is told that it is finished.
        let mut encoder = self.take().ok_or_else(finished)?;
        let report = source::with(py, elements, dtype, &options.shape, |source, watch| {
            let progress = watch.signals();
            match extend {
                true => encoder.extend_variable(&meta.name, source, &encode_options, &progress),
                false => encoder.add_variable(&meta, source, &encode_options, &progress),
            }
        });
        *self.encoder.lock().unwrap_or_else(PoisonError::into_inner) = Some(encoder);
        report.map(Report::from)
    }

    /// Writes the index and puts the file in its place; gives its length.
    fn finish(&self, py: Python<'_>) -> PyResult<u64> {
        let encoder = self.take().ok_or_else(|| invalid(py, format!("{} is finished", self.name)))?;
        py.detach(|| encoder.finish()).map(|r| r.length).map_err(|e| exception(py, &e, Some(&self.name)))
    }

    /// Gives up: nothing is left behind, or the file as it was.
    fn cancel(&self) {
        drop(self.take());
    }
}
