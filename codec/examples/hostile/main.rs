//! Writes small files that lie, each with the one line that a reader must say of it.
//!
//! `cargo run --release -p scicodec --example hostile -- testdata/hostile/2`: look at what the manifest says before it is
//! committed. Bodies are written by hand, so that they do not change with the encoder.
#![allow(clippy::print_stdout)]
#[path = "../../tests/common/first_error.rs"]
mod first_error;
#[path = "../mutate/repair.rs"]
mod repair;
use first_error::first_error;
use repair::Parts;
use scicodec::format::{ChunkFacts, EncodedPayload, PayloadHeader, ValueRange, VariableRecord, Writer};
use scicodec::network::ModelBuilder;
use scicodec::{BoundKind, ChunkRef, DType, Error, ErrorBound};
use std::error::Error as AnyError;
use std::path::Path;

/// The codes of the bases (SPEC §4).
const CONSTANT: u8 = 0;
const INTERPOLATION: u8 = 1;
const LORENZO: u8 = 2;
const LOSSLESS: u8 = 5;
const TABLED: u8 = 6;
const LEARNED: u8 = 7;
const TUCKER: u8 = 8;
const LATTICE: u8 = 16;
const BESIDE: u8 = 32;

fn record(name: &str, dtype: DType, shape: &[u64], chunk: &[u64]) -> VariableRecord {
    VariableRecord {
        name: name.into(),
        units: String::new(),
        attributes: vec![],
        dimensions: vec![],
        dtype,
        shape: shape.to_vec(),
        chunk_shape: chunk.to_vec(),
        bound: ErrorBound { kind: BoundKind::Abs, value: 0.123_456_789_012_345 },
        fill: None,
    }
}

fn header(r: &VariableRecord, variable: u64, base: u8) -> PayloadHeader {
    let (dtype, shape, bound) = (r.dtype, r.shape.clone(), r.bound);
    let references = vec![];
    PayloadHeader { dtype, shape, bound, base, variable, chunk: 0, model: None, references, aligned: false }
}

/// Facts of a chunk of float32 values.
fn facts() -> ChunkFacts {
    let bits = |v: f32| u64::from(v.to_bits());
    ChunkFacts { max_error: Some(0.0), range: ValueRange::Bits { min: bits(1.0), max: bits(1.0), dropped: 0 } }
}

/// A file of float32 variables of shape (2, 3), one chunk each, of this base and body.
fn file(names: &[&str], base: u8, body: &[u8]) -> Result<Vec<u8>, Box<dyn AnyError>> {
    let mut w = Writer::create(vec![])?;
    for (i, name) in names.iter().enumerate() {
        let r = record(name, DType::F32, &[2, 3], &[2, 3]);
        w.begin_variable(r.clone())?;
        w.push(&EncodedPayload::new(&header(&r, i as u64, base), body), facts())?;
    }
    Ok(w.finish()?.0)
}

/// The same of another dtype, or with another header than its record.
fn lone(r: VariableRecord, h: &PayloadHeader, body: &[u8]) -> Result<Vec<u8>, Box<dyn AnyError>> {
    let mut w = Writer::create(vec![])?;
    w.begin_variable(r)?;
    w.push(&EncodedPayload::new(h, body), ChunkFacts { max_error: Some(0.0), range: ValueRange::Empty })?;
    Ok(w.finish()?.0)
}

/// Replaces bytes inside a part of a file, and puts its checksums right.
fn forge(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Result<Vec<u8>, Box<dyn AnyError>> {
    let parts = Parts::of(&bytes);
    let mut at = None;
    for part in parts.records.iter().chain(&parts.indexes) {
        at = at.or(bytes[part.clone()].windows(from.len()).rposition(|w| w == from).map(|k| part.start + k));
    }
    let at = at.ok_or("nothing to forge")?;
    bytes[at..at + to.len()].copy_from_slice(to);
    parts.repair(&mut bytes);
    Ok(bytes)
}

/// Names and bytes of all files.
type Files = Vec<(&'static str, Vec<u8>)>;

fn all() -> Result<Files, Box<dyn AnyError>> {
    let one = [&[0u8][..], &1f32.to_le_bytes()].concat();
    let good = file(&["a"], CONSTANT, &one)?;
    if let Some(e) = first_error(&good) {
        return Err(format!("the file to start from is wrong: {e}").into());
    }
    let mut all = vec![];
    let mut add = |name: &'static str, bytes: Vec<u8>| all.push((name, bytes));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    // Of the file as a whole.
    add("empty", vec![]);
    add("truncated", good[..good.len() / 2].to_vec());
    add("no-footer", good[..good.len() - 1].to_vec());
    add("another-format", [b"\x93NUMPY\x01\x00", &good[8..]].concat());
    let mut text = good.clone();
    text.remove(4);
    add("line-ends-changed", text);
    add("later-format", with(8, 9));
    add("concatenated", [good.clone(), good.clone()].concat());
    let two = file(&["a", "b"], CONSTANT, &one)?;
    let groups = Parts::of(&two).records;
    let [a, b] = &groups[..] else { return Err("two records".into()) };
    add("group-cut-out", [&two[..b.start], &two[b.end + 4..]].concat());
    add("record-of-the-old-version", with(a.start, b'V'));
    // Of records and index.
    let bound = 0.123_456_789_012_345f64.to_le_bytes();
    add("bound-nan", forge(good.clone(), &bound, &f64::NAN.to_le_bytes())?);
    add("bound-negative", forge(good.clone(), &bound, &(-1f64).to_le_bytes())?);
    let (first, second) = (&[1, b'a'][..], &[1, b'b'][..]);
    add("name-twice", forge(file(&["a", "b"], CONSTANT, &one)?, second, first)?);
    add("name-not-utf8", forge(good.clone(), first, &[1, 0xff])?);
    add("rank-too-high", forge(good.clone(), &[0x21, 2, 3], &[0x71, 2, 3])?);
    let chunks = |present: bool| -> Result<Vec<u8>, Box<dyn AnyError>> {
        let r = record("a", DType::F32, &[4, 3], &[2, 3]);
        let mut w = Writer::create(vec![])?;
        w.begin_variable(r.clone())?;
        for chunk in 0..2 {
            let h = PayloadHeader { shape: vec![2, 3], chunk, ..header(&r, 0, CONSTANT) };
            if chunk == 0 || present {
                w.push(&EncodedPayload::new(&h, &one), facts())?;
            } else {
                w.push_missing()?;
            }
        }
        Ok(w.finish()?.0)
    };
    let whole = chunks(true)?;
    let parts = Parts::of(&whole);
    let table = parts.indexes.first().ok_or("no index")?.start + 2;
    let mut long = whole.clone();
    long[table] = 127;
    parts.repair(&mut long);
    add("payload-longer-than-file", long);
    let mut short = whole.clone();
    short[table] -= 1;
    parts.repair(&mut short);
    add("payload-shorter-than-it-says", short);
    let mut gone = whole;
    gone[table] = 0;
    parts.repair(&mut gone);
    add("payload-missing-unmarked", gone);
    add("chunk-lost", chunks(false)?);
    // Of payload headers.
    add("checksum", with(good.len() - 14, good[good.len() - 14] ^ 1));
    let mut bare = chunks(true)?;
    let payload = Parts::of(&bare).payloads.last().ok_or("no payload")?.0.start;
    bare[payload + 2] ^= 4;
    add("later-payload", bare);
    let mut bare = chunks(true)?;
    bare[payload + 2] ^= 0x40;
    add("reserved-bit-in-payload", bare);
    // Only payloads that are not small describe themselves.
    let one = [&one[..], &[0; 4096]].concat();
    let r = record("a", DType::F32, &[2, 3], &[2, 3]);
    let long = lone(r.clone(), &header(&r, 0, 0), &one)?;
    add("extent-other-than-payloads", forge(long, &[0x21, 2, 3], &[0x21, 3, 3])?);
    add("payload-of-another-shape", lone(r.clone(), &PayloadHeader { shape: vec![3, 2], ..header(&r, 0, 0) }, &one)?);
    add("payload-of-another-type", lone(r.clone(), &PayloadHeader { dtype: DType::I32, ..header(&r, 0, 0) }, &one)?);
    add("payload-of-another-place", lone(r.clone(), &PayloadHeader { chunk: 7, ..header(&r, 0, 0) }, &one)?);
    add("needs-a-model", lone(r.clone(), &PayloadHeader { model: Some([7; 32]), ..header(&r, 0, 0) }, &one)?);
    // Of models inside. The last 32 bytes of a model's file name it.
    let guided = |number: u8| vec![0x50, 0, 0xf0, 0x3f, 0b1110, 2, 0, 4, number];
    let named = |inside: Option<&[u8]>, id: [u8; 32]| -> Result<Vec<u8>, Box<dyn AnyError>> {
        let mut w = Writer::create(vec![])?;
        if let Some(file) = inside {
            w.put_model(file)?;
        }
        w.begin_variable(r.clone())?;
        let h = PayloadHeader { model: Some(id), ..header(&r, 0, LEARNED) };
        w.push(&EncodedPayload::new(&h, &guided(0)), facts())?;
        Ok(w.finish()?.0)
    };
    let end = |file: &[u8]| -> [u8; 32] { std::array::from_fn(|k| file[file.len() - 32 + k]) };
    add("model-missing", named(None, [0xab; 32])?);
    let small = ModelBuilder::new("empty").build()?.write();
    add("model-for-something-else", named(Some(&small), end(&small))?);
    let mut lying = small.clone();
    lying[12] ^= 1;
    add("model-with-another-digest", named(Some(&lying), end(&lying))?);
    let mut short = small.clone();
    short.drain(10..14);
    add("model-cut-short", named(Some(&short), end(&short))?);
    let huge = [b"\x89SCM\r\n\x1a\n\x01\x00\x00\xff\xff\xff\x7f".as_slice(), &[0; 32]].concat();
    let digest = *blake3::hash(&huge[..huge.len() - 32]).as_bytes();
    let huge = [&huge[..huge.len() - 32], &digest].concat();
    add("model-of-too-many-sections", named(Some(&huge), digest)?);
    add("model-asked-for-but-not-named", file(&["a"], LEARNED, &guided(0))?);
    add("model-of-an-unknown-number", file(&["a"], LEARNED, &guided(200))?);
    add("model-beginning-otherwise", forge(named(Some(&small), end(&small))?, b"\x89SCM", b"\x88SCM")?);
    references(&mut add)?;
    // Of sizes.
    let huge = record("a", DType::F64, &[1 << 26], &[1 << 26]);
    add("chunk-too-big", lone(huge.clone(), &header(&huge, 0, CONSTANT), &[&[0][..], &[0; 8]].concat())?);
    let vast = record("a", DType::F64, &[1 << 34], &[1 << 25]);
    let mut w = Writer::create(vec![])?;
    let grid = w.begin_variable(vast)?;
    for _ in 0..grid.chunks() {
        w.push_missing()?;
    }
    add("variable-too-big", w.finish()?.0);
    // Of bodies.
    let mut body = |name, base, body: &[u8]| -> Result<(), Box<dyn AnyError>> {
        add(name, file(&["a"], base, body)?);
        Ok(())
    };
    body("body-empty", CONSTANT, &[])?;
    body("body-short", CONSTANT, &[0, 1])?;
    body("base-unknown", 200, &one)?;
    body("constant-on-a-lattice", LATTICE, &[0, 4, 0, 0, 0, 0, 4, 0, 0, 0x80, 0x3f])?;
    body("reserved-flags", CONSTANT, &[0x80, 0, 0, 0, 0])?;
    body("step-zero", LORENZO, &[0, 0, 0, 0, 2])?;
    body("step-infinite", LORENZO, &[0, 0, 0xf0, 0x7f, 2])?;
    body("lorenzo-of-nine-axes", LORENZO, &[0, 0, 0xf0, 0x3f, 9])?;
    body("axis-twice", INTERPOLATION, &[0, 0, 0xf0, 0x3f, 0b1111, 2, 0])?;
    body("five-axes", INTERPOLATION, &[0, 0, 0xf0, 0x3f, 0b1110, 5, 0])?;
    body("lossless-order", LOSSLESS, &[0, 4, 0])?;
    body("lossless-shift", LOSSLESS, &[0, 1, 64])?;
    let tabled = |unit: f32, step: &[u8], rest: &[u8]| {
        [&[0, 4][..], &0f32.to_le_bytes(), &[4], &unit.to_le_bytes(), step, rest].concat()
    };
    body(
        "tabled-alike-but-none-masked",
        TABLED,
        &[&[4, 0, 0, 0, 0][..], &tabled(1.0, &[1], &[129, 0, 0])[1..]].concat(),
    )?;
    body("tabled-unit-zero", TABLED, &tabled(0.0, &[1], &[129, 0, 0]))?;
    body("tabled-step-zero", TABLED, &tabled(1.0, &[0], &[129, 0, 0]))?;
    body("tabled-step-too-long", TABLED, &tabled(1.0, &[0xff, 0xff, 0xff, 0x7f], &[129, 0, 0]))?;
    body("tabled-four-axes-of-lorenzo", TABLED, &tabled(1.0, &[1], &[132, 0, 0]))?;
    body("tabled-axis-twice", TABLED, &tabled(1.0, &[1], &[2, 0b1111, 0, 0]))?;
    body("tabled-streams-too-long", TABLED, &tabled(1.0, &[1], &[129, 9, 0]))?;
    body("tabled-symbols-short", TABLED, &tabled(1.0, &[1], &[129, 3, 0, 1, 2, 3]))?;
    body("tabled-raw-bits-left-over", TABLED, &tabled(1.0, &[1], &[129, 0, 1, 0]))?;
    let one = [0, 0xf0, 0x3f];
    let tucker = |head: &[u8], step: [u8; 3], mean: [u8; 3]| [&[0], head, &step[..], &mean[..]].concat();
    body("tucker-reserved-bit", TUCKER, &tucker(&[32, 16], one, [0; 3]))?;
    body("tucker-more-factors-than-points", TUCKER, &tucker(&[8, 3, 16], one, [0; 3]))?;
    body("tucker-fineness-zero", TUCKER, &tucker(&[8, 1, 0], one, [0; 3]))?;
    body("tucker-step-zero", TUCKER, &tucker(&[8, 1, 16], [0; 3], [0; 3]))?;
    body("tucker-mean-infinite", TUCKER, &tucker(&[8, 1, 16], one, [0, 0xf0, 0x7f]))?;
    body(
        "tucker-on-a-lattice",
        LATTICE + TUCKER,
        &[0, 4, 0, 0, 0, 0, 4, 0, 0, 0x80, 0x3f, 0, 16, 0, 0xf0, 0x3f, 0, 0, 0],
    )?;
    let lattice =
        |scale: f32, step: &[u8]| [&[0, 4][..], &0f32.to_le_bytes(), &[4], &scale.to_le_bytes(), step, &[1]].concat();
    body("lattice-scale-nan", LATTICE + LORENZO, &lattice(f32::NAN, &[1]))?;
    body("lattice-scale-zero", LATTICE + LORENZO, &lattice(0.0, &[1]))?;
    body("lattice-step-zero", LATTICE + LORENZO, &lattice(1.0, &[0]))?;
    body("lattice-step-too-long", LATTICE + LORENZO, &lattice(1.0, &[0xff; 10]))?;
    let whole = record("a", DType::I32, &[2, 3], &[2, 3]);
    add("logarithms-of-integers", lone(whole.clone(), &header(&whole, 0, LORENZO), &[4, 0, 0xf0, 0x3f, 1])?);
    Ok(all)
}

/// Variables of which each refers to the one before it, their chunks inside their records.
fn chain(shapes: &[&[u64]]) -> Result<Vec<u8>, Box<dyn AnyError>> {
    let mut w = Writer::create(vec![])?;
    for (variable, shape) in (0..).zip(shapes) {
        let r = record(&format!("v{variable}"), DType::F32, shape, shape);
        w.begin_variable(r.clone())?;
        let first = EncodedPayload::new(&header(&r, variable, CONSTANT), &[&[0u8][..], &1f32.to_le_bytes()].concat());
        let payload = match variable.checked_sub(1) {
            None => first,
            Some(before) => {
                let references = vec![ChunkRef { variable: before, chunk: 0 }];
                let h = PayloadHeader { references, ..header(&r, variable, INTERPOLATION + BESIDE) };
                EncodedPayload::new(&h, &[0, 0, 0xee, 0xdd])
            }
        };
        w.push(&payload, facts())?;
    }
    Ok(w.finish()?.0)
}

/// Of references between chunks.
fn references(add: &mut impl FnMut(&'static str, Vec<u8>)) -> Result<(), Box<dyn AnyError>> {
    let two = chain(&[&[2, 3], &[2, 3]])?;
    let told = [1, 1, 0, 0, 0xee];
    for (name, lie) in [
        ("references-none", [0, 1, 0, 0, 0xee]),
        ("references-too-many", [4, 1, 0, 0, 0xee]),
        ("reference-to-itself", [1, 0, 0, 0, 0xee]),
        ("reference-to-a-later-chunk", [1, 0, 1, 0, 0xee]),
        ("reference-before-the-first-variable", [1, 2, 0, 0, 0xee]),
        ("reference-twice", [2, 1, 1, 0, 0xee]),
    ] {
        add(name, forge(two.clone(), &told, &lie)?);
    }
    add("reference-to-another-shape", chain(&[&[3, 2], &[2, 3]])?);
    add("reference-for-a-coder-that-takes-none", two);
    add("references-in-a-long-chain", chain(&[&[2u64, 3][..]; 10])?);
    // Of a group of several chunks they are in a record of their own.
    let r = record("a", DType::F32, &[4, 3], &[2, 3]);
    let mut w = Writer::create(vec![])?;
    w.begin_variable(r.clone())?;
    let one = [&[0u8][..], &1f32.to_le_bytes()].concat();
    let h = PayloadHeader { shape: vec![2, 3], ..header(&r, 0, CONSTANT) };
    w.push(&EncodedPayload::new(&h, &one), facts())?;
    let references = vec![ChunkRef { variable: 0, chunk: 0 }];
    let h = PayloadHeader { chunk: 1, base: INTERPOLATION + BESIDE, references, ..h };
    w.push(&EncodedPayload::new(&h, &[0x50, 0, 0, 0]), facts())?;
    let whole = w.finish()?.0;
    let records = Parts::of(&whole).records;
    let [.., told] = &records[..] else { return Err("no records".into()) };
    let change = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[told.start + at] = byte;
        Parts::of(&whole).repair(&mut bytes);
        bytes
    };
    add("references-of-another-variable", change(2, 1));
    add("references-missing", change(0, b'e'));
    add("references-of-a-payload-to-itself", {
        // In the payload alone: what opens the file does not see it.
        let payload = Parts::of(&whole).payloads;
        let (_, body) = payload.last().ok_or("no payload")?.clone();
        let mut bytes = whole.clone();
        bytes[body.start + 2] = 0;
        Parts::of(&whole).repair(&mut bytes);
        bytes
    });
    Ok(())
}

fn main() -> Result<(), Box<dyn AnyError>> {
    let folder = std::env::args().nth(1).ok_or("usage: hostile FOLDER")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let mut manifest = String::from("file\terror\tmessage\n");
    for (name, bytes) in all()? {
        let e: Error = first_error(&bytes).ok_or_else(|| format!("{name} is read without an error"))?;
        let line = format!("{name}.scz\t{}\t{e}\n", first_error::variant(&e));
        print!("{line}");
        manifest.push_str(&line);
        std::fs::write(folder.join(format!("{name}.scz")), bytes)?;
    }
    std::fs::write(folder.join("manifest.tsv"), manifest)?;
    Ok(())
}
