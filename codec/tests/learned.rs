//! The learned base: chosen where it helps, within the bound, and the same with every kernel.
#![allow(clippy::unwrap_used)]
#[path = "common/waves.rs"]
mod waves;
use scicodec::learned::{Predictor, builtin};
use scicodec::network::{Graph, Kernel, ModelBuilder, Network, Operation, Span};
use scicodec::*;
use waves::waves as field;

fn encode(shape: &[usize], data: &[f32], bound: ChunkBound, model: ModelChoice) -> EncodedChunk {
    let data: Vec<u8> = data.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let request =
        ChunkRequest { dtype: DType::F32, shape, data: &data, bound, fill: None, effort: Effort::Default, model };
    encode_chunk(&request).unwrap()
}

#[test]
fn bound_holds_and_files_are_no_larger_than_without_a_model() {
    let mut learned = 0;
    for shape in [[1, 57, 64], [14, 22, 25], [1, 1, 900]] {
        let values = field(shape);
        for bound in [ChunkBound::Abs(0.3), ChunkBound::Abs(0.03), ChunkBound::Abs(1e-3), ChunkBound::Rmse(0.02)] {
            let with = encode(&shape, &values, bound, ModelChoice::Default);
            let without = encode(&shape, &values, bound, ModelChoice::None);
            assert_ne!(base_name(without.base), "learned");
            assert!(with.body.len() <= without.body.len() + 2, "{shape:?} {bound:?}");
            learned += usize::from(base_name(with.base) == "learned");
            let out = decode_chunk(DType::F32, &shape, with.base, &with.body).unwrap();
            let out = out.chunks_exact(4).map(|b| f32::from_ne_bytes(b.try_into().unwrap()));
            let errors = values.iter().zip(out).map(|(x, y)| (f64::from(*x) - f64::from(y)).abs());
            match bound {
                ChunkBound::Abs(e) => assert!(errors.fold(0.0, f64::max) <= e),
                _ => assert!((errors.map(|e| e * e).sum::<f64>() / values.len() as f64).sqrt() <= 0.02),
            }
        }
    }
    assert!(learned > 1, "fields with fronts are what the network is for");
}

#[test]
fn an_unknown_model_is_named() {
    let shape = [14, 22, 25];
    let chunk = encode(&shape, &field(shape), ChunkBound::Abs(0.03), ModelChoice::Default);
    assert_eq!(base_name(chunk.base), "learned");
    let mut body = chunk.body.clone();
    body[8] = 200; // flags, step (3), order, kind, fitted, levels, model
    assert_eq!(chunk.body[8], learned::DEFAULT);
    let error = decode_chunk(DType::F32, &shape, chunk.base, &body).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { feature } if feature.contains("200")), "{error}");
}

#[test]
fn huge_chunks_are_refused_before_memory_is_taken() {
    let shape = [14, 22, 25];
    let chunk = encode(&shape, &field(shape), ChunkBound::Abs(0.03), ModelChoice::Default);
    let error = decode_chunk(DType::F32, &[1 << 12, 1 << 12], chunk.base, &chunk.body).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}

#[test]
fn models_of_another_kind_are_refused() {
    let id = builtin(1).unwrap().id();
    assert_eq!(id, builtin(1).unwrap().id());
    let graph = |name: &str| Graph {
        name: name.into(),
        channels: 3,
        span: Span { low: -9, high: 9 },
        conditions: 1,
        operations: vec![Operation::Mean { source: 0 }],
    };
    assert!(Network::new(graph("passes"), Kernel::Scalar).is_ok());
    for names in [&["passes"][..], &["passes", "points"]] {
        let build = |b: ModelBuilder, name: &&str| b.network(graph(name)).unwrap();
        let model = names.iter().fold(ModelBuilder::new("other"), build).build().unwrap();
        assert!(Predictor::new(&model).is_err());
    }
}
