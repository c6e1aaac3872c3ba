//! Models that are not the program's own: given, embedded in the file, installed, missing, or another than is needed.
#![allow(clippy::unwrap_used, clippy::panic)]
#[path = "common/moved.rs"]
mod moved;
#[path = "common/waves.rs"]
mod waves;
use scicodec::learned::{CodedBackground, DEFAULT, builtin};
use scicodec::network::{Model, ModelBuilder, Operation};
use scicodec::*;
use std::path::Path;
use std::sync::Arc;
use waves::waves;

const SHAPE: [u64; 3] = [14, 22, 25];

/// The default model with other biases at its end: another model, which helps as well.
fn other(by: i32) -> Arc<LoadedModel> {
    let mut builder = ModelBuilder::new("other");
    for network in builtin(1).unwrap().model().networks() {
        let mut graph = network.graph().clone();
        let Some(Operation::Convolution(last)) = graph.operations.last_mut() else {
            builder = builder.network(graph).unwrap();
            continue;
        };
        last.bias[0] += by;
        builder = builder.network(graph).unwrap();
    }
    Arc::new(LoadedModel::new(builder.build().unwrap()).unwrap())
}

fn options(model: ModelChoice, embed: bool) -> EncodeOptions {
    let mut options = EncodeOptions::new(ErrorBound { kind: BoundKind::Abs, value: 0.03 });
    (options.model, options.embed_model, options.threads) = (model, embed, 1);
    // What is appended is alike: beside the first it would need no model.
    options.condition_on = ConditionOn::None;
    options
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_ne_bytes()).collect()
}

fn encode(model: ModelChoice, embed: bool) -> Vec<u8> {
    let data = bytes_of(&waves([14, 22, 25]));
    let source = SliceSource::new(DType::F32, &SHAPE, &data).unwrap();
    encode_to_vec(&VariableMeta::default(), &source, &options(model, embed)).unwrap()
}

fn learned(reader: &Reader) -> usize {
    reader.variables().iter().flat_map(|v| &v.chunks).filter(|c| base_name(c.base) == "learned").count()
}

#[test]
fn a_file_that_names_a_model_decodes_with_it_alone() {
    let model = other(1);
    let file = encode(ModelChoice::Given(model.clone()), false);
    let reader = Reader::from_bytes(file.clone()).unwrap();
    assert_eq!(learned(&reader), 1, "a field with a front is what the network is for");
    let [needed] = &reader.models()[..] else { panic!("{:?}", reader.models()) };
    assert_eq!((needed.id, needed.embedded, needed.chunks), (model.id(), None, 1));
    match reader.decode(0, 1) {
        Err(Error::ModelMissing { id }) => assert_eq!(id, format!("{:#}", model.id())),
        other => panic!("{other:?}"),
    }
    let mut wrong = Reader::from_bytes(file.clone()).unwrap();
    wrong.add_model(other(2));
    match wrong.decode(0, 1) {
        Err(Error::ModelMismatch { wanted, given }) => {
            assert_eq!((wanted, given), (format!("{:#}", model.id()), format!("{:#}", other(2).id())));
        }
        other => panic!("{other:?}"),
    }
    let mut right = Reader::from_bytes(file).unwrap();
    right.add_model(model);
    let decoded: Vec<f32> = bytemuck(&right.decode(0, 1).unwrap());
    let worst = waves([14, 22, 25]).iter().zip(&decoded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 0.03);
}

fn bytemuck(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_ne_bytes(*b)).collect()
}

#[test]
fn a_file_with_its_model_inside_decodes_with_nothing_else() {
    let model = other(1);
    let alone = Reader::from_bytes(encode(ModelChoice::Given(model.clone()), false)).unwrap();
    let reader = Reader::from_bytes(encode(ModelChoice::Given(model.clone()), true)).unwrap();
    let [inside] = &reader.models()[..] else { panic!() };
    let length = model.model().write().len() as u64;
    assert_eq!((inside.id, inside.embedded, inside.chunks), (model.id(), Some(length), 1));
    assert_eq!(reader.model(model.id()).unwrap().model().write(), model.model().write());
    assert!(reader.length() < alone.length() + length + 16);
    let mut given = alone;
    given.add_model(model);
    assert_eq!(reader.decode(0, 1).unwrap(), given.decode(0, 1).unwrap());
}

#[test]
fn the_default_model_is_named_by_number_and_embedded_where_that_is_asked() {
    let plain = encode(ModelChoice::Default, false);
    assert_eq!(encode(ModelChoice::Given(builtin(DEFAULT).unwrap().clone()), false), plain);
    assert!(Reader::from_bytes(plain).unwrap().models().is_empty());
    let reader = Reader::from_bytes(encode(ModelChoice::Default, true)).unwrap();
    let [inside] = &reader.models()[..] else { panic!() };
    assert_eq!((inside.id, inside.chunks), (builtin(DEFAULT).unwrap().id(), 0));
    assert!(inside.embedded.is_some());
    reader.decode(0, 1).unwrap();
    // A model that helped nowhere is not embedded.
    let noise: Vec<u8> = (0..4000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_ne_bytes()).collect();
    let source = SliceSource::new(DType::U32, &[4000], &noise).unwrap();
    let mut options = options(ModelChoice::Given(other(1)), true);
    options.bound = ErrorBound { kind: BoundKind::Lossless, value: 0.0 };
    let file = encode_to_vec(&VariableMeta::default(), &source, &options).unwrap();
    assert!(Reader::from_bytes(file).unwrap().models().is_empty());
}

#[test]
fn appending_keeps_the_model_and_adds_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.scz");
    let data = bytes_of(&waves([14, 22, 25]));
    let source = SliceSource::new(DType::F32, &SHAPE, &data).unwrap();
    let meta = VariableMeta { name: "a".into(), ..VariableMeta::default() };
    let options = options(ModelChoice::Given(other(1)), true);
    let mut encoder = Encoder::create(&path, Overwrite::Refuse).unwrap();
    encoder.add_variable(&meta, &source, &options, &|_| {}).unwrap();
    encoder.finish().unwrap();
    let mut encoder = Encoder::append(&path).unwrap();
    encoder.extend_variable("a", &source, &options, &|_| {}).unwrap();
    encoder.finish().unwrap();
    let reader = Reader::open(&path).unwrap();
    let [model] = &reader.models()[..] else { panic!() };
    assert_eq!((model.id, model.chunks), (other(1).id(), 2));
    let whole = reader.decode(0, 1).unwrap();
    // A torn file keeps it too.
    let bytes = std::fs::read(&path).unwrap();
    let torn = folder.path().join("torn.scz");
    std::fs::write(&torn, &bytes[..bytes.len() - 3]).unwrap();
    let saved = folder.path().join("saved.scz");
    let report = recover(&torn, &saved).unwrap();
    assert_eq!((report.models, report.variables[0].lost), (1, 0));
    assert_eq!(Reader::open(&saved).unwrap().decode(0, 1).unwrap(), whole);
}

#[test]
fn installed_models_are_found_by_their_digests() {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::in_folder(Some(folder.path().join("models")));
    assert!(models.list().unwrap().is_empty());
    let (a, b) = (other(1), other(2));
    assert!(matches!(models.find(a.id(), None), Err(Error::ModelMissing { .. })));
    let path = models.install(&a).unwrap();
    assert_eq!(path.file_name().unwrap().to_string_lossy(), format!("{:#}.scm", a.id()));
    std::fs::write(folder.path().join("models/notes.scm"), "not named by a digest").unwrap();
    assert_eq!(models.list().unwrap(), [a.id()]);
    assert_eq!(models.find(a.id(), None).unwrap(), a);
    // A file that does not hold what its name says.
    std::fs::copy(&path, path.with_file_name(format!("{:#}.scm", b.id()))).unwrap();
    assert!(matches!(models.find(b.id(), None), Err(Error::ModelMismatch { .. })));
    assert_eq!(models.find(builtin(1).unwrap().id(), None).unwrap().id(), builtin(1).unwrap().id());
}

#[test]
fn what_payload_and_body_say_of_a_model_must_agree() {
    let model = other(1);
    let file = Reader::from_bytes(encode(ModelChoice::Given(model.clone()), false)).unwrap();
    let payload = file.container().payload(0, 0, 0).unwrap().unwrap();
    let shape: Vec<usize> = SHAPE.iter().map(|&n| n as usize).collect();
    let decode =
        |base, body: &[u8], model: Option<&Arc<LoadedModel>>| decode_chunk_with(DType::F32, &shape, base, body, model);
    let corrupt = |r: Result<Vec<u8>, Error>| matches!(r, Err(Error::Corrupt { section: "8.8.5", .. }));
    let (base, body) = (payload.header.base, payload.body);
    assert!(decode(base, body, Some(&model)).is_ok());
    assert!(corrupt(decode(base, body, None)));
    let mut numbered = body.to_vec();
    numbered[8] = 1; // flags, step (3), order, kind, fitted, levels, model
    assert!(decode(base, &numbered, None).is_ok());
    assert!(corrupt(decode(base, &numbered, Some(&model))));
    assert!(corrupt(decode(1, body, Some(&model))));
}

#[test]
fn digests_are_read_as_they_are_shown() {
    let id = builtin(1).unwrap().id();
    assert_eq!(network::ModelId::parse(&format!("{id:#}")), Some(id));
    for text in ["", "01dc", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(network::ModelId::parse(text), None);
    }
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../weights/{}/weights.scm", &format!("{id:#}")[..16]));
    let file = Model::read(&std::fs::read(shipped).unwrap(), &network::ModelLimits::default()).unwrap();
    assert_eq!(file.id(), id);
}

/// A model that stands on this one, with states moved.
fn on(parent: &Arc<LoadedModel>) -> Arc<LoadedModel> {
    let states = moved::moved(parent.priors().unwrap(), 9);
    // What it knows of the field makes it worth asking.
    let known = CodedBackground::new(&[14, 22, 25], &waves([14, 22, 25]), 0.01).unwrap();
    let model = ModelBuilder::on(parent.model(), "tuned").priors_nearly(&states).backgrounds(&[known]).build().unwrap();
    Arc::new(LoadedModel::on(model, parent).unwrap())
}

#[test]
fn a_model_that_stands_on_the_default_one_needs_nothing_but_the_program() {
    let model = on(builtin(DEFAULT).unwrap());
    let bytes = model.model().write();
    let again = LoadedModel::read(&bytes).unwrap();
    assert_eq!((again.id(), again.priors()), (model.id(), model.priors()));
    assert_ne!(again.priors(), builtin(DEFAULT).unwrap().priors());
    assert_eq!(again.model().parents(), [builtin(DEFAULT).unwrap().id()]);
    assert!(bytes.len() < builtin(DEFAULT).unwrap().model().write().len() / 4, "{}", bytes.len());
    let file = encode(ModelChoice::Given(model.clone()), true);
    let named = encode(ModelChoice::Given(model.clone()), false);
    assert!(file.len() < named.len() + bytes.len(), "chunks of a file with the model inside name it in few bytes");
    let reader = Reader::from_bytes(file).unwrap();
    assert_eq!(reader.models().iter().map(|m| (m.id, m.chunks)).collect::<Vec<_>>(), [(model.id(), 1)]);
    let mut with = Reader::from_bytes(named).unwrap();
    with.add_model(model);
    let values = reader.decode(0, 1).unwrap();
    assert_eq!(values, with.decode(0, 2).unwrap());
    reader.verify(&|_| {}).unwrap();
}

#[test]
fn a_missing_or_other_parent_is_named() {
    let parent = on(builtin(DEFAULT).unwrap());
    let child = on(&parent);
    match LoadedModel::read(&child.model().write()) {
        Err(Error::ModelMissing { id }) => assert_eq!(id, format!("{:#}", parent.id())),
        other => panic!("{other:?}"),
    }
    match LoadedModel::read_on(&child.model().write(), &|_| Ok(child.clone())) {
        Err(Error::ModelMismatch { wanted, given }) => {
            assert_eq!((wanted, given), (format!("{:#}", parent.id()), format!("{:#}", child.id())));
        }
        other => panic!("{other:?}"),
    }
    let folder = tempfile::tempdir().unwrap();
    let models = Models::in_folder(Some(folder.path().into()));
    models.install(&child).unwrap();
    match models.find(child.id(), None) {
        Err(Error::ModelMissing { id }) => assert_eq!(id, format!("{:#}", parent.id())),
        other => panic!("{other:?}"),
    }
    models.install(&parent).unwrap();
    assert_eq!(models.find(child.id(), None).unwrap().priors(), child.priors());
    assert_eq!(child.model().lineage(), [parent.id(), builtin(DEFAULT).unwrap().id()]);
    // A file holds all that the program has not.
    let reader = Reader::from_bytes(encode(ModelChoice::Given(child.clone()), true)).unwrap();
    assert_eq!(reader.models().len(), 2);
    reader.decode(0, 1).unwrap();
}

#[test]
fn no_more_models_stand_on_one_another_than_may() {
    let mut chain = vec![builtin(DEFAULT).unwrap().clone()];
    while chain.len() < 8 {
        let parent = chain.last().unwrap();
        let model = ModelBuilder::on(parent.model(), &chain.len().to_string()).build().unwrap();
        chain.push(Arc::new(LoadedModel::on(model, parent).unwrap()));
    }
    let last = chain.last().unwrap();
    assert_eq!(last.priors(), chain[0].priors(), "what is not told is the parent's");
    assert!(matches!(ModelBuilder::on(last.model(), "9").build(), Err(Error::Limit { .. })));
}

#[test]
fn damaged_differences_give_errors_or_other_models() {
    let bytes = on(builtin(DEFAULT).unwrap()).model().write();
    let seal = |mut bytes: Vec<u8>| {
        let content = bytes.len() - 32;
        let digest = *blake3::hash(&bytes[..content]).as_bytes();
        bytes[content..].copy_from_slice(&digest);
        bytes
    };
    for i in (9..bytes.len() - 32).step_by(1 + bytes.len() / 300) {
        let mut bad = bytes.clone();
        bad[i] ^= [0x01, 0xff, 0x80][i % 3];
        match LoadedModel::read(&seal(bad)) {
            Ok(model) => assert!(model.priors().is_some()),
            Err(
                Error::Corrupt { .. }
                | Error::Truncated { .. }
                | Error::Unsupported { .. }
                | Error::ModelMissing { .. }
                | Error::Limit { .. },
            ) => {}
            Err(other) => panic!("byte {i}: {other:?}"),
        }
    }
}
