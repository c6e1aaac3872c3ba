//! About what integers would cost: one adaptive count of classes for each expected class. The encoder tries choices with it;
//! nothing is ever decoded by it.
use super::bits::{BitCoder, SYMBOLS};
use super::mixture::{lowest, primed};
use super::residual::{CONTEXTS, Magnitude, Residuals, log_class};

/// What a symbol adds to its count, and the total at which counts are halved.
const STEP: u32 = 32;
const MOST: u32 = 1 << 14;

/// Counts of classes, and of signs.
pub struct Estimate {
    counts: Vec<([u32; SYMBOLS], u32)>,
    signs: [u32; 2],
}

impl Residuals for Estimate {
    const MIXES: bool = true;

    fn new(_: [usize; CONTEXTS], _: usize) -> Self {
        let counts = (0..64u32).map(|class| {
            let above = primed(class);
            let left = |i: usize| if i == 0 { 65536 } else { u32::from(above[i - 1]) };
            let counts: [u32; SYMBOLS] = std::array::from_fn(|i| (left(i) - u32::from(above[i])) / 512 + 1);
            (counts, counts.iter().sum())
        });
        Estimate { counts: counts.collect(), signs: [STEP; 2] }
    }

    #[inline(always)]
    fn code<C: BitCoder>(&mut self, c: &mut C, q: i64, m: &Magnitude) -> i64 {
        let class = log_class(q.unsigned_abs());
        let low = lowest(m.class);
        let symbol = (class.saturating_sub(low) as usize).min(SYMBOLS - 1);
        let (counts, total) = &mut self.counts[m.class.min(63) as usize];
        c.bit(true, (65535 * counts[symbol] / *total).max(1));
        counts[symbol] += STEP;
        *total += STEP;
        if *total > MOST {
            *total = 0;
            for n in counts.iter_mut() {
                *n = *n / 2 + 1;
                *total += *n;
            }
        }
        if q != 0 {
            let [plus, minus] = &mut self.signs;
            c.bit(q < 0, 65536 * *minus / (*plus + *minus));
            *(if q < 0 { &mut *minus } else { &mut *plus }) += STEP;
            if *plus + *minus > MOST {
                (*plus, *minus) = (*plus / 2 + 1, *minus / 2 + 1);
            }
        }
        // The mantissa, and about how far a class is beyond the symbols.
        let beyond = class.saturating_sub(low + SYMBOLS as u32 - 1) + low.saturating_sub(class);
        let bits = if class < 4 { 0 } else { class / 2 - 1 };
        c.raw(0, bits + beyond);
        q
    }
}
