//! Which points hold no number to predict (NaN, ±Inf, fill), and what bits they hold instead (SPEC §7.6).
use crate::base::Geometry;
use crate::entropy::{BitCoder, Counter};
use crate::mask_mixture::Mixture;

/// How a row of the mask is told.
const EXPLICIT: u32 = 0;
const AS_ABOVE: u32 = 1;
const AS_BEFORE: u32 = 2;

/// How points are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// Each under one context: quick.
    Template,
    /// Each under several, mixed.
    Mixture,
}

/// What tells the points of a row.
pub(crate) trait Points {
    /// Whether how a row is told depends on how the same row of the plane before was.
    const BY_PLACE: bool;

    fn row<C: BitCoder>(&mut self, c: &mut C, around: &Around<'_>, row: &mut [bool]);
}

/// Rows that were told before this one; empty where there is none.
pub(crate) struct Around<'a> {
    /// One, two and three above, in the plane.
    pub above: [&'a [bool]; 3],
    /// The same row of the plane before, and those above and below it.
    pub before: [&'a [bool]; 3],
}

/// Codes (or decodes) a mask: rows that repeat the row above or the same row of the plane before cost one symbol.
pub fn code<C: BitCoder>(c: &mut C, g: Geometry, teller: Teller, mask: &mut [bool]) {
    if C::SILENT {
        return;
    }
    match teller {
        Teller::Template => code_rows(c, g, &mut Template::new(), mask),
        Teller::Mixture => code_rows(c, g, &mut Mixture::new(), mask),
    }
}

fn code_rows<C: BitCoder, P: Points>(c: &mut C, g: Geometry, points: &mut P, mask: &mut [bool]) {
    let mut modes = [[[Counter::NEW; 2]; 3]; 3];
    let mut modes_before = vec![EXPLICIT; if P::BY_PLACE { g.n[2] } else { 0 }];
    let mut mode = EXPLICIT;
    let n = g.n[3];
    for plane in 0..g.n[0] * g.n[1] {
        for y in 0..g.n[2] {
            let start = (plane * g.n[2] + y) * n;
            let (done, rest) = mask.split_at_mut(start);
            let row = &mut rest[..n];
            let above = |k: usize| if y >= k { &done[start - k * n..start - k * n + n] } else { &[] };
            let before = |k: usize| {
                let there = plane > 0 && y + k > 0 && y + k <= g.n[2];
                let at = start.wrapping_sub(g.stride[1]).wrapping_add(k * n).wrapping_sub(n);
                if there { &done[at..at + n] } else { &[] }
            };
            let around = Around { above: [above(1), above(2), above(3)], before: [before(1), before(0), before(2)] };
            let want = if C::DECODING {
                EXPLICIT
            } else if plane > 0 && around.before[0] == row {
                AS_BEFORE
            } else if y > 0 && around.above[0] == row {
                AS_ABOVE
            } else {
                EXPLICIT
            };
            let place = modes_before.get(y).copied().unwrap_or(EXPLICIT);
            mode = code_mode(c, &mut modes[place as usize][mode as usize], want, y > 0, plane > 0);
            if let Some(m) = modes_before.get_mut(y) {
                *m = mode;
            }
            match mode {
                AS_ABOVE => row.copy_from_slice(around.above[0]),
                AS_BEFORE => row.copy_from_slice(around.before[0]),
                _ => points.row(c, &around, row),
            }
        }
    }
}

/// One of 1024 contexts: ten points nearby.
struct Template(Vec<Counter>);

impl Template {
    fn new() -> Template {
        Template(vec![Counter::NEW; 1 << 10])
    }
}

impl Points for Template {
    const BY_PLACE: bool = false;

    fn row<C: BitCoder>(&mut self, c: &mut C, around: &Around<'_>, row: &mut [bool]) {
        let ([above, ..], [before, ..]) = (around.above, around.before);
        for x in 0..row.len() {
            let bit = |of: &[bool], dx: isize| x.checked_add_signed(dx).and_then(|x| of.get(x)).is_some_and(|&b| b);
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
            let k = &mut self.0[slot];
            row[x] = c.bit(row[x], k.p16());
            k.update(row[x], 255);
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
    if C::SILENT {
        return;
    }
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
        last_hit = usize::from(at != 0);
        if at == 0 {
            // Most are like the last one.
            bits[i] = recent[0];
            continue;
        }
        let value = if at < RECENT { recent[at] } else { c.raw_wide(bits[i], width) };
        bits[i] = value;
        let end = at.min(RECENT - 1);
        recent.copy_within(0..end, 1);
        recent[0] = value;
    }
}
