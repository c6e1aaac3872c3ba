//! Fields to encode.
#![allow(clippy::unwrap_used, dead_code)]
use scicodec::*;

pub fn bound(kind: BoundKind, value: f64) -> ErrorBound {
    ErrorBound { kind, value }
}

pub fn options(kind: BoundKind, value: f64) -> EncodeOptions {
    let mut o = EncodeOptions::new(bound(kind, value));
    (o.threads, o.effort) = (1, Effort::Fast);
    o
}

pub fn meta(name: &str) -> VariableMeta {
    VariableMeta { name: name.into(), ..VariableMeta::default() }
}

/// A smooth field with a little noise, the same on every machine.
pub fn wave(n: usize) -> Vec<f64> {
    let mut state = 1u64;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let t = (i % 97) as f64 / 97.0 + (i / 97) as f64 * 0.01;
            100.0 * t * (1.0 - t) + (state >> 40) as f64 / (1u64 << 26) as f64
        })
        .collect()
}

pub fn wave32(n: usize) -> Vec<f32> {
    wave(n).into_iter().map(|v| v as f32).collect()
}

pub fn bytes_of<T: bytemuck::NoUninit>(v: &[T]) -> &[u8] {
    bytemuck::cast_slice(v)
}

pub fn from_bytes<T: bytemuck::AnyBitPattern + bytemuck::NoUninit>(b: &[u8]) -> Vec<T> {
    bytemuck::pod_collect_to_vec(b)
}

pub fn encode(dtype: DType, shape: &[u64], bytes: &[u8], o: &EncodeOptions) -> Result<Vec<u8>, Error> {
    encode_to_vec(&meta("v"), &SliceSource::new(dtype, shape, bytes)?, o)
}

pub fn decode(file: &[u8]) -> Result<Vec<u8>, Error> {
    Reader::from_bytes(file.to_vec())?.decode(0, 1)
}
