//! The C interface, used from C.
#![allow(clippy::unwrap_used)]
use std::path::{Path, PathBuf};
use std::process::Command;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The committed header is the one that `ffi.rs` gives. `SCICODEC_UPDATE=1` writes it.
#[test]
fn the_header_is_up_to_date() {
    let mut config = cbindgen::Config::from_file(here("cbindgen.toml")).unwrap();
    config.autogen_warning = None;
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in ["ffi", "file", "status"] {
        builder = builder.with_src(here(&format!("src/{source}.rs")));
    }
    let mut generated = Vec::new();
    builder.generate().unwrap().write(&mut generated);
    let text = String::from_utf8(generated).unwrap();
    if std::env::var_os("SCICODEC_UPDATE").is_some() {
        std::fs::write(here("include/scicodec.h"), &text).unwrap();
    }
    let committed = std::fs::read_to_string(here("include/scicodec.h")).unwrap_or_default();
    assert!(committed == text, "run this test with SCICODEC_UPDATE=1 to write include/scicodec.h");
}

fn run(command: &mut Command) -> String {
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {said}");
    String::from_utf8(out.stdout).unwrap()
}

/// A program in C is compiled against the installed library, shared and static, and uses all of it.
#[test]
fn a_program_in_c() {
    let place = tempfile::tempdir().unwrap();
    let prefix = place.path().join("prefix");
    let built = std::env::current_exe().unwrap();
    run(Command::new(here("install.sh")).arg(&prefix).arg(built.parent().unwrap()));
    let library = prefix.join("lib");
    let compile = |program: &Path| {
        let mut cc = Command::new("cc");
        cc.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"]).arg(program).arg(here("tests/c.c"));
        cc.arg("-I").arg(prefix.join("include"));
        cc
    };
    // The header is one for C++, too; its compiler is not needed otherwise.
    let cxx = Command::new("c++")
        .args(["-fsyntax-only", "-Wall", "-Werror", "-x", "c++"])
        .arg(prefix.join("include/scicodec.h"))
        .output();
    assert!(cxx.map_or(true, |out| out.status.success()));
    for (kind, libraries) in [("shared", vec!["-lscicodec"]), ("static", vec!["-l:libscicodec.a", "-lpthread", "-ldl"])]
    {
        let program = place.path().join(kind);
        run(compile(&program).arg("-L").arg(&library).args(libraries).arg("-lm"));
        let said = run(Command::new(&program).arg(place.path().join("a.scz")).env("LD_LIBRARY_PATH", &library));
        assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"));
    }
}
