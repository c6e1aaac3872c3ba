//! The example of the specification is what the writer writes.
#![allow(clippy::unwrap_used)]
mod common;
use common::*;
use scicodec_format::*;
use std::path::Path;

/// The bytes of the hex dump under a heading of the specification.
fn example(heading: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let texts = ["SPEC.md"].map(|f| std::fs::read_to_string(root.join(f)).unwrap_or_default());
    let text = texts.iter().find(|t| t.contains(heading)).expect("the specification has the example");
    let dump = text.split(heading).nth(1).unwrap().split("```").nth(1).unwrap();
    let mut bytes = vec![];
    for line in dump.trim().lines() {
        let mut words = line.split_whitespace();
        let offset = usize::from_str_radix(words.next().unwrap(), 16).unwrap();
        assert!(bytes.len() <= offset);
        bytes.resize(offset, 0);
        bytes.extend(words.map_while(|w| u8::from_str_radix(w, 16).ok().filter(|_| w.len() == 2)));
    }
    bytes
}

#[test]
fn compat_golden_of_the_example_in_the_specification() {
    let mut r = record("n", &[3], &[3]);
    (r.dtype, r.bound) = (DType::U8, ErrorBound { kind: BoundKind::Lossless, value: 0.0 });
    let header = PayloadHeader {
        dtype: r.dtype,
        shape: r.shape.clone(),
        bound: r.bound,
        base: 7,
        variable: 0,
        chunk: 0,
        model: None,
        references: vec![],
        aligned: false,
    };
    let mut w = create();
    w.begin_variable(r).unwrap();
    w.push(&EncodedPayload::new(&header, &[0xde, 0xad]), ChunkFacts::default()).unwrap();
    let written = finish(w);
    let hex = written.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    assert_eq!(written, example("### 6.11 Example"), "{hex}");
}
