//! Every kind of bound holds on decoded values, by its definition.
#![allow(clippy::unwrap_used)]
mod common;
use common::*;
use scicodec::*;

fn decoded(x: &[f32], shape: &[u64], o: &EncodeOptions) -> (Vec<f32>, Variable) {
    let file = encode(DType::F32, shape, bytes_of(x), o).unwrap();
    let reader = Reader::from_bytes(file).unwrap();
    (from_bytes(&reader.decode(0, 1).unwrap()), reader.variables()[0].clone())
}

#[test]
fn bound_holds_for_every_kind() {
    let mut x = wave32(30 * 40);
    x[5] = f32::NAN;
    x[6] = f32::from_bits(0x7fc0_1234);
    x[7] = f32::INFINITY;
    x[8] = 1e20;
    let valid = |v: &f32| v.is_finite() && *v != 1e20;
    let range = {
        let ok = || x.iter().filter(|v| valid(v)).map(|&v| f64::from(v));
        ok().fold(f64::MIN, f64::max) - ok().fold(f64::MAX, f64::min)
    };
    for (kind, value) in [
        (BoundKind::Lossless, 0.0),
        (BoundKind::Abs, 0.05),
        (BoundKind::Rel, 1e-3),
        (BoundKind::PwRel, 1e-2),
        (BoundKind::Psnr, 60.0),
        (BoundKind::Nrmse, 1e-3),
        (BoundKind::L2, 1.5),
    ] {
        let mut o = options(kind, value);
        o.fill = Some(Fill::Value(1e20));
        o.chunk = ChunkShape::Fixed(vec![7, 40]);
        let (y, v) = decoded(&x, &[30, 40], &o);
        let mut squares = 0.0;
        let mut n = 0.0;
        let mut largest = 0f64;
        for (a, b) in x.iter().zip(&y) {
            if !valid(a) {
                assert_eq!(a.to_bits(), b.to_bits(), "{kind:?}");
                continue;
            }
            let d = (f64::from(*a) - f64::from(*b)).abs();
            largest = largest.max(d);
            squares += d * d;
            n += 1.0;
            match kind {
                BoundKind::Lossless => assert_eq!(a.to_bits(), b.to_bits()),
                BoundKind::Abs => assert!(d <= value),
                BoundKind::Rel => assert!(d <= value * range),
                BoundKind::PwRel => assert!(d <= value * f64::from(*a).abs()),
                _ => {}
            }
        }
        let rmse = f64::sqrt(squares / n);
        match kind {
            BoundKind::Psnr => assert!(20.0 * (range / rmse).log10() >= value),
            BoundKind::Nrmse => assert!(rmse / range <= value),
            BoundKind::L2 => assert!(squares.sqrt() <= value),
            _ => {}
        }
        let achieved = v.achieved_max_error().unwrap();
        assert!(achieved >= largest && achieved <= largest * (1.0 + 1.0 / 256.0), "{kind:?}: {achieved} for {largest}");
        assert_eq!(v.bound, o.bound);
        assert_eq!(v.fill, Some(u64::from(1e20f32.to_bits())));
    }
}

#[test]
fn bound_holds_for_integers() {
    let x: Vec<i16> = (0..500).map(|i| (i * 37 % 1000 - 500) as i16).collect();
    for (kind, value, most) in [(BoundKind::Lossless, 0.0, 0), (BoundKind::Abs, 3.5, 3), (BoundKind::Rel, 0.01, 9)] {
        let file = encode(DType::I16, &[500], bytes_of(&x), &options(kind, value)).unwrap();
        let y: Vec<i16> = from_bytes(&decode(&file).unwrap());
        assert!(x.iter().zip(&y).all(|(a, b)| (a - b).abs() <= most), "{kind:?}");
    }
}

#[test]
fn bound_holds_where_there_is_nothing_to_bound() {
    let nan = vec![f32::NAN; 20];
    let flat = vec![3.25f32; 20];
    for kind in [BoundKind::Rel, BoundKind::Psnr, BoundKind::Nrmse, BoundKind::L2, BoundKind::PwRel] {
        for x in [&nan, &flat] {
            let (y, v) = decoded(x, &[4, 5], &options(kind, 0.1));
            assert!(x.iter().zip(&y).all(|(a, b)| a.to_bits() == b.to_bits() || (a - b).abs() < 1.0), "{kind:?}");
            assert_eq!(v.chunks[0].min.is_some(), !x[0].is_nan());
        }
    }
    let (y, _) = decoded(&flat, &[4, 5], &options(BoundKind::Rel, 0.1));
    assert_eq!(y, flat, "a constant field has a range of 0");
}

#[test]
fn bounds_that_make_no_sense_are_invalid_arguments() {
    let x = wave32(10);
    let invalid = |dtype: DType, bytes: &[u8], kind, value| {
        let n = bytes.len() as u64 / dtype.size() as u64;
        matches!(encode(dtype, &[n], bytes, &options(kind, value)), Err(Error::InvalidArgument(_)))
    };
    for kind in [BoundKind::Abs, BoundKind::Rel, BoundKind::PwRel, BoundKind::Psnr, BoundKind::Nrmse, BoundKind::L2] {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(invalid(DType::F32, bytes_of(&x), kind, value), "{kind:?}={value}");
        }
    }
    assert!(invalid(DType::F32, bytes_of(&x), BoundKind::Lossless, 1.0));
    assert!(invalid(DType::I32, bytes_of(&x), BoundKind::PwRel, 0.1));
    assert!(invalid(DType::F16, bytes_of(&x), BoundKind::Nrmse, 0.1));
    let wide = [f64::MIN, f64::MAX];
    assert!(invalid(DType::F64, bytes_of(&wide), BoundKind::Rel, 0.1));
}

#[test]
fn extremes_of_every_chunk_are_in_the_index() {
    let x: Vec<i64> = vec![i64::MIN, 5, i64::MAX, -7];
    let mut o = options(BoundKind::Lossless, 0.0);
    o.chunk = ChunkShape::Fixed(vec![2]);
    let file = encode(DType::I64, &[4], bytes_of(&x), &o).unwrap();
    let v = &Reader::from_bytes(file).unwrap().variables()[0].clone();
    assert_eq!((v.chunks[0].min, v.chunks[0].max), (Some(i64::MIN as f64), Some(5.0)));
    assert_eq!((v.chunks[1].min, v.chunks[1].max), (Some(-7.0), Some(i64::MAX as f64)));
}
