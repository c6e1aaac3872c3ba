//! How a run ends when it does not end well.
use std::{fmt::Display, path::Path};

/// One line for standard error, and the exit status.
#[derive(Debug)]
pub struct Failure {
    pub status: u8,
    pub message: String,
}

pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The work failed.
    pub fn new(message: impl Display) -> Failure {
        Failure { status: 1, message: one_line(&message.to_string()) }
    }

    /// The words of the command line do not make sense together.
    pub fn usage(message: impl Display) -> Failure {
        Failure { status: 2, message: one_line(&message.to_string()) }
    }
}

/// Names the file that an error is about.
pub fn about<E: Display>(path: &Path) -> impl FnOnce(E) -> Failure {
    let name = display(path);
    move |e| Failure::new(format!("{name}: {e}"))
}

/// A file's name for messages.
pub fn display(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() }
}

fn one_line(message: &str) -> String {
    message.split('\n').map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ")
}

/// clap's errors in our form: one line, then where to read on.
pub fn from_clap(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let tip = text.split("\n\n").find_map(|part| part.trim().strip_prefix("tip: ").map(str::to_owned));
    let tip = tip.map(|t| format!("; {}", t.lines().next().unwrap_or_default())).unwrap_or_default();
    Failure::usage(format!("{first}{tip} (see scicodec --help)"))
}
