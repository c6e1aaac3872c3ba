//! From the bound that is asked for a variable to the one that each of its chunks keeps (SPEC §3).
//!
//! | kind | chunks keep | formula, in doubles, each operation rounded to nearest |
//! |---|---|---|
//! | `lossless` | lossless | |
//! | `abs` | abs | `E` |
//! | `rel` | abs | `E · (max - min)` |
//! | `pw_rel` | pointwise relative | `E` |
//! | `psnr` | rmse | `(max - min) / 10^(E / 20)` |
//! | `nrmse` | rmse | `E · (max - min)` |
//! | `l2` | rmse | `E / sqrt(N)` |
//!
//! `min`, `max` and `N`, the number of values, are over the variable's finite values that are not its fill value.
//! With a range of 0, or no values at all, `rel`, `psnr` and `nrmse` keep every bit. The rmse is that of the variable: chunks
//! share it (`shares.rs`). Targets are lowered by a part in 2^40, so that rounding in a sum over many values cannot push the
//! variable over its bound.
use crate::element::Extent;
use crate::{BoundKind, ChunkBound, DType, Error, ErrorBound};

/// Whether a bound is on the mean error of a variable.
pub(crate) fn is_mean(kind: BoundKind) -> bool {
    matches!(kind, BoundKind::Psnr | BoundKind::Nrmse | BoundKind::L2)
}

/// Whether resolving needs a pass over the values first.
pub(crate) fn needs_statistics(kind: BoundKind) -> bool {
    kind == BoundKind::Rel || is_mean(kind)
}

/// Checks that a bound can be asked for a dtype. Errors: `InvalidArgument`, with what to ask instead.
pub fn validate_bound(bound: &ErrorBound, dtype: DType) -> Result<(), Error> {
    let (kind, value) = (bound.kind, bound.value);
    let invalid = |what: String| Err(Error::InvalidArgument(what));
    if kind == BoundKind::Lossless {
        return if value == 0.0 { Ok(()) } else { invalid(format!("lossless takes no value, {value} was given")) };
    }
    if !value.is_finite() || value < 0.0 {
        return invalid(format!("an error bound must be a positive, finite number: {}={value}", kind.name()));
    }
    if value == 0.0 {
        return invalid(format!("{}=0 allows no error: ask for lossless", kind.name()));
    }
    if !dtype.is_float() && !matches!(kind, BoundKind::Abs | BoundKind::Rel) {
        return invalid(format!("{} values take lossless, abs or rel, not {}", dtype.name(), kind.name()));
    }
    if dtype == DType::F16 && !matches!(kind, BoundKind::Abs | BoundKind::Rel) {
        return invalid(format!("float16 values take lossless, abs or rel, not {}", kind.name()));
    }
    Ok(())
}

/// The bound that each chunk keeps, or of a mean error that all keep together.
pub(crate) fn resolve(bound: &ErrorBound, dtype: DType, extent: Extent) -> Result<ChunkBound, Error> {
    validate_bound(bound, dtype)?;
    let e = bound.value;
    let slack = 1.0 - 2f64.powi(-40);
    let range = extent.width(dtype).unwrap_or(0.0);
    if !range.is_finite() {
        let what =
            format!("{} cannot be asked: max - min exceeds the range of float64; ask for abs", bound.kind.name());
        return Err(Error::InvalidArgument(what));
    }
    let resolved = match bound.kind {
        BoundKind::Lossless => ChunkBound::Lossless,
        BoundKind::Abs => ChunkBound::Abs(e),
        BoundKind::Rel => ChunkBound::Abs(e * range),
        BoundKind::PwRel => ChunkBound::PwRel(e),
        BoundKind::Psnr => ChunkBound::Rmse(range / 10f64.powf(e / 20.0) * slack),
        BoundKind::Nrmse => ChunkBound::Rmse(e * range * slack),
        BoundKind::L2 => ChunkBound::Rmse(e / (extent.valid.max(1) as f64).sqrt() * slack),
    };
    Ok(match resolved {
        ChunkBound::Abs(0.0) | ChunkBound::Rmse(0.0) => ChunkBound::Lossless,
        ChunkBound::Abs(v) | ChunkBound::Rmse(v) if !v.is_finite() => {
            return Err(Error::InvalidArgument(format!("{}={e} allows any error at all", bound.kind.name())));
        }
        other => other,
    })
}
