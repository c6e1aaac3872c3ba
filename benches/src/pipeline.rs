//! Encoding and decoding of one field as a whole file in memory, timed: no process start, no disk.
use crate::{Result, field::Field};
use scicodec::{BoundKind, EncodeOptions, ErrorBound, Reader, SliceSource, VariableMeta};
use std::time::{Duration, Instant};

/// Encodes a field into a file, all of it but the disk: the bytes, and the time that it took.
pub fn encode(field: &Field, options: &EncodeOptions) -> Result<(Vec<u8>, Duration)> {
    let start = Instant::now();
    let shape: Vec<u64> = field.shape.iter().map(|&n| n as u64).collect();
    let source = SliceSource::new(field.dtype, &shape, &field.bytes)?;
    let file = scicodec::encode_to_vec(&VariableMeta::default(), &source, options)?;
    Ok((file, start.elapsed()))
}

/// Decodes the first variable of a file: the bytes, and the time that it took, reading the index included.
pub fn decode(file: &[u8], threads: usize) -> Result<(Vec<u8>, Duration)> {
    let copy = file.to_vec();
    let start = Instant::now();
    let reader = Reader::from_bytes(copy)?;
    let bytes = reader.decode(0, threads)?;
    Ok((bytes, start.elapsed()))
}

/// The bound that `kind=value` names, as on the command line.
pub fn parse_bound(kind: &str, value: &str) -> Result<ErrorBound> {
    let known = (0..=u8::MAX).map_while(BoundKind::from_code).find(|k| k.name() == kind);
    Ok(ErrorBound { kind: known.ok_or_else(|| format!("unknown kind of bound {kind}"))?, value: value.parse()? })
}

/// The effort of this name, as on the command line.
pub fn parse_effort(name: &str) -> Result<scicodec::Effort> {
    match name {
        "fast" => Ok(scicodec::Effort::Fast),
        "default" => Ok(scicodec::Effort::Default),
        "max" => Ok(scicodec::Effort::Max),
        _ => Err(format!("unknown effort {name}").into()),
    }
}
