//! Encodes and decodes in memory on request, and answers with seconds: the scicodec side of `python/speed.py`.
//!
//! Requests are lines on standard input, answers are lines of JSON on standard output:
//! - `field DTYPE SHAPE PATH`: reads a raw file, which the next requests are about;
//! - `encode KIND VALUE EFFORT THREADS yes|no`: `{"seconds", "bytes"}`; the last word is whether payloads are verified,
//!   and an effort may end in `-no-model`;
//! - `decode THREADS`: decodes what was encoded last, `{"seconds"}`;
//! - `check`: the errors of what was decoded last, `{"max_error", "rmse", "range"}`, as they are outside the timing.
use scicodec::{EncodeOptions, ModelChoice};
use scicodec_bench::{Result, field::Field, pipeline};
use std::io::{BufRead, Write};
use std::path::Path;

#[derive(Default)]
struct State {
    field: Option<Field>,
    file: Option<Vec<u8>>,
    decoded: Option<Vec<u8>>,
}

impl State {
    fn answer(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            // The path is last, as it may hold spaces.
            ["field", dtype, shape, path @ ..] => {
                self.field = Some(Field::read_raw(dtype, shape, Path::new(&path.join(" ")))?);
                (self.file, self.decoded) = (None, None);
                Ok("{}".into())
            }
            ["encode", kind, value, effort, threads, verify] => {
                let field = self.field.as_ref().ok_or("no field yet")?;
                let mut options = EncodeOptions::new(pipeline::parse_bound(kind, value)?);
                let name = effort.strip_suffix("-no-model");
                options.effort = pipeline::parse_effort(name.unwrap_or(effort))?;
                options.model = if name.is_some() { ModelChoice::None } else { ModelChoice::Default };
                options.threads = threads.parse()?;
                options.verify = *verify == "yes";
                let (file, took) = pipeline::encode(field, &options)?;
                let answer = format!(r#"{{"seconds": {}, "bytes": {}}}"#, took.as_secs_f64(), file.len());
                self.file = Some(file);
                Ok(answer)
            }
            ["decode", threads] => {
                let file = self.file.as_ref().ok_or("nothing encoded yet")?;
                // The last result goes first, or its memory would be given back inside the next timing.
                self.decoded = None;
                let (bytes, took) = pipeline::decode(file, threads.parse()?)?;
                self.decoded = Some(bytes);
                Ok(format!(r#"{{"seconds": {}}}"#, took.as_secs_f64()))
            }
            ["check"] => {
                let field = self.field.as_ref().ok_or("no field yet")?;
                let error = field.error_of(self.decoded.as_ref().ok_or("nothing decoded yet")?)?;
                let range = field.range();
                Ok(format!(r#"{{"max_error": {}, "rmse": {}, "range": {range}}}"#, error.max, error.rmse))
            }
            _ => Err(format!("no such request: {line}").into()),
        }
    }
}

fn main() -> Result<()> {
    let mut state = State::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = state.answer(line?.trim_end())?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
