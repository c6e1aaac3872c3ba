//! Finds the grid that values sit on: packed sources (offset + scale·integer), or the spacing of floats near the largest.
use scicodec_format::DType;

/// Integers beyond this are not coded as lattice points.
const LARGEST: f64 = 2_251_799_813_685_248.0; // 2^51

/// A grid of reconstruction values: `offset + scale·k`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lattice {
    pub offset: f64,
    pub scale: f64,
    /// Every value sits on the grid, to within the rounding of its type.
    pub exact: bool,
}

impl Lattice {
    /// Place of a value on the grid; whole for values that sit on it.
    #[inline(always)]
    pub fn index(&self, x: f64) -> f64 {
        let k = (x - self.offset) / self.scale;
        if self.exact { k.round() } else { k }
    }

    /// The grid of the middles of as many neighbouring points as a bound lets be one, where they are of an even number: a step
    /// on the grid itself, about a point of it, takes an odd number of them.
    pub fn coarser(&self, bound: f64) -> Option<Lattice> {
        let together = (2.0 * bound / self.scale).floor() + 1.0;
        let even = self.exact && together >= 2.0 && together % 2.0 == 0.0;
        let middle = self.offset + 0.5 * (together - 1.0) * self.scale;
        even.then_some(Lattice { offset: middle, scale: together * self.scale, exact: true })
    }

    /// Sharpens the scale by least squares.
    fn fit(&mut self, values: &[f64]) {
        let (mut kd, mut kk) = (0.0, 0.0);
        for &x in values {
            let k = self.index(x);
            kd += k * (x - self.offset);
            kk += k * k;
        }
        if kd > 0.0 && kk > 0.0 && (kd / kk).is_normal() {
            self.scale = kd / kk;
        }
    }

    /// Value at a place of the grid (SPEC §8.1).
    #[inline(always)]
    pub fn value(&self, k: f64) -> f64 {
        self.offset + self.scale * k
    }
}

/// Spacing of the type's numbers at `x`; 0 for integers.
pub fn ulp(dtype: DType, x: f64) -> f64 {
    let bits = match dtype {
        DType::F16 => 10,
        DType::F32 => 23,
        DType::F64 => 52,
        _ => return 0.0,
    };
    // The power of two at or below |x|, by clearing the mantissa.
    let p = f64::from_bits(x.abs().to_bits() & 0x7FF0_0000_0000_0000);
    p / (1u64 << bits) as f64
}

/// The lattice of packed values, if there is one. `values` are finite numbers of a float type; `bound` is the error that
/// each may have.
///
/// Values that were unpacked carelessly sit beside the grid by more than the rounding of their type. They are taken for
/// its points where that is well within the bound, and the bound well within the spacing.
pub fn packed(dtype: DType, values: &[f64], lo: f64, hi: f64, bound: f64) -> Option<Lattice> {
    const SAMPLES: usize = 1 << 14;
    let rounding = 2.0 * ulp(dtype, lo.abs().max(hi.abs()));
    let stride = (values.len() / SAMPLES).max(1);
    let mut sorted: Vec<f64> = values.iter().step_by(stride).copied().collect();
    // Runs of neighbours hold the small differences that a thinned sample misses.
    sorted.extend(values.iter().take(SAMPLES / 4));
    sorted.push(lo);
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let find = |tolerance: f64, least: f64| {
        let gap = |w: &[f64]| w[1] - w[0];
        let smallest = sorted.windows(2).map(gap).filter(|&d| d > 2.0 * tolerance).fold(f64::INFINITY, f64::min);
        if !smallest.is_finite() || (hi - lo) / smallest > 1e7 {
            return None;
        }
        // Differences that are no multiples of the smallest may be multiples of a fraction of it.
        for divisor in (1..=8).map(f64::from).take_while(|d| smallest / d > least) {
            if let Some(scale) = refine(&sorted, lo, smallest / divisor, tolerance) {
                for offset in [lo, 0.0] {
                    let mut lattice = Lattice { offset, scale, exact: true };
                    if tolerance > rounding {
                        lattice.fit(values);
                    }
                    if values.iter().all(|&x| (lattice.value(lattice.index(x)) - x).abs() <= tolerance) {
                        return Some(lattice);
                    }
                }
            }
        }
        None
    };
    let loose = [bound / 16.0, bound / 2.0].into_iter().filter(|&t| t > rounding);
    find(rounding, 0.0).or_else(|| loose.into_iter().find_map(|t| find(t, 4.0 * bound)))
}

/// Sharpens a first guess of the scale by ever larger differences; `None` where one does not fit.
fn refine(sorted: &[f64], origin: f64, guess: f64, tolerance: f64) -> Option<f64> {
    let mut scale = guess;
    let mut trusted = 1.0;
    // A difference of k steps tells the scale to tolerance/k; the next must stay unambiguous under that.
    for &x in sorted {
        let d = x - origin;
        let k = (d / scale).round();
        if k < 1.0 {
            if d > tolerance {
                return None;
            }
            continue;
        }
        let slack = 2.0 * tolerance * (1.0 + k / trusted);
        if (d - k * scale).abs() > slack.min(0.3 * scale) {
            return None;
        }
        if k > trusted {
            scale = d / k;
            trusted = k;
        }
    }
    (trusted >= 2.0).then_some(scale)
}

/// The spacing of floats near the largest value, as a lattice, where the bound is only a few times that.
pub fn spacing(dtype: DType, values: &[f64], lo: f64, hi: f64, bound: f64) -> Option<Lattice> {
    let scale = ulp(dtype, lo.abs().max(hi.abs()));
    if scale.is_nan()
        || scale <= 0.0
        || bound > 128.0 * scale
        || bound < 0.5 * scale
        || lo.abs().max(hi.abs()) / scale > LARGEST
    {
        return None;
    }
    let exact = values.iter().all(|&x| (x / scale).fract() == 0.0);
    Some(Lattice { offset: 0.0, scale, exact })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_a_bound_lets_be_one_are_put_together_in_even_numbers() {
        let l = Lattice { offset: 7.0, scale: 0.5, exact: true };
        // So many points go together, where they are of an even number.
        for (bound, together) in [(0.2, None), (0.25, Some(2.0)), (0.5, None), (0.8, Some(4.0)), (1.1, None)] {
            let coarser = l.coarser(bound);
            assert_eq!(coarser.map(|c| c.scale / l.scale), together, "{bound}");
            let values = (0..40).map(|k| l.value(f64::from(k)));
            let apart = coarser.map(|c| values.map(|v| (c.value(c.index(v)) - v).abs()).fold(0.0, f64::max));
            assert!(apart.is_none_or(|apart| apart <= bound), "{bound} {apart:?}");
        }
        assert_eq!(Lattice { exact: false, ..l }.coarser(0.25), None);
    }
}
