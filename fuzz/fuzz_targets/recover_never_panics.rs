//! Hypothesis: whatever bytes are given to recovery, the file that it writes can be opened.
#![no_main]
use libfuzzer_sys::fuzz_target;
use scicodec::{Error, Limits, Reader, format::recover};

fuzz_target!(|input: &[u8]| {
    let mut out = vec![];
    if recover(input, &Limits::default(), &mut out).is_ok() {
        let opened = Reader::from_bytes(out);
        assert!(matches!(opened, Ok(_) | Err(Error::Limit { .. })), "{opened:?}");
    }
});
