//! Points that are what a neighbour is cost next to nothing, and mislead nothing that is said of the others.
#![allow(clippy::unwrap_used)]
use scicodec::*;

/// Noise of so many values.
fn noise(n: usize) -> Vec<f32> {
    let mut seed = 1u64;
    let next = |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1u32 << 24) as f32
    };
    (0..n).map(next).collect()
}

fn request<'a>(shape: &'a [usize], data: &'a [u8], bound: ChunkBound) -> ChunkRequest<'a> {
    let (fill, effort, model) = (None, Effort::Default, ModelChoice::None);
    ChunkRequest { dtype: DType::F32, shape, data, bound, fill, effort, model }
}

/// Encodes, holds what is decoded against the bound, and gives the chunk.
fn round_trip(shape: &[usize], values: &[f32], e: f64) -> EncodedChunk {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let chunk = encode_chunk(&request(shape, &data, ChunkBound::Abs(e))).unwrap();
    let out = decode_chunk(DType::F32, shape, chunk.base, &chunk.body).unwrap();
    for (a, b) in values.iter().zip(out.as_chunks::<4>().0) {
        let b = f32::from_ne_bytes(*b);
        assert!((f64::from(*a) - f64::from(b)).abs() <= e || a.to_bits() == b.to_bits(), "{a} {b}");
    }
    chunk
}

#[test]
fn what_was_drawn_twice_as_large_costs_what_it_was_made_from() {
    let (e, coarse) = (1e-3, noise(8 * 20 * 24));
    let shape = [16, 40, 48];
    let at = |i: usize| [i / (40 * 48) / 2, i / 48 % 40 / 2, i % 48 / 2];
    let mut values: Vec<f32> = (0..16 * 40 * 48).map(at).map(|[z, y, x]| coarse[(z * 20 + y) * 24 + x]).collect();
    // With a hole.
    values[5000..5040].fill(f32::NAN);
    let chunk = round_trip(&shape, &values, e);
    assert_eq!(base_name(chunk.base), "copies");
    let least = coarse.len() as f64 * (1.0 / (2.0 * e)).log2() / 8.0;
    assert!((chunk.body.len() as f64) < 1.1 * least + 300.0, "{} {least}", chunk.body.len());
}

#[test]
fn a_chunk_too_large_to_be_tried_whole_is_judged_by_more_than_its_liveliest_part() {
    // Two thirds drawn larger, and one that is not.
    let (coarse, fine) = (noise(32 * 32), noise(256 * 128));
    let values: Vec<f32> = (0..256 * 384)
        .map(|i| match i % 384 {
            x if x < 256 => coarse[i / 384 / 8 * 32 + x / 8],
            x => fine[i / 384 * 128 + x - 256] * 0.01,
        })
        .collect();
    assert_eq!(base_name(round_trip(&[256, 384], &values, 1e-5).base), "copies");
}
