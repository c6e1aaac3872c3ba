//! Encodes and decodes in memory on request, and answers with figures: the scicodec side of `python/speed.py` and
//! `python/peers.py`.
//!
//! Requests are lines on standard input, answers are lines of JSON on standard output:
//! - `field DTYPE SHAPE PATH`: reads a raw file, which the next requests are about;
//! - `encode KIND VALUE EFFORT THREADS yes|no`: `{"seconds", "processor", "bytes"}`, seconds on the clock and of all threads'
//!   processor time; the last word is whether payloads are verified, and an effort may end in `-no-model`;
//! - `decode THREADS`: decodes what was encoded last, `{"seconds", "processor"}`;
//! - `check`: the errors of what was decoded last, `{"max_error", "rmse", "range", "bases"}`, as they are outside the timing;
//! - `memory`: bytes of this process, `{"resident", "highest"}`; 0 where the system does not tell.
//!
//! What cannot be done is answered by `{"error"}`.
use rustix::time::{ClockId, clock_gettime};
use scicodec::{EncodeOptions, ModelChoice, Reader};
use scicodec_bench::{Result, field::Field, pipeline};
use std::io::{BufRead, Write};
use std::path::Path;

/// Processor time of all threads of this process so far, in seconds.
fn processor() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// A line of `/proc/self/status` that counts kilobytes, in bytes.
fn status(what: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix(what));
    line.and_then(|l| l.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Names of the bases of a file's chunks, each once, the most frequent first.
fn bases(file: &[u8]) -> Result<String> {
    let reader = Reader::from_bytes(file.to_vec())?;
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for chunk in &reader.variables()[0].chunks {
        *counts.entry(scicodec::base_name(chunk.base)).or_default() += 1;
    }
    let mut names: Vec<_> = counts.into_iter().collect();
    names.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    Ok(names.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join("+"))
}

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
                let start = processor();
                let (file, took) = pipeline::encode(field, &options)?;
                let used = processor() - start;
                let (took, bytes) = (took.as_secs_f64(), file.len());
                let answer = format!(r#"{{"seconds": {took}, "processor": {used}, "bytes": {bytes}}}"#);
                self.file = Some(file);
                Ok(answer)
            }
            ["decode", threads] => {
                let file = self.file.as_ref().ok_or("nothing encoded yet")?;
                // The last result goes first, or its memory would be given back inside the next timing.
                self.decoded = None;
                let start = processor();
                let (bytes, took) = pipeline::decode(file, threads.parse()?)?;
                let used = processor() - start;
                self.decoded = Some(bytes);
                Ok(format!(r#"{{"seconds": {}, "processor": {used}}}"#, took.as_secs_f64()))
            }
            ["check"] => {
                let field = self.field.as_ref().ok_or("no field yet")?;
                let error = field.error_of(self.decoded.as_ref().ok_or("nothing decoded yet")?)?;
                let (range, max, rmse) = (field.range(), error.max, error.rmse);
                let bases = bases(self.file.as_ref().ok_or("nothing encoded yet")?)?;
                Ok(format!(r#"{{"max_error": {max}, "rmse": {rmse}, "range": {range}, "bases": "{bases}"}}"#))
            }
            ["memory"] => {
                let (resident, highest) = (status("VmRSS"), status("VmHWM"));
                // From here on the highest is that of what follows.
                let _ = std::fs::write("/proc/self/clear_refs", "5");
                Ok(format!(r#"{{"resident": {resident}, "highest": {highest}}}"#))
            }
            _ => Err(format!("no such request: {line}").into()),
        }
    }
}

fn main() -> Result<()> {
    let mut state = State::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = state.answer(line?.trim_end());
        let answer = answer.unwrap_or_else(|e| format!(r#"{{"error": {:?}}}"#, e.to_string()));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
