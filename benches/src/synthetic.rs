//! Fields made here: the same bits on every run and every machine with the same mathematical library.
use crate::field::Field;

/// A generator of 64 well-mixed bits for each counter value (the finaliser of SplitMix64).
pub fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Uniform in [0, 1).
pub fn uniform(counter: u64) -> f64 {
    (mix(counter) >> 11) as f64 / (1u64 << 53) as f64
}

/// A smooth three-dimensional field with a little noise: 24 plane waves whose amplitude falls as k^(−11/6), as in
/// turbulence, plus noise of 1e-4 of the range.
pub fn waves(shape: [usize; 3]) -> Field {
    let modes: Vec<([f64; 3], f64, f64)> = (0..24)
        .map(|m| {
            let k = 1.0 + f64::from(m);
            let direction = [0u64, 1, 2].map(|axis| 2.0 * uniform(4 * m as u64 + axis) - 1.0);
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt().max(1e-3);
            let wave = direction.map(|d| std::f64::consts::TAU * k * d / (length * 96.0));
            (wave, std::f64::consts::TAU * uniform(4 * m as u64 + 3), k.powf(-11.0 / 6.0))
        })
        .collect();
    let mut values = Vec::with_capacity(shape.iter().product());
    for z in 0..shape[0] {
        for y in 0..shape[1] {
            for x in 0..shape[2] {
                let at = [z as f64, y as f64, x as f64];
                let wave = |(k, phase, amplitude): &([f64; 3], f64, f64)| {
                    amplitude * (k[0] * at[0] + k[1] * at[1] + k[2] * at[2] + phase).sin()
                };
                let smooth: f64 = modes.iter().map(wave).sum();
                let noise = 3e-4 * (uniform(1_000_000 + values.len() as u64) - 0.5);
                values.push((smooth + noise) as f32);
            }
        }
    }
    Field::from_f32(&shape, &values)
}

/// Finite float32 values whose every mantissa bit is noise: nothing to gain for a lossless coder but the exponents.
pub fn noise_bytes(first: u64, values: usize, out: &mut [u8]) {
    for (i, bytes) in out.as_chunks_mut::<4>().0.iter_mut().take(values).enumerate() {
        let bits = mix(first.wrapping_add(i as u64)) as u32;
        // A clear top bit of the exponent keeps NaN and ±Inf out.
        *bytes = f32::from_bits(bits & !0x4000_0000).to_ne_bytes();
    }
}
