//! Rows of points, gathered so that loops over them are plain (SPEC §8.2).
use super::contexts::Survey;

/// Every `step`-th element from `from` on.
#[inline]
pub fn gather<T: Copy>(source: &[T], from: usize, step: usize, count: usize, out: &mut Vec<T>) {
    out.clear();
    if count == 0 {
        return;
    }
    let s = &source[from..from + (count - 1) * step + 1];
    match step {
        1 => out.extend_from_slice(s),
        2 => {
            let (pairs, last) = s.as_chunks::<2>();
            out.extend(pairs.iter().map(|p| p[0]));
            out.extend_from_slice(last);
        }
        _ => out.extend((0..count).map(|k| s[k * step])),
    }
}

/// What is known of the points of a row before it is coded.
pub struct Row {
    /// Predictions, but for what the point before in the row adds.
    pub p: Vec<f64>,
    /// Plain interpolation.
    pub base: Vec<f64>,
    /// Sum of the two points that surround, 0 where there is only one.
    pub sum: Vec<f64>,
    /// Second difference, and its magnitude or that of the first difference where there is none.
    pub bend: Vec<f64>,
    pub curve: Vec<f64>,
    pub grad: Vec<f64>,
    pub known: Survey,
    /// How many points have a neighbour on either side.
    pub paired: usize,
    pub line: Vec<f64>,
    pub lines: [Vec<f64>; 3],
    pub codes: Vec<i16>,
}

impl Row {
    pub fn new(count: usize) -> Row {
        let zeros = || vec![0.0; count];
        Row {
            p: zeros(),
            base: zeros(),
            sum: zeros(),
            bend: zeros(),
            curve: zeros(),
            grad: zeros(),
            known: Survey::new(count),
            paired: 0,
            line: Vec::new(),
            lines: Default::default(),
            codes: Vec::new(),
        }
    }
}
