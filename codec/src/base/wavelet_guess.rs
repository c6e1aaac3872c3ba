//! A guess of what coefficients take, quick enough to tell many shapes of a transform apart.
//!
//! Nothing here is seen by a decoder.
use super::Geometry;
use super::wavelet_bands::Band;
use super::wavelet_probe;
use crate::simd::{Kernel, widest};

/// The square of what counts as noise, in squared steps: below it a coefficient is soon left out.
const NOISE: f64 = 0.3;
/// Sums of logarithms are taken as logarithms of products, of so many factors, each below `LARGEST`.
const FACTORS: usize = 16;
const LARGEST: f64 = 1e18;
/// Products side by side.
const LANES: usize = 8;

struct Guess<'a> {
    g: &'a Geometry,
    bands: &'a [Band],
    coef: &'a [f64],
    step: f64,
}

/// About how many bits coefficients take with this step: the rate of Gaussian values under noise of the step's size.
pub fn guess(g: &Geometry, bands: &[Band], coef: &[f64], step: f64) -> f64 {
    widest(Guess { g, bands, coef, step })
}

impl Kernel for Guess<'_> {
    type Out = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Guess { g, bands, coef, step } = self;
        let mut bits = 0.0;
        for band in bands {
            let inverse = 1.0 / (step * band.weight * step * band.weight * NOISE);
            for a in 0..band.n[0] {
                for b in 0..band.n[1] {
                    for y in 0..band.n[2] {
                        let i = band.offset + a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                        for row in coef[i..i + band.n[3]].chunks(FACTORS * LANES) {
                            bits += logarithms(row, inverse);
                        }
                    }
                }
            }
        }
        0.5 * bits
    }
}

/// The sum of log2(1 + c²·inverse).
#[inline(always)]
fn logarithms(row: &[f64], inverse: f64) -> f64 {
    let mut products = [1.0f64; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for c in whole {
        for k in 0..LANES {
            products[k] *= 1.0 + (c[k] * c[k] * inverse).min(LARGEST);
        }
    }
    for (p, c) in products.iter_mut().zip(rest) {
        *p *= 1.0 + (c * c * inverse).min(LARGEST);
    }
    // Most rows of smooth fields hold next to nothing.
    products.into_iter().filter(|&p| p > 1.0).map(log2).sum()
}

/// About log2 of a positive normal number: its exponent, and that of its significand.
#[inline(always)]
fn log2(x: f64) -> f64 {
    let bits = x.to_bits();
    let significand = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    ((bits >> 52) as i64 - 1023) as f64 + f64::from(wavelet_probe::log2(significand as f32))
}

struct Distortion<'a>(&'a Geometry, &'a [Band], &'a [f64], f64);

/// About the sum of squared errors that coefficients make with this step, where those near 0 are left out.
pub fn distortion(g: &Geometry, bands: &[Band], coef: &[f64], step: f64) -> f64 {
    widest(Distortion(g, bands, coef, step))
}

/// Magnitudes, in steps, below which coefficients are left out.
const DEAD: f64 = 0.64;

impl Kernel for Distortion<'_> {
    type Out = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Distortion(g, bands, coef, step) = self;
        let mut sums = [0.0f64; LANES];
        for band in bands {
            let inverse = 1.0 / (step * band.weight);
            for a in 0..band.n[0] {
                for b in 0..band.n[1] {
                    for y in 0..band.n[2] {
                        let i = band.offset + a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                        let (whole, rest) = coef[i..i + band.n[3]].as_chunks::<LANES>();
                        for c in whole {
                            for k in 0..LANES {
                                sums[k] += squared_error(c[k] * inverse);
                            }
                        }
                        for (s, c) in sums.iter_mut().zip(rest) {
                            *s += squared_error(c * inverse);
                        }
                    }
                }
            }
        }
        sums.iter().sum::<f64>() * step * step
    }
}

#[inline(always)]
fn squared_error(t: f64) -> f64 {
    // The nearest whole number, of numbers below 2^51.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let t = t.abs().min(1e15);
    let e = t - ((t + WHOLE) - WHOLE);
    if t < DEAD { t * t } else { e * e }
}
