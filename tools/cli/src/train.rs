//! `scicodec train`: fields in, a folder with a network and its curves out.
use crate::{
    args::TrainArgs,
    failure::{Failure, Outcome, about, display},
    interrupt, text,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scicodec_models::{BOUNDS, Config, Event, RunOptions, Score, TrainingField, Until, run as train};
use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
};

pub fn run(args: &TrainArgs) -> Outcome {
    let mut fields = Vec::new();
    for path in &args.data {
        for file in files(path)? {
            open(&file, &mut fields)?;
        }
    }
    let options = RunOptions {
        out: args.out.clone(),
        config: args.config.as_deref().map(Config::read).transpose().map_err(Failure::new)?,
        device: args.device.clone(),
        seed: args.seed,
        until: args.steps.map_or(Until::Minutes(args.minutes), Until::Steps),
        resume: args.resume,
        start: args.start.clone(),
    };
    let quiet = args.talk.quiet;
    let bar = bar(quiet);
    // A signal ends the run after the step under way, with a checkpoint.
    interrupt::writing(None);
    let report = train(fields, &options, &mut |event| {
        match event {
            Event::Step { progress, loss, step } => {
                bar.set_position((progress * 1e4) as u64);
                bar.set_message(format!("step {step}, bits x {loss:.4}"));
            }
            Event::Validated { step, score, integers } if args.talk.verbose => {
                let line = format!("step {step}: {}; as integers x {:.4}", scores(&score), integers.mean());
                bar.suspend(|| text::remark(&line));
            }
            _ => {}
        }
        !interrupt::raised()
    })
    .map_err(Failure::new)?;
    bar.finish_and_clear();
    if !quiet {
        let skipped = if report.skipped > 0 { format!(", {} skipped", report.skipped) } else { String::new() };
        text::remark(&format!(
            "{} steps{skipped} in {:.1} minutes; bits on fields not learned from: {} -> {}",
            report.steps,
            report.seconds / 60.0,
            scores(&report.score),
            display(&report.checkpoint),
        ));
    }
    Ok(())
}

fn scores(score: &Score) -> String {
    let each = BOUNDS.iter().zip(score.parts).map(|(b, p)| format!("rel={b:e} x {p:.4}"));
    format!("x {:.4} ({})", score.mean(), each.collect::<Vec<_>>().join(", "))
}

/// A file, or the .npy files of a folder in the order of their names.
fn files(path: &Path) -> Outcome<Vec<PathBuf>> {
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

fn open(path: &Path, fields: &mut Vec<TrainingField>) -> Outcome {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    for field in scicodec_io::open(path, None).map_err(about(path))?.fields {
        let name = field.name.as_ref().map_or(stem.clone(), |n| format!("{stem}__{n}"));
        fields.push(TrainingField { name, source: Arc::from(field.source) });
    }
    Ok(())
}

fn bar(quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(10_000);
    if let Ok(style) = ProgressStyle::with_template("train {bar:24} {percent:>3} %  {msg}  {eta} left") {
        bar.set_style(style);
    }
    bar
}
