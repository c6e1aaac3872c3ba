//! The command line's words. What each verb does with them is in the module of its name.
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use scicodec::{ConditionOn, DType, Effort, ErrorBound};
use scicodec_io::{RawLayout, RawType};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Shapes, chunk shapes and regions are slowest axis first, as in numpy, HDF5, Zarr and netCDF. (The command lines of SZ3, \
zfp and SPERR want the fastest axis first: turn their -3 NX NY NZ around.)

Error bounds, over values that are finite and not fill values:
  abs=E      |x - x'| <= E for every value
  rel=E      |x - x'| <= E * (max - min) for every value
  pw_rel=E   |x - x'| <= E * |x| for every value
  psnr=DB    20 log10((max - min) / rmse) >= DB over the variable
  nrmse=E    rmse / (max - min) <= E over the variable
  l2=E       sqrt(sum (x - x')^2) <= E over the variable
  lossless   every bit is kept
Every bound is checked on the decoded values before they are written. NaN, infinities and fill values are kept exactly.

Exit status: 0 done, 1 failed, 2 wrong usage.";

/// Compress gridded scientific fields under a guaranteed error bound.
#[derive(Debug, Parser)]
#[command(name = "scicodec", version, about, after_help = AFTER_HELP, arg_required_else_help = true)]
#[command(infer_subcommands = false, disable_help_subcommand = true, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Encode arrays into a .scz file
    Encode(EncodeArgs),
    /// Decode a variable, or a region of it
    Decode(DecodeArgs),
    /// Say what a .scz file holds
    Info(InfoArgs),
    /// Check a .scz file: every checksum, every chunk decoded
    Test(TestArgs),
    /// Rebuild the index of a damaged .scz file from the chunks that are whole
    Recover(RecoverArgs),
    /// Compare two files, variable by variable
    Compare(CompareArgs),
    /// List, show, export and import models
    Model(ModelArgs),
    /// Tune a model to fields of one kind: a small one, which stands on another
    Finetune(FinetuneArgs),
    /// Train a network on fields
    #[cfg(feature = "train")]
    Train(TrainArgs),
    /// Help to use the HDF5 filter
    #[command(subcommand)]
    H5(H5Verb),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

/// Options that every verb has.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Talk {
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Args, Clone, Debug)]
pub struct RawArgs {
    /// Inputs are raw elements of this type: f16, f32, f64, i8 … i64, u8 … u64, then le or be (f32le)
    #[arg(long, value_name = "TYPE", requires = "shape")]
    pub raw: Option<RawType>,
    /// Shape of the raw elements, slowest axis first (100,500,500)
    #[arg(long, value_name = "N,N,...", value_parser = parse_extents, requires = "raw")]
    pub shape: Option<Extents>,
}

impl RawArgs {
    pub fn layout(&self) -> Option<RawLayout> {
        Some(RawLayout { element: self.raw?, shape: self.shape.clone()?.0 })
    }
}

#[derive(Args, Debug)]
pub struct EncodeArgs {
    /// What to encode: .npy, netCDF, HDF5, Zarr, raw elements with --raw and --shape, or - for standard input
    #[arg(required = true, value_name = "IN", value_hint = ValueHint::FilePath)]
    pub inputs: Vec<PathBuf>,
    /// The .scz file to write; default: IN with its extension replaced
    #[arg(short, long, value_name = "OUT.scz", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// The error allowed: abs=E, rel=E, pw_rel=E, psnr=DB, nrmse=E, l2=E, or lossless
    #[arg(short = 'e', long, value_name = "KIND=VALUE", value_parser = parse_bound, allow_hyphen_values = true)]
    pub error_bound: ErrorBound,
    /// How hard to try for a smaller file
    #[arg(long, value_name = "EFFORT", default_value = "default")]
    pub effort: EffortName,
    /// Which model may guide prediction: the one that ships with the program, none, a .scm file, or digits of the digest of
    /// an installed one. Chunks that it does not help are coded without
    #[arg(long, value_name = "none|default|FILE|ID", default_value = "default", hide_default_value = true)]
    pub model: String,
    /// Put the model into OUT.scz if a chunk uses it: the file then decodes where the model is not installed
    #[arg(long)]
    pub embed_model: bool,
    /// Beside which variables of the same file, of the same shape and chunks, a variable may be coded where that makes a chunk
    /// smaller: those before it, none, or these, separated by commas. A region then takes decoding the same chunks of those
    /// variables first. Its own name stands for what --append continues
    #[arg(long, value_name = "auto|none|NAME,...", default_value = "none", value_parser = parse_condition)]
    pub condition_on: ConditionOn,
    /// Chunk shape, slowest axis first; a chunk is what a region must decode at least
    #[arg(long, value_name = "auto|N,N,...", default_value = "auto", value_parser = parse_chunk)]
    pub chunk: ChunkArg,
    /// A value that stands for "missing" and is kept exactly, as NaN and infinities are; default: what _FillValue or
    /// missing_value says
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub fill: Option<String>,
    /// Of netCDF, HDF5 and Zarr: a variable to encode, with its coordinates; may be repeated; default: all. Of others: name
    /// of the variable, once per input; default: the input's file name without extension
    #[arg(long, value_name = "NAME")]
    pub var: Vec<String>,
    /// The bound is one of the packed values of variables with scale_factor and add_offset, not of what they stand for
    #[arg(long)]
    pub packed: bool,
    /// Units to note in the file
    #[arg(long, value_name = "UNITS")]
    pub units: Option<String>,
    /// Threads; 0 is one per core. The file is the same for any number
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Write into an existing file: another variable, or more steps along axis 0 of the variable with the same name
    #[arg(long, conflicts_with = "force")]
    pub append: bool,
    /// Overwrite OUT.scz
    #[arg(short, long)]
    pub force: bool,
    /// Print a report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Skip the second check of the bound, over the whole variable. Each chunk is still checked as it is coded
    #[arg(long)]
    pub no_verify: bool,
    #[command(flatten)]
    pub raw: RawArgs,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct DecodeArgs {
    /// The file to decode
    #[arg(value_name = "IN.scz", value_hint = ValueHint::FilePath)]
    pub input: PathBuf,
    /// Where to: .npy, netCDF (.nc, .nc4, .cdf, .h5), Zarr (.zarr), or raw little-endian elements for any other extension;
    /// default: IN.npy, or IN.nc or IN.zarr where that is what the file was encoded from
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// The variable to decode; needed where the file has several, but for netCDF and Zarr, which get all, or this one with
    /// its coordinates
    #[arg(long, value_name = "NAME")]
    pub var: Option<String>,
    /// Only this box, slowest axis first, as in Python: 0:4,10:20,: (missing axes are whole)
    #[arg(long, value_name = "A:B,...", allow_hyphen_values = true)]
    pub region: Option<String>,
    /// A model that the file needs: a .scm file, or digits of the digest of an installed one
    #[arg(long, value_name = "FILE|ID")]
    pub model: Option<String>,
    /// Write to standard output, as npy
    #[arg(short = 'c', long, conflicts_with_all = ["output", "json"])]
    pub stdout: bool,
    /// Threads; 0 is one per core
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Overwrite OUT
    #[arg(short, long)]
    pub force: bool,
    /// Print a report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct InfoArgs {
    /// The file to look at
    #[arg(value_name = "IN.scz", value_hint = ValueHint::FilePath)]
    pub input: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct TestArgs {
    /// The file to check
    #[arg(value_name = "IN.scz", value_hint = ValueHint::FilePath)]
    pub input: PathBuf,
    /// A model that the file needs: a .scm file, or digits of the digest of an installed one
    #[arg(long, value_name = "FILE|ID")]
    pub model: Option<String>,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct RecoverArgs {
    /// The damaged file; it is not changed
    #[arg(value_name = "IN.scz", value_hint = ValueHint::FilePath)]
    pub input: PathBuf,
    /// Where to write what could be saved
    #[arg(short, long, value_name = "OUT.scz", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Overwrite OUT.scz
    #[arg(short, long)]
    pub force: bool,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The reference: any file that can be read, .scz included
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub a: PathBuf,
    /// What to compare with it
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub b: PathBuf,
    /// Only this variable
    #[arg(long, value_name = "NAME")]
    pub var: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Also write a page with maps, a histogram of errors and power spectra
    #[arg(long, value_name = "PAGE.html", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Overwrite PAGE.html
    #[arg(short, long, requires = "html")]
    pub force: bool,
    #[command(flatten)]
    pub raw: RawArgs,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct ModelArgs {
    #[command(subcommand)]
    pub verb: ModelVerb,
}

#[derive(Debug, Subcommand)]
pub enum ModelVerb {
    /// The models at hand: those that ship with the program, and those in the folder of installed ones
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        talk: Talk,
    },
    /// What is to be known of a model
    Show {
        /// A .scm file, digits of a digest, or default
        #[arg(value_name = "FILE|ID|default")]
        model: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        talk: Talk,
    },
    /// Write the file of a model
    Export {
        /// A .scm file, digits of a digest, or default
        #[arg(value_name = "FILE|ID|default")]
        model: String,
        /// Where to
        #[arg(short, long, value_name = "OUT.scm", value_hint = ValueHint::FilePath)]
        output: PathBuf,
        /// Overwrite OUT.scm
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        talk: Talk,
    },
    /// Fit the states that coders of integers start from to DATA: a new model, with the networks of another
    Prime(PrimeArgs),
    /// Install models: files that name them then decode. The folder is $SCICODEC_MODELS, or scicodec/models in the user's
    /// data folder
    Import {
        /// Their .scm files
        #[arg(required = true, value_name = "FILE.scm", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        talk: Talk,
    },
}

#[derive(Args, Debug)]
pub struct PrimeArgs {
    /// Fields to learn from: files, or folders of .npy files
    #[arg(required = true, value_name = "DATA", value_hint = ValueHint::AnyPath)]
    pub data: Vec<PathBuf>,
    /// Where to
    #[arg(short, long, value_name = "OUT.scm", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// The model whose networks the new one has
    #[arg(long, value_name = "FILE|ID|default", default_value = "default")]
    pub from: String,
    /// Overwrite OUT.scm
    #[arg(short, long)]
    pub force: bool,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Args, Debug)]
pub struct FinetuneArgs {
    /// Fields to learn from: whatever encode reads, or folders of .npy files. The last part of each along its first axis is
    /// held out, and tells what is gained; of fields of one step, the last one is
    #[arg(required = true, value_name = "DATA", value_hint = ValueHint::AnyPath)]
    pub data: Vec<PathBuf>,
    /// The model to write
    #[arg(short, long, value_name = "NAME.scm", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// The model that it shall stand on, which must be at hand wherever files with it are decoded; the default one always is
    #[arg(long, value_name = "FILE|ID|default", default_value = "default")]
    pub from: String,
    /// An error bound that fields will be encoded with; may be repeated. Default: rel=1e-1, rel=1e-2, nrmse=1e-2, nrmse=1e-3
    #[arg(short = 'e', long, value_name = "KIND=VALUE", value_parser = parse_bound, allow_hyphen_values = true)]
    pub error_bound: Vec<ErrorBound>,
    /// How much data the model is for, in raw bytes (200MB, 5GB): for less, less is told, and the model is smaller
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = parse_size)]
    pub series: Size,
    /// Minutes to take in all, parts before an interruption counted in
    #[arg(long, value_name = "M", conflicts_with = "steps", default_value_t = 10.0)]
    pub minutes: f64,
    /// Chunks to learn from, rather than minutes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Where to compute: cpu
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Part of each field that is held out
    #[arg(long, value_name = "PART", default_value_t = 0.1)]
    pub holdout: f64,
    /// Go on with a run that was broken off, from NAME.scm.journal
    #[arg(long)]
    pub resume: bool,
    /// Of netCDF, HDF5 and Zarr: a variable to learn from; may be repeated; default: all that are measured
    #[arg(long, value_name = "NAME")]
    pub var: Vec<String>,
    /// A value that stands for "missing"; default: what _FillValue or missing_value says
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub fill: Option<String>,
    /// Overwrite NAME.scm
    #[arg(short, long)]
    pub force: bool,
    /// Print the table as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub raw: RawArgs,
    #[command(flatten)]
    pub talk: Talk,
}

/// An amount of data in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub f64);

fn parse_size(s: &str) -> Result<Size, String> {
    let digits = s.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match s[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "PB" => 1e15,
        unit => return Err(format!("{unit:?} is no unit of bytes: kB, MB, GB, TB or PB")),
    };
    let n: f64 = digits.trim().parse().map_err(|_| format!("{s:?} is no size"))?;
    if n > 0.0 && n.is_finite() { Ok(Size(n * unit)) } else { Err(format!("{s:?} is no size")) }
}

#[cfg(feature = "train")]
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// Fields to learn from: files, or folders of .npy files
    #[arg(required = true, value_name = "DATA", value_hint = ValueHint::AnyPath)]
    pub data: Vec<PathBuf>,
    /// Folder for the checkpoint and the curves
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// The network and how it is trained, in TOML; DIR/config.toml of any run is an example
    #[arg(long, value_name = "F.toml", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Where to train: cpu, flex (the CPU without libtorch), or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Go on from the checkpoint in DIR
    #[arg(long)]
    pub resume: bool,
    /// Begin with these weights (network.bpk of a run with a network of the same shape) rather than random ones
    #[arg(long, value_name = "F.bpk", value_hint = ValueHint::FilePath, conflicts_with = "resume")]
    pub start: Option<PathBuf>,
    /// Minutes of training in all, earlier parts of the run counted in
    #[arg(long, value_name = "M", conflicts_with = "steps", default_value_t = 60.0)]
    pub minutes: f64,
    /// Steps in all, rather than minutes
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Seed of everything random
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Train the small network for coefficients of wavelets, rather than one that guides interpolation: a model in
    /// DIR/weights.scm that stands on another one, and DIR/curve.csv. It takes minutes, 6000 steps unless told otherwise, and
    /// does not go on where it was broken off. `model prime` then gives the model the states that it needs to be used
    #[arg(long, conflicts_with_all = ["config", "resume", "start", "minutes"])]
    pub coefficients: bool,
    /// The model that the one with --coefficients stands on
    #[arg(long, value_name = "FILE|ID|default", default_value = "default", requires = "coefficients")]
    pub from: String,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Debug, Subcommand)]
pub enum H5Verb {
    /// Print the parameters that make the filter encode under an error bound
    CdValues(CdValuesArgs),
}

#[derive(Args, Debug)]
pub struct CdValuesArgs {
    /// The error allowed in each chunk: abs=E, pw_rel=E, lossless, chunk_rel=E, chunk_psnr=DB, chunk_nrmse=E or chunk_l2=E
    #[arg(short = 'e', long, value_name = "KIND=VALUE", allow_hyphen_values = true)]
    pub error_bound: String,
    /// How hard to try for a smaller file
    #[arg(long, value_name = "EFFORT", default_value = "default")]
    pub effort: EffortName,
    /// Use no model
    #[arg(long)]
    pub no_model: bool,
    /// A value that stands for "missing" and is kept exactly; default: the one that the dataset declares, which nccopy does not
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub fill: Option<f64>,
    /// Print only what this program wants, after the name of a dataset
    #[arg(long = "for", value_name = "PROGRAM", conflicts_with = "json")]
    pub program: Option<H5Program>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub talk: Talk,
}

/// Programs that write HDF5.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum H5Program {
    /// h5repack -f DATASET:…
    H5repack,
    /// nccopy -F VARIABLE,…
    Nccopy,
    /// create_dataset(…) in Python
    H5py,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write one page per verb into this folder, rather than the main page to standard output
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: Option<PathBuf>,
}

/// The efforts by their names on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum EffortName {
    /// Static tables, little search: some ten times faster, files larger by a fifth and more
    Fast,
    /// Adaptive mixtures of contexts, all bases, and the model where it helps, found on parts of each chunk
    Default,
    /// A wide search on whole chunks: several times slower, files mostly smaller by some per cent
    Max,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Effort {
        match name {
            EffortName::Fast => Effort::Fast,
            EffortName::Default => Effort::Default,
            EffortName::Max => Effort::Max,
        }
    }
}

/// Extents, slowest axis first. A type of its own, because clap takes a plain `Vec` for a repeated option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extents(pub Vec<u64>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkArg {
    Auto,
    Fixed(Vec<u64>),
}

fn parse_extents(s: &str) -> Result<Extents, String> {
    if s.trim().is_empty() {
        // A single value has no axes.
        return Ok(Extents(Vec::new()));
    }
    let extent = |t: &str| t.trim().parse::<u64>().map_err(|_| format!("{t:?} is not a number of points"));
    s.trim_end_matches(',').split(',').map(extent).collect::<Result<_, _>>().map(Extents)
}

fn parse_chunk(s: &str) -> Result<ChunkArg, String> {
    if s == "auto" { Ok(ChunkArg::Auto) } else { parse_extents(s).map(|e| ChunkArg::Fixed(e.0)) }
}

fn parse_condition(s: &str) -> Result<ConditionOn, String> {
    match s {
        "auto" => Ok(ConditionOn::Auto),
        "none" => Ok(ConditionOn::None),
        names if names.split(',').any(str::is_empty) => Err("a name is empty".into()),
        names => Ok(ConditionOn::Names(names.split(',').map(str::to_owned).collect())),
    }
}

/// Only the form is looked at here: which values make sense is the codec's to say.
fn parse_bound(s: &str) -> Result<ErrorBound, String> {
    s.parse().map_err(|e: scicodec::format::Error| match e {
        scicodec::format::Error::InvalidArgument(what) => what,
        other => other.to_string(),
    })
}

/// The bits of a fill value in a dtype (low bytes first), or why there are none.
pub fn parse_fill(text: &str, dtype: DType) -> Result<u64, String> {
    let bad = || format!("--fill {text}: not a value of {}", dtype.name());
    let t = text.trim();
    macro_rules! int {
        ($t:ty, $u:ty) => {
            t.parse::<$t>().map(|v| u64::from(v as $u)).map_err(|_| bad())
        };
    }
    match dtype {
        DType::F16 => t.parse::<f64>().map(|v| u64::from(half::f16::from_f64(v).to_bits())).map_err(|_| bad()),
        DType::F32 => t.parse::<f32>().map(|v| u64::from(v.to_bits())).map_err(|_| bad()),
        DType::F64 => t.parse::<f64>().map(f64::to_bits).map_err(|_| bad()),
        DType::I8 => int!(i8, u8),
        DType::I16 => int!(i16, u16),
        DType::I32 => int!(i32, u32),
        DType::I64 => int!(i64, u64),
        DType::U8 => int!(u8, u8),
        DType::U16 => int!(u16, u16),
        DType::U32 => int!(u32, u32),
        DType::U64 => int!(u64, u64),
    }
}
