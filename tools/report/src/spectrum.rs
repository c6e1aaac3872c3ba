//! Power by wavenumber: what scales of the field survive, and whether the error is noise or structure.
//!
//! Planes of the last two axes that have at least [`LEAST`] points (lines, where but one has), a Hann window along each axis,
//! a Fourier transform, and the mean power in rings of equal wavenumber. Missing values are set to the mean of the plane.
use crate::{
    Error, Pair,
    chart::{Axis, Look, Series, chart},
    colours,
    words::with_units,
};
use rustfft::{FftPlanner, num_complex::Complex64};

const LEAST: usize = 8;
/// Planes that are looked at, evenly spread over all, at most.
const PLANES: usize = 16;

/// Power of original, decoded (dashed) and error against wavenumber; `None` where no axis is long enough.
pub fn spectrum(pair: &Pair<'_>) -> Result<Option<String>, Error> {
    let Some((rows, columns)) = plane(pair.shape) else { return Ok(None) };
    let error: Vec<f64> = pair.original.iter().zip(pair.decoded).map(|(a, b)| b - a).collect();
    let power = |values| rings(values, rows, columns);
    let (original, decoded, error) = (power(pair.original), power(pair.decoded), power(&error));
    let all = || original.iter().chain(&decoded).chain(&error);
    let high = all().fold(0.0f64, |m, p| m.max(p.1));
    if high == 0.0 {
        return Ok(None);
    }
    let x = Axis::around("wavenumber (cycles per grid step)", all().map(|p| p.0), true);
    // Powers below the rounding of doubles say nothing.
    let shown = all().map(|p| p.1).filter(|&p| p > high * 1e-26);
    let units = if pair.units.is_empty() { String::new() } else { format!("{}²", pair.units) };
    let y = Axis::around(with_units("power", &units), shown, true);
    let series = [
        Series { colour: colours::ORIGINAL, points: original, look: Look::Line },
        Series { colour: colours::DECODED, points: decoded, look: Look::Dashed },
        Series { colour: colours::ERROR, points: error, look: Look::Line },
    ];
    chart(&x, &y, &series).map(Some)
}

/// Rows and columns of the planes: the last axes, if they are long enough. One row is a line.
fn plane(shape: &[usize]) -> Option<(usize, usize)> {
    let axes: Vec<usize> = shape.iter().rev().copied().skip_while(|&n| n == 1).collect();
    match axes.as_slice() {
        [columns, rows, ..] if *columns >= LEAST && *rows >= LEAST => Some((*rows, *columns)),
        [columns, ..] if *columns >= LEAST => Some((1, *columns)),
        _ => None,
    }
}

/// (wavenumber, mean power) of rings that hold something.
fn rings(values: &[f64], rows: usize, columns: usize) -> Vec<(f64, f64)> {
    let size = rows * columns;
    let count = values.len() / size;
    let bins = if rows == 1 { columns / 2 } else { rows.min(columns) / 2 };
    let (mut sums, mut counts) = (vec![0.0; bins + 1], vec![0u64; bins + 1]);
    let mut planner = FftPlanner::new();
    let (along, down) = (planner.plan_fft_forward(columns), planner.plan_fft_forward(rows));
    let window = |k: usize, n: usize| {
        if n == 1 { 1.0 } else { (std::f64::consts::PI * (k as f64 + 0.5) / n as f64).sin().powi(2) }
    };
    for k in 0..count.min(PLANES) {
        let start = k * count / count.min(PLANES) * size;
        let plane = &values[start..start + size];
        let mean = crate::slice::mean(plane);
        let mean = if mean.is_finite() { mean } else { 0.0 };
        let mut data: Vec<Complex64> = plane
            .iter()
            .enumerate()
            .map(|(i, &v)| {
                let weight = window(i / columns, rows) * window(i % columns, columns);
                Complex64::new(if v.is_finite() { (v - mean) * weight } else { 0.0 }, 0.0)
            })
            .collect();
        along.process(&mut data);
        let mut column = vec![Complex64::default(); rows];
        for x in 0..columns {
            for y in 0..rows {
                column[y] = data[y * columns + x];
            }
            down.process(&mut column);
            for (y, c) in column.iter().enumerate() {
                let wave = |k: usize, n: usize| k.min(n - k) as f64 / n as f64;
                let radius = wave(x, columns).hypot(wave(y, rows));
                let ring = (radius * 2.0 * bins as f64).round() as usize;
                if ring <= bins {
                    sums[ring] += c.norm_sqr() / (size * size) as f64;
                    counts[ring] += 1;
                }
            }
        }
    }
    let rings = (1..=bins).filter(|&k| counts[k] > 0);
    thin(rings.map(|k| (k as f64 / (2.0 * bins as f64), sums[k] / counts[k] as f64)).collect())
}

/// At high wavenumbers rings lie closer than a line can show: neighbours are joined into some sixty groups of equal factors.
fn thin(rings: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    let (mut wave, mut power, mut n) = (0.0, 0.0, 0.0);
    let mut first = 0.0;
    for (k, &(w, p)) in rings.iter().enumerate() {
        first = if n == 0.0 { w } else { first };
        (wave, power, n) = (wave + w, power + p, n + 1.0);
        if rings.get(k + 1).is_none_or(|next| next.0 > first * 1.06) {
            out.push((wave / n, power / n));
            (wave, power, n) = (0.0, 0.0, 0.0);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_has_its_power_at_its_wavenumber() {
        let values: Vec<f64> =
            (0..64 * 64).map(|i| (std::f64::consts::TAU * 8.0 * (i % 64) as f64 / 64.0).sin()).collect();
        let rings = rings(&values, 64, 64);
        let peak = rings.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!((peak.0 - 0.125).abs() < 0.02, "{peak:?}");
    }

    #[test]
    fn planes_are_found_and_lines_where_there_are_none() {
        assert_eq!(plane(&[4, 64, 32]), Some((64, 32)));
        assert_eq!(plane(&[100]), Some((1, 100)));
        assert_eq!(plane(&[50, 100, 1]), Some((50, 100)));
        assert_eq!(plane(&[3, 100]), Some((1, 100)));
        assert_eq!(plane(&[100, 3]), None);
    }
}
