//! Hypothesis: whatever type, shape, base and body a chunk's decoder is given, it returns an error or as many bytes as the
//! shape asks for.
#![no_main]
use libfuzzer_sys::fuzz_target;
use scicodec::{DType, decode_chunk};

/// Elements at most: decoding takes time in proportion.
const MOST: usize = 4096;

// One byte each of type, rank, extents and base; the rest is the body.
fuzz_target!(|input: &[u8]| {
    let [t, rank, rest @ ..] = input else { return };
    let dtype = DType::ALL[usize::from(*t) % DType::ALL.len()];
    let Some((extents, rest)) = rest.split_at_checked(usize::from(*rank % 7)) else { return };
    let [base, body @ ..] = rest else { return };
    let shape: Vec<usize> = extents.iter().map(|&e| usize::from(e)).collect();
    let n: usize = shape.iter().product();
    if n > MOST {
        return;
    }
    if let Ok(out) = decode_chunk(dtype, &shape, *base, body) {
        assert_eq!(out.len(), n * dtype.size());
    }
});
