//! The loops that encoding and decoding spend their time in, each alone, over data made here: for `benches/coders.rs`, which
//! times them, and `bin/hot-loops.rs`, whose instructions are counted.
use crate::synthetic::{mix, waves};
use scicodec::base::{
    Geometry,
    interpolation::{Parameters, Run},
    quantiser::Quantiser,
};
use scicodec::entropy::{
    Aside, BitCoder, BitDecoder, BitEncoder, CONTEXTS, Magnitude, Mixture, Residuals, SIGN_CONTEXTS, Silence, log_class,
};

/// Integers that one loop handles.
pub const COUNT: usize = 1 << 15;
/// Slots of each context of the context coder.
const SLOTS: [usize; CONTEXTS] = [1024; CONTEXTS];
const SETS: usize = 16;

/// Integers as quantisation leaves them: mostly 0 and ±1, whose spread drifts slowly.
pub fn integers() -> Vec<i64> {
    let value = |i: usize| {
        let spread = 0.6 + 2.0 * (i as f64 * 1e-4).sin().abs();
        let bits = mix(i as u64);
        // The sum of four uniform numbers is close to a normal one.
        let sum: f64 = (0..4).map(|k| ((bits >> (16 * k)) & 0xFFFF) as f64 / 65536.0 - 0.5).sum();
        (sum * spread * 1.7).round() as i64
    };
    (0..COUNT).map(value).collect()
}

/// What a coder may know before an integer: the ones before it.
fn known(before: [i64; 2]) -> Magnitude {
    let (a, b) = (before[0].unsigned_abs(), before[1].unsigned_abs());
    let both = log_class(a) * 32 + log_class(b);
    let slots = [log_class(2 * a + b), log_class(a), both, log_class(b), log_class(a + b), both / 4];
    let sign = [(before[0].signum() + 1) as u32, (before[1].signum() + 1) as u32, 0];
    let class = (3 * log_class(2 * a + b)).min(26);
    debug_assert!(sign.len() == SIGN_CONTEXTS);
    Magnitude {
        slots,
        start: log_class(a),
        class,
        set: log_class(a + b).min(SETS as u32 - 1),
        sign,
        aside: Aside::default(),
    }
}

/// Codes or decodes the integers by the mixture of contexts of the default effort; returns their sum.
pub fn contexts<C: BitCoder>(c: &mut C, integers: &[i64]) -> i64 {
    let mut coder = Mixture::<4, true>::new(SLOTS, SETS);
    let (mut before, mut sum) = ([0i64; 2], 0i64);
    for &q in integers {
        let q = coder.code(c, q, &known(before));
        before = [q, before[0]];
        sum = sum.wrapping_add(q);
    }
    sum
}

/// The stream of [`contexts`].
pub fn encode_contexts(integers: &[i64]) -> Vec<u8> {
    let mut c = BitEncoder::default();
    contexts(&mut c, integers);
    c.finish()
}

/// Decodes as many integers as [`integers`] gives; returns their sum.
pub fn decode_contexts(stream: &[u8]) -> i64 {
    contexts(&mut BitDecoder::new(stream), &[0; COUNT])
}

/// Probabilities of ones, in 65536ths, and bits that follow them.
pub fn bits() -> Vec<(bool, u32)> {
    (0..COUNT as u64)
        .map(|i| {
            let p1 = 1 + (mix(2 * i) % 65535) as u32;
            ((mix(2 * i + 1) & 0xFFFF) < u64::from(p1), p1)
        })
        .collect()
}

/// Codes or decodes bits under given probabilities by the range coder alone; returns how many are ones.
pub fn range_coder<C: BitCoder>(c: &mut C, bits: &[(bool, u32)]) -> usize {
    bits.iter().filter(|&&(bit, p1)| c.bit(bit, p1)).count()
}

/// The stream of [`range_coder`].
pub fn encode_range(bits: &[(bool, u32)]) -> Vec<u8> {
    let mut c = BitEncoder::default();
    range_coder(&mut c, bits);
    c.finish()
}

/// Extents of the chunk that is predicted.
pub const SHAPE: [usize; 3] = [32, 32, 32];

/// Values of that chunk.
pub fn values() -> Vec<f64> {
    scicodec::numbers(scicodec::DType::F32, &waves(SHAPE).bytes)
}

/// Interpolation and quantisation of a chunk, without any coding of the integers.
pub fn predict(values: &mut [f64]) {
    let p = Parameters { order: vec![1, 2, 3], alpha: 24, beta: 48, linear: false, fitted: 0 };
    let quantiser = Quantiser::real(2e-3);
    Run::<Mixture<4, true>>::new(Geometry::new(&SHAPE), &p, quantiser, values, None).run(&mut Silence);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_timed_is_right() {
        let integers = integers();
        let stream = encode_contexts(&integers);
        assert_eq!(decode_contexts(&stream), integers.iter().sum::<i64>());
        assert!(stream.len() < COUNT / 2, "{} bytes", stream.len());
        let bits = bits();
        let ones = bits.iter().filter(|b| b.0).count();
        assert_eq!(range_coder(&mut BitDecoder::new(&encode_range(&bits)), &bits), ones);
        let (mut predicted, original) = (values(), values());
        predict(&mut predicted);
        assert!(predicted.iter().zip(&original).all(|(a, b)| (a - b).abs() <= 1.001e-3));
    }
}
