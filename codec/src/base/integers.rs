//! Arrays of integers that nothing predicts, in C order, under contexts of what surrounds them (SPEC §8.9.2).
use super::Geometry;
use super::contexts::{Blend, Known, Rest, magnitude};
use crate::entropy::{BitCoder, Residuals};

/// Largest magnitude of an integer.
pub const LARGEST: i64 = 1 << 40;

/// Codes (or decodes) all integers of an array of these extents.
#[inline(always)]
pub fn code<C: BitCoder, R: Residuals>(c: &mut C, coder: &mut R, n: [usize; 4], place: u32, numbers: &mut [i64]) {
    let g = Geometry::of(n);
    let blend = Blend::new(2 + u32::from(n[1] > 1));
    let mut codes = vec![0i16; g.len()];
    for a in 0..n[0] {
        for b in 0..n[1] {
            for y in 0..n[2] {
                let row = a * g.stride[0] + b * g.stride[1] + y * g.stride[2];
                let (up, back, out) = (y > 0, b > 0, a > 0);
                for x in 0..n[3] {
                    let i = row + x;
                    let code = |there: bool, back: usize| if there { codes[i - back] } else { 0 };
                    let (w, u, p) = (code(x > 0, 1), code(up, g.stride[2]), code(back, g.stride[1]));
                    let right = if up && x + 1 < n[3] { codes[i + 1 - g.stride[2]] } else { 0 };
                    let low = if back && y + 1 < n[2] { codes[i + g.stride[2] - g.stride[1]] } else { 0 };
                    let near = magnitude(u)
                        + magnitude(p)
                        + magnitude(code(out, g.stride[0]))
                        + magnitude(right) / 2
                        + magnitude(low) / 2;
                    let parents = magnitude(code(x > 1, 2)) + magnitude(code(up && x > 0, g.stride[2] + 1));
                    let known = Known::new(&blend, near, Rest { parents, ..Rest::default() }, [u, p]);
                    let q = coder.code(c, numbers[i], &known.contexts(&blend, w, place));
                    numbers[i] = q.clamp(-LARGEST, LARGEST);
                    codes[i] = q.clamp(-32767, 32767) as i16;
                }
            }
        }
    }
}
