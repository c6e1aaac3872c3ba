//! Chunks whose elements are told as whole numbers: few different ones, or ones that end alike (SPEC §8.13).
use scicodec::{
    BoundKind, ChunkShape, DType, Effort, EncodeOptions, Error, ErrorBound, ModelChoice, Reader, Region, SliceSource,
    VariableMeta,
};

const SHAPE: [usize; 2] = [120, 90];

/// A rough surface, which goes on beyond so many rows.
fn surface_of(rows: usize) -> impl Iterator<Item = f64> {
    let mut seed = 3u32;
    (0..rows * SHAPE[1]).map(move |i| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (y, x) = ((i / SHAPE[1]) as f64, (i % SHAPE[1]) as f64);
        (y / 17.0).sin() * (x / 23.0).cos() + 0.02 * f64::from(seed >> 8) / f64::from(1 << 24)
    })
}

fn surface() -> impl Iterator<Item = f64> {
    surface_of(SHAPE[0])
}

fn options(kind: BoundKind, value: f64) -> EncodeOptions {
    let mut options = EncodeOptions::new(ErrorBound { kind, value });
    (options.threads, options.model) = (1, ModelChoice::None);
    options
}

fn file(dtype: DType, data: &[u8], options: &EncodeOptions) -> Result<Vec<u8>, Error> {
    let rows = data.len() / dtype.size() / SHAPE[1];
    let source = SliceSource::new(dtype, &[rows as u64, SHAPE[1] as u64], data)?;
    scicodec::encode_to_vec(&VariableMeta::default(), &source, options)
}

fn numbered(reader: &Reader) -> usize {
    reader.variables()[0].chunks.iter().filter(|c| scicodec::base_name(c.base) == "numbered").count()
}

#[test]
fn floats_of_half_their_width_take_half_and_keep_every_bit() -> Result<(), Error> {
    let mut values: Vec<f64> = surface().map(|v| f64::from(v as f32)).collect();
    let halves: Vec<f32> = values.iter().map(|&v| v as f32).collect();
    (values[5], values[6], values[7]) = (f64::NAN, -0.0, f64::NEG_INFINITY);
    let lossless = options(BoundKind::Lossless, 0.0);
    let whole = file(DType::F64, bytemuck::cast_slice(&values), &lossless)?;
    let narrow = file(DType::F32, bytemuck::cast_slice(&halves), &lossless)?;
    assert!((whole.len() as f64) < 1.03 * narrow.len() as f64, "{} {}", whole.len(), narrow.len());
    let reader = Reader::from_bytes(whole)?;
    assert_eq!(numbered(&reader), 1);
    assert_eq!(reader.decode(0, 1)?, bytemuck::cast_slice::<f64, u8>(&values));
    Ok(())
}

#[test]
fn few_elements_are_told_once_whatever_they_are() -> Result<(), Error> {
    // Decimals, which no multiple of a binary64 gives all of, and steps of no common length.
    let decimals: Vec<u8> = surface().flat_map(|v| ((200.0 * v).round() / 1000.0).to_ne_bytes()).collect();
    let uneven: Vec<u8> = surface().flat_map(|v| (200.0 * v).round().abs().powf(1.37).to_ne_bytes()).collect();
    let integers: Vec<u8> = surface().flat_map(|v| (((20.0 * v).round() as i64).pow(3)).to_ne_bytes()).collect();
    for (dtype, data, bits) in [(DType::F64, decimals, 4.0), (DType::F64, uneven, 5.0), (DType::I64, integers, 2.0)] {
        for effort in [Effort::Fast, Effort::Default, Effort::Max] {
            let mut options = options(BoundKind::Lossless, 0.0);
            options.effort = effort;
            let file = file(dtype, &data, &options)?;
            let reached = 8.0 * file.len() as f64 / surface().count() as f64;
            assert!(reached < bits, "{dtype:?} {effort:?}: {reached}");
            let reader = Reader::from_bytes(file)?;
            assert_eq!((numbered(&reader), reader.decode(0, 1)?), (1, data.clone()), "{dtype:?} {effort:?}");
        }
    }
    Ok(())
}

#[test]
fn a_bound_far_below_what_lies_between_them_is_kept_with_no_error() -> Result<(), Error> {
    let uneven: Vec<u8> = surface().flat_map(|v| (200.0 * v).round().abs().powf(1.37).to_ne_bytes()).collect();
    let reader = Reader::from_bytes(file(DType::F64, &uneven, &options(BoundKind::Abs, 1e-9))?)?;
    assert_eq!((numbered(&reader), reader.decode(0, 1)?), (1, uneven));
    Ok(())
}

/// Waves and ripples.
fn smooth(y: usize, x: usize) -> f64 {
    let (y, x) = (y as f64, x as f64);
    3000.0 * (y / 17.0).sin() * (x / 23.0).cos() + 40.0 * (y / 3.0 + (x / 31.0).sin() * 4.0).sin() * (x / 2.7).cos()
}

#[test]
fn chunks_follow_each_other_with_any_number_of_threads() -> Result<(), Error> {
    let decimals: Vec<u8> =
        (0..2400 * 90).flat_map(|i| (smooth(i / 90, i % 90).round() / 1000.0).to_ne_bytes()).collect();
    let mut options = options(BoundKind::Lossless, 0.0);
    options.chunk = ChunkShape::Fixed(vec![600, 90]);
    let one = file(DType::F64, &decimals, &options)?;
    options.threads = 3;
    assert!(one == file(DType::F64, &decimals, &options)?);
    options.bound = ErrorBound { kind: BoundKind::Abs, value: 1e-9 };
    let bounded = Reader::from_bytes(file(DType::F64, &decimals, &options)?)?.decode(0, 2)?;
    let numbers = |bytes: &[u8]| scicodec::numbers(DType::F64, bytes);
    assert!(numbers(&decimals).iter().zip(numbers(&bounded)).all(|(a, b)| (a - b).abs() <= 1e-9));
    let reader = Reader::from_bytes(one)?;
    assert_eq!(numbered(&reader), 4);
    assert!(reader.decode(0, 2)? == decimals);
    let region = reader.decode_region(0, &Region(vec![37..41, 5..50]), 1)?;
    let rows = (37..41).flat_map(|y| decimals[8 * (90 * y + 5)..8 * (90 * y + 50)].iter().copied());
    assert_eq!(region, rows.collect::<Vec<u8>>());
    Ok(())
}
