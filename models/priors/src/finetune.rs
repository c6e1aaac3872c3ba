//! A whole run: variables of one domain in, a model that stands on another one out.
//!
//! The last steps of each variable are held out. The means of the others, told more or less closely, are backgrounds of models that
//! are tried. Then chunks of them are coded, and what the coders learned there moves the parent's states ([`crate::tune`]), by more
//! or less. Each model made so codes the steps held out, and the one is kept with which they, and the model's own bytes, are
//! smallest.
use crate::{
    Knob, Seen,
    journal::Journal,
    means::{Mean, Told, coded, means},
    pieces::{Piece, pieces},
    tune,
    view::View,
};
use scicodec::{
    ChunkRequest, Effort, EncodeOptions, Error, ErrorBound, Fill, LoadedModel, ModelChoice, Source, VariableMeta,
    encode_to_vec,
    entropy::{Place, Priors, States},
    learned::CodedBackground,
    learned_states,
    network::ModelBuilder,
};
use std::{io, path::PathBuf, sync::Arc, time::Instant};

/// How much is moved in the models that are tried, as multiples of what the amount of data says.
const TRIED: [f64; 6] = [0.02, 0.1, 0.4, 1.0, 4.0, 30.0];
/// The part of the time after which no more backgrounds are tried, and no more is learned; the rest is for trying states.
const KNOWING: f64 = 0.5;
const LEARNING: f64 = 0.8;
/// Ways in which the backgrounds of a model are told, at most.
const WAYS: usize = 2;
/// Chunks that are learned from, at each bound, at most.
pub const MOST_PIECES: usize = 24;
/// Values of a variable that are coded with every model tried, at most, unless a step has more.
const MOST_HELD_OUT: u64 = 1 << 20;
/// The order of findings in a journal: backgrounds, pieces, states.
const ORDER: u32 = 2;
/// A gain smaller than this is none.
const LEAST_GAIN: f64 = 1.0005;

/// A variable to learn from.
pub struct Subject {
    /// Its name, for messages.
    pub name: String,
    /// Its name in its file: what has the same one is the same thing.
    pub variable: String,
    /// Its elements.
    pub source: Box<dyn Source + Send>,
    /// Bits of the value that stands for "missing".
    pub fill: Option<u64>,
    /// The bound to keep, for each of those asked for, in the units of the elements.
    pub bounds: Vec<ErrorBound>,
}

/// How to run.
#[derive(Clone, Debug)]
pub struct FinetuneOptions {
    /// The model's name.
    pub name: String,
    /// Raw bytes of the data that the model is for.
    pub amount: f64,
    /// Part of each variable that is held out, along its first axis.
    pub holdout: f64,
    /// Minutes that the run may take, parts before an interruption counted in.
    pub minutes: f64,
    /// Chunks to learn from; where given, minutes do not count.
    pub steps: Option<u64>,
    /// Where findings are kept, to go on from.
    pub journal: Option<PathBuf>,
    /// Whether to go on from them.
    pub resume: bool,
}

/// How a run goes.
#[derive(Clone, Debug)]
pub enum Stage {
    /// What is held out is coded without the model.
    Measuring,
    /// A model with backgrounds is tried.
    Knowing,
    /// A chunk is learned from.
    Learning,
    /// A model with other states is tried.
    Trying,
}

/// Sizes of what is held out, at one bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// Without any model.
    pub classical: u64,
    /// With the parent.
    pub before: u64,
    /// With the model, but for its own bytes.
    pub after: u64,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The model; none if nothing was gained.
    pub model: Option<LoadedModel>,
    /// Raw bytes of what is held out.
    pub held_out: u64,
    /// Sizes of it, in the order of the bounds.
    pub sizes: Vec<Sizes>,
    /// Bytes of the model's file, and of those that it stands on, as far as they do not ship.
    pub model_bytes: u64,
    /// Chunks learned from, at each bound counted.
    pub chunks: u64,
    /// Models tried.
    pub tried: usize,
    /// Seconds of work.
    pub seconds: f64,
}

/// Why a run ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub enum FinetuneError {
    /// Broken off; it can be resumed.
    #[error("interrupted")]
    Interrupted,
    /// The fields say too little, or the options make no sense together.
    #[error("{0}")]
    Invalid(String),
    /// The journal.
    #[error("{path}: {error}")]
    Journal {
        /// Its path.
        path: String,
        /// What is wrong.
        error: io::Error,
    },
    /// Reading or coding.
    #[error(transparent)]
    Codec(#[from] Error),
}

/// What is coded to judge a model by.
struct Held<'a> {
    view: View<'a>,
    subject: &'a Subject,
}

/// The work, and the time it took.
struct Run<'a> {
    options: &'a FinetuneOptions,
    journal: Journal,
    /// Seconds of findings that were found before.
    earlier: f64,
    begun: Instant,
    on: &'a mut dyn FnMut(Stage, f64) -> bool,
}

/// Fine-tunes `parent`. `on` is told how it goes, with the part of the run that is done; the run is broken off, to be resumed, when
/// it returns `false`. With `steps` the outcome depends on the arguments alone.
///
/// # Errors
/// [`FinetuneError::Invalid`] if there is nothing to learn from or to hold out; [`FinetuneError::Interrupted`]; those of the journal and
/// of coding.
pub fn finetune(
    parent: &Arc<LoadedModel>,
    subjects: &[Subject],
    options: &FinetuneOptions,
    on: &mut dyn FnMut(Stage, f64) -> bool,
) -> Result<Outcome, FinetuneError> {
    let bounds = subjects.iter().map(|s| s.bounds.len()).min().unwrap_or(0);
    let (held, train) = split(subjects, options.holdout)?;
    let mut pieces = pieces(&train, bounds)?;
    if pieces.is_empty() {
        return Err(FinetuneError::Invalid("all values to learn from are alike: there is nothing to learn".into()));
    }
    pieces.truncate(options.steps.map_or(MOST_PIECES * bounds, |n| n as usize).max(1));
    let journal = journal(parent, subjects, options)?;
    let mut run = Run { options, journal, earlier: 0.0, begun: Instant::now(), on };

    let mut sizes = Vec::new();
    for bound in 0..bounds {
        let classical = run.size(&held, bound, &ModelChoice::None, Stage::Measuring, 0.0)?;
        let before = run.size(&held, bound, &ModelChoice::Given(parent.clone()), Stage::Measuring, 0.0)?;
        sizes.push(Sizes { classical, before, after: before });
    }
    let mut search = Search { parent, held: &held, sizes: &sizes, run, best: None, tried: 0 };
    let (ways, known) = search.backgrounds(&means(&train, bounds)?)?;
    let mut seen = Vec::new();
    for (k, piece) in pieces.iter().enumerate() {
        if k > 0 && search.run.is_late(LEARNING) {
            break;
        }
        seen.push(search.run.learn(piece, parent, k as f64 / pieces.len() as f64)?);
    }
    let learned_from: f64 = pieces[..seen.len()].iter().map(|p| p.data.len() as f64).sum();
    // Each bound has its part of the data.
    let states = search.states(&seen, options.amount * bounds as f64 / learned_from, &known)?;

    let Search { run, best, tried, .. } = search;
    let (held_out, chunks, seconds) = (held.iter().map(|h| bytes_of(&h.view)).sum(), seen.len() as u64, run.spent());
    let mut outcome = Outcome { model: None, held_out, sizes, model_bytes: 0, chunks, tried, seconds };
    if let Some(best) = best {
        outcome.sizes.iter_mut().zip(best.after).for_each(|(s, after)| s.after = after);
        // What was held out is for the mean, too.
        let known = coded(&means(&whole(subjects), bounds)?, &ways)?;
        let model = build(parent, &options.name, states.as_ref(), &known)?;
        outcome.model_bytes = own_bytes(&model);
        outcome.model = Some(model);
    }
    Ok(outcome)
}

/// A model that stands on the parent, with what it is given of these.
fn build(
    parent: &Arc<LoadedModel>,
    name: &str,
    states: Option<&Priors>,
    known: &[CodedBackground],
) -> Result<LoadedModel, Error> {
    let mut builder = ModelBuilder::on(parent.model(), name);
    if let Some(states) = states {
        builder = builder.priors_nearly(states);
    }
    if !known.is_empty() {
        builder = builder.backgrounds(known);
    }
    LoadedModel::on(builder.build()?, parent)
}

/// Models that are tried, and the best of them.
struct Search<'a, 'r> {
    parent: &'a Arc<LoadedModel>,
    held: &'a [Held<'a>],
    sizes: &'a [Sizes],
    run: Run<'r>,
    best: Option<Judged>,
    tried: usize,
}

impl Search<'_, '_> {
    /// Tries a model, and says whether it is the best so far.
    fn consider(
        &mut self,
        states: Option<&Priors>,
        known: &[CodedBackground],
        (stage, done): (Stage, f64),
    ) -> Result<bool, FinetuneError> {
        let model = Arc::new(build(self.parent, &self.run.options.name, states, known)?);
        let judged = self.run.judge(self.held, self.sizes, &model, (stage, done))?;
        self.tried += 1;
        let better = judged.gain > LEAST_GAIN * self.best.as_ref().map_or(1.0, |best| best.gain);
        if better {
            self.best = Some(judged);
        }
        Ok(better)
    }

    /// Backgrounds that help: told in one way, then in others as well.
    fn backgrounds(&mut self, means: &[Mean]) -> Result<(Vec<Told>, Vec<CodedBackground>), FinetuneError> {
        let bounds = self.sizes.len();
        let (mut chosen, mut known) = (vec![], vec![]);
        let mut seen: Vec<Vec<CodedBackground>> = vec![vec![]];
        for round in 0..WAYS {
            let base: Vec<Told> = chosen.clone();
            if base.len() < round {
                break;
            }
            let ways = [1, 2].into_iter().flat_map(|over| (0..bounds).map(move |bound| (over, bound)));
            for (k, way) in ways.enumerate() {
                if self.run.is_late(KNOWING) {
                    break;
                }
                let wanted = [&base[..], &[way]].concat();
                let coded = coded(means, &wanted)?;
                if seen.contains(&coded) {
                    continue;
                }
                let done = (round as f64 + k as f64 / (2 * bounds) as f64) / WAYS as f64;
                if self.consider(None, &coded, (Stage::Knowing, done))? {
                    (chosen, known) = (wanted, coded.clone());
                }
                seen.push(coded);
            }
        }
        Ok((chosen, known))
    }

    /// States that help, for a model with these backgrounds; `amount` is how much data the model is for, as a multiple of what was
    /// learned from.
    fn states(
        &mut self,
        seen: &[Seen],
        amount: f64,
        known: &[CodedBackground],
    ) -> Result<Option<Priors>, FinetuneError> {
        let old = self.parent.priors().cloned().unwrap_or_default();
        let (mut best, mut last, mut worse) = (None, None, 0);
        for (k, factor) in TRIED.into_iter().enumerate() {
            if worse >= 2 || k > 1 && self.run.is_late(1.0) {
                break;
            }
            let wanted = tune(&old, seen, &Knob { amount: factor * amount, ..Knob::default() });
            if wanted == Priors::default() || last.as_ref() == Some(&wanted) {
                continue;
            }
            if self.consider(Some(&wanted), known, (Stage::Trying, k as f64 / TRIED.len() as f64))? {
                best = Some(wanted.clone());
                worse = 0;
            } else {
                worse += 1;
            }
            last = Some(wanted);
        }
        Ok(best)
    }
}

/// What a model makes of what is held out.
struct Judged {
    /// Mean ratio after ÷ before, with the model's bytes counted over the data that it is for.
    gain: f64,
    after: Vec<u64>,
}

/// All steps of all variables.
fn whole(subjects: &[Subject]) -> Vec<(View<'_>, &Subject)> {
    let steps = |s: &Subject| s.source.shape().first().copied();
    subjects.iter().filter_map(|s| Some((View::new(&*s.source, 0..steps(s)?), s))).collect()
}

fn own_bytes(model: &LoadedModel) -> u64 {
    model.files().iter().map(|f| f.len() as u64).sum()
}

fn bytes_of(source: &dyn Source) -> u64 {
    source.shape().iter().product::<u64>() * source.dtype().size() as u64
}

/// What is held out of each variable, and the steps to learn from. The last variable is held out whole where none has steps
/// to spare.
#[allow(clippy::type_complexity)]
fn split(subjects: &[Subject], holdout: f64) -> Result<(Vec<Held<'_>>, Vec<(View<'_>, &Subject)>), FinetuneError> {
    let steps =
        |s: &Subject| if s.source.shape().contains(&0) { 0 } else { s.source.shape().first().copied().unwrap_or(0) };
    let (mut held, mut train) = (Vec::new(), Vec::new());
    for subject in subjects {
        let n = steps(subject);
        let out = ((n as f64 * holdout).round() as u64).clamp(1, n.max(2) - 1);
        if n < 2 {
            continue;
        }
        let values = subject.source.shape()[1..].iter().product::<u64>().max(1);
        let coded = out.min((MOST_HELD_OUT / values).max(1));
        train.push((View::new(&*subject.source, 0..n - out), subject));
        held.push(Held { view: View::new(&*subject.source, n - out..n - out + coded), subject });
    }
    if held.is_empty() {
        let whole: Vec<&Subject> = subjects.iter().filter(|s| steps(s) == 1).collect();
        let Some((last, others)) = whole.split_last().filter(|(_, others)| !others.is_empty()) else {
            let what = "too little to learn from: two steps along the first axis, or two variables, are the least";
            return Err(FinetuneError::Invalid(what.into()));
        };
        held.push(Held { view: View::new(&*last.source, 0..1), subject: last });
        train.extend(others.iter().map(|s| (View::new(&*s.source, 0..1), *s)));
    } else {
        // Variables of a single step are only learned from.
        let single = subjects.iter().filter(|s| steps(s) == 1);
        train.extend(single.map(|s| (View::new(&*s.source, 0..1), s)));
    }
    Ok((held, train))
}

/// The journal, new or that of a run that was broken off.
fn journal(parent: &LoadedModel, subjects: &[Subject], options: &FinetuneOptions) -> Result<Journal, FinetuneError> {
    let Some(path) = &options.journal else { return Ok(Journal::nowhere()) };
    let named = |s: &Subject| {
        format!("{} {} {:?} {:?} {:?}", s.name, s.source.dtype().name(), s.source.shape(), s.fill, s.bounds)
    };
    let subjects: Vec<String> = subjects.iter().map(named).collect();
    // Findings of another order are others'.
    let about = format!(
        "{ORDER}\n{:#}\n{}\n{} {} {} {:?}",
        parent.id(),
        subjects.join("\n"),
        options.holdout,
        options.amount,
        options.name,
        options.steps,
    );
    let failed = |error| FinetuneError::Journal { path: path.display().to_string(), error };
    if !options.resume {
        return Journal::create(path, &about).map_err(failed);
    }
    let other = || failed(io::Error::other("is of a run with other fields or options: remove it to begin anew"));
    Journal::open(path, &about).map_err(failed)?.ok_or_else(other)
}

impl Run<'_> {
    /// Whether this part of the time that the run may take is over.
    fn is_late(&self, part: f64) -> bool {
        self.options.steps.is_none() && self.spent() > part * 60.0 * self.options.minutes
    }

    fn spent(&self) -> f64 {
        self.earlier + self.begun.elapsed().as_secs_f64()
    }

    /// The next finding: from the journal, or by work, and then kept.
    fn find(
        &mut self,
        stage: Stage,
        done: f64,
        work: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<Vec<u8>, FinetuneError> {
        if let Some(found) = self.journal.next()
            && let Some((seconds, finding)) = found.split_first_chunk::<8>()
        {
            self.earlier += f64::from_le_bytes(*seconds);
            return Ok(finding.to_vec());
        }
        if !(self.on)(stage, done) {
            return Err(FinetuneError::Interrupted);
        }
        let begun = Instant::now();
        let finding = work()?;
        let mut entry = begun.elapsed().as_secs_f64().to_le_bytes().to_vec();
        entry.extend_from_slice(&finding);
        let path = self.options.journal.as_deref().map(|p| p.display().to_string()).unwrap_or_default();
        self.journal.write(&entry).map_err(|error| FinetuneError::Journal { path, error })?;
        Ok(finding)
    }

    /// Bytes of files of what is held out, but for the model's own.
    fn size(
        &mut self,
        held: &[Held<'_>],
        bound: usize,
        model: &ModelChoice,
        stage: Stage,
        done: f64,
    ) -> Result<u64, FinetuneError> {
        let mut sum = 0;
        for h in held {
            let found = self.find(stage.clone(), done, || {
                let mut options = EncodeOptions::new(h.subject.bounds[bound]);
                options.fill = h.subject.fill.map(Fill::Bits);
                (options.model, options.embed_model, options.verify) = (model.clone(), true, false);
                let file = encode_to_vec(&VariableMeta::default(), &h.view, &options)?;
                let inside: u64 =
                    scicodec::Reader::from_bytes(file.clone())?.models().iter().filter_map(|m| m.embedded).sum();
                Ok((file.len() as u64 - inside).to_le_bytes().to_vec())
            })?;
            sum += found.try_into().map_or(0, u64::from_le_bytes);
        }
        Ok(sum)
    }

    /// Codes what is held out with a model.
    fn judge(
        &mut self,
        held: &[Held<'_>],
        sizes: &[Sizes],
        model: &Arc<LoadedModel>,
        (stage, done): (Stage, f64),
    ) -> Result<Judged, FinetuneError> {
        let (own, held_bytes) = (own_bytes(model), held.iter().map(|h| bytes_of(&h.view)).sum::<u64>());
        let times = self.options.amount / held_bytes as f64;
        let (mut after, mut gain) = (Vec::new(), 0.0);
        for (bound, s) in sizes.iter().enumerate() {
            let bytes = self.size(held, bound, &ModelChoice::Given(model.clone()), stage.clone(), done)?;
            gain += (s.before as f64 * times / (bytes as f64 * times + own as f64)).ln();
            after.push(bytes);
        }
        Ok(Judged { gain: (gain / sizes.len() as f64).exp(), after })
    }

    /// What coders learn from a piece.
    fn learn(&mut self, piece: &Piece, parent: &Arc<LoadedModel>, done: f64) -> Result<Seen, FinetuneError> {
        let found = self.find(Stage::Learning, done, || {
            let request = ChunkRequest {
                dtype: piece.dtype,
                shape: &piece.shape,
                data: &piece.data,
                bound: piece.bound,
                fill: piece.fill,
                effort: Effort::Default,
                model: ModelChoice::Given(parent.clone()),
            };
            let mut out = Vec::new();
            for states in learned_states(&request, &[true, false])? {
                put(&mut out, states);
            }
            Ok(out)
        })?;
        let mut rest = &found[..];
        let afresh = take(&mut rest)?;
        Ok(Seen { afresh, primed: take(&mut rest)? })
    }
}

/// States as bytes, one place after another: a journal's, which only this program reads.
fn put(out: &mut Vec<u8>, states: Vec<(Place, States)>) {
    out.extend((states.len() as u32).to_le_bytes());
    for (place, mut s) in states {
        // Weights that a model could not hold are cut off.
        s.logits.iter_mut().flatten().for_each(|w| *w = (*w).clamp(-(1 << 19), (1 << 19) - 1));
        let mut one = Priors::default();
        one.set(place, s);
        let bytes = one.write();
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    }
}

fn take(bytes: &mut &[u8]) -> Result<Vec<(Place, States)>, Error> {
    let number = |bytes: &mut &[u8]| {
        let (n, rest) = bytes.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        *bytes = rest;
        u32::from_le_bytes(*n) as usize
    };
    let mut all = Vec::new();
    for _ in 0..number(bytes) {
        let length = number(bytes).min(bytes.len());
        let (one, rest) = bytes.split_at(length);
        *bytes = rest;
        let priors = Priors::read(one)?;
        all.extend(Place::ALL.into_iter().filter_map(|p| Some((p, priors.of(p)?.clone()))));
    }
    Ok(all)
}
