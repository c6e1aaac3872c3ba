//! `scicodec model`: the models at hand; and how the other verbs find the one that they were given.
use crate::{
    args::{ModelArgs, ModelVerb, Talk},
    failure::{Failure, Outcome, about, display},
    prime, text,
};
use scicodec::{LoadedModel, ModelChoice, Models, Reader, learned, models_folder, network::ModelId};
use scicodec_io::{OutputFile, Overwrite};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Fewest digits of a digest that name a model.
const FEWEST_DIGITS: usize = 6;
/// The card beside a model that training leaves.
const CARD: &str = "card.md";

/// A model that was found.
pub struct Found {
    pub model: Arc<LoadedModel>,
    origin: &'static str,
    path: Option<PathBuf>,
    card: Option<String>,
}

pub fn run(args: &ModelArgs) -> Outcome {
    match &args.verb {
        ModelVerb::List { json, .. } => list(*json),
        ModelVerb::Show { model, json, .. } => show(&find(model)?, *json),
        ModelVerb::Export { model, output, force, talk } => export(&find(model)?, output, *force, talk),
        ModelVerb::Prime(args) => prime::run(args),
        ModelVerb::Import { files, talk } => files.iter().try_for_each(|file| import(file, talk)),
    }
}

/// The model that `encode` may use: `none`, `default`, a file, or digits of a digest.
pub fn choice(word: &str) -> Outcome<ModelChoice> {
    Ok(match word {
        "none" => ModelChoice::None,
        "default" => ModelChoice::Default,
        word => ModelChoice::Given(find(word)?.model),
    })
}

/// Opens a file, with a model that its chunks may name.
pub fn open(path: &Path, model: Option<&String>) -> Outcome<Reader> {
    let mut reader = Reader::open(path).map_err(about(path))?;
    if let Some(word) = model {
        reader.add_model(find(word)?.model);
    }
    Ok(reader)
}

/// The model that a word of the command line means.
pub fn find(word: &str) -> Outcome<Found> {
    let path = Path::new(word);
    if word == "default" {
        return shipped().into_iter().nth(usize::from(learned::DEFAULT) - 1).ok_or_else(|| missing(word));
    }
    if path.is_file() {
        let model = read(path)?;
        let card = std::fs::read_to_string(path.with_file_name(CARD)).ok();
        let card = card.filter(|card| card.contains(&format!("{:#}", model.id())));
        return Ok(Found { model, origin: "file", path: Some(path.to_owned()), card });
    }
    let digits = word.to_ascii_lowercase();
    if digits.len() < FEWEST_DIGITS || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(missing(word));
    }
    let begins = |id: &ModelId| format!("{id:#}").starts_with(&digits);
    let mut found: Vec<Found> = shipped().into_iter().filter(|f| begins(&f.model.id())).collect();
    let mut problem = None;
    let ids = Models::installed().list().map_err(Failure::new)?;
    for id in ids.into_iter().filter(begins) {
        if found.iter().any(|f| f.model.id() == id) {
            continue;
        }
        match installed(id) {
            Ok(model) => found.push(model),
            Err(e) => problem = Some(e),
        }
    }
    match (found.len(), problem) {
        (1, _) => found.pop().ok_or_else(|| missing(word)),
        (0, Some(e)) => Err(e),
        (0, None) => Err(missing(word)),
        (n, _) => Err(Failure::new(format!("{n} models have a digest that begins with {word}: give more digits"))),
    }
}

fn missing(word: &str) -> Failure {
    let what =
        format!("no file, and no model at hand has a digest that begins with it ({FEWEST_DIGITS} digits at least)");
    Failure::new(format!("model {word}: {what}; see scicodec model list"))
}

fn read(path: &Path) -> Outcome<Arc<LoadedModel>> {
    let bytes = std::fs::read(path).map_err(about(path))?;
    Models::installed().read(&bytes).map(Arc::new).map_err(about(path))
}

fn shipped() -> Vec<Found> {
    let found = |(model, card): (&Arc<LoadedModel>, &str)| Found {
        model: model.clone(),
        origin: "shipped",
        path: None,
        card: Some(card.to_owned()),
    };
    learned::shipped().map(found).collect()
}

fn installed(id: ModelId) -> Outcome<Found> {
    let path = models_folder().unwrap_or_default().join(format!("{id:#}.scm"));
    let model = Models::installed().find(id, None).map_err(about(&path))?;
    let card = std::fs::read_to_string(path.with_extension("md")).ok();
    Ok(Found { model, origin: "installed", path: Some(path), card })
}

fn list(as_json: bool) -> Outcome {
    let mut all = shipped();
    let mut unreadable = Vec::new();
    for id in Models::installed().list().map_err(Failure::new)? {
        match installed(id) {
            Ok(found) => all.push(found),
            Err(e) => unreadable.push((id, e.message)),
        }
    }
    let folder = models_folder().map(|f| display(&f));
    if as_json {
        let mut models: Vec<Value> = all.iter().map(describe).collect();
        models.extend(unreadable.iter().map(|(id, e)| json!({ "id": format!("{id:#}"), "error": e })));
        return text::result_json(&json!({ "folder": folder, "models": models }));
    }
    let mut out =
        format!("{:<16}  {:<9}  {:>9}  {:>6}  {:>10}  name\n", "id", "where", "bytes", "layers", "parameters");
    for (k, f) in all.iter().enumerate() {
        let (layers, parameters) = size(f);
        let default = if k + 1 == usize::from(learned::DEFAULT) { " (default)" } else { "" };
        let (id, bytes) = (format!("{:#}", f.model.id()), f.model.model().write().len());
        let name = f.model.model().name();
        out.push_str(&format!(
            "{:.16}  {:<9}  {bytes:>9}  {layers:>6}  {parameters:>10}  {name}{default}\n",
            id, f.origin
        ));
    }
    for (id, error) in unreadable {
        out.push_str(&format!("{:.16}  not to be used: {error}\n", format!("{id:#}")));
    }
    if let Some(folder) = folder {
        out.push_str(&format!("installed models are in {folder}\n"));
    }
    text::result(&out)
}

/// Layers and parameters of all networks.
fn size(found: &Found) -> (usize, usize) {
    let networks = found.model.model().networks();
    (networks.iter().map(|n| n.layers()).sum(), networks.iter().map(|n| n.parameters()).sum())
}

/// What a model is for, in words.
fn kind(found: &Found) -> String {
    let networks = found.model.model().networks();
    let inputs = |name: &str| networks.iter().find(|n| n.name() == name).map_or(0, |n| n.graph().channels);
    let conditions = networks.iter().map(|n| n.graph().conditions).max().unwrap_or(0);
    format!(
        "guides interpolation: {} channels and {conditions} conditions of a pass, {} channels of a point",
        inputs("passes"),
        inputs("points"),
    )
}

fn describe(found: &Found) -> Value {
    let model = found.model.model();
    let (layers, parameters) = size(found);
    let network = |n: &scicodec::network::Network| {
        json!({
            "name": n.name(),
            "input_channels": n.graph().channels,
            "output_channels": n.output_channels(),
            "conditions": n.graph().conditions,
            "layers": n.layers(),
            "parameters": n.parameters(),
            "multiplications_per_point": n.multiplications_per_point(),
        })
    };
    let notes: serde_json::Map<String, Value> = model.notes().into_iter().map(|(k, v)| (k, json!(v))).collect();
    json!({
        "id": format!("{:#}", model.id()),
        "name": model.name(),
        "where": found.origin,
        "path": found.path.as_deref().map(display),
        "bytes": model.write().len(),
        "layers": layers,
        "parameters": parameters,
        "kind": kind(found),
        "states": model.priors().map_or(0, |p| p.len()),
        "backgrounds": model.backgrounds().iter().map(|b| b.shape().to_vec()).collect::<Vec<_>>(),
        "networks": model.networks().iter().map(network).collect::<Vec<_>>(),
        "parents": model.parents().iter().map(|id| format!("{id:#}")).collect::<Vec<_>>(),
        "lineage": model.lineage().iter().map(|id| format!("{id:#}")).collect::<Vec<_>>(),
        "notes": notes,
    })
}

fn show(found: &Found, as_json: bool) -> Outcome {
    if as_json {
        let mut value = describe(found);
        value["card"] = json!(found.card);
        return text::result_json(&value);
    }
    let model = found.model.model();
    let (layers, parameters) = size(found);
    let mut out = format!("{:#}\n", model.id());
    let mut line = |label: &str, value: String| out.push_str(&format!("  {label:<12} {value}\n"));
    line("name", model.name().to_owned());
    line("where", found.path.as_deref().map_or("ships with the program".into(), display));
    line("size", format!("{}, {layers} layers, {parameters} parameters", text::bytes(model.write().len() as u64)));
    line("kind", kind(found));
    for n in model.networks() {
        let (c, o, m) = (n.graph().channels, n.output_channels(), n.multiplications_per_point());
        line("network", format!("{:?}: {c} channels -> {o}, {m} multiplications per point", n.name()));
    }
    if let Some(priors) = model.priors() {
        line("states", format!("{} for coders of integers to start from", priors.len()));
    }
    for b in model.backgrounds() {
        let extents: Vec<String> = b.shape().iter().map(usize::to_string).collect();
        line("background", extents.join(" x "));
    }
    for id in model.lineage() {
        let how = if model.parents().contains(&id) { "stands on" } else { "went on from" };
        line(how, format!("{id:#}"));
    }
    for (key, value) in model.notes() {
        line(&key, value);
    }
    if let Some(data) = found.card.as_deref().and_then(data_of) {
        out.push_str(&format!("\n{data}\n"));
    }
    text::result(&out)
}

/// What a card says of data and licences.
fn data_of(card: &str) -> Option<&str> {
    let (_, after) = card.split_once("\n## Data\n")?;
    Some(after.split("\n## ").next().unwrap_or(after).trim())
}

fn export(found: &Found, output: &Path, force: bool, talk: &Talk) -> Outcome {
    let overwrite = if force { Overwrite::Allow } else { Overwrite::Refuse };
    let mut file = OutputFile::create(output, overwrite).map_err(about(output))?;
    file.write_all(&found.model.model().write()).map_err(about(output))?;
    file.finish().map_err(about(output))?;
    if !talk.quiet {
        text::remark(&format!("model {:#} -> {}", found.model.id(), display(output)));
    }
    Ok(())
}

fn import(file: &Path, talk: &Talk) -> Outcome {
    let found = find_file(file)?;
    let path = Models::installed().install(&found.model).map_err(about(file))?;
    if let Some(card) = &found.card {
        let beside = path.with_extension("md");
        std::fs::write(&beside, card).map_err(about(&beside))?;
    }
    if !talk.quiet {
        text::remark(&format!("model {:#} -> {}", found.model.id(), display(&path)));
    }
    Ok(())
}

/// A file and no word for a model.
fn find_file(path: &Path) -> Outcome<Found> {
    match path.to_str() {
        Some(word) if path.is_file() => find(word),
        _ => Err(Failure::new(format!("{}: no such file", display(path)))),
    }
}
