//! What a run leaves for others: the integer model, the float weights that training can start from, and a card.
use crate::{
    Error, Score, Standing, TrainingField,
    coded::{CODED_BOUNDS, CodedScore},
    export,
    latents::LatentConfig,
    network::Network,
    run::write,
    validate::BOUNDS,
};
use burn::{
    module::{Module, ModuleMapper, Param},
    store::ModuleRecord,
    tensor::{Bytes, DType, Tensor},
};
use scicodec::network::{Model, ModelId};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

/// Name of the integer model in a run's folder.
pub const MODEL: &str = "network.scm";
/// Name of the float weights, in 16 bits, in burn's own format.
pub const FLOATS: &str = "network.bpk";
/// Name of the card.
pub const CARD: &str = "card.md";

struct ToHalf;

impl ModuleMapper for ToHalf {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|t| t.cast(DType::F16))
    }
}

/// Writes the float weights.
pub fn write_floats(network: Network, path: &Path) -> Result<(), Error> {
    let record = network.map(&mut ToHalf).into_record().into_bytes();
    let bytes = record.map_err(|e| Error::InvalidArgument(format!("cannot record the network: {e:?}")))?;
    let partial = path.with_extension("partial");
    fs::write(&partial, &bytes[..]).map_err(Error::io(&partial))?;
    fs::rename(&partial, path).map_err(Error::io(path))
}

/// A network with the float weights of a file. Errors: `Io`; `Corrupt` where they are not those of such a network.
pub fn read_floats(network: Network, path: &Path) -> Result<Network, Error> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let corrupt =
        |e| Error::Corrupt { path: path.display().to_string(), what: format!("not weights of this network: {e:?}") };
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(corrupt)?;
    network.try_load_record(record.cast_to_module_dtype()).map_err(corrupt)
}

/// The integer model of a network, with what is to be known of it. The bytes depend on the run's steps, not on its time.
pub fn model(
    name: &str,
    network: &Network,
    parent: Option<&Model>,
    standing: &Standing,
    fields: &[&TrainingField],
) -> Result<Model, Error> {
    let step = standing.best.map_or(standing.step, |b| b.step);
    let lineage: Vec<ModelId> = standing.lineage.iter().filter_map(|id| ModelId::parse(id)).collect();
    let notes = [
        ("data", format!("{} fields of these families: {}", fields.len(), families(fields))),
        ("licence", "that of the sources of the data".into()),
        ("training", format!("{step} steps, seed {}", standing.seed)),
    ];
    let builder = export::builder(name, network, parent)?.notes(&notes)?;
    let builder = if lineage.is_empty() { builder } else { builder.lineage(&lineage)? };
    Ok(builder.build()?)
}

fn families(fields: &[&TrainingField]) -> String {
    let names: BTreeSet<&str> = fields.iter().map(|f| f.family()).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Writes an integer model.
pub fn write_model(model: &Model, path: &Path) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    fs::write(&partial, model.write()).map_err(Error::io(&partial))?;
    fs::rename(&partial, path).map_err(Error::io(path))
}

/// What a card tells.
pub struct Card<'a> {
    /// The run.
    pub standing: &'a Standing,
    /// Id of the integer model.
    pub id: &'a str,
    /// The last validation, in floating point and of the integer network, and that of interpolation with one scale for every
    /// condition.
    pub scores: [Score; 3],
    /// What the network gains in files.
    pub coded: Option<CodedScore>,
    /// The fields learned from, and those kept for validation.
    pub fields: [Vec<&'a TrainingField>; 2],
}

/// Writes the model card.
pub fn write_card(card: &Card, path: &Path) -> Result<(), Error> {
    let (s, n) = (card.standing, &card.standing.config.network);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "# Model {}\n\n\
         Two networks that guide interpolation: from the known points around each new one and from those of the pass that were \
         coded before it, a correction of the prediction and a scale.\n\n\
         | | |\n|---|---|\n\
         | trunk | {} channels, {} blocks ({:?}), expansion {}, attention: {}; {} multiplications per point |\n\
         | head | {} and {} channels; {} multiplications per point |\n\
         | training | {} steps, {} windows of up to {} points, {:.0} minutes on {} |\n\
         {}| seed | {} |\n\
         | steps skipped (not finite) | {} |\n\
         | kept | the network of step {}, the best of those validated by the size of files |\n\n",
        card.id,
        n.width,
        n.blocks,
        n.spatial,
        n.expansion,
        if n.attention { "yes" } else { "no" },
        n.multiplications()[0],
        n.head[0],
        n.head[1],
        n.multiplications()[1],
        s.step,
        s.windows,
        s.config.training.window_points,
        s.seconds / 60.0,
        s.device,
        n.latents.as_ref().map_or(String::new(), told),
        s.seed,
        s.skipped,
        s.best.map_or(s.step, |b| b.step),
    );
    let row = |name: &str, score: &Score| {
        let parts: String = score.parts.iter().map(|p| format!(" {p:.4} |")).collect();
        format!("| {name} | {:.4} |{parts}\n", score.mean())
    };
    let heads: String = BOUNDS.iter().map(|b| format!(" rel={b:e} |")).collect();
    let lines = "---|".repeat(BOUNDS.len() + 2);
    let _ = write!(
        text,
        "## Validation\n\n\
         Ideal code lengths on fields of families not learned from, as a part of those of interpolation with the best single scale \
         per pass (geometric means; smaller is better). The real coder adapts to its surroundings also without a network, \
         so files gain less.\n\n\
         | | all |{heads}\n|{lines}\n{}{}{}\n\
         {}The course of the run: `curve.csv`, `validation.csv`, `curve.svg`.\n\n",
        row("no network, one scale for every condition", &card.scores[2]),
        row("floating point", &card.scores[0]),
        if n.latents.is_some() { String::new() } else { row("integer network", &card.scores[1]) },
        card.coded.map_or(String::new(), |c| gains(&c)),
    );
    let _ = write!(
        text,
        "## Data\n\n\
         Random crops of {} fields of these families (named by what stands before `__` in a file's name): {}. Kept for \
         validation, {} fields: {}. Crops are turned, mirrored, negated and thinned at random, encoded at random bounds from \
         1e-5 to 0.16 of their range{}, and cut to windows of passes.\n\n\
         Licences are those of the sources of the fields; weights hold no values of them.\n\n\
         ## Measured on fields never seen\n\nNot yet.\n\n\
         ## Training again\n\n\
         ```sh\nscicodec train DATA --out DIR --config config.toml --seed {}\n```\n\n\
         The same with `--resume` and more minutes goes on from `run.checkpoint`; `--start {FLOATS}` starts a new run from these weights.\n",
        card.fields[0].len(),
        families(&card.fields[0]),
        card.fields[1].len(),
        families(&card.fields[1]),
        s.config.training.sampler.as_ref().map_or("", |_| " with the corrections of an earlier model (`sampler`)"),
        s.seed,
    );
    write(path, &text)
}

/// What latents there are, as a row of a table.
fn told(l: &LatentConfig) -> String {
    format!(
        "| latents | {} channels, {} of hyper-latents, in {} turns; {} channels are told; analysis {:?} |\n",
        l.channels,
        l.hyper,
        1 + usize::from(l.context),
        l.features,
        l.spatial,
    )
}

/// What a network gains in files, as a line of text.
fn gains(coded: &CodedScore) -> String {
    let each: Vec<String> =
        CODED_BOUNDS.iter().zip(coded.gains).map(|((name, _), gain)| format!("{gain:.4} at {name}")).collect();
    format!(
        "Bytes without the network ÷ bytes with it, of parts of the same fields, coded by the program: {:.4} ({}).\n\n",
        coded.mean(),
        each.join(", ")
    )
}
