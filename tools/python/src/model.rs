//! Which model a word of the caller means.
use crate::{errors::exception, options::invalid};
use pyo3::prelude::*;
use scicodec::{LoadedModel, Models, learned, network::ModelId};
use std::{path::Path, sync::Arc};

/// Fewest digits of a digest that name a model.
const FEWEST_DIGITS: usize = 6;

/// The model in a file, or the only shipped or installed one whose digest begins with these digits.
pub fn find(py: Python<'_>, word: &str) -> PyResult<Arc<LoadedModel>> {
    let raise = |e| exception(py, &e, Some(word));
    let path = Path::new(word);
    if path.is_file() {
        let bytes = std::fs::read(path).map_err(|e| raise(e.into()))?;
        return LoadedModel::read(&bytes).map(Arc::new).map_err(raise);
    }
    let digits = word.to_ascii_lowercase();
    let begins = |id: &ModelId| digits.len() >= FEWEST_DIGITS && format!("{id:#}").starts_with(&digits);
    let models = Models::installed();
    let mut ids: Vec<ModelId> = learned::shipped().map(|(model, _)| model.id()).collect();
    ids.extend(models.list().map_err(raise)?);
    ids.retain(begins);
    ids.sort();
    ids.dedup();
    match ids[..] {
        [id] => models.find(id, None).map_err(raise),
        [] => {
            let what = format!(
                "no file, and no model at hand has a digest that begins with it ({FEWEST_DIGITS} digits at least)"
            );
            Err(invalid(py, format!("model {word}: {what}")))
        }
        _ => Err(invalid(py, format!("{} models have a digest that begins with {word}: give more digits", ids.len()))),
    }
}
