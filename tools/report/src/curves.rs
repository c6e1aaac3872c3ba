//! Rate–distortion curves: bits per value against what is left of the signal, and against the largest error.
use crate::{
    Error, Point,
    chart::{Axis, Look, Series, chart},
    colours,
};

/// Names of codecs in the order in which they come first.
pub fn codecs(points: &[Point]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for p in points {
        if !names.contains(&p.codec.as_str()) {
            names.push(&p.codec);
        }
    }
    names
}

/// PSNR against bits per value.
pub fn psnr(points: &[Point], legend: &[String]) -> Result<String, Error> {
    let finite: Vec<&Point> = points.iter().filter(|p| p.psnr.is_finite()).collect();
    draw(&finite, legend, |p| p.psnr, |a, b| a >= b, ("PSNR (dB)", false))
}

/// The largest error against bits per value.
pub fn max_error(points: &[Point], legend: &[String]) -> Result<String, Error> {
    let pointwise: Vec<&Point> = points.iter().filter(|p| p.pointwise && p.max_error > 0.0).collect();
    draw(&pointwise, legend, |p| p.max_error, |a, b| a <= b, ("max error ÷ range", true))
}

fn draw(
    points: &[&Point],
    legend: &[String],
    what: impl Fn(&Point) -> f64,
    no_worse: impl Fn(f64, f64) -> bool,
    (label, logarithmic): (&str, bool),
) -> Result<String, Error> {
    let x = Axis::around("bits per value", points.iter().map(|p| p.bits_per_value), true);
    let y = Axis::around(label, points.iter().map(|p| what(p)), logarithmic);
    let mut series = Vec::new();
    for (k, codec) in legend.iter().enumerate().rev() {
        let own = points.iter().filter(|p| p.codec == *codec);
        let own: Vec<(f64, f64)> = own.map(|p| (p.bits_per_value, what(p))).collect();
        series.push(Series { colour: colours::line(k), points: front(own, &no_worse), look: Look::Dots });
    }
    chart(&x, &y, &series)
}

/// The points that no other one beats in both, by rising rate: a codec asked for a bound of single values spends bits that do
/// not show in the PSNR, and the other way round.
fn front(mut points: Vec<(f64, f64)>, no_worse: impl Fn(f64, f64) -> bool) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for p in points {
        if kept.last().is_none_or(|k| no_worse(p.1, k.1) && p.1 != k.1) {
            kept.push(p);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_has_no_point_that_another_beats() {
        let points = vec![(2.0, 50.0), (1.0, 40.0), (1.5, 39.0), (3.0, 50.0)];
        assert_eq!(front(points, |a, b| a >= b), [(1.0, 40.0), (2.0, 50.0)]);
    }
}
