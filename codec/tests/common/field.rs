//! Small fields of every kind that has ever hurt a coder, the same on every machine.
#![allow(dead_code)]
use scicodec::DType;

/// What the values of a field are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sum of slow waves.
    Smooth,
    /// A slow wave with noise on it.
    Noisy,
    /// White noise.
    Noise,
    /// Whole multiples of a scale, from an offset on: a packed source.
    Packed,
    /// Steps between two plateaus.
    Plateaus,
    /// One value.
    Constant,
    /// NaN with several payloads, nothing else.
    AllNan,
    /// A smooth field with NaN of several payloads, infinities and both zeros here and there.
    Specials,
    /// A smooth field with a block of the fill value.
    Filled,
    /// Zeros with a few spikes.
    Sparse,
    /// Both zeros.
    Zeros,
    /// Numbers around and below the smallest normal one.
    Denormal,
    /// Numbers near the largest one, of both signs: the range overflows.
    Huge,
    /// Numbers whose exponents go through the whole range.
    Wide,
    /// Neighbouring floats around one number.
    Ulps,
    /// The extremes of the type and their neighbours.
    Extremes,
    /// Any bits at all.
    Bits,
}

/// All kinds.
pub const KINDS: [Kind; 17] = [
    Kind::Smooth,
    Kind::Noisy,
    Kind::Noise,
    Kind::Packed,
    Kind::Plateaus,
    Kind::Constant,
    Kind::AllNan,
    Kind::Specials,
    Kind::Filled,
    Kind::Sparse,
    Kind::Zeros,
    Kind::Denormal,
    Kind::Huge,
    Kind::Wide,
    Kind::Ulps,
    Kind::Extremes,
    Kind::Bits,
];

/// A small generator of pseudorandom numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for `n` = 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    /// A number in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Low bits that the type has room for.
pub fn keep(dtype: DType) -> u64 {
    u64::MAX >> (64 - 8 * dtype.size())
}

/// Largest magnitude that fields of this type should have in everyday kinds.
fn reach(dtype: DType) -> f64 {
    match dtype {
        DType::I8 => 100.0,
        DType::U8 => 200.0,
        DType::I16 | DType::U16 | DType::F16 => 20_000.0,
        DType::I32 | DType::U32 => 1e8,
        DType::I64 | DType::U64 => 1e12,
        DType::F32 | DType::F64 => 300.0,
    }
}

/// Bits of the element nearest to a number; unsigned types take magnitudes.
pub fn element(dtype: DType, v: f64) -> u64 {
    let bits = match dtype {
        DType::F16 => u64::from(half::f16::from_f64(v).to_bits()),
        DType::F32 => u64::from((v as f32).to_bits()),
        DType::F64 => v.to_bits(),
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => {
            return (v.abs() as u64).min(keep(dtype));
        }
        DType::I8 => v as i8 as u64,
        DType::I16 => v as i16 as u64,
        DType::I32 => v as i32 as u64,
        DType::I64 => v as i64 as u64,
    };
    bits & keep(dtype)
}

/// Mantissa bits and exponent bits of a floating-point type.
fn layout(dtype: DType) -> Option<(u32, u32)> {
    match dtype {
        DType::F16 => Some((10, 5)),
        DType::F32 => Some((23, 8)),
        DType::F64 => Some((52, 11)),
        _ => None,
    }
}

fn wave(shape: &[usize], i: usize, phase: f64) -> f64 {
    let (mut rest, mut v) = (i, 0.0);
    for (a, &n) in shape.iter().enumerate().rev() {
        let x = (rest % n.max(1)) as f64;
        rest /= n.max(1);
        v += (x * (0.11 + 0.07 * a as f64) + phase * (a + 1) as f64).sin();
    }
    v / shape.len().max(1) as f64
}

fn nan(dtype: DType, r: &mut Random) -> Option<u64> {
    let (mantissa, exponent) = layout(dtype)?;
    let payload = [1, 1 << (mantissa - 1), 3 | 1 << (mantissa - 1), 5][r.below(4)];
    let sign = (r.next() & 1) << (mantissa + exponent);
    Some(sign | ((1 << exponent) - 1) << mantissa | payload)
}

/// The fill value that `Kind::Filled` uses.
pub fn fill_bits(dtype: DType) -> u64 {
    if dtype.is_float() { element(dtype, if dtype == DType::F16 { 6e4 } else { 1e20 }) } else { keep(dtype) >> 1 }
}

/// Bits of all elements of a field.
pub fn bits(kind: Kind, dtype: DType, shape: &[usize], seed: u64) -> Vec<u64> {
    let n: usize = shape.iter().product();
    let mut r = Random(seed);
    let (phase, reach) = (r.unit() * 6.0, reach(dtype));
    let scale = if dtype.is_float() { 0.001 * (1 + r.below(50)) as f64 } else { (1 + r.below(3)) as f64 };
    let offset = if dtype.is_float() { 250.0 * r.unit() } else { 3.0 };
    let center = r.next();
    let smooth = |i: usize| wave(shape, i, phase) * reach;
    let spot = |i: usize| (i / 5) % 7 == 3;
    (0..n)
        .map(|i| {
            let number = |v: f64| element(dtype, v);
            let v = match kind {
                Kind::Smooth => number(smooth(i)),
                Kind::Noisy => number(smooth(i) * 0.9 + reach * 0.05 * r.unit()),
                Kind::Noise => number(reach * (2.0 * r.unit() - 1.0)),
                Kind::Packed => {
                    let k = (wave(shape, i, phase) * 50.0 + 50.0 + 3.0 * r.unit()).floor();
                    number(offset + scale * k)
                }
                Kind::Plateaus => number(if wave(shape, i, phase) > 0.2 { reach } else { 0.25 * reach }),
                Kind::Constant => number(0.37 * reach),
                Kind::AllNan => nan(dtype, &mut r).unwrap_or(0),
                Kind::Specials => match (r.below(12), layout(dtype)) {
                    (0 | 1, Some(_)) => nan(dtype, &mut r).unwrap_or(0),
                    (2, Some(_)) => number(f64::INFINITY),
                    (3, Some(_)) => number(f64::NEG_INFINITY),
                    (4, Some(_)) => number(-0.0),
                    (5, _) => number(0.0),
                    _ => number(smooth(i)),
                },
                Kind::Filled => {
                    if spot(i) {
                        fill_bits(dtype)
                    } else {
                        number(smooth(i))
                    }
                }
                Kind::Sparse => number(if r.below(20) == 0 { reach * r.unit() } else { 0.0 }),
                Kind::Zeros => number(if r.below(3) == 0 { -0.0 } else { 0.0 }),
                Kind::Denormal => match layout(dtype) {
                    Some((m, e)) => (r.next() & ((2 << m) - 1)) | (r.next() & 1) << (m + e),
                    None => number(r.below(2) as f64),
                },
                Kind::Huge => match layout(dtype) {
                    Some((m, e)) => (r.next() & ((1 << m) - 1)) | ((1 << e) - 2) << m | (r.next() & 1) << (m + e),
                    None => (r.next() & 0xff) ^ if r.below(2) == 0 { keep(dtype) } else { keep(dtype) >> 1 },
                },
                Kind::Wide => match layout(dtype) {
                    Some((m, e)) => {
                        let exponent = r.below((1 << e) - 1) as u64;
                        (r.next() & ((1 << m) - 1)) | exponent << m | (r.next() & 1) << (m + e)
                    }
                    None => (r.next() & keep(dtype)) >> r.below(8 * dtype.size()),
                },
                Kind::Ulps => match layout(dtype) {
                    Some(_) => number(0.7 * reach).wrapping_add(center % 1000).wrapping_add(r.below(9) as u64),
                    None => ((center & keep(dtype)) >> 2) + r.below(5) as u64,
                },
                Kind::Extremes => {
                    let top = keep(dtype);
                    let half = top >> 1;
                    match layout(dtype) {
                        Some(_) => [number(f64::MAX) - 1, number(f64::MIN) - 1, number(0.0), number(1.0)][r.below(4)],
                        None => [0, 1, half, half - 1, half + 1, top, top - 1][r.below(7)],
                    }
                }
                Kind::Bits => r.next(),
            };
            v & keep(dtype)
        })
        .collect()
}

/// Elements of these bits as bytes in the machine's order.
pub fn to_bytes(dtype: DType, bits: &[u64]) -> Vec<u8> {
    let size = dtype.size();
    let mut out = Vec::with_capacity(bits.len() * size);
    for b in bits {
        let mut raw = b.to_le_bytes()[..size].to_vec();
        if cfg!(target_endian = "big") {
            raw.reverse();
        }
        out.extend(raw);
    }
    out
}

/// The inverse of `to_bytes`.
pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Vec<u64> {
    let load = |c: &[u8]| {
        let each: Box<dyn Iterator<Item = &u8>> =
            if cfg!(target_endian = "big") { Box::new(c.iter()) } else { Box::new(c.iter().rev()) };
        each.fold(0u64, |v, &b| v << 8 | u64::from(b))
    };
    bytes.chunks(dtype.size()).map(load).collect()
}
