//! What a bound promises, written a second time from its definition and nothing else.
#![allow(dead_code)]
use scicodec::{BoundKind, ChunkBound, DType, ErrorBound};

/// What these bits stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A floating-point number.
    Real(f64),
    /// An integer.
    Whole(i128),
}

/// The number that an element's bits stand for.
pub fn number(dtype: DType, bits: u64) -> Number {
    match dtype {
        DType::F16 => Number::Real(half::f16::from_bits(bits as u16).to_f64()),
        DType::F32 => Number::Real(f64::from(f32::from_bits(bits as u32))),
        DType::F64 => Number::Real(f64::from_bits(bits)),
        DType::I8 => Number::Whole(i128::from(bits as u8 as i8)),
        DType::I16 => Number::Whole(i128::from(bits as u16 as i16)),
        DType::I32 => Number::Whole(i128::from(bits as u32 as i32)),
        DType::I64 => Number::Whole(i128::from(bits as i64)),
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => Number::Whole(i128::from(bits)),
    }
}

/// As a double.
pub fn value(dtype: DType, bits: u64) -> f64 {
    match number(dtype, bits) {
        Number::Real(v) => v,
        Number::Whole(v) => v as f64,
    }
}

/// Whether an element must keep its bits under every bound.
pub fn special(dtype: DType, bits: u64, fill: Option<u64>) -> bool {
    fill == Some(bits) || matches!(number(dtype, bits), Number::Real(v) if !v.is_finite())
}

/// |x - y| ≤ e.
fn within(x: Number, y: Number, e: f64) -> bool {
    match (x, y) {
        (Number::Real(x), Number::Real(y)) => y.is_finite() && (x - y).abs() <= e,
        (Number::Whole(x), Number::Whole(y)) => e >= 1e30 || (x - y).abs() <= e.floor() as i128,
        _ => false,
    }
}

/// What a comparison of a field with what it was decoded to finds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// max |x - y|.
    pub max_error: f64,
    /// Σ (x - y)².
    pub squares: f64,
    /// Finite, unmasked values.
    pub valid: u64,
    /// Smallest and largest of them.
    pub range: Option<(f64, f64)>,
}

impl Found {
    /// Root of the mean squared error.
    pub fn rmse(&self) -> f64 {
        (self.squares / self.valid.max(1) as f64).sqrt()
    }

    /// Largest minus smallest value.
    pub fn width(&self) -> f64 {
        self.range.map_or(0.0, |(a, b)| b - a)
    }
}

/// Compares; errors name the first element that is not what was promised by a bound per point.
pub fn compare(
    dtype: DType,
    x: &[u64],
    y: &[u64],
    fill: Option<u64>,
    point: impl Fn(f64) -> Option<f64>,
) -> Result<Found, String> {
    if x.len() != y.len() {
        return Err(format!("{} elements became {}", x.len(), y.len()));
    }
    let mut found = Found::default();
    for (i, (&a, &b)) in x.iter().zip(y).enumerate() {
        if special(dtype, a, fill) {
            if a != b {
                return Err(format!("special element {i}: {a:#x} became {b:#x}"));
            }
            continue;
        }
        let (va, vb) = (value(dtype, a), value(dtype, b));
        match point(va) {
            None if a != b => return Err(format!("element {i}: {a:#x} became {b:#x}")),
            Some(e) if !within(number(dtype, a), number(dtype, b), e) => {
                return Err(format!("element {i}: {va:e} became {vb:e}, allowed {e:e}"));
            }
            _ => {}
        }
        let d = match (number(dtype, a), number(dtype, b)) {
            (Number::Whole(a), Number::Whole(b)) => (a - b).abs() as f64,
            _ => (va - vb).abs(),
        };
        found.max_error = found.max_error.max(d);
        found.squares += d * d;
        found.valid += 1;
        found.range = Some(found.range.map_or((va, va), |(lo, hi)| (lo.min(va), hi.max(va))));
    }
    Ok(found)
}

/// Checks a chunk against its bound.
pub fn chunk_keeps(dtype: DType, x: &[u64], y: &[u64], bound: ChunkBound, fill: Option<u64>) -> Result<Found, String> {
    let found = compare(dtype, x, y, fill, |v| match bound {
        ChunkBound::Lossless => None,
        ChunkBound::Abs(e) => Some(e),
        ChunkBound::PwRel(e) => Some(e * v.abs()),
        ChunkBound::Rmse(_) => Some(f64::INFINITY),
    })?;
    match bound {
        ChunkBound::Rmse(e) if found.valid > 0 && (found.rmse().is_nan() || found.rmse() > e * (1.0 + 1e-12)) => {
            Err(format!("rmse {:e}, allowed {e:e}", found.rmse()))
        }
        _ => Ok(found),
    }
}

/// Checks a variable against its bound.
pub fn variable_keeps(
    dtype: DType,
    x: &[u64],
    y: &[u64],
    bound: ErrorBound,
    fill: Option<u64>,
) -> Result<Found, String> {
    let e = bound.value;
    let width = compare(dtype, x, x, fill, |_| None)?.width();
    let found = compare(dtype, x, y, fill, |v| match bound.kind {
        BoundKind::Lossless => None,
        BoundKind::Abs => Some(e),
        BoundKind::Rel => Some(e * width),
        BoundKind::PwRel => Some(e * v.abs()),
        BoundKind::Psnr | BoundKind::Nrmse | BoundKind::L2 => Some(f64::INFINITY),
    })?;
    let ok = match bound.kind {
        BoundKind::Psnr => found.squares == 0.0 || 20.0 * (width / found.rmse()).log10() >= e,
        BoundKind::Nrmse => found.rmse() <= e * width,
        BoundKind::L2 => found.squares.sqrt() <= e,
        _ => true,
    };
    if ok { Ok(found) } else { Err(format!("{bound:?} does not hold: {found:?}, width {width:e}")) }
}
