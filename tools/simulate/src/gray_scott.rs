//! Reaction and diffusion of two substances after Gray and Scott, in the plane or in space, periodic.
//!
//! ∂u/∂t = D∇²u − uv² + F(1 − u), ∂v/∂t = ½D∇²v + uv² − (F + k)v. Feed F and kill k are drawn around the curve beyond which
//! v dies out, where spots divide and stripes grow (Pearson 1993, Science 261, 189). Lengths are in cells, D = 0.16 or
//! less; second differences and Euler's method, as there.
use crate::{
    Error, Field, Kind, Setup,
    grid::laplacian,
    random::Random,
    solver::{Solver, record},
};

struct Reaction {
    extents: Vec<usize>,
    u: Vec<f64>,
    v: Vec<f64>,
    diffusion: f64,
    feed: f64,
    kill: f64,
}

impl Solver for Reaction {
    const VARIABLES: &'static [(&'static str, &'static str)] = &[("u", "1"), ("v", "1")];

    fn longest_step(&self) -> f64 {
        1.0
    }

    fn step(&mut self, dt: f64) {
        let (mut du, mut dv) = (vec![0.0; self.u.len()], vec![0.0; self.u.len()]);
        laplacian(&self.extents, 1.0, &self.u, &mut du);
        laplacian(&self.extents, 1.0, &self.v, &mut dv);
        for i in 0..self.u.len() {
            let (u, v) = (self.u[i], self.v[i]);
            let reacted = u * v * v;
            self.u[i] += dt * (self.diffusion * du[i] - reacted + self.feed * (1.0 - u));
            self.v[i] += dt * (0.5 * self.diffusion * dv[i] + reacted - (self.feed + self.kill) * v);
        }
    }

    fn frame(&self) -> Vec<Vec<f64>> {
        vec![self.u.clone(), self.v.clone()]
    }
}

/// Fed all over, with some places where v is sown.
fn draw(random: &mut Random, extents: &[usize]) -> Reaction {
    let len = extents.iter().product();
    let feed = random.within(0.02, 0.055);
    // Even states with v exist up to k = √F/2 − F; a little beyond, v lives in spots and stripes only.
    let kill = feed.sqrt() / 2.0 - feed + random.within(0.0003, 0.002);
    let diffusion = random.within(0.08, 0.16);
    let mut reaction =
        Reaction { extents: extents.to_vec(), u: vec![1.0; len], v: vec![0.0; len], diffusion, feed, kill };
    // Sown all over, v would eat what there is and die.
    let sown = random.within(0.02, 0.15) * len as f64 / if extents.len() == 2 { 95.0 } else { 700.0 };
    for _ in 0..sown.ceil() as usize {
        let place: Vec<f64> = extents.iter().map(|&n| random.within(0.0, n as f64)).collect();
        let radius = random.within(3.0, 8.0);
        for i in 0..len {
            let mut rest = i;
            let mut square = 0.0;
            for (&n, at) in extents.iter().zip(&place).rev() {
                let off = ((rest % n) as f64 - at).abs();
                rest /= n;
                square += off.min(n as f64 - off).powi(2);
            }
            if square < radius * radius {
                (reaction.u[i], reaction.v[i]) = (0.5, 0.25);
            }
        }
    }
    reaction
}

pub(crate) fn run(setup: &Setup) -> Result<Vec<Field>, Error> {
    let mut random = Random::new(Kind::ReactionDiffusion, setup.seed);
    let reaction = draw(&mut random, &setup.grid);
    let (start, interval) = (random.within(200.0, 3000.0).round(), random.magnitude(20.0, 200.0).round());
    record(Kind::ReactionDiffusion, reaction, setup, start, interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::advance;
    use std::f64::consts::TAU;

    #[test]
    fn what_is_fed_less_what_is_taken_is_what_is_there() {
        let mut r = draw(&mut Random::new(Kind::ReactionDiffusion, 1), &[40, 56]);
        let there = |r: &Reaction| r.u.iter().zip(&r.v).map(|(u, v)| u + v).sum::<f64>();
        let mut expected = there(&r);
        for _ in 0..300 {
            expected += r.u.iter().zip(&r.v).map(|(u, v)| r.feed * (1.0 - u) - (r.feed + r.kill) * v).sum::<f64>();
            r.step(1.0);
        }
        assert!((there(&r) / expected - 1.0).abs() < 1e-12);
        assert!(r.u.iter().chain(&r.v).all(|c| (0.0..=1.0).contains(c)));
    }

    #[test]
    fn patterns_live() {
        for seed in 0..6 {
            let mut r = draw(&mut Random::new(Kind::ReactionDiffusion, seed), &[64, 64]);
            advance(&mut r, 1500.0);
            let (least, most) = r.v.iter().fold((1.0_f64, 0.0_f64), |(l, m), &v| (l.min(v), m.max(v)));
            assert!(most - least > 0.1, "seed {seed}: F {} k {}: {least} {most}", r.feed, r.kill);
        }
    }

    /// With nothing to react, a wave in u decays by diffusion and feed alone, in the plane and in space.
    #[test]
    fn a_wave_decays_at_its_rate() {
        for extents in [vec![16, 32], vec![16, 16, 32]] {
            let len = extents.iter().product();
            let wave = |i: usize| (TAU * (i % 32) as f64 / 32.0).cos();
            let u = (0..len).map(|i| 1.0 + 0.1 * wave(i)).collect();
            let mut r = Reaction { extents, u, v: vec![0.0; len], diffusion: 0.16, feed: 0.03, kill: 0.06 };
            let k = TAU / 32.0;
            let rate = 0.16 * k * k + 0.03;
            (0..500).for_each(|_| r.step(0.1));
            let left = (0..len).map(|i| (r.u[i] - 1.0) * wave(i)).sum::<f64>() / (0.05 * len as f64);
            assert!((left / (-rate * 50.0).exp() - 1.0).abs() < 0.01, "{left}");
        }
    }
}
