//! What the head of a network sees of the points of a pass that are decoded before: their residuals and codes, and what
//! the fitted weights made of them (SPEC §8.8.2).
use super::features::{self, LIMIT, fixed, lg};

/// Neighbours that come earlier in a pass: one and two steps before in the row; above, above to the left and to the
/// right; one step before along axis 1, there one below and one to the right; one step before along axis 0.
pub const BEFORE: usize = 9;
/// Causal channels of a point: residuals, what fitted weights add, codes, and the mean of the residuals.
pub const CAUSAL: usize = 2 * BEFORE + 2;
/// Neighbours in the row of a point.
pub const BESIDE: usize = 2;
/// Neighbours in rows before it, which are known for all points of a row at once.
pub const ABOVE: usize = BEFORE - BESIDE;
/// Channels that are known of a point once the points before it are decoded, and how many pairs they make.
pub const LATE: [usize; 6] = [0, 1, BEFORE, BEFORE + 1, BEFORE + 2, CAUSAL - 1];
pub const LATE_PAIRS: usize = LATE.len() / 2;

/// Decoded surroundings of a point in its row; 0 where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// Value minus plain interpolation, one and two steps before.
    pub residuals: [f64; BESIDE],
    /// Codes, likewise.
    pub codes: [i16; BESIDE],
    /// What fitted weights add to plain interpolation at the point.
    pub fitted: f64,
}

/// Decoded surroundings of the points of a row in rows before it, neighbour by neighbour; 0 where there is none.
#[derive(Clone, Debug, Default)]
pub struct Above {
    count: usize,
    residuals: Vec<f64>,
    codes: Vec<i16>,
}

impl Above {
    /// Starts a row of so many points that have no neighbours so far.
    pub fn start(&mut self, count: usize) {
        self.count = count;
        self.residuals.clear();
        self.residuals.resize(ABOVE * count, 0.0);
        self.codes.clear();
        self.codes.resize(ABOVE * count, 0);
    }

    /// Takes neighbour `n` of the points from number `from` on.
    pub fn put(&mut self, n: usize, from: usize, residuals: &[f64], codes: &[i16]) {
        let at = n * self.count + from;
        self.residuals[at..][..residuals.len()].copy_from_slice(residuals);
        self.codes[at..][..codes.len()].copy_from_slice(codes);
    }

    /// Writes the channels of every point in units of what `inverse` is the inverse of: residuals, then codes. The first
    /// point's are at the start of `out`, those of others `step` further each.
    #[inline(always)]
    pub fn channels(&self, inverse: &[f64], step: usize, out: &mut [i16]) {
        if self.count == 0 {
            return;
        }
        let rows = self.residuals.chunks_exact(self.count).zip(self.codes.chunks_exact(self.count));
        for (n, (residuals, codes)) in rows.enumerate() {
            // Some at a time: vectors first, then stores one by one.
            const SOME: usize = 32;
            let mut both = [[0i16; SOME]; 2];
            let parts = residuals.chunks(SOME).zip(codes.chunks(SOME)).zip(inverse.chunks(SOME));
            for (part, ((r, c), inverse)) in parts.enumerate() {
                let [fixed_numbers, classes] = &mut both;
                for ((to, r), inverse) in fixed_numbers.iter_mut().zip(r).zip(inverse) {
                    *to = fixed(r * inverse);
                }
                classes.iter_mut().zip(c).for_each(|(to, c)| *to = class(*c));
                let points = out[part * SOME * step..].chunks_mut(step).zip(fixed_numbers).zip(classes).take(r.len());
                for ((point, f), c) in points {
                    (point[n], point[ABOVE + n]) = (*f, *c);
                }
            }
        }
    }

    /// The late channels of point `k`, in the order of [`LATE`].
    #[inline(always)]
    pub fn late(
        &self,
        k: usize,
        beside: &Beside,
        inverse: f64,
        lg_amplitude: i32,
        step: f64,
    ) -> [[i16; 2]; LATE_PAIRS] {
        let [a, b] = beside.residuals;
        // In the order of all neighbours.
        let mut sum = a.abs() + b.abs();
        for residuals in self.residuals.chunks_exact(self.count) {
            sum += residuals[k].abs();
        }
        let mean = sum * 0.125 + 0.5 * step;
        let mean = (lg(mean) - lg_amplitude).clamp(-LIMIT, LIMIT) as i16;
        let [c, d] = beside.codes.map(class);
        [[fixed(a * inverse), fixed(b * inverse)], [fixed(beside.fitted * inverse), c], [d, mean]]
    }
}

/// All causal channels of a point, from those of rows before and the late ones.
pub fn causal(above: &[i16], late: &[[i16; 2]; LATE_PAIRS]) -> [i16; CAUSAL] {
    let mut out = [0; CAUSAL];
    LATE.iter().zip(late.as_flattened()).for_each(|(&c, &v)| out[c] = v);
    out[BESIDE..BEFORE].copy_from_slice(&above[..ABOVE]);
    out[BEFORE + 1 + BESIDE..CAUSAL - 1].copy_from_slice(&above[ABOVE..]);
    out
}

/// The channel of a code.
#[inline(always)]
fn class(code: i16) -> i16 {
    features::class(u32::from(code.unsigned_abs())) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::log_class;

    #[test]
    fn classes_are_those_of_the_logarithm() {
        for code in i16::MIN..=i16::MAX {
            assert_eq!(class(code), 16 * log_class(16 * u64::from(code.unsigned_abs())) as i16, "{code}");
        }
    }
}
