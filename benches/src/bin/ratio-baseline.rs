#![allow(clippy::print_stdout)]
//! Writes the ratio baseline anew: `cargo run --release -p scicodec-bench --bin ratio-baseline > benches/results/baseline.csv`
use scicodec_bench::{Result, baseline};

fn main() -> Result<()> {
    print!("{}", baseline::to_csv(&baseline::measure()?));
    Ok(())
}
