//! Programs that read and write HDF5 read and write what the plugin codes: h5py, netCDF4-python and xarray with the libhdf5
//! of their wheels, and the command-line tools of HDF5 and netCDF where they are installed. The claims are in `tools.py`.
//!
//! This program has no test harness, so that it can say aloud that it did not run where Python is lacking.
#![allow(clippy::unwrap_used)]
mod common;
use common::Why;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    common::tell("HDF5 tools", "tools", || {
        let python = common::python()?;
        let plugins = tempfile::tempdir().unwrap();
        common::install_plugin(plugins.path());
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools.py");
        let ran = Command::new(&python).arg(tests).env("HDF5_PLUGIN_PATH", plugins.path()).status().unwrap();
        if ran.success() { Ok(()) } else { Err(Why::Wrong("see above".into())) }
    })
}
