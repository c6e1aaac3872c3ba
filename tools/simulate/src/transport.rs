//! A scalar carried by an incompressible flow in the plane, by finite volumes.
//!
//! The flow is given by its stream function at corners of cells, so that what enters a cell leaves it. MUSCL with van
//! Leer's limiter and Heun's method; with a quarter of a cell per step and axis, no value leaves the range of those
//! around it (Toro 2009, ch. 13).
use crate::{finite_volume::limited, grid::Grid};

/// Velocity through faces: of each cell the lower face along x and the lower face along y.
pub(crate) struct Flow {
    u: Vec<f64>,
    v: Vec<f64>,
}

impl Flow {
    /// u = ∂ψ/∂y, v = −∂ψ/∂x, from ψ at the lower corner of each cell.
    pub fn of_stream(grid: &Grid, stream: &[f64]) -> Flow {
        let (mut u, mut v) = (vec![0.0; grid.len()], vec![0.0; grid.len()]);
        grid.neighbours(|here, _, up, _, right| {
            u[here] = (stream[up] - stream[here]) / grid.h;
            v[here] = (stream[here] - stream[right]) / grid.h;
        });
        Flow { u, v }
    }

    /// The same velocity everywhere.
    #[cfg(test)]
    pub fn even(grid: &Grid, v: f64, u: f64) -> Flow {
        Flow { u: vec![u; grid.len()], v: vec![v; grid.len()] }
    }

    /// The longest step in which nothing crosses more than a quarter of a cell along an axis.
    pub fn longest_step(&self, grid: &Grid) -> f64 {
        let fastest = self.u.iter().chain(&self.v).fold(1e-300_f64, |m, s| m.max(s.abs()));
        0.25 * grid.h / fastest
    }

    /// −∇·(u q).
    fn rate(&self, grid: &Grid, q: &[f64]) -> Vec<f64> {
        let (mut along_x, mut along_y) = (vec![0.0; q.len()], vec![0.0; q.len()]);
        grid.neighbours(|here, down, up, left, right| {
            along_x[here] = limited(q[here] - q[left], q[right] - q[here]) / 2.0;
            along_y[here] = limited(q[here] - q[down], q[up] - q[here]) / 2.0;
        });
        // From the side that the flow comes from.
        let through = |speed: f64, below: f64, above: f64| speed * if speed > 0.0 { below } else { above };
        let mut out = vec![0.0; q.len()];
        grid.neighbours(|here, down, _, left, _| {
            let x = through(self.u[here], q[left] + along_x[left], q[here] - along_x[here]) / grid.h;
            let y = through(self.v[here], q[down] + along_y[down], q[here] - along_y[here]) / grid.h;
            out[here] += x + y;
            out[left] -= x;
            out[down] -= y;
        });
        out
    }

    /// Carries `q` for a time `dt`.
    pub fn carry(&self, grid: &Grid, q: &mut [f64], dt: f64) {
        let first = self.rate(grid, q);
        let ahead: Vec<f64> = q.iter().zip(&first).map(|(q, r)| q + dt * r).collect();
        let second = self.rate(grid, &ahead);
        q.iter_mut().zip(&ahead).zip(&second).for_each(|((q, a), r)| *q = (*q + a + dt * r) / 2.0);
    }
}
