//! One chart as SVG: lines over two axes, each of them linear or logarithmic.
use crate::{Error, colours, words::number};
use plotters::{
    coord::ranged1d::{DefaultFormatting, KeyPointHint},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// What an axis says and how far it goes.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What is along it, with units.
    pub label: String,
    /// Its first value.
    pub low: f64,
    /// Its last value.
    pub high: f64,
    /// Steps of equal factors. Both ends are positive then.
    pub logarithmic: bool,
}

impl Axis {
    /// An axis over these values with some air at both ends. Logarithmic ones leave out what is not positive.
    pub fn around(label: impl Into<String>, values: impl Iterator<Item = f64>, logarithmic: bool) -> Axis {
        let seen = values.filter(|v| v.is_finite() && (!logarithmic || *v > 0.0));
        let (low, high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (1.0, 1.0) };
        let axis = Axis { label: label.into(), low, high, logarithmic };
        let (a, b) = (axis.place(low), axis.place(high));
        let air = if b > a { 0.05 * (b - a) } else { 0.5 };
        // Less than a factor of two across, and labels of few digits would all be the same.
        let air = if logarithmic { air.max(0.5 * (2f64.log10() - (b - a))) } else { air };
        Axis { low: axis.value(a - air), high: axis.value(b + air), ..axis }
    }

    /// Where on the axis a value lies, in its own measure.
    pub fn place(&self, v: f64) -> f64 {
        if self.logarithmic { v.log10() } else { v }
    }

    fn value(&self, place: f64) -> f64 {
        if self.logarithmic { 10f64.powf(place) } else { place }
    }

    /// Round values along the axis, about `count` of them.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        let (low, high) = (self.low.min(self.high), self.low.max(self.high));
        if !self.logarithmic {
            return round_values(low, high, count);
        }
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let decades = (last - first).max(1) as usize;
        let steps: &[f64] = if decades <= 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = decades.div_ceil(count).max(1) as i32;
        let all = (first..=last).filter(|k| (k - first) % every == 0);
        let all = all.flat_map(|k| steps.iter().map(move |s| s * 10f64.powi(k)));
        let ticks: Vec<f64> = all.filter(|v| (low..=high).contains(v)).collect();
        if ticks.len() < 2 { round_values(low, high, count) } else { ticks }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn round_values(low: f64, high: f64, count: usize) -> Vec<f64> {
    let raw = (high - low) / count.max(1) as f64;
    if raw.is_nan() || raw <= 0.0 || !raw.is_finite() {
        return vec![low];
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * power >= raw * 0.999).unwrap_or(10.0) * power;
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    (0..=((last - first).clamp(0.0, 100.0) as u64)).map(|k| (first + k as f64) * step).collect()
}

/// Places along an axis, and those that get a tick.
pub struct Ticked {
    /// The place of its first pixel.
    pub first: f64,
    /// The place of its last pixel; may be the smaller one.
    pub last: f64,
    /// Where ticks are.
    pub ticks: Vec<f64>,
}

impl Ticked {
    fn of(axis: &Axis) -> Ticked {
        let ticks = axis.ticks(6).into_iter().map(|v| axis.place(v)).collect();
        Ticked { first: axis.place(axis.low), last: axis.place(axis.high), ticks }
    }
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let part = (value - self.first) / (self.last - self.first);
        limit.0 + (part * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.first..self.last
    }
}

/// A line through points, or a bar below each.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its colour.
    pub colour: RGBColor,
    /// Its points, in order.
    pub points: Vec<(f64, f64)>,
    /// How it looks.
    pub look: Look,
}

/// How a series looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Look {
    /// A line.
    Line,
    /// A dashed line.
    Dashed,
    /// A line with a dot at each point.
    Dots,
    /// Bars of this width from the bottom.
    Bars(f64),
}

/// The size of charts, in pixels.
pub const SIZE: (u32, u32) = (440, 300);

/// Plotters' errors in words.
pub fn drawing<E: std::fmt::Debug>(e: E) -> Error {
    Error::Drawing(format!("{e:?}"))
}

/// Draws series; points that the axes cannot hold are left out.
pub fn chart(x: &Axis, y: &Axis, series: &[Series]) -> Result<String, Error> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut context = ChartBuilder::on(&root)
            .margin(10)
            .margin_right(16)
            .x_label_area_size(42)
            .y_label_area_size(70)
            .build_cartesian_2d(Ticked::of(x), Ticked::of(y))
            .map_err(drawing)?;
        context
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(colours::GRID)
            .axis_style(colours::INK)
            .label_style(("sans-serif", 12).into_font().color(&colours::INK))
            .axis_desc_style(("sans-serif", 13).into_font().color(&colours::INK))
            .x_label_formatter(&|v| number(x.value(*v)))
            .y_label_formatter(&|v| number(y.value(*v)))
            .x_desc(x.label.as_str())
            .y_desc(y.label.as_str())
            .draw()
            .map_err(drawing)?;
        for s in series {
            let seen = |v: f64, axis: &Axis| axis.place(v).is_finite() && (axis.low..=axis.high).contains(&v);
            let points = s.points.iter().filter(|(a, b)| seen(*a, x) && seen(*b, y));
            let points: Vec<(f64, f64)> = points.map(|&(a, b)| (x.place(a), y.place(b))).collect();
            let stroke = s.colour.stroke_width(2);
            match s.look {
                Look::Bars(width) => {
                    let bottom = y.place(y.low);
                    let bar = |&(a, b): &(f64, f64)| {
                        Rectangle::new([(a - 0.5 * width, bottom), (a + 0.5 * width, b)], s.colour.filled())
                    };
                    context.draw_series(points.iter().map(bar)).map_err(drawing)?;
                }
                Look::Dashed => {
                    context.draw_series(DashedLineSeries::new(points, 6, 4, stroke)).map_err(drawing)?;
                }
                Look::Line | Look::Dots => {
                    if s.look == Look::Dots {
                        let dot = |&p| Circle::new(p, 3, s.colour.filled());
                        context.draw_series(points.iter().map(dot)).map_err(drawing)?;
                    }
                    context.draw_series(LineSeries::new(points, stroke)).map_err(drawing)?;
                }
            }
        }
        root.present().map_err(drawing)?;
    }
    Ok(svg)
}

/// Text in the pixels of a picture, its anchor at the left or right, in the middle of its height.
pub fn text<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    words: &str,
    at: (i32, i32),
    right: bool,
    size: i32,
) -> Result<(), Error> {
    let anchor = Pos::new(if right { HPos::Right } else { HPos::Left }, VPos::Center);
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&colours::INK).pos(anchor);
    area.draw_text(words, &style, at).map_err(drawing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let linear = Axis { label: String::new(), low: -0.13, high: 0.9, logarithmic: false };
        assert_eq!(linear.ticks(5), [0.0, 0.5].map(|v: f64| v).to_vec());
        let decades = Axis { low: 3e-7, high: 0.2, logarithmic: true, ..linear.clone() };
        let powers: Vec<i32> = decades.ticks(8).iter().map(|v| v.log10().round() as i32).collect();
        assert_eq!(powers, [-6, -5, -4, -3, -2, -1]);
        let narrow = Axis { low: 1.3, high: 7.0, logarithmic: true, ..linear };
        assert_eq!(narrow.ticks(6), [2.0, 5.0]);
    }

    #[test]
    fn axes_stand_a_single_value_and_none() {
        let one = Axis::around("x", [3.0].into_iter(), false);
        assert!(one.low < 3.0 && one.high > 3.0);
        let near = Axis::around("x", [0.0099998, 0.0099999].into_iter(), true);
        assert!(near.high > 1.9 * near.low && near.low < 0.0099 && near.high > 0.0101);
        let none = Axis::around("x", [f64::NAN, -1.0].into_iter(), true);
        assert!(none.low > 0.0 && none.high > none.low);
    }
}
