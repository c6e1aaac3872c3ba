//! Bars of speed.
use crate::{
    Error, Speed,
    chart::{Axis, SIZE, drawing, text},
    colours,
    words::number,
};
use plotters::prelude::*;

const LEFT: i32 = 120;
const RIGHT: i32 = 60;
const TOP: i32 = 14;
const BOTTOM: i32 = 44;

/// Two bars per codec: encoding above decoding, lighter. The axis is logarithmic.
pub fn bars(speeds: &[Speed], legend: &[String]) -> Result<String, Error> {
    let (width, height) = (SIZE.0 as i32, SIZE.1 as i32);
    let all = || speeds.iter().flat_map(|s| [s.encode, s.decode]).flatten().filter(|v| *v > 0.0 && v.is_finite());
    let low = 10f64.powf(all().fold(f64::INFINITY, f64::min).log10().floor());
    // Bars begin at one megabyte per second or below, so that their lengths can be held against each other.
    let low = if low.is_finite() { low.min(1.0) } else { 1.0 };
    let axis = Axis { high: (all().fold(low, f64::max) * 1.1).max(low * 10.0), ..Axis::around("MB/s", all(), true) };
    let axis = Axis { low, ..axis };
    let across = |v: f64| {
        let part = (axis.place(v) - axis.place(axis.low)) / (axis.place(axis.high) - axis.place(axis.low));
        LEFT + (part * f64::from(width - LEFT - RIGHT)) as i32
    };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        for v in axis.ticks(5) {
            let x = across(v);
            root.draw(&PathElement::new([(x, TOP), (x, height - BOTTOM)], colours::GRID)).map_err(drawing)?;
            let words = number(v);
            text(&root, &words, (x - 3 * words.len() as i32, height - BOTTOM + 12), false, 12)?;
        }
        let words = "MB/s, one thread";
        text(&root, words, (LEFT + 70, height - 14), false, 13)?;
        let row = (height - TOP - BOTTOM) / speeds.len().max(1) as i32;
        let thick = (row / 2 - 3).clamp(3, 18);
        for (k, speed) in speeds.iter().enumerate() {
            let middle = TOP + row * k as i32 + row / 2;
            text(&root, &speed.codec, (LEFT - 8, middle), true, 13)?;
            let place = legend.iter().position(|l| *l == speed.codec).unwrap_or(k);
            for (value, top, light) in [(speed.encode, middle - thick - 1, 1.0), (speed.decode, middle + 1, 0.5)] {
                let Some(value) = value.filter(|v| *v > 0.0) else { continue };
                let shape = [(LEFT, top), (across(value), top + thick)];
                root.draw(&Rectangle::new(shape, colours::line(place).mix(light).filled())).map_err(drawing)?;
                text(&root, &number(value), (across(value) + 4, top + thick / 2), false, 11)?;
            }
        }
        root.draw(&PathElement::new([(LEFT, TOP), (LEFT, height - BOTTOM)], colours::INK)).map_err(drawing)?;
        root.present().map_err(drawing)?;
    }
    Ok(svg)
}
