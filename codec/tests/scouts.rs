//! Variables of many chunks, of which a few are searched and the others follow: chunks at the ends are shorter than those.
use scicodec::{
    BoundKind, ChunkShape, DType, Effort, EncodeOptions, Error, ErrorBound, Reader, SliceSource, VariableMeta,
};

const SHAPE: [usize; 3] = [3, 50, 70];

/// A wave that is rougher towards one end, a corner of it missing, and one plane of hardly anything.
fn field() -> Vec<f32> {
    let mut seed = 7u32;
    let value = |i: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (z, y, x) = (i / (50 * 70), i / 70 % 50, i % 70);
        let noise = f64::from(seed >> 8) / f64::from(1 << 24) - 0.5;
        match (z, y, x) {
            (2, ..) => 1.0,
            (_, 0..20, 0..30) => f32::NAN,
            _ => (2.0 + (y as f64 / 7.0).sin() * (x as f64 / 9.0).cos() + noise * x as f64 / 700.0) as f32,
        }
    };
    (0..SHAPE.iter().product()).map(value).collect()
}

fn encode(field: &[f32], kind: BoundKind, value: f64, effort: Effort, threads: usize) -> Result<Vec<u8>, Error> {
    let source = SliceSource::new(DType::F32, &SHAPE.map(|n| n as u64), bytemuck::cast_slice(field))?;
    let mut options = EncodeOptions::new(ErrorBound { kind, value });
    options.chunk = ChunkShape::Fixed(vec![2, 16, 32]);
    options.effort = effort;
    options.threads = threads;
    scicodec::encode_to_vec(&VariableMeta::default(), &source, &options)
}

#[test]
fn chunks_that_follow_keep_the_bound_with_any_number_of_threads() -> Result<(), Error> {
    let field = field();
    let finite = || field.iter().copied().filter(|v| v.is_finite()).map(f64::from);
    let range = finite().fold(f64::MIN, f64::max) - finite().fold(f64::MAX, f64::min);
    let bounds = [(BoundKind::Rel, 1e-2), (BoundKind::Abs, 1e-4), (BoundKind::PwRel, 1e-3), (BoundKind::Nrmse, 1e-3)];
    for (kind, value) in bounds {
        for effort in [Effort::Default, Effort::Max] {
            let file = encode(&field, kind, value, effort, 1)?;
            assert_eq!(file, encode(&field, kind, value, effort, 3)?, "{kind:?} {effort:?}");
            let decoded: Vec<f32> = bytemuck::pod_collect_to_vec(&Reader::from_bytes(file)?.decode(0, 2)?);
            let mut squares = 0.0;
            for (a, b) in field.iter().zip(&decoded) {
                if a.is_nan() {
                    assert_eq!(a.to_bits(), b.to_bits());
                    continue;
                }
                let (a, error) = (f64::from(*a), (f64::from(*a) - f64::from(*b)).abs());
                squares += error * error;
                match kind {
                    BoundKind::Rel => assert!(error <= value * range, "{error}"),
                    BoundKind::PwRel => assert!(error <= value * a.abs(), "{error}"),
                    BoundKind::Abs => assert!(error <= value, "{error}"),
                    _ => {}
                }
            }
            let rmse = (squares / finite().count() as f64).sqrt();
            assert!(kind != BoundKind::Nrmse || rmse <= value * range, "{rmse}");
        }
    }
    Ok(())
}

/// Still but for a corner, in which all that happens does.
fn plume() -> Vec<f32> {
    let mut seed = 7u32;
    let value = |i: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (z, y, x) = (i / (50 * 70), i / 70 % 50, i % 70);
        let noise = (seed >> 8) as f32 / (1 << 24) as f32 - 0.5;
        let height = if y < 16 && x < 32 { 1.0 } else { 0.02 };
        height * ((z as f32 + y as f32 / 3.0).sin() * (x as f32 / 4.0).cos() + noise)
    };
    (0..SHAPE.iter().product()).map(value).collect()
}

#[test]
fn a_mean_error_is_kept_together_and_goes_where_it_saves_most() -> Result<(), Error> {
    let field = plume();
    let range = field.iter().copied().fold(f32::MIN, f32::max) - field.iter().copied().fold(f32::MAX, f32::min);
    let (range, count) = (f64::from(range), field.len() as f64);
    let asked = 0.02 * range;
    let bounds =
        [(BoundKind::Nrmse, 0.02), (BoundKind::Psnr, -20.0 * 0.02f64.log10()), (BoundKind::L2, asked * count.sqrt())];
    for effort in [Effort::Fast, Effort::Default, Effort::Max] {
        for (kind, value) in bounds {
            let file = encode(&field, kind, value, effort, 1)?;
            assert_eq!(file, encode(&field, kind, value, effort, 3)?, "{kind:?} {effort:?}");
            let decoded: Vec<f32> = bytemuck::pod_collect_to_vec(&Reader::from_bytes(file)?.decode(0, 2)?);
            let square = |i: usize| (f64::from(field[i]) - f64::from(decoded[i])).powi(2);
            let rmse = ((0..field.len()).map(square).sum::<f64>() / count).sqrt();
            assert!(rmse <= asked && rmse > 0.5 * asked, "{kind:?} {effort:?}: {rmse} of {asked}");
            let corner: Vec<usize> = (0..field.len()).filter(|i| i / 70 % 50 < 16 && i % 70 < 32).collect();
            let there = (corner.iter().map(|&i| square(i)).sum::<f64>() / corner.len() as f64).sqrt();
            assert!(there > 1.3 * asked, "{kind:?} {effort:?}: {there} where something happens, of {asked}");
        }
    }
    Ok(())
}
