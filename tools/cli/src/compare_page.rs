//! `scicodec compare --html`: the same page that the benches make, for one pair of files.
use crate::{
    failure::{Failure, Outcome, about, display},
    text,
};
use scicodec::{ChunkBound, Metrics, Reader, Variable};
use scicodec_io::{Field, OutputFile, Overwrite};
use scicodec_report::{Pair, Point, Section, Speed, escape};
use std::{io::Write, path::Path, time::Instant};

/// What a `.scz` file tells of one of its variables.
pub struct Stored {
    bits_per_value: f64,
    bound: String,
    /// What single values may be off by, where that is the same for all.
    limit: Option<f64>,
    /// The value that stands for missing ones.
    fill: Option<f64>,
    decode: f64,
}

/// What the second file tells, if it is a `.scz` file that has this variable (or, without a name, only one).
pub fn stored(path: &Path, name: Option<&str>) -> Option<Stored> {
    let reader = Reader::open(path).ok()?;
    let found = reader.variables().iter().position(|v| name.is_none_or(|n| v.name == n))?;
    let v = &reader.variables()[found];
    let values = v.shape.iter().product::<u64>() as f64;
    let limit = match v.chunk_bound {
        Some(ChunkBound::Abs(e)) => Some(e),
        _ => None,
    };
    let start = Instant::now();
    let decoded = reader.decode(found, 1).ok()?;
    let decode = decoded.len() as f64 / 1e6 / start.elapsed().as_secs_f64().max(1e-9);
    let bits_per_value = 8.0 * v.compressed_bytes() as f64 / values;
    Some(Stored { bits_per_value, bound: v.bound.to_string(), limit, fill: fill(v), decode })
}

/// The fill value as a number.
fn fill(v: &Variable) -> Option<f64> {
    let bits = v.fill?;
    let bytes: Vec<u8> = match v.dtype.size() {
        1 => vec![bits as u8],
        2 => (bits as u16).to_ne_bytes().into(),
        4 => (bits as u32).to_ne_bytes().into(),
        _ => bits.to_ne_bytes().into(),
    };
    scicodec::numbers(v.dtype, &bytes).first().copied()
}

/// The part of the page about one pair of variables. `a` and `b` are all their elements.
pub fn section(
    name: &str,
    (field, other): (&Field, &Field),
    (a, b): (&[u8], &[u8]),
    m: &Metrics,
    stored: Option<&Stored>,
) -> Outcome<String> {
    let source = field.source.as_ref();
    let units = if field.units.is_empty() { &other.units } else { &field.units };
    let fill = stored.and_then(|s| s.fill);
    let numbers = |bytes| -> Vec<f64> {
        let missing = |v: f64| if Some(v) == fill { f64::NAN } else { v };
        scicodec::numbers(source.dtype(), bytes).into_iter().map(missing).collect()
    };
    let (original, decoded) = (numbers(a), numbers(b));
    let shape: Vec<usize> = source.shape().iter().map(|&n| n as usize).collect();
    let codec = "scicodec".to_owned();
    let points = stored.iter().map(|s| Point {
        codec: codec.clone(),
        pointwise: s.limit.is_some(),
        bits_per_value: s.bits_per_value,
        psnr: m.psnr,
        max_error: if m.range > 0.0 { m.max_abs / m.range } else { 0.0 },
    });
    let speeds = stored.iter().map(|s| Speed { codec: codec.clone(), encode: None, decode: Some(s.decode) });
    let limit = stored.and_then(|s| s.limit);
    let section = Section {
        title: name.to_owned(),
        subtitle: format!("{} of shape {}", source.dtype().name(), text::extents(source.shape())),
        figures: figures(m, units, stored),
        points: points.collect(),
        speeds: speeds.collect(),
        pair: Some(Pair { shape: &shape, original: &original, decoded: &decoded, bound: limit, units }),
        ..Section::default()
    };
    scicodec_report::section(&section).map_err(|e| Failure::new(format!("{name}: {e}")))
}

fn figures(m: &Metrics, units: &str, stored: Option<&Stored>) -> Vec<(String, String)> {
    let own = |v: f64| format!("{} {units}", scicodec_report::number(v)).trim_end().to_owned();
    let mut rows = Vec::new();
    if let Some(s) = stored {
        rows.push(("bound".to_owned(), s.bound.clone()));
        rows.push(("bits per value".to_owned(), scicodec_report::number(s.bits_per_value)));
    }
    rows.push(("max error".to_owned(), own(m.max_abs)));
    rows.push(("rmse".to_owned(), own(m.rmse)));
    rows.push(("nrmse".to_owned(), scicodec_report::number(m.nrmse)));
    rows.push(("PSNR".to_owned(), format!("{:.2} dB", m.psnr)));
    rows.extend(m.ssim.map(|s| ("SSIM".to_owned(), format!("{s:.5}"))));
    rows.push(("range".to_owned(), own(m.range)));
    rows.push(("finite values".to_owned(), m.points.to_string()));
    if m.equal_specials > 0 {
        rows.push(("equal NaN and ±∞".to_owned(), m.equal_specials.to_string()));
    }
    if m.mismatches > 0 {
        rows.push(("NaN or ±∞ in one file alone".to_owned(), m.mismatches.to_string()));
    }
    rows
}

/// The page, which appears under its name when it is whole.
pub fn write(path: &Path, overwrite: Overwrite, (a, b): (&Path, &Path), sections: &[String]) -> Outcome {
    let introduction = format!(
        "<p>How far <code>{}</code> is from <code>{}</code>. Errors are decoded minus original, over values that are finite in \
         both; PSNR is 20·log₁₀(range ÷ rmse). Speed is that of decoding here, on one thread.</p>\n",
        escape(&display(b)),
        escape(&display(a))
    );
    let page = scicodec_report::page(&format!("{} and {}", display(a), display(b)), &introduction, sections);
    let mut out = OutputFile::create(path, overwrite).map_err(about(path))?;
    out.write_all(page.as_bytes()).map_err(about(path))?;
    out.finish().map_err(about(path))
}
