//! A whole run: fields in, a folder with a checkpoint and curves out.
use crate::{
    Best, Checkpoint, Config, Error, Score, TrainingField, Until,
    coded::{CodedScore, CodedValidation},
    curve::{Curve, CurveRow, ScoreRow},
    export::Integers,
    pool::Pool,
    trainer::Trainer,
    validate::Validation,
    weights::{CARD, Card, FLOATS, MODEL, model, write_card, write_floats, write_model},
};
use scicodec::{
    LoadedModel,
    learned::Predictor,
    network::{Model, ModelLimits},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// What to do.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Folder for the checkpoint, curves and configuration; made if it is not there.
    pub out: PathBuf,
    /// The configuration; `None` is the default one, or on resuming that of the checkpoint.
    pub config: Option<Config>,
    /// What [`crate::device`] takes.
    pub device: String,
    /// Seed of everything random.
    pub seed: u64,
    /// When to end.
    pub until: Until,
    /// Whether to go on from the checkpoint in the folder.
    pub resume: bool,
    /// Float weights of a network of the same shape to begin with, rather than random ones.
    pub start: Option<PathBuf>,
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A step was done.
    Step {
        /// Steps done.
        step: u64,
        /// How far the run has come, 0 to 1.
        progress: f64,
        /// Bits with the network as a part of those without, over the last hundred steps or so.
        loss: f64,
    },
    /// The averaged network was validated.
    Validated {
        /// Steps done.
        step: u64,
        /// How many bits it saves.
        score: Score,
        /// How many the integer network made of it saves.
        integers: Score,
        /// What files gain by it; `None` where there was nothing to code.
        coded: Option<CodedScore>,
    },
    /// There is one family of fields only: validation is on fields that were learned from.
    NothingHeldOut,
}

/// A validation.
#[derive(Clone, Copy)]
struct Validated {
    scores: [Score; 2],
    coded: Option<CodedScore>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// Steps done.
    pub steps: u64,
    /// Steps skipped because something was not finite.
    pub skipped: u64,
    /// Seconds of training, earlier parts of the run counted in.
    pub seconds: f64,
    /// The last validation.
    pub score: Score,
    /// The same of the integer network.
    pub integers: Score,
    /// Whether all steps that were asked for are done.
    pub complete: bool,
    /// The validation by which the network was kept.
    pub best: Option<Best>,
    /// Id of the integer model.
    pub model: String,
    /// Its file.
    pub model_file: PathBuf,
    /// The checkpoint.
    pub checkpoint: PathBuf,
}

/// Name of the checkpoint in its folder.
pub const CHECKPOINT: &str = "run.checkpoint";

/// Numbers of the fields to learn from, and of those kept for validation: whole families, spread over the sorted names.
pub fn split(fields: &[TrainingField], held_out: f64) -> (Vec<usize>, Vec<usize>) {
    split_families(&fields.iter().map(TrainingField::family).collect::<Vec<_>>(), held_out)
}

/// The same, given the family of each.
pub(crate) fn split_families(of: &[&str], held_out: f64) -> (Vec<usize>, Vec<usize>) {
    let families: BTreeSet<&str> = of.iter().copied().collect();
    let every = if held_out > 0.0 { (1.0 / held_out).round().max(2.0) as usize } else { usize::MAX };
    let kept: BTreeSet<&str> =
        families.iter().enumerate().filter(|(k, _)| k % every == every / 2).map(|(_, f)| *f).collect();
    let (validation, training): (Vec<usize>, Vec<usize>) = (0..of.len()).partition(|&k| kept.contains(of[k]));
    // With a single family there is nothing to hold out: the curves then tell of fields that were learned from.
    if validation.is_empty() { (training.clone(), training) } else { (training, validation) }
}

/// Trains. `on` is told how it goes; the run ends early, with a checkpoint, when it returns `false`.
///
/// Errors: `InvalidArgument` where there is nothing to learn from, or a run is in the folder and `resume` is not set, or the
/// configuration is not that of the checkpoint; `NoDevice`; `Io`; `Corrupt`; `Diverged`.
pub fn run(
    fields: Vec<TrainingField>,
    options: &RunOptions,
    on: &mut dyn FnMut(Event) -> bool,
) -> Result<RunReport, Error> {
    if fields.is_empty() {
        return Err(Error::InvalidArgument("no fields to learn from".into()));
    }
    fs::create_dir_all(&options.out).map_err(Error::io(&options.out))?;
    let path = options.out.join(CHECKPOINT);
    let mut trainer = begin(options, &path)?;
    let config = trainer.standing.config.clone();
    let seed = trainer.standing.seed;
    let text = toml::to_string(&config).map_err(|e| Error::InvalidArgument(e.to_string()))?;
    write(&options.out.join("config.toml"), &text)?;

    let t = &config.training;
    let (training, kept) = split(&fields, t.held_out);
    let mut wanted = kept != training || on(Event::NothingHeldOut);
    let fields = Arc::new(fields);
    let sampler = t.sampler.as_deref().map(read_predictor).transpose()?.map(Arc::new);
    let (count, points) = (t.validation_encodings, t.validation_points);
    let parent = t.parent.as_deref().map(read_model).transpose()?;
    let parent = parent.as_ref().map(LoadedModel::model);
    let validation = Validation::new(&fields, &kept, count, points, sampler.as_deref(), seed)?;
    let coding = CodedValidation::new(&fields, &kept, t.coded_parts, t.coded_points, seed)?;
    let untrained = validation.untrained_score();
    let mut pool = Pool::new(fields.clone(), training.clone(), t.drawing(), sampler, seed, trainer.standing.step);
    let mut curve = Curve::open(&options.out, trainer.standing.step)?;
    let device = crate::device(&options.device)?;
    let name = options.out.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let those = |numbers: &[usize]| numbers.iter().map(|k| &fields[*k]).collect::<Vec<_>>();
    let learned_from = those(&training);
    let validate = |trainer: &Trainer| {
        let network = trainer.averaged();
        let score = validation.score(&network, &device);
        // With latents, integer networks are judged by what files gain alone.
        let integers = match network.latents {
            None => validation.integer_score(&Integers::new(&network)?)?,
            Some(_) => score,
        };
        let scores = [score, integers];
        let model = LoadedModel::new(model(&name, &network, parent, &trainer.standing, &learned_from)?)?;
        Ok::<_, Error>(Validated { scores, coded: coding.score(Arc::new(model))? })
    };
    let note = |trainer: &mut Trainer, curve: &mut Curve, v: &Validated| {
        let (step, seconds) = (trainer.standing.step, trainer.standing.seconds);
        let Validated { scores: [score, integers], coded } = *v;
        curve.score(ScoreRow { step, seconds, score, integers, coded });
        // Without files to compare, ideal code lengths decide.
        trainer.validated(coded.map_or(1.0, |c| c.mean()), integers.mean());
        trainer.mark()?;
        Ok::<_, Error>(Event::Validated { step, score, integers, coded })
    };
    let leave = |trainer: &Trainer, curve: &Curve, v: &Validated| {
        // The curves first: going on drops what is later than the checkpoint, and cannot make up for what it lacks.
        curve.write()?;
        trainer.checkpoint()?.write(&path)?;
        let best = trainer.best();
        let model = model(&name, &best, parent, &trainer.standing, &learned_from)?;
        let id = format!("{:#}", model.id());
        write_model(&model, &options.out.join(MODEL))?;
        write_floats(best, &options.out.join(FLOATS))?;
        let card = Card {
            standing: &trainer.standing,
            id: &id,
            scores: [v.scores[0], v.scores[1], untrained],
            coded: v.coded,
            fields: [learned_from.clone(), those(&kept)],
        };
        write_card(&card, &options.out.join(CARD))?;
        Ok::<_, Error>(id)
    };

    // A run that goes on has noted this validation, or has not come to it: only what is said needs it.
    let mut last = validate(&trainer)?;
    let resumed = trainer.standing.step > 0;
    if !resumed {
        wanted &= on(note(&mut trainer, &mut curve, &last)?);
    }
    trainer.mark()?;
    let mut saved = Instant::now();
    let mut begun = Instant::now();
    while wanted && trainer.progress(options.until) < 1.0 {
        let progress = trainer.progress(options.until);
        let windows = pool.windows(trainer.standing.step)?;
        let step = trainer.step(&windows, progress)?;
        trainer.standing.seconds += begun.elapsed().as_secs_f64();
        begun = Instant::now();
        let at = trainer.standing.step;
        if step.taken {
            let loss = trainer.standing.loss;
            trainer.standing.loss = Some(loss.map_or(step.loss, |l| 0.98 * l + 0.02 * step.loss));
        }
        let mean = trainer.standing.loss.unwrap_or(1.0);
        if at % 20 == 0 {
            let seconds = trainer.standing.seconds;
            curve.row(CurveRow { step: at, seconds, loss: mean, rate: step.rate, norm: step.norm });
        }
        let done = trainer.progress(options.until) >= 1.0;
        if at % t.validate_every == 0 || done {
            last = validate(&trainer)?;
            wanted &= on(note(&mut trainer, &mut curve, &last)?);
            // Validation is no part of the time that a run is given.
            begun = Instant::now();
        }
        if saved.elapsed().as_secs_f64() >= t.checkpoint_seconds {
            leave(&trainer, &curve, &last)?;
            saved = Instant::now();
        }
        wanted &= on(Event::Step { step: at, progress: trainer.progress(options.until), loss: mean });
    }
    let model = leave(&trainer, &curve, &last)?;
    let complete = trainer.progress(options.until) >= 1.0;
    let s = trainer.standing;
    Ok(RunReport {
        steps: s.step,
        skipped: s.skipped,
        seconds: s.seconds,
        score: last.scores[0],
        integers: last.scores[1],
        complete,
        best: s.best,
        model,
        model_file: options.out.join(MODEL),
        checkpoint: path,
    })
}

fn read_model(path: &Path) -> Result<LoadedModel, Error> {
    Ok(LoadedModel::read(&fs::read(path).map_err(Error::io(path))?)?)
}

fn read_predictor(path: &Path) -> Result<Predictor, Error> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    Ok(Predictor::new(&Model::read(&bytes, &ModelLimits::default())?)?)
}

fn begin(options: &RunOptions, path: &Path) -> Result<Trainer, Error> {
    let there = path.exists();
    if !options.resume {
        if there {
            let what = format!("{} is there already: go on with it (resume), or choose another folder", path.display());
            return Err(Error::InvalidArgument(what));
        }
        let config = options.config.clone().unwrap_or_default();
        let mut trainer = Trainer::new(&config, &options.device, options.seed)?;
        if let Some(weights) = &options.start {
            trainer = trainer.starting_from(weights)?;
            trainer.standing.lineage = lineage(weights);
        }
        return Ok(trainer);
    }
    let checkpoint = Checkpoint::read(path)?;
    let theirs = &checkpoint.standing.config;
    if options.config.as_ref().is_some_and(|ours| ours != theirs) {
        let what = format!("the configuration is not that of {}: a run goes on as it began", path.display());
        return Err(Error::InvalidArgument(what));
    }
    Trainer::resume(&checkpoint, &options.device)
}

/// The integer model beside float weights, and those that it went on from.
fn lineage(weights: &Path) -> Vec<String> {
    let bytes = fs::read(weights.with_file_name(MODEL)).unwrap_or_default();
    let Ok(model) = Model::read(&bytes, &ModelLimits::default()) else { return vec![] };
    std::iter::once(model.id()).chain(model.lineage()).map(|id| format!("{id:#}")).collect()
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    fs::write(&partial, text).map_err(Error::io(&partial))?;
    fs::rename(&partial, path).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NetworkConfig, TrainingConfig, field::tests::field};

    #[test]
    fn a_run_leaves_curves_and_a_checkpoint_that_another_goes_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let fields = || vec![field("a__x", &[40, 50], 1), field("b__x", &[45, 40], 2), field("c__x", &[50, 50], 3)];
        let training = TrainingConfig {
            window_points: 300,
            crop_points: 1500,
            encodings: 3,
            held_out: 0.34,
            validate_every: 20,
            validation_encodings: 1,
            validation_points: 800,
            coded_parts: 2,
            coded_points: 800,
            ..TrainingConfig::default()
        };
        let network = NetworkConfig { width: 4, blocks: 1, ..NetworkConfig::default() };
        let mut options = RunOptions {
            out: folder.path().join("run"),
            config: Some(Config { network, training }),
            device: "flex".into(),
            seed: 1,
            until: Until::Steps(20),
            resume: false,
            start: None,
        };
        assert_eq!(run(fields(), &options, &mut |_| true).unwrap().steps, 20);
        assert!(matches!(run(fields(), &options, &mut |_| true), Err(Error::InvalidArgument(_))), "not overwritten");
        options.resume = true;
        options.until = Until::Steps(40);
        let report = run(fields(), &options, &mut |_| true).unwrap();
        assert_eq!(report.steps, 40);
        let csv = fs::read_to_string(options.out.join("curve.csv")).unwrap();
        assert_eq!(csv.lines().count(), 3, "{csv}");
        let model = fs::read(options.out.join(MODEL)).unwrap();
        let model = Model::read(&model, &ModelLimits::default()).unwrap();
        assert!(fs::read_to_string(options.out.join(CARD)).unwrap().contains(&format!("{:#}", model.id())));
        options.start = Some(options.out.join(FLOATS));
        options.out = folder.path().join("another");
        options.resume = false;
        options.until = Until::Steps(0);
        let begun = run(fields(), &options, &mut |_| true).unwrap();
        let apart = (begun.score.mean() / report.score.mean()).ln().abs();
        assert!(apart < 0.05, "{:?} {:?}", begun.score, report.score);
        options.out = folder.path().join("run");
        options.resume = true;
        let scores = fs::read_to_string(options.out.join("validation.csv")).unwrap();
        assert_eq!(scores.lines().count(), 4, "{scores}");
        assert!(fs::read_to_string(options.out.join("curve.svg")).unwrap().contains("<svg"));
        options.config.as_mut().unwrap().network.width = 5;
        assert!(matches!(run(fields(), &options, &mut |_| true), Err(Error::InvalidArgument(_))), "another network");
    }

    #[test]
    fn whole_families_are_held_out() {
        let fields: Vec<_> = (0..40).map(|k| field(&format!("f{:02}__{k}", k / 2), &[4, 4], k)).collect();
        let (training, kept) = split(&fields, 0.1);
        assert_eq!((training.len(), kept.len()), (36, 4));
        assert!(kept.iter().all(|k| training.iter().all(|t| fields[*t].family() != fields[*k].family())));
    }
}
