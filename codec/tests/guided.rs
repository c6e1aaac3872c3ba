//! Wavelets whose coefficients a network guides: the same bits with every kernel, within the bound, and only with what it takes.
use scicodec::entropy::{Counter, Place};
use scicodec::learned::{COEFFICIENT_CHANNELS, COEFFICIENT_NETWORK, DEFAULT, builtin, coefficient_samples};
use scicodec::network::{Graph, Kernel, Model, ModelBuilder, ModelLimits};
use scicodec::{
    BoundKind, ChunkBound, ChunkRequest, DType, Effort, EncodeOptions, Error, ErrorBound, LoadedModel, ModelChoice,
    Reader, SliceSource, VariableMeta, base_name, learned_states,
};
use std::sync::Arc;

const SHAPE: [usize; 2] = [96, 130];

/// Hills on hills: on ever finer lattices numbers that look random, linear between them.
fn field() -> Vec<f32> {
    let corner = |octave: u32, y: usize, x: usize| {
        let mixed = ((y * 1009 + x) as u32 ^ octave << 27).wrapping_mul(2_654_435_769).rotate_left(13);
        (mixed.wrapping_mul(1_597_334_677) >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let hills = |octave: u32, i: usize| {
        let size = 1usize << octave;
        let ([y, x], part) = ([i / SHAPE[1], i % SHAPE[1]], |n: usize| (n % size) as f32 / size as f32);
        let row = |y: usize, fy: f32| {
            let [low, high] = [0, 1].map(|far| corner(octave, y, x / size + far));
            fy * (low + (high - low) * part(x))
        };
        size as f32 * (row(y / size, 1.0 - part(y)) + row(y / size + 1, part(y)))
    };
    (0..SHAPE[0] * SHAPE[1]).map(|i| (0..6).map(|octave| hills(octave, i)).sum()).collect()
}

/// The default model with one state changed, and its network of coefficients replaced: another model, which no number names.
fn another(change: impl FnOnce(Graph) -> Graph) -> Result<Model, Error> {
    let default = builtin(DEFAULT)?.model();
    let mut change = Some(change);
    let mut builder = ModelBuilder::new("another");
    for n in default.networks() {
        let graph = n.graph().clone();
        builder = builder.network(match change.take_if(|_| graph.name == COEFFICIENT_NETWORK) {
            Some(change) => change(graph),
            None => graph,
        })?;
    }
    let mut priors = default.priors().cloned().unwrap_or_default();
    let mut states = priors.of(Place::Coefficients).cloned().unwrap_or_default();
    states.signs[0][0] = Counter::primed(33000, 77);
    priors.set(Place::Coefficients, states);
    builder.priors(&priors).build()
}

fn encode(model: &Arc<LoadedModel>, kind: BoundKind, value: f64) -> Result<Vec<u8>, Error> {
    let field = field();
    let source = SliceSource::new(DType::F32, &SHAPE.map(|n| n as u64), bytemuck::cast_slice(&field))?;
    let mut options = EncodeOptions::new(ErrorBound { kind, value });
    options.model = ModelChoice::Given(model.clone());
    scicodec::encode_to_vec(&VariableMeta::default(), &source, &options)
}

#[test]
fn every_kernel_codes_and_decodes_the_same_bits() -> Result<(), Error> {
    let bytes = another(|graph| graph)?.write();
    for (kind, value) in [(BoundKind::Nrmse, 3e-2), (BoundKind::Rel, 1e-1)] {
        let mut files = Vec::new();
        for kernel in Kernel::available() {
            let model = Arc::new(LoadedModel::new(Model::read_for(&bytes, &ModelLimits::default(), kernel)?)?);
            let file = encode(&model, kind, value)?;
            let mut reader = Reader::from_bytes(file.clone())?;
            assert_eq!(base_name(reader.variables()[0].chunks[0].base), "wavelet");
            assert!(matches!(reader.decode(0, 1), Err(Error::ModelMissing { .. })), "{kind:?}: it asks the model");
            reader.add_model(model);
            files.push((file, reader.decode(0, 1)?));
        }
        assert!(files.windows(2).all(|f| f[0] == f[1]), "{kind:?}");
        let decoded: Vec<f32> = bytemuck::pod_collect_to_vec(&files[0].1);
        let field = field();
        let range = field.iter().copied().fold(f32::MIN, f32::max) - field.iter().copied().fold(f32::MAX, f32::min);
        let errors = field.iter().zip(&decoded).map(|(a, b)| f64::from((a - b).abs()));
        let reached = match kind {
            BoundKind::Rel => errors.fold(0.0, f64::max),
            _ => (errors.map(|e| e * e).sum::<f64>() / field.len() as f64).sqrt(),
        };
        assert!(reached <= value * f64::from(range) * (1.0 + 1e-6), "{kind:?}: {reached}");
    }
    Ok(())
}

#[test]
fn what_the_network_says_changes_the_bits() -> Result<(), Error> {
    let as_it_is = another(|graph| graph)?;
    let moved = another(|mut graph| {
        if let Some(scicodec::network::Operation::Convolution(last)) = graph.operations.last_mut() {
            last.bias.iter_mut().for_each(|b| *b = 0);
        }
        graph
    })?;
    // Where both come to the same wavelet: under other bounds the search may end at another one, for better or worse.
    let bounds = [(BoundKind::Rel, 1e-1), (BoundKind::Rel, 3e-2)];
    let [a, b] = [as_it_is, moved].map(|m| -> Result<Vec<usize>, Error> {
        let model = Arc::new(LoadedModel::new(m)?);
        bounds.iter().map(|&(kind, value)| Ok(encode(&model, kind, value)?.len())).collect()
    });
    let (a, b) = (a?, b?);
    assert!(a.iter().zip(&b).all(|(a, b)| a < b), "a network that says less helps less: {a:?} {b:?}");
    Ok(())
}

#[test]
fn a_network_of_another_shape_is_refused() -> Result<(), Error> {
    let points = builtin(1)?.model().network("points")?.graph().clone();
    let other = another(|_| Graph { name: COEFFICIENT_NETWORK.into(), ..points })?;
    assert!(matches!(LoadedModel::new(other), Err(Error::Unsupported { .. })));
    Ok(())
}

#[test]
fn coders_that_start_from_nothing_are_guided_all_the_same() -> Result<(), Error> {
    let field = field();
    let request = ChunkRequest {
        dtype: DType::F32,
        shape: &SHAPE,
        data: bytemuck::cast_slice(&field),
        bound: ChunkBound::Rmse(1.5),
        fill: None,
        effort: Effort::Default,
        model: ModelChoice::Given(Arc::new(LoadedModel::new(another(|graph| graph)?)?)),
    };
    let both = learned_states(&request, &[true, false])?;
    for states in &both {
        let places: Vec<Place> = states.iter().map(|s| s.0).collect();
        assert_eq!(places, [Place::Coefficients, Place::CoefficientRuns]);
    }
    assert_ne!(both[0], both[1], "one starts from the model's states");
    Ok(())
}

#[test]
fn samples_are_what_a_network_would_be_asked() -> Result<(), Error> {
    let field = field();
    let request = ChunkRequest {
        dtype: DType::F32,
        shape: &SHAPE,
        data: bytemuck::cast_slice(&field),
        bound: ChunkBound::Rmse(0.05),
        fill: None,
        effort: Effort::Default,
        model: ModelChoice::None,
    };
    let (samples, bytes) = coefficient_samples(&request)?.unwrap_or_default();
    assert!(!samples.is_empty() && samples.len() < field.len() && bytes > 0.0);
    for s in &samples {
        assert_eq!(s.inputs.len(), COEFFICIENT_CHANNELS);
        assert!(s.inputs.iter().all(|v| (0..=512).contains(v)), "{:?}", s.inputs);
    }
    let zeros = samples.iter().filter(|s| s.magnitude == 0).count();
    assert!(zeros > 0 && zeros < samples.len());
    assert_eq!(coefficient_samples(&ChunkRequest { bound: ChunkBound::PwRel(0.1), ..request })?, None);
    Ok(())
}
