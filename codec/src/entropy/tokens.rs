//! Integers as symbols of a small alphabet and raw bits (SPEC §7.8).

/// Integers whose folded form is below this are symbols of their own.
const DIRECT: u32 = 32;

/// Signs folded in: 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 …
#[inline(always)]
fn fold(q: i32) -> u32 {
    ((q << 1) ^ (q >> 31)) as u32
}

#[inline(always)]
fn unfold(u: u32) -> i32 {
    (u >> 1) as i32 ^ -((u & 1) as i32)
}

/// Integers coded together, at most.
const MOST: usize = 32;

/// Writes raw bits, the first ones lowest.
#[derive(Default)]
pub struct RawWriter {
    bytes: Vec<u8>,
    /// Fewer than eight bits that are not among the bytes yet.
    held: u64,
    count: u32,
}

impl RawWriter {
    /// The symbols of at most 32 integers, their raw bits written.
    #[inline(always)]
    pub fn put(&mut self, integers: &[i32], symbols: &mut [u8; MOST]) {
        let mut folded = [0u32; MOST];
        let mut all = 0;
        for (u, &q) in folded.iter_mut().zip(integers) {
            *u = fold(q);
        }
        for (s, &u) in symbols.iter_mut().zip(&folded) {
            all |= u;
            *s = u as u8;
        }
        if all < DIRECT {
            return;
        }
        // 29 bits for each, and room to write eight bytes at a time.
        let mut bytes = [0u8; MOST * 4 + 8];
        let mut at = 0;
        for (s, &u) in symbols.iter_mut().zip(&folded[..integers.len()]) {
            // Without branches, which nothing could predict.
            let large = u >= DIRECT;
            let k = 31 - (u | 1).leading_zeros();
            let n = if large { k - 2 } else { 0 };
            let symbol = DIRECT + (k.max(5) - 5) * 4 + (u >> n & 3);
            *s = if large { symbol } else { u } as u8;
            self.held |= u64::from(u & ((1 << n) - 1)) << self.count;
            self.count += n;
            bytes[at..at + 8].copy_from_slice(&self.held.to_le_bytes());
            let full = self.count / 8;
            at += full as usize;
            self.held >>= 8 * full;
            self.count -= 8 * full;
        }
        self.bytes.extend_from_slice(&bytes[..at]);
    }

    /// About how many bits there are.
    pub fn bits(&self) -> usize {
        8 * self.bytes.len()
    }

    /// All bytes, the last one filled up with zeros.
    pub fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.held as u8);
        }
        self.bytes
    }
}

/// Reads raw bits. Behind their end they are zeros.
pub struct RawReader<'a> {
    bytes: &'a [u8],
    /// Bits taken.
    at: usize,
}

impl<'a> RawReader<'a> {
    /// Starts at the first bit.
    pub fn new(bytes: &'a [u8]) -> RawReader<'a> {
        RawReader { bytes, at: 0 }
    }

    /// Whether exactly all bytes were needed.
    pub fn is_used_up(&self) -> bool {
        self.at.div_ceil(8) == self.bytes.len()
    }

    #[inline(always)]
    fn take(&mut self, n: u32) -> u32 {
        let from = self.at / 8;
        let word = match self.bytes.get(from..).and_then(|b| b.first_chunk::<8>()) {
            Some(b) => u64::from_le_bytes(*b),
            None => {
                let rest = self.bytes.get(from..).unwrap_or(&[]);
                rest.iter().rev().fold(0, |w, &b| w << 8 | u64::from(b))
            }
        };
        let value = (word >> (self.at % 8)) & ((1 << n) - 1);
        self.at += n as usize;
        value as u32
    }

    /// The integers of symbols.
    #[inline(always)]
    pub fn integers(&mut self, symbols: &[u8; MOST], out: &mut [i32; MOST]) {
        for (o, &s) in out.iter_mut().zip(symbols) {
            *o = unfold(u32::from(s));
        }
        let mut all = 0;
        for &s in symbols {
            all |= s;
        }
        if u32::from(all) < DIRECT {
            return;
        }
        for (o, &s) in out.iter_mut().zip(symbols) {
            // Without branches, which nothing could predict.
            let above = u32::from(s).wrapping_sub(DIRECT);
            let large = u32::from(s) >= DIRECT;
            // No alphabet has symbols of more than 32 bits in all.
            let n = if large { (above / 4 + 3).min(29) } else { 0 };
            let high = if large { 4 | (above & 3) } else { u32::from(s) };
            *o = unfold(high << n | self.take(n));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_of_integer_comes_back() {
        let mut all: Vec<i32> = (-600..600).collect();
        for k in 4..31 {
            for d in -3..3 {
                all.extend([(1 << k) + d, -(1 << k) - d]);
            }
        }
        all.extend([i32::MAX, i32::MIN]);
        let mut w = RawWriter::default();
        let mut symbols = vec![];
        for q in all.chunks(MOST) {
            let mut s = [0; MOST];
            w.put(q, &mut s);
            symbols.extend_from_slice(&s[..q.len()]);
        }
        let bytes = w.finish();
        let mut r = RawReader::new(&bytes);
        let mut out = vec![];
        for s in symbols.chunks(MOST) {
            let (mut padded, mut o) = ([0; MOST], [0; MOST]);
            padded[..s.len()].copy_from_slice(s);
            r.integers(&padded, &mut o);
            out.extend_from_slice(&o[..s.len()]);
        }
        assert_eq!(out, all);
        assert!(r.is_used_up());
        assert!(symbols.iter().all(|&s| usize::from(s) < super::super::rans::SYMBOLS));
    }
}
