//! `scicodec decode`: a variable, or a box of it, out of a `.scz` file.
use crate::{
    args::DecodeArgs,
    decode_dataset,
    failure::{Failure, Outcome, about, display},
    interrupt::{self, InterruptibleSink},
    model,
    progress::Bar,
    text,
};
use scicodec::{Progress, Reader, Region, Variable};
use scicodec_io::{
    ArrayFormat, ArrayWriter, OutputFile, Overwrite,
    conventions::{Kind, interpret},
};
use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Instant,
};

pub fn run(args: &DecodeArgs) -> Outcome {
    let to_stdout = args.stdout || args.output.as_ref().is_some_and(|o| o.as_os_str() == "-");
    if to_stdout {
        text::refuse_terminal()?;
    }
    let reader = Arc::new(model::open(&args.input, args.model.as_ref())?);
    if let (Some((output, format)), false) = (decode_dataset::output(args, &reader), to_stdout) {
        return decode_dataset::run(args, &reader, &output, format);
    }
    let index = find_variable(&reader, args)?;
    let variable = &reader.variables()[index];
    let region = match &args.region {
        Some(words) => Some(Region::parse(words, &variable.shape).map_err(Failure::new)?),
        None => None,
    };
    let shape = match &region {
        Some(region) => region.shape(),
        None => variable.shape.clone(),
    };

    let begun = Instant::now();
    let bar = Bar::new(&variable.name, args.talk.quiet);
    let progress = |p: Progress| bar.set(p.done, p.total);
    let decode_into = |sink: &mut dyn Write, name: &Path, format: ArrayFormat| -> Outcome {
        let writer = ArrayWriter::new(sink, format, variable.dtype, &shape).map_err(about(name))?;
        let mut sink = InterruptibleSink(writer);
        reader.decode_to(index, region.as_ref(), args.threads, &mut sink, &progress).map_err(|e| match e {
            // The file is mapped and the index is read: what fails now is the output.
            scicodec::Error::Io(e) => about(name)(e),
            other => about(&args.input)(other),
        })?;
        sink.flush().map_err(about(name))
    };
    let output = if to_stdout {
        decode_into(&mut io::stdout().lock(), Path::new("standard output"), ArrayFormat::Npy)?;
        None
    } else {
        let path = args.output.clone().unwrap_or_else(|| args.input.with_extension("npy"));
        let overwrite = if args.force { Overwrite::Allow } else { Overwrite::Refuse };
        interrupt::writing(None);
        let mut file = OutputFile::create(&path, overwrite).map_err(about(&path))?;
        interrupt::writing(file.temporary_path());
        decode_into(&mut file, &path, ArrayFormat::of(&path))?;
        interrupt::finishing()?;
        file.finish().map_err(about(&path))?;
        Some(path)
    };
    drop(bar);

    let seconds = begun.elapsed().as_secs_f64();
    let bytes = shape.iter().product::<u64>() * variable.dtype.size() as u64;
    if !args.talk.quiet {
        text::remark(&format!(
            "{}: {} of shape {} ({}), {} -> {}",
            variable.name,
            variable.dtype.name(),
            text::extents(&shape),
            text::bytes(bytes),
            text::speed(bytes, seconds),
            output.as_deref().map_or("standard output".into(), display),
        ));
    }
    if args.json {
        text::result_json(&serde_json::json!({
            "output": output.as_deref().map(display),
            "variable": variable.name,
            "dtype": variable.dtype.name(),
            "shape": shape,
            "bytes": bytes,
            "seconds": seconds,
        }))?;
    }
    Ok(())
}

/// The variable that was asked for, or the only one that is an array.
pub fn find_variable(reader: &Reader, args: &DecodeArgs) -> Outcome<usize> {
    let is_array = |v: &Variable| matches!(interpret(&v.name, &v.attributes).1, Kind::Array(_));
    let arrays: Vec<usize> = (0..reader.variables().len()).filter(|&k| is_array(&reader.variables()[k])).collect();
    let name = |k: &usize| reader.variables()[*k].name.as_str();
    let names = || arrays.iter().map(name).collect::<Vec<_>>().join(", ");
    let file = display(&args.input);
    match (&args.var, arrays.as_slice()) {
        (Some(wanted), _) => {
            let found = arrays.iter().find(|k| name(k) == wanted).copied();
            found.ok_or_else(|| Failure::new(format!("{file}: no variable {wanted:?}; it has {}", names())))
        }
        (None, [one]) => Ok(*one),
        (None, []) => Err(Failure::new(format!("{file}: has no variables"))),
        (None, _) => Err(Failure::usage(format!("{file} has several variables; give one with --var: {}", names()))),
    }
}
