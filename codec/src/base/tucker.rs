//! The Tucker base: a small core array times one matrix of factors per axis, then corrections of points beyond a bound
//! (SPEC §8.9). For fields of low rank: separable ones, symmetric ones, and those of few harmonics in any basis.
use super::contexts::{SETS, SLOTS};
use super::integers::{self, LARGEST};
use super::wavelet_correct::correct;
use super::wavelet_transform::Edge;
use super::{Geometry, wavelet};
use crate::Error;
use crate::bytes::{Bytes, put_step};
use crate::entropy::{BitCoder, Place, Residuals, Start};
use crate::simd::{Kernel, widest};
use std::sync::Arc;

/// The largest extent of an axis that has factors.
pub const LONGEST: usize = 256;

/// What decode needs to know, and what the encoder found.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Per axis, how many factors it has; 0: none, the core is as long as the chunk.
    pub ranks: [usize; 4],
    /// How fine factors are: 16ths of the step at which their errors weigh as much as the core's.
    pub fineness: u8,
    /// Step of the core.
    pub step: f64,
    /// Step of the corrections, twice the bound; 0: there are none.
    pub correction: f64,
    /// Added to all values.
    pub mean: f64,
    /// Encoder only: what is coded.
    pub found: Arc<Integers>,
}

/// What a stream holds, but for corrections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Integers {
    /// In C order.
    pub core: Vec<i64>,
    /// Per axis and factor, how many factors' values before one predict it.
    pub orders: [Vec<u8>; 4],
    /// Per axis, one row per factor.
    pub factors: [Vec<i64>; 4],
}

fn bad<T>(what: &str) -> Result<T, Error> {
    Err(Error::Corrupt { what: what.into(), section: "8.9" })
}

impl Parameters {
    /// Appends the bytes that `read` reads.
    pub fn write(&self, out: &mut Vec<u8>) {
        let axes = (0..4).filter(|&a| self.ranks[a] > 0);
        let corrected = u8::from(self.correction > 0.0) << 4;
        out.push(axes.clone().fold(corrected, |v, a| v | 1 << a));
        out.extend(axes.map(|a| (self.ranks[a] - 1) as u8));
        out.push(self.fineness);
        put_step(out, self.step);
        if self.correction > 0.0 {
            put_step(out, self.correction);
        }
        out.extend_from_slice(&((self.mean.to_bits() >> 40) as u32).to_le_bytes()[..3]);
    }

    /// Reads what `write` wrote.
    pub fn read(b: &mut Bytes<'_>) -> Result<Self, Error> {
        let axes = b.byte()?;
        if axes > 31 {
            return bad("a bit that must be zero is set");
        }
        let mut ranks = [0; 4];
        for (a, rank) in ranks.iter_mut().enumerate() {
            if axes >> a & 1 == 1 {
                *rank = usize::from(b.byte()?) + 1;
            }
        }
        let fineness = b.byte()?;
        if fineness == 0 {
            return bad("factors without a step");
        }
        let step = b.step()?;
        let correction = if axes & 16 > 0 { b.step()? } else { 0.0 };
        let m = b.take(3)?;
        let mean = f64::from_bits(u64::from(u32::from_le_bytes([m[0], m[1], m[2], 0])) << 40);
        if !mean.is_finite() {
            return bad("mean is not a number");
        }
        Ok(Parameters { ranks, fineness, step, correction, mean, found: Arc::default() })
    }

    /// Whether a chunk can have as many factors.
    pub fn check(&self, g: &Geometry) -> Result<(), Error> {
        if (0..4).any(|a| self.ranks[a] > 0 && (g.n[a] > LONGEST || self.ranks[a] > g.n[a])) {
            return bad("an axis has more factors than it can have");
        }
        Ok(())
    }

    /// Extents of the core.
    pub fn extents(&self, g: &Geometry) -> [usize; 4] {
        std::array::from_fn(|a| if self.ranks[a] > 0 { self.ranks[a] } else { g.n[a] })
    }
}

/// The prediction of a factor's value from those before it: zero, or a polynomial through the last ones.
#[inline]
pub fn predict(order: u8, before: &[i64]) -> i64 {
    match (order, before) {
        (0, _) | (_, []) => 0,
        (1, [.., a]) | (_, [a]) => *a,
        (2, [.., b, a]) | (_, [b, a]) => 2 * a - b,
        (_, [.., c, b, a]) => 3 * (a - b) + c,
    }
}

/// Codes (or decodes) a chunk; `values` then holds the reconstruction. An encoder gives the originals.
#[inline(always)]
pub fn code<C: BitCoder, R: Residuals>(
    c: &mut C,
    g: Geometry,
    p: &Parameters,
    values: &mut [f64],
    mask: Option<&[bool]>,
    start: &Start<'_>,
) {
    let mut it = if C::DECODING { empty(&g, p) } else { (*p.found).clone() };
    code_integers::<C, R>(c, &g, p, &mut it, start);
    let originals = if C::DECODING || p.correction == 0.0 { Vec::new() } else { values.to_vec() };
    reconstruct(&g, p, &it, values);
    if p.correction > 0.0 {
        let plain = wavelet::Parameters {
            levels: [0; 4],
            first: 0,
            edges: [Edge::Mirrored; 4],
            step: p.step,
            mean: 0.0,
            shift: [0; 2],
            correction: p.correction,
            trellis: false,
            lambda: 0.0,
            scalar: p.step,
            found: None,
        };
        correct::<C, R>(c, &g, &plain, &[], vec![0; values.len()], values, &originals, mask, &Start::default());
    }
}

fn empty(g: &Geometry, p: &Parameters) -> Integers {
    Integers {
        core: vec![0; p.extents(g).iter().product()],
        orders: p.ranks.map(|r| vec![0; r]),
        factors: std::array::from_fn(|a| vec![0; p.ranks[a] * g.n[a]]),
    }
}

/// Codes (or decodes) the core, then the factors of every axis as errors of their predictions.
#[inline(always)]
pub fn code_integers<C: BitCoder, R: Residuals>(
    c: &mut C,
    g: &Geometry,
    p: &Parameters,
    it: &mut Integers,
    start: &Start<'_>,
) {
    let mut core: R = start.coder(Place::Core, SLOTS, SETS);
    integers::code(c, &mut core, p.extents(g), 0, &mut it.core);
    start.leave(Place::Core, || core.states());
    let mut coder: R = start.coder(Place::Factors, SLOTS, SETS);
    for a in (0..4).filter(|&a| p.ranks[a] > 0) {
        let (n, r) = (g.n[a], p.ranks[a]);
        for order in &mut it.orders[a] {
            *order = c.raw(u32::from(*order), 2) as u8;
        }
        let mut errors = vec![0; n * r];
        let orders = &it.orders[a];
        let factors = &mut it.factors[a];
        if !C::DECODING {
            for (k, (row, errors)) in factors.chunks(n).zip(errors.chunks_mut(n)).enumerate() {
                for i in 0..n {
                    errors[i] = row[i] - predict(orders[k], &row[..i]);
                }
            }
        }
        integers::code(c, &mut coder, [1, 1, r, n], a as u32 + 1, &mut errors);
        for (k, (row, errors)) in factors.chunks_mut(n).zip(errors.chunks(n)).enumerate() {
            for i in 0..n {
                row[i] = (predict(orders[k], &row[..i]) + errors[i]).clamp(-LARGEST, LARGEST);
            }
        }
    }
    start.leave(Place::Factors, || coder.states());
}

/// Values from integers.
pub fn reconstruct(g: &Geometry, p: &Parameters, it: &Integers, values: &mut [f64]) {
    let mut n = p.extents(g);
    let mut v: Vec<f64> = it.core.iter().map(|&q| p.step * q as f64).collect();
    for a in (0..4).rev().filter(|&a| p.ranks[a] > 0) {
        let norms = norms(&it.core, p.extents(g), a);
        let weights = norms.iter().map(|&s| (f64::from(p.fineness) * 0.0625) / s as f64);
        let rows = it.factors[a].chunks(g.n[a]).zip(weights);
        let factors: Vec<f64> = rows.flat_map(|(row, w)| row.iter().map(move |&f| f as f64 * w)).collect();
        v = expand(&v, n, a, &factors, g.n[a]);
        n[a] = g.n[a];
    }
    for (to, v) in values.iter_mut().zip(v) {
        *to = v + p.mean;
    }
}

/// For every index on axis `a` of the core: the root, rounded down, of the sum of its squares there, at least 1.
pub fn norms(core: &[i64], n: [usize; 4], a: usize) -> Vec<u64> {
    let stride: usize = n[a + 1..].iter().product();
    let mut sums = vec![0u128; n[a]];
    for (k, slab) in core.chunks(stride.max(1)).enumerate() {
        sums[k % n[a]] += slab.iter().map(|&q| u128::from(q.unsigned_abs()).pow(2)).sum::<u128>();
    }
    sums.into_iter().map(|s| (s.isqrt() as u64).max(1)).collect()
}

/// Elements of a row that are summed up together: as many as registers hold.
const TILE: usize = 32;

/// Copies the elements from `x` on of rows that are `width` long; returns how many.
#[inline(always)]
fn gather(rows: &[f64], width: usize, x: usize, tile: &mut [[f64; TILE]]) -> usize {
    let w = TILE.min(width - x);
    for (t, row) in tile.iter_mut().zip(rows.chunks(width)) {
        t[..w].copy_from_slice(&row[x..x + w]);
    }
    w
}

/// The sums of products of every weight with its row, in order.
#[inline(always)]
fn weighted<'a>(rows: impl Iterator<Item = (&'a f64, &'a [f64; TILE])>) -> [f64; TILE] {
    let mut sums = [0.0; TILE];
    for (w, row) in rows {
        for (s, v) in sums.iter_mut().zip(row) {
            *s += w * v;
        }
    }
    sums
}

/// The array `v` of extents `n`, its axis `a` multiplied by factors (one row of `len` per index) in order.
pub fn expand(v: &[f64], n: [usize; 4], a: usize, factors: &[f64], len: usize) -> Vec<f64> {
    struct Run<'a>(&'a [f64], usize, usize, &'a [f64], usize, &'a mut [f64]);
    impl Kernel for Run<'_> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Run(v, rank, inner, factors, len, out) = self;
            // Part of all rows, side by side in memory: else they would push each other out of the cache.
            let mut tile = vec![[0.0; TILE]; rank];
            if inner == 1 {
                for x in (0..len).step_by(TILE) {
                    let w = gather(factors, len, x, &mut tile);
                    for (from, to) in v.chunks(rank).zip(out.chunks_mut(len)) {
                        to[x..x + w].copy_from_slice(&weighted(from.iter().zip(&tile))[..w]);
                    }
                }
                return;
            }
            let across: Vec<f64> = (0..len).flat_map(|i| factors.iter().skip(i).step_by(len)).copied().collect();
            for (from, to) in v.chunks(rank * inner).zip(out.chunks_mut(len * inner)) {
                for x in (0..inner).step_by(TILE) {
                    let w = gather(from, inner, x, &mut tile);
                    for (factors, to) in across.chunks(rank).zip(to.chunks_mut(inner)) {
                        to[x..x + w].copy_from_slice(&weighted(factors.iter().zip(&tile))[..w]);
                    }
                }
            }
        }
    }
    let inner: usize = n[a + 1..].iter().product();
    let outer: usize = n[..a].iter().product();
    let mut out = vec![0.0; outer * len * inner];
    if !out.is_empty() && n[a] > 0 {
        widest(Run(v, n[a], inner, factors, len, &mut out));
    }
    out
}
