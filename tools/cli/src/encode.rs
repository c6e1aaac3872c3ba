//! `scicodec encode`: arrays in, a `.scz` file out.
use crate::{
    append::{self, Existing, Fate},
    args::{ChunkArg, EncodeArgs},
    failure::{Failure, Outcome, about, display},
    inputs::{self, Item, Part},
    interrupt::{self, Interruptible},
    model,
    progress::Bar,
    report, text,
};
use scicodec::{
    ChunkShape, ConditionOn, EncodeOptions, Encoder, ErrorBound, Fill, ModelChoice, Overwrite, Progress, Reader,
    VariableReport,
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// What became of an array.
pub struct Encoded {
    pub name: String,
    pub report: VariableReport,
    pub seconds: f64,
    pub psnr: Option<f64>,
    /// The bound that was asked for it, in its own units.
    pub bound: ErrorBound,
    /// What a step of the stored numbers is in these units.
    pub scale: f64,
    pub part: Part,
}

pub fn run(args: &EncodeArgs) -> Outcome {
    let output = output_path(args)?;
    let existing = match args.append && output.exists() {
        true => Some(Existing::read(&output)?),
        false => None,
    };
    let items = inputs::open(args)?;
    let model = model::choice(&args.model)?;
    if args.embed_model && model == ModelChoice::None {
        return Err(Failure::usage("--embed-model without a model"));
    }
    let mut work = Vec::new();
    for item in &items {
        let fate = append::fate(item, existing.as_ref(), &output, args.talk.quiet)?;
        if fate != Fate::There {
            work.push((item, fate, options(args, item, &model)?));
        }
    }

    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    interrupt::writing(None);
    let mut encoder = match &existing {
        Some(_) => Encoder::append(&output),
        None => Encoder::create(&output, overwrite),
    }
    .map_err(about(&output))?;
    interrupt::writing(encoder.temporary_path());

    let mut done = Vec::new();
    for (item, fate, options) in &work {
        let bar = Bar::new(&item.meta.name, args.talk.quiet);
        let progress = |p: Progress| bar.set(p.done, p.total);
        let source = Interruptible::new(item.source.as_ref());
        let begun = Instant::now();
        let report = match fate {
            Fate::Extends => encoder.extend_variable(&item.meta.name, &source, options, &progress),
            _ => encoder.add_variable(&item.meta, &source, options, &progress),
        }
        .map_err(|e| match e {
            // An error of reading is about the input, one of writing about the output.
            scicodec::Error::Io(e) if !source.failed() => about(&output)(e),
            other => about(&item.from)(other),
        })?;
        done.push(Encoded {
            name: item.meta.name.clone(),
            report,
            seconds: begun.elapsed().as_secs_f64(),
            psnr: None,
            bound: if item.part == Part::Data { args.error_bound } else { item.bound },
            scale: item.scale,
            part: item.part,
        });
    }
    interrupt::finishing()?;
    encoder.finish().map_err(about(&output))?;
    tell(args, &output, existing.is_none(), done)
}

/// Says what was reached. The file is done; it is read again only for what its index holds.
fn tell(args: &EncodeArgs, output: &Path, new: bool, mut done: Vec<Encoded>) -> Outcome {
    let file = Reader::open(output).map_err(about(output))?;
    for one in &mut done {
        let variable = file.variables().iter().find(|v| v.name == one.name);
        one.psnr = variable.and_then(|v| report::psnr(v, one.report.rmse));
    }
    if !args.talk.quiet {
        for one in done.iter().filter(|one| one.part == Part::Data) {
            // A new file of one variable is judged by its whole size, index and all.
            let bytes = if new && done.len() == 1 { file.length() } else { one.report.compressed_bytes };
            text::remark(&report::encoded_line(one, bytes, output));
        }
        if let Some(line) = report::exact_line(&done, new.then(|| file.length()), output) {
            text::remark(&line);
        }
    }
    if args.json {
        text::result_json(&report::encoded_json(output, &file, &done))?;
    }
    Ok(())
}

/// Where to write, refused where that would destroy something.
fn output_path(args: &EncodeArgs) -> Outcome<PathBuf> {
    let output = match (&args.output, args.inputs.as_slice()) {
        (Some(output), _) => output.clone(),
        (None, [one]) if one.as_os_str() == "-" => {
            return Err(Failure::usage("encoding standard input needs -o OUT.scz"));
        }
        (None, [one]) => one.with_extension("scz"),
        (None, _) => return Err(Failure::usage("several inputs need -o OUT.scz")),
    };
    if output.as_os_str() == "-" {
        return Err(Failure::usage("a .scz file is not written to standard output: its index needs a file"));
    }
    match std::fs::metadata(&output) {
        Ok(meta) if !meta.is_file() => Err(Failure::new(format!("{}: not a regular file", display(&output)))),
        Ok(_) if !args.force && !args.append => {
            Err(Failure::new(format!("{}: already exists; not overwritten (use -f, or --append)", display(&output))))
        }
        _ => Ok(output),
    }
}

fn options(args: &EncodeArgs, item: &Item, model: &ModelChoice) -> Outcome<EncodeOptions> {
    scicodec::validate_bound(&item.bound, item.source.dtype())
        .map_err(|e| Failure::new(format!("{}: {}: {e}", display(&item.from), item.meta.name)))?;
    let mut options = EncodeOptions::new(item.bound);
    options.effort = args.effort.into();
    options.model = model.clone();
    options.embed_model = args.embed_model;
    options.chunk = match &args.chunk {
        // Coordinates and the like are small, and of another rank.
        ChunkArg::Fixed(extents) if item.part == Part::Data => ChunkShape::Fixed(extents.clone()),
        _ => ChunkShape::Auto,
    };
    options.condition_on = match item.part {
        Part::Data => args.condition_on.clone(),
        _ => ConditionOn::None,
    };
    options.fill = item.fill.map(Fill::Bits);
    options.threads = args.threads;
    options.verify = !args.no_verify;
    Ok(options)
}
