//! Decaying turbulence in the plane: ∂ω/∂t + (u·∇)ω = ν∇²ω, ∇·u = 0, periodic.
//!
//! Pseudo-spectral in space, Runge–Kutta of fourth order in time. Lengths are in units of the shorter side, the first
//! root mean square speed is 1. Without viscosity, energy ½⟨u²⟩ and enstrophy ½⟨ω²⟩ are conserved; with it,
//! dE/dt = −ν⟨ω²⟩. Reference: Boffetta & Ecke 2012, Annu. Rev. Fluid Mech. 44, 427.
use crate::{
    Error, Field, Kind, Setup, flow2d,
    grid::Grid,
    integrate::rk4,
    random::Random,
    solver::{Solver, record},
    spectral::{Spectral, mean_square},
};
use rustfft::num_complex::Complex64;
use std::f64::consts::TAU;

struct Turbulence {
    spectral: Spectral,
    vorticity: Vec<Complex64>,
    viscosity: f64,
    h: f64,
}

impl Turbulence {
    fn energy(&self) -> f64 {
        let s = &self.spectral;
        (1..s.len()).map(|i| self.vorticity[i].norm_sqr() / s.square(i)).sum::<f64>() / 2.0
    }
}

impl Solver for Turbulence {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("vorticity", "1/time"), ("vx", "length/time")];

    fn longest_step(&self) -> f64 {
        let flow = 0.5 * self.h / flow2d::fastest(&flow2d::velocity(&self.spectral, &self.vorticity));
        let finest = self.spectral.finest();
        flow.min(2.0 / (self.viscosity * finest * finest))
    }

    fn step(&mut self, dt: f64) {
        let (s, viscosity) = (&self.spectral, self.viscosity);
        rk4(&mut self.vorticity, dt, |w| {
            let mut rate = flow2d::advection(s, &flow2d::velocity(s, w), w);
            rate.iter_mut().enumerate().for_each(|(i, r)| *r -= w[i] * (viscosity * s.square(i)));
            rate
        });
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        let (_, u) = flow2d::velocity(&self.spectral, &self.vorticity);
        vec![self.spectral.values(self.vorticity.clone()), u]
    }
}

fn draw(random: &mut Random, grid: &Grid) -> Turbulence {
    let spectral = Spectral::new(&[grid.ny, grid.nx], grid.h);
    let eddies = random.magnitude(2.0, 8.0);
    let vorticity = spectral.noise(random, TAU * eddies);
    let mut flow = Turbulence { spectral, vorticity, viscosity: 0.0, h: grid.h };
    let scale = 1.0 / (2.0 * flow.energy()).sqrt();
    flow.vorticity.iter_mut().for_each(|w| *w *= scale);
    // Viscosity acts where the grid ends: ω ≈ νk² there, to a few times.
    let finest = TAU / 3.0 / grid.h;
    flow.viscosity = random.magnitude(0.7, 4.0) * mean_square(&flow.vorticity).sqrt() / (finest * finest);
    flow
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::Turbulence2d, setup.seed);
    let flow = draw(&mut random, &Grid::new(&setup.grid));
    let turnover = 1.0 / mean_square(&flow.vorticity).sqrt();
    let (start, interval) = (random.within(1.0, 10.0) * turnover, random.magnitude(0.3, 3.0) * turnover);
    record(Kind::Turbulence2d, flow, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;

    fn sample() -> Turbulence {
        draw(&mut Random::new(Kind::Turbulence2d, 3), &Grid::new(&[48, 64]))
    }

    #[test]
    fn energy_and_enstrophy_are_conserved_without_viscosity() {
        let mut flow = sample();
        flow.viscosity = 0.0;
        let (energy, square) = (flow.energy(), mean_square(&flow.vorticity));
        advance(&mut flow, 0.2);
        assert!((flow.energy() / energy - 1.0).abs() < 1e-4, "{}", flow.energy() / energy);
        let ratio = mean_square(&flow.vorticity) / square;
        assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn energy_decays_as_viscosity_says() {
        let mut flow = sample();
        let mut lost = 0.0;
        let begun = flow.energy();
        for _ in 0..50 {
            // The trapezium rule over dE/dt = −ν⟨ω²⟩.
            let before = mean_square(&flow.vorticity);
            advance(&mut flow, 2e-3);
            lost += 2e-3 * flow.viscosity * (before + mean_square(&flow.vorticity)) / 2.0;
        }
        let fell = begun - flow.energy();
        assert!(fell > 0.02 * begun && (fell / lost - 1.0).abs() < 1e-2, "{fell} {lost}");
    }

    #[test]
    fn one_wave_decays_at_its_rate() {
        let mut flow = sample();
        let grid = Grid::new(&[48, 64]);
        let wave: Vec<f64> = (0..grid.len()).map(|i| (TAU * 2.0 * grid.centre(i).0).cos()).collect();
        flow.vorticity = flow.spectral.transform(&wave);
        flow.viscosity = 1e-2;
        let begun = flow.energy();
        advance(&mut flow, 0.3);
        let rate = 2.0 * flow.viscosity * (TAU * 2.0).powi(2);
        assert!((flow.energy() / begun / (-rate * 0.3).exp() - 1.0).abs() < 1e-6);
    }
}
