//! Shallow water on a rotating plane with an even bed, periodic.
//!
//! ∂h/∂t + ∇·(hu) = 0, ∂(hu)/∂t + ∇·(huu + ½gh²) = −f ẑ × hu. Finite volumes with the HLL flux. Faint waves of wavenumber
//! k turn at ω² = f² + gHk² (Vallis 2017, Atmospheric and Oceanic Fluid Dynamics, ch. 3). Lengths are in units of the
//! shorter side, g·H of the mean depth H is 1.
use crate::{
    Error, Field, Kind, Setup,
    finite_volume::{self, Edge, Law},
    grid::Grid,
    modes::smooth,
    random::Random,
    solver::{Solver, record},
};

/// Depth and transport (x, y); as primitive variables depth and velocity.
type State = [f64; 3];

const GRAVITY: f64 = 1.0;

struct Water {
    coriolis: f64,
}

impl Law<3> for Water {
    const VECTORS: &'static [(usize, usize)] = &[(1, 2)];

    fn primitive(&self, &[depth, x, y]: &State) -> State {
        let depth = depth.max(1e-6);
        [depth, x / depth, y / depth]
    }

    fn conserved(&self, &[depth, u, v]: &State) -> State {
        [depth, depth * u, depth * v]
    }

    fn flux(&self, &[depth, u, v]: &State) -> State {
        [depth * u, depth * u * u + 0.5 * GRAVITY * depth * depth, depth * u * v]
    }

    fn signals(&self, &[depth, u, _]: &State) -> (f64, f64) {
        let wave = (GRAVITY * depth).sqrt();
        (u - wave, u + wave)
    }

    fn source(&self, u: &State, rate: &mut State) {
        rate[1] += self.coriolis * u[2];
        rate[2] -= self.coriolis * u[1];
    }
}

struct Sea {
    law: Water,
    grid: Grid,
    state: Vec<State>,
}

impl Solver for Sea {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("depth", "mean depth"), ("vx", "wave speed")];

    fn longest_step(&self) -> f64 {
        finite_volume::longest_step(&self.law, &self.grid, &self.state)
    }

    fn step(&mut self, dt: f64) {
        finite_volume::step(&self.law, &self.grid, Edge::Periodic, &mut self.state, dt);
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        [0, 1].map(|c| self.state.iter().map(|u| self.law.primitive(u)[c]).collect()).to_vec()
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::ShallowWater, setup.seed);
    let grid = Grid::new(&setup.grid);
    let law = Water { coriolis: random.magnitude(0.5, 20.0) };
    let (swell, from) = (random.magnitude(0.01, 0.1), random.magnitude(1.0, 4.0));
    let waves = smooth(&mut random, &grid, from, 4.0 * from);
    let drops: Vec<_> = (0..random.whole(0, 6))
        .map(|_| (random.place(&grid), random.magnitude(0.02, 0.15), random.within(-0.3, 0.6)))
        .collect();
    let depth: Vec<f64> = (0..grid.len())
        .map(|i| {
            let bump = |(place, radius, height): &((f64, f64), f64, f64)| {
                height * (-(grid.distance(grid.centre(i), *place) / radius).powi(2)).exp()
            };
            (1.0 + swell * waves[i] + drops.iter().map(bump).sum::<f64>()).max(0.2)
        })
        .collect();
    // A part of the flow is balanced, u = −(g/f)·∂h/∂y and v = (g/f)·∂h/∂x, no faster than half the waves' speed.
    let balance = random.within(0.0, 1.0) * GRAVITY / law.coriolis / (2.0 * grid.h);
    let mut state = vec![[0.0; 3]; grid.len()];
    grid.neighbours(|here, down, up, left, right| {
        let (u, v) = (-balance * (depth[up] - depth[down]), balance * (depth[right] - depth[left]));
        state[here] = law.conserved(&[depth[here], u.clamp(-0.5, 0.5), v.clamp(-0.5, 0.5)]);
    });
    let (start, interval) = (random.within(0.05, 1.0), random.magnitude(0.01, 0.15));
    record(Kind::ShallowWater, Sea { law, grid, state }, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;
    use std::f64::consts::TAU;

    #[test]
    fn volume_is_conserved() {
        let grid = Grid::new(&[24, 40]);
        let law = Water { coriolis: 3.0 };
        let state = smooth(&mut Random::new(Kind::ShallowWater, 1), &grid, 1.0, 4.0);
        let state = state.iter().map(|s| [1.0 + 0.1 * s, 0.1 * s, 0.0]).collect();
        let mut sea = Sea { law, grid, state };
        let volume = |sea: &Sea| sea.state.iter().map(|u| u[0]).sum::<f64>();
        let begun = volume(&sea);
        advance(&mut sea, 1.0);
        assert!((volume(&sea) / begun - 1.0).abs() < 1e-13);
    }

    /// A standing wave's height after a time, as a multiple of its first height.
    fn amplitude(along_y: bool, coriolis: f64, time: f64) -> f64 {
        let grid = Grid::new(&[48, 48]);
        let wave = |i: usize| {
            let (y, x) = grid.centre(i);
            (TAU * if along_y { y } else { x }).cos()
        };
        let state = (0..grid.len()).map(|i| [1.0 + 1e-4 * wave(i), 0.0, 0.0]).collect();
        let mut sea = Sea { law: Water { coriolis }, grid, state };
        advance(&mut sea, time);
        (0..grid.len()).map(|i| (sea.state[i][0] - 1.0) * wave(i)).sum::<f64>() / (0.5e-4 * grid.len() as f64)
    }

    #[test]
    fn waves_have_their_speed_along_both_axes() {
        for along_y in [false, true] {
            let (quarter, half) = (amplitude(along_y, 0.0, 0.25), amplitude(along_y, 0.0, 0.5));
            assert!(quarter.abs() < 0.01 && (half + 1.0).abs() < 0.01, "{quarter} {half}");
        }
    }

    #[test]
    fn rotation_quickens_waves_and_keeps_a_balanced_part() {
        let f = 4.0;
        let square = f * f + TAU * TAU;
        let period = TAU / square.sqrt();
        // From rest, f²/ω² of the height stays for ever and the rest turns at ω.
        let kept = f * f / square;
        let half = amplitude(false, f, period / 2.0);
        assert!((half - (2.0 * kept - 1.0)).abs() < 0.02, "{half}");
    }
}
