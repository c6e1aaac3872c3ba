#![allow(clippy::print_stdout, clippy::print_stderr)]
//! What variables gain by knowing each other: every set of variables of one shape, encoded into one file with and without
//! `condition_on`, decoded and checked, as a Markdown table on stdout.
//!
//! `conditioned [FOLDER...] [--filter TEXT] [--simulate KIND,... --seed SEED] [--bounds 1e-1,...]`: variables of a set are
//! files named `DOMAIN__SET__VARIABLE.npy`, in the order of their names; `--simulate` adds simulations, two frames each.
use scicodec::{
    BoundKind, ConditionOn, EncodeOptions, Encoder, ErrorBound, Overwrite, Reader, SliceSource, VariableMeta,
};
use scicodec_bench::{Result, field::Field, machine};
use scicodec_simulate::{Kind, Setup, simulate};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// A set of variables: names and fields.
type Set = Vec<(String, Field)>;

/// What the variables of a set take in a file, and the seconds that encoding and decoding took.
struct Taken {
    bytes: Vec<f64>,
    /// Records, padding and index.
    others: f64,
    conditioned: Vec<bool>,
    seconds: [f64; 2],
}

fn measure(set: &Set, rel: f64, condition_on: ConditionOn, folder: &Path) -> Result<Taken> {
    let path = folder.join("set.scz");
    let begun = Instant::now();
    let mut encoder = Encoder::create(&path, Overwrite::Replace)?;
    let mut reports = vec![];
    for (name, field) in set {
        let mut options = EncodeOptions::new(ErrorBound { kind: BoundKind::Rel, value: rel });
        (options.threads, options.verify, options.condition_on) = (1, false, condition_on.clone());
        let shape: Vec<u64> = field.shape.iter().map(|&n| n as u64).collect();
        let source = SliceSource::new(field.dtype, &shape, &field.bytes)?;
        let meta = VariableMeta { name: name.clone(), ..VariableMeta::default() };
        reports.push(encoder.add_variable(&meta, &source, &options, &|_| {})?);
    }
    let length = encoder.finish()?.length;
    let encode = begun.elapsed().as_secs_f64();
    let reader = Reader::open(&path)?;
    let begun = Instant::now();
    for (k, (name, field)) in set.iter().enumerate() {
        if field.error_of(&reader.decode(k, 1)?)?.max > rel * field.range() {
            return Err(format!("{name}: rel={rel} is broken").into());
        }
    }
    let seconds = [encode, begun.elapsed().as_secs_f64()];
    let coded: u64 = reports.iter().map(|r| r.compressed_bytes).sum();
    Ok(Taken {
        bytes: reports.iter().map(|r| r.compressed_bytes as f64).collect(),
        others: (length - coded) as f64,
        conditioned: reports.iter().map(|r| r.conditioned > 0).collect(),
        seconds,
    })
}

/// The sets of the files in a folder: those of one name but for the variable, of one shape, if there are several.
fn read(folder: &str, filter: &str) -> Result<Vec<(String, Set)>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    let mut sets: BTreeMap<(String, Vec<usize>), Set> = BTreeMap::new();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "npy")) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some((set, variable)) = stem.rsplit_once("__").filter(|(set, _)| set.contains(filter)) else { continue };
        let field = Field::read_npy(path)?;
        sets.entry((set.to_owned(), field.shape.clone())).or_default().push((variable.to_owned(), field));
    }
    Ok(sets.into_iter().filter(|(_, s)| s.len() > 1).map(|((name, _), s)| (name, s)).collect())
}

fn simulated(kinds: &str, seed: u64) -> Result<Vec<(String, Set)>> {
    let mut sets = vec![];
    for kind in kinds.split(',') {
        let kind: Kind = kind.parse()?;
        let fields = simulate(kind, &Setup { seed, grid: kind.default_grid(), frames: 2 })?;
        let set: Set = fields.iter().map(|f| (f.name.to_owned(), Field::from_f32(&f.shape, &f.values))).collect();
        if set.len() > 1 {
            sets.push((format!("{}-{seed}", kind.name()), set));
        }
    }
    Ok(sets)
}

fn mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).cloned();
    let filter = option("--filter").unwrap_or_default();
    let bounds = option("--bounds").unwrap_or_else(|| "1e-1,1e-2,1e-3,1e-4".into());
    let bounds: Vec<f64> = bounds.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
    let mut sets = vec![];
    for folder in args.iter().take_while(|a| !a.starts_with("--")) {
        sets.extend(read(folder, &filter)?);
    }
    if let Some(kinds) = option("--simulate") {
        sets.extend(simulated(&kinds, option("--seed").map_or(Ok(0), |s| s.parse())?)?);
    }
    println!("# Variables that know each other\n\n{}", machine::describe(&format!("conditioned {}", args.join(" "))));
    println!(
        "Bytes of payloads without ÷ with what telling references takes, of the variables after the first; an asterisk where no chunk was coded beside another.\n"
    );
    println!("| set | variable |{}", bounds.iter().map(|b| format!(" rel {b:e} |")).collect::<String>());
    println!("|---|---|{}", "---|".repeat(bounds.len()));
    let folder = tempfile::tempdir()?;
    let mut all = vec![vec![]; bounds.len()];
    let mut times = [[0.0; 2]; 2];
    for (name, set) in &sets {
        let mut rows: Vec<String> = set.iter().map(|(v, _)| format!("| {name} | {v} |")).collect();
        for (k, &rel) in bounds.iter().enumerate() {
            let without = measure(set, rel, ConditionOn::None, folder.path())?;
            let with = measure(set, rel, ConditionOn::Auto, folder.path())?;
            // What telling references takes outside payloads is shared by those that have some.
            let some = with.conditioned.iter().filter(|&&c| c).count().max(1);
            let told = (with.others - without.others) / some as f64;
            for i in 1..set.len() {
                let ratio = without.bytes[i] / (with.bytes[i] + if with.conditioned[i] { told } else { 0.0 });
                all[k].push(ratio);
                rows[i] += &format!(" {ratio:.3}{} |", if with.conditioned[i] { "" } else { "*" });
            }
            for (sum, one) in times.iter_mut().zip([&without, &with]) {
                (sum[0], sum[1]) = (sum[0] + one.seconds[0], sum[1] + one.seconds[1]);
            }
        }
        rows.iter().skip(1).for_each(|row| println!("{row}"));
    }
    let row = |f: &dyn Fn(&[f64]) -> f64| all.iter().map(|r| format!(" {:.3} |", f(r))).collect::<String>();
    println!("| **geometric mean** | |{}", row(&mean));
    println!("| **least** | |{}", row(&|r| r.iter().copied().fold(f64::INFINITY, f64::min)));
    let [[e0, d0], [e1, d1]] = times;
    println!(
        "\nSeconds for all files, without and with: encoding {e0:.1} and {e1:.1} (× {:.2}), decoding {d0:.1} and {d1:.1} (× {:.2}).",
        e1 / e0,
        d1 / d0
    );
    Ok(())
}
