//! Small files to damage.
#![allow(clippy::unwrap_used, clippy::type_complexity, dead_code)]
use scicodec_format::*;

pub fn record(name: &str, shape: &[u64], chunk: &[u64]) -> VariableRecord {
    VariableRecord {
        name: name.into(),
        units: String::new(),
        attributes: vec![],
        dimensions: vec![],
        dtype: DType::F32,
        shape: shape.to_vec(),
        chunk_shape: chunk.to_vec(),
        bound: ErrorBound { kind: BoundKind::Rel, value: 1e-3 },
        fill: None,
    }
}

pub fn facts() -> ChunkFacts {
    let bits = |v: f32| u64::from(v.to_bits());
    ChunkFacts { max_error: Some(0.5), range: ValueRange::Bits { min: bits(-1.0), max: bits(2.0), dropped: 0 } }
}

/// The body of a chunk: bytes that tell it from others. Some are too long for the chunk to count as small.
pub fn body(variable: u64, chunk: u64) -> Vec<u8> {
    let long = if chunk == 2 || variable == 4 { SMALL } else { 0 };
    (0..20 + long + chunk * 31 % 70).map(|i| (i * 7 + i / 256 + variable * 50 + chunk) as u8).collect()
}

/// Pushes all chunks of a group with bodies of their own.
pub fn fill<W: std::io::Write>(w: &mut Writer<W>, grid: &Grid, r: &VariableRecord, variable: u64, first: u64) {
    for c in 0..grid.chunks() {
        let header = PayloadHeader {
            dtype: r.dtype,
            shape: grid.chunk_box(c).unwrap().extent,
            bound: r.bound,
            base: (c % 3) as u8,
            variable,
            chunk: first + c,
            model: None,
            references: vec![],
            aligned: false,
        };
        w.push(&EncodedPayload::new(&header, &body(variable, first + c)), facts()).unwrap();
    }
}

pub fn add(w: &mut Writer<Vec<u8>>, r: &VariableRecord) {
    let variable = w.variables();
    let grid = w.begin_variable(r.clone()).unwrap();
    fill(w, &grid, r, variable, 0);
}

pub fn finish(w: Writer<Vec<u8>>) -> Vec<u8> {
    w.finish().unwrap().0
}

pub fn create() -> Writer<Vec<u8>> {
    Writer::create(vec![]).unwrap()
}

pub fn open(bytes: &[u8]) -> Result<Container, Error> {
    Container::from_bytes(bytes.to_vec(), Limits::default())
}

pub fn resume(bytes: &[u8]) -> Writer<Vec<u8>> {
    Writer::resume(bytes.to_vec(), &open(bytes).unwrap()).unwrap()
}

/// One variable of one chunk.
pub fn lone(name: &str) -> Vec<u8> {
    let mut w = create();
    add(&mut w, &record(name, &[10, 20, 30], &[10, 20, 30]));
    finish(w)
}

/// Two variables, of several chunks and of one, then a second session: an extension of each, an empty variable, a scalar
/// and one whose only chunk is not small.
pub fn grown() -> Vec<u8> {
    let mut w = create();
    let a = record("a", &[5, 4], &[2, 3]);
    let mut b = record("b", &[3], &[3]);
    b.units = "K".into();
    b.attributes = vec![("long_name".into(), "a name".into())];
    b.dimensions = vec!["time".into()];
    b.fill = Some(0x7f80_0001);
    add(&mut w, &a);
    add(&mut w, &b);
    let mut w = resume(&finish(w));
    let grid = w.begin_extension(0, 3, &[2, 4]).unwrap();
    fill(&mut w, &grid, &a, 0, 6);
    let grid = w.begin_extension(1, 1, &[1]).unwrap();
    fill(&mut w, &grid, &b, 1, 1);
    add(&mut w, &record("empty", &[0, 7], &[1, 7]));
    add(&mut w, &record("scalar", &[], &[]));
    add(&mut w, &record("long", &[3], &[3]));
    finish(w)
}

/// A record and the bodies of its chunks; `None` for lost ones.
pub type Contents = (VariableRecord, Vec<Option<Vec<u8>>>);

/// Everything that a file says and holds, chunk by chunk; `Err` of the first chunk that cannot be had.
pub fn contents(c: &Container) -> Result<Vec<Contents>, Error> {
    let mut all = vec![];
    for (v, variable) in c.variables().iter().enumerate() {
        let mut chunks = vec![];
        for (s, segment) in variable.segments.iter().enumerate() {
            for k in 0..segment.chunks.len() {
                chunks.push(c.payload(v, s, k)?.map(|p| p.body.to_vec()));
            }
        }
        all.push((variable.record.clone(), chunks));
    }
    Ok(all)
}
