//! A whole run: chunks coded once, steps, and a folder with a model and a curve.
use super::{
    export::{graph, heard},
    loss,
    network::Network,
    samples::{BOUND_COUNT, Drawer, Piece, Samples},
    trainer::Trainer,
};
use crate::{
    Error,
    pool::generator,
    run::{split_families, write},
    weights::write_model,
};
use rayon::prelude::*;
use scicodec::network::{Kernel, Model, ModelBuilder, Network as IntegerNetwork, Scratch};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

/// Name of the model in a run's folder.
pub const WEIGHTS: &str = "weights.scm";
/// Name of the curve.
pub const CURVE: &str = "curve.csv";

/// Part of the families that is kept for validation.
const HELD_OUT: f64 = 0.1;
/// Samples that are kept of a chunk at most, and at least where all together would be more than these.
const OF_A_CHUNK: (usize, usize) = (1000, 60_000);
const IN_ALL: usize = 12 << 20;
/// Chunks that are coded before it is said how many are done.
const AT_A_TIME: usize = 64;
/// Steps from one validation to the next.
const VALIDATE_EVERY: u64 = 500;

/// What to do.
#[derive(Clone, Debug)]
pub struct CoefficientOptions {
    /// Folder for the model and the curve; made if it is not there.
    pub out: PathBuf,
    /// What [`crate::device`] takes.
    pub device: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Steps.
    pub steps: u64,
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CoefficientEvent {
    /// So many chunks are coded.
    Coded {
        /// Chunks done.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// There is one family of fields only: validation is on fields that were learned from.
    NothingHeldOut,
    /// A step was done.
    Step {
        /// Steps done.
        step: u64,
        /// Ideal bits of the coefficients that the network is asked about, as a part of all bits of their chunks, over the last
        /// hundred steps or so. Other bits stay, so that only what it falls by tells of a gain.
        loss: f64,
    },
    /// The network was validated.
    Validated {
        /// Steps done.
        step: u64,
        /// As of [`CoefficientEvent::Step`].
        loss: f64,
        /// The same of chunks kept for validation: the mean over chunks.
        validation: f64,
    },
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct CoefficientReport {
    /// Chunks learned from, and those kept for validation.
    pub chunks: [usize; 2],
    /// Samples of them.
    pub samples: [usize; 2],
    /// Steps skipped because something was not finite.
    pub skipped: u64,
    /// Ideal bits of coefficients as a part of all bits of the chunks kept for validation: the mean over chunks, by the network
    /// in floats and in integers.
    pub validation: [f64; 2],
    /// Id of the model.
    pub model: String,
    /// Its file.
    pub model_file: PathBuf,
}

/// Trains a network for coefficients of wavelets, and adds it to a model, which the new one stands on. `on` is told how it goes; if
/// it returns `false` the run ends, and nothing is written.
///
/// Errors: `InvalidArgument` where there is nothing to learn from, a model is in the folder already, or `on` ended it; `NoDevice`;
/// `Io`; `Codec`; `Diverged`.
pub fn train_coefficients(
    pieces: &[Piece],
    parent: &Model,
    options: &CoefficientOptions,
    on: &mut dyn FnMut(CoefficientEvent) -> bool,
) -> Result<CoefficientReport, Error> {
    let model_file = options.out.join(WEIGHTS);
    if model_file.exists() {
        let what = format!("{} is there already: choose another folder", model_file.display());
        return Err(Error::InvalidArgument(what));
    }
    fs::create_dir_all(&options.out).map_err(Error::io(&options.out))?;
    let mut trainer = Trainer::new(&options.device, options.seed)?;
    let (training, kept) = split_families(&pieces.iter().map(Piece::family).collect::<Vec<_>>(), HELD_OUT);
    if training == kept && !on(CoefficientEvent::NothingHeldOut) {
        return Err(ended());
    }
    let (learned, held) = gather(pieces, [&training, &kept], options.seed, on)?;
    if learned.count() == 0 {
        return Err(Error::InvalidArgument(
            "the fields are constant, or no wavelet suits them: nothing to learn".into(),
        ));
    }
    let drawer = Drawer::new(&learned);
    let mut curve = String::from("step,training,validation\n");
    let (mut mean, mut skipped) = (None, 0);
    while trainer.step < options.steps {
        match trainer.step(&drawer, options.steps)? {
            Some(loss) => mean = Some(mean.map_or(loss, |m| 0.98 * m + 0.02 * loss)),
            None => skipped += 1,
        }
        let (step, loss) = (trainer.step, mean.unwrap_or(f64::NAN));
        let mut wanted = on(CoefficientEvent::Step { step, loss });
        if step % VALIDATE_EVERY == 0 || step == options.steps {
            let validation = trainer.score(&held);
            // Writing to a string cannot fail.
            let _ = writeln!(curve, "{step},{loss:.5},{validation:.5}");
            wanted &= on(CoefficientEvent::Validated { step, loss, validation });
        }
        if !wanted {
            return Err(ended());
        }
    }
    let network = trainer.network();
    let validation = [trainer.score(&held), integer_score(&network, &held)?];
    let families: BTreeSet<&str> = training.iter().map(|k| pieces[*k].family()).collect();
    let model = model(&network, parent, &families, options)?;
    write_model(&model, &model_file)?;
    write(&options.out.join(CURVE), &curve)?;
    Ok(CoefficientReport {
        chunks: [learned.chunks, held.chunks],
        samples: [learned.count(), held.count()],
        skipped,
        validation,
        model: format!("{:#}", model.id()),
        model_file,
    })
}

fn ended() -> Error {
    Error::InvalidArgument("the run was ended; nothing was written".into())
}

/// Samples of two lists of pieces, each at all bounds. They depend on the seed and the order of pieces, not on the number of threads.
fn gather(
    pieces: &[Piece],
    lists: [&[usize]; 2],
    seed: u64,
    on: &mut dyn FnMut(CoefficientEvent) -> bool,
) -> Result<(Samples, Samples), Error> {
    let total = lists.iter().map(|l| l.len() * BOUND_COUNT).sum();
    let most = (IN_ALL / usize::max(total, 1)).clamp(OF_A_CHUNK.0, OF_A_CHUNK.1);
    let mut done = 0;
    let mut of = |list: &[usize]| {
        let mut all = Samples::default();
        let jobs: Vec<_> = list.iter().flat_map(|k| (0..BOUND_COUNT).map(move |bound| (*k, bound))).collect();
        for some in jobs.chunks(AT_A_TIME) {
            let samples = some.par_iter().map(|&(k, bound)| {
                Samples::of(&pieces[k], bound, most, &mut generator(seed, 23, (k * BOUND_COUNT + bound) as u64))
            });
            for samples in samples.collect::<Result<Vec<_>, Error>>()? {
                all.add(samples);
            }
            done += some.len();
            if !on(CoefficientEvent::Coded { done, total }) {
                return Err(ended());
            }
        }
        Ok(all)
    };
    Ok((of(lists[0])?, of(lists[1])?))
}

/// What samples cost by the integer network, as coders hear it.
fn integer_score(network: &Network, samples: &Samples) -> Result<f64, Error> {
    let integers = IntegerNetwork::new(graph(network)?, Kernel::choose()?)?;
    let mut scratch = Scratch::default();
    let mut said = Vec::with_capacity(samples.count());
    let channels = integers.graph().channels;
    for inputs in samples.inputs.chunks(channels << 12) {
        let out = integers.run(inputs, [1, 1, 1, inputs.len() / channels], 0, &mut scratch)?;
        said.extend(out.as_chunks::<2>().0.iter().map(|s| heard(*s)));
    }
    Ok(loss::score(samples, said.into_iter(), &loss::table(network)))
}

fn model(
    network: &Network,
    parent: &Model,
    families: &BTreeSet<&str>,
    options: &CoefficientOptions,
) -> Result<Model, Error> {
    let name = options.out.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let lineage: Vec<_> = [parent.id()].into_iter().chain(parent.lineage()).collect();
    let notes = [
        ("data", format!("fields of these families: {}", families.iter().copied().collect::<Vec<_>>().join(", "))),
        ("licence", "that of the sources of the data".into()),
        ("training", format!("of the network for coefficients: {} steps, seed {}", options.steps, options.seed)),
    ];
    let builder = ModelBuilder::on(parent, &name).network(graph(network)?)?;
    Ok(builder.notes(&notes)?.lineage(&lineage)?.build()?)
}
