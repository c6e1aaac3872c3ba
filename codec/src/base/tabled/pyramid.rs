//! Levels as arrays, and the passes that fill a level from the one above it.
use super::contexts::{self, Around};
use super::predict::{beyond, cubic, linear, linear_with_curve, skewed};
use super::{BLOCK, Parameters, Predictor, Row, Rows, levels};
use crate::base::Geometry;
use crate::plan::SCHEDULES;
use crate::scratch::{Kept, give, take};

/// The part of a chunk that is wanted, as ranges of indices on each axis.
pub type Wanted = [std::ops::Range<usize>; 4];

/// Every second element along the axes that are refined.
#[inline(always)]
fn thinned<T: Kept>(from: &[T], g: &Geometry, to: &Geometry, step: [usize; 4]) -> Vec<T> {
    let mut out = take(to.len());
    out.clear();
    each_row(g, step, |row| {
        let row = &from[row..row + g.n[3]];
        if step[3] == 1 { out.extend_from_slice(row) } else { every_second(row, &mut out) }
    });
    out
}

/// Calls `f` with the offset of every row whose indices are multiples of `step`.
#[inline(always)]
fn each_row(g: &Geometry, step: [usize; 4], mut f: impl FnMut(usize)) {
    for a in (0..g.n[0]).step_by(step[0]) {
        for b in (0..g.n[1]).step_by(step[1]) {
            for y in (0..g.n[2]).step_by(step[2]) {
                f(a * g.stride[0] + b * g.stride[1] + y * g.stride[2]);
            }
        }
    }
}

/// A level: its shape, and that of its even columns, in which it is refined until axis 3 is. Both are the same where that
/// axis is not refined, or has but one column.
#[derive(Clone, Copy)]
struct Level {
    whole: Geometry,
    narrow: Geometry,
}

impl Level {
    fn is_split(&self) -> bool {
        self.narrow != self.whole
    }
}

/// Codes (or decodes) all points by interpolation; `values` then holds the reconstruction.
///
/// If only a part of what is decoded is wanted, what follows the last row that has points of it is left out: whatever is
/// not wanted holds anything then, and the streams are not read to their ends.
#[inline(always)]
pub fn run<R: Rows>(
    g: &Geometry,
    p: &Parameters,
    values: &mut [i32],
    mask: Option<&[u8]>,
    decoding: bool,
    wanted: Option<&Wanted>,
    rows: &mut R,
) {
    let Predictor::Interpolation { schedule, linear, .. } = p.predictor else { return };
    let (alpha, beta) = SCHEDULES[usize::from(schedule & 7)];
    let axes = p.axes();
    let top = levels(g, &axes) as usize;
    let step: [usize; 4] = std::array::from_fn(|a| if axes.contains(&a) { 2 } else { 1 });
    let halved = |n: [usize; 4], which: &[usize]| {
        Geometry::of(std::array::from_fn(|a| if which.contains(&a) { n[a].div_ceil(step[a]) } else { n[a] }))
    };
    let mut shapes = vec![];
    let mut whole = *g;
    for _ in 0..top {
        shapes.push(Level { whole, narrow: halved(whole.n, &[3]) });
        whole = halved(whole.n, &[0, 1, 2, 3]);
    }
    // Of each level what is known of it first, from the finest on: the even columns of its even rows are the next level.
    let (mut coarse, mut narrows): (Vec<Vec<i32>>, Vec<Vec<i32>>) = (vec![], vec![]);
    let mut masks: Vec<Vec<u8>> = vec![];
    for l in 0..top {
        let Level { whole: fine, narrow } = shapes[l];
        let shape = halved(fine.n, &[0, 1, 2, 3]);
        let from = if l == 0 { &*values } else { &coarse[l - 1][..] };
        narrows.push(match (shapes[l].is_split(), decoding) {
            (false, _) => vec![],
            (true, true) => take(narrow.len()),
            (true, false) => thinned(from, &fine, &narrow, [1, 1, 1, 2]),
        });
        coarse.push(if decoding {
            take(shape.len())
        } else if shapes[l].is_split() {
            thinned(&narrows[l], &narrow, &shape, [step[0], step[1], step[2], 1])
        } else {
            thinned(from, &fine, &shape, step)
        });
        if let Some(mask) = mask {
            masks.push(thinned(if l == 0 { mask } else { &masks[l - 1] }, &fine, &shape, step));
        }
    }
    let mask_of = |l: usize| mask.map(|m| if l == 0 { m } else { &masks[l - 1][..] });
    let first = p.level_step(alpha, beta, top.max(1) as u32);
    match coarse.last_mut() {
        Some(coarsest) => rows.anchors(first, coarsest, mask_of(top)),
        None => rows.anchors(first, values, mask),
    }
    for l in (1..=top).rev() {
        let known = coarse.pop().unwrap_or_default();
        let fine = if l == 1 { &mut *values } else { &mut coarse[l - 2][..] };
        let mut narrow = narrows.pop().unwrap_or_default();
        let level = shapes[l - 1];
        let split = level.is_split();
        let mut from = known.chunks_exact(halved(level.whole.n, &[3]).n[3].max(1));
        let to = if split { &mut narrow[..] } else { &mut *fine };
        each_row(&level.narrow, [step[0], step[1], step[2], 1], |row| {
            let from = from.next().unwrap_or_default();
            to[row..row + from.len()].copy_from_slice(from);
        });
        let mut pass = Pass {
            level,
            axis: 0,
            step,
            start: [0; 4],
            quant: p.level_step(alpha, beta, l as u32),
            linear,
            kind: 0,
            scratch: Scratch::default(),
            wanted: None,
            last: None,
        };
        // The last pass that has points of what is wanted.
        let end = match wanted {
            Some(wanted) if l == 1 => {
                let mut step = step;
                let mut end = None;
                for (k, &axis) in axes.iter().enumerate() {
                    if level.whole.n[axis] > 1
                        && let Some(row) = last_row(wanted, axis, step)
                    {
                        end = Some((k, row));
                    }
                    step[axis] = 1;
                }
                Some(end)
            }
            _ => None,
        };
        for (k, &axis) in axes.iter().enumerate() {
            match end {
                Some(Some((last, row))) if k == last => (pass.wanted, pass.last) = (wanted, Some(row)),
                Some(Some((last, _))) if k < last => {}
                Some(_) => break,
                None => {}
            }
            if level.whole.n[axis] > 1 {
                pass.axis = axis;
                pass.start = [0; 4];
                pass.start[axis] = 1;
                pass.kind = usize::from(l > 1 || k + 1 < axes.len());
                pass.run(if split { Some(&mut narrow) } else { None }, fine, mask_of(l - 1), decoding, rows);
            }
            pass.step[axis] = 1;
        }
        if let Some(wanted) = wanted.filter(|_| split && pass.step[3] != 1) {
            // All that is wanted lies in even columns.
            let (wide, narrow_row) = (level.whole, |row: usize| row / level.whole.n[3] * level.narrow.n[3]);
            each_row(&wide, [1; 4], |row| {
                if is_wanted(
                    wanted,
                    [row / wide.stride[0], row / wide.stride[1] % wide.n[1], row / wide.n[3] % wide.n[2]],
                ) {
                    let to = fine[row..row + wide.n[3]].iter_mut().step_by(2);
                    to.zip(&narrow[narrow_row(row)..]).for_each(|(t, &f)| *t = f);
                }
            });
        }
        give(known);
        give(narrow);
    }
    masks.into_iter().for_each(give);
}

/// Whether anything in a row is wanted.
#[inline(always)]
fn is_wanted(wanted: &Wanted, row: [usize; 3]) -> bool {
    (0..3).all(|a| wanted[a].contains(&row[a]))
}

/// The last row of a pass that has points of what is wanted.
fn last_row(wanted: &Wanted, axis: usize, step: [usize; 4]) -> Option<[usize; 3]> {
    let mut last = [0; 4];
    for a in 0..4 {
        // Odd ones of the pass's axis, even ones of those not refined yet, all of others.
        let (start, step) = if a == axis { (1, 2) } else { (0, step[a]) };
        let end = wanted[a].end.checked_sub(start + 1)?;
        last[a] = end / step * step + start;
        if last[a] < wanted[a].start {
            return None;
        }
    }
    Some([last[0], last[1], last[2]])
}

/// Buffers of one row, or of a plane of rows.
#[derive(Default)]
struct Scratch {
    pred: Vec<i32>,
    curve: Vec<i32>,
    ctx: Vec<u8>,
    mask: Vec<u8>,
    odd: Vec<i32>,
}

struct Pass<'a> {
    level: Level,
    axis: usize,
    step: [usize; 4],
    start: [usize; 4],
    quant: i32,
    linear: bool,
    kind: usize,
    scratch: Scratch,
    /// Set in the last pass: rows that are not wanted need not be put together from even and odd columns.
    wanted: Option<&'a Wanted>,
    /// The last row that is needed at all.
    last: Option<[usize; 3]>,
}

/// Codes' magnitudes and quiet blocks of two planes of rows: the one before and the one under way.
pub struct Planes {
    /// Of a row, with a zero at either end.
    width: usize,
    blocks: usize,
    mags: [Vec<u16>; 2],
    quiet: [Vec<u8>; 2],
    /// What stands for quiet blocks of rows that do not exist.
    all_quiet: Vec<u8>,
    /// Planes begun.
    begun: usize,
}

impl Planes {
    /// For planes of `rows` rows of `points` points.
    pub fn new(rows: usize, points: usize) -> Planes {
        let (width, blocks) = (points + 2, points.div_ceil(BLOCK));
        Planes {
            width,
            blocks,
            mags: [vec![0; width * rows], vec![0; width * rows]],
            quiet: [vec![1; blocks * rows], vec![1; blocks * rows]],
            all_quiet: vec![1; blocks],
            begun: 0,
        }
    }

    /// Starts the next plane.
    #[inline(always)]
    pub fn next(&mut self) {
        self.mags.swap(0, 1);
        self.quiet.swap(0, 1);
        self.begun += 1;
    }

    /// What is known around a row of the plane under way.
    #[inline(always)]
    pub fn around(&self, row: usize) -> Around<'_> {
        let at = |k: usize| k * self.width..(k + 1) * self.width;
        Around {
            up: (row > 0).then(|| &self.mags[1][at(row - 1)]),
            back: (self.begun > 1).then(|| &self.mags[0][at(row)]),
        }
    }

    /// The place of a row's magnitudes; its blocks' bits above, before and its own.
    #[inline(always)]
    pub fn row(&mut self, row: usize) -> (&mut [u16], &[u8], &[u8], &mut [u8]) {
        let b = self.blocks;
        let at = row * self.width;
        let [before, under_way] = &mut self.quiet;
        let (done, own) = under_way.split_at_mut(row * b);
        let up = if row > 0 { &done[(row - 1) * b..] } else { &self.all_quiet[..] };
        let back = if self.begun > 1 { &before[row * b..(row + 1) * b] } else { &self.all_quiet[..] };
        (&mut self.mags[1][at + 1..at + self.width - 1], up, back, &mut own[..b])
    }
}

/// Appends the first, the third and so on.
#[inline(always)]
fn every_second<T: Copy>(row: &[T], out: &mut Vec<T>) {
    // Pairs, so that the loop is one of shuffles; the last one may be half a pair.
    let (pairs, rest) = row.as_chunks::<2>();
    out.extend(pairs.iter().map(|p| p[0]));
    out.extend(rest);
}

/// `count` elements, every second one from `from` on.
#[inline(always)]
fn gather<T: Copy>(v: &[T], from: usize, count: usize, buffer: &mut Vec<T>) {
    buffer.clear();
    if count > 0 {
        every_second(&v[from..from + 2 * count - 1], buffer);
    }
}

/// A row of even and odd columns.
#[inline(always)]
fn interleave(even: &[i32], odd: &[i32], row: &mut [i32]) {
    let (pairs, rest) = row.as_chunks_mut::<2>();
    for ((pair, &e), &o) in pairs.iter_mut().zip(even).zip(odd) {
        *pair = [e, o];
    }
    if let ([last], Some(&e)) = (rest, even.last()) {
        *last = e;
    }
}

impl Pass<'_> {
    /// In the even columns if they are apart: they are before axis 3 is refined, and what this pass refines may be axis 3.
    #[inline(always)]
    fn run<R: Rows>(
        &mut self,
        narrow: Option<&mut Vec<i32>>,
        whole: &mut [i32],
        mask: Option<&[u8]>,
        decoding: bool,
        rows: &mut R,
    ) {
        let (start, step) = (self.start, self.step);
        let wide = self.level.whole;
        let (across, even) = (self.axis == 3, step[3] != 1);
        let points = (wide.n[3] - start[3]).div_ceil(step[3]);
        let mut planes = Planes::new((wide.n[2] - start[2]).div_ceil(step[2]), points);
        let s = &mut self.scratch;
        s.pred.resize(points, 0);
        s.curve.resize(points, 0);
        s.ctx.clear();
        s.ctx.resize(points.next_multiple_of(BLOCK), 0);
        s.odd.resize(points, 0);
        // Where lines are: in the even columns until axis 3 has been refined.
        let (lines, mut fine, g) = match narrow {
            Some(narrow) if even && across => (&mut narrow[..], Some(whole), self.level.narrow),
            Some(narrow) if even => (&mut narrow[..], None, self.level.narrow),
            _ => (whole, None, wide),
        };
        for a in (start[0]..wide.n[0]).step_by(step[0]) {
            for b in (start[1]..wide.n[1]).step_by(step[1]) {
                planes.next();
                for (j, y) in (start[2]..wide.n[2]).step_by(step[2]).enumerate() {
                    let at = a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                    let full = a * wide.stride[0] + b * wide.stride[1] + y * wide.stride[2];
                    if across {
                        let s = &mut self.scratch;
                        along(&lines[at..at + g.n[3]], self.linear, &mut s.pred, &mut s.curve);
                    } else {
                        self.predict(&g, lines, [a, b, y], at);
                    }
                    let s = &mut self.scratch;
                    let masked = match mask {
                        Some(m) if even => {
                            gather(m, full + start[3], points, &mut s.mask);
                            Some(&s.mask[..])
                        }
                        Some(m) => Some(&m[full..full + points]),
                        None => None,
                    };
                    let ctx = &mut s.ctx[..points];
                    contexts::fill(self.kind, self.quant, &planes.around(j), &s.curve, masked, ctx);
                    let (mags, up, back, quiet) = planes.row(j);
                    let values = match &mut fine {
                        Some(fine) => {
                            if !decoding {
                                gather(fine, full + 1, points, &mut s.odd);
                            }
                            &mut s.odd[..]
                        }
                        None => &mut lines[at..at + points],
                    };
                    rows.row(self.quant, &mut Row { pred: &s.pred, ctx: &s.ctx, values, mags, up, back, quiet });
                    if let Some(fine) = &mut fine
                        && self.wanted.is_none_or(|w| is_wanted(w, [a, b, y]))
                    {
                        interleave(&lines[at..at + g.n[3]], &s.odd, &mut fine[full..full + wide.n[3]]);
                    }
                    if self.last == Some([a, b, y]) {
                        return;
                    }
                }
            }
        }
    }

    /// Predicts a row from what is known along the axis of the pass, which is not the last one.
    #[inline(always)]
    fn predict(&mut self, g: &Geometry, v: &[i32], at: [usize; 3], first: usize) {
        let s = &mut self.scratch;
        let (n, points) = (g.n[self.axis], s.pred.len());
        let (i, o) = (at[self.axis], g.stride[self.axis]);
        let line = |from: usize| &v[from..from + points];
        let v1 = line(first - o);
        let v0 = (i >= 3).then(|| line(first - 3 * o));
        if i + 1 >= n {
            beyond(v0, v1, &mut s.pred, &mut s.curve);
            return;
        }
        let v2 = line(first + o);
        let v3 = (i + 3 < n).then(|| line(first + 3 * o));
        between([v0, Some(v1), Some(v2), v3], self.linear, &mut s.pred, &mut s.curve);
    }
}

/// Interpolation between v[1] and v[2], which exist.
#[inline(always)]
fn between(v: [Option<&[i32]>; 4], straight: bool, p: &mut [i32], curve: &mut [i32]) {
    match v {
        [Some(v0), Some(v1), Some(v2), Some(v3)] if straight => linear_with_curve([v0, v1, v2, v3], p, curve),
        [Some(v0), Some(v1), Some(v2), Some(v3)] => cubic([v0, v1, v2, v3], p, curve),
        [Some(v0), Some(v1), Some(v2), None] if !straight => skewed(v0, v1, v2, p, curve),
        [None, Some(v1), Some(v2), Some(v3)] if !straight => skewed(v3, v2, v1, p, curve),
        [_, Some(v1), Some(v2), _] => linear(v1, v2, p, curve),
        _ => {}
    }
}

/// The points between those of a line, and the one beyond its last.
#[inline(always)]
fn along(line: &[i32], straight: bool, p: &mut [i32], curve: &mut [i32]) {
    let (known, points) = (line.len(), p.len());
    let inner = known.saturating_sub(3);
    if inner > 0 {
        let v = [&line[..inner], &line[1..][..inner], &line[2..][..inner], &line[3..][..inner]];
        between(v.map(Some), straight, &mut p[1..=inner], &mut curve[1..=inner]);
    }
    let mut end = |k: usize| {
        let at = |i: usize| line.get(i..i + 1);
        let (p, curve) = (&mut p[k..=k], &mut curve[k..=k]);
        let far = if k > 0 { at(k - 1) } else { None };
        if k + 1 < known {
            between([far, at(k), at(k + 1), at(k + 2)], straight, p, curve);
        } else {
            beyond(far, &line[k..=k], p, curve);
        }
    };
    end(0);
    for k in (inner + 1).max(1)..points {
        end(k);
    }
}
