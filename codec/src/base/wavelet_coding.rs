//! What is known about a quantised coefficient before it is coded: the walk over bands, rows and runs (SPEC §8.4.4).
use super::Geometry;
use super::wavelet_bands::Band;
use super::wavelet_runs::{Beside, LEAST, POSITIONS, RUN, RunContext, holds};

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
    /// The one before `w`.
    pub ww: i32,
    /// Its place in a run that holds something and held nothing yet; or `POSITIONS - 1`.
    pub place: u32,
    /// Bit a: its index along axis a is above 0.
    pub before: u8,
}

/// A run whose coefficients are about to be visited.
pub struct RunAt<'a> {
    /// Of the chunk.
    pub g: &'a Geometry,
    /// Its band, and those before it in the group.
    pub band: &'a Band,
    /// See `band`.
    pub group: &'a [Band],
    /// Indices of the row along a, b and y, and of its first coefficient along x.
    pub at: [usize; 3],
    /// See `at`.
    pub x: usize,
    /// Where it begins in the chunk, and how many coefficients it has.
    pub begin: usize,
    /// See `begin`.
    pub len: usize,
    /// See [`Features`], by coefficient.
    pub parent: &'a [u32; RUN],
    /// See `parent`.
    pub cousin: &'a [u32; RUN],
    /// By coefficient: *expected*, were all codes of the row 0; it is not less.
    pub least: &'a [u32; RUN],
}

impl RunAt<'_> {
    /// Where a row of these indices on the first axes is, from the beginning of a band.
    pub fn offset(&self, at: [usize; 3]) -> usize {
        (0..3).map(|a| at[a] * self.g.stride[a]).sum()
    }
}

/// What is done at every coefficient.
pub trait Visitor {
    /// Whether it looks at runs.
    const LOOKS: bool = false;
    /// Whether codes are in halves of a step: those of a trellis.
    fn halves(&self) -> bool {
        false
    }
    /// Starts a band, after those of its group. False: all of it is zero and it is left out.
    fn band(&mut self, band: &Band, index: usize, group: &[Band]) -> bool;
    /// Starts the run of `n` coefficients from `i`. False: they all are zero.
    fn run(&mut self, i: usize, n: usize, context: &RunContext) -> bool;
    /// Looks at a run before it is started.
    fn look(&mut self, _run: &RunAt<'_>) {}
    /// The quantised coefficient at `i`, or in halves its point, saturated to 16 bits.
    fn point(&mut self, i: usize, f: &Features) -> i16;
    /// Ends a run that was not left out.
    fn end(&mut self, _i: usize, _codes: &mut [i16]) {}
}

/// Classes of expected magnitude.
pub const CLASSES: u32 = 48;

/// The class of an expected magnitude.
#[inline]
pub fn class(v: u32) -> u32 {
    let lg = 31 - (v | 1).leading_zeros();
    let c = 2 * lg + ((v >> (lg.max(1) - 1)) & 1);
    if v < 2 { v } else { c.min(CLASSES - 1) }
}

/// Weights of neighbours, parent and cousins in the expected magnitude.
const MIX: [u32; 3] = [8, 1, 2];

/// Adds `k` × magnitudes of the row of `n` codes at `i`, moved by `shift` elements, to `sum`.
#[inline]
pub fn add(sum: &mut [u32], codes: &[i16], i: usize, n: usize, k: u32, shift: isize) {
    let row = &codes[i..i + n];
    let n = n.min(sum.len());
    let (sum, row) = match shift {
        0 => (&mut sum[..n], row),
        // The element after.
        1 => (&mut sum[..n], &row[1..]),
        _ => (&mut sum[1..n], row),
    };
    for (s, q) in sum.iter_mut().zip(row) {
        *s += k * u32::from(q.unsigned_abs());
    }
}

/// Magnitudes around each element of a row of a finished band: twice its own, and its neighbours on all sides.
#[inline(always)]
pub fn around(sum: &mut [u32], codes: &[i16], g: &Geometry, offset: usize, n: [usize; 4], at: [usize; 3]) {
    let i = offset + at[0] * g.stride[0] + at[1] * g.stride[1] + at[2] * g.stride[2];
    sum.fill(0);
    add(sum, codes, i, n[3], 2, 0);
    if n[3] > 1 {
        add(sum, codes, i, n[3], 1, 1);
        add(sum, codes, i, n[3], 1, -1);
    }
    for a in 0..3 {
        if n[a] > 1 {
            if at[a] > 0 {
                add(sum, codes, i - g.stride[a], n[3], 1, 0);
            }
            if at[a] + 1 < n[a] {
                add(sum, codes, i + g.stride[a], n[3], 1, 0);
            }
        }
    }
}

/// The weight of what `around` adds up.
pub fn around_weight(n: [usize; 4]) -> u32 {
    2 + 2 * n.into_iter().filter(|&n| n > 1).count() as u32
}

/// 16 ÷ weight in units of 2^-16.
pub fn sixteenths(weight: u32) -> u64 {
    (16 << 16) / u64::from(weight.max(1))
}

/// A sum of magnitudes divided by the weight that `scale` is of.
#[inline]
pub fn scaled(sum: u32, scale: u64) -> u32 {
    ((u64::from(sum) * scale) >> 16) as u32
}

/// The bands before in the group: magnitudes around every place, and how much their runs hold.
#[derive(Default)]
struct Cousins {
    sum: Vec<u32>,
    holds: Vec<u8>,
    n: [usize; 4],
    runs: usize,
    weight: u32,
}

impl Cousins {
    /// Starts a group.
    fn start(&mut self, group: &[Band]) {
        self.sum.clear();
        self.holds.clear();
        self.weight = 0;
        if group.len() > 1 {
            // Bands of a group differ by at most one in each extent.
            self.n = std::array::from_fn(|a| group.iter().map(|b| b.n[a]).max().unwrap_or(0));
            self.runs = self.n[3].div_ceil(RUN);
            let rows = self.n[0] * self.n[1] * self.n[2];
            self.sum.resize(rows * self.n[3], 0);
            self.holds.resize(rows * self.runs, 0);
        }
    }

    #[inline]
    fn row(&self, a: usize, b: usize, y: usize) -> usize {
        (a * self.n[1] + b) * self.n[2] + y
    }

    /// Adds a finished band that is not all zero.
    #[inline(always)]
    fn add(&mut self, g: &Geometry, band: &Band, codes: &[i16], held: &[u8]) {
        let n = band.n;
        let steps = [self.n[1] * self.n[2] * self.n[3], self.n[2] * self.n[3], self.n[3]];
        for a in 0..n[0] {
            for b in 0..n[1] {
                for y in 0..n[2] {
                    let i0 = band.offset + a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                    let row = self.row(a, b, y);
                    let mut some = 0;
                    for (r, x) in (0..n[3]).step_by(RUN).enumerate() {
                        let h = &mut self.holds[row * self.runs + r];
                        *h = held[i0 + x].max(*h);
                        some |= held[i0 + x];
                    }
                    if some == 0 {
                        continue;
                    }
                    let c0 = row * self.n[3];
                    let own = &mut self.sum[c0..c0 + n[3]];
                    add(own, codes, i0, n[3], 2, 0);
                    if n[3] > 1 {
                        add(own, codes, i0, n[3], 1, 1);
                        add(own, codes, i0, n[3], 1, -1);
                    }
                    for (d, at) in [a, b, y].into_iter().enumerate() {
                        if at > 0 {
                            let c = c0 - steps[d];
                            add(&mut self.sum[c..c + n[3]], codes, i0, n[3], 1, 0);
                        }
                        if at + 1 < n[d] {
                            let c = c0 + steps[d];
                            add(&mut self.sum[c..c + n[3]], codes, i0, n[3], 1, 0);
                        }
                    }
                }
            }
        }
    }
}

/// Weighted magnitudes of the finished rows around a row of a band of extents `n`; `ww` as in the corrections.
#[inline(always)]
pub fn before(sum: &mut [u32], codes: &[i16], g: &Geometry, n: [usize; 4], i0: usize, [a, b, y]: [usize; 3]) {
    let width = n[3];
    sum.fill(0);
    if y > 0 {
        let up = i0 - g.stride[2];
        add(sum, codes, up, width, 4, 0);
        add(sum, codes, up, width, 2, 1);
        add(sum, codes, up, width, 2, -1);
    }
    if b > 0 {
        let up = i0 - g.stride[1];
        add(sum, codes, up, width, 4, 0);
        add(sum, codes, up, width, 1, 1);
        add(sum, codes, up, width, 1, -1);
        if y > 0 {
            add(sum, codes, up - g.stride[2], width, 1, 0);
        }
        if y + 1 < n[2] {
            add(sum, codes, up + g.stride[2], width, 1, 0);
        }
    }
    if a > 0 {
        add(sum, codes, i0 - g.stride[0], width, 4, 0);
    }
}

/// Codes of the row `back` elements before, or zeros.
#[inline]
pub fn copy(to: &mut [i16; RUN], codes: &[i16], i: usize, len: usize, have: bool, back: usize) {
    if have {
        to[..len].copy_from_slice(&codes[i - back..i - back + len]);
    } else {
        to.fill(0);
    }
}

/// A code in whole steps, rounded away from 0.
#[inline(always)]
pub fn whole(code: i16) -> i16 {
    ((i32::from(code) + i32::from(code.signum())) / 2) as i16
}

/// Visits every coefficient in coding order; `codes` (zeros before) receives what the visitor returns.
#[inline(always)]
pub fn walk<V: Visitor>(v: &mut V, g: &Geometry, bands: &[Band], codes: &mut [i16]) {
    let mut cousins = Cousins::default();
    // How much the run that begins at an element holds.
    let mut held = vec![0u8; codes.len()];
    let mut row_parent: Vec<u32> = Vec::new();
    let mut fixed: Vec<u32> = Vec::new();
    let mut first = 0;
    for (k, band) in bands.iter().enumerate() {
        if band.first {
            first = k;
            let more = bands[k + 1..].iter().take_while(|b| !b.first).count();
            cousins.start(&bands[k..=k + more]);
        }
        let group = &bands[first..k];
        if v.band(band, k, group) {
            walk_band(v, g, band, group, k > 0, codes, &mut held, &cousins, &mut row_parent, &mut fixed);
            if !cousins.sum.is_empty() {
                cousins.add(g, band, codes, &held);
            }
        }
        cousins.weight += around_weight(band.n);
    }
}

#[inline(always)]
fn walk_band<V: Visitor>(
    v: &mut V,
    g: &Geometry,
    band: &Band,
    group: &[Band],
    high: bool,
    codes: &mut [i16],
    held: &mut [u8],
    cousins: &Cousins,
    row_parent: &mut Vec<u32>,
    fixed: &mut Vec<u32>,
) {
    let halves = v.halves();
    let sixteenths = |weight| sixteenths(weight) >> u32::from(halves);
    let steps = |code: i16| if halves { whole(code) } else { code };
    let n = band.n;
    let width = n[3];
    let flagged = high && width >= LEAST;
    let kind = usize::from(band.level.min(4) - 1) * 16 + usize::from(band.orientation);
    let dims = (0..3).filter(|&a| n[a] > 1).count() as u32;
    // W and the neighbours before it along each axis weigh 4, W W 1, NW, NE and the like 2 and 1.
    let near_scale = sixteenths(4 + 1 + dims * 4 + if n[2] > 1 { 4 } else { 0 } + if n[1] > 1 { 4 } else { 0 });
    let cousin_scale = sixteenths(cousins.weight);
    let has_cousins = cousins.weight > 0;
    let weights = [MIX[0], if band.parent.is_some() { MIX[1] } else { 0 }, if has_cousins { MIX[2] } else { 0 }];
    let total = (1 << 16) / u64::from(weights.iter().sum::<u32>());
    fixed.clear();
    fixed.resize(width, 0);
    row_parent.clear();
    let (mut parent_scale, mut parent_shift, mut parent_last) = (0, 0, usize::MAX);
    if let Some(p) = &band.parent {
        row_parent.resize(p.n[3], 0);
        parent_scale = sixteenths(around_weight(p.n));
        parent_shift = p.shift[3];
    }
    let (mut parent, mut cousin, mut rest, mut near) = ([0u32; RUN], [0u32; RUN], [0u32; RUN], [0u32; RUN]);
    let (mut above, mut plane, mut volume) = ([0i16; RUN], [0i16; RUN], [0i16; RUN]);
    for a in 0..n[0] {
        for b in 0..n[1] {
            for y in 0..n[2] {
                let i0 = band.offset + a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                let before_row = u8::from(a > 0) | u8::from(b > 0) << 1 | u8::from(y > 0) << 2;
                let crow = cousins.row(a, b, y);
                let mut parent_row = 0;
                let mut parent_at = [0; 3];
                if let Some(p) = &band.parent {
                    let at = [a, b, y];
                    parent_at = std::array::from_fn(|d| (at[d] >> p.shift[d]).min(p.n[d] - 1));
                    parent_row = p.offset + (0..3).map(|d| parent_at[d] * g.stride[d]).sum::<usize>();
                }
                before(fixed, codes, g, n, i0, [a, b, y]);
                if let Some(p) = &band.parent
                    && parent_last != parent_row
                {
                    parent_last = parent_row;
                    around(row_parent, codes, g, p.offset, p.n, parent_at);
                    row_parent.iter_mut().for_each(|s| *s = scaled(*s, parent_scale));
                }
                for x0 in (0..width).step_by(RUN) {
                    let i = i0 + x0;
                    let len = RUN.min(width - x0);
                    near[..len].copy_from_slice(&fixed[x0..x0 + len]);
                    if !row_parent.is_empty() {
                        let last = row_parent.len() - 1;
                        for (x, p) in parent[..len].iter_mut().enumerate() {
                            *p = row_parent[((x0 + x) >> parent_shift).min(last)];
                        }
                    }
                    if has_cousins {
                        let c0 = crow * cousins.n[3] + x0;
                        for (c, s) in cousin[..len].iter_mut().zip(&cousins.sum[c0..c0 + len]) {
                            *c = scaled(*s, cousin_scale);
                        }
                    }
                    for ((r, p), c) in rest.iter_mut().zip(&parent).zip(&cousin) {
                        *r = p * MIX[1] + c * MIX[2];
                    }
                    let mut least = [0u32; RUN];
                    if flagged || V::LOOKS {
                        for (l, (near, rest)) in least.iter_mut().zip(near.iter().zip(&rest)).take(len) {
                            *l = scaled(scaled(*near, near_scale) * MIX[0] + rest, total);
                        }
                    }
                    if V::LOOKS {
                        let (at, x, begin) = ([a, b, y], x0, i);
                        v.look(&RunAt {
                            g,
                            band,
                            group,
                            at,
                            x,
                            begin,
                            len,
                            parent: &parent,
                            cousin: &cousin,
                            least: &least,
                        });
                    }
                    if flagged {
                        let around = Beside::new(held, g, i, [a, b, y], x0, width);
                        let before = around.before();
                        let above = match &band.parent {
                            Some(p) => usize::from(held[parent_row + (x0 >> p.shift[3]).min(p.n[3] - 1) / RUN * RUN]),
                            None => 1,
                        };
                        let much = class(least[..len].iter().sum()) as usize;
                        let (mut beside, mut next) = (1, 1);
                        if has_cousins {
                            let r = crow * cousins.runs + x0 / RUN;
                            beside = usize::from(cousins.holds[r]);
                            if x0 + RUN < width {
                                next = usize::from(cousins.holds[r + 1]);
                            }
                        }
                        let slots = [
                            much * 4 + around.left,
                            around.each(),
                            kind * 8 + (much / 2).min(7),
                            ((before * 4 + above) * 4 + beside) * 4 + next,
                        ];
                        if !v.run(i, len, &(slots, before)) {
                            continue;
                        }
                    }
                    copy(&mut above, codes, i, len, y > 0, g.stride[2]);
                    copy(&mut plane, codes, i, len, b > 0, g.stride[1]);
                    copy(&mut volume, codes, i, len, a > 0, g.stride[0]);
                    if halves {
                        [&mut above, &mut plane, &mut volume].into_iter().flatten().for_each(|q| *q = whole(*q));
                    }
                    let mut w = if x0 > 0 { codes[i - 1] } else { 0 };
                    let mut ww = if x0 > 0 { codes[i - 2] } else { 0 };
                    let run = &mut codes[i..i + len];
                    let mut none = flagged;
                    for (x, q) in run.iter_mut().enumerate().take(RUN) {
                        let [before, last] = [ww, w].map(|q| u32::from(q.unsigned_abs()));
                        let near = scaled(near[x] + 4 * last + before, near_scale);
                        let f = Features {
                            expected: scaled(near * MIX[0] + rest[x], total),
                            near,
                            parent: parent[x],
                            cousin: cousin[x],
                            w: i32::from(steps(w)),
                            ww: i32::from(steps(ww)),
                            n: i32::from(above[x]),
                            t: i32::from(plane[x]),
                            u: i32::from(volume[x]),
                            place: if none { x as u32 } else { POSITIONS - 1 },
                            before: before_row | u8::from(x0 + x > 0) << 3,
                        };
                        *q = v.point(i + x, &f);
                        none &= *q == 0;
                        (w, ww) = (*q, w);
                    }
                    v.end(i, run);
                    held[i] = holds(run, halves);
                }
            }
        }
    }
}
