//! The models that ship with the program (SPEC §8.8.5).
use super::predictor::Predictor;
use crate::Error;
use crate::network::{Model, ModelLimits};
use std::sync::LazyLock;

/// What a chunk names a model by: its place in the list of SPEC §8.8.5, from 1.
pub type ModelNumber = u8;

/// Their files, by number.
static FILES: [&[u8]; 1] = [include_bytes!("../../../weights/01dc36da26d4ac18/weights.scm")];

static MODELS: LazyLock<Vec<Result<Predictor, String>>> = LazyLock::new(|| {
    let read = |bytes: &&[u8]| Predictor::new(&Model::read(bytes, &ModelLimits::default())?);
    FILES.iter().map(|bytes| read(bytes).map_err(|e| e.to_string())).collect()
});

/// The model of this number.
///
/// Errors: [`Error::ModelMissing`] if this program has none; [`Error::Unsupported`] if it cannot be run here, as when the
/// environment asks for instructions that the processor has not.
pub fn builtin(number: ModelNumber) -> Result<&'static Predictor, Error> {
    match MODELS.get(usize::from(number).wrapping_sub(1)) {
        Some(Ok(predictor)) => Ok(predictor),
        Some(Err(e)) => Err(Error::Unsupported { feature: format!("model {number}: {e}") }),
        None => Err(Error::ModelMissing { id: format!("number {number}") }),
    }
}
