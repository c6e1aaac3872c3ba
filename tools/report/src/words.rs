//! Numbers for people.

/// Three or four digits, an exponent only where it helps: `0.05`, `1234`, `2.5e-7`.
pub fn number(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return format!("{v}");
    }
    let exponent = v.abs().log10().floor() as i32;
    if (-3..6).contains(&exponent) {
        let text = format!("{v:.*}", (3 - exponent).max(0) as usize);
        return if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    let text = format!("{v:.2e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{power}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

/// `120×64×64`.
pub fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

/// `what (units)`, or `what` where there are none.
pub fn with_units(what: &str, units: &str) -> String {
    if units.is_empty() { what.to_owned() } else { format!("{what} ({units})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_size() {
        let pairs = [(0.0, "0"), (0.05, "0.05"), (1234.5, "1234"), (-2.5e-7, "-2.5e-7"), (123456789.0, "1.23e8")];
        for (value, text) in pairs {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(100.0), "100");
        assert_eq!(number(306.69), "306.7");
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
