//! Colours: of codecs, of values, of errors.
use colorous::Gradient;
use plotters::style::RGBColor;

/// Colours that colour-blind people tell apart (Okabe and Ito), for lines and bars, in turn.
const LINES: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(90, 90, 90),
];

/// The bound.
pub const BOUND: RGBColor = RGBColor(190, 30, 45);
/// Text and axes.
pub const INK: RGBColor = RGBColor(40, 44, 52);
/// Fine lines.
pub const GRID: RGBColor = RGBColor(225, 228, 232);
/// Original values in curves.
pub const ORIGINAL: RGBColor = RGBColor(40, 44, 52);
/// Decoded values in curves.
pub const DECODED: RGBColor = RGBColor(0, 114, 178);
/// Errors in curves.
pub const ERROR: RGBColor = RGBColor(213, 94, 0);
/// Missing values in maps.
pub const MISSING: [u8; 3] = [200, 200, 200];

/// The colour of the k-th codec.
pub fn line(k: usize) -> RGBColor {
    LINES[k % LINES.len()]
}

/// Colours for a scale of values, and where on it a value lies.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    gradient: Gradient,
    /// The value of the first colour.
    pub low: f64,
    /// The value of the last colour.
    pub high: f64,
}

/// Colours of a palette, the last of 256 being that of missing values.
pub const SHADES: usize = 255;

impl Scale {
    /// Even steps for the eye, for values.
    pub fn values(low: f64, high: f64) -> Scale {
        let pad = if low == high { 0.5 * low.abs().max(1e-300) } else { 0.0 };
        Scale { gradient: colorous::VIRIDIS, low: low - pad, high: high + pad }
    }

    /// White at zero, for errors of up to `most`.
    pub fn errors(most: f64) -> Scale {
        let most = if most > 0.0 { most } else { 1.0 };
        Scale { gradient: colorous::RED_BLUE, low: most, high: -most }
    }

    /// The index of a value's colour; values beyond the ends have the ends' colours.
    pub fn shade(&self, v: f64) -> u8 {
        if !v.is_finite() {
            return SHADES as u8;
        }
        let part = (v - self.low) / (self.high - self.low);
        (part * (SHADES - 1) as f64).round().clamp(0.0, (SHADES - 1) as f64) as u8
    }

    /// Red, green and blue of all shades, and of missing values.
    pub fn palette(&self) -> Vec<u8> {
        let shade = |k| {
            let c = self.gradient.eval_rational(k, SHADES);
            [c.r, c.g, c.b]
        };
        (0..SHADES).map(shade).chain([MISSING]).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_reach_from_end_to_end_and_know_missing_values() {
        let scale = Scale::values(-1.0, 3.0);
        assert_eq!([-1.0, 3.0, 9.0, f64::NAN].map(|v| scale.shade(v)), [0, 254, 254, 255]);
        assert_eq!(scale.palette().len(), 256 * 3);
        let errors = Scale::errors(0.5);
        assert_eq!([0.5, 0.0, -0.5].map(|v| errors.shade(v)), [0, 127, 254]);
        assert_eq!(Scale::values(2.0, 2.0).shade(2.0), 127);
    }
}
