//! netCDF, HDF5 and Zarr as others write them are read, and what is written others read: netCDF4-python, h5py,
//! zarr-python and xarray in a virtual environment of this test's own, and `ncdump`.
//!
//! The tests themselves are in `python/datasets.py`. This program has no test harness, so that it can say aloud that it
//! did not run where Python is lacking. With `SCICODEC_REQUIRE_PYTHON` set, not running is a failure.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const PACKAGES: [&str; 5] = ["h5py", "netCDF4", "numpy", "xarray", "zarr"];

fn main() -> ExitCode {
    // `cargo test NAME` asks every test program for tests of that name; `--list` asks for all.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|w| w == "--list") {
        println!("datasets: test");
        return ExitCode::SUCCESS;
    }
    if words.iter().any(|w| !w.starts_with('-') && !"datasets".contains(w.as_str())) {
        return ExitCode::SUCCESS;
    }
    if cfg!(not(all(feature = "netcdf", feature = "zarr"))) {
        println!("datasets: SKIPPED: built without netcdf or zarr");
        return ExitCode::SUCCESS;
    }
    let required = std::env::var_os("SCICODEC_REQUIRE_PYTHON").is_some();
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            println!("datasets: SKIPPED: {why}");
            return if required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let work = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/datasets.py");
    let done = Command::new(&python).arg(script).arg(env!("CARGO_BIN_EXE_scicodec")).arg(work.path()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    println!("{said}{}", String::from_utf8_lossy(&done.stderr));
    let skipped = said.contains("SKIPPED");
    match done.status.success() && !(required && skipped) {
        true => {
            println!("datasets: ok: {} tests", said.lines().filter(|l| l.starts_with("ok ")).count());
            ExitCode::SUCCESS
        }
        false => {
            println!("datasets: FAILED");
            ExitCode::FAILURE
        }
    }
}

/// A Python that has the packages: the system's, or one in a virtual environment that is made once and kept.
fn python() -> Result<PathBuf, &'static str> {
    let has_all = |p: &Path| {
        let imports = format!("import {}", PACKAGES.join(", "));
        Command::new(p).args(["-c", &imports]).output().is_ok_and(|o| o.status.success())
    };
    let system = PathBuf::from("python3");
    if has_all(&system) {
        return Ok(system);
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("datasets-venv");
    let own = home.join("bin/python");
    if has_all(&own) {
        return Ok(own);
    }
    match Command::new(&system).args(["-m", "venv"]).arg(&home).output() {
        Ok(out) if out.status.success() => {}
        Ok(_) => return Err("python3 has no venv"),
        Err(_) => return Err("there is no python3"),
    }
    let installed = Command::new(&own).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).output();
    match installed {
        Ok(out) if out.status.success() && has_all(&own) => Ok(own),
        _ => Err("h5py, netCDF4, xarray and zarr could not be installed"),
    }
}
