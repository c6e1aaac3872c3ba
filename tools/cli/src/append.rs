//! What `--append` does with an array that the file has already.
use crate::{
    failure::{Failure, Outcome, about, display},
    inputs::{Item, Part},
    text,
};
use scicodec::{Reader, Variable};
use std::path::Path;

/// The file that is appended to.
pub struct Existing(Reader);

impl Existing {
    pub fn read(path: &Path) -> Outcome<Existing> {
        Ok(Existing(Reader::open(path).map_err(about(path))?))
    }
}

/// What becomes of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a new variable.
    New,
    /// It continues a variable of the file.
    Extends,
    /// The file has it.
    There,
}

/// Whether an input continues a variable of the file, rather than being a new one.
///
/// Of a dataset, only what runs along a dimension that may grow continues: the rest must be what it was.
pub fn fate(item: &Item, existing: Option<&Existing>, output: &Path, quiet: bool) -> Outcome<Fate> {
    let Some(existing) = existing else { return Ok(Fate::New) };
    let found = existing.0.variables().iter().enumerate().find(|(_, v)| v.name == item.meta.name);
    let Some((k, old)) = found else { return Ok(Fate::New) };
    if item.part == Part::Group {
        return Ok(Fate::There);
    }
    if item.grows {
        let (before, now) = (&old.units, &item.meta.units);
        if before != now && !before.is_empty() && !now.is_empty() {
            return Err(Failure::new(format!(
                "{}: {:?} is in {now:?}, in {} it is in {before:?}: it would continue with other values",
                display(&item.from),
                old.name,
                display(output),
            )));
        }
    } else {
        return same(item, existing, k, old, output, quiet);
    }
    let (dtype, shape) = (item.source.dtype(), item.source.shape());
    let fits =
        dtype == old.dtype && !shape.is_empty() && shape.len() == old.shape.len() && shape[1..] == old.shape[1..];
    if fits { Ok(Fate::Extends) } else { Err(no_fit(item, old, output)) }
}

fn no_fit(item: &Item, old: &Variable, output: &Path) -> Failure {
    Failure::new(format!(
        "{}: {} of shape {} does not continue the variable {:?} of {}, {} of shape {}; --var NAME makes it another one",
        display(&item.from),
        item.source.dtype().name(),
        text::extents(item.source.shape()),
        old.name,
        display(output),
        old.dtype.name(),
        text::extents(&old.shape),
    ))
}

/// What does not grow is the same in every part of a dataset.
fn same(item: &Item, existing: &Existing, k: usize, old: &Variable, output: &Path, quiet: bool) -> Outcome<Fate> {
    let (dtype, shape) = (item.source.dtype(), item.source.shape());
    if dtype != old.dtype || shape != old.shape {
        return Err(no_fit(item, old, output));
    }
    if item.part == Part::Data {
        if !quiet {
            let (from, to) = (display(&item.from), display(output));
            text::remark(&format!("{from}: {:?} does not grow: {to} keeps the one that it has", old.name));
        }
        return Ok(Fate::There);
    }
    let before = existing.0.decode(k, 1).map_err(about(output))?;
    let mut now = vec![0; before.len()];
    item.source.read(&vec![0; shape.len()], shape, &mut now).map_err(about(&item.from))?;
    if before != now {
        return Err(Failure::new(format!(
            "{}: {:?} has other values in {}: it is not the continuation of the same dataset",
            display(&item.from),
            old.name,
            display(output),
        )));
    }
    Ok(Fate::There)
}
