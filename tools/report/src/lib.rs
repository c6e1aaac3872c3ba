//! A page in one file of HTML that shows how far decoded fields are from their originals, and at what cost.
//!
//! A [`Section`] is one field: figures, rate–distortion curves of any number of codecs, maps of a middle slice, a histogram of
//! errors, power spectra and bars of speed. [`page`] joins sections. Pictures are drawn by plotters as SVG, maps are PNG inside
//! it, and all of it lies in the page itself: it needs no network and no script.
//!
//! Shapes are slowest axis first, values are in C order; NaN and ±∞ are shown as missing.
mod bars;
mod chart;
mod colours;
mod curves;
mod histogram;
mod html;
mod maps;
mod slice;
mod spectrum;
mod words;

pub use html::{anchor, escape, page, table};
pub use words::number;

/// What went wrong while drawing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shape and values do not fit each other.
    #[error("{what}: {got} values, but the shape has {want}")]
    Shape {
        /// Which values.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many the shape has.
        want: usize,
    },
    /// plotters could not draw.
    #[error("drawing {0}")]
    Drawing(String),
    /// A map could not be encoded.
    #[error("encoding a map: {0}")]
    Png(#[from] png::EncodingError),
}

/// One measurement of one codec.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Which codec, as in the legend.
    pub codec: String,
    /// Whether a bound of single values was asked for: only such points are in the curve of maximum errors.
    pub pointwise: bool,
    /// Bits per value of the complete stream.
    pub bits_per_value: f64,
    /// `20·log10(range / rmse)` in decibels; infinite where nothing was lost.
    pub psnr: f64,
    /// max |x − x̂| ÷ range.
    pub max_error: f64,
}

/// One codec's speed, in megabytes (10⁶ bytes of the field) per second.
#[derive(Clone, Debug, PartialEq)]
pub struct Speed {
    /// Which codec.
    pub codec: String,
    /// Encoding.
    pub encode: Option<f64>,
    /// Decoding.
    pub decode: Option<f64>,
}

/// Two arrays to be held against each other.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Extents, slowest axis first.
    pub shape: &'a [usize],
    /// The reference.
    pub original: &'a [f64],
    /// What came back.
    pub decoded: &'a [f64],
    /// What was asked of |x − x̂|, in the field's units, if anything.
    pub bound: Option<f64>,
    /// The field's units; empty where unknown.
    pub units: &'a str,
}

/// One field's part of the page.
#[derive(Clone, Debug, Default)]
pub struct Section<'a> {
    /// Its name.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// Rows of a table: what, and how much.
    pub figures: Vec<(String, String)>,
    /// The columns of a second table, and its rows; empty for none.
    pub table: Vec<Vec<String>>,
    /// Measurements, in the order of the legend.
    pub points: Vec<Point>,
    /// Speeds, in the order of the legend.
    pub speeds: Vec<Speed>,
    /// Of which codec and setting the pictures of values are.
    pub shown: String,
    /// Values for maps, histogram and spectra.
    pub pair: Option<Pair<'a>>,
}

/// The section as HTML. Drawing is the only thing that can fail, and arrays that do not have the shape's size.
pub fn section(s: &Section<'_>) -> Result<String, Error> {
    html::section(s)
}
