//! The README's steps with HDF5 and netCDF tools do what it says, with the tools of others.
//!
//! This program has no test harness, so that it can say aloud that it did not run where those are lacking.
#![allow(clippy::unwrap_used)]
#[path = "../../h5z/tests/common/mod.rs"]
mod common;
use common::Why;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    common::tell("README, HDF5", "hdf5_readme", run)
}

/// The field that ships with the project, as a netCDF file of someone else's.
const MAKE: &str = "
import netCDF4, numpy, sys
field = numpy.load(sys.argv[1])
with netCDF4.Dataset('run.nc', 'w') as f:
    for axis, n in zip(('lev', 'lat', 'lon'), field.shape):
        f.createDimension(axis, n)
    f.createVariable('T', 'f4', ('lev', 'lat', 'lon'), fill_value=-999.0)
    f['T'].units = 'K'
    f['T'][:] = numpy.ma.array(field, mask=numpy.indices(field.shape)[1] < 5)
";

/// What the README promises of the files.
const CHECK: &str = "
import h5py, netCDF4, numpy, os
plain = netCDF4.Dataset('run.nc')['T'][:]
for name in ['small.nc', 'small-too.nc', 'small-from-xarray.nc']:
    with netCDF4.Dataset(name) as f:
        assert f['T'].units == 'K' and f['T'].dimensions == ('lev', 'lat', 'lon')
        assert 0 < abs(f['T'][:] - plain).max() <= 0.05, name
        assert (f['T'][:].mask == plain.mask).all(), name
    assert os.path.getsize(name) * 3 < os.path.getsize('run.nc'), name
assert abs(h5py.File('small.h5')['T'][()] - plain).max() <= 0.05
";

fn run() -> Result<(), Why> {
    for tool in ["nccopy", "ncdump", "h5repack"] {
        if Command::new(tool).output().is_err() {
            return Err(Why::Skipped(format!("there is no {tool}")));
        }
    }
    let python = common::python()?;
    let place = tempfile::tempdir().unwrap();
    let plugins = place.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    common::install_plugin(&plugins);

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let section =
        readme.split("## HDF5 and netCDF tools\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let steps =
        |fence: &str| section.split(&format!("```{fence}\n")).nth(1).and_then(|s| s.split("```").next()).unwrap();

    // The program and the Python with packages come first in the search.
    let folders = [Path::new(env!("CARGO_BIN_EXE_scicodec")).parent().unwrap(), python.parent().unwrap()];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let paths = folders.into_iter().map(Path::to_owned).chain(std::env::split_paths(&inherited));
    let paths = std::env::join_paths(paths).unwrap();
    let run = |program: &str, words: &[&str]| {
        let out = Command::new(program)
            .args(words)
            .current_dir(place.path())
            .env("PATH", &paths)
            .env("HDF5_PLUGIN_PATH", &plugins)
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
        if out.status.success() { Ok(said) } else { Err(Why::Wrong(format!("{words:?}: {said}"))) }
    };
    let sample = root.join("testdata/samples/cam-temperature.npy");
    run("python3", &["-c", MAKE, sample.to_str().unwrap()])?;
    let said = run("bash", &["-euo", "pipefail", "-c", steps("bash")])?;
    for word in ["float T(lev, lat, lon)", "T:units = \"K\"", "-F VARIABLE,42434,"] {
        if !said.contains(word) {
            return Err(Why::Wrong(format!("no {word:?} in {said}")));
        }
    }
    run("python3", &["-c", steps("python")])?;
    run("python3", &["-c", CHECK])?;
    Ok(())
}
