//! Levels as arrays, and the passes that fill a level from the one above it.
use super::contexts::{self, Around};
use super::predict::{beyond, cubic, linear, linear_with_curve, skewed};
use super::{BLOCK, Parameters, Predictor, Row, Rows, levels};
use crate::base::Geometry;
use crate::plan::SCHEDULES;
use crate::scratch::{Kept, give, take};

/// Every second element along the axes that are refined.
#[inline(always)]
fn thinned<T: Kept>(from: &[T], g: &Geometry, to: &Geometry, step: [usize; 4]) -> Vec<T> {
    let mut out = take(to.len());
    out.clear();
    each_row(g, step, |row| out.extend(from[row..row + g.n[3]].iter().step_by(step[3])));
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

/// Codes (or decodes) all points by interpolation; `values` then holds the reconstruction.
#[inline(always)]
pub fn run<R: Rows>(
    g: &Geometry,
    p: &Parameters,
    values: &mut [i32],
    mask: Option<&[u8]>,
    decoding: bool,
    rows: &mut R,
) {
    let Predictor::Interpolation { schedule, linear, .. } = p.predictor else { return };
    let (alpha, beta) = SCHEDULES[usize::from(schedule & 7)];
    let axes = p.axes();
    let top = levels(g, &axes);
    let step: [usize; 4] = std::array::from_fn(|a| if axes.contains(&a) { 2 } else { 1 });
    let mut shapes = vec![*g];
    let (mut coarse, mut masks): (Vec<Vec<i32>>, Vec<Vec<u8>>) = (vec![], vec![]);
    for l in 0..top as usize {
        let fine = shapes[l];
        let shape = Geometry::of(std::array::from_fn(|a| fine.n[a].div_ceil(step[a])));
        let from = if l == 0 { &*values } else { &coarse[l - 1][..] };
        coarse.push(if decoding { take(shape.len()) } else { thinned(from, &fine, &shape, step) });
        if let Some(mask) = mask {
            masks.push(thinned(if l == 0 { mask } else { &masks[l - 1] }, &fine, &shape, step));
        }
        shapes.push(shape);
    }
    let mask_of = |l: usize| mask.map(|m| if l == 0 { m } else { &masks[l - 1][..] });
    let first = p.level_step(alpha, beta, top.max(1));
    match coarse.last_mut() {
        Some(coarsest) => rows.anchors(first, coarsest, mask_of(top as usize)),
        None => rows.anchors(first, values, mask),
    }
    for l in (1..=top as usize).rev() {
        let known = coarse.pop().unwrap_or_default();
        let fine = if l == 1 { &mut *values } else { &mut coarse[l - 2][..] };
        let shape = shapes[l - 1];
        let mut from = known.chunks_exact(shapes[l].n[3].max(1));
        each_row(&shape, step, |row| {
            let to = fine[row..row + shape.n[3]].iter_mut().step_by(step[3]);
            to.zip(from.next().unwrap_or_default()).for_each(|(t, &f)| *t = f);
        });
        let mut pass = Pass {
            g: shape,
            axis: 0,
            step,
            start: [0; 4],
            quant: p.level_step(alpha, beta, l as u32),
            linear,
            kind: 0,
            scratch: Scratch::default(),
        };
        for (k, &axis) in axes.iter().enumerate() {
            if shape.n[axis] > 1 {
                pass.axis = axis;
                pass.start = [0; 4];
                pass.start[axis] = 1;
                pass.kind = usize::from(l > 1 || k + 1 < axes.len());
                pass.run(fine, mask_of(l - 1), decoding, rows);
            }
            pass.step[axis] = 1;
        }
        give(known);
    }
    masks.into_iter().for_each(give);
}

/// Buffers of one row, or of a plane of rows.
#[derive(Default)]
struct Scratch {
    pred: Vec<i32>,
    curve: Vec<i32>,
    ctx: Vec<u8>,
    mask: Vec<u8>,
    lines: [Vec<i32>; 4],
}

struct Pass {
    g: Geometry,
    axis: usize,
    step: [usize; 4],
    start: [usize; 4],
    quant: i32,
    linear: bool,
    kind: usize,
    scratch: Scratch,
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

/// A line of the array from offset `from`, gathered where it is strided.
#[inline(always)]
fn line<'a>(v: &'a [i32], from: usize, step: usize, count: usize, buffer: &'a mut Vec<i32>) -> &'a [i32] {
    if step == 1 {
        return &v[from..from + count];
    }
    gather(v, from, step, count, buffer);
    &buffer[..]
}

#[inline(always)]
fn gather<T: Copy>(v: &[T], from: usize, step: usize, count: usize, buffer: &mut Vec<T>) {
    buffer.clear();
    if count > 0 {
        let v = &v[from..from + (count - 1) * step + 1];
        if step == 2 {
            // Pairs, so that the loop is one of shuffles; the last one may be half a pair.
            let (pairs, rest) = v.as_chunks::<2>();
            buffer.extend(pairs.iter().map(|p| p[0]));
            buffer.extend(rest);
        } else {
            buffer.extend(v.iter().step_by(step));
        }
    }
}

impl Pass {
    #[inline(always)]
    fn run<R: Rows>(&mut self, v: &mut [i32], mask: Option<&[u8]>, decoding: bool, rows: &mut R) {
        let (g, start, step) = (self.g, self.start, self.step);
        let count = |a: usize| (g.n[a] - start[a]).div_ceil(step[a]);
        let points = count(3);
        let mut planes = Planes::new(count(2), points);
        let s = &mut self.scratch;
        s.pred.resize(points, 0);
        s.curve.resize(points, 0);
        s.ctx.clear();
        s.ctx.resize(points.next_multiple_of(BLOCK), 0);
        let mut buffer = vec![];
        for a in (start[0]..g.n[0]).step_by(step[0]) {
            for b in (start[1]..g.n[1]).step_by(step[1]) {
                planes.next();
                for (j, y) in (start[2]..g.n[2]).step_by(step[2]).enumerate() {
                    let first = a * g.stride[0] + b * g.stride[1] + y * g.stride[2] + start[3];
                    self.predict(v, [a, b, y], first);
                    let s = &mut self.scratch;
                    let masked = mask.map(|m| {
                        gather(m, first, step[3], points, &mut s.mask);
                        &s.mask[..]
                    });
                    let ctx = &mut s.ctx[..points];
                    contexts::fill(self.kind, self.quant, &planes.around(j), &s.curve, masked, ctx);
                    let (mags, up, back, quiet) = planes.row(j);
                    let strided = step[3] != 1;
                    let values = if strided {
                        if decoding {
                            buffer.resize(points, 0)
                        } else {
                            gather(v, first, step[3], points, &mut buffer)
                        }
                        &mut buffer[..]
                    } else {
                        &mut v[first..first + points]
                    };
                    rows.row(self.quant, &mut Row { pred: &s.pred, ctx: &s.ctx, values, mags, up, back, quiet });
                    if strided {
                        v[first..].iter_mut().step_by(step[3]).zip(&buffer).for_each(|(t, &f)| *t = f);
                    }
                }
            }
        }
    }

    /// Predicts a row from what is known along the axis of the pass.
    #[inline(always)]
    fn predict(&mut self, v: &[i32], at: [usize; 3], first: usize) {
        let s = &mut self.scratch;
        let (n, points) = (self.g.n[self.axis], s.pred.len());
        if self.axis == 3 {
            let known = points + usize::from(n % 2 == 1);
            gather(v, first - 1, 2, known, &mut s.lines[0]);
            along(&s.lines[0], self.linear, &mut s.pred, &mut s.curve);
            return;
        }
        let (i, step) = (at[self.axis], self.step[3]);
        let o = self.g.stride[self.axis];
        let [b0, b1, b2, b3] = &mut s.lines;
        let v1 = line(v, first - o, step, points, b1);
        let v0 = (i >= 3).then(|| line(v, first - 3 * o, step, points, b0));
        if i + 1 >= n {
            beyond(v0, v1, &mut s.pred, &mut s.curve);
            return;
        }
        let v2 = line(v, first + o, step, points, b2);
        let v3 = (i + 3 < n).then(|| line(v, first + 3 * o, step, points, b3));
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
