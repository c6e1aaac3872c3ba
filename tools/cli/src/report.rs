//! What encoding reached, and what a file holds: as lines for people and as JSON.
use crate::{encode::Encoded, failure::display, inputs::Part, text};
use scicodec::{BoundKind, ChunkBound, Reader, Variable, base_name};
use scicodec_io::{
    Group,
    conventions::{Kind, interpret},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::Path};

/// The line that encoding a variable ends with. `bytes` is what it takes in the file.
pub fn encoded_line(one: &Encoded, bytes: u64, output: &Path) -> String {
    let r = &one.report;
    let values = r.raw_bytes / r.dtype.size() as u64;
    let bits = if values > 0 { bytes as f64 * 8.0 / values as f64 } else { 0.0 };
    format!(
        "{}: {} times smaller: {} -> {}, {} bits per value; {}; {} -> {}",
        one.name,
        text::number(text::ratio(r.raw_bytes, bytes)),
        text::bytes(r.raw_bytes),
        text::bytes(bytes),
        text::number(bits),
        reached(one),
        text::speed(r.raw_bytes, one.seconds),
        display(output),
    )
}

/// The line about what was kept exactly although a bound was asked. `bytes` are those of a new file.
pub fn exact_line(done: &[Encoded], bytes: Option<u64>, output: &Path) -> Option<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in done {
        if let Part::Exact(why) = one.part {
            reasons.entry(why).or_default().push(&one.name);
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let list =
        reasons.iter().map(|(why, names)| format!("{} ({why})", names.join(", "))).collect::<Vec<_>>().join("; ");
    let raw: u64 = done.iter().filter(|one| one.part != Part::Group).map(|one| one.report.raw_bytes).sum();
    let all = match bytes {
        Some(bytes) => format!(
            "; all together {} times smaller: {} -> {}",
            text::number(text::ratio(raw, bytes)),
            text::bytes(raw),
            text::bytes(bytes)
        ),
        None => String::new(),
    };
    Some(format!("kept exactly: {list}{all} -> {}", display(output)))
}

/// The error that was made, next to the one that was allowed: of packed values, that of what they stand for.
fn reached(one: &Encoded) -> String {
    let (r, bound) = (&one.report, one.bound);
    let made = |what: &str, error: f64, allowed: f64| {
        format!("{what} {} of {} allowed ({})", text::number(error), text::number(allowed), bound)
    };
    let error = match r.chunk_bound {
        ChunkBound::Lossless => format!("every bit kept ({})", bound),
        ChunkBound::Abs(allowed) => made("max error", r.max_error * one.scale, allowed * one.scale),
        ChunkBound::PwRel(allowed) => made("max relative error", r.max_pw_rel_error, allowed),
        ChunkBound::Rmse(allowed) => {
            let rmse = made("rmse", r.rmse * one.scale, allowed * one.scale);
            format!("{rmse}, max error {}", text::number(r.max_error * one.scale))
        }
    };
    match one.psnr {
        Some(db) => format!("{error}, PSNR {db:.1} dB"),
        None => error,
    }
}

pub fn encoded_json(output: &Path, file: &Reader, done: &[Encoded]) -> Value {
    let variables: Vec<Value> = done
        .iter()
        .filter(|one| one.part != Part::Group)
        .filter_map(|one| {
            let variable = file.variables().iter().find(|v| v.name == one.name)?;
            let mut entry = variable_json(file, variable);
            entry["psnr"] = json!(one.psnr);
            entry["seconds"] = json!(one.seconds);
            Some(entry)
        })
        .collect();
    json!({ "output": display(output), "file_bytes": file.length(), "variables": variables })
}

/// How many chunks each base was chosen for.
pub fn bases(v: &Variable) -> BTreeMap<&'static str, u64> {
    let mut bases = BTreeMap::new();
    for chunk in v.chunks.iter().filter(|c| c.length > 0) {
        *bases.entry(base_name(chunk.base)).or_default() += 1;
    }
    bases
}

/// Which variables must be decoded before this one, in words; none if it needs no other.
pub fn conditioned_line(file: &Reader, v: &Variable) -> Option<String> {
    let all = file.conditioned_on(v);
    if all.is_empty() {
        return None;
    }
    let list = all.iter().map(|(name, chunks)| match *name == v.name {
        true => format!("earlier chunks of its own {chunks}"),
        false => format!("{name} {chunks}"),
    });
    Some(format!("{}: {} chunk(s) need others", list.collect::<Vec<_>>().join(", "), v.conditioned_chunks()))
}

/// The largest error of a variable, in words.
pub fn max_error(v: &Variable) -> String {
    match v.achieved_max_error() {
        Some(e) => format!("max error {}", text::number(e)),
        None => "max error not known: the file was recovered".into(),
    }
}

/// `20 log10(range / rmse)`, where both are known and there is an error at all.
pub fn psnr(v: &Variable, rmse: f64) -> Option<f64> {
    let low = v.chunks.iter().filter_map(|c| c.min).fold(f64::INFINITY, f64::min);
    let high = v.chunks.iter().filter_map(|c| c.max).fold(f64::NEG_INFINITY, f64::max);
    let psnr = 20.0 * ((high - low) / rmse).log10();
    psnr.is_finite().then_some(psnr)
}

/// A variable as `info --json` gives it.
pub fn variable_json(file: &Reader, v: &Variable) -> Value {
    let value = if v.bound.kind == BoundKind::Lossless { Value::Null } else { json!(v.bound.value) };
    let (attributes, kind) = interpret(&v.name, &v.attributes);
    let attributes: Map<String, Value> = attributes.into_iter().map(|a| (a.name, a.value.to_json())).collect();
    json!({
        "name": v.name,
        "shape": v.shape,
        "dtype": v.dtype.name(),
        "error_bound": { "kind": v.bound.kind.name(), "value": value },
        "achieved_max_error": v.achieved_max_error(),
        "raw_bytes": v.raw_bytes(),
        "compressed_bytes": v.compressed_bytes(),
        "ratio": text::ratio(v.raw_bytes(), v.compressed_bytes()),
        "chunk_shape": v.chunk_shape,
        "chunks": v.chunks.len(),
        "bases": bases(v),
        "conditioned_on": file.conditioned_on(v),
        "conditioned_chunks": v.conditioned_chunks(),
        "units": v.units,
        "dimensions": v.dimensions,
        "attributes": attributes,
        "text": matches!(kind, Kind::Array(Some(_))),
    })
}

/// A group as `info --json` gives it.
pub fn group_json(group: &Group) -> Value {
    let attributes: Map<String, Value> = group.attributes.iter().map(|a| (a.name.clone(), a.value.to_json())).collect();
    let dimensions: Vec<Value> =
        group.dimensions.iter().map(|d| json!({ "name": d.name, "size": d.size, "unlimited": d.unlimited })).collect();
    json!({ "path": group.path, "format": group.format, "dimensions": dimensions, "attributes": attributes })
}

/// One line per chunk.
pub fn chunk_table(out: &mut String, v: &Variable) {
    out.push_str(&format!("    {:>6} {:>12} {:>10} {:>10}  base\n", "chunk", "offset", "bytes", "max error"));
    for (k, c) in v.chunks.iter().enumerate() {
        let error = c.max_error.map_or("-".into(), text::number);
        out.push_str(&format!("    {k:>6} {:>12} {:>10} {error:>10}  {}\n", c.offset, c.length, base_name(c.base)));
    }
}
