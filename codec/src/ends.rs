//! The ends of a lone chunk's range as the file keeps them: rounded outwards to few bytes (SPEC §6.5).
//!
//! A bound that speaks of the range must come out the same when the variable is extended later, from what the file says.
//! So it is taken from the least range that the rounded ends allow: never more than was asked, and less by a part in 4096
//! at most.
use crate::element::{Extent, bits_value};
use scicodec_format::{DType, ValueRange};

/// How much of its width a range may seem to lose.
const LOSS: f64 = 1.0 / 4096.0;

/// The ends of floats, rounded to the fewest bytes that keep the width; those of other types as they are.
pub(crate) fn rounded(dtype: DType, extent: Extent) -> ValueRange {
    let Some((min, max)) = extent.range else { return ValueRange::Empty };
    let exact = ValueRange::Bits { min, max, dropped: 0 };
    let least_kept = match dtype {
        DType::F32 | DType::F64 => 2,
        _ => return exact,
    };
    let width = extent.width(dtype).unwrap_or(0.0);
    for dropped in (1..=dtype.size() - least_kept).rev() {
        let rounded = outwards(dtype, min, max, dropped as u8);
        let Some((a, b)) = surely(dtype, rounded) else { continue };
        let least = bits_value(dtype, b) - bits_value(dtype, a);
        if width.is_finite() && least > 0.0 && least >= width * (1.0 - LOSS) {
            return rounded;
        }
    }
    exact
}

fn sign(dtype: DType) -> u64 {
    1 << (dtype.size() * 8 - 1)
}

fn low(dropped: u8) -> u64 {
    (1 << (8 * u32::from(dropped))) - 1
}

/// Away from zero up to the next number that ends in so many zero bytes, or towards it.
fn outwards(dtype: DType, min: u64, max: u64, dropped: u8) -> ValueRange {
    let (s, low) = (sign(dtype), low(dropped));
    let away = |bits: u64| (bits + low) & !low;
    let towards = |bits: u64| bits & !low;
    let min = if min & s != 0 { away(min & !s) | s } else { towards(min) };
    let max = if max & s == 0 { away(max) } else { towards(max) };
    ValueRange::Bits { min, max, dropped }
}

/// The narrowest range of values that is stored so. `None` where there is none or it is not known.
pub(crate) fn surely(dtype: DType, range: ValueRange) -> Option<(u64, u64)> {
    let ValueRange::Bits { min, max, dropped } = range else { return None };
    if dropped == 0 {
        return Some((min, max));
    }
    let (s, low) = (sign(dtype), low(dropped));
    // What was rounded away from zero is more than one unit of the last kept byte nearer to it.
    let nearer = |bits: u64| if bits & !s > low { bits - low } else { bits };
    let further = |bits: u64| bits | low;
    let min = if min & s != 0 { nearer(min) } else { further(min) };
    let max = if max & s == 0 { nearer(max) } else { further(max) };
    Some((min, max))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rounded_ends_hold_the_range_and_tell_a_narrower_one() {
        let numbers = [-1e30, -271.3, -1.0, -0.999, -1e-40, -0.0, 0.0, 1e-40, 0.25, 0.7, 1.0, 300.01, 300.02, 1e38];
        for dtype in [DType::F32, DType::F64] {
            for (i, &a) in numbers.iter().enumerate() {
                for &b in &numbers[i..] {
                    let bits = |v: f64| if dtype == DType::F32 { u64::from((v as f32).to_bits()) } else { v.to_bits() };
                    let (lo, hi) = (bits_value(dtype, bits(a)), bits_value(dtype, bits(b)));
                    let stored = rounded(dtype, Extent { range: Some((bits(a), bits(b))), valid: 2 });
                    let ValueRange::Bits { min, max, dropped } = stored else { panic!("{stored:?}") };
                    let (min, max) = (bits_value(dtype, min), bits_value(dtype, max));
                    assert!(min <= lo && max >= hi, "{a} {b}");
                    let (x, y) = surely(dtype, stored).unwrap();
                    let (x, y) = (bits_value(dtype, x), bits_value(dtype, y));
                    assert!(x >= lo && y <= hi, "{a} {b} {dropped}: {x} {y}");
                    assert!(y - x >= (hi - lo) * (1.0 - LOSS), "{a} {b}");
                }
            }
        }
    }
}
