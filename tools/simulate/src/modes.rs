//! Sums of a few plane waves: smooth random fields, and streams that stir.
use crate::{grid::Grid, random::Random};
use rustfft::num_complex::Complex64;
use std::f64::consts::TAU;

struct Wave {
    ky: f64,
    kx: f64,
    amplitude: f64,
    phase: f64,
    frequency: f64,
}

/// Σ a·cos(k·x + φ − ωt), periodic on its grid, of standard deviation 1 and twice as much at most times.
pub(crate) struct Modes(Vec<Wave>);

impl Modes {
    /// `count` waves with `from` to `to` periods over each unit of length; each turns over at most once in a time of
    /// 1 / `rate`.
    pub fn draw(random: &mut Random, grid: &Grid, count: usize, from: f64, to: f64, rate: f64) -> Modes {
        let (ly, lx) = grid.sides();
        let mut waves = Vec::new();
        while waves.len() < count {
            let periods = random.magnitude(from, to);
            let angle = random.angle();
            // Whole numbers of periods on each axis; a wave that rounds to none is drawn anew.
            let (my, mx) = ((periods * angle.sin() * ly).round(), (periods * angle.cos() * lx).round());
            if my == 0.0 && mx == 0.0 {
                continue;
            }
            let (ky, kx) = (TAU * my / ly, TAU * mx / lx);
            let amplitude = TAU / ky.hypot(kx);
            waves.push(Wave { ky, kx, amplitude, phase: random.angle(), frequency: random.within(-TAU, TAU) * rate });
        }
        let variance: f64 = waves.iter().map(|w| w.amplitude * w.amplitude / 2.0).sum();
        waves.iter_mut().for_each(|w| w.amplitude /= variance.sqrt());
        Modes(waves)
    }

    /// Values at y = (j + shift)·h, x = (i + shift)·h and time `t`.
    pub fn sample(&self, grid: &Grid, shift: f64, t: f64) -> Vec<f64> {
        let mut out = vec![0.0; grid.len()];
        let turn = |k: f64, n: usize| -> Vec<Complex64> {
            (0..n).map(|i| Complex64::cis(k * (i as f64 + shift) * grid.h)).collect()
        };
        for wave in &self.0 {
            let along_x = turn(wave.kx, grid.nx);
            let along_y = turn(wave.ky, grid.ny);
            let now = Complex64::from_polar(wave.amplitude, wave.phase - wave.frequency * t);
            for (row, y) in out.chunks_exact_mut(grid.nx).zip(&along_y) {
                let factor = now * y;
                for (value, x) in row.iter_mut().zip(&along_x) {
                    *value += (factor * x).re;
                }
            }
        }
        out
    }
}

/// A smooth random field over the cells of the grid, of standard deviation 1.
pub(crate) fn smooth(random: &mut Random, grid: &Grid, from: f64, to: f64) -> Vec<f64> {
    Modes::draw(random, grid, 24, from, to, 0.0).sample(grid, 0.5, 0.0)
}
