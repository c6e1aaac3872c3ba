//! Running the program in a folder of its own, and fields to give it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]
use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder that is removed at the end, and the program run inside it.
pub struct Place(pub tempfile::TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The names of all files, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut all: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    /// `scicodec` with these words, split at spaces.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scicodec"));
        command.current_dir(self.0.path()).args(words.split_whitespace());
        command
    }

    /// Runs, must succeed; gives standard output and standard error.
    pub fn ok(&self, words: &str) -> (String, String) {
        let out = self.command(words).output().unwrap();
        let stderr = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.success(), "scicodec {words}: {:?}: {stderr}", out.status);
        (String::from_utf8(out.stdout).unwrap(), stderr)
    }

    pub fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.ok(words).0).unwrap()
    }

    /// Runs, must fail with this status and with one line on standard error, which is given.
    pub fn fails(&self, status: i32, words: &str) -> String {
        let out = self.command(words).output().unwrap();
        let stderr = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(status), "scicodec {words}: {stderr}");
        assert!(out.stdout.is_empty(), "scicodec {words}: output in spite of failure");
        assert!(stderr.starts_with("scicodec: error: "), "scicodec {words}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "scicodec {words}: {stderr}");
        stderr
    }
}

/// The sample field that the project ships.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples/cam-temperature.npy").canonicalize().unwrap()
}

/// A npy file: C order, as numpy writes it.
pub fn npy(descr: &str, fortran: bool, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let extents: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({}), }}", extents.trim_end());
    while !(11 + text.len()).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out.extend(data);
    out
}

/// The data of a npy file.
pub fn npy_data(bytes: &[u8]) -> &[u8] {
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    &bytes[10 + length..]
}

/// The text of a npy file's header.
pub fn npy_header(bytes: &[u8]) -> String {
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    String::from_utf8(bytes[10..10 + length].to_vec()).unwrap()
}

pub fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

pub fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A smooth wave with a little structure in every axis.
pub fn wave(shape: &[u64]) -> Vec<f32> {
    let n: u64 = shape.iter().product();
    (0..n)
        .map(|i| {
            let (mut rest, mut v) = (i, 0.0f64);
            for (k, &extent) in shape.iter().enumerate().rev() {
                v += ((rest % extent) as f64 * 0.21 / (k + 1) as f64 + k as f64).sin();
                rest /= extent;
            }
            v as f32
        })
        .collect()
}

pub fn wave_npy(shape: &[u64]) -> Vec<u8> {
    npy("<f4", false, shape, &f32_bytes(&wave(shape)))
}

pub fn largest_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).abs()).fold(0.0, f64::max)
}
