//! Any dtype, rank, bound, chunk shape and special values: the bound holds, specials survive, damage is no panic.
#![allow(clippy::unwrap_used)]
mod common;
use common::*;
use proptest::prelude::*;
use scicodec::*;

/// Values of a dtype as f64 with their bits, for checks of this file's own.
fn values(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    macro_rules! load {
        ($($d:ident $t:ty),*) => {
            match dtype {
                DType::F16 => from_bytes::<half::f16>(bytes).into_iter().map(f64::from).collect(),
                $(DType::$d => from_bytes::<$t>(bytes).into_iter().map(|v| v as f64).collect()),*
            }
        };
    }
    load!(F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64)
}

/// Smooth, rough, special or constant values of a dtype.
fn field(dtype: DType, n: usize, style: u8, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..n)
        .flat_map(|i| {
            let smooth = (i as f64 * 0.1).sin() * 100.0 + 100.0;
            let v = match style % 4 {
                0 => smooth,
                1 => (random() % 4096) as f64 / 32.0,
                2 if i % 5 == 0 => [f64::NAN, f64::INFINITY, -0.0, 1e-40, 9999.0][random() as usize % 5],
                2 => smooth,
                _ => 42.0,
            };
            let raw = random();
            let noise = style >= 8;
            let le = match dtype {
                _ if noise => raw,
                DType::F16 => u64::from(half::f16::from_f64(v).to_bits()),
                DType::F32 => u64::from((v as f32).to_bits()),
                DType::F64 => v.to_bits(),
                _ => v as i64 as u64,
            };
            le.to_ne_bytes()[..dtype.size()].to_vec()
        })
        .collect()
}

fn shapes() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    proptest::collection::vec((0u64..7, 1u64..5), 0..=6).prop_map(|axes| {
        // Few elements: later axes get short where there are many.
        let mut left = 600;
        let shape: Vec<u64> = axes
            .iter()
            .map(|&(n, _)| {
                let n = n.min(left);
                left /= n.max(1);
                n
            })
            .collect();
        (shape, axes.iter().map(|a| a.1).collect())
    })
}

fn bounds() -> impl Strategy<Value = ErrorBound> {
    prop_oneof![
        Just(bound(BoundKind::Lossless, 0.0)),
        (1e-6..10.0).prop_map(|v| bound(BoundKind::Abs, v)),
        (1e-6..0.5).prop_map(|v| bound(BoundKind::Rel, v)),
        (1e-6..0.5).prop_map(|v| bound(BoundKind::PwRel, v)),
        (10.0..120.0).prop_map(|v| bound(BoundKind::Psnr, v)),
        (1e-6..0.5).prop_map(|v| bound(BoundKind::Nrmse, v)),
        (1e-3..10.0).prop_map(|v| bound(BoundKind::L2, v)),
    ]
}

fn int<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> T {
    bytemuck::pod_read_unaligned(bytes)
}

fn holds(b: ErrorBound, dtype: DType, x: &[u8], y: &[u8], fill: Option<u64>) -> Result<(), String> {
    let bits = |b: &[u8], i: usize| b[i * dtype.size()..][..dtype.size()].to_vec();
    let (xs, ys) = (values(dtype, x), values(dtype, y));
    let filled = |i: usize| fill.is_some_and(|f| bits(x, i) == f.to_ne_bytes()[..dtype.size()]);
    let valid: Vec<usize> = (0..xs.len()).filter(|&i| xs[i].is_finite() && !filled(i)).collect();
    for i in 0..xs.len() {
        if (b.kind == BoundKind::Lossless || !valid.contains(&i)) && bits(x, i) != bits(y, i) {
            return Err(format!("bits of element {i} changed: {} is {}", xs[i], ys[i]));
        }
    }
    let low = valid.iter().fold(f64::INFINITY, |m, &i| m.min(xs[i]));
    let high = valid.iter().fold(f64::NEG_INFINITY, |m, &i| m.max(xs[i]));
    let range = if valid.is_empty() { 0.0 } else { high - low };
    let squares: f64 = valid.iter().map(|&i| (xs[i] - ys[i]).powi(2)).sum();
    let rmse = (squares / valid.len().max(1) as f64).sqrt();
    for &i in &valid {
        // Doubles do not have every 64-bit integer.
        let d = match dtype {
            DType::I64 => int::<i64>(&bits(x, i)).abs_diff(int::<i64>(&bits(y, i))) as f64,
            DType::U64 => int::<u64>(&bits(x, i)).abs_diff(int::<u64>(&bits(y, i))) as f64,
            _ => (xs[i] - ys[i]).abs(),
        };
        let most = match b.kind {
            BoundKind::Lossless => 0.0,
            BoundKind::Abs => b.value,
            BoundKind::Rel => b.value * range,
            BoundKind::PwRel => b.value * xs[i].abs(),
            _ => f64::MAX,
        };
        if d > most || d.is_nan() {
            return Err(format!("element {i}: {} is {}, over {most}", xs[i], ys[i]));
        }
    }
    let most = match b.kind {
        BoundKind::Psnr => range / 10f64.powf(b.value / 20.0),
        BoundKind::Nrmse => b.value * range,
        BoundKind::L2 => b.value / (valid.len().max(1) as f64).sqrt(),
        _ => f64::INFINITY,
    };
    if rmse > most { Err(format!("rmse {rmse} over {most}")) } else { Ok(()) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bound_holds_for_any_field(
        dtype in proptest::sample::select(DType::ALL.to_vec()),
        (shape, chunk) in shapes(),
        b in bounds(),
        style in 0u8..10,
        seed in any::<u64>(),
        fill in any::<bool>(),
        thorough in 0u8..16,
    ) {
        let n = shape.iter().product::<u64>() as usize;
        let x = field(dtype, n, style, seed);
        let mut o = options(b.kind, b.value);
        if thorough == 0 {
            o.effort = Effort::Default;
        }
        if fill && !x.is_empty() {
            let mut bits = [0; 8];
            bits[..dtype.size()].copy_from_slice(&x[..dtype.size()]);
            o.fill = Some(Fill::Bits(u64::from_le_bytes(bits)));
        }
        if seed % 3 != 0 {
            // A coder's states take longer to set up than a chunk of a few elements takes to code: few chunks, then.
            let mut few = chunk.clone();
            while few.iter().zip(&shape).map(|(&c, &n)| n.div_ceil(c)).product::<u64>() > 8 {
                few.iter_mut().for_each(|c| *c += 1);
            }
            o.chunk = ChunkShape::Fixed(few);
        }
        match encode(dtype, &shape, &x, &o) {
            Ok(file) => {
                let y = decode(&file).unwrap();
                let fill = o.fill.map(|f| f.bits(dtype).unwrap());
                prop_assert_eq!(holds(b, dtype, &x, &y, fill), Ok(()));
            }
            // Bounds that a dtype does not have, or that a range beyond float64 rules out.
            Err(Error::InvalidArgument(_)) => prop_assert!(validate_bound(&b, dtype).is_err() || style >= 8),
            Err(e) => prop_assert!(false, "{e}"),
        }
    }

    #[test]
    fn damage_is_never_a_panic(seed in any::<u64>(), at in any::<prop::sample::Index>(), len in 1usize..9) {
        let x = field(DType::F32, 120, seed as u8, seed);
        let mut o = options(BoundKind::Abs, 0.1);
        o.chunk = ChunkShape::Fixed(vec![5, 12]);
        let file = encode(DType::F32, &[10, 12], &x, &o).unwrap();
        let good = decode(&file).unwrap();
        let mut bad = file.clone();
        let at = at.index(bad.len());
        for (i, b) in bad.iter_mut().skip(at).take(len).enumerate() {
            *b = (seed >> (8 * (i % 8))) as u8;
        }
        if let Ok(y) = decode(&bad) {
            prop_assert!(y == good);
        }
        let _ = format::recover(&bad, &Limits::default(), vec![]).unwrap();
    }
}
