//! Fourier transforms of periodic fields, with the two-thirds rule against aliasing (Orszag 1971, J. Atmos. Sci. 28, 1074).
use crate::random::Random;
use rustfft::{Fft, FftPlanner, num_complex::Complex64};
use std::{f64::consts::TAU, sync::Arc};

/// Transforms on one grid of two or three axes.
pub(crate) struct Spectral {
    extents: Vec<usize>,
    forward: Vec<Arc<dyn Fft<f64>>>,
    inverse: Vec<Arc<dyn Fft<f64>>>,
    /// The wave vector of each coefficient, axes as those of the grid; the third is 0 in the plane.
    pub waves: Vec<[f64; 3]>,
    /// Which coefficients a product of two fields may keep.
    pub kept: Vec<bool>,
}

impl Spectral {
    /// A grid of cells of side `h`.
    pub fn new(extents: &[usize], h: f64) -> Spectral {
        let mut planner = FftPlanner::new();
        let forward = extents.iter().map(|&n| planner.plan_fft_forward(n)).collect();
        let inverse = extents.iter().map(|&n| planner.plan_fft_inverse(n)).collect();
        let len: usize = extents.iter().product();
        let mut waves = vec![[0.0; 3]; len];
        let mut kept = vec![true; len];
        for (index, (wave, kept)) in waves.iter_mut().zip(&mut kept).enumerate() {
            let mut rest = index;
            for (axis, &n) in extents.iter().enumerate().rev() {
                let at = rest % n;
                rest /= n;
                let periods = if 2 * at <= n { at as f64 } else { at as f64 - n as f64 };
                wave[axis] = TAU * periods / (n as f64 * h);
                *kept &= 3.0 * periods.abs() < n as f64;
            }
        }
        Spectral { extents: extents.to_vec(), forward, inverse, waves, kept }
    }

    pub fn len(&self) -> usize {
        self.waves.len()
    }

    /// Square of the wave vector's length.
    pub fn square(&self, index: usize) -> f64 {
        self.waves[index].iter().map(|k| k * k).sum()
    }

    /// The shortest side's greatest wavenumber that is kept.
    pub fn finest(&self) -> f64 {
        (0..self.len()).filter(|&i| self.kept[i]).map(|i| self.square(i)).fold(0.0, f64::max).sqrt()
    }

    /// Coefficients of real values, divided by their number: coefficient 0 is the mean.
    pub fn transform(&self, values: &[f64]) -> Vec<Complex64> {
        let scale = 1.0 / self.len() as f64;
        let mut out: Vec<Complex64> = values.iter().map(|&v| Complex64::new(v * scale, 0.0)).collect();
        self.along_axes(&self.forward, &mut out);
        out
    }

    /// Clears what products must not keep.
    pub fn clear_aliases(&self, coefficients: &mut [Complex64]) {
        coefficients.iter_mut().zip(&self.kept).filter(|(_, kept)| !**kept).for_each(|(c, _)| *c = Complex64::ZERO);
    }

    /// The real values of coefficients.
    pub fn values(&self, mut coefficients: Vec<Complex64>) -> Vec<f64> {
        self.along_axes(&self.inverse, &mut coefficients);
        coefficients.iter().map(|c| c.re).collect()
    }

    /// The values of the derivative along an axis.
    pub fn derivative(&self, coefficients: &[Complex64], axis: usize) -> Vec<f64> {
        self.values(coefficients.iter().zip(&self.waves).map(|(&c, k)| c * Complex64::new(0.0, k[axis])).collect())
    }

    fn along_axes(&self, plans: &[Arc<dyn Fft<f64>>], data: &mut [Complex64]) {
        let mut lines = Vec::new();
        let mut stride = data.len();
        for (&n, plan) in self.extents.iter().zip(plans) {
            let block = stride;
            stride /= n;
            if stride == 1 {
                plan.process(data);
                continue;
            }
            // A block is a matrix of n rows: its columns are the lines of this axis.
            for block in data.chunks_exact_mut(block) {
                lines.clear();
                lines.extend((0..stride).flat_map(|i| (0..n).map(move |k| k * stride + i)).map(|at| block[at]));
                plan.process(&mut lines);
                for (k, row) in block.chunks_exact_mut(stride).enumerate() {
                    for (i, value) in row.iter_mut().enumerate() {
                        *value = lines[i * n + k];
                    }
                }
            }
        }
    }

    /// Noise around wavenumber `peak`: amplitudes as k²·exp(−(k/peak)²), nothing that aliases, no mean.
    pub fn noise(&self, random: &mut Random, peak: f64) -> Vec<Complex64> {
        let mut out = self.transform(&random.noise(self.len()));
        for (i, c) in out.iter_mut().enumerate() {
            let ratio = self.square(i) / (peak * peak);
            *c *= if self.kept[i] { ratio * (-ratio).exp() } else { 0.0 };
        }
        out
    }
}

/// Mean of the squares of the real values that coefficients stand for.
pub(crate) fn mean_square(coefficients: &[Complex64]) -> f64 {
    coefficients.iter().map(|c| c.norm_sqr()).sum()
}
