//! The page around the pictures.
use crate::{
    Error, Section, bars, curves, histogram, maps,
    slice::middle,
    spectrum,
    words::{extents, number},
};
use std::fmt::Write as _;

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #282c34; background: #fff; margin: 2em auto; max-width: 1400px; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.25em; border-top: 1px solid #d8dce2; padding-top: 1.2em; margin-bottom: .2em; overflow-wrap: anywhere; }
p, ul { max-width: 60em; } .sub { color: #5a6270; margin-top: 0; }
.row { display: flex; flex-wrap: wrap; gap: .5em 1em; align-items: flex-start; }
figure { margin: 0; flex: 1 1 380px; max-width: 440px; } figure svg { width: 100%; height: auto; } figcaption { font-size: .9em; color: #5a6270; padding-left: 54px; }
table { border-collapse: collapse; font-size: .9em; margin: .6em 0; } td, th { padding: .15em .7em; text-align: right; border-bottom: 1px solid #eceff3; }
td:first-child, th:first-child { text-align: left; } th { font-weight: 600; } th + th { white-space: nowrap; }
.key span { display: inline-block; margin-right: 1.2em; font-size: .9em; } .key i { display: inline-block; width: 1.4em; height: .7em; margin-right: .4em; border-radius: 2px; }
.lost { background: #fdecea; }
details > summary { cursor: pointer; color: #0072b2; } svg text { font-family: system-ui, sans-serif; }
";

/// A page of one title, an introduction (HTML, as it is) and sections as [`crate::section`] makes them.
pub fn page(title: &str, introduction: &str, sections: &[String]) -> String {
    let mut out = String::with_capacity(sections.iter().map(String::len).sum::<usize>() + 4096);
    out.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    let _ = writeln!(out, "<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>", escape(title));
    let _ = writeln!(out, "<h1>{}</h1>\n{introduction}", escape(title));
    for section in sections {
        out.push_str(section);
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// Text as HTML shows it.
pub fn escape(text: &str) -> String {
    let entity = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(entity).collect()
}

/// A table whose first row is its head.
pub fn table(rows: &[Vec<String>]) -> String {
    let mut out = String::from("<table>\n");
    for (k, row) in rows.iter().enumerate() {
        let tag = if k == 0 { "th" } else { "td" };
        let cells: String = row.iter().map(|c| format!("<{tag}>{}</{tag}>", escape(c))).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</table>\n");
    out
}

/// The name that a section is linked by.
pub fn anchor(title: &str) -> String {
    title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

pub fn section(s: &Section<'_>) -> Result<String, Error> {
    let mut out = format!("<h2 id=\"{}\">{}</h2>\n", anchor(&s.title), escape(&s.title));
    let _ = writeln!(out, "<p class=\"sub\">{}</p>", escape(&s.subtitle));
    if !s.figures.is_empty() {
        let rows: Vec<Vec<String>> =
            vec![s.figures.iter().map(|f| f.0.clone()).collect(), s.figures.iter().map(|f| f.1.clone()).collect()];
        out.push_str(&table(&rows));
    }
    if !s.table.is_empty() {
        out.push_str(&table(&s.table));
    }
    let mut legend: Vec<String> = curves::codecs(&s.points).into_iter().map(String::from).collect();
    for speed in &s.speeds {
        if !legend.contains(&speed.codec) {
            legend.push(speed.codec.clone());
        }
    }
    if !legend.is_empty() {
        out.push_str(&key(&legend));
    }
    let mut row = Vec::new();
    if s.points.iter().any(|p| p.psnr.is_finite()) {
        row.push(figure("rate–distortion: higher and further left is better", &curves::psnr(&s.points, &legend)?));
    }
    if s.points.iter().any(|p| p.pointwise && p.max_error > 0.0) {
        row.push(figure("largest error: lower and further left is better", &curves::max_error(&s.points, &legend)?));
    }
    if s.speeds.iter().any(|s| s.encode.is_some() || s.decode.is_some()) {
        row.push(figure("speed: encoding, and decoding (lighter)", &bars::bars(&s.speeds, &legend)?));
    }
    push_row(&mut out, &row);
    if let Some(pair) = &s.pair {
        values(&mut out, pair, &s.shown)?;
    }
    Ok(out)
}

/// Maps, histogram and spectra.
fn values(out: &mut String, pair: &crate::Pair<'_>, shown: &str) -> Result<(), Error> {
    let want = pair.shape.iter().product();
    for (what, values) in [("original", pair.original), ("decoded", pair.decoded)] {
        if values.len() != want {
            return Err(Error::Shape { what, got: values.len(), want });
        }
    }
    if want == 0 {
        out.push_str("<p>The field has no values.</p>\n");
        return Ok(());
    }
    let (m, words) = middle(pair.shape);
    let missing = pair.original.iter().filter(|v| !v.is_finite()).count();
    let mut caption =
        format!("{shown}{}slice {words} of {}", if shown.is_empty() { "" } else { ": " }, extents(pair.shape));
    if missing > 0 {
        let _ = write!(caption, "; {missing} values are missing (grey)");
    }
    if let Some(bound) = pair.bound {
        let _ = write!(caption, "; bound ±{} {}", number(bound), pair.units);
    }
    let _ = writeln!(out, "<p>{}</p>", escape(caption.trim_end()));
    let finite = |values: &[f64]| values.iter().any(|v| v.is_finite());
    if !finite(pair.original) || !finite(pair.decoded) {
        out.push_str("<p>No value is finite: there is nothing to draw.</p>\n");
        return Ok(());
    }
    let pictures = maps::maps(pair, m)?;
    push_row(out, &pictures.iter().map(|p| figure(&p.title, &p.svg)).collect::<Vec<_>>());
    let mut row = vec![figure(
        if pair.bound.is_some() { "errors of all values; red: the bound" } else { "errors of all values" },
        &histogram::histogram(pair)?,
    )];
    if let Some(svg) = spectrum::spectrum(pair)? {
        row.push(figure("power spectrum: original (black), decoded (blue, dashed), error (orange)", &svg));
    }
    push_row(out, &row);
    Ok(())
}

fn key(legend: &[String]) -> String {
    let entry = |(k, name): (usize, &String)| {
        let c = crate::colours::line(k);
        format!("<span><i style=\"background:rgb({},{},{})\"></i>{}</span>", c.0, c.1, c.2, escape(name))
    };
    format!("<p class=\"key\">{}</p>\n", legend.iter().enumerate().map(entry).collect::<String>())
}

fn figure(caption: &str, svg: &str) -> String {
    format!("<figure><figcaption>{}</figcaption>{svg}</figure>\n", escape(caption))
}

fn push_row(out: &mut String, figures: &[String]) {
    if !figures.is_empty() {
        let _ = write!(out, "<div class=\"row\">\n{}</div>\n", figures.concat());
    }
}
