//! `scicodec finetune`: fields of one domain in, a small model that stands on another one out, and a table of what it gains.
use crate::{
    args::{ChunkArg, EffortName, EncodeArgs, FinetuneArgs, RawArgs, Talk},
    data_files::{finetune_files, read_all},
    failure::{Failure, Outcome, about, display},
    inputs::{self, Item, Part},
    interrupt, model, text,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scicodec::{BoundKind, ErrorBound, learned};
use scicodec_io::{OutputFile, Overwrite};
use scicodec_priors::{
    FinetuneError, FinetuneOptions, FinetuneStage as Stage, Outcome as Report, Sizes, Subject, finetune,
};
use serde_json::{Value, json};
use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

/// The bounds that a model is tuned at unless others are asked for.
const BOUNDS: [ErrorBound; 4] = [
    ErrorBound { kind: BoundKind::Rel, value: 1e-1 },
    ErrorBound { kind: BoundKind::Rel, value: 1e-2 },
    ErrorBound { kind: BoundKind::Nrmse, value: 1e-2 },
    ErrorBound { kind: BoundKind::Nrmse, value: 1e-3 },
];

pub fn run(args: &FinetuneArgs) -> Outcome {
    let quiet = args.talk.quiet;
    if args.device != "cpu" {
        return Err(Failure::new(format!("device {}: what is tuned here is tuned on the CPU: cpu", args.device)));
    }
    if !(args.holdout > 0.0 && args.holdout < 1.0) {
        return Err(Failure::usage("--holdout is a part of each variable, above 0 and below 1"));
    }
    if !(args.minutes > 0.0 && args.minutes.is_finite()) {
        return Err(Failure::usage("--minutes must be above 0"));
    }
    let parent = model::find(&args.from)?.model;
    let overwrite = if args.force { Overwrite::Allow } else { Overwrite::Refuse };
    // Refused now rather than after the work; nothing is left if that is broken off.
    drop(OutputFile::create(&args.output, overwrite).map_err(about(&args.output))?);
    let bounds = if args.error_bound.is_empty() { BOUNDS.to_vec() } else { args.error_bound.clone() };
    let subjects = open_all(args, &bounds)?;
    let journal = journal_path(&args.output);
    let options = FinetuneOptions {
        name: args.output.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
        amount: args.series.0,
        holdout: args.holdout,
        minutes: args.minutes,
        steps: args.steps,
        journal: Some(journal.clone()),
        resume: args.resume,
    };
    let bar = bar(quiet);
    // A signal ends the run after the chunk under way; what was found until then is kept.
    interrupt::writing(None);
    let report = finetune(&parent, &subjects, &options, &mut |stage, done| {
        bar.set_position((1000.0 * whole(&stage, done)) as u64);
        bar.set_message(match stage {
            Stage::Measuring => "measuring",
            Stage::Knowing => "backgrounds",
            Stage::Learning => "learning",
            Stage::Trying => "trying",
        });
        !interrupt::raised()
    });
    bar.finish_and_clear();
    let report = report.map_err(|e| match e {
        FinetuneError::Interrupted => {
            interrupt::heeded();
            Failure::new(format!("interrupted: --resume goes on from {}", display(&journal)))
        }
        FinetuneError::Journal { error, .. } if error.kind() == io::ErrorKind::AlreadyExists => Failure::new(format!(
            "{}: of a run that was broken off: --resume goes on with it; remove it to begin anew",
            display(&journal)
        )),
        other => Failure::new(other),
    })?;
    if let Some(model) = &report.model {
        let mut file = OutputFile::create(&args.output, overwrite).map_err(about(&args.output))?;
        file.write_all(&model.model().write()).map_err(about(&args.output))?;
        file.finish().map_err(about(&args.output))?;
    }
    std::fs::remove_file(&journal).map_err(about(&journal))?;
    if args.json {
        return text::result_json(&as_json(args, &bounds, &report));
    }
    text::result(&table(args, &bounds, &report))
}

/// How far a whole run has come, given how far a part of it has.
fn whole(stage: &Stage, done: f64) -> f64 {
    match stage {
        Stage::Measuring => 0.0,
        Stage::Knowing => 0.05 + 0.45 * done,
        Stage::Learning => 0.5 + 0.3 * done,
        Stage::Trying => 0.8 + 0.2 * done,
    }
}

/// Where findings are kept while a run lasts: beside the model to be.
fn journal_path(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}

/// The variables of all files that can be read. What is left out is said.
fn open_all(args: &FinetuneArgs, bounds: &[ErrorBound]) -> Outcome<Vec<Subject>> {
    read_all(&args.data, finetune_files, "no field to tune to", args.talk.quiet, |file, _| {
        let more = open(args, file, bounds)?;
        if more.is_empty() {
            return Err(Failure::new(format!("{}: holds no numbers to tune to", display(file))));
        }
        Ok(more)
    })
}

/// The measured variables of a file, each with all bounds in its own units.
fn open(args: &FinetuneArgs, path: &Path, bounds: &[ErrorBound]) -> Outcome<Vec<Subject>> {
    let mut subjects: Vec<Subject> = Vec::new();
    for (k, bound) in bounds.iter().enumerate() {
        let items: Vec<Item> =
            inputs::open(&as_encoded(args, path, *bound))?.into_iter().filter(|i| i.part == Part::Data).collect();
        for (n, item) in items.into_iter().enumerate() {
            scicodec::validate_bound(&item.bound, item.source.dtype())
                .map_err(|e| Failure::new(format!("{}: {}: {e}", display(path), item.meta.name)))?;
            if k == 0 {
                let name = format!("{} {}", display(path), item.meta.name);
                let (variable, bounds) = (item.meta.name, vec![item.bound]);
                subjects.push(Subject { name, variable, source: item.source, fill: item.fill, bounds });
            } else if let Some(subject) = subjects.get_mut(n) {
                subject.bounds.push(item.bound);
            }
        }
    }
    Ok(subjects)
}

/// What `encode` would be asked for this file.
fn as_encoded(args: &FinetuneArgs, path: &Path, error_bound: ErrorBound) -> EncodeArgs {
    EncodeArgs {
        inputs: vec![path.to_owned()],
        output: None,
        error_bound,
        effort: EffortName::Default,
        model: "default".into(),
        embed_model: false,
        chunk: ChunkArg::Auto,
        fill: args.fill.clone(),
        var: args.var.clone(),
        condition_on: scicodec::ConditionOn::None,
        packed: false,
        units: None,
        threads: 0,
        append: false,
        force: false,
        json: false,
        no_verify: true,
        raw: RawArgs { raw: args.raw.raw, shape: args.raw.shape.clone() },
        talk: Talk { quiet: true, verbose: false },
    }
}

/// What one bound comes to: ratios on what was held out, and what the model's bytes make of them.
struct Line {
    bound: String,
    classical: f64,
    before: f64,
    after: f64,
    /// With the model's bytes counted over the series that it is for.
    counted: f64,
    /// Raw bytes after which the model has saved more than it takes.
    pays: Option<f64>,
}

fn line(args: &FinetuneArgs, bound: &ErrorBound, s: &Sizes, report: &Report) -> Line {
    let raw = report.held_out as f64;
    let ratio = |bytes: u64| raw / bytes.max(1) as f64;
    let own = report.model_bytes as f64;
    let saved = s.before as f64 - s.after as f64;
    Line {
        bound: bound.to_string(),
        classical: ratio(s.classical),
        before: ratio(s.before),
        after: ratio(s.after),
        counted: args.series.0 / (args.series.0 / ratio(s.after) + own),
        pays: (saved > 0.0).then(|| own * raw / saved),
    }
}

fn table(args: &FinetuneArgs, bounds: &[ErrorBound], report: &Report) -> String {
    let lines = bounds.iter().zip(&report.sizes).map(|(b, s)| line(args, b, s, report));
    let held = text::bytes(report.held_out);
    let Some(model) = &report.model else {
        return format!(
            "nothing was gained on {held} held out ({} chunks learned from, {} models tried): nothing is written\n",
            report.chunks, report.tried
        );
    };
    let mut out = format!(
        "ratios on {held} held out; counted: with the model's bytes, over {}\n",
        text::bytes(args.series.0 as u64)
    );
    out.push_str(&format!(
        "{:<14} {:>10} {:>10} {:>10} {:>8} {:>10}  pays after\n",
        "bound", "classical", "before", "after", "gain", "counted"
    ));
    for l in lines {
        let pays = l.pays.map_or("never".into(), |p| text::bytes(p as u64));
        out.push_str(&format!(
            "{:<14} {:>10} {:>10} {:>10} {:>8.4} {:>10}  {pays}\n",
            l.bound,
            text::number(l.classical),
            text::number(l.before),
            text::number(l.after),
            l.after / l.before,
            text::number(l.counted),
        ));
    }
    out.push_str(&format!(
        "{} chunks learned from, {} models tried, {:.1} minutes\nmodel {:#}, {} -> {}\n",
        report.chunks,
        report.tried,
        report.seconds / 60.0,
        model.id(),
        text::bytes(report.model_bytes),
        display(&args.output)
    ));
    out
}

fn as_json(args: &FinetuneArgs, bounds: &[ErrorBound], report: &Report) -> Value {
    let bound = |(b, s): (&ErrorBound, &Sizes)| {
        let l = line(args, b, s, report);
        json!({
            "bound": l.bound,
            "classical": l.classical,
            "before": l.before,
            "after": l.after,
            "gain": l.after / l.before,
            "counted": l.counted,
            "pays_after_bytes": l.pays,
        })
    };
    json!({
        "model": report.model.as_ref().map(|m| format!("{:#}", m.id())),
        "path": report.model.as_ref().map(|_| display(&args.output)),
        "from": report.model.as_ref().and_then(|m| m.model().parents().first().map(|p| format!("{p:#}"))),
        "model_bytes": report.model_bytes,
        "held_out_bytes": report.held_out,
        "series_bytes": args.series.0,
        "chunks": report.chunks,
        "tried": report.tried,
        "seconds": report.seconds,
        "bounds": bounds.iter().zip(&report.sizes).map(bound).collect::<Vec<_>>(),
        "default": learned::builtin(learned::DEFAULT).map(|m| format!("{:#}", m.id())).ok(),
    })
}

fn bar(quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(1000);
    if let Ok(style) = ProgressStyle::with_template("tune {bar:24} {percent:>3} %  {msg}  {eta} left") {
        bar.set_style(style);
    }
    bar
}
