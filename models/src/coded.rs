//! What a network gains in files: bytes of chunks coded with it and without, on fields that it has not learned from.
use crate::{Error, field::TrainingField, pool::generator};
use scicodec::{ChunkBound, ChunkRequest, DType, Effort, LoadedModel, ModelChoice, encode_chunk};
use std::sync::Arc;

/// The bounds at which chunks are coded: their names, and what they are as a part of the range.
pub const CODED_BOUNDS: [(&str, f64); 4] =
    [("rel=1e-1", 1e-1), ("rel=1e-2", 1e-2), ("rel=1e-3", 1e-3), ("nrmse=1e-2", 1e-2)];
/// The last one limits the root mean squared error, the others each value.
const RMSE: usize = 3;
/// Crops without range are passed over so often.
const TRIES: u64 = 50;

/// Bytes without the network ÷ bytes with it: geometric means over fields, one for every bound of [`CODED_BOUNDS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodedScore {
    /// By bound; above 1 is a gain.
    pub gains: [f64; CODED_BOUNDS.len()],
}

impl CodedScore {
    /// Geometric mean over bounds.
    pub fn mean(&self) -> f64 {
        (self.gains.iter().map(|g| g.ln()).sum::<f64>() / self.gains.len() as f64).exp()
    }
}

/// A part of a field, and the bytes that it takes without a network at each bound.
struct Part {
    shape: Vec<usize>,
    data: Vec<u8>,
    classical: Vec<(ChunkBound, usize)>,
}

/// Parts of fields kept for validation, the same for every validation of a run.
pub struct CodedValidation(Vec<Part>);

impl CodedValidation {
    /// Of `count` random crops of `points` points of the fields `among`, in turn. They are coded here without a network.
    ///
    /// Errors: `Codec`; none where no crop has a range: there is then nothing to compare, and no score.
    pub fn new(
        fields: &[TrainingField],
        among: &[usize],
        count: usize,
        points: usize,
        seed: u64,
    ) -> Result<CodedValidation, Error> {
        let mut parts = Vec::new();
        for k in 0..count {
            for attempt in 0..TRIES {
                let rng = &mut generator(seed, 11, k as u64 * TRIES + attempt);
                let crop = fields[among[(k + attempt as usize) % among.len()]].crop(points, rng)?;
                let range = crop.range();
                if !range.is_finite() || range <= f64::from(f32::MIN_POSITIVE) {
                    continue;
                }
                let masked = |i: usize| crop.mask.get(i).copied().unwrap_or(false);
                let value = |(i, v): (usize, &f64)| if masked(i) { f32::NAN } else { *v as f32 };
                let data: Vec<u8> = crop.values.iter().enumerate().map(value).flat_map(f32::to_ne_bytes).collect();
                let mut part = Part { shape: crop.shape, data, classical: vec![] };
                for (k, (_, relative)) in CODED_BOUNDS.iter().enumerate() {
                    let bound =
                        if k == RMSE { ChunkBound::Rmse(relative * range) } else { ChunkBound::Abs(relative * range) };
                    part.classical.push((bound, part.bytes(bound, ModelChoice::None)?));
                }
                parts.push(part);
                break;
            }
        }
        Ok(CodedValidation(parts))
    }

    /// Codes everything with the model. `None` where there is nothing to code.
    pub fn score(&self, model: Arc<LoadedModel>) -> Result<Option<CodedScore>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut gains = [0.0; CODED_BOUNDS.len()];
        for part in &self.0 {
            for (gain, (bound, classical)) in gains.iter_mut().zip(&part.classical) {
                let bytes = part.bytes(*bound, ModelChoice::Given(model.clone()))?;
                *gain += (*classical as f64 / bytes as f64).ln();
            }
        }
        Ok(Some(CodedScore { gains: gains.map(|g| (g / self.0.len() as f64).exp()) }))
    }
}

impl Part {
    fn bytes(&self, bound: ChunkBound, model: ModelChoice) -> Result<usize, Error> {
        let (dtype, effort) = (DType::F32, Effort::Default);
        let request = ChunkRequest { dtype, shape: &self.shape, data: &self.data, bound, fill: None, effort, model };
        Ok(encode_chunk(&request)?.body.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::tests::field;
    use scicodec::learned::builtin;

    #[test]
    fn chunks_are_no_larger_with_a_network_and_a_field_without_range_has_no_score() {
        let fields = [field("a__x", &[40, 50], 1), field("b__x", &[12, 20, 18], 2)];
        let coded = CodedValidation::new(&fields, &[0, 1], 3, 2000, 1).unwrap();
        let score = coded.score(builtin(1).unwrap().clone()).unwrap().unwrap();
        assert!(score.gains.iter().all(|g| (0.99..3.0).contains(g)), "{score:?}");
        let flat = [field("c__x", &[1], 1)];
        let none = CodedValidation::new(&flat, &[0], 2, 2000, 1).unwrap();
        assert_eq!(none.score(builtin(1).unwrap().clone()).unwrap(), None);
    }
}
