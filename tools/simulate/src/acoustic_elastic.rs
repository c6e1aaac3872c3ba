//! Sound in a layered fluid, and seismic waves (P and SV) in a layered solid, in the plane, periodic.
//!
//! ρ ∂v/∂t = ∇·σ, ∂σ/∂t = λ(∇·v)I + μ(∇v + ∇vᵀ), on staggered grids, central differences in space and leapfrog in time
//! (Virieux 1986, Geophysics 51, 889). Without shear stiffness μ the solid is a fluid and σ minus the pressure. P waves
//! travel at √((λ + 2μ)/ρ), S waves at √(μ/ρ). Sources are Ricker wavelets of pressure. Lengths are in units of the shorter
//! side, speeds in that of the slowest P waves.
use crate::{
    Error, Field, Kind, Setup,
    grid::Grid,
    modes::smooth,
    random::Random,
    solver::{Solver, record},
};
use std::f64::consts::PI;

/// What the waves travel in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    Fluid,
    Solid,
}

struct Source {
    /// Cells that it presses on, and its share in each: as wide as grids resolve, as seismic solvers smear theirs.
    cells: Vec<(usize, f64)>,
    begin: f64,
    frequency: f64,
}

struct Waves {
    grid: Grid,
    density: Vec<f64>,
    lambda: Vec<f64>,
    mu: Vec<f64>,
    sources: Vec<Source>,
    time: f64,
    /// Velocity on lower faces along x and along y.
    vx: Vec<f64>,
    vy: Vec<f64>,
    /// Stress in centres, and the shear stress on lower corners.
    sxx: Vec<f64>,
    syy: Vec<f64>,
    sxy: Vec<f64>,
    longest: f64,
}

impl Waves {
    /// At rest, in a medium given over the grid by density and the speeds of P and S waves.
    fn new(grid: Grid, density: Vec<f64>, p: &[f64], s: &[f64]) -> Waves {
        let mu: Vec<f64> = density.iter().zip(s).map(|(d, s)| d * s * s).collect();
        let lambda = (0..grid.len()).map(|i| density[i] * p[i] * p[i] - 2.0 * mu[i]).collect();
        let longest = 0.5 * grid.h / p.iter().copied().fold(0.0, f64::max);
        let still = || vec![0.0; grid.len()];
        let (vx, vy, sxx, syy, sxy) = (still(), still(), still(), still(), still());
        Waves { grid, density, lambda, mu, sources: Vec::new(), time: 0.0, vx, vy, sxx, syy, sxy, longest }
    }
}

impl Solver for Waves {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("pressure", "1"), ("vy", "1")];

    fn longest_step(&self) -> f64 {
        self.longest
    }

    fn step(&mut self, dt: f64) {
        let Waves { grid, density, lambda, mu, vx, vy, sxx, syy, sxy, .. } = self;
        let scale = dt / grid.h;
        grid.neighbours(|here, down, up, left, right| {
            let (on_x, on_y) = ((density[here] + density[left]) / 2.0, (density[here] + density[down]) / 2.0);
            vx[here] += scale / on_x * (sxx[here] - sxx[left] + sxy[up] - sxy[here]);
            vy[here] += scale / on_y * (syy[here] - syy[down] + sxy[right] - sxy[here]);
        });
        grid.neighbours(|here, down, up, left, right| {
            let (along_x, along_y) = (scale * (vx[right] - vx[here]), scale * (vy[up] - vy[here]));
            sxx[here] += (lambda[here] + 2.0 * mu[here]) * along_x + lambda[here] * along_y;
            syy[here] += (lambda[here] + 2.0 * mu[here]) * along_y + lambda[here] * along_x;
            // Of the two stiffnesses across the corner, the softer one yields.
            let soft = mu[here].min(mu[down]).min(mu[left]);
            sxy[here] += soft * scale * (vx[here] - vx[down] + vy[here] - vy[left]);
        });
        self.time += dt;
        for source in &self.sources {
            let phase = (PI * source.frequency * (self.time - source.begin)).powi(2);
            let pulse = dt * (1.0 - 2.0 * phase) * (-phase).exp() / (self.grid.h * self.grid.h);
            for (cell, share) in &source.cells {
                self.sxx[*cell] += share * pulse;
                self.syy[*cell] += share * pulse;
            }
        }
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        vec![self.sxx.iter().zip(&self.syy).map(|(x, y)| -(x + y) / 2.0).collect(), self.vy.clone()]
    }
}

pub(crate) fn run(setup: &Setup, medium: Medium) -> Result<Vec<Field>, Error> {
    let kind = match medium {
        Medium::Fluid => Kind::Acoustic,
        Medium::Solid => Kind::Elastic,
    };
    let mut random = Random::new(kind, setup.seed);
    let grid = Grid::new(&setup.grid);
    // Wavy layers, each with its own speed, and some smooth change inside them.
    let (waves, tilt) = (random.magnitude(1.0, 3.0), random.within(0.0, 0.05));
    let relief = smooth(&mut random, &grid, waves, 3.0 * waves);
    let inner = smooth(&mut random, &grid, 2.0, 10.0);
    let layers: Vec<f64> = (0..random.whole(1, 8)).map(|_| random.magnitude(1.0, 2.5)).collect();
    let roughness = random.within(0.0, 0.08);
    let p: Vec<f64> = (0..grid.len())
        .map(|i| {
            let depth = grid.centre(i).0 / grid.sides().0 + tilt * relief[i];
            let layer = (depth * layers.len() as f64).clamp(0.0, layers.len() as f64 - 1.0) as usize;
            (layers[layer] * (1.0 + roughness * inner[i])).max(0.7)
        })
        .collect();
    let ratio = if medium == Medium::Fluid { 0.0 } else { random.within(0.4, 0.65) };
    let s: Vec<f64> = p.iter().map(|p| ratio * p).collect();
    // Denser where faster, as in rock: Gardner's rule.
    let density = p.iter().map(|p| p.powf(0.25)).collect();
    let mut solver = Waves::new(grid, density, &p, &s);
    // The shortest waves, of S if there are any, span ten cells or more.
    let slowest = if medium == Medium::Fluid { 0.7 } else { 0.7 * ratio };
    for _ in 0..random.whole(1, 5) {
        let place = random.place(&grid);
        let share = |i: usize| (-(grid.distance(grid.centre(i), place) / (2.0 * grid.h)).powi(2)).exp();
        let mut cells: Vec<(usize, f64)> = (0..grid.len()).map(|i| (i, share(i))).filter(|c| c.1 > 1e-3).collect();
        let sum: f64 = cells.iter().map(|c| c.1).sum();
        cells.iter_mut().for_each(|c| c.1 /= sum);
        let frequency = slowest / (random.magnitude(10.0, 40.0) * grid.h);
        let begin = 1.5 / frequency + random.within(0.0, 0.2);
        solver.sources.push(Source { cells, begin, frequency });
    }
    let first = solver.sources.iter().map(|s| s.begin).fold(f64::MAX, f64::min);
    let (start, interval) = (first + random.within(0.1, 0.6), random.magnitude(0.005, 0.05));
    record(kind, solver, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;
    use std::f64::consts::TAU;

    fn even(extents: &[usize], p: f64, s: f64) -> Waves {
        let grid = Grid::new(extents);
        Waves::new(grid, vec![1.3; grid.len()], &vec![p; grid.len()], &vec![s; grid.len()])
    }

    /// A standing wave, of vx or of vy along x, and its amplitude after a time.
    fn amplitude(mut waves: Waves, shear: bool, time: f64) -> f64 {
        let grid = waves.grid;
        let wave = |i: usize| (TAU * (i % grid.nx) as f64 * grid.h).cos();
        let values: Vec<f64> = (0..grid.len()).map(wave).collect();
        if shear {
            waves.vy = values
        } else {
            waves.vx = values
        }
        advance(&mut waves, time);
        let after = if shear { &waves.vy } else { &waves.vx };
        (0..grid.len()).map(|i| after[i] * wave(i)).sum::<f64>() / (0.5 * grid.len() as f64)
    }

    #[test]
    fn p_and_s_waves_have_their_speeds() {
        let (p, s) = (1.5, 0.8);
        for (shear, speed) in [(false, p), (true, s)] {
            // After half a period upside down, after a quarter gone into stress, but for the half step that velocity and
            // stress are apart in time.
            let half = amplitude(even(&[16, 16], p, s), shear, 0.5 / speed);
            assert!((half + 1.0).abs() < 0.02, "{half}");
            let quarter = amplitude(even(&[64, 64], p, s), shear, 0.25 / speed);
            assert!(quarter.abs() < 0.04, "{quarter}");
        }
        // A fluid has no S waves: shear flow goes on.
        assert!((amplitude(even(&[16, 16], p, 0.0), true, 0.7) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn energy_is_conserved() {
        let mut waves = even(&[48, 48], 1.5, 0.8);
        for i in 0..waves.grid.len() {
            let far = waves.grid.distance(waves.grid.centre(i), (0.4, 0.6)) / 0.12;
            (waves.vx[i], waves.vy[i]) = ((-far * far).exp(), 0.5 * (-far * far).exp());
        }
        // Kinetic, and elastic: ½σ:ε.
        let energy = |w: &Waves| -> f64 {
            let cell = |i: usize| {
                let (sum, difference) = (w.sxx[i] + w.syy[i], w.sxx[i] - w.syy[i]);
                w.density[i] * (w.vx[i].powi(2) + w.vy[i].powi(2)) / 2.0
                    + sum * sum / (8.0 * (w.lambda[i] + w.mu[i]))
                    + difference * difference / (8.0 * w.mu[i])
                    + w.sxy[i].powi(2) / (2.0 * w.mu[i])
            };
            (0..w.grid.len()).map(cell).sum()
        };
        let begun = energy(&waves);
        for _ in 0..5 {
            advance(&mut waves, 0.5);
            assert!((energy(&waves) / begun - 1.0).abs() < 0.02, "{}", energy(&waves) / begun);
        }
    }
}
