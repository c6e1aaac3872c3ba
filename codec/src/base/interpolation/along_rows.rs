//! What is computed for a whole row of new points at a time, before any of them is coded (SPEC §8.2).
use super::super::contexts::{Blend, magnitude, sign};
use super::super::rows::{Row, gather};
use super::{Pass, Run};
use crate::entropy::Residuals;
use crate::learned::Above;

impl<R: Residuals> Run<'_, R> {
    /// Plain interpolation of a row, and the differences that tell how rough it is.
    #[inline(always)]
    pub(super) fn interpolate(&self, pass: &Pass, at: [usize; 3], first: usize, row: &mut Row) {
        let Pass { step, s, axis, start, .. } = *pass;
        let stride = s * self.g.stride[axis];
        let n = self.g.n[axis];
        let count = row.p.len();
        // Points lo..hi have two neighbours on either side; those below `paired` have one on either side.
        let (lo, hi, paired);
        if axis == 3 {
            paired = if start[3] + (count - 1) * step[3] + s < n { count } else { count - 1 };
            (lo, hi) = (1.min(paired), paired.saturating_sub(1).max(1.min(paired)));
            gather(self.values, first - s, 2 * s, paired + 1, &mut row.line);
        } else {
            paired = if at[axis] + s < n { count } else { 0 };
            (lo, hi) = if at[axis] >= 3 * s && at[axis] + 3 * s < n { (0, count) } else { (0, 0) };
            if lo < hi {
                gather(self.values, first - 3 * stride, step[3], count, &mut row.line);
                gather(self.values, first - stride, step[3], count, &mut row.lines[0]);
                gather(self.values, first + stride, step[3], count, &mut row.lines[1]);
                gather(self.values, first + 3 * stride, step[3], count, &mut row.lines[2]);
            }
        }
        row.paired = paired;
        if lo < hi {
            let m = hi - lo;
            let (v0, v1, v2, v3) = if axis == 3 {
                let e = &row.line;
                (&e[lo - 1..][..m], &e[lo..][..m], &e[lo + 1..][..m], &e[lo + 2..][..m])
            } else {
                (&row.line[..m], &row.lines[0][..m], &row.lines[1][..m], &row.lines[2][..m])
            };
            let (base, sum, bend, grad) =
                (&mut row.base[lo..hi], &mut row.sum[lo..hi], &mut row.bend[lo..hi], &mut row.grad[lo..hi]);
            let linear = self.p.linear;
            for k in 0..m {
                let (near, far) = (v1[k] + v2[k], v0[k] + v3[k]);
                base[k] = if linear { 0.5 * near } else { (9.0 * near - far) * 0.0625 };
                sum[k] = near;
                bend[k] = far - near;
                grad[k] = (v1[k] - v2[k]).abs();
            }
            for k in lo..hi {
                row.curve[k] = row.bend[k].abs();
            }
        }
        for k in (0..lo).chain(hi..count) {
            let i = first + k * step[3];
            let l = self.local(pass, &[at[0], at[1], at[2], start[3] + k * step[3]], i);
            (row.base[k], row.bend[k], row.curve[k], row.grad[k]) = (l.p, l.curve_signed, l.curve, l.grad);
            row.sum[k] = if k < paired { self.values[i - stride] + self.values[i + stride] } else { 0.0 };
        }
        row.p.copy_from_slice(&row.base);
    }

    /// Adds the weighted features that come from outside the row, in the order of their numbers.
    #[inline(always)]
    pub(super) fn correct(&self, pass: &Pass, at: [usize; 3], first: usize, row: &mut Row) {
        let g = &self.g;
        let Pass { start, step, axis, s, .. } = *pass;
        let w = &pass.weights;
        let stride = s * g.stride[axis];
        let Row { p, sum, bend, line, lines, paired, .. } = row;
        let (count, paired) = (p.len(), *paired);
        if w[0] != 0.0 {
            for k in 0..count {
                p[k] += w[0] * bend[k];
            }
        }
        for a in (0..4).filter(|&a| a != axis) {
            let f = if a < axis { 1 + a } else { a };
            if w[f] == 0.0 || paired == 0 {
                continue;
            }
            if a == 3 {
                for k in 1..count - 1 {
                    p[k] += w[f] * (0.25 * (sum[k - 1] + sum[k + 1]) - 0.5 * sum[k]);
                }
                continue;
            }
            let t = step[a];
            if at[a] < start[a] + t || at[a] + t >= g.n[a] {
                continue;
            }
            let o = t * g.stride[a];
            if axis == 3 {
                gather(self.values, first - o - s, 2 * s, paired + 1, line);
                gather(self.values, first + o - s, 2 * s, paired + 1, &mut lines[0]);
                let (b, e) = (&line[..paired + 1], &lines[0][..paired + 1]);
                for k in 0..paired {
                    p[k] += w[f] * (0.25 * ((b[k] + b[k + 1]) + (e[k] + e[k + 1])) - 0.5 * sum[k]);
                }
            } else {
                gather(self.values, first - o - stride, step[3], count, line);
                for (k, from) in [first - o + stride, first + o - stride, first + o + stride].into_iter().enumerate() {
                    gather(self.values, from, step[3], count, &mut lines[k]);
                }
                let (b, d, e, h) = (&line[..count], &lines[0][..count], &lines[1][..count], &lines[2][..count]);
                for k in 0..count {
                    p[k] += w[f] * (0.25 * ((b[k] + d[k]) + (e[k] + h[k])) - 0.5 * sum[k]);
                }
            }
        }
        let has: [bool; 3] = std::array::from_fn(|a| at[a] >= start[a] + step[a]);
        let before = |a: usize| first.wrapping_sub(step[a] * g.stride[a]);
        let up = before(2);
        let added = [
            (w[4], has[0], before(0), 0..count),
            (w[5], has[1], before(1), 0..count),
            (w[6], has[2], up, 0..count),
            (w[8], has[2], up, 1..count),
            (w[9], has[2], up.wrapping_add(step[3]), 0..count - 1),
        ];
        for (w, ok, from, range) in added {
            if ok && w != 0.0 && !range.is_empty() {
                gather(&self.residuals, from, step[3], range.len(), line);
                for (p, r) in p[range].iter_mut().zip(line.iter()) {
                    *p += w * r;
                }
            }
        }
    }

    /// What the codes around a row tell, but for those of the row itself.
    #[inline(always)]
    pub(super) fn survey(&self, pass: &Pass, at: [usize; 3], first: usize, row: &mut Row, blend: &Blend) {
        let g = &self.g;
        let Pass { start, step, axis, s, .. } = *pass;
        let Row { known, codes, curve, grad, paired, .. } = row;
        let (count, paired) = (known.near.len(), *paired);
        let stride = s * g.stride[axis];
        gather(&self.codes, first - stride, step[3], count, codes);
        for ((parents, signs), &m1) in known.parents.iter_mut().zip(&mut known.signs).zip(codes.iter()) {
            (*parents, *signs) = (2 * magnitude(m1), (4 * sign(m1)) as u8);
        }
        if paired > 0 {
            gather(&self.codes, first + stride, step[3], paired, codes);
            for ((parents, signs), &m2) in known.parents.iter_mut().zip(&mut known.signs).zip(codes.iter()) {
                *parents = *parents / 2 + magnitude(m2);
                *signs = *signs / 4 * 3 + sign(m2) as u8;
            }
        }
        known.curve.iter_mut().zip(&*curve).for_each(|(to, &v)| *to = self.quant.fine(v));
        known.grad.iter_mut().zip(&*grad).for_each(|(to, &v)| *to = self.quant.fine(v));
        known.near.fill(0);
        known.back.iter_mut().for_each(|b| b.fill(0));
        let o: [usize; 3] = std::array::from_fn(|a| step[a] * g.stride[a]);
        if at[2] >= start[2] + step[2] {
            gather(&self.codes, first - o[2], step[3], count, codes);
            add(&mut known.near, codes, 1);
            add(&mut known.near, &codes[1..], 2);
            known.back[0].copy_from_slice(codes);
        }
        if at[1] >= start[1] + step[1] {
            gather(&self.codes, first - o[1], step[3], count, codes);
            add(&mut known.near, codes, 1);
            known.back[1].copy_from_slice(codes);
            if at[2] + step[2] < g.n[2] {
                gather(&self.codes, first - o[1] + o[2], step[3], count, codes);
                add(&mut known.near, codes, 2);
            }
        }
        if at[0] >= start[0] + step[0] {
            gather(&self.codes, first - o[0], step[3], count, codes);
            add(&mut known.near, codes, 1);
        }
        known.finish(blend);
    }

    /// What is decoded around the points of a row in rows before it: residuals and codes.
    #[inline(always)]
    pub(super) fn above(&self, pass: &Pass, at: [usize; 3], first: usize, row: &mut Row, above: &mut Above) {
        let g = &self.g;
        let Pass { start, step, .. } = *pass;
        let Row { known, codes, line, .. } = row;
        let count = known.near.len();
        let o: [usize; 3] = std::array::from_fn(|a| step[a] * g.stride[a]);
        let [out, back, up]: [bool; 3] = std::array::from_fn(|a| at[a] >= start[a] + step[a]);
        // Neighbours in one row: their numbers, with the points right above, before and behind.
        let mut put = |from: usize, [right, before, behind]: [Option<usize>; 3]| {
            gather(&self.residuals, from, step[3], count, line);
            gather(&self.codes, from, step[3], count, codes);
            let (r, c) = (&line[..count], &codes[..count]);
            right.into_iter().for_each(|n| above.put(n, 0, r, c));
            before.into_iter().for_each(|n| above.put(n, 1, &r[..count - 1], &c[..count - 1]));
            behind.into_iter().for_each(|n| above.put(n, 0, &r[1..], &c[1..]));
        };
        if up {
            put(first - o[2], [Some(0), Some(1), Some(2)]);
        }
        if back {
            put(first - o[1], [Some(3), None, Some(5)]);
            if at[2] + step[2] < g.n[2] {
                put(first - o[1] + o[2], [Some(4), None, None]);
            }
        }
        if out {
            put(first - o[0], [Some(6), None, None]);
        }
    }
}

/// Adds magnitudes of codes, divided by `part`.
#[inline(always)]
fn add(near: &mut [u32], codes: &[i16], part: u32) {
    near.iter_mut().zip(codes).for_each(|(near, &c)| *near += magnitude(c) / part);
}
