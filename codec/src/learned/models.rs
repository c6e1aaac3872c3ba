//! The models that ship with the program (SPEC §8.8.4).
use super::predictor::Predictor;
use crate::Error;
use crate::network::{Model, ModelLimits};
use std::sync::LazyLock;

/// What a chunk names a model by: its place in the list of SPEC §8.8.4, from 1.
pub type ModelNumber = u8;

static FIRST: LazyLock<Option<Predictor>> = LazyLock::new(|| {
    let bytes = std::fs::read(std::env::var("SCICODEC_EXPERIMENT").ok()?).ok()?;
    Predictor::new(&Model::read(&bytes, &ModelLimits::default()).ok()?).ok()
});

/// The model of this number.
///
/// Errors: [`Error::ModelMissing`] if this program has none.
pub fn builtin(number: ModelNumber) -> Result<&'static Predictor, Error> {
    match number {
        1 => FIRST.as_ref(),
        _ => None,
    }
    .ok_or(Error::ModelMissing { id: format!("number {number}") })
}
