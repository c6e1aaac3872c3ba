//! What a row's codes are expected to be like, from the codes of rows before and the curvature of what is known.
use super::write::LOUDEST;
use super::{CLASSES, MASKED};

/// The class of an expectation in 1/32 steps: 0, then two an octave of one more.
#[inline(always)]
fn class(e: i32) -> u8 {
    // The exponent of a binary32 and the first bit of its mantissa.
    let c = ((e + 1) as f32).to_bits() >> 22;
    (c - 254).min(CLASSES as u32 - 1) as u8
}

/// What is expected after magnitudes `m` (in eighths) and a curve: where codes speak, the curve does not say much more.
#[inline(always)]
fn expected(m: i32, bent: i32) -> i32 {
    2 * m + bent.min(24 + (m >> 1))
}

/// Magnitudes of codes in rows that were coded before.
pub struct Around<'a> {
    /// Of the row above in the plane, and of the same row in the plane before; both have one more zero at either end.
    pub up: Option<&'a [u16]>,
    pub back: Option<&'a [u16]>,
}

/// Fills in the contexts of a row: of a kind of pass, with curves in units of the grid.
#[inline(always)]
pub fn fill(kind: usize, step: i32, around: &Around<'_>, curve: &[i32], mask: Option<&[u8]>, ctx: &mut [u8]) {
    let n = ctx.len();
    let curve = &curve[..n];
    // Half a curve is expected at most, in units between 1/32 and 1/16 step.
    let scale = step.max(1).ilog2() as i32 - 1;
    let (left, right) = ((-scale).max(0), scale.max(0));
    let base = (kind * CLASSES) as u8;
    let bent = |k: usize| ((curve[k].min(1 << 24) << left) >> right).max(0);
    // Four magnitudes, one of them twice, are below 2^15: both rows together fit into 16 bits.
    const { assert!(8 * (LOUDEST + 1) <= 1 << 16) };
    match (around.up, around.back) {
        (Some(u), Some(b)) => {
            let (u, b) = (&u[..n + 2], &b[..n + 2]);
            for k in 0..n {
                let sides = (u[k] + u[k + 2]) + (b[k] + b[k + 2]);
                ctx[k] = base + class(expected(i32::from(sides + 2 * (u[k + 1] + b[k + 1])), bent(k)));
            }
        }
        (Some(u), None) | (None, Some(u)) => {
            let u = &u[..n + 2];
            for k in 0..n {
                ctx[k] = base + class(expected(2 * i32::from(u[k] + u[k + 2] + 2 * u[k + 1]), bent(k)));
            }
        }
        (None, None) => {
            for k in 0..n {
                ctx[k] = base + class(bent(k));
            }
        }
    }
    if let Some(mask) = mask {
        for (c, &m) in ctx.iter_mut().zip(mask) {
            *c = if m != 0 { MASKED } else { *c };
        }
    }
}
