//! A box of a variable, as ranges of indices.
use crate::Error;
use scicodec_format::BoxRegion;
use std::ops::Range;

/// One half-open range of indices per axis, slowest axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(pub Vec<Range<u64>>);

impl Region {
    /// All of a shape.
    pub fn all(shape: &[u64]) -> Region {
        Region(shape.iter().map(|&n| 0..n).collect())
    }

    /// Parses `0:4,10:20,:` with the meaning of Python slices: either end may be left out, negative ones count from the
    /// far end, ends outside are clipped. A lone index `3` is the range `3:4`: the axis stays. Axes at the end that are
    /// left out are taken whole, `...` stands for as many whole axes as are missing. Steps other than 1 are refused.
    ///
    /// ```
    /// use scicodec::Region;
    /// assert_eq!(Region::parse("0:4,-2:,7", &[10, 10, 10])?, Region(vec![0..4, 8..10, 7..8]));
    /// # Ok::<(), scicodec::Error>(())
    /// ```
    pub fn parse(text: &str, shape: &[u64]) -> Result<Region, Error> {
        let invalid = |what: String| Err(Error::InvalidArgument(format!("region {text:?}: {what}")));
        let mut parts: Vec<&str> =
            if text.trim().is_empty() { vec![] } else { text.split(',').map(str::trim).collect() };
        if let Some(dots) = parts.iter().position(|&p| p == "...") {
            let missing = (shape.len() + 1).saturating_sub(parts.len());
            parts.splice(dots..=dots, std::iter::repeat_n(":", missing));
        }
        if parts.len() > shape.len() {
            return invalid(format!("{} ranges for the {} axes of {shape:?}", parts.len(), shape.len()));
        }
        parts.resize(shape.len(), ":");
        let mut ranges = vec![];
        for (axis, (part, &n)) in parts.iter().zip(shape).enumerate() {
            let number = |t: &str| t.trim().parse::<i128>().ok();
            let from_end = |i: i128| if i < 0 { i + i128::from(n) } else { i };
            let clip = |i: i128| from_end(i).clamp(0, i128::from(n)) as u64;
            let fields: Vec<&str> = part.split(':').collect();
            let range = match fields[..] {
                [index] => match number(index).map(from_end) {
                    Some(i) if (0..i128::from(n)).contains(&i) => i as u64..i as u64 + 1,
                    Some(_) => return invalid(format!("index {index} is outside axis {axis} of extent {n}")),
                    None => return invalid(format!("{part:?} is no range like 0:4 and no index")),
                },
                [start, stop] | [start, stop, "" | "1"] => {
                    let end = |t: &str, default: u64| {
                        if t.trim().is_empty() { Some(default) } else { number(t).map(clip) }
                    };
                    let (Some(a), Some(b)) = (end(start, 0), end(stop, n)) else {
                        return invalid(format!("{part:?} is no range like 0:4"));
                    };
                    a..b.max(a)
                }
                [_, _, step] => return invalid(format!("a step of {step}: only whole ranges can be decoded")),
                _ => return invalid(format!("{part:?} is no range like 0:4")),
            };
            ranges.push(range);
        }
        Ok(Region(ranges))
    }

    /// Extents of the region.
    pub fn shape(&self) -> Vec<u64> {
        self.0.iter().map(|r| r.end.saturating_sub(r.start)).collect()
    }

    /// The region as a box, if it lies in the shape.
    pub(crate) fn within(&self, shape: &[u64]) -> Result<BoxRegion, Error> {
        let fits =
            self.0.len() == shape.len() && self.0.iter().zip(shape).all(|(r, &n)| r.start <= r.end && r.end <= n);
        if !fits {
            return Err(Error::InvalidArgument(format!("region {:?} does not lie in a shape of {shape:?}", self.0)));
        }
        Ok(BoxRegion { start: self.0.iter().map(|r| r.start).collect(), extent: self.shape() })
    }
}
