//! What Python asks, in the library's types.
use crate::{errors::exception, model};
use pyo3::prelude::*;
use scicodec::{
    ChunkShape, ConditionOn, DType, Effort, EncodeOptions, Error, ErrorBound, Fill, ModelChoice, VariableMeta,
};

/// A dictionary with all that belongs to encoding one variable, besides its elements.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    pub dtype: String,
    pub shape: Vec<u64>,
    error_bound: String,
    effort: String,
    model: String,
    embed_model: bool,
    condition_on: Beside,
    chunks: Option<Vec<u64>>,
    /// Bits of the fill value, low bytes first.
    fill: Option<u64>,
    threads: usize,
    verify: bool,
    name: String,
    units: String,
    attributes: Vec<(String, String)>,
    dimensions: Vec<String>,
}

/// A word, or names of variables.
#[derive(FromPyObject)]
enum Beside {
    Word(String),
    Names(Vec<String>),
}

impl Options {
    pub fn resolve(&self, py: Python<'_>) -> PyResult<(VariableMeta, EncodeOptions, DType)> {
        let dtype = dtype_named(py, &self.dtype)?;
        let mut options = EncodeOptions::new(bound(py, &self.error_bound)?);
        options.effort = match self.effort.as_str() {
            "fast" => Effort::Fast,
            "default" => Effort::Default,
            "max" => Effort::Max,
            other => return Err(invalid(py, format!("effort {other:?}: expected fast, default or max"))),
        };
        options.model = match self.model.as_str() {
            "none" => ModelChoice::None,
            "default" => ModelChoice::Default,
            word => ModelChoice::Given(model::find(py, word)?),
        };
        if self.embed_model && options.model == ModelChoice::None {
            return Err(invalid(py, "embed_model without a model".into()));
        }
        options.embed_model = self.embed_model;
        options.condition_on = match &self.condition_on {
            Beside::Names(names) => ConditionOn::Names(names.clone()),
            Beside::Word(word) => match word.as_str() {
                "none" => ConditionOn::None,
                "auto" => ConditionOn::Auto,
                other => {
                    let what = format!("condition_on {other:?}: expected auto, none or a sequence of names");
                    return Err(invalid(py, what));
                }
            },
        };
        options.chunk = self.chunks.clone().map_or(ChunkShape::Auto, ChunkShape::Fixed);
        options.fill = self.fill.map(Fill::Bits);
        options.threads = self.threads;
        options.verify = self.verify;
        let meta = VariableMeta {
            name: self.name.clone(),
            units: self.units.clone(),
            attributes: self.attributes.clone(),
            dimensions: self.dimensions.clone(),
        };
        Ok((meta, options, dtype))
    }
}

pub fn invalid(py: Python<'_>, what: String) -> PyErr {
    exception(py, &Error::InvalidArgument(what), None)
}

pub fn bound(py: Python<'_>, text: &str) -> PyResult<ErrorBound> {
    text.parse().map_err(|e: scicodec::format::Error| exception(py, &e.into(), None))
}

pub fn dtype_named(py: Python<'_>, name: &str) -> PyResult<DType> {
    let found = DType::ALL.into_iter().find(|d| d.name() == name);
    found.ok_or_else(|| invalid(py, format!("no dtype named {name:?}")))
}
