//! What the head of a network sees of the points of a pass that are decoded before: their residuals and codes, and what
//! the fitted weights made of them (SPEC §8.8.2).
use super::features::{LIMIT, UNIT, fixed, lg};
use crate::entropy::log_class;

/// Neighbours that come earlier in a pass: one and two steps before in the row; above, above to the left and to the
/// right; one step before along axis 1, there one below and one to the right; one step before along axis 0.
pub const BEFORE: usize = 9;
/// Causal channels of a point.
pub const CAUSAL: usize = 2 * BEFORE + 2;

/// Decoded surroundings of a point; 0 where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// Value minus plain interpolation.
    pub residuals: [f64; BEFORE],
    /// Codes.
    pub codes: [i16; BEFORE],
    /// What fitted weights add to plain interpolation at the point.
    pub fitted: f64,
}

impl Surroundings {
    /// As channels, in units of the amplitude at the point.
    #[inline]
    pub fn channels(&self, amplitude: f64, step: f64) -> [i16; CAUSAL] {
        let inverse = UNIT / amplitude;
        let mut out = [0; CAUSAL];
        let mut sum = 0.0;
        for (k, r) in self.residuals.iter().enumerate() {
            out[k] = fixed(r * inverse);
            sum += r.abs();
            out[BEFORE + 1 + k] = 16 * log_class(16 * u64::from(self.codes[k].unsigned_abs())) as i16;
        }
        out[BEFORE] = fixed(self.fitted * inverse);
        let mean = sum * 0.125 + 0.5 * step;
        out[CAUSAL - 1] = (lg(mean) - lg(amplitude)).clamp(-LIMIT, LIMIT) as i16;
        out
    }
}
