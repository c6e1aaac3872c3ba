//! Four interleaved range variants of asymmetric numeral systems over static tables (SPEC §7.7).
//!
//! Symbols take turns on the four states, so that a decoder has four chains of dependent steps under way at once.
use super::bits::BitCoder;
use super::mixer::Counter;
use super::residual::log_class;
use crate::Error;
use crate::scratch::{give, take};
use std::hint::select_unpredictable;

/// Probabilities are in units of 2^-12.
pub const BITS: u32 = 12;
const ONE: u32 = 1 << BITS;
/// Symbols of an alphabet, at most.
pub const SYMBOLS: usize = 160;
/// Tables of a stream; the last one knows the symbol 0 alone.
pub const TABLES: usize = 16;
/// The table under which the symbol 0 is certain.
pub const CERTAIN: u8 = TABLES as u8 - 1;
/// States rest at or above this.
const LOW: u32 = 1 << 16;
const LANES: usize = 4;
/// Symbols decoded at once, at most.
const MOST: usize = 32;

/// How often each symbol comes, in units of 2^-12: nonzero where a symbol comes at all, and 2^12 in all.
pub type Frequencies = [u16; SYMBOLS];

/// The frequencies that tell a histogram best; `None` where it is empty.
pub fn normalise(hist: &[u32; SYMBOLS]) -> Option<Frequencies> {
    let total: u64 = hist.iter().map(|&h| u64::from(h)).sum();
    let mut out = [0u16; SYMBOLS];
    if total == 0 {
        return None;
    }
    let mut sum = 0i32;
    for (f, &h) in out.iter_mut().zip(hist) {
        if h > 0 {
            *f = ((u64::from(h) * u64::from(ONE) + total / 2) / total).max(1) as u16;
            sum += i32::from(*f);
        }
    }
    // What rounding left over goes where it costs least.
    while sum != ONE as i32 {
        let up = sum < ONE as i32;
        let price = |k: usize| {
            let (f, h) = (f64::from(out[k]), f64::from(hist[k]));
            if up { -h / (f + 0.5) } else { h / (f - 0.5) }
        };
        let k =
            (0..SYMBOLS).filter(|&k| out[k] > if up { 0 } else { 1 }).min_by(|&a, &b| price(a).total_cmp(&price(b)))?;
        let left = (ONE as i32 - sum).abs();
        // Large leftovers are rare: they come from many rare symbols, and are taken from the frequent ones in pieces.
        let piece = (left / 4).clamp(1, (i32::from(out[k]) / 16).max(1));
        if up {
            out[k] += piece as u16;
            sum += piece;
        } else {
            out[k] -= piece as u16;
            sum -= piece;
        }
    }
    Some(out)
}

/// Codes (or decodes) tables of frequencies; false where what is decoded is no table.
pub fn code_tables<C: BitCoder>(c: &mut C, tables: &mut [Frequencies]) -> bool {
    let mut classes = [[Counter::NEW; 32]; 32];
    let mut first = [Counter::NEW; 32];
    let mut before = [0u16; SYMBOLS];
    for (t, f) in tables.iter_mut().enumerate() {
        let mut left = ONE;
        let mut last = 0;
        for s in 0..SYMBOLS {
            if left == 0 {
                f[s] = 0;
                continue;
            }
            // The class of the symbol before, and of the same symbol in the table before.
            let above = if t > 0 { log_class(u64::from(before[s])) } else { 16 };
            let slot =
                &mut if t > 0 || s > 0 { &mut classes[((last + above) / 2 + 1).min(31) as usize] } else { &mut first }
                    [..];
            let want = log_class(u64::from(f[s]));
            let mut k = 0;
            // From the expected class outwards would save little: tables are small beside what they code.
            while k < 24 {
                let counter = &mut slot[k as usize];
                let more = c.bit(want > k, counter.p16());
                counter.update(more, 30);
                if !more {
                    break;
                }
                k += 1;
            }
            let value = if k < 4 {
                k
            } else {
                let n = k / 2 - 1;
                (2 | (k & 1)) << n | c.raw(u32::from(f[s]) & ((1 << n) - 1), n)
            };
            if value > left {
                return false;
            }
            left -= value;
            f[s] = value as u16;
            last = k;
        }
        if left > 0 {
            return false;
        }
        before = *f;
    }
    true
}

/// Tables of a decoder: for each of 2^12 slots of each table, the symbol (8 bits), the slot's place among those of the
/// symbol (12 bits), and its frequency less one (12 bits).
pub struct DecodeTables(Vec<u32>);

/// Slots of all tables: as many as 16 bits have values.
const SLOTS: usize = TABLES << BITS;

impl DecodeTables {
    /// From frequencies that add up to 2^12 each.
    pub fn new(tables: &[Frequencies]) -> DecodeTables {
        // Nothing reads the slots of tables that are not there.
        let mut all = take(SLOTS);
        for (table, f) in all.chunks_exact_mut(ONE as usize).zip(tables) {
            let mut slots = &mut table[..];
            for (symbol, &f) in f.iter().enumerate() {
                let (own, rest) = slots.split_at_mut(usize::from(f).min(slots.len()));
                let first = symbol as u32 | u32::from(f).wrapping_sub(1) << 20;
                for (place, slot) in own.iter_mut().enumerate() {
                    *slot = first | (place as u32) << 8;
                }
                slots = rest;
            }
        }
        for (place, slot) in all[Self::start(CERTAIN).into()..].iter_mut().enumerate() {
            *slot = (place as u32) << 8 | (ONE - 1) << 20;
        }
        DecodeTables(all)
    }

    /// Where the slots of a table start.
    pub fn start(table: u8) -> u16 {
        u16::from(table % TABLES as u8) << BITS
    }

    /// Gives buffers back.
    pub fn drop(self) {
        give(self.0);
    }
}

/// Decodes symbols.
pub struct RansDecoder<'a> {
    states: [u32; LANES],
    bytes: &'a [u8],
}

/// Bytes of the words that symbols decoded at once may take, and of one more read of words.
const WINDOW: usize = 2 * MOST + 8;

impl<'a> RansDecoder<'a> {
    /// Starts a stream; `None` where it is too short to be one. None of a symbol may be empty.
    pub fn new(bytes: &'a [u8]) -> Option<RansDecoder<'a>> {
        if bytes.is_empty() {
            return Some(RansDecoder { states: [LOW; LANES], bytes });
        }
        let (head, rest) = bytes.split_at_checked(4 * LANES)?;
        let mut states = [0; LANES];
        for (s, b) in states.iter_mut().zip(head.as_chunks::<4>().0) {
            *s = u32::from_le_bytes(*b);
        }
        Some(RansDecoder { states, bytes: rest })
    }

    /// Decodes as many symbols as there are contexts, at most 32, each under the table that starts where `starts` says of
    /// its context. Behind its end the stream reads as zeros.
    // Not compiled for wider vectors with what calls it: compilers would put the states into one, which takes longer.
    #[inline(never)]
    pub fn decode(&mut self, all: &DecodeTables, starts: &[u16; 256], contexts: &[u8], out: &mut [u8]) {
        debug_assert!(out.len() <= MOST);
        let Some(all) = all.0.first_chunk::<SLOTS>() else { return };
        let [mut x0, mut x1, mut x2, mut x3] = self.states;
        // No symbol takes more than a word: those that all may take are at hand before the first.
        let mut last = [0u8; WINDOW];
        let window = match self.bytes.first_chunk::<WINDOW>() {
            Some(window) => window,
            None => {
                // Half a word at the end is none.
                let whole = self.bytes.len() & !1;
                last[..whole].copy_from_slice(&self.bytes[..whole]);
                &last
            }
        };
        let mut at = 0;
        // Words are taken from the lower end of a register: memory is not waited for.
        let step = |x: &mut u32, words: &mut u64, at: &mut usize, context: u8| {
            let slot = all[usize::from(starts[usize::from(context)] | *x as u16 & (ONE - 1) as u16)];
            let high = *x >> BITS;
            let next = (slot >> 20).wrapping_mul(high).wrapping_add(high + (slot >> 8 & (ONE - 1)));
            let filled = next << 16 | u32::from(*words as u16);
            // No branch: nothing could predict it.
            let low = next < LOW;
            *x = select_unpredictable(low, filled, next);
            *words = select_unpredictable(low, *words >> 16, *words);
            *at += usize::from(low);
            slot as u8
        };
        let read = |at: usize| -> u64 {
            let from = 2 * (at % MOST);
            window[from..].first_chunk().map_or(0, |w| u64::from_le_bytes(*w))
        };
        let n = out.len();
        let (fours, rest) = out.as_chunks_mut::<LANES>();
        let (contexts, last) = contexts[..n].as_chunks::<LANES>();
        for (o, c) in fours.iter_mut().zip(contexts) {
            let mut words = read(at);
            o[0] = step(&mut x0, &mut words, &mut at, c[0]);
            o[1] = step(&mut x1, &mut words, &mut at, c[1]);
            o[2] = step(&mut x2, &mut words, &mut at, c[2]);
            o[3] = step(&mut x3, &mut words, &mut at, c[3]);
        }
        // The next symbol's state comes first.
        for (o, &c) in rest.iter_mut().zip(last) {
            *o = step(&mut x0, &mut read(at), &mut at, c);
            (x0, x1, x2, x3) = (x1, x2, x3, x0);
        }
        self.states = [x0, x1, x2, x3];
        self.bytes = self.bytes.get(2 * at..).unwrap_or(&[]);
    }

    /// An error unless the stream ends here, as an encoder would have it.
    pub fn check(&self) -> Result<(), Error> {
        if self.states == [LOW; LANES] && self.bytes.is_empty() {
            return Ok(());
        }
        Err(Error::Corrupt { what: "a stream of symbols does not end where it should".into(), section: "7.7" })
    }
}

/// Codes symbols: `tokens` are 256·context + symbol, and `of` says which table a context has.
pub fn encode(tables: &[Frequencies], of: &[u8; 256], tokens: &[u16]) -> Vec<u8> {
    #[derive(Clone, Copy)]
    struct Entry {
        /// 2^64 / frequency, rounded up.
        reciprocal: u64,
        start: u32,
        frequency: u32,
    }
    // Certain symbols, and those that never come.
    let certain = Entry { start: 0, frequency: ONE, reciprocal: 1 << (64 - BITS) };
    let mut entries = vec![certain; TABLES << 8];
    for (t, f) in tables.iter().enumerate() {
        let mut start = 0;
        for (s, &f) in f.iter().enumerate() {
            if f > 0 && u32::from(f) < ONE {
                // There is no reciprocal of 1: the quotient is one too small, and the start makes up for it.
                let (reciprocal, extra) = if f == 1 { (u64::MAX, ONE - 1) } else { (u64::MAX / u64::from(f) + 1, 0) };
                entries[t << 8 | s] = Entry { start: start + extra, frequency: u32::from(f), reciprocal };
            }
            start += u32::from(f);
        }
    }
    if tokens.is_empty() {
        return vec![];
    }
    let mut states = [LOW; LANES];
    // The decoder reads forwards what is written backwards here: at most a word a symbol.
    let mut words: Vec<u16> = take(tokens.len() + 1);
    let mut at = words.len() - 1;
    let n = tokens.len();
    let mut one = |x: &mut u32, token: u16| {
        let table = usize::from(of[usize::from(token >> 8)]);
        let e = entries[(table << 8 | usize::from(token & 255)) & ((TABLES << 8) - 1)];
        // Written in any case, kept if need be: nothing could predict a branch. A certain symbol changes nothing.
        words[at] = *x as u16;
        let full = u64::from(*x) >= u64::from(e.frequency) << 20;
        at -= usize::from(full);
        let low = if full { *x >> 16 } else { *x };
        // The quotient by way of a reciprocal that is exact for all of 32 bits.
        let quotient = ((u128::from(low) * u128::from(e.reciprocal)) >> 64) as u32;
        *x = low + e.start + quotient * (ONE - e.frequency);
    };
    let whole = n - n % LANES;
    for i in (whole..n).rev() {
        one(&mut states[i % LANES], tokens[i]);
    }
    for four in tokens[..whole].rchunks_exact(LANES) {
        for k in (0..LANES).rev() {
            one(&mut states[k], four[k]);
        }
    }
    let mut out = Vec::with_capacity(4 * LANES + 2 * (words.len() - 1 - at));
    for s in states {
        out.extend(s.to_le_bytes());
    }
    for w in &words[at + 1..] {
        out.extend_from_slice(&w.to_le_bytes());
    }
    give(words);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::{BitDecoder, BitEncoder};

    #[test]
    fn round_trip_of_symbols_and_tables() {
        let mut seed = 1u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as u32
        };
        let mut hists = [[0u32; SYMBOLS]; 3];
        let mut tokens = vec![];
        for i in 0..10_007 {
            let table = [0, 1, 2, u32::from(CERTAIN)][(random() % 4) as usize];
            let symbol = match table {
                0 => random() % 3,
                1 => (random() % 150) * (random() % 2),
                2 => u32::from(i % 997 == 0),
                _ => 0,
            };
            if table < 3 {
                hists[table as usize][symbol as usize] += 1;
            }
            tokens.push((table << 8 | symbol) as u16);
        }
        let mut tables: Vec<Frequencies> = hists.iter().filter_map(normalise).collect();
        assert_eq!(tables.len(), 3);
        let bytes = encode(&tables, &std::array::from_fn(|table| table as u8), &tokens);

        let mut c = BitEncoder::default();
        assert!(code_tables(&mut c, &mut tables));
        let coded = c.finish();
        let mut read = vec![[0; SYMBOLS]; 3];
        assert!(code_tables(&mut BitDecoder::new(&coded), &mut read));
        assert_eq!(read, tables);

        let all = DecodeTables::new(&read);
        let mut d = RansDecoder::new(&bytes).unwrap();
        let names: Vec<u8> = tokens.iter().map(|t| (t >> 8) as u8).collect();
        let mut out = vec![0; tokens.len()];
        let starts = std::array::from_fn(|table| DecodeTables::start(table as u8));
        let mut at = 0;
        // In blocks of any length.
        while at < out.len() {
            let end = (at + 1 + (random() % MOST as u32) as usize).min(out.len());
            d.decode(&all, &starts, &names[at..end], &mut out[at..end]);
            at = end;
        }
        d.check().unwrap();
        assert!(out.iter().zip(&tokens).all(|(&o, &t)| o == t as u8));
    }
}
