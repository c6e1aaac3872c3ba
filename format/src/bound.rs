//! An error bound as bytes (SPEC §3.2).
use crate::{BoundKind, Defect, Error, ErrorBound, cursor::Cursor, cursor::put_varint, error::corrupt};

const NO_VALUE: u8 = 0;
const BINARY: u8 = 1;
const DECIMAL: u8 = 2;
/// Decimal mantissas stay below this, so that the decimal form is always shorter than the binary one.
const MANTISSA_LIMIT: u64 = 1 << 28;

/// Appends a bound: bounds are mostly typed by people, so `1e-3` takes two bytes where its nearest double takes eight.
pub(crate) fn put_bound(out: &mut Vec<u8>, bound: &ErrorBound) {
    let kind = bound.kind as u8;
    if bound.kind == BoundKind::Lossless {
        out.push(kind | NO_VALUE << 4);
    } else if let Some((mantissa, exponent)) = decimal(bound.value) {
        out.push(kind | DECIMAL << 4);
        put_varint(out, mantissa);
        out.push(exponent as u8);
    } else {
        out.push(kind | BINARY << 4);
        out.extend_from_slice(&bound.value.to_le_bytes());
    }
}

/// `m·10^e` that reads back as exactly this double, if there is a short one.
fn decimal(value: f64) -> Option<(u64, i8)> {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa: u64 = format!("{whole}{fraction}").parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let exponent = i8::try_from(exponent - fraction.len() as i32).ok()?;
    (mantissa < MANTISSA_LIMIT && from_decimal(mantissa, exponent) == Some(value)).then_some((mantissa, exponent))
}

fn from_decimal(mantissa: u64, exponent: i8) -> Option<f64> {
    format!("{mantissa}e{exponent}").parse().ok()
}

pub(crate) fn read_bound(c: &mut Cursor<'_>) -> Result<ErrorBound, Error> {
    let at = c.offset();
    let byte = c.flags("bound", 0xc0)?;
    let Some(kind) = BoundKind::from_code(byte & 15) else { return corrupt(Defect::Bound("unknown kind"), at) };
    let form = byte >> 4;
    if (kind == BoundKind::Lossless) != (form == NO_VALUE) {
        return corrupt(Defect::Bound("a value with lossless, or none with another kind"), at);
    }
    let value = match form {
        NO_VALUE => return Ok(ErrorBound { kind, value: 0.0 }),
        BINARY => f64::from_bits(c.u64()?),
        DECIMAL => {
            let mantissa = c.varint()?;
            let exponent = c.u8()? as i8;
            if mantissa >= MANTISSA_LIMIT {
                return corrupt(Defect::Bound("a decimal mantissa of 2^28 or more"), at);
            }
            from_decimal(mantissa, exponent).unwrap_or(f64::NAN)
        }
        _ => return corrupt(Defect::Bound("unknown form of value"), at),
    };
    if !(value.is_finite() && value > 0.0) {
        return corrupt(Defect::Bound("a value that is not positive and finite"), at);
    }
    Ok(ErrorBound { kind, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_of_bounds() {
        for value in [1e-3, 0.1, 1.0, 60.0, 84.77, 1e-300, 1.0 / 3.0, f64::MAX, f64::MIN_POSITIVE, 123456789.0] {
            let bound = ErrorBound { kind: BoundKind::Rel, value };
            let mut out = vec![];
            put_bound(&mut out, &bound);
            assert_eq!(read_bound(&mut Cursor::new(&out, 0, "bound")).unwrap(), bound);
        }
    }

    #[test]
    fn short_decimals_take_three_bytes() {
        let mut out = vec![];
        put_bound(&mut out, &ErrorBound { kind: BoundKind::Rel, value: 1e-3 });
        assert_eq!(out, [0x22, 1, 0xfd]);
    }
}
