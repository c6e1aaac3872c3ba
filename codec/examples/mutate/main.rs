//! Damages valid streams in every way and decodes them: nothing may panic, hang, allocate beyond the limits, or pass
//! wrong values off as right ones.
//!
//! `cargo run --profile checked -p scicodec --example mutate -- --streams 150000 --seed 1`; `--only N` repeats stream N;
//! `--seeds fuzz/corpus` writes the valid streams as seeds of the fuzz targets, and does nothing else.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic)]
mod damage;
#[path = "../../tests/common/field.rs"]
mod field;
mod repair;
mod seeds;
use damage::damage;
use field::Random;
use repair::Parts;
use scicodec::{DType, Error, Limits, Reader, decode_chunk};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Most bytes of a decoded chunk, and of a decoded variable.
const CHUNK_BYTES: u64 = 1 << 18;
const DECODED_BYTES: u64 = 1 << 20;
/// Memory that decoding may take: working space per element of a chunk, the variable, and the coder's tables.
const MEMORY_LIMIT: usize = 96 * CHUNK_BYTES as usize + 2 * DECODED_BYTES as usize + (16 << 20);
const TIME_LIMIT: Duration = Duration::from_secs(5);

static PANIC: Mutex<String> = Mutex::new(String::new());

/// What a stream came to.
enum Outcome {
    /// An error, or a value that may be.
    Fine(&'static str),
    /// What must never be.
    Wrong(String),
}

struct Bench {
    chunks: Vec<seeds::Chunk>,
    /// Each with what it says, and what it said when each earlier session ended.
    files: Vec<(Vec<u8>, Parts, Vec<Values>)>,
    limits: Limits,
}

/// What a file says: name, type, shape and values of each variable.
type Values = Vec<(String, DType, Vec<u64>, Vec<u8>)>;

fn values(bytes: Vec<u8>, limits: &Limits) -> Result<Values, Error> {
    let reader = Reader::from_bytes_with_limits(bytes, limits.clone())?;
    let variables = reader.variables().iter().enumerate();
    // A variable that cannot be had must not hide what another one does to its decoder.
    let all: Vec<_> =
        variables.map(|(i, v)| Ok((v.name.clone(), v.dtype, v.shape.clone(), reader.decode(i, 1)?))).collect();
    all.into_iter().collect()
}

impl Bench {
    fn chunk(&self, r: &mut Random) -> Outcome {
        let mut c = self.chunks[r.below(self.chunks.len())].clone();
        let other = &self.chunks[r.below(self.chunks.len())];
        if r.below(8) == 0 {
            c.body = (0..r.below(60)).map(|_| r.next() as u8).collect();
        } else {
            damage(&mut c.body, &other.body, r);
        }
        if r.below(4) == 0 {
            c.base = if r.below(3) == 0 { r.next() as u8 } else { other.base };
        }
        if r.below(4) == 0 {
            c.dtype = other.dtype;
        }
        if r.below(4) == 0 {
            let most = if r.below(50) == 0 { CHUNK_BYTES / 8 } else { 600 };
            c.shape = shape(most as usize, r);
        }
        let n: usize = c.shape.iter().product();
        match decode_chunk(c.dtype, &c.shape, c.base, &c.body) {
            Ok(bytes) if bytes.len() == n * c.dtype.size() => Outcome::Fine("chunk: decoded"),
            Ok(bytes) => Outcome::Wrong(format!("{} bytes for {:?}", bytes.len(), c.shape)),
            Err(_) => Outcome::Fine("chunk: error"),
        }
    }

    fn file(&self, r: &mut Random) -> Outcome {
        let (file, parts, good) = &self.files[r.below(self.files.len())];
        let mut bytes = file.clone();
        if r.below(2) == 0 {
            damage(&mut bytes, &self.files[r.below(self.files.len())].0, r);
            return match values(bytes.clone(), &self.limits) {
                Err(_) => Outcome::Fine("file: error"),
                Ok(v) if v == good[0] => Outcome::Fine("file: harmless"),
                // An appended file cut where its first session ends is the file before.
                Ok(v) if good.contains(&v) => Outcome::Fine("file: earlier session"),
                // Bytes from which exactly whole groups were cut out are a file too; what it still says must be right.
                Ok(v) if v.iter().all(|v| good.iter().flatten().any(|g| g == v)) => {
                    Outcome::Fine("file: variables gone")
                }
                Ok(v) => {
                    let names: Vec<_> =
                        v.iter().map(|(name, t, shape, _)| format!("{name:?} {t:?} {shape:?}")).collect();
                    let changed = bytes.iter().zip(file).position(|(a, b)| a != b);
                    let (now, then) = (bytes.len(), file.len());
                    Outcome::Wrong(format!(
                        "wrong values passed off as right ones: {names:?}, {now} bytes of {then}, changed from {changed:?} on"
                    ))
                }
            };
        }
        // In place, inside one part, and with all checksums right again.
        let bodies = parts.payloads.iter().flat_map(|(h, b)| [h.clone(), b.clone()]);
        let all: Vec<_> = bodies.chain(parts.records.iter().cloned()).chain(parts.indexes.iter().cloned()).collect();
        for _ in 0..1 + r.below(3) {
            let part = &all[r.below(all.len())];
            let mut inside = bytes[part.clone()].to_vec();
            damage(&mut inside, &file[..64], r);
            inside.resize(part.len(), 0);
            bytes[part.clone()].copy_from_slice(&inside);
        }
        parts.repair(&mut bytes);
        if r.below(3) == 0 {
            let mut out = vec![];
            return match scicodec::format::recover(&bytes, &self.limits, &mut out) {
                Err(_) => Outcome::Fine("recover: error"),
                Ok(_) => match Reader::from_bytes_with_limits(out, self.limits.clone()) {
                    Ok(_) => Outcome::Fine("recover: done"),
                    // Damage may claim more than the limits allow.
                    Err(Error::Limit { .. }) => Outcome::Fine("recover: limit"),
                    Err(e) => Outcome::Wrong(format!("a recovered file does not open: {e}")),
                },
            };
        }
        match values(bytes, &self.limits) {
            Err(_) => Outcome::Fine("repaired file: error"),
            Ok(_) => Outcome::Fine("repaired file: decoded"),
        }
    }
}

/// A shape of any rank with at most about this many elements.
fn shape(most: usize, r: &mut Random) -> Vec<usize> {
    let mut left = most;
    let mut shape = vec![];
    for _ in 0..r.below(7) {
        let n = [r.below(left + 1), r.below(left.min(9) + 1), 1][r.below(3)];
        shape.push(n);
        left /= n.max(1);
    }
    shape
}

fn argument(name: &str) -> Option<u64> {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|w| w == name)?;
    words.get(at + 1)?.parse().ok()
}

fn main() {
    let (streams, seed) = (argument("--streams").unwrap_or(10_000), argument("--seed").unwrap_or(1));
    let mut limits = Limits::default();
    (limits.chunk_bytes, limits.decoded_bytes) = (CHUNK_BYTES, DECODED_BYTES);
    (limits.record_bytes, limits.chunks, limits.variables) = (1 << 16, 1 << 12, 1 << 8);
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|w| w == "--seeds") {
        return seeds::write(Path::new(&words[at + 1])).unwrap();
    }
    let files = seeds::files().unwrap().into_iter();
    let said = |f: &[u8]| (0..=f.len()).rev().filter_map(|n| values(f[..n].to_vec(), &limits).ok()).collect();
    let files = files.map(|f| (f.clone(), Parts::of(&f), said(&f))).collect();
    let bench = Bench { chunks: seeds::chunks().unwrap(), files, limits };
    let mut bases = BTreeMap::<_, u32>::new();
    for c in &bench.chunks {
        *bases.entry(scicodec::base_name(c.base)).or_default() += 1;
    }
    println!("{} chunks ({bases:?}), {} files", bench.chunks.len(), bench.files.len());
    std::panic::set_hook(Box::new(|info| *PANIC.lock().unwrap() = info.to_string().replace('\n', " ")));

    let (mut outcomes, mut wrong) = (BTreeMap::<_, u64>::new(), BTreeMap::<String, (u64, u64)>::new());
    let (mut slowest, mut most) = (Duration::ZERO, 0);
    let start = Instant::now();
    let range = argument("--only").map_or(0..streams, |n| n..n + 1);
    for n in range.clone() {
        let mut r = Random(seed.wrapping_mul(0x5851_F42D_4C95_7F2D) ^ n.wrapping_mul(0x2545_F491_4F6C_DD1D));
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let one = Instant::now();
        let outcome =
            catch_unwind(AssertUnwindSafe(|| if n % 2 == 0 { bench.chunk(&mut r) } else { bench.file(&mut r) }))
                .unwrap_or_else(|_| Outcome::Wrong(PANIC.lock().unwrap().clone()));
        let (time, memory) = (one.elapsed(), MEMORY.peak_usage().saturating_sub(before));
        (slowest, most) = (slowest.max(time), most.max(memory));
        let mut report = |what: String| wrong.entry(what).or_insert((0, n)).0 += 1;
        match outcome {
            Outcome::Fine(name) => *outcomes.entry(name).or_default() += 1,
            Outcome::Wrong(what) => report(what),
        }
        if time > TIME_LIMIT {
            report("too slow".into());
        }
        if memory > MEMORY_LIMIT {
            report("too much memory".into());
        }
    }
    let n = range.end - range.start;
    println!("{n} streams in {:.1?}: slowest {slowest:.1?}, most memory {} KiB", start.elapsed(), most >> 10);
    println!("{outcomes:#?}");
    for (what, (times, first)) in &wrong {
        println!("WRONG {times} times, first in stream {first}: {what}");
    }
    assert!(wrong.is_empty(), "{} defects", wrong.len());
}
