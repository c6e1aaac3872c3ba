//! Hypothesis: whatever the field and the bound, a chunk decodes to values that keep it, by an independent check.
#![no_main]
#[path = "../../codec/tests/common/field.rs"]
mod field;
#[path = "../../codec/tests/common/oracle.rs"]
mod oracle;
use libfuzzer_sys::fuzz_target;
use scicodec::{ChunkBound, ChunkRequest, ModelChoice, DType, Effort, decode_chunk, encode_chunk};

/// Elements at most: encoding tries many plans.
const MOST: usize = 512;

// One byte each of type, effort, kind of bound, width, then the bound and the fill value in 8 bytes each; the rest is the field.
fuzz_target!(|input: &[u8]| {
    let Some((head, rest)) = input.split_first_chunk::<20>() else { return };
    let dtype = DType::ALL[usize::from(head[0]) % DType::ALL.len()];
    let effort = [Effort::Fast, Effort::Default, Effort::Max][usize::from(head[1]) % 3];
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|k| head[at + k]));
    let e = f64::from_bits(word(4)).abs();
    let e = if e.is_finite() { e } else { 1e-3 };
    let kinds = if dtype.is_float() { 4 } else { 2 };
    let bound = [ChunkBound::Lossless, ChunkBound::Abs(e), ChunkBound::PwRel(e), ChunkBound::Rmse(e)]
        [usize::from(head[2]) % kinds];
    let fill = (head[1] & 128 != 0).then_some(word(12) & field::keep(dtype));
    let n = (rest.len() / dtype.size()).min(MOST);
    let width = usize::from(head[3] % 40) + 1;
    let shape = if n % width == 0 { vec![n / width, width] } else { vec![n] };
    let bits = field::from_bytes(dtype, &rest[..n * dtype.size()]);
    let data = field::to_bytes(dtype, &bits);
    let request = ChunkRequest { dtype, shape: &shape, data: &data, bound, fill, effort, model: ModelChoice::Default };
    let coded = encode_chunk(&request).expect("what may be asked for is encoded");
    let back = decode_chunk(dtype, &shape, coded.base, &coded.body).expect("what was encoded is decoded");
    if let Err(e) = oracle::chunk_keeps(dtype, &bits, &field::from_bytes(dtype, &back), bound, fill) {
        panic!("{bound:?}: {e}");
    }
});
