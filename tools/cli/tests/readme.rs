//! Every shell command in the README does what it says it does.
#![allow(clippy::unwrap_used)]
use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The lines of all ```sh blocks, in order.
fn commands(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

#[test]
fn readme_commands_run() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut lines = commands(&text);
    // These two are for a fresh clone. The first runs here with the program that is built already; the second is this.
    let first = lines.remove(0);
    let second = lines.remove(0);
    let first = first
        .strip_prefix("cargo run --release -p scicodec-cli --no-default-features --features netcdf,zarr -- ")
        .unwrap();
    assert_eq!(second, "cargo test --workspace");
    lines.insert(0, format!("scicodec {first}"));

    let place = tempfile::tempdir().unwrap();
    let samples = place.path().join("testdata/samples");
    std::fs::create_dir_all(&samples).unwrap();
    for entry in std::fs::read_dir(root().join("testdata/samples")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), samples.join(entry.file_name())).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_scicodec")).parent().unwrap();
    let paths = std::env::join_paths(
        [program.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    for line in &lines {
        let out = Command::new("bash")
            .args(["-euo", "pipefail", "-c", line])
            .current_dir(place.path())
            .env("PATH", &paths)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{line}\n{said}");
        if line.ends_with(first) {
            assert!(said.contains("times smaller") && said.contains("max error"), "{line}\n{said}");
        }
    }
}

/// Links to files of the project lead somewhere.
#[test]
fn documents_link_to_what_exists() {
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "CORRECTNESS.md",
        "testdata/samples/README.md",
        "tools/python/README.md",
    ] {
        let path = root().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if target.starts_with("https://") {
                continue;
            }
            let file = path.parent().unwrap().join(target);
            assert!(file.exists(), "{name} links to {target}, which does not exist");
        }
    }
}
