//! Integers as symbols of a small alphabet and raw bits (SPEC §7.8).

/// Integers whose folded form is below this are symbols of their own.
pub const DIRECT: u32 = 32;

/// Signs folded in: 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 …
#[inline(always)]
pub fn fold(q: i32) -> u32 {
    ((q << 1) ^ (q >> 31)) as u32
}

#[inline(always)]
fn unfold(u: u32) -> i32 {
    (u >> 1) as i32 ^ -((u & 1) as i32)
}

/// Writes raw bits, the first ones lowest.
#[derive(Default)]
pub struct RawWriter {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
    /// Bits so far.
    pub bits: u64,
}

impl RawWriter {
    /// The symbol of an integer, its raw bits written.
    #[inline(always)]
    pub fn put(&mut self, q: i32) -> u8 {
        let u = fold(q);
        if u < DIRECT {
            return u as u8;
        }
        let k = 31 - u.leading_zeros();
        let n = k - 2;
        self.held |= u64::from(u & ((1 << n) - 1)) << self.count;
        self.count += n;
        self.bits += u64::from(n);
        if self.count >= 32 {
            self.bytes.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
        (DIRECT + (k - 5) * 4 + (u >> n & 3)) as u8
    }

    /// All bytes, the last one filled up with zeros.
    pub fn finish(mut self) -> Vec<u8> {
        let n = self.count.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.held.to_le_bytes()[..n]);
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
    pub fn integers(&mut self, symbols: &[u8], out: &mut [i32]) {
        for (o, &s) in out.iter_mut().zip(symbols) {
            *o = unfold(u32::from(s));
        }
        if symbols.iter().fold(0, |m, &s| m | s) < DIRECT as u8 {
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
        let symbols: Vec<u8> = all.iter().map(|&q| w.put(q)).collect();
        let bytes = w.finish();
        let mut r = RawReader::new(&bytes);
        let mut out = vec![0; all.len()];
        for (s, o) in symbols.chunks(32).zip(out.chunks_mut(32)) {
            r.integers(s, o);
        }
        assert_eq!(out, all);
        assert!(r.is_used_up());
        assert!(symbols.iter().all(|&s| usize::from(s) < super::super::rans::SYMBOLS));
    }
}
