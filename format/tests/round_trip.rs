//! What is written is read back, and costs few bytes.
#![allow(clippy::unwrap_used)]
mod common;
use common::*;
use scicodec_format::*;

#[test]
fn round_trip_of_a_grown_file() {
    let bytes = grown();
    let c = open(&bytes).unwrap();
    let shapes: Vec<_> = c.variables().iter().map(Variable::shape).collect();
    assert_eq!(shapes, [vec![8, 4], vec![4], vec![0, 7], vec![], vec![3]]);
    let all = contents(&c).unwrap();
    assert_eq!(all[0].1.len(), 8);
    for (v, (_, chunks)) in all.iter().enumerate() {
        for (i, chunk) in chunks.iter().enumerate() {
            assert_eq!(chunk.as_deref(), Some(&body(v as u64, i as u64)[..]));
        }
    }
    let b = &c.variables()[1];
    assert_eq!((b.record.units.as_str(), b.record.fill), ("K", Some(0x7f80_0001)));
    assert_eq!(b.record.attributes, [("long_name".to_string(), "a name".to_string())]);
    assert_eq!((b.segments[1].start, b.segments[1].first_chunk), (3, 1));
    for chunk in c.variables().iter().flat_map(|v| &v.segments).flat_map(|s| &s.chunks) {
        assert_eq!(chunk.form == ChunkForm::Aligned, chunk.entry.length >= SMALL);
        assert!(chunk.form != ChunkForm::Aligned || chunk.offset.is_multiple_of(ALIGNMENT));
        assert_eq!(chunk.entry.max_error, Some(0.5));
        assert_eq!(chunk.entry.range, facts().range);
    }
}

#[test]
fn round_trip_of_the_old_index_after_growth() {
    let mut w = create();
    add(&mut w, &record("a", &[5, 4], &[2, 3]));
    let before = finish(w);
    let grown = grown();
    assert_ne!(before.len(), grown.len());
    let mut w = resume(&before);
    add(&mut w, &record("z", &[1], &[1]));
    let after = finish(w);
    assert_eq!(after[..before.len()], before, "an append changes no byte that was there");
}

#[test]
fn overhead_is_small() {
    let overhead = |name: &str| lone(name).len() - body(0, 0).len();
    for n in [0, 8, 16, 24, 32, 40] {
        println!("one variable, one chunk, a name of {n} bytes: {} bytes around the body", overhead(&"n".repeat(n)));
    }
    assert!(overhead("") <= 48, "{}", overhead(""));
    assert_eq!(overhead("temperature"), overhead("") + 11);
    let length = |chunks: u64| {
        let mut w = create();
        let r = record("t", &[100 * chunks, 100, 100], &[100, 100, 100]);
        let grid = w.begin_variable(r.clone()).unwrap();
        for c in 0..chunks {
            let payload = payload_of(&r, &grid, c, &[0; 300]);
            let facts = ChunkFacts { max_error: Some(c as f32), ..facts() };
            w.push(&payload, facts).unwrap();
        }
        finish(w).len()
    };
    let each = length(11) - length(10) - 300;
    println!("each further small chunk: {each} bytes");
    assert!(each <= 25, "{each}");
}

fn payload_of(r: &VariableRecord, grid: &Grid, chunk: u64, body: &[u8]) -> EncodedPayload {
    let header = PayloadHeader {
        dtype: r.dtype,
        shape: grid.chunk_box(chunk).unwrap().extent,
        bound: r.bound,
        base: 1,
        variable: 0,
        chunk,
        model: None,
        references: vec![],
        aligned: false,
    };
    EncodedPayload::new(&header, body)
}

#[test]
fn round_trip_of_a_payload_alone() {
    for (model, aligned, variable) in [(None, false, 0), (Some([7; 32]), true, 3)] {
        let header = PayloadHeader {
            dtype: DType::F64,
            shape: vec![2, 1, 3],
            bound: ErrorBound { kind: BoundKind::Abs, value: 1.0 / 3.0 },
            base: 200,
            variable,
            chunk: 1000,
            model,
            references: vec![],
            aligned,
        };
        let body: Vec<u8> = (0..48).collect();
        let encoded = EncodedPayload::new(&header, &body);
        let payload = Payload::parse(&encoded.bytes, &Limits::default()).unwrap();
        assert_eq!((payload.header.clone(), payload.body, payload.crc), (header, &body[..], encoded.crc));
        assert_eq!(payload.length, encoded.bytes.len() as u64);
        for i in 0..encoded.bytes.len() {
            assert!(Payload::parse(&encoded.bytes[..i], &Limits::default()).is_err(), "cut at {i}");
        }
        for i in 0..encoded.bytes.len() {
            let mut bad = encoded.bytes.clone();
            bad[i] ^= 1;
            assert!(Payload::parse(&bad, &Limits::default()).is_err(), "changed at {i}");
        }
    }
}

#[test]
fn round_trip_of_typed_views() {
    let values: Vec<f64> = (0..600).map(|i| f64::from(i) * 1.5).collect();
    let header = PayloadHeader {
        dtype: DType::F64,
        shape: vec![600],
        bound: ErrorBound { kind: BoundKind::Lossless, value: 0.0 },
        base: 0,
        variable: 0,
        chunk: 0,
        model: None,
        references: vec![],
        aligned: true,
    };
    let mut w = create();
    let mut r = record("v", &[600], &[600]);
    (r.dtype, r.bound) = (DType::F64, header.bound);
    w.begin_variable(r).unwrap();
    w.push(&EncodedPayload::new(&header, bytemuck::cast_slice(&values)), ChunkFacts::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.scz");
    std::fs::write(&path, finish(w)).unwrap();
    let c = Container::open(&path, Limits::default()).unwrap();
    assert_eq!(c.payload(0, 0, 0).unwrap().unwrap().view::<f64>().unwrap(), values);
}

/// A file of format version 1, which is no longer written.
fn version_1() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/golden/1/grown-in-chunks.scz")).unwrap()
}

#[test]
fn unused_bits_are_ignored() {
    let good = version_1();
    let mut bytes = good.clone();
    bytes[9] = 0xf0;
    assert_eq!(contents(&open(&bytes).unwrap()).unwrap(), contents(&open(&good).unwrap()).unwrap());
}

#[test]
fn recover_writes_version_1_anew() {
    let old = version_1();
    let c = open(&old).unwrap();
    assert_eq!(c.version(), 1);
    assert!(matches!(Writer::resume(vec![], &c), Err(Error::InvalidArgument(_))));
    let (new, _) = recover(&old, &Limits::default(), vec![]).unwrap();
    assert!(new.len() < old.len());
    let again = open(&new).unwrap();
    assert_eq!(again.version(), FORMAT_VERSION);
    assert_eq!(contents(&again).unwrap(), contents(&c).unwrap());
    Writer::resume(new, &again).unwrap();
}

#[test]
fn rounded_ranges_are_for_lone_chunks() {
    let range = ValueRange::Bits { min: 0xbf80_0000, max: 0x4000_0000, dropped: 2 };
    let facts = ChunkFacts { max_error: None, range };
    let r = record("x", &[4], &[4]);
    let mut w = create();
    let grid = w.begin_variable(r.clone()).unwrap();
    w.push(&payload_of(&r, &grid, 0, &[1]), facts).unwrap();
    let bytes = finish(w);
    assert_eq!(open(&bytes).unwrap().variables()[0].segments[0].chunks[0].entry.range, range);
    let refused = |r: &VariableRecord, range| {
        let mut w = create();
        let grid = w.begin_variable(r.clone()).unwrap();
        let facts = ChunkFacts { max_error: None, range };
        matches!(w.push(&payload_of(r, &grid, 0, &[1]), facts), Err(Error::InvalidArgument(_)))
    };
    assert!(refused(&record("x", &[4], &[2]), range));
    assert!(refused(&r, ValueRange::Bits { min: 1, max: 2, dropped: 1 }));
    assert!(refused(&r, ValueRange::Bits { min: 0, max: 0, dropped: 4 }));
}
