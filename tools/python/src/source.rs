//! Where elements come from: an array in memory, or a function that reads boxes of one that need not be.
use crate::errors::exception;
use crate::watch::{Watch, Watched};
use numpy::{PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use scicodec::{DType, Error, SliceSource, Source};

/// Runs `work`, detached from the interpreter, on elements that are a flat array of bytes or a function
/// `(start, extent) -> flat array of bytes`.
pub fn with<T: Send>(
    py: Python<'_>,
    elements: &Bound<'_, PyAny>,
    dtype: DType,
    shape: &[u64],
    work: impl FnOnce(&dyn Source, &Watch) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let watch = Watch::default();
    let run = |source: &dyn Source| work(&Watched { source, watch: &watch }, &watch);
    let result = if let Ok(array) = elements.cast::<PyArray1<u8>>() {
        let array = array.try_readonly()?;
        let source = SliceSource::new(dtype, shape, array.as_slice()?).map_err(|e| exception(py, &e, None))?;
        py.detach(|| run(&source))
    } else {
        let source = Boxes { dtype, shape, read: elements.clone().unbind(), watch: &watch };
        py.detach(|| run(&source))
    };
    result.map_err(|e| watch.take().unwrap_or_else(|| exception(py, &e, None)))
}

/// An array that Python reads box by box.
struct Boxes<'a> {
    dtype: DType,
    shape: &'a [u64],
    read: Py<PyAny>,
    watch: &'a Watch,
}

impl Source for Boxes<'_> {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[u64] {
        self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error> {
        let read = |py: Python<'_>| -> PyResult<Option<usize>> {
            let array = self.read.bind(py).call1((start.to_vec(), extent.to_vec()))?;
            let array = array.cast::<PyArray1<u8>>()?.try_readonly()?;
            if array.len() != out.len() {
                return Ok(Some(array.len()));
            }
            out.copy_from_slice(array.as_slice()?);
            Ok(None)
        };
        match Python::attach(read) {
            Ok(None) => Ok(()),
            Ok(Some(bytes)) => Err(Error::InvalidArgument(format!(
                "the array gave {bytes} bytes for a box of {} at {start:?}, of {extent:?}",
                self.dtype.name()
            ))),
            Err(e) => {
                self.watch.stop(e);
                Err(Error::Io(std::io::ErrorKind::Interrupted.into()))
            }
        }
    }
}
