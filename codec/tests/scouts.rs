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
