//! Chunks whose coders start from the states of a model.
use scicodec::entropy::{Counter, Place};
use scicodec::learned::{DEFAULT, builtin};
use scicodec::network::{Model, ModelBuilder, ModelLimits};
use scicodec::{
    BoundKind, DType, EncodeOptions, ErrorBound, LoadedModel, ModelChoice, Reader, SliceSource, VariableMeta,
};
use std::sync::Arc;

fn field() -> Vec<f32> {
    (0..64 * 96).map(|i| ((i % 96) as f32 * 0.13).sin() * ((i / 96) as f32 * 0.21).cos()).collect()
}

/// The default model with a state that is a little different: another model, which helps as well.
fn primed() -> Result<Arc<LoadedModel>, scicodec::Error> {
    let default = builtin(DEFAULT)?.model();
    let mut priors = default.priors().cloned().unwrap_or_default();
    let mut states = priors.of(Place::Coefficients).cloned().unwrap_or_default();
    states.signs[0][0] = Counter::primed(33000, 77);
    priors.set(Place::Coefficients, states);
    let mut builder = ModelBuilder::new("primed");
    for n in default.networks() {
        builder = builder.network(n.graph().clone())?;
    }
    Ok(Arc::new(LoadedModel::new(builder.priors(&priors).build()?)?))
}

#[test]
fn states_survive_the_model_file() -> Result<(), scicodec::Error> {
    let model = primed()?;
    let again = Model::read(&model.model().write(), &ModelLimits::default())?;
    assert_eq!(again.priors(), model.priors());
    assert!(again.priors().is_some());
    Ok(())
}

#[test]
fn bound_holds_and_another_model_is_refused() -> Result<(), scicodec::Error> {
    let field = field();
    let source = SliceSource::new(DType::F32, &[64, 96], bytemuck::cast_slice(&field))?;
    for (kind, value) in [(BoundKind::Abs, 1e-1), (BoundKind::Abs, 1e-3), (BoundKind::Nrmse, 1e-3)] {
        let mut options = EncodeOptions::new(ErrorBound { kind, value });
        let model = primed()?;
        options.model = ModelChoice::Given(model.clone());
        let file = scicodec::encode_to_vec(&VariableMeta::default(), &source, &options)?;
        let mut reader = Reader::from_bytes(file)?;
        assert!(matches!(reader.decode(0, 1), Err(scicodec::Error::ModelMissing { .. })), "{kind:?}");
        reader.add_model(model);
        let decoded: Vec<f32> = bytemuck::pod_collect_to_vec(&reader.decode(0, 1)?);
        let worst = field.iter().zip(&decoded).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
        assert!(kind != BoundKind::Abs || worst <= value, "{worst} > {value}");
    }
    Ok(())
}
