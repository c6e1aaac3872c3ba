//! What mean error each chunk of a variable may make, where the bound is on that of the variable (SPEC §3).
//!
//! A mean is kept for the least bytes where a bit saves as much error in every chunk: with equal steps of quantisation, not with
//! equal errors (reverse water-filling; Cover and Thomas, *Elements of Information Theory*, §10.3.3). In chunks where little
//! happens errors stay below those of the step, and what they leave is given to the others. What error a chunk will make
//! of a step is guessed from its wavelet coefficients, or in haste from its variance: what is predicted from points with errors has errors
//! of that size, unless the step is larger than all there is. That the chunks' errors together keep the bound depends on no guess.
use crate::base::wavelet_bands::bands;
use crate::base::{Geometry, wavelet};
use crate::element::{Element, elements, with_element};
use scicodec_format::DType;

/// Variables of more chunks get equal shares: what is known of each would take too much memory.
pub(crate) const MOST_CHUNKS: u64 = 1 << 16;
/// Below so many steps a coefficient is likely to become 0.
const DEAD: f64 = 0.7;
/// The squared error of one that does not, in squared steps.
const ERROR: f64 = 0.09;
/// The part of the mean error that every chunk gets, whatever is guessed of it.
const SURE: f64 = 0.02;

/// How much there is in a chunk, by magnitude.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spectrum {
    /// Values that the bound speaks of.
    valid: u64,
    /// What is below so many squared steps makes its own squares of error.
    dead: f64,
    /// Half octaves of coefficients that hold some: how many, and the sum of their squares; by valid value.
    bins: Vec<(f64, f64)>,
}

impl Spectrum {
    /// Of a chunk of floats; in haste of the variance alone.
    pub(crate) fn of(dtype: DType, shape: &[usize], data: &[u8], fill: Option<u64>, haste: bool) -> Spectrum {
        with_element!(dtype, spectrum, (shape, data, fill, haste))
    }

    /// About the mean squared error of a chunk that is quantised with this step.
    fn error(&self, step: f64) -> f64 {
        let (small, error) = (self.dead * step * step, ERROR * step * step);
        self.bins.iter().map(|&(n, squares)| if squares < n * small { squares } else { n * error }).sum()
    }
}

/// Mean, variance and number of the values that the bound speaks of.
fn moments<T: Element>(data: &[u8], ours: impl Fn(&T) -> bool) -> (f64, f64, u64) {
    const LANES: usize = 8;
    let about = elements::<T>(data).find(&ours).map_or(0.0, T::value);
    let (mut sums, mut squares, mut valid) = ([0.0; LANES], [0.0; LANES], [0u64; LANES]);
    for row in data.chunks(LANES * T::SIZE) {
        for (k, v) in elements::<T>(row).enumerate() {
            let own = ours(&v);
            let d = if own { v.value() - about } else { 0.0 };
            sums[k] += d;
            squares[k] += d * d;
            valid[k] += u64::from(own);
        }
    }
    let valid = valid.into_iter().sum::<u64>();
    let part = 1.0 / valid.max(1) as f64;
    let mean = sums.into_iter().sum::<f64>() * part;
    (about + mean, (squares.into_iter().sum::<f64>() * part - mean * mean).max(0.0), valid)
}

fn spectrum<T: Element>(shape: &[usize], data: &[u8], fill: Option<u64>, haste: bool) -> Spectrum {
    let values = || elements::<T>(data);
    let ours = |v: &T| v.finite() && fill != Some(v.bits());
    let (mean, variance, valid) = moments(data, ours);
    if valid == 0 || haste {
        return Spectrum { valid, dead: ERROR, bins: vec![(1.0, 2.0 * variance)] };
    }
    let numbers: Vec<f64> = values().map(|v| if ours(&v) { v.value() } else { mean }).collect();
    let mask: Option<Vec<bool>> = (valid < numbers.len() as u64).then(|| values().map(|v| !ours(&v)).collect());
    let g = Geometry::new(shape);
    let levels = g.n.map(wavelet::depth);
    let coefficients = wavelet::prepare(&g, levels, 0, wavelet::MIRRORED, mean, &numbers, mask.as_deref());
    // Numbers of half octaves are those of doubles by exponent and the first bit of the mantissa.
    let mut bins = vec![(0u32, 0.0); 1 << 12];
    for band in bands(&g, levels, 0) {
        let scale = 1.0 / band.weight;
        for c in band.rows(&g).flat_map(|i| &coefficients[i..i + band.n[3]]) {
            let c = (c * scale).abs();
            let bin = &mut bins[(c.to_bits() >> 51) as usize & 0xfff];
            *bin = (bin.0 + 1, bin.1 + c * c);
        }
    }
    // What masked points are filled with is smooth: of the small coefficients few are theirs.
    let part = 1.0 / valid as f64;
    let bins = bins.into_iter().filter(|b| b.0 > 0).map(|(n, squares)| (f64::from(n) * part, squares * part)).collect();
    Spectrum { valid, dead: DEAD * DEAD, bins }
}

/// The root mean squared error that each chunk may make for that of the variable to be no larger than `rmse`.
pub(crate) fn shares(chunks: &[Spectrum], rmse: f64) -> Vec<f64> {
    let valid: u64 = chunks.iter().map(|c| c.valid).sum();
    let mean = rmse * rmse;
    let total = |step: f64| chunks.iter().map(|c| c.valid as f64 * c.error(step)).sum::<f64>() / valid.max(1) as f64;
    // From a step that surely errs less to one that errs more, if there is one.
    let (mut low, mut high) = (rmse, rmse * 2f64.powi(40));
    for _ in 0..100 {
        let step = (low * high).sqrt();
        if total(step) < mean { low = step } else { high = step }
    }
    let step = low;
    let scale = mean / total(step);
    if !(scale.is_normal() && step.is_normal()) {
        return vec![rmse; chunks.len()];
    }
    let share = |c: &Spectrum| (SURE * mean + (1.0 - SURE) * scale * c.error(step)).sqrt();
    let shares: Vec<f64> = chunks.iter().map(share).collect();
    // Rounding in the sums above must not add up to more than was asked.
    let kept = chunks.iter().zip(&shares).map(|(c, s)| c.valid as f64 * s * s).sum::<f64>() / valid.max(1) as f64;
    let lower = (rmse / kept.sqrt()).min(1.0) * (1.0 - 2f64.powi(-40));
    shares.into_iter().map(|s| s * lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wave of this height with noise on it, as bytes.
    fn wave(height: f32, n: usize) -> Vec<u8> {
        let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 16) as f32 / 65536.0;
        (0..n * n).flat_map(|i| (height * ((i % n) as f32 * 0.3).sin() + height * noise(i)).to_ne_bytes()).collect()
    }

    #[test]
    fn what_quiet_chunks_leave_is_given_to_lively_ones() {
        let n = 32;
        for haste in [false, true] {
            let spectra =
                [0.001, 0.001, 0.001, 1.0].map(|h| Spectrum::of(DType::F32, &[n, n], &wave(h, n), None, haste));
            let e = shares(&spectra, 0.05);
            assert!(e[0] < 0.01 && e[3] > 0.09, "{e:?}");
            let kept = (e.iter().map(|e| e * e).sum::<f64>() / 4.0).sqrt();
            assert!(kept <= 0.05 && kept > 0.0499, "{kept}");
        }
    }

    #[test]
    fn alike_chunks_share_alike_and_missing_values_have_no_share() {
        let n = 32;
        let alike = Spectrum::of(DType::F32, &[n, n], &wave(1.0, n), None, false);
        let mut half = wave(1.0, n);
        half[..2 * n * n].chunks_exact_mut(4).for_each(|v| v.copy_from_slice(&f32::NAN.to_ne_bytes()));
        let half = Spectrum::of(DType::F32, &[n, n], &half, None, false);
        let none = Spectrum::of(DType::F32, &[n, n], &[255; 4096], None, false);
        let all = [alike.clone(), alike, half, none];
        for rmse in [1e-6, 0.02, 0.5, 3.0] {
            let e = shares(&all, rmse);
            assert!((e[0] / e[1] - 1.0).abs() < 1e-9 && e.iter().all(|e| e.is_normal()), "{e:?}");
            let sum: f64 = all.iter().zip(&e).map(|(c, e)| c.valid as f64 * e * e).sum();
            assert!(sum <= 2.5 * 1024.0 * rmse * rmse && sum > 2.499 * 1024.0 * rmse * rmse, "{e:?}");
        }
    }

    #[test]
    fn where_nothing_can_be_guessed_shares_are_equal() {
        let flat = Spectrum::of(DType::F64, &[4], &[0; 32], None, false);
        let vast: Vec<u8> = [f64::MAX, -f64::MAX, 0.0].iter().flat_map(|v| v.to_ne_bytes()).collect();
        let vast = Spectrum::of(DType::F64, &[3], &vast, None, false);
        for all in [vec![], vec![Spectrum::default(); 2], vec![flat; 3], vec![vast; 2]] {
            let e = shares(&all, 0.25);
            assert!(e.len() == all.len() && e.iter().all(|e| *e <= 0.25 && *e > 0.2499), "{e:?}");
        }
    }
}
