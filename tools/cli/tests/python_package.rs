//! The Python package does what it says: it is built and installed, and the tests in `tools/python/tests` are run on it.
//!
//! It is built apart, so that the workspace is tested without a Python too. Everything from the registry goes into a virtual environment that is made once and kept. This program has no test
//! harness, so that it can say aloud that it did not run where Python is lacking. With `SCICODEC_REQUIRE_PYTHON` set, not
//! running is a failure. `cargo test -p scicodec-cli --test python_package -- python_package WORD` runs the Python tests of that name.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

enum Why {
    Wrong(String),
    Skipped(String),
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|w| w == "--list") {
        println!("python_package: test");
        return ExitCode::SUCCESS;
    }
    // `cargo test NAME` asks every test program for tests of that name.
    let (ours, chosen): (Vec<_>, Vec<_>) =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).partition(|w| "python_package".contains(w));
    if ours.is_empty() && !chosen.is_empty() {
        return ExitCode::SUCCESS;
    }
    match run(&chosen) {
        Ok(()) => {
            println!("python package: ok");
            ExitCode::SUCCESS
        }
        Err(Why::Wrong(what)) => {
            println!("python package: FAILED: {what}");
            ExitCode::FAILURE
        }
        Err(Why::Skipped(what)) => {
            println!("python package: SKIPPED: {what}");
            let required = std::env::var_os("SCICODEC_REQUIRE_PYTHON").is_some();
            if required { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

fn run(chosen: &[&str]) -> Result<(), Why> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-venv");
    let python = python(&here.join("tests/requirements.txt"), &home)?;
    install(&python, &here)?;

    let mut tests = Command::new(&python);
    tests.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(here.join("tests")).current_dir(&here);
    if !chosen.is_empty() {
        tests.args(["-k", &chosen.join(" or ")]);
    }
    // The package must say the same as the program does.
    tests.env("SCICODEC_PROGRAM", env!("CARGO_BIN_EXE_scicodec"));
    let status = tests.env("PYTHONDONTWRITEBYTECODE", "1").status();
    match status.map(|s| s.code()) {
        Ok(Some(0)) => Ok(()),
        _ => Err(Why::Wrong("pytest failed".into())),
    }
}

/// A Python with all that the tests need, in a virtual environment that is made anew when the needs change.
fn python(requirements: &Path, home: &Path) -> Result<PathBuf, Why> {
    let own = home.join("bin/python");
    let needs = std::fs::read_to_string(requirements).unwrap();
    let stamp = home.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == needs) {
        return Ok(own);
    }
    let system = "python3";
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 11))";
    match Command::new(system).args(["-c", new_enough]).status() {
        Ok(status) if status.success() => {}
        Ok(_) => return Err(Why::Skipped("python3 is older than 3.11".into())),
        Err(_) => return Err(Why::Skipped("there is no python3".into())),
    }
    let made = Command::new(system).args(["-m", "venv", "--clear"]).arg(home).output().unwrap();
    if !made.status.success() {
        return Err(Why::Skipped("python3 has no venv".into()));
    }
    let installed = Command::new(&own).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements).output();
    match installed {
        Ok(out) if out.status.success() => {}
        Ok(out) => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rev().find(|l| l.contains("ERROR")).unwrap_or("pip failed");
            return Err(Why::Skipped(format!("what the tests need could not be installed: {last}")));
        }
        Err(e) => return Err(Why::Wrong(e.to_string())),
    }
    std::fs::write(stamp, needs).unwrap();
    Ok(own)
}

/// Builds and installs the package with the README's command, but quickly rather than for speed.
fn install(python: &Path, here: &Path) -> Result<(), Why> {
    // pip asks for `maturin` by its name.
    let tools = python.parent().map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(tools.into_iter().chain(std::env::split_paths(&path))).unwrap();
    let out = Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", "--no-build-isolation"])
        .arg("./tools/python")
        .current_dir(here.join("../.."))
        .env("PATH", path)
        .env("MATURIN_PEP517_ARGS", "--profile dev")
        .output()
        .unwrap();
    if out.status.success() {
        return Ok(());
    }
    let said = [out.stdout, out.stderr].map(|s| String::from_utf8_lossy(&s).into_owned());
    Err(Why::Wrong(format!("the package could not be built: {}", said.concat())))
}
