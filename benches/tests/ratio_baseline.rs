//! No change may cost more than one per cent of the ratio of a small set of fields unnoticed. Ratios alone: they are the same
//! on every machine, times are not.
#![allow(clippy::unwrap_used, clippy::print_stderr)]
use scicodec_bench::baseline;

#[test]
fn ratios_keep_to_the_baseline() {
    let text = include_str!("../results/baseline.csv");
    let (worse, better) = baseline::judge(&baseline::from_csv(text).unwrap(), &baseline::measure().unwrap());
    for line in &better {
        eprintln!("better: {line}");
    }
    assert!(
        worse.is_empty(),
        "ratios fell by more than 1 %:\n{}\nIf that is meant: \
         cargo run --release -p scicodec-bench --bin ratio-baseline > benches/results/baseline.csv",
        worse.join("\n")
    );
}
