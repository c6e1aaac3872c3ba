//! What tests of the filter need: a Python with packages of HDF5, and a folder with the plugin alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code)]
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The newest of each: users have those.
const PACKAGES: [&str; 5] = ["numpy", "h5py", "netCDF4", "xarray", "h5netcdf"];

/// What came of a test program without a harness, said aloud. With `SCICODEC_REQUIRE_PYTHON` set, not running is a failure.
pub fn tell(what: &str, test: &str, run: impl FnOnce() -> Result<(), Why>) -> ExitCode {
    // `cargo test NAME` asks every test program for tests of that name; `--list` asks for all.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|w| w == "--list") {
        println!("{test}: test");
        return ExitCode::SUCCESS;
    }
    if words.iter().any(|w| !w.starts_with('-') && !test.contains(w.as_str())) {
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => {
            println!("{what}: ok");
            ExitCode::SUCCESS
        }
        Err(Why::Wrong(why)) => {
            println!("{what}: FAILED: {why}");
            ExitCode::FAILURE
        }
        Err(Why::Skipped(why)) => {
            println!("{what}: SKIPPED: {why}");
            let required = std::env::var_os("SCICODEC_REQUIRE_PYTHON").is_some();
            if required { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

pub enum Why {
    Wrong(String),
    Skipped(String),
}

/// Copies the plugin, which lies beside the test program, into a folder: libhdf5 opens every file there.
pub fn install_plugin(folder: &Path) {
    let name = format!("{}scicodec_h5z{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::fs::copy(std::env::current_exe().unwrap().with_file_name(&name), folder.join(&name)).unwrap();
}

/// The Python of a virtual environment that is made once and kept, for all packages.
pub fn python() -> Result<PathBuf, Why> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hdf5-venv");
    let own = home.join("bin/python3");
    let all = format!("import {}", PACKAGES.join(", "));
    let ready = || Command::new(&own).args(["-c", &all]).output().is_ok_and(|o| o.status.success());
    if ready() {
        return Ok(own);
    }
    match Command::new("python3").args(["-m", "venv"]).arg(&home).output() {
        Ok(out) if out.status.success() => {}
        Ok(_) => return Err(Why::Skipped("python3 has no venv".into())),
        Err(_) => return Err(Why::Skipped("there is no python3".into())),
    }
    let installed = Command::new(&own).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).output();
    match installed {
        Ok(out) if out.status.success() && ready() => Ok(own),
        _ => Err(Why::Skipped(format!("{} could not be installed", PACKAGES.join(", ")))),
    }
}
