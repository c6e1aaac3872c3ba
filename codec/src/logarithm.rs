//! Base-2 logarithms for relative bounds. Only `exp2` is part of decode: it uses basic operations alone (SPEC §8.1).

/// ln(2)^k / k! for k = 13 down to 0.
#[expect(clippy::excessive_precision, clippy::approx_constant, reason = "written as in the specification")]
const POWERS: [f64; 14] = [
    1.3691488853904130e-12,
    2.5678435993488206e-11,
    4.4455382718708118e-10,
    7.0549116208011234e-09,
    1.0178086009239700e-07,
    1.3215486790144309e-06,
    1.5252733804059841e-05,
    1.5403530393381608e-04,
    1.3333558146428443e-03,
    9.6181291076284769e-03,
    5.5504108664821580e-02,
    2.4022650695910072e-01,
    6.9314718055994529e-01,
    1.0,
];

/// 2^y to about 15 digits; 0 below and infinity above the range of binary64.
pub fn exp2(y: f64) -> f64 {
    let y = y.clamp(-1100.0, 1100.0);
    let k = crate::base::quantiser::round_even(y);
    let f = y - k;
    let mut p = 0.0;
    for c in POWERS {
        p = p * f + c;
    }
    // Two factors, since 2^k alone may leave the range.
    let k = k as i64;
    let half = k / 2;
    p * power(half) * power(k - half)
}

/// 2^k for |k| ≤ 1000.
fn power(k: i64) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    #[test]
    fn exp2_is_close() {
        for i in -2000..2000 {
            let y = f64::from(i) * 0.37;
            let (got, want) = (super::exp2(y), y.exp2());
            assert!((got - want).abs() <= 1e-14 * want, "{y}: {got} {want}");
        }
        assert_eq!(super::exp2(f64::NAN).to_bits() >> 52 & 2047, 2047);
    }
}
