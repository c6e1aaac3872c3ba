//! `scicodec model prime`: fields in, a model whose coders of integers start from what they learned there.
use crate::{
    args::PrimeArgs,
    data_files::data_files,
    failure::{Failure, Outcome, about, display},
    model::find,
    progress::Bar,
    text,
};
use scicodec_io::{OutputFile, Overwrite};
use scicodec_priors::{Array, BOUNDS, prime, variations};
use std::{io::Write, path::Path};

pub fn run(args: &PrimeArgs) -> Outcome {
    let (quiet, overwrite) = (args.talk.quiet, if args.force { Overwrite::Allow } else { Overwrite::Refuse });
    let parent = find(&args.from)?.model;
    // Refused now rather than after the work; nothing is left if that is broken off.
    drop(OutputFile::create(&args.output, overwrite).map_err(about(&args.output))?);
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    let mut count = 0;
    for path in &args.data {
        for path in data_files(path)? {
            match read(&path, fields.len() as u64) {
                Ok(more) => {
                    count += usize::from(!more.is_empty());
                    fields.extend(more);
                }
                Err(e) => left_out.push(e.message),
            }
        }
    }
    if fields.is_empty() {
        let why = left_out.pop().map_or(String::new(), |e| format!("; the last problem: {e}"));
        return Err(Failure::new(format!("no field of floats to learn from{why}")));
    }
    if !quiet {
        left_out.iter().for_each(|e| text::remark(&format!("left out: {e}")));
    }
    let bar = Bar::new("priming", quiet);
    let model =
        prime(parent.model(), &fields, &BOUNDS, &|p| bar.set(p.done as u64, p.total as u64)).map_err(Failure::new)?;
    drop(bar);
    let bytes = model.write();
    let mut file = OutputFile::create(&args.output, overwrite).map_err(about(&args.output))?;
    file.write_all(&bytes).map_err(about(&args.output))?;
    file.finish().map_err(about(&args.output))?;
    if !quiet {
        let size = text::bytes(bytes.len() as u64);
        text::remark(&format!("{count} files, {size} -> model {:#}, {}", model.id(), display(&args.output)));
    }
    Ok(())
}

/// What a file's fields teach, cut to pieces.
fn read(path: &Path, seed: u64) -> Outcome<Vec<Array>> {
    let mut all = Vec::new();
    for field in scicodec_io::open(path, None).map_err(about(path))?.fields {
        all.extend(variations(&*field.source, seed).map_err(about(path))?);
    }
    Ok(all)
}
