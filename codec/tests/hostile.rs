//! Every hostile file gets its one line.
//!
//! `cargo run --release -p scicodec --example hostile -- testdata/hostile/2` writes the files and the manifest of the
//! format version that is written; those of older ones stay.
#![allow(clippy::unwrap_used, clippy::panic)]
#[path = "common/first_error.rs"]
mod first_error;
use first_error::{first_error, variant};
use std::path::Path;

#[test]
fn every_hostile_file_has_its_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/hostile");
    for version in ["1", "2"] {
        check(&root.join(version));
    }
}

fn check(folder: &Path) {
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let mut listed = vec![];
    for line in manifest.lines().skip(1) {
        let [file, error, message] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let e = first_error(&bytes).unwrap_or_else(|| panic!("{file} is read without an error"));
        assert_eq!((variant(&e), e.to_string().as_str()), (error, message), "{file}");
        listed.push(file.to_owned());
    }
    let there = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut there: Vec<_> = there.filter(|f| f.ends_with(".scz")).collect();
    there.sort();
    listed.sort();
    assert_eq!(listed, there, "files and manifest disagree");
}
