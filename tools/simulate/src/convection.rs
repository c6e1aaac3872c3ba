//! Rayleigh–Bénard convection of a Boussinesq fluid between plates at z = 0 (hot, 1) and z = 1 (cold, 0), periodic in x.
//!
//! ∂ω/∂t + (u·∇)ω = ∂θ/∂x + √(Pr/Ra)·∇²ω and ∂θ/∂t + (u·∇)θ = w + ∇²θ/√(Ra·Pr), with θ the temperature above the
//! conducting profile 1 − z. Lengths are in units of the height, times in free-fall times. The plates are free of stress:
//! ω and θ are odd in z about both, so that a periodic domain of twice the height holds the flow and its mirror image,
//! and the solver is pseudo-spectral. Without advection a wave of wavenumbers k along x and π along z grows at the rate σ
//! of (σ + νK²)(σ + κK²) = k²/K², K² = k² + π²; it is marginal at Ra = 27π⁴/4 for k = π/√2.
//! Reference: Chandrasekhar 1961, Hydrodynamic and Hydromagnetic Stability, ch. II.
use crate::{
    Error, Field, Kind, Setup, flow2d,
    integrate::rk4,
    random::Random,
    solver::{Solver, record},
    spectral::Spectral,
};
use rustfft::num_complex::Complex64;

struct Convection {
    /// Of the doubled domain.
    spectral: Spectral,
    extents: [usize; 2],
    /// Vorticity, then temperature.
    state: Vec<Complex64>,
    viscosity: f64,
    diffusivity: f64,
}

impl Convection {
    /// At rest, with the temperature `theta` above the conducting profile, over the grid.
    fn new(extents: &[usize], rayleigh: f64, prandtl: f64, theta: &[f64]) -> Convection {
        let extents = [extents[0], extents[1]];
        let spectral = Spectral::new(&[2 * extents[0], extents[1]], 1.0 / extents[0] as f64);
        let mut state = vec![Complex64::ZERO; spectral.len()];
        state.extend(coefficients(&spectral, extents[1], theta));
        let (viscosity, diffusivity) = ((prandtl / rayleigh).sqrt(), 1.0 / (rayleigh * prandtl).sqrt());
        Convection { spectral, extents, state, viscosity, diffusivity }
    }

    /// Rounding must not grow into a flow through the plates.
    fn restore_symmetry(&mut self) {
        let (n, nx) = (self.spectral.len(), self.extents[1]);
        for part in self.state.chunks_exact_mut(n) {
            let values = self.spectral.values(part.to_vec());
            let odd: Vec<f64> =
                (0..n / 2).map(|i| (values[i] - values[(n / nx - 1 - i / nx) * nx + i % nx]) / 2.0).collect();
            part.copy_from_slice(&coefficients(&self.spectral, nx, &odd));
        }
    }
}

/// Coefficients over twice the height, of values continued oddly beyond the upper plate.
fn coefficients(spectral: &Spectral, nx: usize, values: &[f64]) -> Vec<Complex64> {
    let mut doubled = values.to_vec();
    doubled.extend(values.chunks_exact(nx).rev().flatten().map(|v| -v));
    let mut out = spectral.transform(&doubled);
    spectral.clear_aliases(&mut out);
    out
}

impl Solver for Convection {
    const VARIABLES: &'static [(&'static str, &'static str)] =
        &[("temperature", "temperature difference"), ("vz", "free-fall speed"), ("vorticity", "1/free-fall time")];

    fn longest_step(&self) -> f64 {
        let n = self.spectral.len();
        let flow = 0.5 / self.extents[0] as f64 / flow2d::fastest(&flow2d::velocity(&self.spectral, &self.state[..n]));
        let finest = self.spectral.finest();
        flow.min(2.0 / (self.viscosity.max(self.diffusivity) * finest * finest)).min(0.1)
    }

    fn step(&mut self, dt: f64) {
        let (s, viscosity, diffusivity) = (&self.spectral, self.viscosity, self.diffusivity);
        let n = s.len();
        rk4(&mut self.state, dt, |state| {
            let (vorticity, theta) = state.split_at(n);
            let velocity = flow2d::velocity(s, vorticity);
            let mut rate = flow2d::advection(s, &velocity, vorticity);
            rate.extend(flow2d::advection(s, &velocity, theta));
            for i in 0..n {
                let (k, square) = (s.waves[i][1], s.square(i));
                let ik = Complex64::new(0.0, k);
                rate[i] += theta[i] * ik - vorticity[i] * (viscosity * square);
                // w = −∂ψ/∂x with ψ = ω/K².
                let rise = if i == 0 { Complex64::ZERO } else { -vorticity[i] * ik / square };
                rate[n + i] += rise - theta[i] * (diffusivity * square);
            }
            rate
        });
        self.restore_symmetry();
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        let (n, [nz, nx]) = (self.spectral.len(), self.extents);
        let (vorticity, theta) = self.state.split_at(n);
        let mut temperature = self.spectral.values(theta.to_vec());
        temperature.iter_mut().enumerate().for_each(|(i, t)| *t += 1.0 - ((i / nx) as f64 + 0.5) / nz as f64);
        let rise = flow2d::velocity(&self.spectral, vorticity).0;
        let mut frame = vec![temperature, rise, self.spectral.values(vorticity.to_vec())];
        frame.iter_mut().for_each(|values| values.truncate(nz * nx));
        frame
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::Convection, setup.seed);
    // The thermal layer at a plate, 1/(2·Nu) thick with Nu ≈ 0.2·Ra^0.3, must span three cells.
    let most = (setup.grid[0] as f64 / 1.2).powf(10.0 / 3.0);
    let (rayleigh, prandtl) = (most * random.magnitude(0.05, 1.0), random.magnitude(0.5, 5.0));
    let theta: Vec<f64> = random.noise(setup.grid.iter().product()).iter().map(|v| 0.05 * v).collect();
    let flow = Convection::new(&setup.grid, rayleigh, prandtl, &theta);
    let (start, interval) = (random.within(8.0, 30.0), random.magnitude(0.1, 1.5));
    record(Kind::Convection, flow, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;
    use std::f64::consts::{PI, TAU};

    /// A faint wave whose length is that of the domain, and its growth rate between times 4 and 8.
    fn measured_rate(rayleigh: f64, prandtl: f64, nx: usize) -> f64 {
        let nz = 16;
        let theta: Vec<f64> = (0..nz * nx)
            .map(|i| {
                1e-7 * (PI * ((i / nx) as f64 + 0.5) / nz as f64).sin() * (TAU * (i % nx) as f64 / nx as f64).cos()
            })
            .collect();
        let mut flow = Convection::new(&[nz, nx], rayleigh, prandtl, &theta);
        let mut size = |time: f64| {
            advance(&mut flow, time);
            let n = flow.spectral.len();
            flow.state[n..].iter().map(|c| c.norm_sqr()).sum::<f64>().sqrt()
        };
        let (before, after) = (size(4.0), size(4.0));
        (after / before).ln() / 4.0
    }

    #[test]
    fn waves_grow_as_linear_theory_says() {
        for (rayleigh, prandtl) in [(5000.0, 1.0), (2000.0, 1.0), (500.0, 1.0)] {
            let nx = 45;
            let k = TAU / (nx as f64 / 16.0);
            let square = k * k + PI * PI;
            let (viscosity, diffusivity) = (f64::sqrt(prandtl / rayleigh), 1.0 / f64::sqrt(rayleigh * prandtl));
            let (a, b) = (viscosity * square, diffusivity * square);
            let rate = -(a + b) / 2.0 + ((a - b).powi(2) / 4.0 + k * k / square).sqrt();
            let measured = measured_rate(rayleigh, prandtl, nx);
            assert!((measured - rate).abs() < 0.02 * rate.abs() + 1e-3, "Ra {rayleigh}: {measured} for {rate}");
        }
    }

    #[test]
    fn convection_sets_in_at_the_critical_number() {
        let critical = 27.0 * PI.powi(4) / 4.0;
        assert!(measured_rate(0.97 * critical, 1.0, 45) < 0.0);
        assert!(measured_rate(1.03 * critical, 1.0, 45) > 0.0);
    }

    #[test]
    fn temperature_stays_between_the_plates() {
        let fields = run(&Setup { seed: 5, grid: vec![32, 48], frames: 2 }).unwrap();
        assert!(fields[0].values.iter().all(|t| (-0.1..1.1).contains(t)));
        assert!(fields[1].values.iter().any(|w| w.abs() > 0.05));
    }
}
