//! Files to learn from, as they are named on the command line.
use crate::{
    failure::{Failure, Outcome, about, display},
    text,
};
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

/// What `read` makes of all files named, of which `list` finds them; it is told how many came before. What cannot be read is left
/// out, and said so unless `quiet`; if nothing is left, `nothing` is the error. Words that make no sense end it.
pub fn read_all<T>(
    paths: &[PathBuf],
    list: impl Fn(&Path) -> Outcome<Vec<PathBuf>>,
    nothing: &str,
    quiet: bool,
    mut read: impl FnMut(&Path, usize) -> Outcome<Vec<T>>,
) -> Outcome<Vec<T>> {
    let (mut all, mut left_out) = (Vec::new(), Vec::new());
    for path in paths {
        for file in list(path)? {
            match read(&file, all.len()) {
                Ok(more) => all.extend(more),
                Err(e) if e.status == 1 => left_out.push(e.message),
                Err(e) => return Err(e),
            }
        }
    }
    if all.is_empty() {
        let why = left_out.pop().map_or(String::new(), |e| format!("; the last problem: {e}"));
        return Err(Failure::new(format!("{nothing}{why}")));
    }
    if !quiet {
        left_out.iter().for_each(|e| text::remark(&format!("left out: {e}")));
    }
    Ok(all)
}
