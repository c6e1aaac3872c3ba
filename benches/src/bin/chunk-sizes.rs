//! What the size of chunks costs and gains: compression ratio against the time to read one point, as Markdown.
//!
//! `chunk-sizes FIELD.npy... [--bound rel=1e-3]`
#![allow(clippy::print_stdout)]
use scicodec::{ChunkShape, EncodeOptions, Reader, Region};
use scicodec_bench::{Result, field::Field, machine, pipeline};
use std::path::Path;
use std::time::Instant;

/// Halves the longest side until a chunk has at most `values` values.
fn chunk(shape: &[usize], values: u64) -> Vec<u64> {
    let mut chunk: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    while chunk.iter().product::<u64>() > values {
        if let Some(longest) = chunk.iter_mut().max() {
            *longest = longest.div_ceil(2);
        }
    }
    chunk
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let bound = args.iter().position(|a| a == "--bound").and_then(|i| args.get(i + 1)).map_or("rel=1e-3", |b| b);
    let (kind, value) = bound.split_once('=').ok_or("a bound is KIND=VALUE")?;
    println!("{}", machine::describe(&format!("chunk-sizes {}", args.join(" "))));
    println!("| field | values in a chunk, at most | chunks | ratio | one point, ms |\n|---|---|---|---|---|");
    for path in args.iter().filter(|a| a.ends_with(".npy")) {
        let field = Field::read_npy(Path::new(path))?;
        let name = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for log in (14..=21).filter(|log| field.bytes.len() / field.dtype.size() > 1 << (log - 1)) {
            let mut options = EncodeOptions::new(pipeline::parse_bound(kind, value)?);
            options.chunk = ChunkShape::Fixed(chunk(&field.shape, 1 << log));
            (options.verify, options.threads) = (false, 1);
            let (file, _) = pipeline::encode(&field, &options)?;
            let ratio = field.bytes.len() as f64 / file.len() as f64;
            let reader = Reader::from_bytes(file)?;
            let v = &reader.variables()[0];
            let point = Region(v.shape.iter().map(|&n| n / 2..n / 2 + 1).collect());
            let mut best = f64::INFINITY;
            for _ in 0..5 {
                let start = Instant::now();
                reader.decode_region(0, &point, 1)?;
                best = best.min(start.elapsed().as_secs_f64());
            }
            println!("| {name} | 2^{log} | {} | {ratio:.3} | {:.2} |", v.chunks.len(), best * 1e3);
        }
    }
    Ok(())
}
