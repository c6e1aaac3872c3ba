//! Which points hold no number to predict (NaN, ±Inf, fill), and what bits they hold instead (SPEC §7.6).
use crate::base::Geometry;
use crate::entropy::{BitCoder, Counter};

/// How a row of the mask is told.
const EXPLICIT: u32 = 0;
const AS_ABOVE: u32 = 1;
const AS_BEFORE: u32 = 2;

/// Codes (or decodes) the mask: rows that repeat the row above or the same row of the plane before cost one symbol.
pub fn code<C: BitCoder>(c: &mut C, g: Geometry, mask: &mut [bool]) {
    let mut modes = [[Counter::NEW; 2]; 3];
    let mut points = vec![Counter::NEW; 1 << 10];
    let mut mode = EXPLICIT;
    let n = g.n[3];
    for plane in 0..g.n[0] * g.n[1] {
        for y in 0..g.n[2] {
            let start = (plane * g.n[2] + y) * n;
            let above = (y > 0).then(|| start - n);
            let before = (plane > 0).then(|| start - g.stride[1]);
            let (done, rest) = mask.split_at_mut(start);
            let row = &mut rest[..n];
            let same = |at: Option<usize>, row: &[bool]| at.is_some_and(|at| done[at..at + n] == *row);
            let want = if C::DECODING {
                EXPLICIT
            } else if same(before, row) {
                AS_BEFORE
            } else if same(above, row) {
                AS_ABOVE
            } else {
                EXPLICIT
            };
            mode = code_mode(c, &mut modes[mode as usize], want, above.is_some(), before.is_some());
            let source = match mode {
                AS_ABOVE => above,
                AS_BEFORE => before,
                _ => None,
            };
            if let Some(at) = source {
                row.copy_from_slice(&done[at..at + n]);
                continue;
            }
            for x in 0..n {
                let bit = |at: Option<usize>, dx: isize| {
                    let x = x as isize + dx;
                    at.is_some_and(|at| x >= 0 && x < n as isize && done[at + x as usize])
                };
                let left = |dx: usize| x >= dx && row[x - dx];
                let ctx = [
                    left(1),
                    left(2),
                    bit(above, 0),
                    bit(above, -1),
                    bit(above, 1),
                    bit(above, 2),
                    bit(before, 0),
                    bit(before, 1),
                    bit(before, -1),
                    left(3),
                ];
                let slot = ctx.iter().fold(0usize, |s, &b| s << 1 | usize::from(b));
                let k = &mut points[slot];
                row[x] = c.bit(row[x], k.p16());
                k.update(row[x], 255);
            }
        }
    }
}

fn code_mode<C: BitCoder>(c: &mut C, k: &mut [Counter; 2], want: u32, above: bool, before: bool) -> u32 {
    if before {
        let bit = c.bit(want == AS_BEFORE, k[0].p16());
        k[0].update(bit, 255);
        if bit {
            return AS_BEFORE;
        }
    }
    if above {
        let bit = c.bit(want == AS_ABOVE, k[1].p16());
        k[1].update(bit, 255);
        if bit {
            return AS_ABOVE;
        }
    }
    EXPLICIT
}

/// Codes the bits of masked points: each as the last one in C order, or as one of those seen before, or raw.
pub fn code_specials<C: BitCoder>(c: &mut C, width: u32, mask: &[bool], bits: &mut [u64]) {
    const RECENT: usize = 4;
    let mut recent = [0u64; RECENT];
    let mut hit = [[Counter::NEW; RECENT]; 2];
    let mut last_hit = 0;
    for i in 0..mask.len() {
        if !mask[i] {
            continue;
        }
        let mut at = RECENT;
        for k in 0..RECENT {
            let counter = &mut hit[last_hit][k];
            let bit = c.bit(recent[k] == bits[i], counter.p16());
            counter.update(bit, 255);
            if bit {
                at = k;
                break;
            }
        }
        let value = if at < RECENT { recent[at] } else { c.raw_wide(bits[i], width) };
        bits[i] = value;
        last_hit = usize::from(at != 0);
        let end = at.min(RECENT - 1);
        recent.copy_within(0..end, 1);
        recent[0] = value;
    }
}
