#![allow(clippy::print_stderr)]
//! The report of `python/peers.py`: `peers-report PEERS.csv -o REPORT.html [--bound rel=1e-2] FOLDER...`
//!
//! Curves and bars are from the table; for maps, histograms and spectra each field is encoded and decoded once more, at the bound,
//! with the default effort.
use scicodec::{BoundKind, EncodeOptions};
use scicodec_bench::{
    Result,
    field::Field,
    machine,
    peers::{self, Cell, Table},
    pipeline,
};
use scicodec_report::{Pair, Point, Section, Speed, anchor, escape, number};
use std::{fmt::Write as _, path::PathBuf};

struct Arguments {
    table: PathBuf,
    output: PathBuf,
    kind: String,
    value: String,
    folders: Vec<PathBuf>,
}

fn arguments() -> Result<Arguments> {
    let usage = "usage: peers-report PEERS.csv -o REPORT.html [--bound rel=1e-2] FOLDER...";
    let (mut output, mut bound, mut rest) = (None, "rel=1e-2".to_owned(), Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-o" => output = Some(words.next().ok_or(usage)?.into()),
            "--bound" => bound = words.next().ok_or(usage)?,
            _ => rest.push(PathBuf::from(word)),
        }
    }
    let (kind, value) = bound.split_once('=').ok_or("a bound is KIND=VALUE")?;
    if rest.len() < 2 {
        return Err(usage.into());
    }
    let table = rest.remove(0);
    Ok(Arguments { table, output: output.ok_or(usage)?, kind: kind.into(), value: value.into(), folders: rest })
}

fn main() -> Result<()> {
    let a = arguments()?;
    let table = peers::read(&a.table)?;
    let mut sections = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for name in table.cells.iter().map(|c| c.field.as_str()).chain(table.troubles.iter().map(|t| t.0.as_str())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    for name in &names {
        // A field that cannot be read has its reason in place of its pictures.
        let section = field_section(&a, &table, name).or_else(|e| {
            eprintln!("{name}: {e}");
            let subtitle = format!("no pictures: {e}");
            scicodec_report::section(&Section { title: (*name).to_owned(), subtitle, ..Section::default() })
        })?;
        sections.push(section);
    }
    let page = scicodec_report::page("scicodec beside its peers", &introduction(&a, &table, &names), &sections);
    eprintln!("{}: {:.1} MB", a.output.display(), page.len() as f64 / 1e6);
    std::fs::write(&a.output, page)?;
    Ok(())
}

fn find(folders: &[PathBuf], name: &str) -> Result<PathBuf> {
    let path = folders.iter().map(|f| f.join(format!("{name}.npy"))).find(|p| p.exists());
    path.ok_or_else(|| format!("{name}.npy is in none of the folders").into())
}

fn field_section(a: &Arguments, table: &Table, name: &str) -> Result<String> {
    let cells: Vec<&Cell> = table.cells.iter().filter(|c| c.field == name).collect();
    let points = cells.iter().map(|c| Point {
        codec: c.codec.clone(),
        pointwise: c.kind == "rel",
        bits_per_value: c.bits_per_value,
        psnr: c.psnr,
        max_error: if c.range > 0.0 { c.max_error / c.range } else { 0.0 },
    });
    let value: f64 = a.value.parse()?;
    let speed = |c: &&Cell| Speed { codec: c.codec.clone(), encode: Some(c.encode), decode: Some(c.decode) };
    let mut section = Section {
        title: name.to_owned(),
        points: points.collect(),
        speeds: cells.iter().filter(|c| c.is_at(&a.kind, value)).map(speed).collect(),
        table: ratios(&cells),
        ..Section::default()
    };
    let troubles = table.troubles.iter().filter(|t| t.0 == name).map(|t| t.1.clone()).collect::<Vec<_>>().join("; ");
    section.subtitle = if troubles.is_empty() { String::new() } else { format!("not counted: {troubles}. ") };
    let path = find(&a.folders, name)?;
    let loaded = Field::read_npy(&path);
    let field = loaded.map_err(|e| format!("{e}{}", if troubles.is_empty() { "" } else { " (see the table)" }))?;
    let mut options = EncodeOptions::new(pipeline::parse_bound(&a.kind, &a.value)?);
    options.threads = 1;
    let decoded = pipeline::decode(&pipeline::encode(&field, &options)?.0, 1)?.0;
    let (original, decoded) = (scicodec::numbers(field.dtype, &field.bytes), scicodec::numbers(field.dtype, &decoded));
    let bound = (options.bound.kind == BoundKind::Rel).then(|| value * field.range());
    let shape: Vec<String> = field.shape.iter().map(usize::to_string).collect();
    let _ = write!(
        section.subtitle,
        "{} of shape {}, range {}",
        field.dtype.name(),
        shape.join("×"),
        number(field.range())
    );
    section.shown = format!("scicodec default at {}={}", a.kind, a.value);
    let (shape, units) = (&field.shape[..], "");
    section.pair = Some(Pair { shape, original: &original, decoded: &decoded, bound, units });
    Ok(scicodec_report::section(&section)?)
}

/// Bounds of these cells, as written, in the order in which they come.
fn bounds(cells: &[&Cell]) -> Vec<(String, String)> {
    let mut bounds = Vec::new();
    for c in cells {
        let bound = (c.kind.clone(), c.bound.clone());
        if !bounds.contains(&bound) {
            bounds.push(bound);
        }
    }
    bounds
}

/// Ratios: codecs down, bounds across.
fn ratios(cells: &[&Cell]) -> Vec<Vec<String>> {
    let bounds = bounds(cells);
    let mut codecs: Vec<&str> = Vec::new();
    for c in cells {
        if !codecs.contains(&c.codec.as_str()) {
            codecs.push(&c.codec);
        }
    }
    let head = std::iter::once("ratio".to_owned()).chain(bounds.iter().map(|(k, b)| format!("{k} {b}"))).collect();
    let line = |codec: &&str| {
        let cell = |(kind, bound): &(String, String)| {
            let found = cells.iter().find(|c| c.codec == **codec && c.kind == *kind && c.bound == *bound);
            found.map_or("–".to_owned(), |c| number(c.ratio))
        };
        std::iter::once((*codec).to_owned()).chain(bounds.iter().map(cell)).collect()
    };
    if bounds.is_empty() { Vec::new() } else { std::iter::once(head).chain(codecs.iter().map(line)).collect() }
}

/// Means over all fields, and the list of fields with what each gains.
fn introduction(a: &Arguments, table: &Table, names: &[&str]) -> String {
    let all: Vec<&Cell> = table.cells.iter().collect();
    let (bounds, mut out) = (bounds(&all), String::new());
    let _ = writeln!(
        out,
        "<p>Compression ratios, speed and errors of every field, each bound checked on decoded values. What is measured how is \
         said at the head of <code>benches/python/peers.py</code>; speeds are per second of processor time, \
         so that another load disturbs them little. Pictures of values are of scicodec's default effort at {}={}.</p>",
        escape(&a.kind),
        escape(&a.value)
    );
    let facts = machine::describe("");
    let facts = facts.lines().filter(|l| !l.starts_with("- command")).map(|l| l.trim_start_matches("- "));
    let _ = writeln!(out, "<p class=\"sub\">drawn by {}</p>", escape(&facts.collect::<Vec<_>>().join("; ")));
    let mut rows = vec![vec!["ratio ÷ the best peer's, geometric mean (smallest)".to_owned()]];
    rows[0].extend(bounds.iter().map(|(k, b)| format!("{k} {b}")));
    let mut ours: Vec<&str> = all.iter().filter(|c| c.ours()).map(|c| c.codec.as_str()).collect();
    ours.sort_unstable();
    ours.dedup();
    for codec in &ours {
        let mean = |(kind, bound): &(String, String)| {
            let shares = peers::shares(all.iter().copied().filter(|c| c.kind == *kind && c.bound == *bound), codec);
            let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
            if shares.is_empty() { "–".into() } else { format!("{:.3} ({least:.2})", peers::mean(&shares)) }
        };
        rows.push(std::iter::once((*codec).to_owned()).chain(bounds.iter().map(mean)).collect());
    }
    out.push_str(&scicodec_report::table(&rows));
    out.push_str(&index(&all, &bounds, ours.first().copied().unwrap_or_default(), names));
    out
}

/// Every field, linked, with scicodec's ratio ÷ the best peer's; where it is clearly below, marked.
fn index(all: &[&Cell], bounds: &[(String, String)], codec: &str, names: &[&str]) -> String {
    let mut out = format!(
        "<details open><summary>Fields: {} ÷ the best peer</summary><table>\n<tr><th>field</th>",
        escape(codec)
    );
    for (kind, bound) in bounds {
        let _ = write!(out, "<th>{} {}</th>", escape(kind), escape(bound));
    }
    out.push_str("</tr>\n");
    for name in names {
        let _ = write!(out, "<tr><td><a href=\"#{}\">{}</a></td>", anchor(name), escape(name));
        for (kind, bound) in bounds {
            let cells = all.iter().copied().filter(|c| c.field == *name && c.kind == *kind && c.bound == *bound);
            match peers::shares(cells, codec).first() {
                Some(share) if *share < 0.97 => drop(write!(out, "<td class=\"lost\">{share:.3}</td>")),
                Some(share) => drop(write!(out, "<td>{share:.3}</td>")),
                None => out.push_str("<td>–</td>"),
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></details>\n");
    out
}
