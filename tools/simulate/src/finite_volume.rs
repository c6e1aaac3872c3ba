//! Finite volumes for hyperbolic conservation laws in the plane: MUSCL reconstruction of primitive variables with van
//! Leer's limiter, an approximate Riemann solver, Heun's method in time (strong stability preserving).
//!
//! Reference: Toro 2009, Riemann Solvers and Numerical Methods for Fluid Dynamics, ch. 10 and 13. Laws give everything
//! along x only: for fluxes along y the solver swaps the components of vectors.
use crate::grid::Grid;

/// A system of `N` conservation laws.
pub(crate) trait Law<const N: usize> {
    /// Which components are the x and y parts of a vector. The first is the momentum's, or velocity's.
    const VECTORS: &'static [(usize, usize)];

    /// The variables that are reconstructed, with velocity in the place of momentum.
    fn primitive(&self, conserved: &[f64; N]) -> [f64; N];

    fn conserved(&self, primitive: &[f64; N]) -> [f64; N];

    /// Flux along x of a primitive state.
    fn flux(&self, primitive: &[f64; N]) -> [f64; N];

    /// The slowest and the fastest signal along x.
    fn signals(&self, primitive: &[f64; N]) -> (f64, f64);

    /// What is added to the rates of a cell.
    fn source(&self, _conserved: &[f64; N], _rate: &mut [f64; N]) {}

    /// The state behind a wall across y, its normal velocity turned already, `height` above the cell that it mirrors.
    fn behind_wall(&self, _primitive: &mut [f64; N], _height: f64) {}

    /// Flux through a face between two primitive states; Harten, Lax and van Leer's unless the law has a better one.
    fn through_face(&self, left: &[f64; N], right: &[f64; N]) -> [f64; N] {
        let (a, b) = (self.signals(left), self.signals(right));
        hll((left, right), (a.0.min(b.0), a.1.max(b.1)), self)
    }
}

/// Harten, Lax and van Leer's flux between two states, for the slowest and the fastest signal.
pub(crate) fn hll<const N: usize>(
    (left, right): (&[f64; N], &[f64; N]),
    (slow, fast): (f64, f64),
    law: &(impl Law<N> + ?Sized),
) -> [f64; N] {
    if slow >= 0.0 {
        return law.flux(left);
    }
    if fast <= 0.0 {
        return law.flux(right);
    }
    let (fl, fr) = (law.flux(left), law.flux(right));
    let (ul, ur) = (law.conserved(left), law.conserved(right));
    std::array::from_fn(|c| (fast * fl[c] - slow * fr[c] + slow * fast * (ur[c] - ul[c])) / (fast - slow))
}

/// What lies beyond the first and last row; along x all grids are periodic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Periodic,
    Wall,
}

fn swapped<const N: usize, L: Law<N>>(mut state: [f64; N]) -> [f64; N] {
    L::VECTORS.iter().for_each(|&(x, y)| state.swap(x, y));
    state
}

/// The longest step: 0.4 of a cell for the fastest signals along both axes together.
pub(crate) fn longest_step<const N: usize, L: Law<N>>(law: &L, grid: &Grid, state: &[[f64; N]]) -> f64 {
    let fastest = |w: &[f64; N]| {
        let (slow, fast) = law.signals(w);
        fast.max(-slow)
    };
    let rate = state.iter().map(|u| {
        let w = law.primitive(u);
        fastest(&w) + fastest(&swapped::<N, L>(w))
    });
    0.4 * grid.h / rate.fold(1e-300, f64::max)
}

/// One step of Heun's method.
pub(crate) fn step<const N: usize, L: Law<N>>(law: &L, grid: &Grid, edge: Edge, state: &mut [[f64; N]], dt: f64) {
    let first = rates(law, grid, edge, state);
    let moved = |u: &[f64; N], r: &[f64; N]| std::array::from_fn(|c| u[c] + dt * r[c]);
    let ahead: Vec<[f64; N]> = state.iter().zip(&first).map(|(u, r)| moved(u, r)).collect();
    let second = rates(law, grid, edge, &ahead);
    for ((u, a), r) in state.iter_mut().zip(&ahead).zip(&second) {
        let end: [f64; N] = moved(a, r);
        *u = std::array::from_fn(|c| (u[c] + end[c]) / 2.0);
    }
}

fn rates<const N: usize, L: Law<N>>(law: &L, grid: &Grid, edge: Edge, state: &[[f64; N]]) -> Vec<[f64; N]> {
    let (ny, nx) = (grid.ny, grid.nx);
    let primitive: Vec<[f64; N]> = state.iter().map(|u| law.primitive(u)).collect();
    let mut rates = vec![[0.0; N]; state.len()];
    let mut line = Vec::new();
    let mut fluxes = Vec::new();
    for j in 0..ny {
        let at = |i: usize| primitive[j * nx + (i + nx - 2) % nx];
        line.clear();
        line.extend((0..nx + 4).map(at));
        through_faces(law, &line, &mut fluxes);
        for i in 0..nx {
            let rate = &mut rates[j * nx + i];
            (0..N).for_each(|c| rate[c] -= (fluxes[i + 1][c] - fluxes[i][c]) / grid.h);
        }
    }
    for i in 0..nx {
        let at = |j: usize| {
            // The row, and the rows that lie between it and the place it stands for.
            let (row, above) = match (edge, j) {
                (Edge::Wall, 0 | 1) => (1 - j, 2.0 * j as f64 - 3.0),
                (Edge::Wall, j) if j >= ny + 2 => (2 * ny + 1 - j, 2.0 * (j - ny) as f64 - 3.0),
                _ => ((j + ny - 2) % ny, 0.0),
            };
            let mut w = primitive[row * nx + i];
            if above != 0.0 {
                w[L::VECTORS[0].1] *= -1.0;
                law.behind_wall(&mut w, above * grid.h);
            }
            swapped::<N, L>(w)
        };
        line.clear();
        line.extend((0..ny + 4).map(at));
        through_faces(law, &line, &mut fluxes);
        if edge == Edge::Wall {
            // A wall pushes, and lets nothing through.
            for face in [0, ny] {
                let push = fluxes[face][L::VECTORS[0].0];
                fluxes[face] = [0.0; N];
                fluxes[face][L::VECTORS[0].0] = push;
            }
        }
        for j in 0..ny {
            let difference = std::array::from_fn(|c| (fluxes[j + 1][c] - fluxes[j][c]) / grid.h);
            let rate = &mut rates[j * nx + i];
            for (r, d) in rate.iter_mut().zip(swapped::<N, L>(difference)) {
                *r -= d;
            }
        }
    }
    state.iter().zip(&mut rates).for_each(|(u, rate)| law.source(u, rate));
    rates
}

/// Fluxes through the faces of a line of cells that has two more at each end.
fn through_faces<const N: usize, L: Law<N>>(law: &L, line: &[[f64; N]], fluxes: &mut Vec<[f64; N]>) {
    fluxes.clear();
    let mut below = [0.0; N];
    for (i, cell) in line.windows(3).enumerate() {
        let half: [f64; N] = std::array::from_fn(|c| limited(cell[1][c] - cell[0][c], cell[2][c] - cell[1][c]) / 2.0);
        let lower = std::array::from_fn(|c| cell[1][c] - half[c]);
        if i > 0 {
            fluxes.push(law.through_face(&below, &lower));
        }
        below = std::array::from_fn(|c| cell[1][c] + half[c]);
    }
}

/// Van Leer's harmonic mean of two differences: 0 where they disagree in sign, so that no new extremum appears.
pub(crate) fn limited(a: f64, b: f64) -> f64 {
    if a * b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }
}
