//! `scicodec completions SHELL`.
use crate::{
    args::{Cli, CompletionsArgs},
    failure::{Failure, Outcome},
    text,
};
use clap::CommandFactory;

pub fn run(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "scicodec", &mut script);
    text::result(&String::from_utf8(script).map_err(Failure::new)?)
}
