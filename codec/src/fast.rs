//! Chunks at effort `fast`: whole numbers on a grid, and the base that codes them row by row (SPEC §8.7).
use crate::base::Geometry;
use crate::base::tabled::{LARGEST, Parameters, Predictor, read};
use crate::bytes::{Bytes, put_float, put_varint};
use crate::chunk::{ChunkBound, ChunkRequest, ChunkStats, DecodedChunk, EncodedChunk, code_exceptions};
use crate::elements::{nearest, to_bytes};
use crate::entropy::{BitDecoder, BitEncoder};
use crate::fast_search::{self, Step};
use crate::grid::{self, Errors, Float, Grid, elements, errors, extremes};
use crate::part::Part;
use crate::plan::{TABLED, base_name};
use crate::scratch::give;
use crate::{Error, mask};
use scicodec_format::DType;

const FLAG_MASKED: u8 = 1;
const FLAG_EXCEPTIONS: u8 = 2;
/// All masked points have the same bits.
const FLAG_ALIKE: u8 = 4;
const FLAGS: u8 = FLAG_MASKED | FLAG_EXCEPTIONS | FLAG_ALIKE;
const LORENZO: u8 = 128;

/// A chunk as the search sees it.
pub struct Field<'a, T> {
    pub x: &'a [T],
    pub g: Geometry,
    /// 1 at NaN, ±Inf and fill values, if there are any.
    pub mask: Option<&'a [u8]>,
    pub lo: f64,
    pub hi: f64,
    pub valid: u64,
    pub bound: ChunkBound,
}

/// Encodes a chunk with this base; `None` where another base should have it.
pub fn encode(req: &ChunkRequest<'_>) -> Result<Option<EncodedChunk>, Error> {
    match req.dtype {
        DType::F32 => typed::<f32>(req),
        DType::F64 => typed::<f64>(req),
        _ => Ok(None),
    }
}

fn typed<T: Float>(req: &ChunkRequest<'_>) -> Result<Option<EncodedChunk>, Error> {
    let g = Geometry::new(req.shape);
    let suits = match req.bound {
        ChunkBound::Abs(e) | ChunkBound::Rmse(e) => (1e-300..1e300).contains(&e),
        ChunkBound::Lossless | ChunkBound::PwRel(_) => false,
    };
    if !suits || g.len() < fast_search::SMALLEST {
        return Ok(None);
    }
    let x = &elements::<T>(req.data)[..];
    let (lo, hi, valid) = extremes(x, req.fill);
    let (lo, hi) = (lo.wide(), hi.wide());
    if valid == 0 || lo == hi {
        return Ok(None);
    }
    let masked = |v: &T| u8::from(!v.finite() || req.fill == Some(v.bits()));
    let special: Option<Vec<u8>> = (valid < x.len() as u64).then(|| x.iter().map(masked).collect());
    let field = Field { x, g, mask: special.as_deref(), lo, hi, valid, bound: req.bound };
    let Some(choice) = fast_search::choose(&field) else { return Ok(None) };
    let Step { grid, parameters, numbers, codes } = choice;

    let mut c = BitEncoder::default();
    let mut alike = None;
    if let Some(m) = field.mask {
        let mut plane: Vec<bool> = m.iter().map(|&m| m != 0).collect();
        mask::code(&mut c, g, mask::Teller::Template, &mut plane);
        let mut masked = x.iter().zip(m).filter(|(_, m)| **m != 0).map(|(v, _)| v.bits());
        alike = masked.next().filter(|&first| masked.all(|b| b == first));
        if alike.is_none() {
            let mut bits: Vec<u64> = x.iter().map(|&v| v.bits()).collect();
            mask::code_specials(&mut c, 8 * T::BYTES as u32, &plane, &mut bits);
        }
    }
    let (symbols, raw) = codes.write(&mut c);
    let limit = if let ChunkBound::Abs(e) = req.bound { e } else { f64::MAX };
    let Errors { max, squares, mut wrong } = errors(x, field.mask, &numbers, grid, limit);
    give(numbers);
    if let ChunkBound::Rmse(e) = req.bound
        && squares > e * e * valid as f64
    {
        return Ok(None);
    }
    if !wrong.is_empty() {
        let mut exact: Vec<u64> = wrong.iter().map(|&i| x[i].bits()).collect();
        code_exceptions(&mut c, T::DTYPE, &mut wrong, &mut exact, x.len());
    }
    let on = |flag: u8, on: bool| if on { flag } else { 0 };
    let flags = on(FLAG_MASKED, field.mask.is_some())
        | on(FLAG_EXCEPTIONS, !wrong.is_empty())
        | on(FLAG_ALIKE, alike.is_some());
    let mut body = vec![flags];
    if let Some(bits) = alike {
        body.extend_from_slice(&bits.to_le_bytes()[..T::BYTES]);
    }
    put_float(&mut body, grid.offset);
    put_float(&mut body, grid.unit);
    write_parameters(&mut body, &parameters);
    put_varint(&mut body, symbols.len() as u64);
    put_varint(&mut body, raw.len() as u64);
    body.extend(symbols);
    body.extend(raw);
    body.extend(c.finish());
    let stats = ChunkStats {
        base: base_name(TABLED),
        max_error: max,
        sum_squared_error: squares,
        min: Some(lo),
        max: Some(hi),
        valid,
        ..ChunkStats::default()
    };
    Ok(Some(EncodedChunk { base: TABLED, body, model: None, asks_model: false, references: vec![], stats }))
}

fn write_parameters(out: &mut Vec<u8>, p: &Parameters) {
    put_varint(out, u64::from(p.step));
    match p.predictor {
        Predictor::Interpolation { order, count, schedule, linear } => {
            out.extend([count | schedule << 3 | u8::from(linear) << 6, order]);
        }
        Predictor::Lorenzo(axes) => out.push(LORENZO | axes),
    }
}

fn corrupt<T>(what: String) -> Result<T, Error> {
    Err(Error::Corrupt { what, section: "8.7" })
}

fn read_parameters(b: &mut Bytes<'_>) -> Result<Parameters, Error> {
    let step = b.varint()?;
    if step == 0 || step as f64 >= LARGEST {
        return corrupt(format!("a step of {step} units, expected 1 to 2^26 - 1"));
    }
    let kind = b.byte()?;
    let predictor = if kind & LORENZO != 0 {
        let axes = kind & !LORENZO;
        if !(1..=3).contains(&axes) {
            return corrupt(format!("differences along {axes} axes"));
        }
        Predictor::Lorenzo(axes)
    } else {
        let (order, count) = (b.byte()?, kind & 7);
        let axes: Vec<u8> = (0..count.min(4)).map(|k| order >> (2 * k) & 3).collect();
        if count > 4 || (1..axes.len()).any(|k| axes[..k].contains(&axes[k])) {
            return corrupt("an impossible order of axes".into());
        }
        Predictor::Interpolation { order, count, schedule: kind >> 3 & 7, linear: kind & 64 != 0 }
    };
    Ok(Parameters { predictor, step: step as u32 })
}

/// Decodes a body of this base, or a part of it; `n` is the number of elements of the whole.
///
/// Of a part only as much is decoded as it needs: what is wrong with the rest is not seen.
pub fn decode(
    dtype: DType,
    shape: &[usize],
    n: usize,
    body: &[u8],
    part: Option<&Part>,
) -> Result<DecodedChunk, Error> {
    let mut b = Bytes(body);
    let flags = b.byte()?;
    if flags & !FLAGS != 0 {
        return corrupt(format!("reserved flags are set: {flags:#04x}"));
    }
    let size = dtype.size();
    let alike = if flags & FLAG_ALIKE != 0 {
        if flags & FLAG_MASKED == 0 {
            return corrupt("masked points that are alike, but none is masked".into());
        }
        Some(b.take(size)?.iter().rev().fold(0, |v, &b| v << 8 | u64::from(b)))
    } else {
        None
    };
    let grid = Grid { offset: b.float()?, unit: b.float()? };
    if !grid.offset.is_finite() || !grid.unit.is_finite() || grid.unit <= 0.0 {
        return corrupt(format!("a grid at {} with spacing {}", grid.offset, grid.unit));
    }
    let p = read_parameters(&mut b)?;
    let (symbols, raw) = (b.varint()? as usize, b.varint()? as usize);
    let (symbols, raw) = (b.take(symbols)?, b.take(raw)?);
    if n == 0 {
        return Ok(vec![]);
    }
    let g = Geometry::new(shape);
    let mut c = BitDecoder::new(b.0);
    let (mut plane, mut special) = (vec![], vec![]);
    if flags & FLAG_MASKED != 0 {
        plane = vec![false; n];
        mask::code(&mut c, g, mask::Teller::Template, &mut plane);
        if alike.is_none() {
            special = vec![0; n];
            mask::code_specials(&mut c, 8 * size as u32, &plane, &mut special);
        }
    }
    let masked: Option<Vec<u8>> = (!plane.is_empty()).then(|| plane.iter().map(|&m| u8::from(m)).collect());
    // Exceptions come last in the stream, behind all that is decoded.
    let wanted = part.filter(|_| flags & FLAG_EXCEPTIONS == 0).map(Part::wanted);
    let mut numbers = read::numbers(&g, &p, masked.as_deref(), &mut c, symbols, raw, wanted.as_ref())?;
    if let Some(part) = part {
        let own = part.cut(&numbers, 1);
        give(std::mem::replace(&mut numbers, own));
        plane = if plane.is_empty() { plane } else { part.cut(&plane, 1) };
        special = if special.is_empty() { special } else { part.cut(&special, 1) };
    }
    let mut out = match dtype {
        DType::F32 => grid::values::<f32>(&numbers, grid),
        DType::F64 => grid::values::<f64>(&numbers, grid),
        _ => {
            let bits: Vec<u64> =
                numbers.iter().map(|&k| nearest(dtype, grid.offset + grid.unit * f64::from(k))).collect();
            to_bytes(dtype, &bits)
        }
    };
    give(numbers);
    match size {
        4 => put_masked::<4>(&mut out, &plane, alike, &special),
        8 => put_masked::<8>(&mut out, &plane, alike, &special),
        2 => put_masked::<2>(&mut out, &plane, alike, &special),
        _ => put_masked::<1>(&mut out, &plane, alike, &special),
    }
    if flags & FLAG_EXCEPTIONS != 0 {
        let (mut at, mut exact) = (vec![], vec![]);
        code_exceptions(&mut c, dtype, &mut at, &mut exact, n);
        for (i, bits) in at.into_iter().zip(exact) {
            if let Some(i) = part.map_or(Some(i), |part| part.place(i)) {
                out[i * size..(i + 1) * size].copy_from_slice(&to_bytes(dtype, &[bits]));
            }
        }
    }
    c.check()?;
    Ok(out)
}

/// Puts the bits of masked points in their places; `special` is not looked at where all are alike.
fn put_masked<const N: usize>(out: &mut [u8], plane: &[bool], alike: Option<u64>, special: &[u64]) {
    let bytes = |bits: u64| -> [u8; N] {
        let le = bits.to_le_bytes();
        // In the machine's order.
        std::array::from_fn(|k| le[if cfg!(target_endian = "big") { N - 1 - k } else { k }])
    };
    let out = out.as_chunks_mut::<N>().0;
    if let Some(bits) = alike {
        let bytes = bytes(bits);
        for (o, &m) in out.iter_mut().zip(plane) {
            *o = if m { bytes } else { *o };
        }
        return;
    }
    for ((o, &m), &bits) in out.iter_mut().zip(plane).zip(special) {
        if m {
            *o = bytes(bits);
        }
    }
}
