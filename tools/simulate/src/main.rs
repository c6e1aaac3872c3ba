//! `scicodec-simulate`: fields from seeded solvers, as `.npy` files of 32-bit floats.
use clap::{Parser, builder::PossibleValuesParser};
use scicodec::DType;
use scicodec_io::{ArrayFormat, ArrayWriter, OutputFile, Overwrite};
use scicodec_simulate::{Field, Kind, Setup, simulate};
use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Makes fields of simulated flows, waves and reactions, all of it drawn from a seed.
///
/// `scicodec-simulate KIND -o OUT.npy` writes one variable of one simulation; `scicodec-simulate --all --count 4 -o FOLDER`
/// writes every variable of four simulations of every kind. Values are 32-bit floats of shape frames × grid, slowest axis
/// first.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// What to simulate
    #[arg(required_unless_present = "all", conflicts_with = "all",
        value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::name)))]
    kind: Option<String>,
    /// Simulate every kind, with seeds from --seed on
    #[arg(long)]
    all: bool,
    /// How many seeds, with --all
    #[arg(long, default_value_t = 1, requires = "all")]
    count: u64,
    /// What parameters and initial state are drawn from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Points of the grid, slowest axis first (unless given, what suits the kind)
    #[arg(long, value_delimiter = ',', value_name = "Z,Y,X", conflicts_with = "all")]
    shape: Option<Vec<usize>>,
    /// How many steps in time are recorded: the first axis of the output
    #[arg(long, default_value_t = 8)]
    steps: usize,
    /// The variable to write (unless given, the kind's first)
    #[arg(long, conflicts_with = "all")]
    variable: Option<String>,
    /// The file to write, or with --all the folder
    #[arg(short, long)]
    output: PathBuf,
    /// Replace files that exist
    #[arg(short, long)]
    force: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // With standard error closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "scicodec-simulate: error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let overwrite = if cli.force { Overwrite::Allow } else { Overwrite::Refuse };
    let Some(kind) = &cli.kind else {
        fs::create_dir_all(&cli.output)?;
        for kind in Kind::ALL {
            for seed in cli.seed..cli.seed.saturating_add(cli.count) {
                let setup = Setup { seed, grid: kind.default_grid(), frames: cli.steps };
                for field in simulate(kind, &setup)? {
                    let name = format!("simulated__{kind}-{seed}__{}.npy", field.name);
                    write(&field, &cli.output.join(name), overwrite)?;
                }
            }
        }
        return Ok(());
    };
    let kind: Kind = kind.parse()?;
    let grid = cli.shape.clone().unwrap_or_else(|| kind.default_grid());
    let fields = simulate(kind, &Setup { seed: cli.seed, grid, frames: cli.steps })?;
    let names = || fields.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
    let field = match &cli.variable {
        Some(name) => fields.iter().find(|f| f.name == name),
        None => fields.first(),
    };
    let field = field.ok_or_else(|| format!("{kind} has no such variable; it has {}", names()))?;
    write(field, &cli.output, overwrite)
}

fn write(field: &Field, path: &Path, overwrite: Overwrite) -> Result<(), Box<dyn Error>> {
    let about = |e: &dyn Error| format!("{}: {e}", path.display());
    let mut file = OutputFile::create(path, overwrite).map_err(|e| about(&e))?;
    let shape: Vec<u64> = field.shape.iter().map(|&n| n as u64).collect();
    let bytes: Vec<u8> = field.values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let mut writer = ArrayWriter::new(&mut file, ArrayFormat::Npy, DType::F32, &shape).map_err(|e| about(&e))?;
    writer.write_all(&bytes).and_then(|()| writer.flush()).map_err(|e| about(&e))?;
    drop(writer);
    file.finish().map_err(|e| about(&e))?;
    Ok(())
}
