//! The CDF 9/7 transform by lifting, without scaling, in exact double-precision arithmetic (SPEC §8.4.1).
use super::Geometry;
use crate::simd::{Kernel, widest};

/// Lifting coefficients of CDF 9/7.
const LIFT: [f64; 4] = [-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971];
/// Columns that are transformed together.
const BATCH: usize = 16;
/// Levels of decomposition at most, per axis.
pub const MAX_LEVELS: u8 = 14;

/// 1 ÷ the L2 norm of the synthesis of one low coefficient of level 1, 2, … along one axis.
pub const LOW: [f64; MAX_LEVELS as usize] = [
    0.877374608501,
    0.745345402552,
    0.641693557572,
    0.556501562360,
    0.483697056937,
    0.420666218151,
    0.365904104187,
    0.318282948498,
    0.276862147005,
    0.240832349284,
    0.209491458037,
    0.182229163261,
    0.158514669212,
    0.137886275383,
];
/// The same of one high coefficient.
pub const HIGH: [f64; MAX_LEVELS as usize] = [
    1.127043656891,
    1.016806485159,
    0.853124950680,
    0.729750801513,
    0.631643066108,
    0.548727337003,
    0.477160315751,
    0.415030271971,
    0.361012563094,
    0.314030360032,
    0.273163491293,
    0.237615133218,
    0.206692940736,
    0.179794837890,
];

/// target[i] += k·(a[i] + b[i]), every element on its own.
#[inline(always)]
fn lift(target: &mut [f64], a: &[f64], b: &[f64], k: f64) {
    for ((t, &a), &b) in target.iter_mut().zip(a).zip(b) {
        *t += k * (a + b);
    }
}

/// How a line goes on beyond its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Mirrored at its first and last element.
    Mirrored,
    /// As at its other end, if its length is even; else mirrored.
    Periodic,
    /// Straight on: turned by half about its first element, extrapolated behind its last.
    Straight,
}

/// The edges of every axis.
pub type Edges = [Edge; 4];

/// What the two lifting steps of the even samples together multiply a constant by: (1 + 2β(1 + 2α)), and one over it.
const GAIN: f64 = 1.230174104914001;
const INVERSE_GAIN: f64 = 0.8128930661159611;

/// One step of lifting of the odd samples `d` from the even ones `s` (both as rows of `w`).
#[inline(always)]
fn lift_odd(s: &[f64], d: &mut [f64], w: usize, k: f64, edge: Edge) {
    let (ns, nd) = (s.len() / w, d.len() / w);
    let inner = (ns - 1).min(nd) * w;
    let (body, tail) = d.split_at_mut(inner);
    lift(body, &s[..inner], &s[w..], k);
    let last = &s[(ns - 1) * w..];
    match edge {
        Edge::Periodic => lift(tail, last, s, k),
        Edge::Straight if ns > 1 => {
            let before = &s[(ns - 2) * w..];
            for ((t, &a), &b) in tail.iter_mut().zip(last).zip(before) {
                *t += k * ((a + a + a) - b);
            }
        }
        _ => lift(tail, last, last, k),
    }
}

/// One step of lifting of the even samples `s` from the odd ones `d`; straight ends are multiplied by `gain` instead.
#[inline(always)]
fn lift_even(s: &mut [f64], d: &[f64], w: usize, k: f64, edge: Edge, gain: f64) {
    let (ns, nd) = (s.len() / w, d.len() / w);
    let (first, rest) = s.split_at_mut(w);
    let last = &d[(nd - 1) * w..];
    match edge {
        Edge::Straight => first.iter_mut().for_each(|t| *t *= gain),
        Edge::Periodic if ns == nd => lift(first, last, &d[..w], k),
        _ => lift(first, &d[..w], &d[..w], k),
    }
    let inner = (ns.min(nd) - 1) * w;
    let (body, tail) = rest.split_at_mut(inner);
    lift(body, &d[..inner], &d[w..], k);
    match edge {
        Edge::Straight => tail.iter_mut().for_each(|t| *t *= gain),
        _ => lift(tail, last, last, k),
    }
}

/// A line (or a batch of `w` lines side by side): `lines` holds the even samples, then the odd ones.
#[inline(always)]
fn analyse(lines: &mut [f64], ns: usize, w: usize, edge: Edge) {
    let (s, d) = lines.split_at_mut(ns * w);
    lift_odd(s, d, w, LIFT[0], edge);
    lift_even(s, d, w, LIFT[1], edge, GAIN);
    lift_odd(s, d, w, LIFT[2], edge);
    lift_even(s, d, w, LIFT[3], edge, 1.0);
}

#[inline(always)]
fn synthesise(lines: &mut [f64], ns: usize, w: usize, edge: Edge) {
    let (s, d) = lines.split_at_mut(ns * w);
    lift_even(s, d, w, -LIFT[3], edge, 1.0);
    lift_odd(s, d, w, -LIFT[2], edge);
    lift_even(s, d, w, -LIFT[1], edge, INVERSE_GAIN);
    lift_odd(s, d, w, -LIFT[0], edge);
}

/// One level along one axis over the leading box of extents `m`.
fn along(v: &mut [f64], g: &Geometry, m: [usize; 4], axis: usize, edges: Edges, buffer: &mut Vec<f64>, inverse: bool) {
    struct Along<'a>(&'a mut [f64], &'a Geometry, [usize; 4], usize, Edges, &'a mut Vec<f64>, bool);
    impl Kernel for Along<'_> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Along(v, g, m, axis, edges, buffer, inverse) = self;
            along_any(v, g, m, axis, edges, buffer, inverse);
        }
    }
    widest(Along(v, g, m, axis, edges, buffer, inverse));
}

#[inline(always)]
fn along_any(
    v: &mut [f64],
    g: &Geometry,
    m: [usize; 4],
    axis: usize,
    edges: Edges,
    buffer: &mut Vec<f64>,
    inverse: bool,
) {
    let n = m[axis];
    if n < 2 {
        return;
    }
    let ns = n.div_ceil(2);
    let edge = edges[axis];
    let mut others = m;
    others[axis] = 1;
    let contiguous = axis == 3;
    let width = if contiguous { 1 } else { m[3] };
    others[3] = 1;
    let stride = g.stride[axis];
    buffer.resize(n * BATCH, 0.0);
    for a in 0..others[0] {
        for b in 0..others[1] {
            for c in 0..others[2] {
                let row = a * g.stride[0] + b * g.stride[1] + c * g.stride[2];
                if contiguous {
                    let line = &mut v[row..row + n];
                    let buf = &mut buffer[..n];
                    if inverse {
                        buf.copy_from_slice(line);
                        synthesise(buf, ns, 1, edge);
                        let (s, d) = buf.split_at(ns);
                        for (k, x) in line.chunks_exact_mut(2).enumerate() {
                            x[0] = s[k];
                            x[1] = d[k];
                        }
                        if n % 2 == 1 {
                            line[n - 1] = s[ns - 1];
                        }
                    } else {
                        let (s, d) = buf.split_at_mut(ns);
                        for (k, x) in line.chunks_exact(2).enumerate() {
                            s[k] = x[0];
                            d[k] = x[1];
                        }
                        if n % 2 == 1 {
                            s[ns - 1] = line[n - 1];
                        }
                        analyse(buf, ns, 1, edge);
                        line.copy_from_slice(buf);
                    }
                    continue;
                }
                for x0 in (0..width).step_by(BATCH) {
                    let w = BATCH.min(width - x0);
                    let (v, buf) = (&mut v[row + x0..], &mut buffer[..n * w]);
                    // Constant widths let the compiler use whole vectors.
                    match w {
                        BATCH => columns(v, buf, (n, BATCH, stride), edge, inverse),
                        _ => columns(v, buf, (n, w, stride), edge, inverse),
                    }
                }
            }
        }
    }
}

/// One level of `w` lines of `n` elements side by side; neighbours in a line are `stride` elements apart.
#[inline(always)]
fn columns(v: &mut [f64], buf: &mut [f64], (n, w, stride): (usize, usize, usize), edge: Edge, inverse: bool) {
    let ns = n.div_ceil(2);
    let apart = |k: usize| k / 2 + (k % 2) * ns;
    // Element by element: a call for every row would take as long as all that it copies.
    let copy = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    for k in 0..n {
        let place = if inverse { k } else { apart(k) };
        copy(&mut buf[place * w..][..w], &v[k * stride..][..w]);
    }
    match inverse {
        false => analyse(buf, ns, w, edge),
        true => synthesise(buf, ns, w, edge),
    }
    for k in 0..n {
        let place = if inverse { apart(k) } else { k };
        copy(&mut v[k * stride..][..w], &buf[place * w..][..w]);
    }
}

/// Extents of the leading box that level `level` (1 is the finest) splits.
pub fn extents(g: &Geometry, levels: [u8; 4], level: u8) -> [usize; 4] {
    std::array::from_fn(|a| {
        let mut n = g.n[a];
        for _ in 1..level.min(levels[a] + 1) {
            n = n.div_ceil(2);
        }
        n
    })
}

/// Levels of the axes that go down together; those in the set `first` go to their full depth before.
pub fn split(levels: [u8; 4], first: u8) -> [u8; 4] {
    std::array::from_fn(|a| if first >> (3 - a) & 1 == 1 { 0 } else { levels[a] })
}

/// Extents of the box that level `level` of axis `axis`, which goes first, splits.
fn first_extents(g: &Geometry, axis: usize, level: u8) -> [usize; 4] {
    let mut m = g.n;
    for _ in 1..level {
        m[axis] = m[axis].div_ceil(2);
    }
    m
}

/// Values to coefficients, in place: the low half of every split axis first.
#[inline]
pub fn forward(v: &mut [f64], g: &Geometry, levels: [u8; 4], first: u8, edges: Edges) {
    let mut buffer = Vec::new();
    for axis in (0..4).rev().filter(|a| first >> (3 - a) & 1 == 1) {
        for level in 1..=levels[axis] {
            along(v, g, first_extents(g, axis, level), axis, edges, &mut buffer, false);
        }
    }
    let levels = split(levels, first);
    for level in 1..=levels.into_iter().max().unwrap_or(0) {
        let m = extents(g, levels, level);
        for axis in (0..4).rev() {
            if levels[axis] >= level {
                along(v, g, m, axis, edges, &mut buffer, false);
            }
        }
    }
}

/// Coefficients to values, in place.
#[inline]
pub fn inverse(v: &mut [f64], g: &Geometry, levels: [u8; 4], first: u8, edges: Edges) {
    let mut buffer = Vec::new();
    let together = split(levels, first);
    for level in (1..=together.into_iter().max().unwrap_or(0)).rev() {
        let m = extents(g, together, level);
        for axis in 0..4 {
            if together[axis] >= level {
                along(v, g, m, axis, edges, &mut buffer, true);
            }
        }
    }
    for axis in (0..4).filter(|a| first >> (3 - a) & 1 == 1) {
        for level in (1..=levels[axis]).rev() {
            along(v, g, first_extents(g, axis, level), axis, edges, &mut buffer, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_forward() {
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            seed >> 33
        };
        for _ in 0..200 {
            let shape: Vec<usize> = (0..1 + next() % 4).map(|_| 1 + (next() % 20) as usize).collect();
            let g = Geometry::new(&shape);
            let x: Vec<f64> = (0..g.len()).map(|_| next() as f64 / (1u64 << 31) as f64).collect();
            let levels = std::array::from_fn(|_| (next() % 6) as u8);
            let mut y = x.clone();
            let first = (next() % 16) as u8;
            let edges =
                std::array::from_fn(|_| [Edge::Mirrored, Edge::Periodic, Edge::Straight][(next() % 3) as usize]);
            forward(&mut y, &g, levels, first, edges);
            inverse(&mut y, &g, levels, first, edges);
            for (a, b) in x.iter().zip(&y) {
                assert!((a - b).abs() < 1e-9, "{shape:?} {levels:?}");
            }
        }
    }

    #[test]
    fn weights_are_synthesis_norms() {
        let g = Geometry::new(&[1 << 12]);
        for level in 1..=6u8 {
            for (table, high) in [(&LOW, false), (&HIGH, true)] {
                let half = g.n[3] >> level;
                let mut v = vec![0.0; g.len()];
                v[half / 2 + if high { half } else { 0 }] = 1.0;
                inverse(&mut v, &g, [0, 0, 0, level], 0, [Edge::Mirrored; 4]);
                let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
                assert!((norm * table[usize::from(level) - 1] - 1.0).abs() < 1e-9);
            }
        }
    }
}
