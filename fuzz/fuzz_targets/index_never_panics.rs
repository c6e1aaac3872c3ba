//! Hypothesis: whatever bytes are opened as a file and decoded within limits, the end is an error or values.
#![no_main]
use libfuzzer_sys::fuzz_target;
use scicodec::{Limits, Reader};

fuzz_target!(|input: &[u8]| {
    let mut limits = Limits::default();
    (limits.chunk_bytes, limits.decoded_bytes) = (1 << 16, 1 << 18);
    let Ok(reader) = Reader::from_bytes_with_limits(input.to_vec(), limits) else { return };
    for (i, v) in reader.variables().iter().enumerate().take(16) {
        if let Ok(out) = reader.decode(i, 1) {
            assert_eq!(out.len() as u64, v.raw_bytes());
        }
    }
});
