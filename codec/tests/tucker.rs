//! The Tucker base: what it writes decodes within the bound, whatever the shape, type, mask and bound are.
#![allow(clippy::unwrap_used)]
use scicodec::*;

const SHAPES: [&[usize]; 6] =
    [&[20, 23], &[9, 10, 11], &[3, 12, 17], &[2, 8, 9, 10], &[2, 2, 9, 3, 10], &[1, 40, 1, 9]];

/// Four products of lines along each axis.
fn field(shape: &[usize], seed: usize) -> Vec<f64> {
    let n: usize = shape.iter().product();
    let bump = |x: usize, at: usize| 1.0 / (1.0 + (x as f64 - at as f64).powi(2) * 0.05);
    let value = |i: usize| {
        let mut left = i;
        let mut terms = [1.0; 4];
        for (a, &extent) in shape.iter().enumerate().rev() {
            for (k, t) in terms.iter_mut().enumerate() {
                *t *= bump(left % extent, (k * (a + 3 + seed) * 5) % extent);
            }
            left /= extent;
        }
        7.0 * terms.iter().sum::<f64>() + seed as f64
    };
    (0..n).map(value).collect()
}

#[test]
fn bound_holds() {
    let mut met = 0;
    let bounds = [ChunkBound::Abs(1e-2), ChunkBound::Abs(1e-6), ChunkBound::Rmse(1e-3), ChunkBound::Abs(1e-13)];
    for (s, shape) in SHAPES.into_iter().enumerate() {
        for (k, bound) in bounds.into_iter().enumerate() {
            for holes in [false, true] {
                let dtype = [DType::F32, DType::F64][(s + k) % 2];
                let mut x = field(shape, s);
                if holes {
                    let n = x.len();
                    x[n / 3..n / 2].fill(f64::NAN);
                    x[n - 1] = f64::INFINITY;
                }
                let single = dtype == DType::F32;
                let data: Vec<u8> = if single {
                    x.iter().flat_map(|&v| (v as f32).to_ne_bytes()).collect()
                } else {
                    x.iter().flat_map(|v| v.to_ne_bytes()).collect()
                };
                let effort = [Effort::Default, Effort::Max][k % 2];
                let request =
                    ChunkRequest { dtype, shape, data: &data, bound, fill: None, effort, model: ModelChoice::Default };
                let chunk = encode_chunk(&request).unwrap();
                met += usize::from(base_name(chunk.base) == "tucker");
                let out = decode_chunk(dtype, shape, chunk.base, &chunk.body).unwrap();
                let number = |b: &[u8]| {
                    if single {
                        f64::from(f32::from_ne_bytes(b.try_into().unwrap()))
                    } else {
                        f64::from_ne_bytes(b.try_into().unwrap())
                    }
                };
                let (mut squares, mut valid) = (0.0, 0.0);
                for (x, y) in data.chunks(dtype.size()).zip(out.chunks(dtype.size())) {
                    let (a, b) = (number(x), number(y));
                    if !a.is_finite() {
                        assert_eq!(x, y);
                        continue;
                    }
                    if let ChunkBound::Abs(e) = bound {
                        assert!((a - b).abs() <= e, "{shape:?} {bound:?}: {a} became {b}");
                    }
                    squares += (a - b) * (a - b);
                    valid += 1.0;
                }
                if let ChunkBound::Rmse(e) = bound {
                    assert!(f64::sqrt(squares / valid) <= e * (1.0 + 1e-12), "{shape:?}");
                }
            }
        }
    }
    assert!(met > 12, "only {met} chunks have the base that this test is of");
}

#[test]
fn damage_gives_an_error_or_other_values_but_no_panic() {
    let shape = [9, 10, 11];
    let data: Vec<u8> = field(&shape, 1).iter().flat_map(|v| v.to_ne_bytes()).collect();
    let (dtype, bound) = (DType::F64, ChunkBound::Abs(1e-5));
    let request = ChunkRequest {
        dtype,
        shape: &shape,
        data: &data,
        bound,
        fill: None,
        effort: Effort::Default,
        model: ModelChoice::None,
    };
    let chunk = encode_chunk(&request).unwrap();
    assert_eq!(base_name(chunk.base), "tucker");
    for n in 0..chunk.body.len() {
        let mut body = chunk.body.clone();
        body[n] ^= [0x01, 0xff, 0x80, 0x10, 0x55][n % 5];
        for body in [&chunk.body[..n], &body[..]] {
            if let Ok(out) = decode_chunk(dtype, &shape, chunk.base, body) {
                assert_eq!(out.len(), data.len());
            }
        }
    }
}
