//! `scicodec test`: every checksum, and every chunk decoded.
use crate::{
    args::TestArgs,
    failure::{Failure, Outcome, about, display},
    model,
    progress::Bar,
    text,
};
use scicodec::Progress;

pub fn run(args: &TestArgs) -> Outcome {
    let reader = model::open(&args.input, args.model.as_ref())?;
    let bar = Bar::new(&display(&args.input), args.talk.quiet);
    let report = reader.verify(&|p: Progress| bar.set(p.done, p.total)).map_err(about(&args.input))?;
    drop(bar);
    if report.missing > 0 {
        let what = format!("{} of {} chunks were lost before", report.missing, report.missing + report.chunks);
        return Err(Failure::new(format!(
            "{}: {what} the file was recovered; the others are whole",
            display(&args.input)
        )));
    }
    if !args.talk.quiet {
        text::remark(&format!(
            "{}: ok: {} variable(s), {} chunk(s), {} decoded",
            display(&args.input),
            report.variables,
            report.chunks,
            text::bytes(report.raw_bytes),
        ));
    }
    Ok(())
}
