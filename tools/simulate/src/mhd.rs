//! The Orszag–Tang vortex: ideal magnetohydrodynamics in the plane, periodic, from large smooth eddies to shocks.
//!
//! ∂ρ/∂t + ∇·(ρu) = 0, ∂(ρu)/∂t + ∇·(ρuu − BB + P) = 0, ∂E/∂t + ∇·((E + P)u − B(u·B)) = 0, ∂B/∂t + ∇·(uB − Bu) + ∇ψ = 0,
//! with P = p + ½B² and B in units where the permeability is 1. ψ carries errors of ∇·B away: ∂ψ/∂t + c²∇·B = −ψ/τ
//! (Dedner et al. 2002, J. Comput. Phys. 175, 645). Start: Orszag & Tang 1979, J. Fluid Mech. 90, 129, with amplitudes,
//! phases and pressure drawn. Lengths are in units of the shorter side.
use crate::{
    Error, Field, Kind, Setup,
    finite_volume::{self, Edge, Law, hll},
    grid::Grid,
    random::Random,
    solver::{Solver, record},
};
use std::f64::consts::TAU;

/// Density, momentum (x, y), energy, B (x, y), ψ; as primitive variables velocity for momentum, pressure for energy.
type State = [f64; 7];

const GAMMA: f64 = 5.0 / 3.0;
/// Between strong shocks pressure is the small difference of large energies: it is kept above this.
const LEAST: f64 = 1e-4;

struct Mhd {
    /// The speed at which errors of ∇·B leave: the fastest of the flow.
    cleaning: f64,
}

impl Law<7> for Mhd {
    const VECTORS: &'static [(usize, usize)] = &[(1, 2), (4, 5)];

    fn primitive(&self, &[density, mx, my, energy, bx, by, psi]: &State) -> State {
        let density = density.max(LEAST);
        let (u, v) = (mx / density, my / density);
        let p = (GAMMA - 1.0) * (energy - 0.5 * (density * (u * u + v * v) + bx * bx + by * by));
        [density, u, v, p.max(LEAST), bx, by, psi]
    }

    fn conserved(&self, &[density, u, v, p, bx, by, psi]: &State) -> State {
        let energy = p / (GAMMA - 1.0) + 0.5 * (density * (u * u + v * v) + bx * bx + by * by);
        [density, density * u, density * v, energy, bx, by, psi]
    }

    fn flux(&self, w: &State) -> State {
        let &[density, u, v, p, bx, by, psi] = w;
        let energy = self.conserved(w)[3];
        let total = p + 0.5 * (bx * bx + by * by);
        [
            density * u,
            density * u * u + total - bx * bx,
            density * u * v - bx * by,
            (energy + total) * u - bx * (u * bx + v * by),
            psi,
            u * by - v * bx,
            self.cleaning * self.cleaning * bx,
        ]
    }

    fn signals(&self, &[density, u, _, p, bx, by, _]: &State) -> (f64, f64) {
        let (sound, alfven) = (GAMMA * p / density, (bx * bx + by * by) / density);
        let sum = sound + alfven;
        let fast = (0.5 * (sum + (sum * sum - 4.0 * sound * bx * bx / density).max(0.0).sqrt())).sqrt();
        (u - fast, u + fast)
    }

    /// The field across the face and ψ obey a linear system of their own, solved exactly; the rest sees one such field.
    fn through_face(&self, left: &State, right: &State) -> State {
        let c = self.cleaning.max(1e-300);
        let across = 0.5 * (left[4] + right[4]) - 0.5 * (right[6] - left[6]) / c;
        let psi = 0.5 * (left[6] + right[6]) - 0.5 * c * (right[4] - left[4]);
        let (mut left, mut right) = (*left, *right);
        for w in [&mut left, &mut right] {
            w[4] = across;
            w[6] = psi;
        }
        let (a, b) = (self.signals(&left), self.signals(&right));
        hll((&left, &right), (a.0.min(b.0), a.1.max(b.1)), self)
    }
}

struct Vortex {
    law: Mhd,
    grid: Grid,
    state: Vec<State>,
}

impl Solver for Vortex {
    const VARIABLES: &'static [(&'static str, &'static str)] =
        &[("density", "1"), ("pressure", "1"), ("vx", "1"), ("Bx", "1")];

    fn longest_step(&self) -> f64 {
        finite_volume::longest_step(&self.law, &self.grid, &self.state)
    }

    fn step(&mut self, dt: f64) {
        self.law.cleaning = 0.2 * self.grid.h / finite_volume::longest_step(&self.law, &self.grid, &self.state);
        finite_volume::step(&self.law, &self.grid, Edge::Periodic, &mut self.state, dt);
        // ψ is damped over about the time in which it crosses five cells.
        let damping = (-dt * self.law.cleaning / (5.0 * self.grid.h)).exp();
        self.state.iter_mut().for_each(|u| u[6] *= damping);
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        [0, 3, 1, 4].map(|c| self.state.iter().map(|u| self.law.primitive(u)[c]).collect()).to_vec()
    }
}

/// Periods of velocity and field along x and y, their phases, the field's strength and the pressure.
struct Start {
    waves: [f64; 4],
    phases: [f64; 4],
    strength: f64,
    pressure: f64,
}

impl Start {
    /// The vortex of the paper, in today's usual units: density 25/36π, pressure 5/12π, field 1/√4π.
    const CLASSICAL: Start =
        Start { waves: [1.0, 1.0, 1.0, 2.0], phases: [0.0; 4], strength: 1.0, pressure: 5.0 / (6.0 * TAU) };

    fn on(&self, grid: Grid) -> Vortex {
        let law = Mhd { cleaning: 0.0 };
        let (ly, lx) = grid.sides();
        let field = self.strength / (2.0 * TAU).sqrt();
        let state = (0..grid.len()).map(|i| {
            let (y, x) = grid.centre(i);
            let wave = |n: usize, at: f64, l: f64| {
                (TAU * (self.waves[n] * l).round().max(1.0) * at / l + self.phases[n]).sin()
            };
            let density = GAMMA * GAMMA * self.pressure;
            law.conserved(&[
                density,
                -wave(0, y, ly),
                wave(1, x, lx),
                self.pressure,
                -field * wave(2, y, ly),
                field * wave(3, x, lx),
                0.0,
            ])
        });
        Vortex { state: state.collect(), law, grid }
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::MhdVortex, setup.seed);
    let mut start = Start::CLASSICAL;
    start.waves = std::array::from_fn(|_| f64::from(random.whole(1, 3)));
    start.phases = std::array::from_fn(|_| random.angle());
    start.strength = random.magnitude(0.3, 2.0);
    start.pressure *= random.magnitude(0.5, 4.0);
    let vortex = start.on(Grid::new(&setup.grid));
    let (begin, interval) = (random.within(0.05, 0.5), random.magnitude(0.005, 0.08));
    record(Kind::MhdVortex, vortex, setup, begin, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;

    fn sums(v: &Vortex) -> State {
        std::array::from_fn(|c| v.state.iter().map(|u| u[c]).sum())
    }

    #[test]
    fn mass_momentum_energy_and_flux_are_conserved() {
        let mut vortex = Start::CLASSICAL.on(Grid::new(&[48, 48]));
        let begun = sums(&vortex);
        advance(&mut vortex, 0.3);
        let now = sums(&vortex);
        let scale = begun[3];
        (0..6).for_each(|c| assert!((now[c] - begun[c]).abs() < 1e-11 * scale, "{c}: {} {}", now[c], begun[c]));
    }

    #[test]
    fn the_vortex_keeps_its_symmetry_and_its_field_free_of_sources() {
        let n = 48;
        let mut vortex = Start::CLASSICAL.on(Grid::new(&[n, n]));
        advance(&mut vortex, 0.3);
        // Half a turn about the centre maps the vortex on itself.
        let half_turn =
            (0..n * n).map(|i| (vortex.state[i][0] - vortex.state[n * n - 1 - i][0]).abs()).fold(0.0, f64::max);
        assert!(half_turn < 1e-9, "{half_turn}");
        let (mut divergence, mut size) = (0.0, 0.0);
        vortex.grid.neighbours(|here, down, up, left, right| {
            let b = |i: usize, c: usize| vortex.state[i][c];
            divergence += ((b(right, 4) - b(left, 4) + b(up, 5) - b(down, 5)) / 2.0).abs();
            size += b(here, 4).hypot(b(here, 5));
        });
        assert!(divergence / size < 0.03, "{}", divergence / size);
    }

    #[test]
    fn alfven_waves_travel_at_their_speed() {
        let grid = Grid::new(&[16, 64]);
        let (density, field) = (2.0f64, 0.8);
        let speed = field / density.sqrt();
        let law = Mhd { cleaning: 0.0 };
        let wave = |x: f64| 1e-3 * (TAU * x / 4.0).sin();
        let at = |i: usize| grid.centre(i).1;
        let state = (0..grid.len())
            .map(|i| law.conserved(&[density, 0.0, wave(at(i)), 1.0, field, -density.sqrt() * wave(at(i)), 0.0]))
            .collect();
        let mut v = Vortex { law, grid, state };
        // Half a wavelength along the field: the wave is upside down.
        advance(&mut v, 2.0 / speed);
        let off = v.state.iter().enumerate().map(|(i, u)| (u[2] / density + wave(at(i))).abs()).fold(0.0, f64::max);
        assert!(off < 5e-5, "{off}");
    }
}
