//! The decoder's side, and what both sides share of the range-coded part.
use super::write::LOUDEST;
use super::{BLOCK, CONTEXTS, Parameters, Predictor, QUIET_SLOTS, Row, Rows, lorenzo, pyramid, quiet_slot};
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
    /// Table of each context.
    of: [u8; 256],
    quiet: Vec<Counter>,
}

fn corrupt(what: &str) -> Error {
    Error::Corrupt { what: what.into(), section: "8.7" }
}

/// Decodes the numbers of a chunk.
pub fn numbers(
    g: &Geometry,
    p: &Parameters,
    mask: Option<&[u8]>,
    bits: &mut BitDecoder,
    symbols: &[u8],
    raw: &[u8],
) -> Result<Vec<i32>, Error> {
    let mut groups = [0u8; CONTEXTS];
    let mut tables = vec![];
    if !code_groups(bits, &mut groups, &mut tables) {
        return Err(corrupt("frequencies of symbols do not add up"));
    }
    let mut of = [CERTAIN; 256];
    if !tables.is_empty() {
        of[..CONTEXTS].copy_from_slice(&groups);
    }
    let mut rows = Reading {
        bits,
        symbols: RansDecoder::new(symbols).ok_or_else(|| corrupt("the stream of symbols is too short"))?,
        raw: RawReader::new(raw),
        tables: DecodeTables::new(&tables),
        of,
        quiet: vec![Counter::NEW; QUIET_SLOTS],
    };
    // Every number is written before it is read.
    let mut values = take(g.len());
    widest(Fill(g, p, &mut values, mask, &mut rows));
    rows.symbols.check()?;
    if !rows.raw.is_used_up() {
        return Err(corrupt("raw bits are left over or missing"));
    }
    Ok(values)
}

struct Fill<'a, 'b, 'c>(&'a Geometry, &'a Parameters, &'a mut [i32], Option<&'a [u8]>, &'a mut Reading<'b, 'c>);

impl Kernel for Fill<'_, '_, '_> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Fill(g, p, values, mask, rows) = self;
        match p.predictor {
            Predictor::Interpolation { .. } => pyramid::run(g, p, values, mask, true, rows),
            Predictor::Lorenzo(axes) => {
                lorenzo::run(g, axes, values, mask, true, rows);
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
        let mut left = 1u8;
        let n = row.pred.len();
        let blocks = row.ctx.as_chunks::<BLOCK>().0.iter().zip(row.pred.chunks(BLOCK));
        let out = row.values[..n].chunks_mut(BLOCK).zip(row.mags[..n].chunks_mut(BLOCK));
        for (b, ((ctx, pred), (values, mags))) in blocks.zip(out).enumerate() {
            let counter = &mut self.quiet[quiet_slot(left, row.up[b], row.back[b], ctx)];
            let silent = self.bits.bit(false, counter.p16());
            counter.update(silent, 255);
            left = u8::from(silent);
            row.quiet[b] = left;
            if silent {
                values.copy_from_slice(pred);
                mags.fill(0);
                continue;
            }
            let m = pred.len();
            let (mut tables, mut symbols, mut codes) = ([0u8; BLOCK], [0u8; BLOCK], [0i32; BLOCK]);
            for k in 0..BLOCK {
                tables[k] = self.of[usize::from(ctx[k])];
            }
            self.symbols.decode(&self.tables, &tables[..m], &mut symbols[..m]);
            self.raw.integers(&symbols, &mut codes);
            for k in 0..m {
                values[k] = pred[k].wrapping_add(codes[k].wrapping_mul(step));
                mags[k] = codes[k].unsigned_abs().min(LOUDEST) as u16;
            }
        }
    }
}
