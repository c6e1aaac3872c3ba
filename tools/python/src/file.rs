//! Reading files, mapped or in memory.
use crate::{errors::exception, model};
use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use scicodec::{Error, Reader, Region, base_name};
use std::{collections::BTreeMap, path::PathBuf};

/// A file that is open for reading.
#[pyclass(frozen, module = "scicodec._native")]
pub struct File {
    reader: Reader,
    /// Its name for errors.
    name: Option<String>,
}

/// What the index says of a variable.
#[derive(IntoPyObject)]
pub struct Variable {
    name: String,
    units: String,
    attributes: Vec<(String, String)>,
    dimensions: Vec<String>,
    dtype: &'static str,
    shape: Vec<u64>,
    chunk_shape: Vec<u64>,
    /// As it is asked: `rel=0.001`.
    error_bound: String,
    fill: Option<u64>,
    chunks: usize,
    bases: BTreeMap<&'static str, u64>,
    conditioned_on: BTreeMap<String, u64>,
    conditioned_chunks: u64,
    raw_bytes: u64,
    compressed_bytes: u64,
    achieved_max_error: Option<f64>,
}

/// A model that is in a file or that chunks of it name.
#[derive(IntoPyObject)]
struct Model {
    id: String,
    name: Option<String>,
    embedded: bool,
    bytes: Option<u64>,
    chunks: u64,
    at_hand: bool,
}

impl File {
    fn raise(&self, py: Python<'_>, error: &Error) -> PyErr {
        exception(py, error, self.name.as_deref())
    }
}

fn with_model(py: Python<'_>, mut reader: Reader, word: Option<&str>) -> PyResult<Reader> {
    if let Some(word) = word {
        reader.add_model(model::find(py, word)?);
    }
    Ok(reader)
}

#[pymethods]
impl File {
    /// Maps a file and validates its index. `model` is one that its chunks may name.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, model: Option<&str>) -> PyResult<File> {
        let name = path.display().to_string();
        let reader = py.detach(|| Reader::open(&path)).map_err(|e| exception(py, &e, Some(&name)))?;
        Ok(File { reader: with_model(py, reader, model)?, name: Some(name) })
    }

    /// Takes a copy of the bytes of a file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyReadonlyArray1<'_, u8>, model: Option<&str>) -> PyResult<File> {
        let bytes = data.as_slice()?;
        let reader = py.detach(|| Reader::from_bytes(bytes.to_vec())).map_err(|e| exception(py, &e, None))?;
        Ok(File { reader: with_model(py, reader, model)?, name: None })
    }

    /// All variables, in the order of the file.
    fn variables(&self) -> Vec<Variable> {
        let describe = |v: &scicodec::Variable| {
            let mut bases = BTreeMap::new();
            for chunk in v.chunks.iter().filter(|c| c.length > 0) {
                *bases.entry(base_name(chunk.base)).or_default() += 1;
            }
            Variable {
                name: v.name.clone(),
                units: v.units.clone(),
                attributes: v.attributes.clone(),
                dimensions: v.dimensions.clone(),
                dtype: v.dtype.name(),
                shape: v.shape.clone(),
                chunk_shape: v.chunk_shape.clone(),
                error_bound: v.bound.to_string(),
                fill: v.fill,
                chunks: v.chunks.len(),
                bases,
                conditioned_on: self.reader.conditioned_on(v),
                conditioned_chunks: v.conditioned_chunks(),
                raw_bytes: v.raw_bytes(),
                compressed_bytes: v.compressed_bytes(),
                achieved_max_error: v.achieved_max_error(),
            }
        };
        self.reader.variables().iter().map(describe).collect()
    }

    /// The models that are in the file or that its chunks name.
    fn models(&self) -> Vec<Model> {
        let describe = |m: &scicodec::FileModel| {
            let found = self.reader.model(m.id).ok();
            Model {
                id: format!("{:#}", m.id),
                name: found.as_ref().map(|m| m.model().name().to_owned()),
                embedded: m.embedded.is_some(),
                bytes: m.embedded,
                chunks: m.chunks,
                at_hand: found.is_some(),
            }
        };
        self.reader.models().iter().map(describe).collect()
    }

    /// Decodes the box from `start` to `stop` of a variable into `out`, a flat array of exactly its bytes.
    fn decode_into(
        &self,
        py: Python<'_>,
        variable: usize,
        start: Vec<u64>,
        stop: Vec<u64>,
        threads: usize,
        mut out: PyReadwriteArray1<'_, u8>,
    ) -> PyResult<()> {
        let region = Region(start.iter().zip(&stop).map(|(&a, &b)| a..b).collect());
        let out = out.as_slice_mut()?;
        py.detach(|| self.reader.decode_region_into(variable, &region, threads, out)).map_err(|e| self.raise(py, &e))
    }

    /// Decodes every chunk; gives how many.
    fn verify(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.reader.verify(&|_| {})).map(|r| r.chunks).map_err(|e| self.raise(py, &e))
    }

    #[getter]
    fn length(&self) -> u64 {
        self.reader.length()
    }

    #[getter]
    fn format_version(&self) -> u8 {
        self.reader.container().version()
    }
}
