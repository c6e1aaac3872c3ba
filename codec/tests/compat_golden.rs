//! Golden files decode to the bits that they were written with, and damage to them is noticed.
//!
//! `cargo run --release -p scicodec --example goldens` wrote them; they are only ever added to.
#![allow(clippy::unwrap_used)]
use scicodec::Reader;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The folders of all format versions.
fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/golden");
    let mut all: Vec<_> = std::fs::read_dir(root).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn files() -> Vec<PathBuf> {
    let all = folders().into_iter().flat_map(|f| std::fs::read_dir(f).unwrap()).map(|e| e.unwrap().path());
    all.filter(|p| p.extension().is_some_and(|e| e == "scz")).collect()
}

#[test]
fn compat_golden() {
    let mut seen = 0;
    for folder in folders() {
        let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
        for line in manifest.lines().skip(1) {
            let [file, variable, name, dtype, shape, digest] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line:?}")
            };
            let reader = Reader::open(&folder.join(file)).unwrap();
            let variable: usize = variable.parse().unwrap();
            let v = &reader.variables()[variable];
            let extents: Vec<String> = v.shape.iter().map(u64::to_string).collect();
            assert_eq!((v.name.as_str(), v.dtype.name(), extents.join(",").as_str()), (name, dtype, shape), "{file}");
            let mut bytes = reader.decode(variable, 1).unwrap();
            if cfg!(target_endian = "big") {
                bytes.chunks_mut(v.dtype.size()).for_each(<[u8]>::reverse);
            }
            let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(found, digest, "{file}: variable {variable} decodes to other bits than it was written with");
            seen += 1;
        }
    }
    assert!(seen > 0, "no golden files: see the head of this test for the command that writes them");
}

/// What a file says and holds.
fn contents(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, scicodec::Error> {
    let reader = Reader::from_bytes(bytes.to_vec())?;
    (0..reader.variables().len()).map(|i| Ok((reader.variables()[i].name.clone(), reader.decode(i, 1)?))).collect()
}

#[test]
fn single_byte_corruption_of_goldens_is_detected_or_harmless() {
    for path in files() {
        let bytes = std::fs::read(&path).unwrap();
        let good = contents(&bytes).unwrap();
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= [0x01, 0xff, 0x80, 0x10, 0x55][i % 5];
            if let Ok(found) = contents(&bad) {
                assert_eq!(found, good, "{}: byte {i} changed unnoticed", path.display());
            }
        }
    }
}

#[test]
fn truncation_of_goldens_is_an_error() {
    for path in files() {
        let bytes = std::fs::read(&path).unwrap();
        let sessions = (0..bytes.len()).filter(|&n| contents(&bytes[..n]).is_ok()).count();
        // A file that grew is whole where its first session ends.
        let grown = path.file_name().unwrap().to_string_lossy().contains("grown");
        assert_eq!(sessions, usize::from(grown), "{}", path.display());
    }
}
