//! The base of effort `fast`: what it writes decodes within the bound, whatever the field, shape, type and bound are.
#![allow(clippy::unwrap_used)]
#[path = "common/field.rs"]
mod field;
use field::{KINDS, Kind};
use scicodec::*;

const SHAPES: [&[usize]; 6] = [&[4100], &[65, 66], &[9, 22, 21], &[3, 5, 16, 18], &[1, 4200, 1], &[2100, 2]];

fn coded(kind: Kind, dtype: DType, shape: &[usize], bound: ChunkBound) -> (Vec<u8>, EncodedChunk) {
    let data = field::to_bytes(dtype, &field::bits(kind, dtype, shape, 11));
    let fill = (kind == Kind::Filled).then(|| field::fill_bits(dtype));
    let request =
        ChunkRequest { dtype, shape, data: &data, bound, fill, effort: Effort::Fast, model: ModelChoice::Default };
    let chunk = encode_chunk(&request).unwrap();
    (data, chunk)
}

fn number(dtype: DType, b: &[u8]) -> f64 {
    if dtype == DType::F32 {
        f64::from(f32::from_ne_bytes(b.try_into().unwrap()))
    } else {
        f64::from_ne_bytes(b.try_into().unwrap())
    }
}

#[test]
fn bound_holds() {
    let mut tabled = 0;
    for (k, kind) in KINDS.into_iter().enumerate() {
        for (s, shape) in SHAPES.into_iter().enumerate() {
            let dtype = [DType::F32, DType::F64][(k + s) % 2];
            for bound in [ChunkBound::Abs(3.0), ChunkBound::Abs(1e-2), ChunkBound::Abs(1e-6), ChunkBound::Rmse(0.3)] {
                let (data, chunk) = coded(kind, dtype, shape, bound);
                tabled += usize::from(base_name(chunk.base) == "tabled");
                let out = decode_chunk(dtype, shape, chunk.base, &chunk.body).unwrap();
                assert_eq!(out.len(), data.len());
                let fill = field::to_bytes(dtype, &[field::fill_bits(dtype)]);
                let (mut squares, mut n) = (0.0, 0.0);
                for (x, y) in data.chunks(dtype.size()).zip(out.chunks(dtype.size())) {
                    let (a, b) = (number(dtype, x), number(dtype, y));
                    if !a.is_finite() || (kind == Kind::Filled && x == fill) {
                        assert_eq!(x, y, "{kind:?} {shape:?} {bound:?}");
                        continue;
                    }
                    let d = (a - b).abs();
                    if let ChunkBound::Abs(e) = bound {
                        assert!(d <= e, "{kind:?} {shape:?} {bound:?}: {a} became {b}");
                    }
                    squares += d * d;
                    n += 1.0;
                }
                if let ChunkBound::Rmse(e) = bound {
                    assert!(n == 0.0 || f64::sqrt(squares / n) <= e * (1.0 + 1e-12), "{kind:?} {shape:?}");
                }
            }
        }
    }
    assert!(tabled > 100, "only {tabled} chunks have the base that this test is of");
}

#[test]
fn reserved_flags_are_rejected() {
    let (_, chunk) = coded(Kind::Smooth, DType::F32, &[65, 66], ChunkBound::Abs(0.1));
    // Bit 2 says something of masked points, and there are none.
    for bit in 2..8 {
        let mut body = chunk.body.clone();
        body[0] |= 1 << bit;
        assert!(matches!(decode_chunk(DType::F32, &[65, 66], chunk.base, &body), Err(Error::Corrupt { .. })));
    }
}

#[test]
fn truncation_is_an_error_or_harmless() {
    let shape = [65, 66];
    let (_, chunk) = coded(Kind::Noisy, DType::F32, &shape, ChunkBound::Abs(0.1));
    assert_eq!(base_name(chunk.base), "tabled");
    let whole = decode_chunk(DType::F32, &shape, chunk.base, &chunk.body).unwrap();
    for n in 0..chunk.body.len() {
        // What is lost at the end may only be zeros that a reader adds again.
        if let Ok(out) = decode_chunk(DType::F32, &shape, chunk.base, &chunk.body[..n]) {
            assert!(out == whole || n + 32 > chunk.body.len(), "cut to {n} of {} bytes", chunk.body.len());
        }
    }
}
