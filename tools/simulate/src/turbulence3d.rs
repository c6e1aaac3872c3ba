//! Decaying turbulence in a periodic box: ∂u/∂t = P(u × ω) + ν∇²u, where P keeps what has no divergence.
//!
//! Pseudo-spectral in space, Runge–Kutta of fourth order in time. Lengths are in units of the shortest side, the first
//! root mean square of each component is 1. Reference: Canuto et al. 2007, Spectral Methods, ch. 3.
use crate::{
    Error, Field, Kind, Setup,
    integrate::rk4,
    random::Random,
    solver::{Solver, record},
    spectral::{Spectral, mean_square},
};
use rustfft::num_complex::Complex64;
use std::f64::consts::TAU;

struct Turbulence {
    spectral: Spectral,
    /// Components along z, y, x, one after the other.
    velocity: Vec<Complex64>,
    viscosity: f64,
    h: f64,
}

/// Takes away what diverges, and what aliases.
fn project(s: &Spectral, u: &mut [Complex64]) {
    let n = s.len();
    for i in 0..n {
        let k = s.waves[i];
        let square = s.square(i);
        if !s.kept[i] {
            (0..3).for_each(|a| u[a * n + i] = Complex64::ZERO);
        } else if square > 0.0 {
            let along = (0..3).map(|a| u[a * n + i] * k[a]).sum::<Complex64>() / square;
            (0..3).for_each(|a| u[a * n + i] -= along * k[a]);
        }
    }
}

/// The curl, as coefficients, its sign turned with the order of axes: axes are z, y, x.
fn curl(s: &Spectral, u: &[Complex64]) -> Vec<Complex64> {
    let n = s.len();
    let mut out = Vec::with_capacity(3 * n);
    for a in 0..3 {
        // In the right-handed order x, y, z the next axes of `a` are those before it.
        let (b, c) = ((a + 2) % 3, (a + 1) % 3);
        out.extend(
            (0..n).map(|i| Complex64::new(0.0, 1.0) * (u[c * n + i] * s.waves[i][b] - u[b * n + i] * s.waves[i][c])),
        );
    }
    out
}

fn components(s: &Spectral, u: &[Complex64]) -> Vec<Vec<f64>> {
    u.chunks_exact(s.len()).map(|part| s.values(part.to_vec())).collect()
}

impl Solver for Turbulence {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("vx", "length/time"), ("vorticity-x", "1/time")];

    fn longest_step(&self) -> f64 {
        let u = components(&self.spectral, &self.velocity);
        let fastest = (0..self.spectral.len()).map(|i| u.iter().map(|c| c[i].abs()).sum()).fold(0.0, f64::max);
        let finest = self.spectral.finest();
        (0.7 * self.h / fastest).min(2.0 / (self.viscosity * finest * finest))
    }

    fn step(&mut self, dt: f64) {
        let (s, viscosity) = (&self.spectral, self.viscosity);
        let n = s.len();
        rk4(&mut self.velocity, dt, |u| {
            let (v, w) = (components(s, u), components(s, &curl(s, u)));
            let mut rate = Vec::with_capacity(3 * n);
            for a in 0..3 {
                let (b, c) = ((a + 2) % 3, (a + 1) % 3);
                let product: Vec<f64> = (0..n).map(|i| v[b][i] * w[c][i] - v[c][i] * w[b][i]).collect();
                rate.extend(s.transform(&product));
            }
            project(s, &mut rate);
            rate.iter_mut().enumerate().for_each(|(i, r)| *r -= u[i] * (viscosity * s.square(i % n)));
            rate
        });
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        let n = self.spectral.len();
        let curl = curl(&self.spectral, &self.velocity);
        vec![self.spectral.values(self.velocity[2 * n..].to_vec()), self.spectral.values(curl[2 * n..].to_vec())]
    }
}

fn draw(random: &mut Random, extents: &[usize]) -> Turbulence {
    let h = 1.0 / extents.iter().copied().min().unwrap_or(1) as f64;
    let spectral = Spectral::new(extents, h);
    let peak = TAU * random.magnitude(1.5, 4.0);
    let mut velocity: Vec<Complex64> = (0..3).flat_map(|_| spectral.noise(random, peak)).collect();
    project(&spectral, &mut velocity);
    let scale = (3.0 / mean_square(&velocity)).sqrt();
    velocity.iter_mut().for_each(|u| *u *= scale);
    // Kolmogorov's length, from a dissipation of about u³·peak, at the end of the grid's waves.
    let viscosity = random.magnitude(0.7, 3.0) * peak.cbrt() / (TAU / 3.0 / h).powf(4.0 / 3.0);
    Turbulence { spectral, velocity, viscosity, h }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::Turbulence3d, setup.seed);
    let flow = draw(&mut random, &setup.grid);
    let (start, interval) = (random.within(0.1, 0.4), random.magnitude(0.01, 0.1));
    record(Kind::Turbulence3d, flow, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;

    #[test]
    fn energy_is_conserved_without_viscosity() {
        let mut flow = draw(&mut Random::new(Kind::Turbulence3d, 1), &[16, 20, 16]);
        flow.viscosity = 0.0;
        let begun = mean_square(&flow.velocity);
        advance(&mut flow, 0.2);
        let ratio = mean_square(&flow.velocity) / begun;
        assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn velocity_has_no_divergence() {
        let mut flow = draw(&mut Random::new(Kind::Turbulence3d, 2), &[16, 16, 16]);
        advance(&mut flow, 0.1);
        let (s, n) = (&flow.spectral, flow.spectral.len());
        for i in 0..n {
            let divergence: Complex64 = (0..3).map(|a| flow.velocity[a * n + i] * s.waves[i][a]).sum();
            assert!(divergence.norm() < 1e-12);
        }
    }

    /// Arnold, Beltrami and Childress: the curl of the flow is 2π times the flow, so that only viscosity acts.
    #[test]
    fn beltrami_flow_decays_at_its_rate() {
        let mut flow = draw(&mut Random::new(Kind::Turbulence3d, 3), &[16, 16, 16]);
        let at = |i: usize| TAU * (i as f64 + 0.5) / 16.0;
        let cell = |i: usize| (at(i / 256), at(i / 16 % 16), at(i % 16));
        let part = |f: fn((f64, f64, f64)) -> f64| -> Vec<f64> { (0..4096).map(|i| f(cell(i))).collect() };
        let parts = [
            part(|(_, y, x)| 0.7 * y.sin() + 0.4 * x.cos()),
            part(|(z, _, x)| 0.4 * x.sin() + z.cos()),
            part(|(z, y, _)| z.sin() + 0.7 * y.cos()),
        ];
        flow.velocity = parts.iter().flat_map(|p| flow.spectral.transform(p)).collect();
        flow.viscosity = 0.01;
        let begun = flow.velocity.clone();
        advance(&mut flow, 0.5);
        let decay = (-0.01 * TAU * TAU * 0.5).exp();
        let off = flow.velocity.iter().zip(&begun).map(|(now, then)| (now - then * decay).norm()).fold(0.0, f64::max);
        assert!(off < 1e-7, "{off}");
    }
}
