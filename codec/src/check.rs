//! The second look at a chunk before it is written: decoded bytes against the original, by nothing but the definitions
//! of SPEC §3. It shares no code with the coders that it checks.
use crate::element::{Element, elements, with_element};
use crate::{ChunkBound, Error};
use scicodec_format::DType;
use std::cmp::Ordering;

/// What was reached, measured on decoded bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reached {
    /// max |x - x̂|.
    pub max_error: f64,
    /// max |x - x̂| / |x| over nonzero x.
    pub max_pw_rel: f64,
    /// Σ (x - x̂)².
    pub squares: f64,
    /// Number of finite, unmasked values.
    pub valid: u64,
}

/// Compares a chunk with what it decodes to. Errors: `BoundNotMet`.
pub(crate) fn check_chunk(
    dtype: DType,
    original: &[u8],
    decoded: &[u8],
    bound: ChunkBound,
    fill: Option<u64>,
) -> Result<Reached, Error> {
    if original.len() != decoded.len() {
        return Err(Error::Corrupt { what: format!("a chunk decoded to {} bytes", decoded.len()), section: "4" });
    }
    with_element!(dtype, check, (original, decoded, bound, fill))
}

fn check<T: Element>(original: &[u8], decoded: &[u8], bound: ChunkBound, fill: Option<u64>) -> Result<Reached, Error> {
    let mut reached = Reached::default();
    for (x, y) in elements::<T>(original).zip(elements::<T>(decoded)) {
        let masked = !x.finite() || fill == Some(x.bits());
        let d = x.distance(y);
        // What has to keep its bits has an error of nothing or of everything.
        let exact = if x.bits() == y.bits() { 0.0 } else { f64::INFINITY };
        let (got, asked) = match bound {
            _ if masked => (exact, 0.0),
            ChunkBound::Lossless => (exact, 0.0),
            ChunkBound::Abs(e) => (d, e),
            ChunkBound::PwRel(e) => (d, (e * x.value().abs()).min(f64::MAX)),
            ChunkBound::Rmse(_) => (d, f64::MAX),
        };
        // Not `got > asked`: a NaN is no error that is met.
        if !matches!(got.partial_cmp(&asked), Some(Ordering::Less | Ordering::Equal)) {
            return Err(Error::BoundNotMet { asked, got });
        }
        if !masked {
            reached.valid += 1;
            reached.max_error = reached.max_error.max(d);
            reached.squares += d * d;
            if x.value() != 0.0 {
                reached.max_pw_rel = reached.max_pw_rel.max(d / x.value().abs());
            }
        }
    }
    if let ChunkBound::Rmse(e) = bound
        && reached.valid > 0
    {
        let rmse = (reached.squares / reached.valid as f64).sqrt();
        if rmse.is_nan() || rmse > e * (1.0 + 1e-12) {
            return Err(Error::BoundNotMet { asked: e, got: rmse });
        }
    }
    Ok(reached)
}

/// The least f32 that is not below a nonnegative double.
pub(crate) fn round_up(error: f64) -> f32 {
    let near = error as f32;
    if f64::from(near) < error { near.next_up() } else { near }
}
