//! A premixed flame in stirred fuel: ∂c/∂t + ∇·(uc) = D∇²c + c²(1 − c)/τ, c from 0 (fresh) to 1 (burnt), periodic.
//!
//! The flame does not act on the flow. In still fuel it is a front c = 1/(1 + exp(ξ/δ)) of thickness δ = √(2Dτ) that
//! moves at the laminar speed √(D/2τ), exactly (Zel'dovich & Barenblatt 1959, Combust. Flame 3, 61; Murray 2002,
//! Mathematical Biology I, ch. 13). Lengths are in units of the shorter side, that speed is 1.
use crate::{
    Error, Field, Kind, Setup,
    advection::Stirring,
    grid::{Grid, laplacian},
    random::Random,
    solver::{Solver, record},
};

struct Flame {
    stirring: Stirring,
    progress: Vec<f64>,
    thickness: f64,
}

impl Flame {
    // From speed 1: D = δ and τ = δ/2.
    fn heat_release(&self, c: f64) -> f64 {
        c * c * (1.0 - c) * 2.0 / self.thickness
    }
}

impl Solver for Flame {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("progress", "1"), ("heat-release", "1/time")];

    fn longest_step(&self) -> f64 {
        let h = self.stirring.grid.h;
        let diffusion = 0.2 * h * h / self.thickness;
        self.stirring.flow.longest_step(&self.stirring.grid).min(diffusion).min(0.1 * self.thickness)
    }

    fn step(&mut self, dt: f64) {
        let grid = self.stirring.grid;
        self.stirring.flow.carry(&grid, &mut self.progress, dt);
        let mut diffusion = vec![0.0; grid.len()];
        laplacian(&[grid.ny, grid.nx], grid.h, &self.progress, &mut diffusion);
        for i in 0..grid.len() {
            let c = self.progress[i];
            self.progress[i] = c + dt * (self.thickness * diffusion[i] + self.heat_release(c));
        }
        self.stirring.turn(dt);
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        vec![self.progress.clone(), self.progress.iter().map(|&c| self.heat_release(c)).collect()]
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::Flame, setup.seed);
    let grid = Grid::new(&setup.grid);
    let thickness = random.magnitude(2.0, 6.0) * grid.h;
    let from = random.magnitude(1.0, 3.0);
    // The stirring is up to several times as fast as the flame.
    let strength = random.magnitude(0.03, 0.8) / from / 4.0;
    let stirring = Stirring::draw(&mut random, grid, from, 4.0 * from, strength);
    let kernels: Vec<_> =
        (0..random.whole(1, 5)).map(|_| (random.place(&grid), random.magnitude(0.04, 0.15))).collect();
    let progress = (0..grid.len()).map(|i| {
        let ahead = |&(place, radius): &((f64, f64), f64)| grid.distance(grid.centre(i), place) - radius;
        1.0 / (1.0 + (kernels.iter().map(ahead).fold(f64::MAX, f64::min) / thickness).exp())
    });
    let progress = progress.collect();
    let (start, interval) = (random.within(0.02, 0.2), random.magnitude(0.003, 0.03));
    record(Kind::Flame, Flame { stirring, progress, thickness }, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;

    #[test]
    fn a_still_flame_burns_at_the_laminar_speed() {
        let grid = Grid::new(&[16, 512]);
        let stirring = Stirring::draw(&mut Random::new(Kind::Flame, 0), grid, 1.0, 2.0, 0.0);
        let thickness = 4.0 * grid.h;
        // A strip that burns to both sides.
        let progress: Vec<f64> = (0..grid.len())
            .map(|i| 1.0 / (1.0 + (((grid.centre(i).1 - 16.0).abs() - 3.0) / thickness).exp()))
            .collect();
        let mut flame = Flame { stirring, progress, thickness };
        let burnt = |f: &Flame| f.progress.iter().sum::<f64>() * grid.h * grid.h;
        let begun = burnt(&flame);
        advance(&mut flame, 4.0);
        let speed = (burnt(&flame) - begun) / 2.0 / 4.0;
        assert!((speed - 1.0).abs() < 0.02, "{speed}");
        assert!(flame.progress.iter().all(|c| (-1e-9..=1.0 + 1e-9).contains(c)));
    }

    #[test]
    fn stirring_makes_it_burn_faster() {
        let burnt = |strength: f64| {
            let grid = Grid::new(&[64, 64]);
            let stirring = Stirring::draw(&mut Random::new(Kind::Flame, 2), grid, 1.0, 4.0, strength);
            let thickness = 3.0 * grid.h;
            let far = |i: usize| grid.distance(grid.centre(i), (0.5, 0.5)) - 0.15;
            let progress = (0..grid.len()).map(|i| 1.0 / (1.0 + (far(i) / thickness).exp())).collect();
            let mut flame = Flame { stirring, progress, thickness };
            advance(&mut flame, 0.15);
            flame.progress.iter().sum::<f64>()
        };
        assert!(burnt(0.3) > 1.1 * burnt(0.0));
    }
}
