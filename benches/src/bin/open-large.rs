//! How long it takes to open a large file and decode one chunk of it, and how much of the file that reads.
//!
//! `cargo run --release -p scicodec-bench --bin open-large -- [MEGABYTES] [FOLDER]`
//!
//! Writes a file of about that size (1024) in the folder (the system's temporary one): a float32 variable of noise, kept
//! losslessly, so that the file is as large as the field. Then, several times: drops the file from the page cache, opens
//! it, decodes one chunk. Reports medians, the bytes that the process had fetched from storage (`/proc/self/io`) and the
//! pages of the mapping that are resident (`/proc/self/smaps`). Linux only.
use scicodec::{
    BoundKind, ChunkShape, DType, Effort, EncodeOptions, Encoder, ErrorBound, Overwrite, Reader, Region, Source,
    VariableMeta,
};
use scicodec_bench::{Result, machine, synthetic};
use std::{fs, io::Write, path::Path, time::Instant};

const PLANE: [u64; 2] = [512, 512];
const CHUNK: [u64; 3] = [4, 256, 256];
const TURNS: usize = 7;

/// Noise made where it is asked for: the bench needs no memory for the field.
struct Noise {
    shape: [u64; 3],
}

impl Source for Noise {
    fn dtype(&self) -> DType {
        DType::F32
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> std::result::Result<(), scicodec::Error> {
        let row = extent[2] as usize * 4;
        for (r, bytes) in out.chunks_exact_mut(row).enumerate() {
            let (z, y) = (start[0] + r as u64 / extent[1], start[1] + r as u64 % extent[1]);
            let first = (z * self.shape[1] + y) * self.shape[2] + start[2];
            synthetic::noise_bytes(first, extent[2] as usize, bytes);
        }
        Ok(())
    }
}

/// What one opening cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    open_ms: f64,
    decode_ms: f64,
    fetched: u64,
    resident: u64,
}

/// Bytes that this process has had fetched from storage so far.
fn fetched() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/io")?;
    let line = text.lines().find_map(|l| l.strip_prefix("read_bytes: ")).ok_or("no read_bytes")?;
    Ok(line.parse()?)
}

/// Bytes of this file that are resident in this process through a mapping.
fn resident(path: &Path) -> Result<u64> {
    let text = fs::read_to_string("/proc/self/smaps")?;
    let name = path.to_str().ok_or("the path is not UTF-8")?;
    let mut lines = text.lines().skip_while(|l| !l.ends_with(name));
    let kilobytes = lines.find_map(|l| l.strip_prefix("Rss:")).ok_or("the file is not mapped")?;
    Ok(kilobytes.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn open_and_decode(path: &Path, region: &Region) -> Result<Cost> {
    let before = fetched()?;
    let start = Instant::now();
    let reader = Reader::open(path)?;
    let open_ms = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let values = reader.decode_region(0, region, 1)?;
    let decode_ms = start.elapsed().as_secs_f64() * 1e3;
    std::hint::black_box(values);
    Ok(Cost { open_ms, decode_ms, fetched: fetched()? - before, resident: resident(path)? })
}

/// Checks that the region holds the very noise that was encoded: a bench of wrong bytes is worth nothing.
fn check(path: &Path, source: &Noise, region: &Region) -> Result<()> {
    let got = Reader::open(path)?.decode_region(0, region, 1)?;
    let start: Vec<u64> = region.0.iter().map(|r| r.start).collect();
    let extent: Vec<u64> = region.0.iter().map(|r| r.end - r.start).collect();
    let mut want = vec![0; got.len()];
    source.read(&start, &extent, &mut want)?;
    if got == want { Ok(()) } else { Err("the decoded region is not what was encoded".into()) }
}

fn median(costs: &[Cost], what: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(what).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let megabytes: u64 = arguments.next().map_or(Ok(1024), |a| a.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let scratch = tempfile::tempdir_in(folder)?;
    let path = scratch.path().canonicalize()?.join("large.scz");

    let steps = (megabytes << 20) / (PLANE[0] * PLANE[1] * 4);
    let source = Noise { shape: [steps.max(CHUNK[0]), PLANE[0], PLANE[1]] };
    let mut options = EncodeOptions::new(ErrorBound { kind: BoundKind::Lossless, value: 0.0 });
    options.chunk = ChunkShape::Fixed(CHUNK.to_vec());
    options.effort = Effort::Fast;
    let meta = VariableMeta { name: "noise".into(), ..VariableMeta::default() };
    let mut encoder = Encoder::create(&path, Overwrite::Refuse)?;
    encoder.add_variable(&meta, &source, &options, &|_| {})?;
    encoder.finish()?;
    let file = fs::File::open(&path)?;
    file.sync_all()?;
    let size = file.metadata()?.len();

    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for turn in 0..TURNS as u64 {
        // A chunk of its own each turn, spread over the file.
        let first = (source.shape[0] / CHUNK[0]) * (turn + 1) / (TURNS as u64 + 1) * CHUNK[0];
        let region = Region(vec![first..first + CHUNK[0], CHUNK[1]..2 * CHUNK[1], 0..CHUNK[2]]);
        check(&path, &source, &region)?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        cold.push(open_and_decode(&path, &region)?);
        warm.push(open_and_decode(&path, &region)?);
    }

    let chunks = Reader::open(&path)?.variables()[0].chunks.len();
    let mut out = std::io::stdout().lock();
    let command = format!("cargo run --release -p scicodec-bench --bin open-large -- {megabytes}");
    writeln!(out, "# Opening a large file and decoding one chunk\n\n{}", machine::describe(&command))?;
    writeln!(out, "| | file MB | chunks | chunk KB | open ms | decode ms | KB fetched | KB resident |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for (name, costs) in [("not in the page cache", &cold), ("in the page cache", &warm)] {
        let kilobytes = |what: fn(&Cost) -> u64| median(costs, |c| what(c) as f64 / 1024.0);
        writeln!(
            out,
            "| {name} | {} | {chunks} | {} | {:.3} | {:.3} | {} | {} |",
            size >> 20,
            CHUNK.iter().product::<u64>() * 4 / 1024,
            median(costs, |c| c.open_ms),
            median(costs, |c| c.decode_ms),
            kilobytes(|c| c.fetched),
            kilobytes(|c| c.resident),
        )?;
    }
    Ok(())
}
