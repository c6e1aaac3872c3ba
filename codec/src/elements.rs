//! Elements as bits, as numbers, and back (SPEC §2).
use half::f16;
use scicodec_format::DType;

/// The bits of every element, zero-extended. `data` is in the machine's byte order.
pub fn bits(dtype: DType, data: &[u8]) -> Vec<u64> {
    fn each<const N: usize>(data: &[u8], f: impl Fn([u8; N]) -> u64) -> Vec<u64> {
        data.as_chunks::<N>().0.iter().map(|&c| f(c)).collect()
    }
    match dtype.size() {
        1 => data.iter().map(|&b| u64::from(b)).collect(),
        2 => each(data, |c| u64::from(u16::from_ne_bytes(c))),
        4 => each(data, |c| u64::from(u32::from_ne_bytes(c))),
        _ => each(data, u64::from_ne_bytes),
    }
}

/// The numbers that elements stand for; integers beyond 2^53 are rounded. `data` is in the machine's byte order.
pub fn numbers(dtype: DType, data: &[u8]) -> Vec<f64> {
    all_numbers(dtype, &bits(dtype, data))
}

/// Elements with these bits, in the machine's byte order.
pub fn to_bytes(dtype: DType, bits: &[u64]) -> Vec<u8> {
    fn each<const N: usize>(bits: &[u64], f: impl Fn(u64) -> [u8; N]) -> Vec<u8> {
        let mut out = vec![0; bits.len() * N];
        for (to, &b) in out.as_chunks_mut::<N>().0.iter_mut().zip(bits) {
            *to = f(b);
        }
        out
    }
    match dtype.size() {
        1 => bits.iter().map(|&b| b as u8).collect(),
        2 => each(bits, |b| (b as u16).to_ne_bytes()),
        4 => each(bits, |b| (b as u32).to_ne_bytes()),
        _ => each(bits, u64::to_ne_bytes),
    }
}

/// The numbers that bits stand for, as `number` gives them.
pub fn all_numbers(dtype: DType, bits: &[u64]) -> Vec<f64> {
    // One loop per common type, so that none looks at the type inside.
    match dtype {
        DType::F32 => bits.iter().map(|&b| f64::from(f32::from_bits(b as u32))).collect(),
        DType::F64 => bits.iter().map(|&b| f64::from_bits(b)).collect(),
        _ => bits.iter().map(|&b| number(dtype, b)).collect(),
    }
}

/// The bits of the elements nearest to numbers, as `nearest` gives them.
pub fn all_nearest(dtype: DType, numbers: &[f64]) -> Vec<u64> {
    match dtype {
        DType::F32 => numbers.iter().map(|&v| u64::from((v as f32).to_bits())).collect(),
        DType::F64 => numbers.iter().map(|&v| v.to_bits()).collect(),
        _ => numbers.iter().map(|&v| nearest(dtype, v)).collect(),
    }
}

/// The number that these bits stand for; integers beyond 2^53 are rounded.
#[inline]
pub fn number(dtype: DType, b: u64) -> f64 {
    match dtype {
        DType::F16 => f16::from_bits(b as u16).to_f64(),
        DType::F32 => f64::from(f32::from_bits(b as u32)),
        DType::F64 => f64::from_bits(b),
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => b as f64,
        _ => signed(dtype, b) as f64,
    }
}

/// Sign-extends the bits of a signed integer.
#[inline]
pub fn signed(dtype: DType, b: u64) -> i64 {
    let shift = 64 - 8 * dtype.size() as u32;
    ((b << shift) as i64) >> shift
}

/// The bits of the element nearest to `v`: IEEE rounding to nearest even for floats (float16 by way of binary32, since
/// processors differ in how they round binary64 to it), saturation for integers,
/// which are given whole numbers.
#[inline]
pub fn nearest(dtype: DType, v: f64) -> u64 {
    match dtype {
        DType::F16 => u64::from(f16::from_f32(v as f32).to_bits()),
        DType::F32 => u64::from((v as f32).to_bits()),
        DType::F64 => v.to_bits(),
        DType::I8 => u64::from(v as i8 as u8),
        DType::I16 => u64::from(v as i16 as u16),
        DType::I32 => u64::from(v as i32 as u32),
        DType::I64 => v as i64 as u64,
        DType::U8 => u64::from(v as u8),
        DType::U16 => u64::from(v as u16),
        DType::U32 => u64::from(v as u32),
        DType::U64 => v as u64,
    }
}

/// Bits mapped to integers that sort as the numbers do: floats by their magnitude's bits, negative ones downwards.
#[inline]
pub fn ordered(dtype: DType, b: u64) -> i64 {
    if !dtype.is_float() {
        return match dtype {
            DType::U64 => (b ^ (1 << 63)) as i64,
            DType::U8 | DType::U16 | DType::U32 => b as i64,
            _ => signed(dtype, b),
        };
    }
    let s = signed(dtype, b);
    if s < 0 { s ^ (i64::MAX >> (64 - 8 * dtype.size() as u32)) } else { s }
}

/// The inverse of `ordered`; high bits that the type has no room for are dropped.
#[inline]
pub fn from_ordered(dtype: DType, o: i64) -> u64 {
    let width = 8 * dtype.size() as u32;
    let keep = u64::MAX >> (64 - width);
    if !dtype.is_float() {
        return if matches!(dtype, DType::U64) { (o as u64) ^ (1 << 63) } else { o as u64 & keep };
    }
    let s = if o < 0 { o ^ (i64::MAX >> (64 - width)) } else { o };
    s as u64 & keep
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_sorts_and_inverts() {
        for dtype in DType::ALL {
            let keep = u64::MAX >> (64 - 8 * dtype.size() as u32);
            let mut all: Vec<u64> =
                (0..2000u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) & keep).chain([0, keep]).collect();
            for &b in &all {
                assert_eq!(from_ordered(dtype, ordered(dtype, b)), b, "{dtype:?} {b:x}");
            }
            all.retain(|&b| number(dtype, b).is_finite());
            all.sort_by_key(|&b| ordered(dtype, b));
            assert!(all.windows(2).all(|w| number(dtype, w[0]) <= number(dtype, w[1])), "{dtype:?}");
        }
    }
}
