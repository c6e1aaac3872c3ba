//! Every golden file decodes to identical bits with the second decoder: plain Python and numpy, written from SPEC.md alone.
//!
//! `tools/spec-reader/read_scz.py IN.scz FOLDER` writes every variable as `FOLDER/<number>.npy`, counted from 0 in the order
//! of the file. This program has no test harness, so that it can say aloud that it did not run where Python is lacking.
//! With `SCICODEC_REQUIRE_PYTHON` set, not running is a failure.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]
use scicodec_io::conventions::{Kind, TextKind, interpret};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    // `cargo test NAME` asks every test program for tests of that name; `--list` asks for all.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|w| w == "--list") {
        println!("second_decoder: test");
        return ExitCode::SUCCESS;
    }
    if words.iter().any(|w| !w.starts_with('-') && !"second_decoder".contains(w.as_str())) {
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(files) => {
            println!("second decoder: ok: {files} golden files decode to identical bits");
            ExitCode::SUCCESS
        }
        Err(Why::Wrong(what)) => {
            println!("second decoder: FAILED: {what}");
            ExitCode::FAILURE
        }
        Err(Why::Skipped(what)) => {
            println!("second decoder: SKIPPED: {what}");
            let required = std::env::var_os("SCICODEC_REQUIRE_PYTHON").is_some();
            if required { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

enum Why {
    Wrong(String),
    Skipped(String),
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn run() -> Result<usize, Why> {
    let reader = root().join("tools/spec-reader/read_scz.py");
    if !reader.exists() {
        return Err(Why::Skipped("tools/spec-reader/read_scz.py is not there".into()));
    }
    let python = python()?;
    let mut goldens = Vec::new();
    find(&root().join("testdata/golden"), &mut goldens);
    goldens.sort();
    if goldens.is_empty() {
        return Err(Why::Wrong("no golden files".into()));
    }
    let work = tempfile::tempdir().unwrap();
    for golden in &goldens {
        compare(&python, &reader, golden, work.path())?;
    }
    networks(&python)?;
    Ok(goldens.len())
}

fn compare(python: &Path, reader: &Path, golden: &Path, work: &Path) -> Result<(), Why> {
    let name = golden.strip_prefix(root().join("testdata/golden")).unwrap().to_string_lossy().into_owned();
    let theirs = work.join(format!("{name}.theirs"));
    std::fs::create_dir_all(&theirs).unwrap();
    let out = Command::new(python).arg(reader).arg(golden).arg(&theirs).output().unwrap();
    if !out.status.success() {
        return Err(Why::Wrong(format!("{name}: {}", String::from_utf8_lossy(&out.stderr))));
    }
    let file = scicodec::Reader::open(golden).map_err(|e| Why::Wrong(format!("{name}: {e}")))?;
    for (k, variable) in file.variables().iter().enumerate() {
        let wrong = |what: String| Why::Wrong(format!("{name}: variable {:?}: {what}", variable.name));
        let ours = file.decode(k, 1).map_err(|e| wrong(e.to_string()))?;
        let other = scicodec_io::open(&theirs.join(format!("{k}.npy")), None).map_err(|e| wrong(e.to_string()))?;
        let source = &other.fields[0].source;
        if source.dtype() != variable.dtype || source.shape() != variable.shape {
            return Err(wrong(format!("{} of shape {:?}", source.dtype().name(), source.shape())));
        }
        let mut decoded = vec![0; ours.len()];
        source.read(&vec![0; variable.shape.len()], &variable.shape, &mut decoded).unwrap();
        if decoded != ours {
            return Err(wrong("other bits".into()));
        }
    }
    let said = std::fs::read_to_string(theirs.join("dataset.json")).unwrap();
    let theirs: Vec<Value> = serde_json::from_str(&said).unwrap();
    let ours: Vec<Value> = file.variables().iter().map(describe).collect();
    match theirs.iter().zip(&ours).find(|(a, b)| a != b) {
        Some((a, b)) => Err(Why::Wrong(format!("{name}: another meaning: {a} and {b}"))),
        None => Ok(()),
    }
}

/// What a variable stands for, as the second decoder tells it.
fn describe(v: &scicodec::Variable) -> Value {
    let (attributes, kind) = interpret(&v.name, &v.attributes);
    let attribute = |a: &scicodec_io::Attribute| match (&a.value, a.value.to_json()) {
        (scicodec_io::Value::Json(_) | scicodec_io::Value::Text(_), json) => json!([a.name, a.value.type_name(), json]),
        (_, list @ Value::Array(_)) => json!([a.name, a.value.type_name(), list]),
        (_, one) => json!([a.name, a.value.type_name(), [one]]),
    };
    let attributes: Vec<Value> = attributes.iter().map(attribute).collect();
    match kind {
        Kind::Group(g) => {
            let dimensions: Vec<Value> = g.dimensions.iter().map(|d| json!([d.name, d.size, d.unlimited])).collect();
            json!({
                "name": v.name, "attributes": attributes, "group": g.path, "dimensions": dimensions, "format": g.format
            })
        }
        Kind::Array(text) => {
            let text = text.map(|t| if t == TextKind::Chars { "char" } else { "string" });
            json!({ "name": v.name, "attributes": attributes, "text": text, "dimensions": v.dimensions })
        }
    }
}

/// The golden networks, whose outputs are in a table.
fn networks(python: &Path) -> Result<(), Why> {
    let out = Command::new(python).arg(root().join("tools/spec-reader/check_networks.py")).output().unwrap();
    if out.status.success() {
        return Ok(());
    }
    let said = [out.stdout, out.stderr].map(|s| String::from_utf8_lossy(&s).into_owned());
    Err(Why::Wrong(format!("golden networks: {}", said.concat())))
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|e| e == "scz") {
            found.push(path);
        }
    }
}

/// A Python that has numpy: the system's, or one in a virtual environment that is made once and kept.
fn python() -> Result<PathBuf, Why> {
    let system = PathBuf::from("python3");
    let has_numpy = |p: &Path| Command::new(p).args(["-c", "import numpy"]).output().is_ok_and(|o| o.status.success());
    if has_numpy(&system) {
        return Ok(system);
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec-reader-venv");
    let own = home.join("bin/python");
    if has_numpy(&own) {
        return Ok(own);
    }
    let made = Command::new(&system).args(["-m", "venv"]).arg(&home).output();
    match made {
        Ok(out) if out.status.success() => {}
        Ok(_) => return Err(Why::Skipped("python3 has neither numpy nor venv".into())),
        Err(_) => return Err(Why::Skipped("there is no python3".into())),
    }
    let installed = Command::new(&own).args(["-m", "pip", "install", "--quiet", "numpy"]).output();
    match installed {
        Ok(out) if out.status.success() && has_numpy(&own) => Ok(own),
        _ => Err(Why::Skipped("python3 has no numpy, and it could not be installed".into())),
    }
}
