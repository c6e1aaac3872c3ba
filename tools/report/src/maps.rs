//! Maps of the middle slice: the original and the decoded one on one scale of colours, and the error on its own.
use crate::{
    Error, Pair,
    chart::{Axis, Look, SIZE, Series, Ticked, chart, drawing, text},
    colours::{self, SHADES, Scale},
    slice::{Middle, largest, mean, pixels},
    words::{number, with_units},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use plotters::prelude::*;

/// The share of values at each end that may lie beyond the scale, so that a few of them do not take all colours.
const BEYOND: f64 = 0.002;
const BAR: i32 = 14;
/// Room for the numbers beside the scale.
const NUMBERS: i32 = 62;

/// A picture and the line above it.
pub struct Picture {
    /// What it shows.
    pub title: String,
    /// The picture.
    pub svg: String,
}

/// Original, decoded and error of a slice; as curves where it is a line.
pub fn maps(pair: &Pair<'_>, m: Middle) -> Result<Vec<Picture>, Error> {
    let error: Vec<f64> = pair.original.iter().zip(pair.decoded).map(|(a, b)| b - a).collect();
    if m.rows == 1 {
        return lines(pair, m, &error);
    }
    let (height, width, original) = pixels(m, pair.original, mean);
    let (_, _, decoded) = pixels(m, pair.decoded, mean);
    let (_, _, error) = pixels(m, &error, largest);
    let (low, high) = ends(&original);
    let values = Scale::values(low, high);
    let most = error.iter().filter(|e| e.is_finite()).fold(pair.bound.unwrap_or(0.0), |a, e| a.max(e.abs()));
    let errors = Scale::errors(most);
    let map = |title: String, shades: &[f64], scale: Scale| -> Result<Picture, Error> {
        let svg = map(m, (width, height), shades, scale)?;
        Ok(Picture { title, svg })
    };
    Ok(vec![
        map(with_units("original", pair.units), &original, values)?,
        map(with_units("decoded", pair.units), &decoded, values)?,
        map(with_units("decoded − original", pair.units), &error, errors)?,
    ])
}

/// The values between which nearly all lie.
fn ends(values: &[f64]) -> (f64, f64) {
    let mut finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.is_empty() {
        return (0.0, 0.0);
    }
    finite.sort_by(f64::total_cmp);
    let skip = (BEYOND * finite.len() as f64) as usize;
    (finite[skip], finite[finite.len() - 1 - skip])
}

fn lines(pair: &Pair<'_>, m: Middle, error: &[f64]) -> Result<Vec<Picture>, Error> {
    let line = |values: &[f64]| -> Vec<(f64, f64)> {
        let (_, width, shown) = pixels(m, values, mean);
        let step = m.columns as f64 / width as f64;
        shown.into_iter().enumerate().map(|(k, v)| (k as f64 * step, v)).collect()
    };
    let x = Axis { label: "index".into(), low: 0.0, high: (m.columns - 1).max(1) as f64, logarithmic: false };
    let draw = |title: &str, series: Vec<Series>| -> Result<Picture, Error> {
        let all = series.iter().flat_map(|s| s.points.iter().map(|p| p.1));
        let y = Axis::around(with_units(title, pair.units), all, false);
        Ok(Picture { title: title.into(), svg: chart(&x, &y, &series)? })
    };
    let series = |values, colour, look| Series { colour, points: line(values), look };
    Ok(vec![
        draw(
            "original, and decoded (dashed)",
            vec![
                series(pair.original, colours::ORIGINAL, Look::Line),
                series(pair.decoded, colours::DECODED, Look::Dashed),
            ],
        )?,
        draw("decoded − original", vec![series(error, colours::ERROR, Look::Line)])?,
    ])
}

/// One map with its axes and its scale.
fn map(m: Middle, size: (usize, usize), values: &[f64], scale: Scale) -> Result<String, Error> {
    let (mut svg, room) = (String::new(), (SIZE.0 as i32 - 54 - NUMBERS - BAR - 20, SIZE.1 as i32 - 44));
    // Very long slices are stretched, or they would be a thread.
    let aspect = (m.columns as f64 / m.rows as f64).clamp(0.25, 4.0);
    let (wide, high) = if aspect * f64::from(room.1) > f64::from(room.0) {
        (room.0, (f64::from(room.0) / aspect) as i32)
    } else {
        ((f64::from(room.1) * aspect) as i32, room.1)
    };
    let (left, top) = (54, 12);
    let bar_left = left + wide + 14;
    let picture = (SIZE.0, (high + 44) as u32);
    {
        let root = SVGBackend::with_string(&mut svg, picture).into_drawing_area();
        let axis = |n: usize| Axis { label: String::new(), low: 0.0, high: n as f64, logarithmic: false };
        let (x, y) = (axis(m.columns), axis(m.rows));
        // The first row is at the top, as in a printed array.
        let across = Ticked { first: 0.0, last: m.columns as f64, ticks: x.ticks(5) };
        let down = Ticked { first: m.rows as f64, last: 0.0, ticks: y.ticks(5) };
        ChartBuilder::on(&root.clone().shrink((0, top), ((left + wide) as u32, (high + 32) as u32)))
            .x_label_area_size(32)
            .y_label_area_size(left)
            .build_cartesian_2d(across, down)
            .map_err(drawing)?
            .configure_mesh()
            .disable_mesh()
            .axis_style(colours::INK)
            .label_style(("sans-serif", 12).into_font().color(&colours::INK))
            .x_label_formatter(&|v| number(*v))
            .y_label_formatter(&|v| number(*v))
            .draw()
            .map_err(drawing)?;
        let ends = Axis {
            label: String::new(),
            low: scale.low.min(scale.high),
            high: scale.low.max(scale.high),
            logarithmic: false,
        };
        for v in ends.ticks(5) {
            let part = (ends.high - v) / (ends.high - ends.low);
            let at = top + (part * f64::from(high)) as i32;
            let (from, to) = (bar_left + BAR, bar_left + BAR + 4);
            root.draw(&PathElement::new([(from, at), (to, at)], colours::INK)).map_err(drawing)?;
            text(&root, &number(v), (to + 3, at), false, 12)?;
        }
        root.present().map_err(drawing)?;
    }
    let shades: Vec<u8> = values.iter().map(|&v| scale.shade(v)).collect();
    let bar: Vec<u8> =
        if scale.low < scale.high { (0..SHADES as u8).rev().collect() } else { (0..SHADES as u8).collect() };
    let images = [
        image((left, top), (wide, high), &png(size.0, size.1, &shades, scale)?),
        image((bar_left, top), (BAR, high), &png(1, SHADES, &bar, scale)?),
    ];
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    svg.insert_str(end, &images.concat());
    Ok(svg)
}

fn image((x, y): (i32, i32), (width, height): (i32, i32), png: &[u8]) -> String {
    format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
        STANDARD.encode(png)
    )
}

/// Indexed pixels with the scale's palette.
fn png(width: usize, height: usize, shades: &[u8], scale: Scale) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(scale.palette());
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(shades)?;
    writer.finish()?;
    Ok(out)
}
