//! What is said, and where: results on standard output, remarks on standard error.
use crate::failure::{Failure, Outcome};
use std::io::{self, IsTerminal, Write};

/// A remark for people.
pub fn remark(text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// A result.
pub fn result(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
        .and_then(|()| out.flush())
        .map_err(|e| Failure::new(format!("standard output: {e}")))
}

pub fn result_json(value: &serde_json::Value) -> Outcome {
    result(&format!("{value:#}"))
}

/// Refuses to fill a terminal with bytes.
pub fn refuse_terminal() -> Outcome {
    if io::stdout().is_terminal() {
        return Err(Failure::new("standard output is a terminal; bytes are not written to it (use -o, or a pipe)"));
    }
    Ok(())
}

/// Four digits, and an exponent only where it helps.
pub fn number(v: f64) -> String {
    let size = v.abs();
    if v == 0.0 || !v.is_finite() {
        format!("{v}")
    } else if !(1e-3..1e5).contains(&size) {
        format!("{v:.3e}")
    } else {
        let digits = (3 - size.log10().floor() as i32).clamp(0, 6);
        format!("{v:.*}", digits as usize)
    }
}

pub fn extents(shape: &[u64]) -> String {
    if shape.is_empty() { "scalar".into() } else { shape.iter().map(u64::to_string).collect::<Vec<_>>().join("x") }
}

/// Bytes to the next unit, for people.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    let mut units = ["bytes", "kB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    match unit {
        "bytes" => format!("{n} bytes"),
        _ if value < 10.0 => format!("{value:.2} {unit}"),
        _ => format!("{value:.1} {unit}"),
    }
}

/// Bytes in per byte out; nothing into something is 0, and nothing into nothing is 1.
pub fn ratio(raw: u64, compressed: u64) -> f64 {
    if raw == compressed { 1.0 } else { raw as f64 / (compressed.max(1)) as f64 }
}

pub fn speed(raw: u64, seconds: f64) -> String {
    format!("{:.1} MB/s", raw as f64 / 1e6 / seconds.max(1e-9))
}
