//! Files to learn from, as they are named on the command line.
use crate::failure::{Failure, Outcome, about, display};
use std::path::{Path, PathBuf};

/// A file, or the .npy files of a folder in the order of their names.
pub fn data_files(path: &Path) -> Outcome<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(about(path))? {
        let file = entry.map_err(about(path))?.path();
        if file.extension().is_some_and(|e| e == "npy") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("{}: no .npy file in it", display(path))));
    }
    Ok(files)
}

/// The same, but a folder may be a Zarr store, which is one file here.
pub fn finetune_files(path: &Path) -> Outcome<Vec<PathBuf>> {
    let store = ["zarr.json", ".zgroup", ".zarray", ".zmetadata"].iter().any(|name| path.join(name).exists());
    if store { Ok(vec![path.to_owned()]) } else { data_files(path) }
}
