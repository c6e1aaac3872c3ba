//! What is shown of an array of any rank: the plane of its last two axes in the middle of all others.

/// Pixels of a map along each side, at most.
const MOST: usize = 360;

/// A plane of an array, or a line where there is but one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Middle {
    /// Offset of its first value.
    pub start: usize,
    /// Extent of the last axis but one; 1 for a line.
    pub rows: usize,
    /// Extent of the last axis.
    pub columns: usize,
}

/// The middle slice, axes of extent 1 left out, and words that say where it is.
pub fn middle(shape: &[usize]) -> (Middle, String) {
    let axes: Vec<usize> = (0..shape.len()).filter(|&k| shape[k] > 1).collect();
    let extent = |from_end: usize| axes.iter().rev().nth(from_end).map_or(1, |&k| shape[k]);
    let (columns, rows) = (extent(0), extent(1));
    let (mut start, mut words) = (0, Vec::new());
    for (k, &n) in shape.iter().enumerate() {
        start *= n;
        if axes.iter().rev().take(2).any(|&a| a == k) {
            words.push(":".to_owned());
        } else {
            start += n / 2;
            words.push((n / 2).to_string());
        }
    }
    (Middle { start, rows, columns }, format!("[{}]", words.join(", ")))
}

/// How many values one pixel stands for, along rows and columns.
pub fn steps(m: Middle) -> (usize, usize) {
    (m.rows.div_ceil(MOST), m.columns.div_ceil(MOST))
}

/// The slice in pixels, rows first. `join` makes one value of those under a pixel, of which there is at least one.
pub fn pixels(m: Middle, values: &[f64], join: impl Fn(&[f64]) -> f64) -> (usize, usize, Vec<f64>) {
    let (down, across) = steps(m);
    let (height, width) = (m.rows.div_ceil(down), m.columns.div_ceil(across));
    let mut out = Vec::with_capacity(height * width);
    let mut under = Vec::with_capacity(down * across);
    for y in 0..height {
        for x in 0..width {
            under.clear();
            for r in y * down..m.rows.min((y + 1) * down) {
                let row = m.start + r * m.columns;
                under.extend_from_slice(&values[row + x * across..row + m.columns.min((x + 1) * across)]);
            }
            out.push(join(&under));
        }
    }
    (height, width, out)
}

/// The mean of finite values; NaN of none.
pub fn mean(values: &[f64]) -> f64 {
    let (sum, count) = values.iter().filter(|v| v.is_finite()).fold((0.0, 0.0), |(s, c), v| (s + v, c + 1.0));
    sum / count
}

/// The value that is farthest from zero; NaN if none is finite.
pub fn largest(values: &[f64]) -> f64 {
    values.iter().filter(|v| v.is_finite()).fold(f64::NAN, |a, &b| if b.abs() > a.abs() || a.is_nan() { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_of_the_last_two_axes_that_have_extent() {
        assert_eq!(middle(&[4, 3, 5]), (Middle { start: 30, rows: 3, columns: 5 }, "[2, :, :]".into()));
        assert_eq!(middle(&[7]), (Middle { start: 0, rows: 1, columns: 7 }, "[:]".into()));
        assert_eq!(middle(&[6, 1, 5]), (Middle { start: 0, rows: 6, columns: 5 }, "[:, 0, :]".into()));
        assert_eq!(middle(&[2, 3, 4, 5]), (Middle { start: 80, rows: 4, columns: 5 }, "[1, 1, :, :]".into()));
        assert_eq!(middle(&[1]), (Middle { start: 0, rows: 1, columns: 1 }, "[0]".into()));
    }

    #[test]
    fn large_slices_are_joined_to_pixels() {
        let values: Vec<f64> = (0..800).map(f64::from).collect();
        let m = Middle { start: 0, rows: 1, columns: 800 };
        let (height, width, means) = pixels(m, &values, mean);
        assert_eq!((height, width, means[0], means[266]), (1, 267, 1.0, 798.5));
        assert_eq!(largest(&[1.0, f64::NAN, -3.0]), -3.0);
    }
}
