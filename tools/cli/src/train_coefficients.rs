//! `scicodec train --coefficients`: fields in, a model with a network for coefficients of wavelets out.
use crate::{
    args::TrainArgs,
    data_files::{data_files, read_all},
    failure::{Failure, Outcome, about, display},
    interrupt,
    model::find,
    progress::Bar,
    text,
};
use scicodec_models::{CoefficientEvent, CoefficientOptions, Piece, train_coefficients as train};
use scicodec_priors::variations;
use std::path::Path;

/// Steps of a run that is not told how many.
const STEPS: u64 = 6000;

pub fn run(args: &TrainArgs) -> Outcome {
    let quiet = args.talk.quiet;
    let parent = find(&args.from)?.model;
    let pieces = read_all(&args.data, data_files, "no field of floats to learn from", quiet, |path, before| {
        open(path, args.seed + before as u64)
    })?;
    let options = CoefficientOptions {
        out: args.out.clone(),
        device: args.device.clone(),
        seed: args.seed,
        steps: args.steps.unwrap_or(STEPS),
    };
    let remark = |line: String| {
        if !quiet {
            text::remark(&line);
        }
    };
    // A signal ends the run between steps, with nothing written.
    interrupt::writing(None);
    let coding = Bar::new("coding", quiet);
    let mut begun = false;
    let report = train(&pieces, parent.model(), &options, &mut |event| {
        match event {
            CoefficientEvent::Coded { done, total } => {
                coding.set(done as u64, total as u64);
                if done == total {
                    remark(format!("{total} chunks coded"));
                }
            }
            CoefficientEvent::NothingHeldOut => remark(
                "all fields are of one family (what stands before __ in their names): none is held out, validation is on \
                 fields learned from"
                    .into(),
            ),
            CoefficientEvent::Step { step, loss } if !begun => {
                begun = true;
                remark(format!("step {step}: {loss:.4} of the bits of chunks"));
            }
            CoefficientEvent::Validated { step, loss, validation } => {
                remark(format!("step {step}: {loss:.4} of the bits of chunks, {validation:.4} of chunks not learned from"));
            }
            _ => {}
        }
        !interrupt::raised()
    })
    .map_err(Failure::new)?;
    let [floats, integers] = report.validation;
    let skipped = if report.skipped > 0 { format!(", {} skipped", report.skipped) } else { String::new() };
    remark(format!(
        "{} steps{skipped} on {} coefficients of {} chunks: {floats:.4} of the bits of {} chunks not learned from, as integers \
         {integers:.4} -> model {}, {}",
        options.steps,
        report.samples[0],
        report.chunks[0],
        report.chunks[1],
        report.model,
        display(&report.model_file),
    ));
    Ok(())
}

/// What the fields of a file teach, cut to pieces.
fn open(path: &Path, seed: u64) -> Outcome<Vec<Piece>> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut pieces = Vec::new();
    for field in scicodec_io::open(path, None).map_err(about(path))?.fields {
        let name = field.name.as_ref().map_or(stem.clone(), |n| format!("{stem}__{n}"));
        let arrays = variations(&*field.source, seed).map_err(about(path))?;
        let piece =
            |a: scicodec_priors::Array| Piece { name: name.clone(), dtype: a.dtype, shape: a.shape, data: a.data };
        pieces.extend(arrays.into_iter().map(piece));
    }
    Ok(pieces)
}
