//! Corrections of points that the wavelet leaves beyond the bound (SPEC §8.4.5).
use super::Geometry;
use super::wavelet::Parameters;
use super::wavelet_bands::Band;
use super::wavelet_coding::{around, around_weight, before, class, copy, scaled, sixteenths};
use super::wavelet_runs::{Beside, LEAST, POSITIONS, RUN, RunCoder, holds};
use super::wavelet_transform::split;
use crate::entropy::{Aside, BitCoder, CONTEXTS, Magnitude, Place, Residuals, Start};

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
    #[inline(always)]
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
            weight += around_weight(m);
            let back: [u32; 4] = std::array::from_fn(|a| band.scale[a] - shift[a]);
            for a in 0..n[0] {
                for b in 0..n[1] {
                    for y in 0..n[2] {
                        let at = [a, b, y];
                        let from = std::array::from_fn(|d| (at[d] >> back[d]).min(m[d] - 1));
                        around(&mut row[..m[3]], codes, g, band.offset, m, from);
                        let i = ((a * n[1] + b) * n[2] + y) * n[3];
                        for (x, s) in sum[i..i + n[3]].iter_mut().enumerate() {
                            *s += row[(x >> back[3]).min(m[3] - 1)];
                        }
                    }
                }
            }
        }
        let scale = sixteenths(weight);
        let class = sum.iter().map(|&s| class(scaled(s, scale)).min(ACTIVITY - 1) as u8).collect();
        Activity { class, n, shift }
    }

    /// First element of the row that belongs to row (a, b, y) of the chunk.
    fn row(&self, at: [usize; 3]) -> &[u8] {
        let k = |d: usize| (at[d] >> self.shift[d]).min(self.n[d] - 1);
        let i = ((k(0) * self.n[1] + k(1)) * self.n[2] + k(2)) * self.n[3];
        &self.class[i..i + self.n[3]]
    }
}

/// The integer that corrects a value (encoder).
#[inline]
fn correction(original: f64, value: f64, inverse: f64) -> i64 {
    let r = (original - value) * inverse;
    (r + if r < 0.0 { -0.5 } else { 0.5 }) as i64
}

/// Corrects all points in the order of the array; `values` hold the reconstruction, `codes` those of the coefficients.
#[inline(always)]
pub fn correct<C: BitCoder, R: Residuals>(
    c: &mut C,
    g: &Geometry,
    p: &Parameters,
    bands: &[Band],
    mut codes: Vec<i16>,
    values: &mut [f64],
    originals: &[f64],
    mask: Option<&[bool]>,
    start: &Start<'_>,
) {
    let inverse = 1.0 / p.correction;
    let fine = Activity::new(g, p, 1, bands, &codes);
    let coarse = Activity::new(g, p, 2, bands, &codes);
    codes.fill(0);
    const ORDER: [u32; CONTEXTS] = [
        EXPECTED * ACTIVITY,
        EXPECTED * POSITIONS,
        EXPECTED * 16,
        1024 + EXPECTED * 16,
        ACTIVITY * ACTIVITY,
        EXPECTED * 16,
    ];
    let slots = std::array::from_fn(|k| ORDER[k] as usize);
    let mut coder: R = start.coder(Place::Corrections, slots, 2 * EXPECTED as usize);
    let mut runs = RunCoder::new(start.of(Place::CorrectionRuns));
    let mut held = vec![0u8; codes.len()];
    let dims = [g.n[2] > 1, g.n[1] > 1, g.n[0] > 1].into_iter().filter(|&d| d).count() as u32;
    let scale = sixteenths(4 + 2 + dims * 4 + if g.n[2] > 1 { 4 } else { 0 } + if g.n[1] > 1 { 4 } else { 0 });
    let width = g.n[3];
    let flagged = width >= LEAST;
    let mut fixed = vec![0u32; width];
    let (mut above, mut plane, mut volume) = ([0i16; RUN], [0i16; RUN], [0i16; RUN]);
    for a in 0..g.n[0] {
        for b in 0..g.n[1] {
            for y in 0..g.n[2] {
                let i0 = a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                let (fine_row, coarse_row) = (fine.row([a, b, y]), coarse.row([a, b, y]));
                let fine_at = |x: usize| fine_row[(x >> fine.shift[3]).min(fine_row.len() - 1)];
                let coarse_at = |x: usize| coarse_row[(x >> coarse.shift[3]).min(coarse_row.len() - 1)];
                before(&mut fixed, &codes, g, g.n, i0, [a, b, y]);
                for x0 in (0..width).step_by(RUN) {
                    let i = i0 + x0;
                    let len = RUN.min(width - x0);
                    let masked = mask.map(|m| &m[i..i + len]);
                    if masked.is_some_and(|m| m.iter().all(|&m| m)) {
                        continue;
                    }
                    if flagged {
                        let some = !C::DECODING
                            && (0..len).any(|x| {
                                !masked.is_some_and(|m| m[x])
                                    && correction(originals[i + x], values[i + x], inverse) != 0
                            });
                        let active = (x0..x0 + len).step_by(2).map(fine_at).max().unwrap_or(0);
                        let quiet = (x0..x0 + len).step_by(4).map(coarse_at).max().unwrap_or(0);
                        let (active, quiet) = (usize::from(active), usize::from(quiet));
                        let near = Beside::new(&held, g, i, [a, b, y], x0, width);
                        let before = near.before();
                        let much: u32 = fixed[x0..x0 + len].iter().map(|&s| scaled(s, scale)).sum();
                        let much = class(much) as usize;
                        let slots = [
                            much * 4 + near.left,
                            near.each(),
                            active * ACTIVITY as usize + quiet,
                            before * ACTIVITY as usize + active,
                        ];
                        let some = runs.code(c, some, &(slots, before)).0;
                        if !some {
                            continue;
                        }
                    }
                    copy(&mut above, &codes, i, len, y > 0, g.stride[2]);
                    copy(&mut plane, &codes, i, len, b > 0, g.stride[1]);
                    copy(&mut volume, &codes, i, len, a > 0, g.stride[0]);
                    let mut w = if x0 > 0 { i32::from(codes[i - 1]) } else { 0 };
                    let mut ww = if x0 > 0 { i32::from(codes[i - 2]) } else { 0 };
                    let run = &mut codes[i..i + len];
                    let fixed = &fixed[x0..x0 + len];
                    let mut none = flagged;
                    for x in 0..len.min(RUN) {
                        if masked.is_some_and(|m| m[x]) {
                            (w, ww) = (0, w);
                            continue;
                        }
                        let (n, t, u) = (i32::from(above[x]), i32::from(plane[x]), i32::from(volume[x]));
                        let near = scaled(fixed[x] + 4 * w.unsigned_abs() + 2 * ww.unsigned_abs(), scale);
                        let e = class(near).min(EXPECTED - 1);
                        let f1 = u32::from(fine_at(x0 + x));
                        let f2 = u32::from(coarse_at(x0 + x));
                        let place = if none { x as u32 } else { POSITIONS - 1 };
                        let start = class((near * 10) >> 8);
                        let (aw, an, at) = (w.unsigned_abs(), n.unsigned_abs(), t.unsigned_abs());
                        let parity = (x & 1) as u32 | (y as u32 & 1) << 1 | (b as u32 & 1) << 2;
                        let slots = [
                            e * ACTIVITY + f1,
                            e * POSITIONS + place,
                            e * 16 + parity,
                            if start < 3 {
                                ((aw.min(4) * 5 + an.min(4)) * 5 + at.min(4)) * 3 + start
                            } else {
                                1024 + e * 16 + (class(aw * 16) + 8).saturating_sub(e).min(15)
                            },
                            f1 * ACTIVITY + f2,
                            e * 16 + class(ww.unsigned_abs() + u.unsigned_abs()).min(15),
                        ];
                        let sg = |v: i32| (v.signum() + 1) as u32;
                        let signs = sg(w) * 9 + sg(n) * 3 + sg(t);
                        let m = Magnitude {
                            slots,
                            start,
                            class: e + 8,
                            set: if R::MIXES && none { e + EXPECTED } else { e },
                            sign: [signs * 16 + parity, (sg(ww) * 3 + sg(w)) * 9 + sg(u) * 3 + sg(n), 0],
                            aside: Aside::default(),
                        };
                        let value = &mut values[i + x];
                        let d = if C::DECODING { 0 } else { correction(originals[i + x], *value, inverse) };
                        let d = coder.code(c, d, &m);
                        *value += p.correction * d as f64;
                        let s = d.clamp(-32767, 32767) as i16;
                        run[x] = s;
                        none &= s == 0;
                        (w, ww) = (i32::from(s), w);
                    }
                    held[i] = holds(run, false);
                }
            }
        }
    }
    start.leave(Place::Corrections, || coder.states());
    start.leave(Place::CorrectionRuns, || runs.states());
}
