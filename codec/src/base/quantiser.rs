//! Uniform quantisation of prediction residuals (SPEC §8.1).

/// Adding and subtracting it rounds a number below 2^51 to an integer, ties to even.
const ROUNDER: f64 = 6755399441055744.0;

/// Rounds to the nearest integer, ties to even, by additions alone; exact for |v| < 2^51.
#[inline(always)]
pub fn round_even(v: f64) -> f64 {
    (v + ROUNDER) - ROUNDER
}

/// Bits of which the lowest 32 are those of the nearest integer, ties to even; for |v| < 2^31.
#[inline(always)]
pub fn rounded_bits(v: f64) -> u64 {
    (v + ROUNDER).to_bits()
}

/// A uniform quantiser with reconstruction points at multiples of its step from the prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiser {
    step: f64,
    inverse: f64,
    /// Values are integers: predictions are rounded, steps are whole.
    integer: bool,
}

impl Quantiser {
    /// Steps of any size.
    pub fn real(step: f64) -> Quantiser {
        Quantiser { step, inverse: 1.0 / step, integer: false }
    }

    /// Values that are integers; `step` is whole and at least 1.
    pub fn integer(step: f64) -> Quantiser {
        Quantiser { step, inverse: 1.0 / step, integer: true }
    }

    /// The quantiser of a level of interpolation: step divided by min(alpha^(level-1), beta), in fine.
    pub fn refined(self, alpha: u8, beta: u8, level: u32) -> Quantiser {
        let (alpha, beta) = (f64::from(alpha) * 0.0625, f64::from(beta) * 0.0625);
        let mut f = 1.0;
        for _ in 1..level {
            f *= alpha;
            if f > beta {
                f = beta;
                break;
            }
        }
        let step = self.step / f;
        if !self.integer {
            return Quantiser::real(step);
        }
        // Odd steps stay odd, so that whole errors stay symmetric.
        let whole = (step as u64).max(1);
        let odd = self.step as u64 % 2;
        Quantiser::integer((whole - u64::from(odd == 1 && whole.is_multiple_of(2))) as f64)
    }

    /// The prediction as it will be used.
    #[inline(always)]
    pub fn snap(&self, p: f64) -> f64 {
        if self.integer { round_even(p) } else { p }
    }

    /// How many steps `x` is from the prediction.
    #[inline(always)]
    pub fn steps(&self, x: f64, p: f64) -> f64 {
        (x - p) * self.inverse
    }

    /// Index of the reconstruction point nearest to `x`.
    #[inline(always)]
    pub fn quantise(&self, x: f64, p: f64) -> i64 {
        let t = self.steps(x, p);
        (t + if t < 0.0 { -0.5 } else { 0.5 }) as i64
    }

    /// The reconstruction point of index `q`.
    #[inline(always)]
    pub fn reconstruct(&self, p: f64, q: i64) -> f64 {
        p + self.step * q as f64
    }

    /// The step.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Variance of the error that quantisation makes.
    pub fn variance(&self) -> f64 {
        self.step * self.step / 12.0
    }

    /// A difference in units of 1/256 step, saturated. Differences are not negative.
    #[inline(always)]
    pub fn fine(&self, v: f64) -> u32 {
        // Vectors of signed integers are those that processors know to make.
        ((v * self.inverse) * 256.0).min(268435456.0) as i32 as u32
    }
}
