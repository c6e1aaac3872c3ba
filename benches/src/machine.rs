//! The words that a result needs besides its figures: what was run, on what.
use std::{fs, process::Command, thread};

/// Markdown lines that say the command, scicodec's commit, the processor and the compiler.
pub fn describe(command: &str) -> String {
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let changes = match output("git", &["status", "--porcelain", "--untracked-files=no"]).as_str() {
        "" => "",
        _ => ", with changes",
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let rustc = output("rustc", &["--version"]);
    format!(
        "- command: `{command}`\n- scicodec: {commit}{changes}\n- processor: {}, {cores} cores\n- rustc: {rustc}\n",
        processor()
    )
}

fn output(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(o) if o.status.success() => String::from_utf8_lossy(&o.stdout).trim().to_string(),
        _ => "unknown".into(),
    }
}

/// The processor's name as the system tells it, with family and model where it has them.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let pairs = text.lines().filter_map(|l| l.split_once(':'));
        pairs.map(|(k, v)| (k.trim(), v.trim())).find_map(|(k, v)| (k == key).then(|| v.to_string()))
    };
    let name = value("model name").unwrap_or_else(|| std::env::consts::ARCH.to_string());
    match (value("cpu family"), value("model")) {
        (Some(family), Some(model)) => format!("{name} (cpu family {family}, model {model})"),
        _ => name,
    }
}
