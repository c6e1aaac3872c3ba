//! What is known about a quantised coefficient before it is coded: the walk over bands and rows (SPEC §8.4.3).
use super::Geometry;
use super::wavelet_bands::Band;
use crate::entropy::log_class;

/// What the walk knows at one coefficient.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// Expected magnitude in sixteenths.
    pub expected: u32,
    /// Mean magnitude of neighbours in the band, of the parent, of the cousins, all in sixteenths.
    pub near: u32,
    /// See `near`.
    pub parent: u32,
    /// See `near`.
    pub cousin: u32,
    /// Neighbours before it along x, y, b, a.
    pub w: i32,
    /// See `w`.
    pub n: i32,
    /// See `w`.
    pub t: i32,
    /// See `w`.
    pub u: i32,
}

/// What is done at every coefficient.
pub trait Visitor {
    /// Starts a band. False: all of it is zero and it is left out.
    fn band(&mut self, band: &Band, index: usize) -> bool;
    /// The quantised coefficient at `i`, saturated to 16 bits.
    fn point(&mut self, i: usize, f: &Features) -> i16;
}

/// Classes of expected magnitude.
pub const CLASSES: u32 = 48;

/// The class of an expected magnitude.
#[inline(always)]
pub fn class(v: u32) -> u32 {
    log_class(u64::from(v)).min(CLASSES - 1)
}

/// Weights of neighbours, parent and cousins in the expected magnitude.
const MIX: [u32; 3] = [8, 1, 2];

/// Adds `k` × magnitudes of the row of `n` codes at `i`, moved by `shift` elements, to `sum`.
#[inline(always)]
fn add(sum: &mut [u32], codes: &[i16], i: usize, n: usize, k: u32, shift: isize) {
    let row = &codes[i..i + n];
    let n = n.min(sum.len());
    match shift {
        0 => {
            for (s, q) in sum[..n].iter_mut().zip(row) {
                *s += k * u32::from(q.unsigned_abs());
            }
        }
        1 => {
            // The element after.
            for (s, q) in sum[..n].iter_mut().zip(&row[1..]) {
                *s += k * u32::from(q.unsigned_abs());
            }
        }
        _ => {
            for (s, q) in sum[1..n].iter_mut().zip(row) {
                *s += k * u32::from(q.unsigned_abs());
            }
        }
    }
}

/// Magnitudes around each element of a row of a finished band: twice its own, and its neighbours on all sides.
pub fn around(sum: &mut [u32], codes: &[i16], g: &Geometry, offset: usize, n: [usize; 4], at: [usize; 3]) -> u32 {
    let i = offset + at[0] * g.stride[0] + at[1] * g.stride[1] + at[2] * g.stride[2];
    sum.fill(0);
    add(sum, codes, i, n[3], 2, 0);
    let mut weight = 2;
    if n[3] > 1 {
        add(sum, codes, i, n[3], 1, 1);
        add(sum, codes, i, n[3], 1, -1);
        weight += 2;
    }
    for a in 0..3 {
        if n[a] > 1 {
            weight += 2;
            if at[a] > 0 {
                add(sum, codes, i - g.stride[a], n[3], 1, 0);
            }
            if at[a] + 1 < n[a] {
                add(sum, codes, i + g.stride[a], n[3], 1, 0);
            }
        }
    }
    weight
}

/// 16 ÷ weight in units of 2^-16.
pub fn sixteenths(weight: u32) -> u64 {
    (16 << 16) / u64::from(weight.max(1))
}

/// Visits every coefficient in coding order; `codes` receives what the visitor returns.
pub fn walk<V: Visitor>(v: &mut V, g: &Geometry, bands: &[Band], codes: &mut [i16]) {
    let mut cousins: Vec<u32> = Vec::new();
    let mut cousin_weight = 0u32;
    let mut cousin_n = [0usize; 4];
    let mut row_parent: Vec<u32> = Vec::new();
    let mut fixed: Vec<u32> = Vec::new();
    for (k, band) in bands.iter().enumerate() {
        let n = band.n;
        let width = n[3];
        if band.first {
            let group = bands[k + 1..].iter().take_while(|b| !b.first).count();
            cousins.clear();
            cousin_weight = 0;
            if group > 0 {
                // Bands of a group differ by at most one in each extent.
                cousin_n = std::array::from_fn(|a| bands[k..=k + group].iter().map(|b| b.n[a]).max().unwrap_or(0));
                cousins.resize(cousin_n.iter().product(), 0);
            }
        }
        let some = v.band(band, k);
        if some {
            let dims = (0..3).filter(|&a| n[a] > 1).count() as u32;
            // W and the neighbours before it along each axis weigh 4, W W 1, NW, NE and the like 2 and 1.
            let near_scale = sixteenths(4 + 1 + dims * 4 + if n[2] > 1 { 4 } else { 0 } + if n[1] > 1 { 4 } else { 0 });
            let cousin_scale = sixteenths(cousin_weight);
            let weights = [
                u64::from(MIX[0]),
                if band.parent.is_some() { u64::from(MIX[1]) } else { 0 },
                if cousin_weight > 0 { u64::from(MIX[2]) } else { 0 },
            ];
            let total = (1 << 16) / weights.iter().sum::<u64>().max(1);
            fixed.resize(width, 0);
            let mut parent_scale = 0;
            let mut parent_shift = 0;
            for a in 0..n[0] {
                for b in 0..n[1] {
                    for y in 0..n[2] {
                        let i0 = band.offset + a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                        fixed.fill(0);
                        if y > 0 {
                            let up = i0 - g.stride[2];
                            add(&mut fixed, codes, up, width, 4, 0);
                            add(&mut fixed, codes, up, width, 2, 1);
                            add(&mut fixed, codes, up, width, 2, -1);
                        }
                        if b > 0 {
                            let up = i0 - g.stride[1];
                            add(&mut fixed, codes, up, width, 4, 0);
                            add(&mut fixed, codes, up, width, 1, 1);
                            add(&mut fixed, codes, up, width, 1, -1);
                            if y > 0 {
                                add(&mut fixed, codes, up - g.stride[2], width, 1, 0);
                            }
                            if y + 1 < n[2] {
                                add(&mut fixed, codes, up + g.stride[2], width, 1, 0);
                            }
                        }
                        if a > 0 {
                            add(&mut fixed, codes, i0 - g.stride[0], width, 4, 0);
                        }
                        if let Some(p) = &band.parent {
                            row_parent.resize(p.n[3], 0);
                            let at = [a, b, y];
                            let at = std::array::from_fn(|d| (at[d] >> p.shift[d]).min(p.n[d] - 1));
                            parent_scale = sixteenths(around(&mut row_parent, codes, g, p.offset, p.n, at));
                            parent_shift = p.shift[3];
                        }
                        let c0 = ((a * cousin_n[1] + b) * cousin_n[2] + y) * cousin_n[3];
                        let (mut w, mut ww) = (0i32, 0i32);
                        for x in 0..width {
                            let i = i0 + x;
                            let near =
                                (u64::from(fixed[x] + 4 * w.unsigned_abs() + ww.unsigned_abs()) * near_scale) >> 16;
                            let parent = if band.parent.is_some() {
                                (u64::from(row_parent[(x >> parent_shift).min(row_parent.len() - 1)]) * parent_scale)
                                    >> 16
                            } else {
                                0
                            };
                            let cousin =
                                if cousin_weight > 0 { (u64::from(cousins[c0 + x]) * cousin_scale) >> 16 } else { 0 };
                            let expected =
                                ((near * weights[0] + parent * weights[1] + cousin * weights[2]) * total) >> 16;
                            let f = Features {
                                expected: expected as u32,
                                near: near as u32,
                                parent: parent as u32,
                                cousin: cousin as u32,
                                w,
                                n: if y > 0 { i32::from(codes[i - g.stride[2]]) } else { 0 },
                                t: if b > 0 { i32::from(codes[i - g.stride[1]]) } else { 0 },
                                u: if a > 0 { i32::from(codes[i - g.stride[0]]) } else { 0 },
                            };
                            let q = v.point(i, &f);
                            codes[i] = q;
                            ww = w;
                            w = i32::from(q);
                        }
                    }
                }
            }
        }
        if !cousins.is_empty() {
            let mut weight = 0;
            let mut row = vec![0u32; width];
            for a in 0..n[0] {
                for b in 0..n[1] {
                    for y in 0..n[2] {
                        if some {
                            weight = around(&mut row, codes, g, band.offset, n, [a, b, y]);
                            let c0 = ((a * cousin_n[1] + b) * cousin_n[2] + y) * cousin_n[3];
                            for (c, r) in cousins[c0..c0 + width].iter_mut().zip(&row) {
                                *c += r;
                            }
                        }
                    }
                }
            }
            if !some {
                weight = 2 + 2 * (0..4).filter(|&a| n[a] > 1).count() as u32;
            }
            cousin_weight += weight;
        }
    }
}
