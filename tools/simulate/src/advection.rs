//! A tracer in a stirred fluid: ∂q/∂t + ∇·(uq) = 0 with ∇·u = 0, periodic.
//!
//! The stream function is a sum of a few drifting waves, which stirs chaotically (Aref 1984, J. Fluid Mech. 143, 1); the
//! tracer starts as patches with edges, as smooth waves or as a gradient that folds back. Lengths are in units of the
//! shorter side, the stream function has standard deviation `strength`.
use crate::{
    Error, Field, Kind, Setup,
    grid::Grid,
    modes::{Modes, smooth},
    random::Random,
    solver::{Solver, record},
    transport::Flow,
};
use std::f64::consts::TAU;

/// A flow that changes with time, as stream function.
pub(crate) struct Stirring {
    pub grid: Grid,
    modes: Modes,
    strength: f64,
    time: f64,
    pub flow: Flow,
}

impl Stirring {
    /// Eddies of `from` to `to` over each unit of length, with a stream function of standard deviation `strength`.
    pub fn draw(random: &mut Random, grid: Grid, from: f64, to: f64, strength: f64) -> Stirring {
        let modes = Modes::draw(random, &grid, 10, from, to, 2.0 * strength * from * from);
        let mut stirring =
            Stirring { grid, modes, strength, time: 0.0, flow: Flow::of_stream(&grid, &vec![0.0; grid.len()]) };
        stirring.turn(0.0);
        stirring
    }

    /// Moves the flow on by `dt`.
    pub fn turn(&mut self, dt: f64) {
        self.time += dt;
        let mut stream = self.modes.sample(&self.grid, 0.0, self.time);
        stream.iter_mut().for_each(|s| *s *= self.strength);
        self.flow = Flow::of_stream(&self.grid, &stream);
    }
}

struct Advection {
    stirring: Stirring,
    tracer: Vec<f64>,
}

impl Solver for Advection {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("tracer", "1")];

    fn longest_step(&self) -> f64 {
        self.stirring.flow.longest_step(&self.stirring.grid)
    }

    fn step(&mut self, dt: f64) {
        self.stirring.flow.carry(&self.stirring.grid, &mut self.tracer, dt);
        self.stirring.turn(dt);
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        vec![self.tracer.clone()]
    }
}

fn draw(random: &mut Random, grid: Grid) -> Advection {
    let from = random.magnitude(0.7, 2.0);
    let stirring = Stirring::draw(random, grid, from, 4.0 * from, 0.1 / from);
    let waves = random.magnitude(1.0, 6.0);
    let pattern = smooth(random, &grid, waves, 3.0 * waves);
    let (style, sharpness) = (random.whole(0, 2), random.magnitude(1.0, 30.0));
    let tracer = match style {
        0 => pattern.iter().map(|p| (sharpness * p).tanh()).collect(),
        1 => pattern,
        _ => (0..grid.len()).map(|i| (TAU * grid.centre(i).0 / grid.sides().0).cos()).collect(),
    };
    Advection { stirring, tracer }
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::Advection, setup.seed);
    let advection = draw(&mut random, Grid::new(&setup.grid));
    let (start, interval) = (random.within(0.1, 1.5), random.magnitude(0.02, 0.2));
    record(Kind::Advection, advection, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;

    #[test]
    fn the_amount_is_conserved_and_no_value_leaves_its_range() {
        for seed in 0..3 {
            let mut a = draw(&mut Random::new(Kind::Advection, seed), Grid::new(&[48, 64]));
            let range = |q: &[f64]| q.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            let (begun, (low, high)) = (a.tracer.iter().sum::<f64>(), range(&a.tracer));
            advance(&mut a, 0.5);
            let (now, (least, most)) = (a.tracer.iter().sum::<f64>(), range(&a.tracer));
            assert!((now - begun).abs() < 1e-10 * a.tracer.len() as f64);
            assert!(least >= low - 1e-12 && most <= high + 1e-12, "{least} {low} {most} {high}");
        }
    }

    #[test]
    fn a_blob_arrives_where_the_flow_takes_it() {
        let grid = Grid::new(&[64, 64]);
        let blob = |y: f64, x: f64| {
            let far = grid.distance((y, x), (0.5, 0.5)) / 0.15;
            (-far * far).exp()
        };
        let mut q: Vec<f64> = (0..grid.len()).map(|i| blob(grid.centre(i).0, grid.centre(i).1)).collect();
        let flow = Flow::even(&grid, 0.5, -1.0);
        // Once around in x, to the other side and back in y.
        let steps = (2.0 / flow.longest_step(&grid)).ceil();
        (0..steps as usize).for_each(|_| flow.carry(&grid, &mut q, 2.0 / steps));
        let off: f64 = (0..grid.len()).map(|i| (q[i] - blob(grid.centre(i).0, grid.centre(i).1)).abs()).sum();
        let all: f64 = q.iter().sum();
        assert!(off / all < 0.1, "{}", off / all);
    }
}
