//! How errors are spread within the bound.
use crate::{
    Error, Pair,
    chart::{Axis, Look, Series, chart},
    colours,
    words::with_units,
};

const BINS: usize = 81;

/// Shares of values by their error, the bound in red.
pub fn histogram(pair: &Pair<'_>) -> Result<String, Error> {
    let errors = errors(pair);
    let most = errors.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    let reach = pair.bound.unwrap_or(most).max(most);
    let reach = if reach > 0.0 { 1.08 * reach } else { 1.0 };
    let shares = shares(&errors, reach);
    let width = 2.0 * reach / BINS as f64;
    let bars: Vec<(f64, f64)> =
        shares.iter().enumerate().map(|(k, &s)| ((k as f64 + 0.5) * width - reach, s)).filter(|b| b.1 > 0.0).collect();
    let x = Axis { label: with_units("error", pair.units), low: -reach, high: reach, logarithmic: false };
    let high = 1.08 * shares.iter().fold(0.0f64, |m, &s| m.max(s)).max(1e-9);
    let y = Axis { label: "share of values (%)".into(), low: 0.0, high, logarithmic: false };
    let mut series = vec![Series { colour: colours::DECODED, points: bars, look: Look::Bars(width) }];
    for bound in pair.bound.into_iter().flat_map(|b| [-b, b]) {
        series.push(Series { colour: colours::BOUND, points: vec![(bound, 0.0), (bound, high)], look: Look::Dashed });
    }
    chart(&x, &y, &series)
}

/// Decoded minus original, where both are finite.
fn errors(pair: &Pair<'_>) -> Vec<f64> {
    let pairs = pair.original.iter().zip(pair.decoded);
    pairs.map(|(a, b)| b - a).filter(|e| e.is_finite()).collect()
}

/// Per cent of the errors in each bin of ±reach.
fn shares(errors: &[f64], reach: f64) -> Vec<f64> {
    let mut counts = vec![0u64; BINS];
    for e in errors {
        let k = ((e / reach + 1.0) * 0.5 * BINS as f64).floor();
        counts[(k.max(0.0) as usize).min(BINS - 1)] += 1;
    }
    let all = errors.len().max(1) as f64;
    counts.into_iter().map(|c| 100.0 * c as f64 / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_zero_is_in_the_middle() {
        let shares = shares(&[0.0, 0.0, 1.0, -1.0], 1.0);
        assert_eq!((shares[BINS / 2], shares[0], shares[BINS - 1]), (50.0, 25.0, 25.0));
        assert!((shares.iter().sum::<f64>() - 100.0).abs() < 1e-9);
    }
}
