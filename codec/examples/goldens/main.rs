//! Writes golden files of the format version that is written: once, before its bits are frozen; later readers must decode
//! them to the same bits for ever.
//!
//! `cargo run --release -p scicodec --example goldens -- testdata/golden/2 container` adds the specimens whose names start
//! so, and their lines of the manifest; it refuses to touch files that are there, and fails if a base, map or flag is in
//! none of the golden folders.
#![allow(clippy::print_stdout)]
#[path = "../../tests/common/field.rs"]
mod field;
mod grounds;
#[path = "../../tests/common/latent_model.rs"]
mod latent_model;
#[path = "../../tests/common/moved.rs"]
mod moved;
mod numbered;
mod raster;
mod specimens;
mod wavelets;
use scicodec::network::{ModelBuilder, Operation};
use scicodec::*;
use sha2::{Digest, Sha256};
use specimens::{Specimen, specimens};
use std::collections::BTreeMap;
use std::error::Error as AnyError;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Names of the first bits of a body's flags (SPEC §4).
const FLAGS: [&str; 8] =
    ["masked", "exceptions", "logarithm", "fast", "mixture", "mixed masks", "zeros first", "states"];

/// Wavelets whose integers are of a trellis.
const TRELLIS: &str = "wavelet of a trellis";

/// Bases that are coded beside other chunks.
const BESIDE: [&str; 3] = ["interpolation beside others", "learned beside others", "wavelet beside others"];

/// Bases of which one on a background is in a golden file: what is added is the same for all.
const ON_BACKGROUNDS: [&str; 3] = ["background-wavelet", "background-learned", "background-centred"];

fn main() -> Result<(), Box<dyn AnyError>> {
    let folder = std::env::args().nth(1).ok_or("usage: goldens FOLDER [PREFIX]")?;
    let prefix = std::env::args().nth(2).unwrap_or_default();
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let head = "file\tvariable\tname\tdtype\tshape\tsha256\n";
    let mut manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap_or_else(|_| head.into());
    for s in specimens().into_iter().filter(|s| s.file.starts_with(&prefix)) {
        let path = folder.join(format!("{}.scz", s.file));
        write(&path, &s)?;
        let reader = Reader::open(&path)?;
        for (i, v) in reader.variables().iter().enumerate() {
            let digest = Sha256::digest(little_endian(v.dtype, reader.decode(i, 1)?));
            let hex = digest.iter().fold(String::new(), |s, b| s + &format!("{b:02x}"));
            let shape: Vec<String> = v.shape.iter().map(u64::to_string).collect();
            let (dtype, shape) = (v.dtype.name(), shape.join(","));
            writeln!(manifest, "{}.scz\t{i}\t{}\t{dtype}\t{shape}\t{hex}", s.file, v.name)?;
        }
    }
    std::fs::write(folder.join("manifest.tsv"), manifest)?;
    let (mut covered, mut total) = (BTreeMap::<String, u64>::new(), 0);
    for folder in std::fs::read_dir(folder.parent().ok_or("a folder of goldens")?)? {
        for file in std::fs::read_dir(folder?.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == "scz") {
                let reader = Reader::open(&path)?;
                total += reader.length();
                cover(&reader, &mut covered)?;
            }
        }
    }
    println!("{total} bytes of files; chunks by what they use: {covered:#?}");
    let wanted = |n: &&str| *n != "unknown" && !n.starts_with("background-") || ON_BACKGROUNDS.contains(n);
    let bases = (0..=255).map(base_name).filter(wanted);
    let missing: Vec<_> =
        bases.chain(FLAGS).chain(["full mix", TRELLIS]).chain(BESIDE).filter(|&n| !covered.contains_key(n)).collect();
    if !missing.is_empty() {
        return Err(format!("no golden file has {missing:?}").into());
    }
    if total > 400_000 {
        return Err(format!("{total} bytes of golden files are too many").into());
    }
    Ok(())
}

/// The elements in little-endian order, whatever the machine.
fn little_endian(dtype: DType, mut bytes: Vec<u8>) -> Vec<u8> {
    if cfg!(target_endian = "big") {
        bytes.chunks_mut(dtype.size()).for_each(<[u8]>::reverse);
    }
    bytes
}

fn write(path: &Path, s: &Specimen) -> Result<(), Box<dyn AnyError>> {
    let quiet = |_: Progress| {};
    let mut encoder = Encoder::create(path, Overwrite::Refuse)?;
    for (k, v) in s.variables.iter().enumerate() {
        let mut meta = VariableMeta { name: v.name.into(), ..VariableMeta::default() };
        if k == 1 {
            meta.units = "K".into();
            meta.attributes = vec![("long_name".into(), "température".into())];
            meta.dimensions = (0..v.shape.len()).map(|a| format!("axis{a}")).collect();
        }
        let shape: Vec<u64> = v.shape.iter().map(|&n| n as u64).collect();
        let data = field::to_bytes(v.dtype, &v.bits);
        let mut options = EncodeOptions::new(v.bound);
        (options.effort, options.threads) = (v.effort, 1);
        options.fill = v.fill.map(Fill::Bits);
        if s.file.starts_with("model-") {
            (options.model, options.embed_model) = (ModelChoice::Given(other_model()?), true);
        }
        if s.file.starts_with("latents-") {
            (options.model, options.embed_model) = (ModelChoice::Given(latent_model::latent_model()?), true);
        }
        if s.file.starts_with("delta-") {
            let parents = if s.file.ends_with("two") { 2 } else { 1 };
            (options.model, options.embed_model) = (ModelChoice::Given(tuned_model(parents)?), true);
        }
        if s.file.starts_with("background-") {
            (options.model, options.embed_model) = (ModelChoice::Given(knowing_mountains()?), true);
        }
        if s.file == "trellis-bare" {
            options.model = ModelChoice::None;
        }
        if s.file.starts_with("beside-") || s.file.contains("left-out-") {
            options.condition_on = ConditionOn::Auto;
        }
        if let Some(chunk) = &v.chunk {
            options.chunk = ChunkShape::Fixed(chunk.clone());
        }
        encoder.add_variable(&meta, &SliceSource::new(v.dtype, &shape, &data)?, &options, &quiet)?;
        if s.append {
            encoder.finish()?;
            encoder = Encoder::append(path)?;
            encoder.extend_variable(v.name, &SliceSource::new(v.dtype, &shape, &data)?, &options, &quiet)?;
        }
    }
    encoder.finish()?;
    Ok(())
}

/// The first model that shipped with another bias at its end: another model, which helps as well.
fn other_model() -> Result<Arc<LoadedModel>, Error> {
    let mut builder = ModelBuilder::new("another").notes(&[("data", "none of its own".into())])?;
    for network in learned::builtin(1)?.model().networks() {
        let mut graph = network.graph().clone();
        if let Some(Operation::Convolution(last)) = graph.operations.last_mut() {
            last.bias[0] += 1;
        }
        builder = builder.network(graph)?;
    }
    Ok(Arc::new(LoadedModel::new(builder.lineage(&[learned::builtin(1)?.id()])?.build()?)?))
}

/// A model that stands on the default one with states moved, or on another that does.
fn tuned_model(parents: usize) -> Result<Arc<LoadedModel>, Error> {
    let mut model = learned::builtin(2)?.clone();
    for k in 0..parents {
        let states = model.priors().map(|p| moved::moved(p, 11 + 7 * k)).unwrap_or_default();
        let child = ModelBuilder::on(model.model(), "tuned").priors_nearly(&states).build()?;
        model = Arc::new(LoadedModel::on(child, &model)?);
    }
    Ok(model)
}

/// A model that stands on the default one and knows of the mountains, and of a slope.
fn knowing_mountains() -> Result<Arc<LoadedModel>, Error> {
    let parent = learned::builtin(learned::DEFAULT)?;
    let [h, w] = [64, 76];
    let known: Vec<f32> = (0..h * w).map(|i| grounds::mountains((i / w) as f64, (i % w) as f64) as f32).collect();
    let slope = learned::CodedBackground::new(&[2, 1], &[0.0, 1.0], 1e-3)?;
    let all = [slope, learned::CodedBackground::new(&[h, w], &known, 0.003)?];
    let model = ModelBuilder::on(parent.model(), "mountains").backgrounds(&all).build()?;
    Ok(Arc::new(LoadedModel::on(model, parent)?))
}

/// Counts what the chunks of a file use.
fn cover(reader: &Reader, covered: &mut BTreeMap<String, u64>) -> Result<(), Box<dyn AnyError>> {
    let mut count = |name: &str| *covered.entry(name.into()).or_default() += 1;
    for (i, v) in reader.variables().iter().enumerate() {
        for c in &v.chunks {
            let Some(payload) = reader.container().payload(i, c.segment, c.ordinal)? else { continue };
            count(base_name(payload.header.base));
            if !payload.header.references.is_empty() {
                count(&format!("{} beside others", base_name(payload.header.base)));
            }
            let flags = payload.body.first().copied().unwrap_or(0);
            for (bit, name) in FLAGS.into_iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1) {
                let _ = bit;
                count(name);
            }
            if flags >> 3 & 3 == 0 {
                count("full mix");
            }
            // Without a model and references the wavelet's parameters are next.
            let bare = flags >> 7 == 0 && payload.header.references.is_empty();
            if bare
                && base_name(payload.header.base) == "wavelet"
                && payload.body.get(1).is_some_and(|f| f >> 5 & 1 == 1)
            {
                count(TRELLIS);
            }
        }
    }
    Ok(())
}
