//! `scicodec info`: what a file holds.
use crate::{
    args::InfoArgs,
    failure::{Outcome, about, display},
    report, text,
};
use scicodec::{BoundKind, FileModel, Reader, Variable};
use scicodec_io::{
    Group, Value, cf,
    conventions::{Kind, interpret},
};
use serde_json::json;

pub fn run(args: &InfoArgs) -> Outcome {
    let reader = Reader::open(&args.input).map_err(about(&args.input))?;
    let file_bytes = reader.length();
    if args.json {
        return text::result_json(&json!({
            "file": display(&args.input),
            "file_bytes": file_bytes,
            "format_version": reader.container().version(),
            "models": reader.models().iter().map(|m| model_json(&reader, m)).collect::<Vec<_>>(),
            "variables": arrays(&reader).map(|v| report::variable_json(&reader, v)).collect::<Vec<_>>(),
            "groups": groups(&reader).iter().map(report::group_json).collect::<Vec<_>>(),
        }));
    }
    let mut out = format!(
        "{}: {}, {} variable(s), format version {}\n",
        display(&args.input),
        text::bytes(file_bytes),
        arrays(&reader).count(),
        reader.container().version(),
    );
    for model in reader.models() {
        out.push_str(&format!("  {:<12} {}\n", "model", model_line(&reader, &model)));
    }
    for variable in arrays(&reader) {
        describe(&mut out, &reader, variable, args.talk.verbose);
    }
    for group in groups(&reader) {
        describe_group(&mut out, &group);
    }
    text::result(&out)
}

fn model_line(reader: &Reader, m: &FileModel) -> String {
    let chunks = if m.chunks > 0 { format!(", named by {} chunk(s)", m.chunks) } else { String::new() };
    let place = match (m.embedded, reader.model(m.id)) {
        (Some(bytes), _) => format!("in the file, {}", text::bytes(bytes)),
        (None, Ok(_)) => "not in the file; at hand here".into(),
        (None, Err(_)) => "not in the file, nor at hand: get it, then scicodec model import FILE".into(),
    };
    format!("{:#}: {place}{chunks}", m.id)
}

fn model_json(reader: &Reader, m: &FileModel) -> serde_json::Value {
    let model = reader.model(m.id).ok();
    json!({
        "id": format!("{:#}", m.id),
        "name": model.as_ref().map(|m| m.model().name()),
        "embedded": m.embedded.is_some(),
        "bytes": m.embedded,
        "chunks": m.chunks,
        "at_hand": model.is_some(),
    })
}

fn arrays(reader: &Reader) -> impl Iterator<Item = &Variable> {
    reader.variables().iter().filter(|v| matches!(interpret(&v.name, &v.attributes).1, Kind::Array(_)))
}

fn groups(reader: &Reader) -> Vec<Group> {
    let group = |v: &Variable| match interpret(&v.name, &v.attributes).1 {
        Kind::Group(group) => Some(group),
        Kind::Array(_) => None,
    };
    reader.variables().iter().filter_map(group).collect()
}

fn describe_group(out: &mut String, group: &Group) {
    let mut line = |label: &str, value: String| out.push_str(&format!("  {label:<12} {value}\n"));
    line("group", format!("/{}", group.path));
    for d in &group.dimensions {
        let unlimited = if d.unlimited { ", unlimited" } else { "" };
        line("  dimension", format!("{} = {}{unlimited}", d.name, d.size));
    }
    for attribute in &group.attributes {
        line("  attribute", format!("{} = {}", attribute.name, shown(&attribute.value)));
    }
}

/// Text as it is, everything else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

fn describe(out: &mut String, reader: &Reader, v: &Variable, verbose: bool) {
    let mut line = |label: &str, value: String| out.push_str(&format!("  {label:<12} {value}\n"));
    line("variable", if v.units.is_empty() { v.name.clone() } else { format!("{} [{}]", v.name, v.units) });
    let axes = if v.dimensions.is_empty() { String::new() } else { format!(" ({})", v.dimensions.join(", ")) };
    let (attributes, kind) = interpret(&v.name, &v.attributes);
    let elements = match kind {
        Kind::Array(Some(_)) => "text",
        _ => v.dtype.name(),
    };
    line("  shape", format!("{} of {elements}{axes}", text::extents(&v.shape)));
    let packed = match cf::packing(&attributes) {
        Some(p) if v.bound.kind != BoundKind::Lossless => {
            format!(" of packed values, each step {}", text::number(p.scale.abs()))
        }
        _ => String::new(),
    };
    line("  bound", format!("{}; {}{packed}", v.bound, report::max_error(v)));
    line(
        "  size",
        format!(
            "{} -> {}, {} times smaller",
            text::bytes(v.raw_bytes()),
            text::bytes(v.compressed_bytes()),
            text::number(text::ratio(v.raw_bytes(), v.compressed_bytes()))
        ),
    );
    let bases = report::bases(v).iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
    line("  chunks", format!("{} of {}: {bases}", v.chunks.len(), text::extents(&v.chunk_shape)));
    if let Some(beside) = report::conditioned_line(reader, v) {
        line("  beside", beside);
    }
    for attribute in &attributes {
        line("  attribute", format!("{} = {}", attribute.name, shown(&attribute.value)));
    }
    if verbose {
        report::chunk_table(out, v);
    }
}
