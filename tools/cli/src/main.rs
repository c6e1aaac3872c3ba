//! The `scicodec` command line: one module per verb.
mod append;
mod args;
mod compare;
mod compare_page;
mod completions;
mod data_files;
mod decode;
mod decode_dataset;
mod encode;
mod failure;
mod finetune;
mod h5;
mod info;
mod inputs;
mod interrupt;
mod man;
mod model;
mod prime;
mod progress;
mod recover;
mod report;
mod test;
mod text;
#[cfg(feature = "train")]
mod train;
#[cfg(feature = "train")]
mod train_coefficients;

use args::{Cli, Verb};
use clap::Parser;
use failure::Outcome;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            text::remark(&format!("scicodec: error: {}", interrupt::reason(&failure)));
            ExitCode::from(failure.status)
        }
    }
}

fn run() -> Outcome {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) if e.use_stderr() && e.kind() != clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return Err(failure::from_clap(&e));
        }
        Err(e) => e.exit(),
    };
    interrupt::install()?;
    match cli.verb {
        Verb::Encode(args) => encode::run(&args),
        Verb::Decode(args) => decode::run(&args),
        Verb::Info(args) => info::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Recover(args) => recover::run(&args),
        Verb::Compare(args) => compare::run(&args),
        Verb::Model(args) => model::run(&args),
        Verb::Finetune(args) => finetune::run(&args),
        #[cfg(feature = "train")]
        Verb::Train(args) if args.coefficients => train_coefficients::run(&args),
        #[cfg(feature = "train")]
        Verb::Train(args) => train::run(&args),
        Verb::H5(verb) => h5::run(&verb),
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
    }
}
