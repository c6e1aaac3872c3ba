//! `scicodec model prime`: fields in, a model whose coders of integers start from what they learned there.
use crate::{
    args::PrimeArgs,
    data_files::{data_files, read_all},
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
    let mut count = 0;
    let fields = read_all(&args.data, data_files, "no field of floats to learn from", quiet, |path, before| {
        let more = read(path, before as u64)?;
        count += usize::from(!more.is_empty());
        Ok(more)
    })?;
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
