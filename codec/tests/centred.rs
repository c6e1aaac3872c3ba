//! Noise is coded about one value for all points: it costs what it holds, and no neighbour misleads it.
#![allow(clippy::unwrap_used)]
use scicodec::*;

const N: usize = 6000;

fn noise(f: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut seed = 1u64;
    let next = |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f((seed >> 11) as f64 / (1u64 << 53) as f64)
    };
    (0..N).map(next).collect()
}

fn request<'a>(dtype: DType, data: &'a [u8], bound: ChunkBound) -> ChunkRequest<'a> {
    let (fill, effort, model) = (None, Effort::Default, ModelChoice::None);
    ChunkRequest { dtype, shape: &[N], data, bound, fill, effort, model }
}

#[test]
fn uniform_noise_costs_the_logarithm_of_its_levels() {
    let e = 1e-3;
    // Far from zero, and with holes.
    let mut values: Vec<f32> = noise(|u| 7.0 + u).into_iter().map(|v| v as f32).collect();
    values[300..340].fill(f32::NAN);
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let chunk = encode_chunk(&request(DType::F32, &data, ChunkBound::Abs(e))).unwrap();
    assert_eq!(base_name(chunk.base), "centred");
    let least = N as f64 * (1.0 / (2.0 * e)).log2() / 8.0;
    assert!((chunk.body.len() as f64) < 1.02 * least + 100.0, "{} {least}", chunk.body.len());
    let out = decode_chunk(DType::F32, &[N], chunk.base, &chunk.body).unwrap();
    for (a, b) in values.iter().zip(out.as_chunks::<4>().0) {
        let b = f32::from_ne_bytes(*b);
        assert!((a - b).abs() <= e as f32 || a.to_bits() == b.to_bits(), "{a} {b}");
    }
}

#[test]
fn whole_numbers_without_order_stay_what_they_are() {
    let values: Vec<i16> = noise(|u| (2000.0 * u).floor() - 300.0).into_iter().map(|v| v as i16).collect();
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let chunk = encode_chunk(&request(DType::I16, &data, ChunkBound::Lossless)).unwrap();
    assert_eq!(base_name(chunk.base), "lattice-centred");
    assert_eq!(decode_chunk(DType::I16, &[N], chunk.base, &chunk.body).unwrap(), data);
}

#[test]
fn densities_of_decades_are_coded_from_the_end_that_most_are_near() {
    let values: Vec<f64> = noise(|u| (14.0 * u * u).exp());
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let chunk = encode_chunk(&request(DType::F64, &data, ChunkBound::Abs(1e-6 * largest))).unwrap();
    assert_eq!(base_name(chunk.base), "centred");
    let out = decode_chunk(DType::F64, &[N], chunk.base, &chunk.body).unwrap();
    let apart = |(a, b): (&f64, &[u8; 8])| (a - f64::from_ne_bytes(*b)).abs();
    assert!(values.iter().zip(out.as_chunks::<8>().0).map(apart).fold(0.0, f64::max) <= 1e-6 * largest);
}
