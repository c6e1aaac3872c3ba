//! What coders of a chunk start from, and how they code integers.
use crate::chunk::Effort;
use crate::entropy::Start;
use crate::learned::Guiding;
use crate::plan::Coder;
use crate::prepare::Prepared;

/// The model whose states coders start from.
pub fn priming(x: &Prepared) -> Option<Guiding> {
    let model = Guiding::of(&x.model).filter(|_| coder(x.effort) == Coder::ZerosFirst)?;
    let primes = model.model().is_ok_and(|m| m.priors().is_some());
    primes.then_some(model)
}

/// What coders start from.
pub fn start(priming: &Option<Guiding>) -> Start<'_> {
    priming.as_ref().and_then(|m| m.model().ok()).map_or_else(Start::default, |m| m.start())
}

/// How an effort codes integers.
pub fn coder(effort: Effort) -> Coder {
    match effort {
        Effort::Fast => Coder::OneContext,
        Effort::Default | Effort::Max => Coder::ZerosFirst,
    }
}
