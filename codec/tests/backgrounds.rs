//! Models that know a field before it is seen: chunks on backgrounds.
#![allow(clippy::unwrap_used, clippy::panic)]
use scicodec::learned::{CodedBackground, DEFAULT, builtin};
use scicodec::network::{Model, ModelBuilder, ModelLimits};
use scicodec::*;
use std::sync::Arc;

const SHAPE: [usize; 3] = [6, 40, 50];

/// Mountains that no other base guesses.
fn ground(y: i64, x: i64) -> f64 {
    let hash = |y: i64, x: i64| ((y * 7919 + x * 104_729 + 17).wrapping_mul(2_654_435_761) >> 7 & 1023) as f64 / 1023.0;
    let smooth = (y as f64 / 5.0).sin() * (x as f64 / 6.0).cos();
    20.0 * smooth + 9.0 * hash(y / 2, x / 3)
}

fn grounds(n: [i64; 2]) -> Vec<f32> {
    (0..n[0] * n[1]).map(|i| ground(i / n[1], i % n[1]) as f32).collect()
}

/// A model that stands on the default one and knows this much of the ground.
fn model(n: [i64; 2]) -> Arc<LoadedModel> {
    let parent = builtin(DEFAULT).unwrap();
    let shape = n.map(|n| n as usize);
    // The second one is what the field is like.
    let flat = CodedBackground::new(&[2, 1], &[0.0, 1.0], 1e-3).unwrap();
    let known = CodedBackground::new(&shape, &grounds(n), 1e-2).unwrap();
    let model = ModelBuilder::on(parent.model(), "mountains").backgrounds(&[flat, known]).build().unwrap();
    Arc::new(LoadedModel::on(model, parent).unwrap())
}

/// Weather over the ground from here on.
fn field(from: [i64; 2]) -> Vec<f64> {
    let [t, h, w] = SHAPE.map(|n| n as i64);
    let at = |i: i64| {
        let (t, y, x) = (i / (h * w), i / w % h, i % w);
        0.9 * ground(y + from[0], x + from[1]) + ((y + 3 * t) as f64 / 9.0).sin() * (x as f64 / 8.0).cos()
    };
    (0..t * h * w).map(at).collect()
}

fn bytes(dtype: DType, values: &[f64]) -> Vec<u8> {
    match dtype {
        DType::F32 => values.iter().flat_map(|v| (*v as f32).to_ne_bytes()).collect(),
        _ => values.iter().flat_map(|v| v.to_ne_bytes()).collect(),
    }
}

fn options(model: ModelChoice, kind: BoundKind, value: f64) -> EncodeOptions {
    let mut options = EncodeOptions::new(ErrorBound { kind, value });
    (options.model, options.threads) = (model, 1);
    options
}

/// The same with the model in the file.
fn inside(mut options: EncodeOptions) -> EncodeOptions {
    options.embed_model = true;
    options
}

fn encode(dtype: DType, values: &[f64], options: &EncodeOptions) -> Vec<u8> {
    let data = bytes(dtype, values);
    let source = SliceSource::new(dtype, &SHAPE.map(|n| n as u64), &data).unwrap();
    encode_to_vec(&VariableMeta::default(), &source, options).unwrap()
}

fn bases(reader: &Reader) -> Vec<&'static str> {
    reader.variables().iter().flat_map(|v| &v.chunks).map(|c| base_name(c.base)).collect()
}

fn on_background(reader: &Reader) -> usize {
    bases(reader).iter().filter(|base| base.starts_with("background-")).count()
}

#[test]
fn a_background_saves_bytes_and_keeps_every_bound() {
    let model = model([40, 50]);
    let mut values = field([0, 0]);
    values[77] = f64::NAN;
    values[78] = f64::NEG_INFINITY;
    for dtype in [DType::F32, DType::F64] {
        for (kind, value) in [(BoundKind::Abs, 0.05), (BoundKind::Rel, 1e-2), (BoundKind::Nrmse, 1e-3)] {
            let without = encode(dtype, &values, &options(ModelChoice::Default, kind, value)).len();
            let asked = inside(options(ModelChoice::Given(model.clone()), kind, value));
            let reader = Reader::from_bytes(encode(dtype, &values, &asked)).unwrap();
            assert_eq!(on_background(&reader), 1, "{:?}", bases(&reader));
            let inside: u64 = reader.models().iter().filter_map(|m| m.embedded).sum();
            let with = reader.length() - inside;
            assert!((with as f64) < 0.7 * without as f64, "{dtype:?} {kind:?}: {with} {without}");
            // Bounds are of values as they are stored.
            let stored = numbers(dtype, &bytes(dtype, &values));
            let decoded = numbers(dtype, &reader.decode(0, 1).unwrap());
            let finite = || stored.iter().zip(&decoded).filter(|(a, _)| a.is_finite());
            let (low, high) = finite().fold((f64::MAX, f64::MIN), |(l, h), (a, _)| (l.min(*a), h.max(*a)));
            let worst = finite().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let mean = (finite().map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / finite().count() as f64).sqrt();
            match kind {
                BoundKind::Abs => assert!(worst <= value),
                BoundKind::Rel => assert!(worst <= value * (high - low)),
                _ => assert!(mean <= value * (high - low) && mean > 0.9 * value * (high - low)),
            }
            assert!(decoded[77].is_nan() && decoded[78] == f64::NEG_INFINITY);
        }
    }
}

#[test]
fn chunks_lie_where_they_lie_in_the_variable_and_threads_change_nothing() {
    let model = model([40, 50]);
    let mut asked = options(ModelChoice::Given(model.clone()), BoundKind::Abs, 0.05);
    asked.chunk = ChunkShape::Fixed(vec![3, 16, 20]);
    let file = encode(DType::F32, &field([0, 0]), &asked);
    asked.threads = 3;
    assert_eq!(file, encode(DType::F32, &field([0, 0]), &asked));
    let mut reader = Reader::from_bytes(file).unwrap();
    assert!(matches!(reader.decode(0, 1), Err(Error::ModelMissing { .. })));
    reader.add_model(model);
    let most = bases(&reader).len() - bases(&reader).len() / 4;
    assert!(on_background(&reader) >= most, "{:?}", bases(&reader));
    let all = numbers(DType::F32, &reader.decode(0, 2).unwrap());
    assert!(all.iter().zip(&field([0, 0])).all(|(a, b)| (a - b).abs() <= 0.05 + 1e-5));
    let region = Region::parse("2:4,10:30,15:25", &SHAPE.map(|n| n as u64)).unwrap();
    let part = numbers(DType::F32, &reader.decode_region(0, &region, 1).unwrap());
    for (k, v) in part.iter().enumerate() {
        let (t, y, x) = (2 + k / 200, 10 + k / 10 % 20, 15 + k % 10);
        assert_eq!(*v, all[(t * SHAPE[1] + y) * SHAPE[2] + x]);
    }
}

#[test]
fn a_part_of_the_ground_is_found_in_it() {
    let asked = |model| inside(options(ModelChoice::Given(model), BoundKind::Abs, 0.05));
    let values = field([23, 31]);
    let known = Reader::from_bytes(encode(DType::F32, &values, &asked(model([80, 100])))).unwrap();
    assert_eq!(on_background(&known), 1);
    // One that ends in the middle of it helps less.
    let half = Reader::from_bytes(encode(DType::F32, &values, &asked(model([45, 100])))).unwrap();
    let own = |reader: &Reader| reader.length() - reader.models().iter().filter_map(|m| m.embedded).sum::<u64>();
    assert!(own(&known) < own(&half), "{} {}", own(&known), own(&half));
}

#[test]
fn what_is_nothing_like_the_ground_is_coded_as_without() {
    let model = model([40, 50]);
    let values: Vec<f64> = (0..12_000).map(|i| ((i * i + 3 * i) % 1013) as f64 / 50.0).collect();
    let asked = inside(options(ModelChoice::Given(model), BoundKind::Abs, 0.05));
    let reader = Reader::from_bytes(encode(DType::F32, &values, &asked)).unwrap();
    assert_eq!(on_background(&reader), 0, "{:?}", bases(&reader));
}

#[test]
fn a_model_inherits_backgrounds_and_keeps_them_in_its_file() {
    let parent = model([40, 50]);
    let child = ModelBuilder::on(parent.model(), "child").build().unwrap();
    let known = parent.model().backgrounds();
    assert_eq!(known.iter().map(|b| b.shape().to_vec()).collect::<Vec<_>>(), [vec![2, 1], vec![40, 50]]);
    assert!(known[1].values().iter().zip(grounds([40, 50])).all(|(a, b)| (a - f64::from(b)).abs() < 0.1));
    let find = |_| Ok(parent.model().clone());
    let again = Model::read_on(&child.write(), &ModelLimits::default(), &find).unwrap();
    assert_eq!(again.backgrounds()[1].values(), known[1].values());
}

#[test]
fn chunks_that_ask_for_what_a_model_has_not_are_refused() {
    let model = model([40, 50]);
    let data = bytes(DType::F32, &field([0, 0]));
    let (bound, fill, effort) = (ChunkBound::Abs(0.05), None, Effort::Default);
    let choice = ModelChoice::Given(model.clone());
    let req = ChunkRequest { dtype: DType::F32, shape: &SHAPE, data: &data, bound, fill, effort, model: choice };
    let chunk = encode_chunk(&req).unwrap();
    assert!(base_name(chunk.base).starts_with("background-") && chunk.model == Some(model.id()));
    let decode = |base: u8, dtype: DType, model: &Arc<LoadedModel>| {
        decode_chunk_with(dtype, &SHAPE, base, &chunk.body, Some(model))
    };
    assert!(decode(chunk.base, DType::F32, &model).is_ok());
    // A model without any, integers, constants and lattices on a background.
    let parent = builtin(DEFAULT).unwrap();
    assert!(matches!(decode(chunk.base, DType::F32, parent), Err(Error::Corrupt { section: "8.12", .. })));
    for base in [64, 64 + 5, 64 + 16 + 1, 64 + 32 + 4, 128 + 4] {
        assert!(decode(base, DType::F32, &model).is_err(), "{base}");
    }
    // Without the background its field is left over.
    let plain = decode(chunk.base & 31, DType::F32, &model);
    assert!(plain.ok().is_none_or(|decoded| decoded != data));
    for cut in 0..chunk.body.len().min(60) {
        let _ = decode_chunk_with(DType::F32, &SHAPE, chunk.base, &chunk.body[..cut], Some(&model));
    }
}

#[test]
fn variables_of_one_session_know_each_other_with_their_model_in_the_file() {
    let model = model([40, 50]);
    let path = tempfile::tempdir().unwrap();
    let path = path.path().join("two.scz");
    let mut encoder = Encoder::create(&path, Overwrite::Refuse).unwrap();
    // Nothing like the ground but like each other, after one that stands on it.
    let own: Vec<f64> = (0..12_000).map(|i| ((i * i + 3 * i) % 1013) as f64 / 50.0).collect();
    let like: Vec<f64> = own.iter().enumerate().map(|(i, v)| 3.0 * v + (i as f64 / 90.0).sin()).collect();
    for (name, values) in [("ground", &field([0, 0])), ("a", &own), ("b", &like), ("again", &field([0, 0]))] {
        let data = bytes(DType::F32, values);
        let source = SliceSource::new(DType::F32, &SHAPE.map(|n| n as u64), &data).unwrap();
        let mut asked = inside(options(ModelChoice::Given(model.clone()), BoundKind::Abs, 0.05));
        asked.condition_on = ConditionOn::Auto;
        let meta = VariableMeta { name: name.into(), ..VariableMeta::default() };
        encoder.add_variable(&meta, &source, &asked, &|_| {}).unwrap();
    }
    encoder.finish().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert!(on_background(&reader) > 0 && reader.variables().iter().any(|v| !reader.conditioned_on(v).is_empty()));
    for (k, values) in [&field([0, 0]), &own, &like, &field([0, 0])].into_iter().enumerate() {
        let decoded = numbers(DType::F32, &reader.decode(k, 1).unwrap());
        assert!(decoded.iter().zip(values).all(|(a, b)| (a - b).abs() <= 0.05 + 1e-4), "{k}");
    }
}
