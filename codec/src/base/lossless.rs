//! The base of last resort: every element's ordered bits, as wrapping differences from a causal prediction (SPEC §8.6).
use super::Geometry;
use crate::entropy::{Aside, BitCoder, Magnitude, ResidualCoder, Residuals, log_class};

/// Codes (or decodes) ordered integers in C order. `shift` low bits of each difference are sent raw.
///
/// The prediction is the Lorenzo one over the last `order` ≤ 3 axes: 0 predicts zero, 1 the previous element of the row.
pub fn code<C: BitCoder>(c: &mut C, g: Geometry, order: u8, shift: u32, v: &mut [i64], mask: Option<&[bool]>) {
    let mut coder = ResidualCoder::<3>::new([64, 64 * 16, 64 * 64, 0, 0, 0], 64);
    let mut row = vec![0i64; g.n[3] + 1];
    let mut above = vec![0i64; g.n[3] + 1];
    let (sy, sb) = (g.stride[2], g.stride[1]);
    for a in 0..g.n[0] {
        for b in 0..g.n[1] {
            above.fill(0);
            for y in 0..g.n[2] {
                row.fill(0);
                for x in 0..g.n[3] {
                    let i = a * g.stride[0] + b * sb + y * sy + x;
                    let at = |dx: usize, dy: usize, db: usize| {
                        if x < dx || y < dy || b < db { 0 } else { v[i - dx - dy * sy - db * sb] }
                    };
                    let w = |l: i64, r: i64| l.wrapping_sub(r);
                    let p = match order {
                        0 => 0,
                        1 => at(1, 0, 0),
                        2 => w(at(1, 0, 0).wrapping_add(at(0, 1, 0)), at(1, 1, 0)),
                        _ => w(at(1, 0, 0).wrapping_add(at(0, 1, 0)), at(1, 1, 0))
                            .wrapping_add(at(0, 0, 1))
                            .wrapping_add(at(1, 1, 1))
                            .wrapping_sub(at(1, 0, 1).wrapping_add(at(0, 1, 1))),
                    };
                    if mask.is_some_and(|m| m[i]) {
                        v[i] = p;
                        continue;
                    }
                    let (near, far) = (row[x].unsigned_abs(), above[x + 1].unsigned_abs());
                    // Halved before adding: two magnitudes of 2^63 must not overflow.
                    let k = log_class((near >> 1) + (far >> 1)).min(63);
                    let kn = log_class(near).min(63);
                    let kf = log_class(far).min(63);
                    let m = Magnitude {
                        slots: [k, k * 16 + (kn + 8).saturating_sub(k).min(15), kn * 64 + kf, 0, 0, 0],
                        start: k.min(61),
                        class: 0,
                        set: k,
                        sign: [
                            (row[x].signum() + 1) as u32 * 3 + (above[x + 1].signum() + 1) as u32,
                            (row[x].signum() + 1) as u32,
                            0,
                        ],
                        aside: Aside::default(),
                    };
                    let d = if C::DECODING { 0 } else { w(v[i], p) };
                    let hi = coder.code(c, d >> shift, &m);
                    let low = c.raw_wide(d as u64 & ((1u64 << shift) - 1), shift);
                    row[x + 1] = hi;
                    let d = (hi << shift) | low as i64;
                    v[i] = p.wrapping_add(d);
                }
                std::mem::swap(&mut row, &mut above);
            }
        }
    }
}
