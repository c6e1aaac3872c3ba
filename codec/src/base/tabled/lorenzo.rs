//! Differences to neighbours one step back, of numbers that were divided by the step before (SPEC §8.7.3).
use super::contexts;
use super::pyramid::{Planes, Wanted};
use super::{BLOCK, Row, Rows};
use crate::base::Geometry;

/// Codes (or decodes) all points, multiples of the step in units of it; `axes` is 1 to 3. If only a part is wanted, what
/// lies behind its last row is left out.
#[inline(always)]
pub fn run<R: Rows>(
    g: &Geometry,
    axes: u8,
    v: &mut [i32],
    mask: Option<&[u8]>,
    decoding: bool,
    wanted: Option<&Wanted>,
    rows: &mut R,
) {
    let [n0, n1, n2, n] = g.n;
    let end = wanted.map_or(usize::MAX, |w| (0..3).map(|a| w[a].end.saturating_sub(1) * g.stride[a]).sum());
    let mut planes = Planes::new(n2, n);
    let (mut base, mut d) = (vec![0i32; n], vec![0i32; n]);
    let (mut ctx, zeros) = (vec![0u8; n.next_multiple_of(BLOCK)], vec![0i32; n]);
    for plane in 0..n0 * n1 {
        planes.next();
        for y in 0..n2 {
            let at = plane * g.stride[1] + y * n;
            if at > end {
                return;
            }
            // What the differences along the row are taken of: the row less those above and before it.
            base.fill(0);
            let up = (axes >= 2 && y > 0).then(|| at - n);
            let back = (axes >= 3 && plane % n1.max(1) > 0).then(|| at - g.stride[1]);
            for from in [up, back].into_iter().flatten() {
                for (b, &x) in base.iter_mut().zip(&v[from..]) {
                    *b = b.wrapping_add(x);
                }
            }
            if let (Some(_), Some(back)) = (up, back) {
                for (b, &x) in base.iter_mut().zip(&v[back - n..]) {
                    *b = b.wrapping_sub(x);
                }
            }
            let masked = mask.map(|m| &m[at..at + n]);
            let row = &mut v[at..at + n];
            if !decoding {
                match masked {
                    None => {
                        for k in 0..n {
                            let before = if k > 0 { row[k - 1].wrapping_sub(base[k - 1]) } else { 0 };
                            d[k] = row[k].wrapping_sub(base[k]).wrapping_sub(before);
                        }
                    }
                    Some(m) => {
                        let mut last = 0;
                        for k in 0..n {
                            let now = if m[k] != 0 { last } else { row[k].wrapping_sub(base[k]) };
                            d[k] = now.wrapping_sub(last);
                            last = now;
                        }
                    }
                }
            }
            contexts::fill(0, 1, &planes.around(y), &zeros, masked, &mut ctx[..n]);
            let (mags, up, back, quiet) = planes.row(y);
            rows.row(1, &mut Row { pred: &zeros, ctx: &ctx, values: &mut d, mags, up, back, quiet });
            let mut sum = 0i32;
            for k in 0..n {
                sum = sum.wrapping_add(d[k]);
                row[k] = base[k].wrapping_add(sum);
            }
        }
    }
}
