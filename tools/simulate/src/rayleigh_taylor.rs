//! Rayleigh–Taylor instability: heavy gas over light gas, by the Euler equations with gravity along −y.
//!
//! ∂ρ/∂t + ∇·(ρu) = 0, ∂(ρu)/∂t + ∇·(ρuu + p) = −ρg ŷ, ∂E/∂t + ∇·((E + p)u) = −ρg v, p = (γ − 1)(E − ½ρu²), with walls
//! below and above, periodic in x. Finite volumes with the HLLC flux, which keeps contacts sharp (Toro 2009, ch. 10).
//! A faint wave of wavenumber k on the interface grows as cosh(σt), σ² = A·g·k with A = (ρ₂ − ρ₁)/(ρ₂ + ρ₁) (Chandrasekhar
//! 1961, ch. X), while speeds stay far below that of sound. Lengths are in units of the shorter side, the light gas has
//! density 1.
use crate::{
    Error, Field, Kind, Setup,
    finite_volume::{self, Edge, Law},
    grid::Grid,
    modes::smooth,
    random::Random,
    solver::{Solver, record},
};
use std::f64::consts::TAU;

/// Density, momentum (x, y), energy; as primitive variables density, velocity, pressure.
type State = [f64; 4];

struct Euler {
    gamma: f64,
    gravity: f64,
}

impl Law<4> for Euler {
    const VECTORS: &'static [(usize, usize)] = &[(1, 2)];

    fn primitive(&self, &[density, mx, my, energy]: &State) -> State {
        let (u, v) = (mx / density, my / density);
        [density, u, v, (self.gamma - 1.0) * (energy - 0.5 * density * (u * u + v * v))]
    }

    fn conserved(&self, &[density, u, v, p]: &State) -> State {
        [density, density * u, density * v, p / (self.gamma - 1.0) + 0.5 * density * (u * u + v * v)]
    }

    fn flux(&self, w: &State) -> State {
        let [mass, mx, my, energy] = self.conserved(w);
        [mass * w[1], mx * w[1] + w[3], my * w[1], (energy + w[3]) * w[1]]
    }

    fn signals(&self, w: &State) -> (f64, f64) {
        let sound = (self.gamma * w[3] / w[0]).sqrt();
        (w[1] - sound, w[1] + sound)
    }

    fn source(&self, u: &State, rate: &mut State) {
        rate[2] -= self.gravity * u[0];
        rate[3] -= self.gravity * u[2];
    }

    /// Pressure goes on as at rest, so that a wall does not push what lies still.
    fn behind_wall(&self, w: &mut State, height: f64) {
        w[3] -= w[0] * self.gravity * height;
    }

    fn through_face(&self, left: &State, right: &State) -> State {
        let (a, b) = (self.signals(left), self.signals(right));
        let (slow, fast) = (a.0.min(b.0), a.1.max(b.1));
        // Mass flux relative to the outer waves, and the speed of the contact between them.
        let (ml, mr) = (left[0] * (slow - left[1]), right[0] * (fast - right[1]));
        let contact = (right[3] - left[3] + left[1] * ml - right[1] * mr) / (ml - mr);
        let (w, wave, m) = if contact >= 0.0 { (left, slow, ml) } else { (right, fast, mr) };
        let mut flux = self.flux(w);
        if slow < 0.0 && fast > 0.0 {
            let u = self.conserved(w);
            let density = m / (wave - contact);
            let energy = density * (u[3] / w[0] + (contact - w[1]) * (contact + w[3] / m));
            let star = [density, density * contact, density * w[2], energy];
            (0..4).for_each(|c| flux[c] += wave * (star[c] - u[c]));
        }
        flux
    }
}

struct Instability {
    law: Euler,
    grid: Grid,
    state: Vec<State>,
}

impl Instability {
    /// In hydrostatic balance about pressure `p` at the interface at mid-height, moving at a velocity (x, y) of each cell.
    fn new(grid: Grid, heavy: f64, gravity: f64, p: f64, motion: impl Fn(usize) -> (f64, f64)) -> Instability {
        let law = Euler { gamma: 1.4, gravity };
        let state = (0..grid.len()).map(|i| {
            let height = grid.centre(i).0 - grid.sides().0 / 2.0;
            let density = if height > 0.0 { heavy } else { 1.0 };
            let (u, v) = motion(i);
            law.conserved(&[density, u, v, p - density * gravity * height])
        });
        Instability { state: state.collect(), law, grid }
    }
}

impl Solver for Instability {
    const VARIABLES: &'static [(&'static str, &'static str)] =
        &[("density", "light density"), ("vy", "length/time"), ("pressure", "light density · speed²")];

    fn longest_step(&self) -> f64 {
        finite_volume::longest_step(&self.law, &self.grid, &self.state)
    }

    fn step(&mut self, dt: f64) {
        finite_volume::step(&self.law, &self.grid, Edge::Wall, &mut self.state, dt);
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        [0, 2, 3].map(|c| self.state.iter().map(|u| self.law.primitive(u)[c]).collect()).to_vec()
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::RayleighTaylor, setup.seed);
    let grid = Grid::new(&setup.grid);
    let heavy = random.magnitude(1.3, 5.0);
    let wave = random.magnitude(2.0, 8.0);
    let bumps = smooth(&mut random, &grid, wave / 2.0, wave * 2.0);
    // Free fall over the height takes a time of one or more, sound crosses it several times in that.
    let height = grid.sides().0;
    let p = heavy * height * random.within(1.0, 3.0);
    let middle = grid.ny / 2 * grid.nx;
    let motion = |i: usize| {
        let off = (grid.centre(i).0 - height / 2.0) * TAU * wave;
        (0.0, 0.03 * bumps[middle + i % grid.nx] * (-off.abs()).exp())
    };
    let instability = Instability::new(grid, heavy, 1.0, p, motion);
    let growth = 1.0 / ((heavy - 1.0) / (heavy + 1.0) * TAU * wave).sqrt();
    let (start, interval) = (random.within(2.0, 6.0) * growth, random.magnitude(0.1, 1.0) * growth);
    record(Kind::RayleighTaylor, instability, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;

    fn speed(s: &Instability) -> f64 {
        (s.state.iter().map(|u| u[2] * u[2] / u[0]).sum::<f64>() / s.state.len() as f64).sqrt()
    }

    #[test]
    fn a_wave_grows_as_linear_theory_says() {
        let grid = Grid::new(&[64, 32]);
        let motion = |i: usize| {
            let (y, x) = grid.centre(i);
            let size = 1e-3 * (-TAU * (y - 1.0).abs()).exp();
            ((y - 1.0).signum() * size * (TAU * x).sin(), size * (TAU * x).cos())
        };
        let mut s = Instability::new(grid, 2.0, 0.2, 1.0, motion);
        let begun = speed(&s);
        let rate = (0.2 * TAU / 3.0_f64).sqrt();
        let time = 2.5 / rate;
        advance(&mut s, time);
        let measured = (speed(&s) / begun).acosh() / time;
        assert!((measured / rate - 1.0).abs() < 0.1, "{measured} for {rate}");
    }

    #[test]
    fn mass_is_conserved_and_what_lies_still_stays() {
        let grid = Grid::new(&[32, 16]);
        // All of one density: pressure falls linearly and nothing moves.
        let mut s = Instability::new(grid, 1.0, 0.5, 5.0, |_| (0.0, 0.0));
        advance(&mut s, 1.0);
        assert!(speed(&s) < 1e-12, "{}", speed(&s));
        let mut s = Instability::new(grid, 3.0, 1.0, 6.0, |i| (0.0, 0.1 * (TAU * grid.centre(i).1).cos()));
        let mass = |s: &Instability| s.state.iter().map(|u| u[0]).sum::<f64>();
        let begun = mass(&s);
        advance(&mut s, 1.0);
        assert!((mass(&s) / begun - 1.0).abs() < 1e-12);
        assert!(s.state.iter().all(|u| (0.9..3.4).contains(&u[0])));
    }
}
