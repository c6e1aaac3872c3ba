//! The encoder's search for a trellis' step: the one with which a wavelet just reaches a root mean squared error.
use super::wavelet::{Parameters, storable};
use super::wavelet_probe::noted;
use super::wavelet_search::{Candidate, Ground, Layout, Search, near};
use super::wavelet_trellis::Trellis;

/// The step of a trellis, in multiples of that of a quantiser without one that makes the same error, about.
const WIDER: f64 = 1.18;
/// What a bit is worth with one, in its squared steps, of what it is worth without, in those without.
const WORTH: f64 = 0.55;
/// Tries, and what they aim at, in shares of the squared error that is allowed; how much of it is enough, and how much once
/// there were `FEW` tries.
const TRIES: usize = 6;
const AIM: f64 = 0.993;
const ENOUGH: [f64; 2] = [0.985, 0.965];
const FEW: usize = 3;
/// A trellis is tried for what takes less than so many times the bytes of the best other base, or hardly more.
const HOPEFUL: f64 = 1.15;
const SMALL: f64 = 200.0;
/// Where fewer integers are not 0 than one of so many, it may gain nothing; and the values above which there is no time to see.
const SPARSE: usize = 8;
const LARGE: usize = 1 << 18;

impl Search<'_> {
    /// Adds the first of these candidates with a trellis: as the first where it is cheaper, else next to it.
    pub(super) fn add_woven(&self, all: &mut Vec<Candidate>, rmse: f64, rival: f64) {
        let Some(Candidate { parameters: p, bytes: least }) = all.first() else { return };
        if *least >= HOPEFUL * rival + SMALL {
            return;
        }
        let Some(woven) = self.woven(&self.layout(p.shape()), p, rmse, None) else { return };
        let bytes = self.cost(&woven);
        let at = usize::from(bytes >= *least);
        all.insert(at, Candidate { parameters: woven, bytes });
    }

    /// Parameters for a root mean squared error like those, with a trellis, that were found for another part of the field; or
    /// without one, where that is not sure to gain and takes less.
    pub(super) fn woven_like(
        &self,
        l: &Layout,
        rmse: f64,
        found: &Parameters,
        ground: Ground<'_>,
    ) -> Option<Parameters> {
        let plain = self.parameters(l, found.scalar, found.lambda);
        let woven = self.woven(l, &plain, rmse, Some(found.step / found.scalar));
        if woven.as_ref().is_some_and(|woven| l.coef.len() > LARGE || !sparse(woven)) {
            return woven;
        }
        let plain = self.for_mean(l, rmse, found.scalar, found.lambda, ground);
        woven.into_iter().chain(plain).min_by(|a, b| self.cost(a).total_cmp(&self.cost(b)))
    }

    /// Parameters with a trellis that reach a root mean squared error which those of `plain` reach without one, or nearly;
    /// `wider` is its step in multiples of theirs, if something is known of it. None where none are found.
    pub(super) fn woven(&self, l: &Layout, plain: &Parameters, rmse: f64, wider: Option<f64>) -> Option<Parameters> {
        let (q, notes) = noted(&self.g, plain, &l.bands, &l.coef);
        if q.overflow {
            return None;
        }
        let mut trellis = Trellis::new(&self.g, &l.bands, &l.coef, notes);
        let allowed = near(rmse).powi(2) * self.valid;
        let mut step = plain.step * wider.unwrap_or(WIDER);
        let mut best: Option<Parameters> = None;
        // Logarithms of the last step and of the error that it made, in what is allowed.
        let mut last: Option<(f64, f64)> = None;
        for round in 0..TRIES {
            let mut p = Parameters { step: storable(step), trellis: true, found: None, ..plain.clone() };
            let q = trellis.quantise(p.step, WORTH * p.lambda);
            if q.overflow {
                break;
            }
            p.shift = q.shift;
            let reached = self.errors(l, &p, &q).0 / allowed;
            let at = (p.step.ln(), reached.max(1e-9).ln());
            if reached <= 1.0 && best.as_ref().is_none_or(|b| p.step > b.step) {
                Self::keep(&mut p, q);
                best = Some(p);
            }
            if reached <= 1.0 && reached >= ENOUGH[usize::from(round + 1 >= FEW)] {
                break;
            }
            let slope = match last {
                Some(last) if (last.0 - at.0).abs() > 1e-4 => ((at.1 - last.1) / (at.0 - last.0)).clamp(0.5, 2.5),
                _ => 1.5,
            };
            step = (at.0 + (AIM.ln() - at.1) / slope).exp();
            last = Some(at);
        }
        best
    }
}

/// Whether few of the integers that were found are not 0.
fn sparse(p: &Parameters) -> bool {
    let found = p.found.as_deref().map_or(&[][..], |q| q);
    found.iter().filter(|&&q| q != 0).count() * SPARSE < found.len()
}

#[cfg(test)]
mod tests {
    use super::super::Geometry;
    use super::super::wavelet_search::{LAMBDA, MIRRORED};
    use super::*;

    #[test]
    fn fewer_bytes_reach_the_same_error() {
        let mut seed = 9u64;
        let noise: Vec<f64> = (0..64 * 96)
            .map(|_| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (seed >> 33) as f64 / (1u64 << 31) as f64 - 0.5
            })
            .collect();
        let at = |y: usize, x: usize| noise[y % 64 * 96 + x % 96];
        let values: Vec<f64> = (0..64 * 96)
            .map(|i| {
                let near = |d: usize| at(i / 96 + d, i % 96) + at(i / 96, i % 96 + d);
                (1..9).map(|d| near(d) / d as f64).sum::<f64>()
            })
            .collect();
        let g = Geometry::new(&[64, 96]);
        let s = Search::new(g, &values, None).unwrap();
        let l = s.layout(([0, 0, 4, 4], 0, MIRRORED));
        for rmse in [0.1, 0.02] {
            let plain = s.for_rmse(&l, near(rmse), 3.0 * rmse, LAMBDA).unwrap();
            let woven = s.woven(&l, &plain, rmse, None).unwrap();
            let ((more, _), (less, error)) = (s.price(&plain), s.price(&woven));
            assert!(woven.trellis && less < 0.98 * more, "{less} of {more} bytes");
            assert!(error <= rmse && error > 0.97 * rmse, "{error} of {rmse}");
            assert!(woven.scalar == plain.step && woven.step > plain.step);
        }
    }
}
