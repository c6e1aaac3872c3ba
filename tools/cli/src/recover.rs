//! `scicodec recover`: a new index from the chunks that are whole.
use crate::{
    args::RecoverArgs,
    failure::{Failure, Outcome, about, display},
    interrupt, text,
};
use scicodec_io::{OutputFile, Overwrite};

pub fn run(args: &RecoverArgs) -> Outcome {
    let overwrite = if args.force { Overwrite::Allow } else { Overwrite::Refuse };
    interrupt::writing(None);
    // Recovered under a temporary name: where nothing could be saved, nothing is written.
    let file = OutputFile::create(&args.output, overwrite).map_err(about(&args.output))?;
    let Some(temporary) = file.temporary_path() else {
        return Err(Failure::new(format!("{}: not a regular file", display(&args.output))));
    };
    let report =
        scicodec::recover_to(&args.input, temporary, scicodec::Overwrite::Replace).map_err(about(&args.input))?;
    interrupt::finishing()?;
    let (chunks, lost) = report.variables.iter().fold((0, 0), |(c, l), v| (c + v.chunks - v.lost, l + v.lost));
    if report.variables.is_empty() {
        return Err(Failure::new(format!("{}: no whole chunk of a .scz file was found in it", display(&args.input))));
    }
    file.finish().map_err(about(&args.output))?;
    if !args.talk.quiet {
        text::remark(&format!(
            "{}: saved {} variable(s), {chunks} chunk(s); lost {} variable(s), {lost} chunk(s) -> {}",
            display(&args.input),
            report.variables.len(),
            report.lost_variables.len(),
            display(&args.output),
        ));
    }
    if args.talk.verbose {
        report.lost_variables.iter().for_each(|name| text::remark(&format!("  {name}: all chunks lost")));
        let maimed = report.variables.iter().filter(|v| v.lost > 0);
        maimed.for_each(|v| text::remark(&format!("  {}: {} of {} chunks lost", v.name, v.lost, v.chunks)));
    }
    Ok(())
}
