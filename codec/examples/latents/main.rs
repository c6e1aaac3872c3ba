//! What chunks of fields take with models that were trained with latents, when nothing guides them without: the networks for
//! that are spoiled in those models. Others are taken as they are.
//!
//! `cargo run --release -p scicodec --example latents -- MODEL.scm... FIELD.npy...`, for fields of little-endian float32 in C
//! order, of which a part of at most 2^15 values in the middle is coded. Models stand on the one that ships.
#![allow(clippy::print_stdout)]
#[path = "../../tests/common/spoiled.rs"]
mod spoiled;
use scicodec::learned::builtin;
use scicodec::network::{Graph, Model, ModelId, ModelLimits};
use scicodec::*;
use std::error::Error as AnyError;
use std::path::Path;
use std::sync::Arc;

/// Most values of a part.
const MOST: usize = 1 << 15;
/// Bounds, in units of the range of the part; the last one is on the root mean squared error.
const BOUNDS: [(&str, f64); 4] = [("rel=1e-1", 1e-1), ("rel=1e-2", 1e-2), ("rel=1e-3", 1e-3), ("nrmse=1e-2", 1e-2)];

fn main() -> Result<(), Box<dyn AnyError>> {
    let mut models = vec![("none".to_owned(), ModelChoice::None), ("default".to_owned(), ModelChoice::Default)];
    let mut logs = Vec::new();
    for word in std::env::args().skip(1) {
        if word.ends_with(".scm") {
            models.push((word.clone(), ModelChoice::Given(Arc::new(load(Path::new(&word))?))));
            continue;
        }
        let (shape, values) = field(Path::new(&word))?;
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        for (b, (name, e)) in BOUNDS.into_iter().enumerate() {
            let e = e * f64::from(high - low);
            let bound = if b == 3 { ChunkBound::Rmse(e) } else { ChunkBound::Abs(e) };
            let mut line = format!("{word} {shape:?} {name}:");
            let mut row = Vec::new();
            for (_, model) in &models {
                let (dtype, effort, model) = (DType::F32, Effort::Default, model.clone());
                let request = ChunkRequest { dtype, shape: &shape, data: &data, bound, fill: None, effort, model };
                let chunk = encode_chunk(&request)?;
                row.push((chunk.body.len() as f64).ln());
                line += &format!(" {} ({})", chunk.body.len(), base_name(chunk.base));
            }
            println!("{line}");
            logs.push((b, row));
        }
    }
    for (k, (name, _)) in models.iter().enumerate() {
        let gain = |b: usize| {
            let of: Vec<f64> = logs.iter().filter(|l| l.0 == b).map(|l| l.1[0] - l.1[k]).collect();
            (of.iter().sum::<f64>() / of.len() as f64).exp()
        };
        println!("{name}: {:.4?} times smaller than without a model", (0..BOUNDS.len()).map(gain).collect::<Vec<_>>());
    }
    Ok(())
}

fn load(path: &Path) -> Result<LoadedModel, Box<dyn AnyError>> {
    let parent = builtin(2)?;
    let find = |_: ModelId| Ok(parent.model().clone());
    let model = Model::read_on(&std::fs::read(path)?, &ModelLimits::default(), &find)?;
    let model = match model.latents() {
        None => model,
        Some(tables) => {
            let latents = model.networks().iter().map(|n| n.graph()).filter(|g| g.name.starts_with("latents "));
            spoiled::model_of(tables, latents.cloned().collect::<Vec<Graph>>())?
        }
    };
    Ok(LoadedModel::on(model, parent)?)
}

/// Shape and values of the middle of a field.
fn field(path: &Path) -> Result<(Vec<usize>, Vec<f32>), Box<dyn AnyError>> {
    let bytes = std::fs::read(path)?;
    let other = || format!("{}: no .npy file of float32", path.display());
    let length = usize::from(*bytes.get(8).ok_or_else(other)?) + 256 * usize::from(*bytes.get(9).ok_or_else(other)?);
    let head = std::str::from_utf8(bytes.get(10..10 + length).ok_or_else(other)?)?;
    let shape = head.split(['(', ')']).nth(1).filter(|_| head.contains("'<f4'") && !head.contains("True"));
    let shape: Vec<usize> = shape.ok_or_else(other)?.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let all: Vec<f32> = bytes[10 + length..].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let mut extent = shape.clone();
    while extent.iter().product::<usize>() > MOST {
        let longest = (0..extent.len()).max_by_key(|&a| extent[a]).ok_or_else(other)?;
        extent[longest] = extent[longest] * 7 / 8;
    }
    let place = |mut i: usize| {
        let (mut at, mut stride) = (0, 1);
        for a in (0..extent.len()).rev() {
            at += (i % extent[a] + (shape[a] - extent[a]) / 2) * stride;
            (i, stride) = (i / extent[a], stride * shape[a]);
        }
        at
    };
    let values = (0..extent.iter().product()).map(|i| all.get(place(i)).copied().ok_or_else(other));
    Ok((extent.clone(), values.collect::<Result<_, _>>()?))
}
