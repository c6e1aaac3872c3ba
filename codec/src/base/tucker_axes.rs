//! The encoder's orthogonal axes: eigenvectors of what fibres along an axis have in common, and how many of them matter.
use super::Geometry;

/// Fibres for each dimension of an axis that tell what fibres have in common.
const FIBRES: usize = 24;
/// Rotations go round so often at most, and leave alone what two axes hardly have in common.
const ROUNDS: usize = 12;
const APART: f64 = 1e-8;

/// The matrix of products of some fibres along axis `a`, n × n.
fn gram(v: &[f64], g: &Geometry, a: usize) -> Vec<f64> {
    let (n, inner) = (g.n[a], g.stride[a]);
    let mut m = vec![0.0; n * n];
    // Odd, so that fibres are not always taken from the same place.
    let thin = (v.len() / n / (FIBRES * n)) | 1;
    if inner == 1 {
        for fibre in v.chunks(n).step_by(thin) {
            for (i, &x) in fibre.iter().enumerate() {
                for (m, y) in m[i * n..i * n + i + 1].iter_mut().zip(fibre) {
                    *m += x * y;
                }
            }
        }
    } else {
        // Some of all fibres, side by side.
        let columns = v.len() / n;
        let some = columns.div_ceil(thin);
        let mut rows = vec![0.0; n * some];
        for (k, f) in (0..columns).step_by(thin).enumerate() {
            let start = f / inner * n * inner + f % inner;
            for i in 0..n {
                rows[i * some + k] = v[start + i * inner];
            }
        }
        for i in 0..n {
            for j in 0..=i {
                m[i * n + j] = dot(&rows[i * some..][..some], &rows[j * some..][..some]);
            }
        }
    }
    for i in 0..n {
        for j in 0..i {
            m[j * n + i] = m[i * n + j];
        }
    }
    m
}

/// A dot product, in eight sums.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (x, rest_x) = a.as_chunks::<8>();
    let (y, rest_y) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest_x.iter().zip(rest_y).map(|(x, y)| x * y).sum::<f64>()
}

/// Eigenvectors of a symmetric matrix, one a row, those of the largest eigenvalues first (cyclic Jacobi rotations).
fn eigenvectors(mut m: Vec<f64>, n: usize) -> Vec<f64> {
    let mut v = vec![0.0; n * n];
    for i in 0..n {
        v[i * n + i] = 1.0;
    }
    let trace: f64 = (0..n).map(|i| m[i * n + i]).sum();
    for _ in 0..ROUNDS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (x, a, b) = (m[p * n + q], m[p * n + p], m[q * n + q]);
                if x.abs() <= 1e-15 * trace || x * x <= APART * a.abs() * b.abs() {
                    continue;
                }
                rotated = true;
                let theta = (b - a) / (2.0 * x);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                rotate(&mut m, n, p, q, c, s);
                for k in 0..n {
                    let (x, y) = (m[k * n + p], m[k * n + q]);
                    m[k * n + p] = c * x - s * y;
                    m[k * n + q] = s * x + c * y;
                }
                rotate(&mut v, n, p, q, c, s);
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| m[j * n + j].total_cmp(&m[i * n + i]));
    order.iter().flat_map(|&k| v[k * n..(k + 1) * n].iter().copied()).collect()
}

/// Rotates rows p < q of a matrix of n columns.
fn rotate(m: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    let (head, tail) = m.split_at_mut(q * n);
    for (x, y) in head[p * n..(p + 1) * n].iter_mut().zip(&mut tail[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Orthonormal axes, one a row, best first.
pub fn principal(v: &[f64], g: &Geometry, a: usize) -> Vec<f64> {
    eigenvectors(gram(v, g, a), g.n[a])
}

/// How many of an axis's dimensions its fibres use, beyond errors of `tolerance`: of some of them, that each time the
/// one is taken out which has most left.
pub fn rank(v: &[f64], g: &Geometry, a: usize, tolerance: f64) -> usize {
    let (n, inner) = (g.n[a], g.stride[a]);
    let fibres = v.len() / n;
    let some = (n + 8).min(fibres);
    let mut all: Vec<Vec<f64>> = (0..some)
        .map(|k| {
            // Spread over both what is outside of the axis and what is inside.
            let f = (k * fibres / some + (k * 7919) % (fibres / some).max(1)) % fibres;
            let start = f / inner * n * inner + f % inner;
            (0..n).map(|i| v[start + i * inner]).collect()
        })
        .collect();
    let mut left: Vec<f64> = all.iter().map(|f| dot(f, f)).collect();
    let enough = tolerance * tolerance * n as f64;
    for r in 0..n.min(some) {
        let Some((k, &most)) = left.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) else { return r };
        if most <= enough {
            return r;
        }
        let axis = all.swap_remove(k);
        left.swap_remove(k);
        for (f, left) in all.iter_mut().zip(&mut left).filter(|(_, left)| **left > enough) {
            let along = dot(&axis, f) / most;
            for (f, x) in f.iter_mut().zip(&axis) {
                *f -= along * x;
            }
            *left = dot(f, f);
        }
    }
    n.min(some)
}
