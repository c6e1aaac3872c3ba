#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Compression ratios of every field of a folder at a list of bounds, each decoded and checked, as CSV on stdout.
//!
//! `ratios DIR [--effort default] [--model default|none] [--bounds rel=1e-1,...,nrmse=1e-4] [--filter TEXT] [--jobs N]`
use rayon::prelude::*;
use scicodec::{EncodeOptions, ModelChoice, Reader};
use scicodec_bench::{Result, field::Field, pipeline};
use std::path::PathBuf;

/// One row: the field as a whole file at this bound, decoded and checked.
fn measure(name: &str, f: &Field, kind: &str, value: &str, effort: &str, model: ModelChoice) -> Result<String> {
    let mut options = EncodeOptions::new(pipeline::parse_bound(kind, value)?);
    options.effort = pipeline::parse_effort(effort)?;
    options.model = model;
    options.threads = 1;
    options.verify = false; // checked here
    let (file, encode) = pipeline::encode(f, &options)?;
    let (out, decode) = pipeline::decode(&file, 1)?;
    let error = f.error_of(&out)?;
    let (range, limit) = (f.range(), value.parse::<f64>()?);
    let nrmse = error.rmse / range;
    let kept = match kind {
        "rel" => error.max <= limit * range,
        "nrmse" => nrmse <= limit,
        _ => return Err("only rel and nrmse are checked here".into()),
    };
    if !kept {
        return Err(format!("{name}: {kind}={value} is broken: maximum {}, nrmse {nrmse}", error.max).into());
    }
    let reader = Reader::from_bytes(file.clone())?;
    let bases: Vec<&str> = reader.variables()[0].chunks.iter().map(|c| scicodec::base_name(c.base)).collect();
    Ok(format!(
        "{},{kind},{value},{effort},{},{},{:.4},{:e},{nrmse:e},{},{:.4},{:.4}",
        name,
        f.bytes.len(),
        file.len(),
        f.bytes.len() as f64 / file.len() as f64,
        error.max,
        bases.first().unwrap_or(&"none"),
        encode.as_secs_f64(),
        decode.as_secs_f64()
    ))
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).cloned();
    let folder = args.first().ok_or("usage: ratios DIR [--effort E] [--bounds LIST] [--filter TEXT] [--jobs N]")?;
    let effort = option("--effort").unwrap_or_else(|| "default".into());
    let model = match option("--model").as_deref() {
        Some("none") => ModelChoice::None,
        Some("default") | None => ModelChoice::Default,
        Some(other) => return Err(format!("unknown model {other}").into()),
    };
    let bounds = option("--bounds").unwrap_or_else(|| {
        "rel=1e-1,rel=1e-2,rel=1e-3,rel=1e-4,rel=1e-5,rel=1e-6,nrmse=1e-2,nrmse=1e-3,nrmse=1e-4".into()
    });
    let filter = option("--filter").unwrap_or_default();
    let jobs = option("--jobs").map_or(Ok(1), |j| j.parse())?;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    files.retain(|p| p.extension().is_some_and(|e| e == "npy") && p.to_string_lossy().contains(&filter));
    files.sort();
    println!("field,kind,bound,effort,bytes_in,bytes_out,ratio,max_error,nrmse,base,encode_s,decode_s");
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?.install(|| {
        files.par_iter().with_max_len(1).for_each(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let rows = Field::read_npy(path).and_then(|f| {
                bounds
                    .split(',')
                    .map(|b| {
                        let (kind, value) = b.split_once('=').ok_or("bounds are KIND=VALUE")?;
                        measure(&name, &f, kind, value, &effort, model.clone())
                    })
                    .collect::<Result<Vec<_>>>()
            });
            match rows {
                Ok(rows) => println!("{}", rows.join("\n")),
                Err(e) => eprintln!("{}: {e}", path.display()),
            }
        });
    });
    Ok(())
}
