//! The encoder's side: rows become symbols and raw bits, symbols become a stream under the tables that suit them.
use super::{
    BLOCK, CLASSES, CONTEXTS, MASKED, Parameters, Predictor, QUIET_SLOTS, Row, Rows, lorenzo, pyramid, quiet_slot,
};
use crate::base::Geometry;
use crate::entropy::rans::{self, CERTAIN, Frequencies, SYMBOLS};
use crate::entropy::tokens::RawWriter;
use crate::entropy::{BitCoder, Counter};
use crate::scratch::{give, take};
use crate::simd::{Kernel, widest};

/// Magnitudes are told to later rows up to this.
pub const LOUDEST: u32 = 8191;

/// What coding the numbers of a chunk leaves to be written.
pub struct Codes {
    /// 256·context + symbol.
    tokens: Vec<u16>,
    raw: RawWriter,
    /// Of every block of points: 2·slot + whether it is quiet.
    quiet: Vec<u16>,
    anchors: Vec<i32>,
    codes: Vec<i32>,
}

impl Codes {
    /// Codes numbers, and leaves in `values` what they are decoded to.
    pub fn of(g: &Geometry, p: &Parameters, values: &mut [i32], mask: Option<&[u8]>) -> Codes {
        struct Run<'a>(&'a Geometry, &'a Parameters, &'a mut [i32], Option<&'a [u8]>);
        impl Kernel for Run<'_> {
            type Out = Codes;
            #[inline(always)]
            fn run(self) -> Codes {
                Codes::compute(self.0, self.1, self.2, self.3)
            }
        }
        widest(Run(g, p, values, mask))
    }

    #[inline(always)]
    fn compute(g: &Geometry, p: &Parameters, values: &mut [i32], mask: Option<&[u8]>) -> Codes {
        let mut c =
            Codes { tokens: empty(g.len()), raw: RawWriter::default(), quiet: vec![], anchors: vec![], codes: vec![] };
        match p.predictor {
            Predictor::Interpolation { .. } => pyramid::run(g, p, values, mask, false, None, &mut c),
            Predictor::Lorenzo(axes) => {
                let step = p.step as i32;
                let half = step / 2;
                for v in values.iter_mut() {
                    *v = v.wrapping_add(half).div_euclid(step);
                }
                lorenzo::run(g, axes, values, mask, false, None, &mut c);
                for v in values.iter_mut() {
                    *v = v.wrapping_mul(step);
                }
            }
        }
        c
    }

    fn histograms(&self) -> Vec<[u32; SYMBOLS]> {
        // By turns in two: most tokens are as the one before, and none is to wait for its count.
        let mut all = [(); 2].map(|()| vec![[0u32; 256]; CONTEXTS + 1]);
        let [even, odd] = &mut all;
        let count = |into: &mut [[u32; 256]], t: u16| {
            if let Some(h) = into.get_mut(usize::from(t >> 8)) {
                h[usize::from(t & 255)] += 1;
            }
        };
        let (pairs, rest) = self.tokens.as_chunks::<2>();
        for &[a, b] in pairs {
            count(even, a);
            count(odd, b);
        }
        rest.iter().for_each(|&t| count(even, t));
        even.iter().zip(odd).map(|(a, b)| std::array::from_fn(|symbol| a[symbol] + b[symbol])).collect()
    }

    /// Gives buffers back.
    pub fn drop(self) {
        give(self.tokens);
    }

    /// About how many bytes this takes; for comparisons only.
    pub fn cost(self) -> f64 {
        // Some contexts share a table, roughly as the real ones will.
        let mut hists = vec![[0u32; SYMBOLS]; CLASSES / 2];
        for (c, h) in self.histograms()[..CONTEXTS].iter().enumerate() {
            hists[c % CLASSES / 2].iter_mut().zip(h).for_each(|(a, b)| *a += b);
        }
        let symbols: f64 = hists.iter().map(bits).sum();
        let mut counters = vec![Counter::NEW; QUIET_SLOTS];
        let mut c = crate::entropy::CostCounter::default();
        for &q in &self.quiet {
            let k = &mut counters[usize::from(q >> 1)];
            c.bit(q & 1 == 1, k.p16());
            k.update(q & 1 == 1, 255);
        }
        let anchors: u32 = self.anchors.iter().map(|a| 2 + 2 * (32 - a.unsigned_abs().leading_zeros())).sum();
        let all = c.bytes() + (symbols + self.raw.bits() as f64 + f64::from(anchors)) / 8.0;
        self.drop();
        all
    }

    /// Writes what a reader wants first: tables, anchors and quiet blocks. Returns the streams of symbols and raw bits.
    pub fn write<C: BitCoder>(self, c: &mut C) -> (Vec<u8>, Vec<u8>) {
        let mut hists = self.histograms();
        hists.truncate(CONTEXTS);
        let mut groups = Groups::new(&hists);
        super::read::code_groups(c, &mut groups.of, &mut groups.tables);
        let mut coder = super::read::AnchorCoder::fresh();
        for &q in &self.anchors {
            coder.code(c, i64::from(q));
        }
        let mut counters = vec![Counter::NEW; QUIET_SLOTS];
        for &q in &self.quiet {
            let k = &mut counters[usize::from(q >> 1)];
            c.bit(q & 1 == 1, k.p16());
            k.update(q & 1 == 1, 255);
        }
        let mut table = [CERTAIN; 256];
        table[..CONTEXTS].copy_from_slice(&groups.of);
        let symbols = rans::encode(&groups.tables, &table, &self.tokens);
        give(self.tokens);
        (symbols, self.raw.finish())
    }
}

impl Rows for Codes {
    fn anchors(&mut self, step: i32, values: &mut [i32], mask: Option<&[u8]>) {
        let mut last = 0i32;
        for (i, v) in values.iter_mut().enumerate() {
            if mask.is_none_or(|m| m[i] == 0) {
                let r = i64::from(*v) - i64::from(last);
                let q = (r + i64::from(step / 2)).div_euclid(i64::from(step));
                self.anchors.push(q as i32);
                last = (i64::from(last) + q * i64::from(step)) as i32;
            }
            *v = last;
        }
    }

    #[inline(always)]
    fn row(&mut self, step: i32, row: &mut Row<'_>) {
        let n = row.pred.len();
        self.codes.clear();
        self.codes.resize(n.next_multiple_of(BLOCK), 0);
        quantise(step, row.pred, row.values, row.ctx, &mut self.codes[..n]);
        for (m, q) in row.mags.iter_mut().zip(&self.codes) {
            *m = q.unsigned_abs().min(LOUDEST) as u16;
        }
        let mut left = 1u8;
        let blocks = self.codes.as_chunks::<BLOCK>().0.iter().zip(row.ctx.as_chunks::<BLOCK>().0);
        for (b, (q, ctx)) in blocks.enumerate() {
            let mut any = 0;
            for &q in q {
                any |= q;
            }
            let silent = u8::from(any == 0);
            let slot = quiet_slot(left, row.up[b], row.back[b], ctx);
            self.quiet.push((slot << 1) as u16 | u16::from(silent));
            row.quiet[b] = silent;
            left = silent;
            if silent == 0 {
                let points = (n - b * BLOCK).min(BLOCK);
                let mut symbols = [0u8; BLOCK];
                self.raw.put(&q[..points], &mut symbols);
                let mut tokens = [0u16; BLOCK];
                for k in 0..BLOCK {
                    tokens[k] = u16::from(ctx[k]) << 8 | u16::from(symbols[k]);
                }
                self.tokens.extend_from_slice(&tokens[..points]);
            }
        }
    }
}

/// Nothing, with room for so many.
fn empty(n: usize) -> Vec<u16> {
    let mut v = take(n);
    v.clear();
    v
}

/// Codes of a row, and reconstructions in place of values.
#[inline(always)]
fn quantise(step: i32, pred: &[i32], values: &mut [i32], ctx: &[u8], codes: &mut [i32]) {
    /// Added to a binary32 it rounds numbers below 2^22 to integers, which are then its low bits.
    const ROUNDER: f32 = 12_582_912.0;
    let n = pred.len();
    let (values, ctx, codes) = (&mut values[..n], &ctx[..n], &mut codes[..n]);
    let inverse = 1.0 / step as f32;
    let half = step / 2;
    for k in 0..n {
        let r = values[k].wrapping_sub(pred[k]);
        let q = ((r as f32 * inverse + ROUNDER).to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
        // A quotient beyond 24 bits may be off by one.
        let d = r.wrapping_sub(q.wrapping_mul(step));
        let q = q + i32::from(d > half) - i32::from(d < -half);
        let q = if ctx[k] == MASKED { 0 } else { q };
        codes[k] = q;
        values[k] = pred[k].wrapping_add(q.wrapping_mul(step));
    }
}

/// Contexts joined until fewer tables would cost more.
struct Groups {
    /// Table of each context.
    of: [u8; CONTEXTS],
    tables: Vec<Frequencies>,
}

struct Group {
    hist: [u32; SYMBOLS],
    bits: f64,
    members: Vec<u8>,
}

fn bits(hist: &[u32; SYMBOLS]) -> f64 {
    let total: u32 = hist.iter().sum();
    if total == 0 {
        return 0.0;
    }
    let (all, mut bits) = ((total as f32).log2(), 0.0f32);
    for &h in hist.iter().filter(|&&h| h > 0) {
        // What a symbol takes, no probability below 2^-12 and a price for its place in the table.
        bits += h as f32 * (all - (h as f32).log2()).min(12.0) + 5.0;
    }
    f64::from(bits)
}

impl Groups {
    fn new(hists: &[[u32; SYMBOLS]]) -> Groups {
        let mut groups: Vec<Group> = vec![];
        for (c, hist) in hists.iter().enumerate() {
            if hist.iter().any(|&h| h > 0) {
                groups.push(Group { hist: *hist, bits: bits(hist), members: vec![c as u8] });
            }
        }
        let joined = |a: &Group, b: &Group| {
            let mut hist = a.hist;
            hist.iter_mut().zip(&b.hist).for_each(|(x, y)| *x += y);
            hist
        };
        // Neighbours in class, or the same class of another kind: all pairs while there are few, neighbours at first.
        let gain = |groups: &[Group], i: usize, j: usize| {
            groups[i].bits + groups[j].bits - bits(&joined(&groups[i], &groups[j]))
        };
        let mut gains: Vec<Vec<f64>> = vec![];
        for i in 0..groups.len() {
            gains.push((0..groups.len()).map(|j| if j == i + 1 { gain(&groups, i, j) } else { f64::NAN }).collect());
        }
        loop {
            let n = groups.len();
            let mut best = (f64::NEG_INFINITY, 0, 0);
            for i in 0..n {
                for j in i + 1..n {
                    if gains[i][j].is_nan() && (n <= 24 || j == i + 1) {
                        gains[i][j] = gain(&groups, i, j);
                    }
                    if gains[i][j] > best.0 {
                        best = (gains[i][j], i, j);
                    }
                }
            }
            let (gained, i, j) = best;
            if j == 0 || (gained <= 0.0 && n < usize::from(CERTAIN)) {
                break;
            }
            let b = groups.remove(j);
            let hist = joined(&groups[i], &b);
            groups[i].members.extend(b.members);
            groups[i].bits = bits(&hist);
            groups[i].hist = hist;
            gains.remove(j);
            for g in &mut gains {
                g.remove(j);
            }
            for k in 0..groups.len() {
                gains[i][k] = f64::NAN;
                gains[k][i] = f64::NAN;
            }
        }
        let mut of = [0u8; CONTEXTS];
        let mut tables = vec![];
        for g in &groups {
            if let Some(f) = rans::normalise(&g.hist) {
                for &m in &g.members {
                    of[usize::from(m)] = tables.len() as u8;
                }
                tables.push(f);
            }
        }
        // Contexts that never came are told like the one before them.
        for c in 1..CONTEXTS {
            if hists.get(c).is_none_or(|h| h.iter().all(|&h| h == 0)) {
                of[c] = of[c - 1];
            }
        }
        Groups { of, tables }
    }
}
