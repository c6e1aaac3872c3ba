//! From fields to a model with states.
use crate::{Array, Gathered, Stage, fit::UNGUIDED};
use rayon::prelude::*;
use scicodec::entropy::{Place, Priors, States};
use scicodec::learned::COEFFICIENT_NETWORK;
use scicodec::network::{Model, ModelBuilder};
use scicodec::{
    BoundKind, ChunkBound, ChunkRequest, Effort, Error, ErrorBound, LoadedModel, ModelChoice, learned_states,
};
use std::sync::{Arc, Mutex, PoisonError};

/// Bounds that fields are coded under: what coders meet between loose and tight ones.
pub const BOUNDS: [ErrorBound; 9] = {
    const fn bound(kind: BoundKind, value: f64) -> ErrorBound {
        ErrorBound { kind, value }
    }
    [
        bound(BoundKind::Rel, 1e-1),
        bound(BoundKind::Rel, 3e-2),
        bound(BoundKind::Rel, 1e-2),
        bound(BoundKind::Rel, 1e-3),
        bound(BoundKind::Rel, 1e-4),
        bound(BoundKind::Rel, 1e-5),
        bound(BoundKind::Nrmse, 3e-2),
        bound(BoundKind::Nrmse, 1e-2),
        bound(BoundKind::Nrmse, 1e-3),
    ]
};

/// How far the work has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Chunks coded.
    pub done: usize,
    /// Of so many.
    pub total: usize,
}

/// A model with the networks of `model`, and states fitted to these fields (each of them one chunk) at these bounds, of
/// the kinds `rel` and `nrmse`. Fields are coded twice: once to fit counters, once to fit how they are mixed. The result
/// does not depend on the number of threads. States that these fields say too little of stay those of `model`.
///
/// # Errors
/// [`Error::InvalidArgument`] if there is nothing to learn from or a bound is of another kind, and those of
/// [`scicodec::encode_chunk`].
pub fn prime(
    model: &Model,
    fields: &[Array],
    bounds: &[ErrorBound],
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Model, Error> {
    let mut priors = Priors::default();
    let guides = model.network(COEFFICIENT_NETWORK).is_ok();
    if guides {
        // It guides where there are states for what it guides, be they empty.
        priors.set(Place::Coefficients, States::default());
    }
    let total = (1..=2).map(|every| fields.len().div_ceil(every) * bounds.len()).sum();
    let done = Mutex::new(0);
    // Weights are few: every second field does for them.
    for (stage, every) in [(Stage::Counters, 1), (Stage::Weights, 2)] {
        let guide = ModelChoice::Given(Arc::new(LoadedModel::new(with(model, &priors)?)?));
        let mut gathered = Gathered::default();
        // Some fields at a time, and added in their order.
        for some in fields.iter().step_by(every).collect::<Vec<_>>().chunks(16) {
            let jobs: Vec<_> = some.iter().flat_map(|f| bounds.iter().map(move |b| (*f, b))).collect();
            let learned = jobs.par_iter().map(|(field, bound)| {
                let Some(bound) = resolve(field, bound)? else { return Ok(Vec::new()) };
                let states = learned_states(
                    &ChunkRequest {
                        dtype: field.dtype,
                        shape: &field.shape,
                        data: &field.data,
                        bound,
                        fill: None,
                        effort: Effort::Default,
                        model: guide.clone(),
                    },
                    &[false],
                );
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                *done += 1;
                progress(Progress { done: *done, total });
                states.map(|s| s.into_iter().flatten().collect())
            });
            for chunk in learned.collect::<Result<Vec<_>, Error>>()? {
                gathered.add(&chunk);
            }
        }
        gathered.fit(stage, &mut priors);
    }
    if priors.is_empty() {
        return Err(Error::InvalidArgument("no field taught the coders anything".into()));
    }
    if let Some(others) = model.priors() {
        priors.complete(others);
    }
    if guides {
        // No chunk that asks this model has wavelets that are not guided.
        UNGUIDED.into_iter().for_each(|place| priors.forget(place));
    }
    with(model, &priors)
}

/// The model with these states in place of its own.
fn with(model: &Model, priors: &Priors) -> Result<Model, Error> {
    let mut builder = ModelBuilder::new(model.name());
    for n in model.networks() {
        builder = builder.network(n.graph().clone())?;
    }
    if let Some(tables) = model.latents() {
        builder = builder.latents(tables)?;
    }
    if *priors != Priors::default() {
        builder = builder.priors(priors);
    }
    let lineage: Vec<_> = [model.id()].into_iter().chain(model.lineage()).collect();
    builder.lineage(&lineage)?.build()
}

/// The bound on a chunk; none if all its values are alike.
fn resolve(field: &Array, bound: &ErrorBound) -> Result<Option<ChunkBound>, Error> {
    let e = bound.value * field.range();
    let bound = match bound.kind {
        BoundKind::Rel => ChunkBound::Abs(e),
        BoundKind::Nrmse => ChunkBound::Rmse(e),
        other => return Err(Error::InvalidArgument(format!("a bound of kind {other:?} to train states at"))),
    };
    Ok((e > 0.0).then_some(bound))
}
