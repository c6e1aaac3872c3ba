//! The CDF 9/7 wavelet base: bands of quantised coefficients, then corrections of points beyond a bound (SPEC §8.4).
use super::Geometry;
use super::trellis::State;
use super::wavelet_bands::{Band, bands};
use super::wavelet_coding::{CLASSES, Features, RunAt, Visitor, class, walk, whole};
use super::wavelet_correct::correct;
use super::wavelet_guided::{GUIDED_SETS, GUIDED_SLOTS, Guide};
use super::wavelet_probe::quantise;
use super::wavelet_runs::{POSITIONS, RunCoder, RunContext};
use super::wavelet_transform::{Edge, Edges, MAX_LEVELS, forward};
use crate::Error;
use crate::entropy::{Aside, BitCoder, CONTEXTS, Counter, Magnitude, Place, Residuals, Start};
use std::sync::Arc;

pub use super::wavelet_points::reconstruct;
use super::wavelet_search::Shape;
pub use super::wavelet_search::{Ground, MIRRORED, Target, choose, transfer};

/// What decode needs to know, and what only the encoder does.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Levels of decomposition of each axis, 0: the axis is not transformed.
    pub levels: [u8; 4],
    /// Axes that are transformed to their full depth before the others are (bit 3 - a for axis a); the rest go down together.
    pub first: u8,
    /// How lines go on beyond their ends, per axis.
    pub edges: Edges,
    /// Step of quantisation, for coefficients of unit norm.
    pub step: f64,
    /// Subtracted before the transform.
    pub mean: f64,
    /// Reconstruction of magnitudes 1 and ≥ 2: moved outwards by this many 128ths of the step.
    pub shift: [i8; 2],
    /// Step of the corrections, twice the bound; 0: there are none.
    pub correction: f64,
    /// Whether the integers are those of a trellis.
    pub trellis: bool,
    /// Encoder only: what a bit is worth, in squared steps of a quantiser without a trellis.
    pub lambda: f64,
    /// Encoder only: the step of a quantiser without a trellis that makes about the same error.
    pub scalar: f64,
    /// Encoder only: the quantised coefficients of the values to code, if they are known already.
    pub found: Option<Arc<Vec<i32>>>,
}

/// A step or bound as 23 bits: exponent and 12 bits of mantissa, rounded down.
fn pack(v: f64) -> u32 {
    ((v.to_bits() >> 40) & 0x7f_ffff) as u32
}

fn unpack(v: u32) -> f64 {
    f64::from_bits(u64::from(v) << 40)
}

/// The number nearest zero of those that round to `v` in the file's 12 bits of mantissa, sign kept.
pub fn storable_signed(v: f64) -> f64 {
    f64::from_bits(v.to_bits() >> 40 << 40)
}

/// The largest step not above `v` that a file can hold.
pub fn storable(v: f64) -> f64 {
    unpack(pack(v))
}

fn truncated() -> Error {
    Error::Corrupt { what: "wavelet parameters are cut short".into(), section: "8.4" }
}

fn take(bytes: &mut &[u8], n: usize) -> Result<u32, Error> {
    let (head, rest) = bytes.split_at_checked(n).ok_or_else(truncated)?;
    *bytes = rest;
    Ok(head.iter().rev().fold(0, |v, &b| v << 8 | u32::from(b)))
}

/// Flags beside the axes that go first: edges are told; the integers are those of a trellis.
const EDGES: u8 = 16;
const TRELLIS: u8 = 32;

impl Parameters {
    /// Levels, the axes that go first, and the edges.
    pub(super) fn shape(&self) -> Shape {
        (self.levels, self.first, self.edges)
    }

    /// Appends the bytes that `read` reads.
    pub fn write(&self, out: &mut Vec<u8>) {
        let [a, b, c, d] = self.levels;
        let edges = self.edges.iter().fold(0u8, |v, &e| v << 2 | e as u8);
        let flags = if edges > 0 { EDGES } else { 0 } | if self.trellis { TRELLIS } else { 0 };
        out.extend_from_slice(&[self.first | flags, a << 4 | b, c << 4 | d]);
        if edges > 0 {
            out.push(edges);
        }
        let corrected = u32::from(self.correction > 0.0);
        out.extend_from_slice(&(pack(self.step) << 1 | corrected).to_le_bytes()[..3]);
        if corrected == 1 {
            out.extend_from_slice(&pack(self.correction).to_le_bytes()[..3]);
        }
        out.extend(self.shift.map(|s| s as u8));
        out.extend_from_slice(&((self.mean.to_bits() >> 40) as u32).to_le_bytes()[..3]);
    }

    /// Reads what `write` wrote, and moves `bytes` behind it.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        let bad = |what: &str| Error::Corrupt { what: what.into(), section: "8.4" };
        let first = take(bytes, 1)? as u8;
        let l = take(bytes, 2)?;
        let levels = [l >> 4 & 15, l & 15, l >> 12 & 15, l >> 8 & 15].map(|l| l as u8);
        let coded = if first & EDGES > 0 { take(bytes, 1)? as u8 } else { 0 };
        let mut edges = [Edge::Mirrored; 4];
        for (a, e) in edges.iter_mut().enumerate() {
            *e = match coded >> (6 - 2 * a) & 3 {
                0 => Edge::Mirrored,
                1 => Edge::Periodic,
                2 => Edge::Straight,
                _ => return Err(bad("unknown kind of edge")),
            };
        }
        if first & !(15 | EDGES | TRELLIS) > 0
            || (first & EDGES > 0) != (coded > 0)
            || levels.iter().any(|&l| l > MAX_LEVELS)
        {
            return Err(bad("levels of decomposition out of range"));
        }
        let s = take(bytes, 3)?;
        let step = unpack(s >> 1);
        let correction = if s & 1 == 1 { unpack(take(bytes, 3)?) } else { 0.0 };
        if !(step.is_normal() && correction.is_finite() && (s & 1 == 0 || correction.is_normal())) {
            return Err(bad("step of quantisation is not a positive number"));
        }
        let shift = [take(bytes, 1)? as u8 as i8, take(bytes, 1)? as u8 as i8];
        let mean = unpack(take(bytes, 3)?);
        if !mean.is_finite() {
            return Err(bad("mean is not a number"));
        }
        let trellis = first & TRELLIS > 0;
        let first = first & 15;
        let (lambda, scalar, found) = (0.0, step, None);
        Ok(Parameters { levels, first, edges, step, mean, shift, correction, trellis, lambda, scalar, found })
    }
}

/// Levels at which an axis of this extent still splits.
pub fn depth(n: usize) -> u8 {
    ((usize::BITS - n.saturating_sub(1).leading_zeros()) as u8).min(MAX_LEVELS)
}

/// Prediction of a coefficient of the low band from those before it: their alternating sum. Bit a of `before`: its
/// index along axis a is above 0.
#[inline]
pub fn predict_low(q: &[i32], g: &Geometry, before: u8, i: usize) -> i64 {
    let mut p = 0i64;
    for m in 1..16u8 {
        if m & !before == 0 {
            let back: usize = (0..4).filter(|&a| m >> a & 1 == 1).map(|a| g.stride[a]).sum();
            let v = i64::from(q[i - back]);
            p += if m.count_ones() % 2 == 1 { v } else { -v };
        }
    }
    p
}

/// Codes the integers under the walk's contexts.
struct Coding<'a, C, R> {
    c: &'a mut C,
    g: &'a Geometry,
    q: &'a mut [i32],
    coder: R,
    flags: [Counter; 2],
    runs: RunCoder,
    last: usize,
    empty: &'a [bool],
    low: bool,
    level: u32,
    orientation: u32,
    guide: Option<Guide<'a>>,
    trellis: Option<Pair>,
}

/// The two quantisers of a trellis: where it is, and how many slots and weight sets the shifted one leaves to the other.
struct Pair {
    state: State,
    slots: [usize; CONTEXTS],
    sets: usize,
}

/// Contexts that tell the quantisers of a trellis apart.
const TOLD_APART: [usize; 2] = [1, 2];

impl Pair {
    /// Slots and sets of both quantisers.
    fn both(&self) -> ([usize; CONTEXTS], usize) {
        let mut slots = self.slots;
        TOLD_APART.iter().for_each(|&k| slots[k] *= 2);
        (slots, 2 * self.sets)
    }

    /// Contexts in this state.
    #[inline(always)]
    fn place(&self, m: &mut Magnitude) {
        if self.state.shifted() {
            TOLD_APART.iter().for_each(|&k| m.slots[k] += self.slots[k] as u32);
            m.set += self.sets as u32;
        }
    }
}

impl<C: BitCoder, R: Residuals> Visitor for Coding<'_, C, R> {
    const LOOKS: bool = R::MIXES;

    fn halves(&self) -> bool {
        self.trellis.is_some()
    }

    fn band(&mut self, band: &Band, index: usize, group: &[Band]) -> bool {
        self.level = u32::from(band.level).min(4) - 1;
        self.orientation = u32::from(band.orientation);
        self.low = index == 0;
        if let Some(trellis) = &mut self.trellis {
            trellis.state = State::default();
        }
        if let Some(guide) = &mut self.guide {
            guide.band(band, group.len(), index == 0);
        }
        if index == 0 {
            return true;
        }
        let k = &mut self.flags[self.last];
        let some = self.c.bit(!C::DECODING && !self.empty[index], k.p16());
        k.update(some, 30);
        self.last = usize::from(some);
        some
    }

    #[inline]
    fn run(&mut self, i: usize, n: usize, context: &RunContext) -> bool {
        let some = !C::DECODING && self.q[i..i + n].iter().any(|&q| q != 0);
        let some = match self.guide.as_ref().and_then(|guide| guide.run(n, context)) {
            Some(guided) => self.runs.code(self.c, some, &guided).0,
            None => self.runs.code(self.c, some, context).0,
        };
        if let Some(trellis) = self.trellis.as_mut().filter(|_| !some) {
            trellis.state = trellis.state.after_zeros(n);
        }
        some
    }

    fn look(&mut self, run: &RunAt<'_>) {
        if let Some(guide) = &mut self.guide {
            guide.look(run, |expected| start(expected) == 0);
        }
    }

    #[inline]
    fn end(&mut self, i: usize, codes: &mut [i16]) {
        if let Some(guide) = &mut self.guide {
            let halves = self.trellis.is_some();
            guide.end(i, codes.iter().map(|&code| if halves { whole(code) } else { code }));
        }
    }

    #[inline]
    fn point(&mut self, i: usize, f: &Features) -> i16 {
        let mut m = magnitude(f, R::MIXES, self.level, self.orientation);
        let base = if self.low { predict_low(self.q, self.g, f.before, i) } else { 0 };
        let d = if C::DECODING { 0 } else { i64::from(self.q[i]) - base };
        if m.start == 0
            && let Some(guide) = &self.guide
        {
            guide.point(i, f, d, &mut m);
        }
        if let Some(trellis) = &self.trellis {
            trellis.place(&mut m);
        }
        let d = self.coder.code(self.c, d, &m);
        if C::DECODING {
            self.q[i] = base.wrapping_add(d).clamp(-(1 << 30), 1 << 30) as i32;
        }
        let code = d.clamp(-32767, 32767);
        let code = match &mut self.trellis {
            Some(trellis) => {
                let halves = trellis.state.halves(code);
                if !self.low {
                    trellis.state = trellis.state.after(self.q[i]);
                }
                halves.clamp(-32767, 32767)
            }
            None => code,
        };
        code as i16
    }
}

/// The class that the magnitude of a coefficient is compared with first.
#[inline(always)]
fn start(expected: u32) -> u32 {
    class((expected * 10) >> 8)
}

/// Contexts of a coefficient.
#[inline(always)]
fn magnitude(f: &Features, mixes: bool, level: u32, orientation: u32) -> Magnitude {
    let e = class(f.expected);
    let rel = |v: u32| (class(v) + 8).saturating_sub(e).min(15);
    let start = start(f.expected);
    let (w, n, t) = (f.w.unsigned_abs(), f.n.unsigned_abs(), f.t.unsigned_abs());
    let slots = [
        e * 16 + rel(f.near),
        if start < 3 { ((w.min(4) * 5 + n.min(4)) * 5 + t.min(4)) * 3 + start } else { 1024 + e * 16 + rel(w * 16) },
        e * POSITIONS + f.place,
        (e * 4 + level) * 16 + orientation,
        e * 16 + rel(f.parent),
        e * 16 + rel(f.cousin),
    ];
    let sg = |v: i32| (v.signum() + 1) as u32;
    let near = sg(f.w) * 9 + sg(f.n) * 3 + sg(f.t);
    Magnitude {
        slots,
        start,
        class: e + 8,
        set: if mixes && f.place < POSITIONS - 1 { e + CLASSES } else { e },
        sign: [near * 16 + orientation, (sg(f.w) * 3 + sg(f.n)) * 3 + sg(f.u), 0],
        aside: Aside::default(),
    }
}

/// Slots of each context, as `magnitude` numbers them.
pub const SLOTS: [usize; CONTEXTS] = [48 * 16, 1024 + 48 * 16, 48 * POSITIONS as usize, 48 * 4 * 16, 48 * 16, 48 * 16];

/// Codes (or decodes) a chunk; `values` then holds the reconstruction. An encoder gives the originals.
#[inline(always)]
pub fn code<C: BitCoder, R: Residuals>(
    c: &mut C,
    g: Geometry,
    p: &Parameters,
    values: &mut [f64],
    mask: Option<&[bool]>,
    start: &Start<'_>,
) {
    let originals = if C::DECODING || p.correction == 0.0 { Vec::new() } else { values.to_vec() };
    code_beside::<C, R>(c, g, p, values, &originals, mask, start);
}

/// The same, where an encoder gives the originals that values are corrected to; of parameters with quantised coefficients
/// it does not look at the values.
#[inline(always)]
pub fn code_beside<C: BitCoder, R: Residuals>(
    c: &mut C,
    g: Geometry,
    p: &Parameters,
    values: &mut [f64],
    originals: &[f64],
    mask: Option<&[bool]>,
    start: &Start<'_>,
) {
    let bands = bands(&g, p.levels, p.first);
    let mut q = match &p.found {
        _ if C::DECODING => vec![0i32; g.len()],
        Some(found) => found.to_vec(),
        None => quantise(&g, p, &bands, &prepare(&g, p.levels, p.first, p.edges, p.mean, values, mask)).q,
    };
    let codes = code_bands::<C, R>(c, &g, &bands, &mut q, p.trellis, start);
    reconstruct(&g, p, &bands, &q, values);
    if p.correction > 0.0 {
        correct::<C, R>(c, &g, p, &bands, codes, values, originals, mask, start);
    }
}

/// Coefficients of the values less their mean, masked ones filled smoothly.
pub fn prepare(
    g: &Geometry,
    levels: [u8; 4],
    first: u8,
    edges: Edges,
    mean: f64,
    values: &[f64],
    mask: Option<&[bool]>,
) -> Vec<f64> {
    let mut v: Vec<f64> = match mask {
        None => values.iter().map(|x| x - mean).collect(),
        Some(m) => super::wavelet_fill::fill(g, values, m).into_iter().map(|x| x - mean).collect(),
    };
    forward(&mut v, g, levels, first, edges);
    v
}

/// Codes (or decodes) the integers alone, of a trellis or not; returns their codes, in steps.
#[inline(always)]
pub fn code_bands<C: BitCoder, R: Residuals>(
    c: &mut C,
    g: &Geometry,
    bands: &[Band],
    q: &mut [i32],
    trellis: bool,
    start: &Start<'_>,
) -> Vec<i16> {
    let mut empty = Vec::new();
    if !C::DECODING {
        empty.extend(bands.iter().map(|band| {
            // All of a row at once: most are empty.
            band.rows(g).all(|i| q[i..i + band.n[3]].iter().fold(0, |all, q| all | q) == 0)
        }));
    }
    let mut codes = vec![0i16; g.len()];
    let guide = if R::MIXES && !C::SILENT { Guide::new(start, g.len()) } else { None };
    let ([place, runs], slots, sets) = match start.coefficients.filter(|_| guide.is_some()) {
        Some(_) => ([Place::Coefficients, Place::CoefficientRuns], GUIDED_SLOTS, GUIDED_SETS),
        None => ([Place::Wavelet, Place::WaveletRuns], SLOTS, 2 * CLASSES as usize),
    };
    let trellis = trellis.then(|| Pair { state: State::default(), slots, sets });
    let coder = match &trellis {
        None => start.coder(place, slots, sets),
        Some(pair) => start.coder_of_both(place, (slots, sets), pair.both()),
    };
    let mut run = Coding::<C, R> {
        c,
        g,
        q,
        coder,
        flags: [Counter::NEW; 2],
        runs: RunCoder::new(start.of(runs)),
        last: 1,
        empty: &empty,
        low: false,
        level: 0,
        orientation: 0,
        guide,
        trellis,
    };
    walk(&mut run, g, bands, &mut codes);
    start.leave(place, || run.coder.states().first((slots, sets)));
    start.leave(runs, || run.runs.states());
    if run.trellis.is_some() {
        codes.iter_mut().for_each(|code| *code = whole(*code));
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effort;
    use crate::entropy::{BitDecoder, BitEncoder, ResidualCoder};

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            self.0 >> 33
        }
        fn unit(&mut self) -> f64 {
            self.next() as f64 / (1u64 << 31) as f64
        }
    }

    fn field(r: &mut Random, g: &Geometry) -> Vec<f64> {
        let f: Vec<f64> = (0..4).map(|_| r.unit() * 0.7).collect();
        let noise = r.unit() * 0.1;
        (0..g.len())
            .map(|i| {
                let mut rest = i;
                let mut phase = 0.0;
                for a in 0..4 {
                    phase += f[a] * (rest / g.stride[a]) as f64;
                    rest %= g.stride[a];
                }
                3.0 + phase.sin() + noise * r.unit()
            })
            .collect()
    }

    fn check<R: Residuals>(g: Geometry, x: &[f64], mask: Option<&[bool]>, target: Target) {
        for found in choose(
            g,
            x,
            mask,
            target,
            Ground { part: false, thin: false, rival: f64::INFINITY, effort: Effort::Default, start: Start::default() },
        ) {
            let mut head = Vec::new();
            found.parameters.write(&mut head);
            let mut y = x.to_vec();
            let mut encoder = BitEncoder::default();
            code::<_, R>(&mut encoder, g, &found.parameters, &mut y, mask, &Start::default());
            let bytes = encoder.finish();
            let mut rest = head.as_slice();
            let p = Parameters::read(&mut rest).expect("what was written can be read");
            assert!(rest.is_empty());
            let mut z = vec![7.0; x.len()];
            let mut decoder = BitDecoder::new(&bytes);
            code::<_, R>(&mut decoder, g, &p, &mut z, mask, &Start::default());
            assert!(decoder.check().is_ok());
            let (mut sum, mut n) = (0.0, 0.0);
            for i in 0..x.len() {
                if mask.is_some_and(|m| m[i]) {
                    continue;
                }
                assert_eq!(y[i].to_bits(), z[i].to_bits(), "{g:?} {target:?}");
                let e = (x[i] - z[i]).abs();
                if let Target::MaxError(bound) = target {
                    assert!(e <= bound, "{g:?}: {e} > {bound}");
                }
                sum += e * e;
                n += 1.0;
            }
            if let Target::Rmse(bound) = target {
                assert!((sum / n).sqrt() <= bound, "{g:?}");
            }
        }
    }

    #[test]
    fn round_trip_and_bound_holds() {
        let mut r = Random(5);
        for k in 0..60 {
            let shape: Vec<usize> = (0..1 + r.next() % 4).map(|_| 1 + (r.next() % 20) as usize).collect();
            let g = Geometry::new(&shape);
            let x = field(&mut r, &g);
            let mask: Vec<bool> = (0..g.len()).map(|i| i % 7 < 2 || r.next() % 50 < 1).collect();
            let mask = (k % 3 == 0).then_some(mask.as_slice());
            let e = 10f64.powf(-1.0 - 5.0 * r.unit());
            check::<ResidualCoder<6>>(g, &x, mask, Target::MaxError(e));
            check::<ResidualCoder<6>>(g, &x, mask, Target::Rmse(e));
            check::<ResidualCoder<1>>(g, &x, mask, Target::MaxError(e));
        }
    }

    #[test]
    fn what_a_trellis_leaves_beyond_a_bound_is_corrected() {
        let mut r = Random(11);
        let g = Geometry::new(&[5, 13, 40]);
        let x = field(&mut r, &g);
        let on =
            Ground { part: false, thin: false, rival: f64::INFINITY, effort: Effort::Default, start: Start::default() };
        let found = choose(g, &x, None, Target::Rmse(1e-3), on).into_iter().find(|c| c.parameters.trellis);
        let p = Parameters { correction: storable(2e-3), ..found.expect("one with a trellis").parameters };
        let (mut head, mut encoder, mut y) = (Vec::new(), BitEncoder::default(), x.clone());
        p.write(&mut head);
        code::<_, ResidualCoder<6>>(&mut encoder, g, &p, &mut y, None, &Start::default());
        let (bytes, mut z) = (encoder.finish(), vec![7.0; x.len()]);
        let p = Parameters::read(&mut head.as_slice()).unwrap();
        code::<_, ResidualCoder<6>>(&mut BitDecoder::new(&bytes), g, &p, &mut z, None, &Start::default());
        assert!(y.iter().zip(&z).all(|(y, z)| y.to_bits() == z.to_bits()));
        assert!(x.iter().zip(&z).all(|(x, z)| (x - z).abs() <= 1e-3));
    }

    #[test]
    fn constants_are_fine() {
        for v in [0.0, 1.0, -273.15, 1e300, 1e-300] {
            let g = Geometry::new(&[5, 9]);
            check::<ResidualCoder<6>>(g, &[v; 45], None, Target::MaxError(1e-3));
            check::<ResidualCoder<6>>(g, &[v; 45], None, Target::Rmse(1e-3));
        }
    }

    #[test]
    fn any_bytes_decode_without_panic() {
        let mut r = Random(9);
        for _ in 0..300 {
            let bytes: Vec<u8> = (0..r.next() % 60).map(|_| r.next() as u8).collect();
            let mut rest = bytes.as_slice();
            let Ok(p) = Parameters::read(&mut rest) else { continue };
            let g = Geometry::new(&[1 + (r.next() % 9) as usize, 1 + (r.next() % 9) as usize, 5]);
            let mut v = vec![0.0; g.len()];
            code::<_, ResidualCoder<6>>(&mut BitDecoder::new(rest), g, &p, &mut v, None, &Start::default());
        }
    }
}
