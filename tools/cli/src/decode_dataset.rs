//! `scicodec decode` to netCDF and Zarr: all variables, or one with its coordinates.
use crate::{
    args::DecodeArgs,
    decode::find_variable,
    failure::{Outcome, about, display},
    interrupt,
    progress::Bar,
    text,
};
use scicodec::{DType, Reader, Region, Source};
use scicodec_io::{
    DatasetFile, DatasetFormat, Field, Overwrite, cf,
    conventions::{Kind, interpret},
};
use std::{
    cell::Cell,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Where a dataset is written to, where one is: by the name that was asked for, or by what the file was encoded from.
pub fn output(args: &DecodeArgs, reader: &Reader) -> Option<(PathBuf, DatasetFormat)> {
    if let Some(path) = &args.output {
        return Some((path.clone(), DatasetFormat::of(path)?));
    }
    let root = reader.variables().iter().find(|v| v.name == "/")?;
    let Kind::Group(root) = interpret(&root.name, &root.attributes).1 else { return None };
    let extension = if root.format.starts_with("zarr") { "zarr" } else { "nc" };
    let path = args.input.with_extension(extension);
    let format = DatasetFormat::of(&path)?;
    (args.var.is_none()).then_some((path, format))
}

pub fn run(args: &DecodeArgs, reader: &Arc<Reader>, output: &Path, format: DatasetFormat) -> Outcome {
    let begun = Instant::now();
    // A region is one of a single variable.
    let chosen = match args.var.is_some() || args.region.is_some() {
        true => Some(find_variable(reader, args)?),
        false => None,
    };
    let region = match (&args.region, chosen) {
        (Some(words), Some(k)) => {
            Some(Region::parse(words, &reader.variables()[k].shape).map_err(crate::failure::Failure::new)?)
        }
        _ => None,
    };
    let box_of = chosen.zip(region.as_ref());
    let mut data = scicodec_io::decoded(reader, box_of, args.threads);
    if let Some(k) = chosen {
        let name = &reader.variables()[k].name;
        let place = data.fields.iter().position(|f| f.name.as_ref() == Some(name));
        let kept = cf::with_coordinates(&data.fields, place.as_slice());
        let mut k = 0..;
        data.fields.retain(|_| k.next().is_some_and(|k| kept.contains(&k)));
    }
    for field in &mut data.fields {
        complete(field, reader);
        let source = std::mem::replace(&mut field.source, Box::new(Nothing));
        field.source = Box::new(Stoppable(source));
    }
    let total: u64 = data.fields.iter().map(|f| bytes(f.source.as_ref())).sum();

    let overwrite = if args.force { Overwrite::Allow } else { Overwrite::Refuse };
    interrupt::writing(None);
    let file = DatasetFile::create(output, format, overwrite).map_err(about(output))?;
    interrupt::writing(Some(file.temporary_path()));
    let bar = Bar::new(&display(output), args.talk.quiet);
    let done = Cell::new(0);
    let progress = |bytes: u64| {
        done.set(done.get() + bytes);
        bar.set(done.get(), total);
    };
    file.write(&data, &progress).map_err(|e| match e {
        scicodec_io::Error::Codec(e) => about(&args.input)(e),
        other => about(output)(other),
    })?;
    interrupt::finishing()?;
    file.finish().map_err(about(output))?;
    drop(bar);

    let seconds = begun.elapsed().as_secs_f64();
    if !args.talk.quiet {
        text::remark(&format!(
            "{} variable(s), {}, {} -> {}",
            data.fields.len(),
            text::bytes(total),
            text::speed(total, seconds),
            display(output)
        ));
    }
    if args.json {
        let names: Vec<_> = data.fields.iter().map(|f| f.name.clone()).collect();
        text::result_json(&serde_json::json!({
            "output": display(output),
            "variables": names,
            "bytes": total,
            "seconds": seconds,
        }))?;
    }
    Ok(())
}

fn bytes(source: &dyn Source) -> u64 {
    source.shape().iter().product::<u64>() * source.dtype().size() as u64
}

/// Adds the attributes that a file has only in its own words: units and fill value.
fn complete(field: &mut Field, reader: &Reader) {
    let Some(variable) = reader.variables().iter().find(|v| Some(&v.name) == field.name.as_ref()) else { return };
    let has = |field: &Field, name: &str| field.attributes.iter().any(|a| a.name == name);
    if !field.units.is_empty() {
        let value = scicodec_io::Value::Text(field.units.clone());
        match field.attributes.iter_mut().find(|a| a.name == "units") {
            Some(units) if units.value.text() == Some(&field.units) => {}
            Some(units) => units.value = value,
            None => field.attributes.push(scicodec_io::Attribute { name: "units".into(), value }),
        }
    }
    let fill = variable.fill.filter(|&bits| Some(bits) != cf::default_fill(variable.dtype));
    let undeclared = !has(field, "_FillValue") && !has(field, "missing_value");
    if let Some(value) = fill.filter(|_| undeclared).and_then(|bits| cf::fill_attribute(bits, variable.dtype)) {
        field.attributes.push(scicodec_io::Attribute { name: "_FillValue".into(), value });
    }
}

/// A source that fails once a signal has come.
struct Stoppable(Box<dyn Source + Send>);

impl Source for Stoppable {
    fn dtype(&self) -> DType {
        self.0.dtype()
    }

    fn shape(&self) -> &[u64] {
        self.0.shape()
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        if interrupt::raised() {
            return Err(io::Error::other("interrupted").into());
        }
        self.0.read(start, extent, out)
    }
}

/// Stands in while a source is wrapped.
struct Nothing;

impl Source for Nothing {
    fn dtype(&self) -> DType {
        DType::U8
    }

    fn shape(&self) -> &[u64] {
        &[0]
    }

    fn read(&self, _: &[u64], _: &[u64], _: &mut [u8]) -> Result<(), scicodec::Error> {
        Ok(())
    }
}
