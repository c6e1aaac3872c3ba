//! `scicodec encode`: arrays in, a `.scz` file out.
use crate::{
    args::{ChunkArg, EncodeArgs, parse_fill},
    failure::{Failure, Outcome, about, display},
    interrupt::{self, Interruptible},
    model,
    progress::Bar,
    report, text,
};
use scicodec::{
    ChunkShape, EncodeOptions, Encoder, Fill, ModelChoice, Overwrite, Progress, Reader, Source, VariableMeta,
    VariableReport,
};
use scicodec_io::{Field, Format};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// One array to encode.
struct Item {
    from: PathBuf,
    meta: VariableMeta,
    source: Box<dyn Source + Send>,
    /// Whether it continues a variable that the file has already.
    extends: bool,
}

/// What became of it.
pub struct Encoded {
    pub name: String,
    pub report: VariableReport,
    pub seconds: f64,
    pub psnr: Option<f64>,
}

pub fn run(args: &EncodeArgs) -> Outcome {
    let output = output_path(args)?;
    let existing = existing_variables(args, &output)?;
    let mut items = open_inputs(args)?;
    for item in &mut items {
        item.extends = extends(item, &existing, &output)?;
    }
    let model = model::choice(&args.model)?;
    if args.embed_model && model == ModelChoice::None {
        return Err(Failure::usage("--embed-model without a model"));
    }
    let options = items.iter().map(|item| options(args, item, &model)).collect::<Outcome<Vec<_>>>()?;

    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    interrupt::writing(None);
    let mut encoder = match &existing {
        Some(_) => Encoder::append(&output),
        None => Encoder::create(&output, overwrite),
    }
    .map_err(about(&output))?;
    interrupt::writing(encoder.temporary_path());

    let mut done = Vec::new();
    for (item, options) in items.iter().zip(&options) {
        let bar = Bar::new(&item.meta.name, args.talk.quiet);
        let progress = |p: Progress| bar.set(p.done, p.total);
        let source = Interruptible::new(item.source.as_ref());
        let begun = Instant::now();
        let report = match item.extends {
            true => encoder.extend_variable(&item.meta.name, &source, options, &progress),
            false => encoder.add_variable(&item.meta, &source, options, &progress),
        }
        .map_err(|e| match e {
            // An error of reading is about the input, one of writing about the output.
            scicodec::Error::Io(e) if !source.failed() => about(&output)(e),
            other => about(&item.from)(other),
        })?;
        done.push(Encoded { name: item.meta.name.clone(), report, seconds: begun.elapsed().as_secs_f64(), psnr: None });
    }
    interrupt::finishing()?;
    encoder.finish().map_err(about(&output))?;
    tell(args, &output, existing.is_none(), done)
}

/// Says what was reached. The file is done; it is read again only for what its index holds.
fn tell(args: &EncodeArgs, output: &Path, new: bool, mut done: Vec<Encoded>) -> Outcome {
    let file = Reader::open(output).map_err(about(output))?;
    for one in &mut done {
        let variable = file.variables().iter().find(|v| v.name == one.name);
        one.psnr = variable.and_then(|v| report::psnr(v, one.report.rmse));
    }
    if !args.talk.quiet {
        for one in &done {
            // A new file of one variable is judged by its whole size, index and all.
            let bytes = if new && done.len() == 1 { file.length() } else { one.report.compressed_bytes };
            text::remark(&report::encoded_line(one, args.error_bound, bytes, output));
        }
    }
    if args.json {
        text::result_json(&report::encoded_json(output, &file, &done))?;
    }
    Ok(())
}

/// Where to write, refused where that would destroy something.
fn output_path(args: &EncodeArgs) -> Outcome<PathBuf> {
    let output = match (&args.output, args.inputs.as_slice()) {
        (Some(output), _) => output.clone(),
        (None, [one]) if one.as_os_str() == "-" => {
            return Err(Failure::usage("encoding standard input needs -o OUT.scz"));
        }
        (None, [one]) => one.with_extension("scz"),
        (None, _) => return Err(Failure::usage("several inputs need -o OUT.scz")),
    };
    if output.as_os_str() == "-" {
        return Err(Failure::usage("a .scz file is not written to standard output: its index needs a file"));
    }
    match std::fs::metadata(&output) {
        Ok(meta) if !meta.is_file() => Err(Failure::new(format!("{}: not a regular file", display(&output)))),
        Ok(_) if !args.force && !args.append => {
            Err(Failure::new(format!("{}: already exists; not overwritten (use -f, or --append)", display(&output))))
        }
        _ => Ok(output),
    }
}

/// A variable that the file has already: what an input must fit to continue it.
struct Existing {
    name: String,
    dtype: scicodec::DType,
    shape: Vec<u64>,
}

/// `None` where a new file is begun.
fn existing_variables(args: &EncodeArgs, output: &Path) -> Outcome<Option<Vec<Existing>>> {
    if !args.append || !output.exists() {
        return Ok(None);
    }
    let reader = Reader::open(output).map_err(about(output))?;
    let existing = |v: &scicodec::Variable| Existing { name: v.name.clone(), dtype: v.dtype, shape: v.shape.clone() };
    Ok(Some(reader.variables().iter().map(existing).collect()))
}

/// Opens every input before anything is written.
fn open_inputs(args: &EncodeArgs) -> Outcome<Vec<Item>> {
    let raw = args.raw.layout();
    let mut items = Vec::new();
    for path in &args.inputs {
        let data = match path.as_os_str() == "-" {
            true => scicodec_io::open_stdin(raw.as_ref()),
            false => scicodec_io::open(path, raw.as_ref()),
        }
        .map_err(about(path))?;
        if data.format == Format::Scz {
            return Err(Failure::new(format!("{}: is encoded already; decode it first", display(path))));
        }
        items.extend(data.fields.into_iter().map(|field| item(path, field)));
    }
    if args.var.len() > items.len() {
        return Err(Failure::usage(format!("--var names {} variables of {}", args.var.len(), items.len())));
    }
    for (item, name) in items.iter_mut().zip(&args.var) {
        item.meta.name.clone_from(name);
    }
    if let Some(units) = &args.units {
        items.iter_mut().for_each(|item| item.meta.units.clone_from(units));
    }
    for (k, item) in items.iter().enumerate() {
        if items[..k].iter().any(|before| before.meta.name == item.meta.name) {
            return Err(Failure::usage(format!("two inputs are named {:?}; give each a --var NAME", item.meta.name)));
        }
    }
    Ok(items)
}

fn item(path: &Path, field: Field) -> Item {
    let stem = || match path.file_stem() {
        Some(stem) if path.as_os_str() != "-" => stem.to_string_lossy().into_owned(),
        _ => "field".into(),
    };
    let meta = VariableMeta {
        name: field.name.unwrap_or_else(stem),
        units: field.units,
        attributes: field.attributes,
        dimensions: field.dimensions,
    };
    Item { from: path.to_owned(), meta, source: field.source, extends: false }
}

/// Whether an input continues a variable of the file, rather than being a new one.
fn extends(item: &Item, existing: &Option<Vec<Existing>>, output: &Path) -> Outcome<bool> {
    let Some(old) = existing.iter().flatten().find(|v| v.name == item.meta.name) else { return Ok(false) };
    let (dtype, shape) = (item.source.dtype(), item.source.shape());
    let fits =
        dtype == old.dtype && !shape.is_empty() && shape.len() == old.shape.len() && shape[1..] == old.shape[1..];
    if !fits {
        return Err(Failure::new(format!(
            "{}: {} of shape {} does not continue the variable {:?} of {}, {} of shape {}; --var NAME makes it another one",
            display(&item.from),
            dtype.name(),
            text::extents(shape),
            old.name,
            display(output),
            old.dtype.name(),
            text::extents(&old.shape),
        )));
    }
    Ok(true)
}

fn options(args: &EncodeArgs, item: &Item, model: &ModelChoice) -> Outcome<EncodeOptions> {
    scicodec::validate_bound(&args.error_bound, item.source.dtype()).map_err(about(&item.from))?;
    let mut options = EncodeOptions::new(args.error_bound);
    options.effort = args.effort.into();
    options.model = model.clone();
    options.embed_model = args.embed_model;
    options.chunk = match &args.chunk {
        ChunkArg::Auto => ChunkShape::Auto,
        ChunkArg::Fixed(extents) => ChunkShape::Fixed(extents.clone()),
    };
    options.fill = match &args.fill {
        Some(fill) => Some(Fill::Bits(parse_fill(fill, item.source.dtype()).map_err(Failure::new)?)),
        None => None,
    };
    options.threads = args.threads;
    options.verify = !args.no_verify;
    Ok(options)
}
