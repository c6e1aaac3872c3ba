//! Ways to damage bytes.
use crate::field::Random;

/// Damages bytes in one to four ways; `other` is where spliced bytes come from.
pub fn damage(bytes: &mut Vec<u8>, other: &[u8], r: &mut Random) {
    for _ in 0..1 + r.below(4).min(r.below(4)) {
        once(bytes, other, r);
    }
}

fn once(bytes: &mut Vec<u8>, other: &[u8], r: &mut Random) {
    let n = bytes.len();
    // Parameters and headers are in the first bytes: they get more than their share.
    let at = if r.below(2) == 0 { r.below(n.min(24)) } else { r.below(n) };
    let longest = 1 << r.below(6);
    let run = (1 + r.below(longest)).min(n - at.min(n));
    match r.below(10) {
        0 | 1 if n > 0 => bytes[at] ^= 1 << r.below(8),
        2 if n > 0 => bytes[at] = r.next() as u8,
        3 if n > 0 => bytes[at] = [0, 1, 127, 128, 255, 254, 64, 16][r.below(8)],
        4 => {
            let value = [0, 255, r.next() as u8][r.below(3)];
            bytes[at.min(n)..][..run].fill(value);
        }
        5 => bytes.truncate(r.below(n + 1)),
        6 => bytes.extend((0..1 + r.below(40)).map(|_| r.next() as u8)),
        7 if !other.is_empty() => {
            let from = r.below(other.len());
            let piece = &other[from..][..(1 + r.below(64)).min(other.len() - from)];
            let at = at.min(n);
            // In place, or squeezed in between.
            let end = if r.below(2) == 0 { (at + piece.len()).min(n) } else { at };
            bytes.splice(at..end, piece.iter().copied());
        }
        8 => drop(bytes.drain(at.min(n)..at.min(n) + run)),
        _ => {
            // A length that lies.
            let value = [u64::MAX, 1 << 63, 1 << 40, 1 << 31, 1 << 28, 65536, 255][r.below(7)] >> r.below(3);
            let lie = varint(value);
            let at = at.min(n);
            let end = (at + 1 + r.below(3)).min(n);
            bytes.splice(at..end, lie);
        }
    }
}

fn varint(mut v: u64) -> Vec<u8> {
    let mut out = vec![];
    while v >= 128 {
        out.push(v as u8 | 128);
        v >>= 7;
    }
    out.push(v as u8);
    out
}
