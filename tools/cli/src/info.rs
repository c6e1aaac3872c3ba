//! `scicodec info`: what a file holds.
use crate::{
    args::InfoArgs,
    failure::{Outcome, about, display},
    report, text,
};
use scicodec::{FileModel, Reader, Variable};
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
            "variables": reader.variables().iter().map(report::variable_json).collect::<Vec<_>>(),
        }));
    }
    let mut out = format!(
        "{}: {}, {} variable(s), format version {}\n",
        display(&args.input),
        text::bytes(file_bytes),
        reader.variables().len(),
        reader.container().version(),
    );
    for model in reader.models() {
        out.push_str(&format!("  {:<12} {}\n", "model", model_line(&reader, &model)));
    }
    for variable in reader.variables() {
        describe(&mut out, variable, args.talk.verbose);
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

fn describe(out: &mut String, v: &Variable, verbose: bool) {
    let mut line = |label: &str, value: String| out.push_str(&format!("  {label:<12} {value}\n"));
    line("variable", if v.units.is_empty() { v.name.clone() } else { format!("{} [{}]", v.name, v.units) });
    let axes = if v.dimensions.is_empty() { String::new() } else { format!(" ({})", v.dimensions.join(", ")) };
    line("  shape", format!("{} of {}{axes}", text::extents(&v.shape), v.dtype.name()));
    line("  bound", format!("{}; {}", v.bound, report::max_error(v)));
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
    for (key, value) in &v.attributes {
        line("  attribute", format!("{key} = {value}"));
    }
    if verbose {
        report::chunk_table(out, v);
    }
}
