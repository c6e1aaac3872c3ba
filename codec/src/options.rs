//! How to encode.
use crate::element::value_bits;
use crate::learned::LoadedModel;
use crate::network::ModelId;
use crate::{DType, Effort, Error, ErrorBound};
use std::sync::Arc;

/// How to encode a variable. [`EncodeOptions::new`] gives the defaults for a bound.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncodeOptions {
    /// The error bound to guarantee.
    pub bound: ErrorBound,
    /// How hard to try for a smaller file.
    pub effort: Effort,
    /// How the variable is cut up.
    pub chunk: ChunkShape,
    /// A value that stands for "no value", kept exactly besides NaN and ±Inf.
    pub fill: Option<Fill>,
    /// Threads to use; 0 for all. The bytes do not depend on it.
    pub threads: usize,
    /// Which model the learned base may use.
    pub model: ModelChoice,
    /// Whether to put that model into the file, once a chunk has used it.
    pub embed_model: bool,
    /// Beside which chunks of the same file chunks may be coded.
    pub condition_on: ConditionOn,
    /// Whether to decode each payload once more and check it by independent code before it is written.
    pub verify: bool,
}

impl EncodeOptions {
    /// The defaults: default effort, automatic chunks, no fill value, all threads, every chunk by itself, verified.
    pub fn new(bound: ErrorBound) -> EncodeOptions {
        EncodeOptions {
            bound,
            effort: Effort::Default,
            chunk: ChunkShape::Auto,
            fill: None,
            threads: 0,
            model: ModelChoice::Default,
            embed_model: false,
            condition_on: ConditionOn::None,
            verify: true,
        }
    }

    /// The model for chunks: one that will be in the file is named by the first byte of its digest, unless one of `taken`, those
    /// that lie before it there, has the same.
    pub(crate) fn model_of_chunks(&self, taken: impl Iterator<Item = ModelId>) -> ModelChoice {
        match &self.model {
            ModelChoice::Given(model) | ModelChoice::Inside(model) if self.embed_model => {
                let own = model.id();
                let parents = model.model().parents().iter().copied();
                let clash = taken.chain(parents).any(|id| id != own && id.0[0] == own.0[0]);
                if clash { ModelChoice::Given(model.clone()) } else { ModelChoice::Inside(model.clone()) }
            }
            other => other.clone(),
        }
    }
}

/// Which model the learned base may use. Chunks that no model helps are coded without one, whatever is chosen here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelChoice {
    /// No model: files decode with any build of this program.
    None,
    /// The one that ships with the program. Effort `fast` asks no model.
    #[default]
    Default,
    /// This one. Files decode where it is at hand: installed, given, or embedded in the file.
    Given(Arc<LoadedModel>),
    /// This one, which will be in the file of the chunk: the chunk names it by the first bytes of its digest.
    Inside(Arc<LoadedModel>),
}

/// Beside which variables of the same file a variable may be coded. It takes effect chunk by chunk, where it makes a chunk
/// smaller; decoding such a chunk takes decoding the same chunk of those variables first. Effort `fast` does without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConditionOn {
    /// None: every chunk decodes by itself.
    #[default]
    None,
    /// Those that are there before it with the same shape and the same chunks: the last four of them, and, of an extension,
    /// the segment before it.
    Auto,
    /// These, as far as they have the same shape and chunks. Its own name stands for its earlier segments.
    Names(Vec<String>),
}

/// How a variable is cut up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChunkShape {
    /// Chosen by [`crate::auto_chunk`].
    #[default]
    Auto,
    /// This many values along each axis, slowest first, clipped to the variable's shape.
    Fixed(Vec<u64>),
}

/// A value that stands for "no value".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// The element nearest to this number.
    Value(f64),
    /// The element of these bits, low bytes first.
    Bits(u64),
}

impl Fill {
    /// The bits of the element. Errors: `InvalidArgument` where the dtype does not have it.
    pub fn bits(self, dtype: DType) -> Result<u64, Error> {
        let bits = match self {
            Fill::Value(v) => value_bits(dtype, v),
            Fill::Bits(b) => (dtype.size() == 8 || b >> (dtype.size() * 8) == 0).then_some(b),
        };
        bits.ok_or_else(|| Error::InvalidArgument(format!("{self:?} is no {}", dtype.name())))
    }
}

/// What a file says of a variable besides its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariableMeta {
    /// Its name, unique in the file. An array without one may have an empty name: files are smaller for it.
    pub name: String,
    /// Units of the values; may be empty.
    pub units: String,
    /// Attributes: pairs of name and text.
    pub attributes: Vec<(String, String)>,
    /// Names of the axes, slowest first; may be empty.
    pub dimensions: Vec<String>,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of raw values done.
    pub done: u64,
    /// Bytes of raw values in all.
    pub total: u64,
    /// Bytes of payloads written or read for them.
    pub coded: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::builtin;

    #[test]
    fn a_model_in_the_file_is_named_in_full_where_another_begins_as_it_does() {
        let model = builtin(1).unwrap().clone();
        let mut options = EncodeOptions::new(ErrorBound { kind: crate::BoundKind::Rel, value: 1e-2 });
        options.model = ModelChoice::Given(model.clone());
        let (mut like, mut unlike) = (model.id(), model.id());
        like.0[31] ^= 1;
        unlike.0[0] ^= 1;
        let named = |options: &EncodeOptions, taken: &[ModelId]| options.model_of_chunks(taken.iter().copied());
        assert_eq!(named(&options, &[]), ModelChoice::Given(model.clone()), "it is not to be in the file");
        options.embed_model = true;
        // What lies there already is itself.
        for taken in [&[][..], &[unlike], &[unlike, model.id()]] {
            assert_eq!(named(&options, taken), ModelChoice::Inside(model.clone()));
        }
        assert_eq!(named(&options, &[unlike, like]), ModelChoice::Given(model));
    }
}
