//! Arrays whose every element says where it is, written in any layout.
#![allow(dead_code, clippy::unwrap_used)]
use scicodec::Source;
use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// A folder that is removed at the end.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

/// A npy file with this header text, not padded: any offset of the data must do.
pub fn npy(version: u8, text: &str, data: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY".to_vec();
    out.extend([version, 0]);
    match version {
        1 => out.extend((text.len() as u16).to_le_bytes()),
        _ => out.extend((text.len() as u32).to_le_bytes()),
    }
    out.extend(text.as_bytes());
    out.extend(data);
    out
}

pub fn dict(descr: &str, fortran: bool, shape: &[u64]) -> String {
    let fortran = if fortran { "True" } else { "False" };
    let extents: String = shape.iter().map(|n| format!("{n}, ")).collect();
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({extents}), }}\n").replace("(, )", "()")
}

/// The indices of an array in C order.
pub fn indices(shape: &[u64]) -> Vec<Vec<u64>> {
    shape.iter().fold(vec![vec![]], |all, &n| {
        all.into_iter().flat_map(|i| (0..n).map(move |k| [i.clone(), vec![k]].concat())).collect()
    })
}

/// What stands at an index: the same in every layout.
pub fn value(index: &[u64]) -> u64 {
    index.iter().fold(1, |v, &i| v * 11 + i)
}

/// The low `size` bytes of the value at every index, in the order of the file.
pub fn elements(shape: &[u64], size: usize, fortran: bool, big: bool) -> Vec<u8> {
    let mut all = indices(shape);
    if fortran {
        all.sort_by_key(|i| i.iter().rev().copied().collect::<Vec<_>>());
    }
    all.iter()
        .flat_map(|i| {
            let mut bytes = value(i).to_le_bytes()[..size].to_vec();
            if big {
                bytes.reverse();
            }
            bytes
        })
        .collect()
}

/// What a box must read as.
pub fn expected(start: &[u64], extent: &[u64], size: usize) -> Vec<u8> {
    indices(extent)
        .iter()
        .flat_map(|i| {
            let at: Vec<u64> = i.iter().zip(start).map(|(a, b)| a + b).collect();
            let v = value(&at);
            if cfg!(target_endian = "big") {
                v.to_be_bytes()[8 - size..].to_vec()
            } else {
                v.to_le_bytes()[..size].to_vec()
            }
        })
        .collect()
}

pub fn read(source: &dyn Source, start: &[u64], extent: &[u64]) -> Vec<u8> {
    let n = extent.iter().product::<u64>() as usize * source.dtype().size();
    let mut out = vec![0xAA; n];
    source.read(start, extent, &mut out).unwrap();
    out
}
