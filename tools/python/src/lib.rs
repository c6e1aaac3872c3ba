//! The native half of the Python package `scicodec`; its other half, which users see, is in `python/scicodec`.
//!
//! Arrays cross over as flat arrays of bytes in C order and the machine's byte order, without a copy. The interpreter is
//! released while values are coded: other Python threads run meanwhile.
mod errors;
mod file;
mod model;
mod options;
mod source;
mod watch;
mod writer;

use numpy::PyReadonlyArray1;
use options::{Options, dtype_named};
use pyo3::{prelude::*, types::PyBytes};
use scicodec::ArrayRef;

/// Encodes one array into the bytes of a whole file.
#[pyfunction]
fn encode<'py>(py: Python<'py>, elements: &Bound<'py, PyAny>, options: Options) -> PyResult<Bound<'py, PyBytes>> {
    let (meta, encode_options, dtype) = options.resolve(py)?;
    let bytes = source::with(py, elements, dtype, &options.shape, |source, _| {
        scicodec::encode_to_vec(&meta, source, &encode_options)
    })?;
    Ok(PyBytes::new(py, &bytes))
}

/// How far two arrays of one shape are from each other.
#[derive(IntoPyObject)]
struct Metrics {
    points: u64,
    equal_specials: u64,
    mismatches: u64,
    max_abs: f64,
    max_rel: f64,
    rmse: f64,
    nrmse: f64,
    psnr: f64,
    l2: f64,
    range: f64,
    ssim: Option<f64>,
}

/// Compares `b` with the reference `a`.
#[pyfunction]
fn compare(
    py: Python<'_>,
    a: PyReadonlyArray1<'_, u8>,
    a_dtype: &str,
    b: PyReadonlyArray1<'_, u8>,
    b_dtype: &str,
    shape: Vec<u64>,
) -> PyResult<Metrics> {
    let a = ArrayRef { dtype: dtype_named(py, a_dtype)?, shape: &shape, bytes: a.as_slice()? };
    let b = ArrayRef { dtype: dtype_named(py, b_dtype)?, shape: &shape, bytes: b.as_slice()? };
    let m = py.detach(|| scicodec::compare(a, b)).map_err(|e| errors::exception(py, &e, None))?;
    Ok(Metrics {
        points: m.points,
        equal_specials: m.equal_specials,
        mismatches: m.mismatches,
        max_abs: m.max_abs,
        max_rel: m.max_rel,
        rmse: m.rmse,
        nrmse: m.nrmse,
        psnr: m.psnr,
        l2: m.l2,
        range: m.range,
        ssim: m.ssim,
    })
}

/// Kind and value of an error bound, or why it cannot be asked of this dtype.
#[pyfunction]
fn parse_bound(py: Python<'_>, text: &str, dtype: Option<&str>) -> PyResult<(&'static str, f64)> {
    let bound = options::bound(py, text)?;
    if let Some(dtype) = dtype {
        let dtype = dtype_named(py, dtype)?;
        scicodec::validate_bound(&bound, dtype).map_err(|e| errors::exception(py, &e, None))?;
    }
    Ok((bound.kind.name(), bound.value))
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{compare, encode, file::File, parse_bound, writer::Writer};

    #[pymodule_export]
    #[expect(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
