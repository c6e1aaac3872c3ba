//! Periodic grids of square or cubic cells.

/// A periodic grid in the plane; cell (j, i) has its centre at y = (j + ½)·h, x = (i + ½)·h.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub ny: usize,
    pub nx: usize,
    /// Side of a cell; the shorter side of the grid is 1.
    pub h: f64,
}

impl Grid {
    /// Of extents y, x.
    pub fn new(extents: &[usize]) -> Grid {
        let (ny, nx) = (extents[0], extents[1]);
        Grid { ny, nx, h: 1.0 / ny.min(nx) as f64 }
    }

    pub fn len(&self) -> usize {
        self.ny * self.nx
    }

    /// y and x of the centre of a cell.
    pub fn centre(&self, index: usize) -> (f64, f64) {
        (((index / self.nx) as f64 + 0.5) * self.h, ((index % self.nx) as f64 + 0.5) * self.h)
    }

    /// Lengths of the sides, y and x.
    pub fn sides(&self) -> (f64, f64) {
        (self.ny as f64 * self.h, self.nx as f64 * self.h)
    }

    /// Distance of two places, over the edges where that is nearer.
    pub fn distance(&self, a: (f64, f64), b: (f64, f64)) -> f64 {
        let (ly, lx) = self.sides();
        let along = |d: f64, l: f64| (d - l * (d / l).round()).abs();
        along(a.0 - b.0, ly).hypot(along(a.1 - b.1, lx))
    }

    /// Calls `visit(cell, cell below in y, cell above in y, cell below in x, cell above in x)` for every cell.
    pub fn neighbours(&self, mut visit: impl FnMut(usize, usize, usize, usize, usize)) {
        let (ny, nx) = (self.ny, self.nx);
        for j in 0..ny {
            let (row, down, up) = (j * nx, (j + ny - 1) % ny * nx, (j + 1) % ny * nx);
            for i in 0..nx {
                let left = if i == 0 { nx - 1 } else { i - 1 };
                let right = if i + 1 == nx { 0 } else { i + 1 };
                visit(row + i, down + i, up + i, row + left, row + right);
            }
        }
    }
}

/// Sum over the axes of second differences, divided by h², on a periodic grid of any number of axes, slowest first.
pub(crate) fn laplacian(extents: &[usize], h: f64, values: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    let scale = 1.0 / (h * h);
    let mut stride = values.len();
    for &n in extents {
        let block = stride;
        stride /= n;
        for start in (0..values.len()).step_by(block) {
            for k in 0..n {
                let here = start + k * stride;
                let below = start + (k + n - 1) % n * stride;
                let above = start + (k + 1) % n * stride;
                for i in 0..stride {
                    out[here + i] += scale * (values[below + i] + values[above + i] - 2.0 * values[here + i]);
                }
            }
        }
    }
}
