//! The progress bar: on standard error, only on a terminal, only for long work.
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Work shorter than this shows no bar.
const LONG: Duration = Duration::from_secs(1);

pub struct Bar {
    bar: ProgressBar,
    wanted: bool,
    shown: AtomicBool,
    begun: Instant,
}

impl Bar {
    /// A bar over this many bytes of elements, with the name of what is worked on.
    pub fn new(what: &str, quiet: bool) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = "{prefix} {bar:24} {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        Bar { bar, wanted: !quiet && io::stderr().is_terminal(), shown: AtomicBool::new(false), begun: Instant::now() }
    }

    /// So much is done. May be called from any thread.
    pub fn set(&self, done: u64, total: u64) {
        if !self.wanted {
            return;
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
        if self.begun.elapsed() >= LONG && !self.shown.swap(true, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
