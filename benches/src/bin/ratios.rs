#![allow(clippy::print_stdout, clippy::print_stderr)]
//! Compression ratios of every field of a folder at a list of bounds, each decoded and checked, as CSV on stdout.
//!
//! `ratios DIR [--effort default] [--bounds rel=1e-1,...,nrmse=1e-4] [--filter TEXT] [--jobs N]`
use rayon::prelude::*;
use scicodec::{ChunkBound, ChunkRequest, DType, Effort, decode_chunk, encode_chunk};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

struct Field {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    data: Vec<u8>,
    numbers: Vec<f64>,
}

fn load(path: &Path) -> Result<Field, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let npy = npyz::NpyFile::new(&bytes[..])?;
    let shape = npy.shape().iter().map(|&n| n as usize).collect();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(match npy.dtype() {
        npyz::DType::Plain(t) if t.size_field() == 4 => {
            let v = npy.into_vec::<f32>()?;
            let data = v.iter().flat_map(|x| x.to_ne_bytes()).collect();
            Field { name, dtype: DType::F32, shape, data, numbers: v.into_iter().map(f64::from).collect() }
        }
        _ => {
            let v = npy.into_vec::<f64>()?;
            Field { name, dtype: DType::F64, shape, data: v.iter().flat_map(|x| x.to_ne_bytes()).collect(), numbers: v }
        }
    })
}

fn measure(f: &Field, kind: &str, value: f64, effort: Effort) -> Result<String, Box<dyn Error>> {
    let finite = || f.numbers.iter().filter(|v| v.is_finite());
    let range = finite().fold(f64::NEG_INFINITY, |a, &b| a.max(b)) - finite().fold(f64::INFINITY, |a, &b| a.min(b));
    let bound = if kind == "rel" { ChunkBound::Abs(value * range) } else { ChunkBound::Rmse(value * range) };
    let t = Instant::now();
    let e = encode_chunk(&ChunkRequest { dtype: f.dtype, shape: &f.shape, data: &f.data, bound, fill: None, effort })?;
    let encode = t.elapsed().as_secs_f64();
    let t = Instant::now();
    let out = decode_chunk(f.dtype, &f.shape, e.base, &e.body)?;
    let decode = t.elapsed().as_secs_f64();
    let decoded: Vec<f64> = match f.dtype {
        DType::F32 => out.as_chunks::<4>().0.iter().map(|&c| f64::from(f32::from_ne_bytes(c))).collect(),
        _ => out.as_chunks::<8>().0.iter().map(|&c| f64::from_ne_bytes(c)).collect(),
    };
    let (mut max, mut sum, mut n) = (0.0f64, 0.0, 0u64);
    for (a, b) in f.numbers.iter().zip(&decoded) {
        if !a.is_finite() {
            if a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()) {
                return Err("a value that is not finite was not kept".into());
            }
            continue;
        }
        max = max.max((a - b).abs());
        sum += (a - b) * (a - b);
        n += 1;
    }
    let nrmse = (sum / n as f64).sqrt() / range;
    let ok = if kind == "rel" { max <= value * range } else { nrmse <= value };
    if !ok {
        return Err(format!("{}: {kind} {value} broken: max {max}, nrmse {nrmse}", f.name).into());
    }
    let bytes = e.body.len() + 100;
    Ok(format!(
        "{},{kind},{value:e},{effort:?},{},{bytes},{:.4},{max:e},{nrmse:e},{},{encode:.4},{decode:.4}",
        f.name,
        f.data.len(),
        f.data.len() as f64 / bytes as f64,
        e.stats.base
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).cloned();
    let folder = args.first().ok_or("usage: ratios DIR [--effort E] [--bounds LIST] [--filter TEXT] [--jobs N]")?;
    let effort = match option("--effort").as_deref() {
        Some("fast") => Effort::Fast,
        Some("max") => Effort::Max,
        _ => Effort::Default,
    };
    let bounds = option("--bounds").unwrap_or_else(|| {
        "rel=1e-1,rel=1e-2,rel=1e-3,rel=1e-4,rel=1e-5,rel=1e-6,nrmse=1e-2,nrmse=1e-3,nrmse=1e-4".into()
    });
    let filter = option("--filter").unwrap_or_default();
    let jobs = option("--jobs").map_or(Ok(1), |j| j.parse())?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|p| p.extension().is_some_and(|e| e == "npy") && p.to_string_lossy().contains(&filter));
    files.sort();
    println!("field,kind,bound,effort,bytes_in,bytes_out,ratio,max_error,nrmse,base,encode_s,decode_s");
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?.install(|| {
        files.par_iter().with_max_len(1).for_each(|path| {
            let rows = load(path).and_then(|f| {
                bounds
                    .split(',')
                    .map(|b| {
                        let (kind, value) = b.split_once('=').ok_or("bounds are KIND=VALUE")?;
                        measure(&f, kind, value.parse()?, effort)
                    })
                    .collect::<Result<Vec<_>, _>>()
            });
            match rows {
                Ok(rows) => println!("{}", rows.join("\n")),
                Err(e) => eprintln!("{}: {e}", path.display()),
            }
        });
    });
    Ok(())
}
