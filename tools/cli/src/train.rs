//! `scicodec train`: fields in, a folder with a network and its curves out.
use crate::{
    args::TrainArgs,
    data_files::data_files,
    failure::{Failure, Outcome, about, display},
    interrupt, text,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scicodec_models::{
    BOUNDS, CODED_BOUNDS, CodedScore, Config, Event, RunOptions, Score, TrainingField, Until, run as train,
};
use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Points below which a field is left out: its finest passes are hardly a window of a network.
const FEWEST_POINTS: u64 = 64;

pub fn run(args: &TrainArgs) -> Outcome {
    let quiet = args.talk.quiet;
    let config = args.config.as_deref().map(Config::read).transpose().map_err(Failure::new)?;
    let fields = open_all(&args.data, quiet)?;
    let options = RunOptions {
        out: args.out.clone(),
        config,
        device: args.device.clone(),
        seed: args.seed,
        until: args.steps.map_or(Until::Minutes(args.minutes), Until::Steps),
        resume: args.resume,
        start: args.start.clone(),
    };
    let bar = bar(quiet);
    let remark = |line: String| bar.suspend(|| text::remark(&line));
    // A signal ends the run after the step under way, with a checkpoint.
    interrupt::writing(None);
    let report = train(fields, &options, &mut |event| {
        match event {
            Event::Step { progress, loss, step } => {
                bar.set_position((progress * 1e4) as u64);
                bar.set_message(format!("step {step}, bits x {loss:.4}"));
            }
            Event::Validated { step, score, integers, coded } if args.talk.verbose => {
                let files = coded.map_or(String::new(), |c| format!("; files {}", gains(&c)));
                remark(format!("step {step}: bits {}; as integers x {:.4}{files}", scores(&score), integers.mean()));
            }
            Event::NothingHeldOut if !quiet => {
                remark("all fields are of one family (what stands before __ in their names): none is held out, validation \
                        is on fields learned from".into());
            }
            _ => {}
        }
        !interrupt::raised()
    })
    .map_err(Failure::new)?;
    bar.finish_and_clear();
    if !report.complete {
        interrupt::heeded();
        let (steps, at) = (report.steps, display(&report.checkpoint));
        return Err(Failure::new(format!("interrupted after {steps} steps: --resume goes on from {at}")));
    }
    if !quiet {
        let skipped = if report.skipped > 0 { format!(", {} skipped", report.skipped) } else { String::new() };
        let best = report
            .best
            .map_or(String::new(), |b| format!("; kept that of step {}: files x {:.4} smaller", b.step, b.gain));
        text::remark(&format!(
            "{} steps{skipped} in {:.1} minutes; bits on fields not learned from: {}{best} -> {}",
            report.steps,
            report.seconds / 60.0,
            scores(&report.score),
            display(&report.model_file),
        ));
    }
    Ok(())
}

fn gains(coded: &CodedScore) -> String {
    let each = CODED_BOUNDS.iter().zip(coded.gains).map(|((name, _), g)| format!("{name} x {g:.4}"));
    format!("x {:.4} smaller ({})", coded.mean(), each.collect::<Vec<_>>().join(", "))
}

/// The fields of all files that can be read and are large enough to learn from. What is left out is said.
fn open_all(data: &[PathBuf], quiet: bool) -> Outcome<Vec<TrainingField>> {
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for path in data {
        for file in data_files(path)? {
            match open(&file) {
                Ok(more) => fields.extend(more),
                Err(e) => left_out.push(e.message),
            }
        }
    }
    fields.retain(|f| {
        let points = f.source.shape().iter().product::<u64>();
        if points < FEWEST_POINTS {
            left_out.push(format!("{}: {points} points are too few to learn from", f.name));
        }
        points >= FEWEST_POINTS
    });
    if fields.is_empty() {
        let why = left_out.pop().map_or(String::new(), |e| format!("; the last problem: {e}"));
        return Err(Failure::new(format!("no field to learn from{why}")));
    }
    if !quiet {
        left_out.iter().for_each(|e| text::remark(&format!("left out: {e}")));
    }
    Ok(fields)
}

fn scores(score: &Score) -> String {
    let each = BOUNDS.iter().zip(score.parts).map(|(b, p)| format!("rel={b:e} x {p:.4}"));
    format!("x {:.4} ({})", score.mean(), each.collect::<Vec<_>>().join(", "))
}

fn open(path: &Path) -> Outcome<Vec<TrainingField>> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let named = |field: scicodec_io::Field| TrainingField {
        name: field.name.as_ref().map_or(stem.clone(), |n| format!("{stem}__{n}")),
        source: Arc::from(field.source),
    };
    Ok(scicodec_io::open(path, None).map_err(about(path))?.fields.into_iter().map(named).collect())
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
