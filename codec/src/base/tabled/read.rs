//! The decoder's side, and what both sides share of the range-coded part.
use super::write::LOUDEST;
use super::{BLOCK, CONTEXTS, Parameters, Predictor, QUIET_SLOTS, Row, Rows, Wanted, lorenzo, pyramid, quiet_slot};
use crate::Error;
use crate::base::Geometry;
use crate::entropy::rans::{CERTAIN, DecodeTables, Frequencies, RansDecoder, SYMBOLS, code_tables};
use crate::entropy::tokens::RawReader;
use crate::entropy::{Aside, BitCoder, BitDecoder, Counter, Magnitude, ResidualCoder, Residuals, log_class};
use crate::scratch::take;
use crate::simd::{Kernel, widest};

/// Codes (or decodes) which table each context has, and the tables.
pub fn code_groups<C: BitCoder>(c: &mut C, of: &mut [u8; CONTEXTS], tables: &mut Vec<Frequencies>) -> bool {
    let n = c.raw(tables.len() as u32, 4) as usize;
    if C::DECODING {
        tables.resize(n, [0; SYMBOLS]);
    }
    let mut same = Counter::NEW;
    let mut last = 0u8;
    for t in of.iter_mut() {
        let as_before = c.bit(*t == last, same.p16());
        same.update(as_before, 60);
        *t = if as_before { last } else { c.raw(u32::from(*t), 4) as u8 };
        last = *t;
    }
    code_tables(c, tables) && of.iter().all(|&t| usize::from(t) < n.max(1))
}

/// Codes points that nothing is known of but the one before.
pub struct AnchorCoder {
    coder: ResidualCoder<1>,
    slot: u32,
}

impl AnchorCoder {
    /// Fresh states.
    pub fn fresh() -> AnchorCoder {
        AnchorCoder { coder: ResidualCoder::new([64, 0, 0, 0, 0, 0], 1), slot: 0 }
    }

    /// Codes (or decodes) a difference in steps.
    pub fn code<C: BitCoder>(&mut self, c: &mut C, q: i64) -> i64 {
        let (slots, start) = ([self.slot; 6], self.slot.saturating_sub(16));
        let m = Magnitude { slots, start, class: self.slot, set: 0, sign: [0; 3], aside: Aside::default() };
        let q = self.coder.code(c, q, &m);
        self.slot = log_class(q.unsigned_abs().saturating_mul(256)).min(63);
        q
    }
}

/// Decodes rows.
pub struct Reading<'a, 'b> {
    bits: &'a mut BitDecoder,
    symbols: RansDecoder<'b>,
    raw: RawReader<'b>,
    tables: DecodeTables,
    /// Where the table of each context starts.
    starts: [u16; 256],
    quiet: Vec<Counter>,
    /// Symbols of a row, filled up with zeros to whole blocks.
    row: Vec<u8>,
}

/// Symbols from this on have raw bits (SPEC §7.8).
const DIRECT: u8 = 32;

fn corrupt(what: &str) -> Error {
    Error::Corrupt { what: what.into(), section: "8.7" }
}

/// Decodes the numbers of a chunk, or only the part of it that is wanted: other numbers are anything then, and the streams
/// are not read to their ends.
pub fn numbers(
    g: &Geometry,
    p: &Parameters,
    mask: Option<&[u8]>,
    bits: &mut BitDecoder,
    symbols: &[u8],
    raw: &[u8],
    wanted: Option<&Wanted>,
) -> Result<Vec<i32>, Error> {
    let mut groups = [0u8; CONTEXTS];
    let mut tables = vec![];
    if !code_groups(bits, &mut groups, &mut tables) {
        return Err(corrupt("frequencies of symbols do not add up"));
    }
    let mut starts = [DecodeTables::start(CERTAIN); 256];
    if !tables.is_empty() {
        starts[..CONTEXTS].copy_from_slice(&groups.map(DecodeTables::start));
    }
    let mut rows = Reading {
        bits,
        symbols: RansDecoder::new(symbols).ok_or_else(|| corrupt("the stream of symbols is too short"))?,
        raw: RawReader::new(raw),
        tables: DecodeTables::new(&tables),
        starts,
        quiet: vec![Counter::NEW; QUIET_SLOTS],
        row: vec![],
    };
    // Every number is written before it is read.
    let mut values = take(g.len());
    widest(Fill { g, p, values: &mut values, mask, wanted, rows: &mut rows });
    if wanted.is_none() {
        rows.symbols.check()?;
        if !rows.raw.is_used_up() {
            return Err(corrupt("raw bits are left over or missing"));
        }
    }
    rows.tables.drop();
    Ok(values)
}

struct Fill<'a, 'b, 'c> {
    g: &'a Geometry,
    p: &'a Parameters,
    values: &'a mut [i32],
    mask: Option<&'a [u8]>,
    wanted: Option<&'a Wanted>,
    rows: &'a mut Reading<'b, 'c>,
}

impl Kernel for Fill<'_, '_, '_> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Fill { g, p, values, mask, wanted, rows } = self;
        match p.predictor {
            Predictor::Interpolation { .. } => pyramid::run(g, p, values, mask, true, wanted, rows),
            Predictor::Lorenzo(axes) => {
                lorenzo::run(g, axes, values, mask, true, wanted, rows);
                let step = p.step as i32;
                values.iter_mut().for_each(|v| *v = v.wrapping_mul(step));
            }
        }
    }
}

impl Rows for Reading<'_, '_> {
    fn anchors(&mut self, step: i32, values: &mut [i32], mask: Option<&[u8]>) {
        let mut coder = AnchorCoder::fresh();
        let mut last = 0i32;
        for (i, v) in values.iter_mut().enumerate() {
            if mask.is_none_or(|m| m[i] == 0) {
                let q = coder.code(self.bits, 0);
                last = last.wrapping_add((q as i32).wrapping_mul(step));
            }
            *v = last;
        }
    }

    #[inline(always)]
    fn row(&mut self, step: i32, row: &mut Row<'_>) {
        let n = row.pred.len();
        let (ctx, _) = row.ctx.as_chunks::<BLOCK>();
        self.row.resize(ctx.len() * BLOCK, 0);
        let (symbols, _) = self.row.as_chunks_mut::<BLOCK>();
        let mut left = 1u8;
        for (b, (ctx, symbols)) in ctx.iter().zip(symbols).enumerate() {
            let counter = &mut self.quiet[quiet_slot(left, row.up[b], row.back[b], ctx)];
            let silent = self.bits.bit(false, counter.p16());
            counter.update(silent, 255);
            left = u8::from(silent);
            row.quiet[b] = left;
            *symbols = [0; BLOCK];
            if !silent {
                let m = (n - b * BLOCK).min(BLOCK);
                if m == BLOCK {
                    self.symbols.decode(&self.tables, &self.starts, ctx, symbols);
                } else {
                    self.symbols.decode(&self.tables, &self.starts, &ctx[..m], &mut symbols[..m]);
                }
            }
        }
        // Of the row as a whole: what was written a byte at a time is not to be read as vectors right away.
        let symbols = &self.row[..];
        let (pred, values, mags) = (row.pred, &mut row.values[..n], &mut row.mags[..n]);
        if symbols.iter().fold(0, |all, &s| all | s) < DIRECT {
            let symbols = &symbols[..n];
            for k in 0..n {
                let s = i32::from(symbols[k]);
                values[k] = pred[k].wrapping_add((s >> 1 ^ -(s & 1)).wrapping_mul(step));
                mags[k] = u16::from(symbols[k]).div_ceil(2);
            }
            return;
        }
        let out = values.chunks_mut(BLOCK).zip(mags.chunks_mut(BLOCK));
        for ((symbols, pred), (values, mags)) in symbols.as_chunks().0.iter().zip(pred.chunks(BLOCK)).zip(out) {
            let mut codes = [0i32; BLOCK];
            self.raw.integers(symbols, &mut codes);
            for k in 0..pred.len() {
                values[k] = pred[k].wrapping_add(codes[k].wrapping_mul(step));
                mags[k] = codes[k].unsigned_abs().min(LOUDEST) as u16;
            }
        }
    }
}
