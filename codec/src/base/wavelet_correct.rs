//! Corrections of points that the wavelet leaves beyond the bound (SPEC §8.4.5).
use super::Geometry;
use super::wavelet::{CONTEXTS, Parameters};
use super::wavelet_bands::Band;
use super::wavelet_coding::{around, class, sixteenths};
use super::wavelet_transform::split;
use crate::entropy::{BitCoder, Magnitude, ResidualCoder};

/// Classes of expected magnitude, and of activity.
const EXPECTED: u32 = 32;
const ACTIVITY: u32 = 20;

/// How large the coefficients of one level are around each place, in classes.
struct Activity {
    class: Vec<u8>,
    n: [usize; 4],
    shift: [u32; 4],
}

impl Activity {
    /// Of the bands of a level; along axes that go first, of their `level + 1` finest scales.
    fn new(g: &Geometry, p: &Parameters, level: u8, bands: &[Band], codes: &[i16]) -> Activity {
        let together = split(p.levels, p.first);
        let all_first = together == [0; 4];
        let shift: [u32; 4] = std::array::from_fn(|a| {
            u32::from(if p.first >> (3 - a) & 1 == 1 { p.levels[a].min(1) } else { together[a].min(level) })
        });
        let n: [usize; 4] = std::array::from_fn(|a| ((g.n[a] - 1) >> shift[a]) + 1);
        let mut sum = vec![0u32; n.iter().product()];
        let mut row = vec![0u32; n[3]];
        let mut weight = 0;
        for band in bands {
            let along_first = |a: usize| p.first >> (3 - a) & 1 == 1 && band.scale[a] > u32::from(level) + 1;
            if !(all_first || band.level == level && band.orientation != 0) || (0..4).any(along_first) {
                continue;
            }
            let m = band.n;
            let back: [u32; 4] = std::array::from_fn(|a| band.scale[a] - shift[a]);
            for a in 0..n[0] {
                for b in 0..n[1] {
                    for y in 0..n[2] {
                        let at = [a, b, y];
                        let from = std::array::from_fn(|d| (at[d] >> back[d]).min(m[d] - 1));
                        let w = around(&mut row[..m[3]], codes, g, band.offset, m, from);
                        if a + b + y == 0 {
                            weight += w;
                        }
                        let i = ((a * n[1] + b) * n[2] + y) * n[3];
                        for (x, s) in sum[i..i + n[3]].iter_mut().enumerate() {
                            *s += row[(x >> back[3]).min(m[3] - 1)];
                        }
                    }
                }
            }
        }
        let scale = sixteenths(weight);
        let class = sum.iter().map(|&s| class(((u64::from(s) * scale) >> 16) as u32).min(ACTIVITY - 1) as u8).collect();
        Activity { class, n, shift }
    }

    /// First element of the row that belongs to row (a, b, y) of the chunk.
    fn row(&self, at: [usize; 3]) -> &[u8] {
        let k = |d: usize| (at[d] >> self.shift[d]).min(self.n[d] - 1);
        let i = ((k(0) * self.n[1] + k(1)) * self.n[2] + k(2)) * self.n[3];
        &self.class[i..i + self.n[3]]
    }
}

/// Corrects all points in the order of the array; `values` hold the reconstruction.
pub fn correct<C: BitCoder, const N: usize>(
    c: &mut C,
    g: &Geometry,
    p: &Parameters,
    bands: &[Band],
    q: &[i32],
    values: &mut [f64],
    originals: &[f64],
    mask: Option<&[bool]>,
) {
    let inverse = 1.0 / p.correction;
    let mut codes: Vec<i16> = q.iter().map(|q| (*q).clamp(-32767, 32767) as i16).collect();
    let fine = Activity::new(g, p, 1, bands, &codes);
    let coarse = Activity::new(g, p, 2, bands, &codes);
    codes.fill(0);
    const ORDER: [u32; CONTEXTS] = [
        EXPECTED * ACTIVITY,
        EXPECTED * ACTIVITY,
        EXPECTED * 16,
        1024 + EXPECTED * 16,
        ACTIVITY * ACTIVITY,
        EXPECTED * 16,
    ];
    let mut coder = ResidualCoder::<N>::new(std::array::from_fn(|k| ORDER[k] as usize), EXPECTED as usize);
    let s2 = g.stride[2];
    let s1 = g.stride[1];
    let dims = [g.n[2] > 1, g.n[1] > 1, g.n[0] > 1].into_iter().filter(|&d| d).count() as u32;
    let scale = sixteenths(4 + 2 + dims * 4 + if g.n[2] > 1 { 4 } else { 0 } + if g.n[1] > 1 { 4 } else { 0 });
    for a in 0..g.n[0] {
        for b in 0..g.n[1] {
            for y in 0..g.n[2] {
                let i0 = a * g.stride[0] + b * s1 + y * s2;
                let (fine_row, coarse_row) = (fine.row([a, b, y]), coarse.row([a, b, y]));
                let (mut w, mut ww) = (0i32, 0i32);
                for x in 0..g.n[3] {
                    let i = i0 + x;
                    if mask.is_some_and(|m| m[i]) {
                        (w, ww) = (0, w);
                        continue;
                    }
                    let at = |k: usize| i32::from(codes[i - k]);
                    let (mut n, mut t, mut u) = (0, 0, 0);
                    let mut sum = 4 * w.unsigned_abs() + 2 * ww.unsigned_abs();
                    if y > 0 {
                        n = at(s2);
                        sum += 4 * n.unsigned_abs();
                        if x + 1 < g.n[3] {
                            sum += 2 * at(s2 - 1).unsigned_abs();
                        }
                        if x > 0 {
                            sum += 2 * at(s2 + 1).unsigned_abs();
                        }
                    }
                    if b > 0 {
                        t = at(s1);
                        sum += 4 * t.unsigned_abs();
                        if x + 1 < g.n[3] {
                            sum += at(s1 - 1).unsigned_abs();
                        }
                        if x > 0 {
                            sum += at(s1 + 1).unsigned_abs();
                        }
                        if y > 0 {
                            sum += at(s1 + s2).unsigned_abs();
                        }
                        if y + 1 < g.n[2] {
                            sum += at(s1 - s2).unsigned_abs();
                        }
                    }
                    if a > 0 {
                        u = at(g.stride[0]);
                        sum += 4 * u.unsigned_abs();
                    }
                    let near = ((u64::from(sum) * scale) >> 16) as u32;
                    let e = class(near).min(EXPECTED - 1);
                    let f1 = u32::from(fine_row[(x >> fine.shift[3]).min(fine_row.len() - 1)]);
                    let f2 = u32::from(coarse_row[(x >> coarse.shift[3]).min(coarse_row.len() - 1)]);
                    let start = class((near * 10) >> 8);
                    let (aw, an, at_) = (w.unsigned_abs(), n.unsigned_abs(), t.unsigned_abs());
                    let parity = (x & 1) as u32 | (y as u32 & 1) << 1 | (b as u32 & 1) << 2;
                    let slots = [
                        e * ACTIVITY + f1,
                        e * ACTIVITY + f2,
                        e * 16 + parity,
                        if start < 3 {
                            ((aw.min(4) * 5 + an.min(4)) * 5 + at_.min(4)) * 3 + start
                        } else {
                            1024 + e * 16 + (class(aw * 16) + 8).saturating_sub(e).min(15)
                        },
                        f1 * ACTIVITY + f2,
                        e * 16 + class(ww.unsigned_abs() + u.unsigned_abs()).min(15),
                    ];
                    let sg = |v: i32| (v.signum() + 1) as u32;
                    let signs = sg(w) * 9 + sg(n) * 3 + sg(t);
                    let m = Magnitude {
                        slots: std::array::from_fn(|k| slots[k]),
                        start,
                        set: e,
                        sign: [signs * 16 + parity, (sg(ww) * 3 + sg(w)) * 9 + sg(u) * 3 + sg(n), 0],
                    };
                    let d = if C::DECODING {
                        0
                    } else {
                        let r = (originals[i] - values[i]) * inverse;
                        (r + if r < 0.0 { -0.5 } else { 0.5 }) as i64
                    };
                    let d = coder.code(c, d, &m);
                    values[i] += p.correction * d as f64;
                    let s = d.clamp(-32767, 32767) as i16;
                    codes[i] = s;
                    (w, ww) = (i32::from(s), w);
                }
            }
        }
    }
}
