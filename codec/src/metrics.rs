//! How much two arrays differ.
use crate::element::{Element, with_element};
use crate::{DType, Error};
use scicodec_format::byte_count;

/// Side of the window of [`Metrics::ssim`].
pub const SSIM_WINDOW: usize = 7;
const K1: f64 = 0.01;
const K2: f64 = 0.03;

/// A C-ordered array in memory, in the machine's byte order.
#[derive(Clone, Copy, Debug)]
pub struct ArrayRef<'a> {
    /// Element type.
    pub dtype: DType,
    /// Extents, slowest axis first.
    pub shape: &'a [u64],
    /// Its elements.
    pub bytes: &'a [u8],
}

/// Differences between two arrays, over the points where both are finite. All in doubles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// Points where both are finite.
    pub points: u64,
    /// Points where both are NaN, or both the same infinity.
    pub equal_specials: u64,
    /// Points where one is NaN or infinite, and the other something else.
    pub mismatches: u64,
    /// max |a - b|.
    pub max_abs: f64,
    /// max |a - b| / |a| over nonzero a.
    pub max_rel: f64,
    /// Root of the mean of (a - b)².
    pub rmse: f64,
    /// `rmse / (max a - min a)`; 0 for equal arrays.
    pub nrmse: f64,
    /// `20·log10((max a - min a) / rmse)`, in decibels; infinite for equal arrays.
    pub psnr: f64,
    /// Root of the sum of (a - b)².
    pub l2: f64,
    /// `max a - min a`.
    pub range: f64,
    /// Mean structural similarity over the last two axes: uniform windows of [`SSIM_WINDOW`]², every position, K1 = 0.01,
    /// K2 = 0.03, dynamic range that of `a` over the whole array, sample covariances. Windows with a point that is not
    /// finite are left out. `None` where no window fits.
    pub ssim: Option<f64>,
}

/// Compares `b` with the reference `a`. Errors: `InvalidArgument` where shapes differ.
pub fn compare(a: ArrayRef<'_>, b: ArrayRef<'_>) -> Result<Metrics, Error> {
    if a.shape != b.shape {
        return Err(Error::InvalidArgument(format!("shapes differ: {:?} and {:?}", a.shape, b.shape)));
    }
    for x in [a, b] {
        if byte_count(x.dtype, x.shape) != Some(x.bytes.len() as u64) {
            return Err(Error::InvalidArgument(format!("{} bytes for a shape of {:?}", x.bytes.len(), x.shape)));
        }
    }
    let mut m = Metrics::default();
    let (mut low, mut high, mut squares) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    let n = a.bytes.len() / a.dtype.size();
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        let (xs, ys) = (values(a, start, end), values(b, start, end));
        for (&x, &y) in xs.iter().zip(&ys) {
            if !(x.is_finite() && y.is_finite()) {
                let same = x == y || x.is_nan() && y.is_nan();
                *if same { &mut m.equal_specials } else { &mut m.mismatches } += 1;
                continue;
            }
            let d = (x - y).abs();
            m.points += 1;
            m.max_abs = m.max_abs.max(d);
            if x != 0.0 {
                m.max_rel = m.max_rel.max(d / x.abs());
            }
            squares += d * d;
            low = low.min(x);
            high = high.max(x);
        }
    }
    if m.points > 0 {
        m.range = high - low;
        m.rmse = (squares / m.points as f64).sqrt();
        m.l2 = squares.sqrt();
    }
    m.nrmse = if m.rmse == 0.0 { 0.0 } else { m.rmse / m.range };
    m.psnr = if m.rmse == 0.0 { f64::INFINITY } else { 20.0 * (m.range / m.rmse).log10() };
    m.ssim = ssim(a, b, m.range);
    Ok(m)
}

const BLOCK: usize = 1 << 16;

fn values(a: ArrayRef<'_>, start: usize, end: usize) -> Vec<f64> {
    fn load<T: Element>(bytes: &[u8]) -> Vec<f64> {
        crate::element::elements::<T>(bytes).map(T::value).collect()
    }
    let size = a.dtype.size();
    with_element!(a.dtype, load, (&a.bytes[start * size..end * size]))
}

/// Sums over a window: of a, b, a², b², ab, and the number of points that are not finite.
type Sums = [f64; 6];

fn terms(x: f64, y: f64) -> Sums {
    if x.is_finite() && y.is_finite() { [x, y, x * x, y * y, x * y, 0.0] } else { [0.0, 0.0, 0.0, 0.0, 0.0, 1.0] }
}

fn ssim(a: ArrayRef<'_>, b: ArrayRef<'_>, range: f64) -> Option<f64> {
    let rank = a.shape.len();
    if rank < 2 || a.bytes.is_empty() {
        return None;
    }
    let (rows, columns) = (a.shape[rank - 2] as usize, a.shape[rank - 1] as usize);
    if rows < SSIM_WINDOW || columns < SSIM_WINDOW {
        return None;
    }
    let planes = a.bytes.len() / a.dtype.size() / rows / columns;
    let (mut total, mut count) = (0.0, 0u64);
    for plane in 0..planes {
        let at = plane * rows * columns;
        let (xs, ys) = (values(a, at, at + rows * columns), values(b, at, at + rows * columns));
        // Differences to one value of the plane: the variances are then free of cancellation for fields far from zero.
        let centre = xs.iter().copied().find(|x| x.is_finite()).unwrap_or(0.0);
        for top in 0..=rows - SSIM_WINDOW {
            let column_sums: Vec<Sums> = (0..columns)
                .map(|c| {
                    (top..top + SSIM_WINDOW).fold([0.0; 6], |sum, r| {
                        add(sum, terms(xs[r * columns + c] - centre, ys[r * columns + c] - centre))
                    })
                })
                .collect();
            for window in column_sums.windows(SSIM_WINDOW) {
                let sums = window.iter().fold([0.0; 6], |sum, &s| add(sum, s));
                if sums[5] == 0.0 {
                    total += window_ssim(sums, centre, range);
                    count += 1;
                }
            }
        }
    }
    (count > 0).then(|| total / count as f64)
}

fn add(a: Sums, b: Sums) -> Sums {
    std::array::from_fn(|i| a[i] + b[i])
}

fn window_ssim(s: Sums, centre: f64, range: f64) -> f64 {
    let n = (SSIM_WINDOW * SSIM_WINDOW) as f64;
    let (ma, mb) = (s[0] / n, s[1] / n);
    let sample = n / (n - 1.0);
    let va = (s[2] / n - ma * ma) * sample;
    let vb = (s[3] / n - mb * mb) * sample;
    let vab = (s[4] / n - ma * mb) * sample;
    let (ma, mb) = (ma + centre, mb + centre);
    let (c1, c2) = ((K1 * range).powi(2), (K2 * range).powi(2));
    let denominator = (ma * ma + mb * mb + c1) * (va + vb + c2);
    if denominator == 0.0 {
        return 1.0;
    }
    (2.0 * ma * mb + c1) * (2.0 * vab + c2) / denominator
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array<'a>(shape: &'a [u64], v: &'a [f32]) -> ArrayRef<'a> {
        ArrayRef { dtype: DType::F32, shape, bytes: bytemuck::cast_slice(v) }
    }

    #[test]
    fn equal_arrays_differ_by_nothing() {
        let v: Vec<f32> = (0..100).map(|i| if i == 7 { f32::NAN } else { (i * i % 17) as f32 }).collect();
        let m = compare(array(&[10, 10], &v), array(&[10, 10], &v)).unwrap();
        assert_eq!((m.points, m.equal_specials, m.mismatches), (99, 1, 0));
        assert_eq!((m.max_abs, m.rmse, m.psnr), (0.0, 0.0, f64::INFINITY));
        assert!((m.ssim.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn known_differences_are_found() {
        let a = [0.0, 1.0, 2.0, 4.0, f32::NAN];
        let b = [0.0, 1.5, 2.0, 4.0, 1.0];
        let m = compare(array(&[5], &a), array(&[5], &b)).unwrap();
        assert_eq!((m.points, m.mismatches, m.max_abs, m.max_rel), (4, 1, 0.5, 0.5));
        assert_eq!((m.rmse, m.nrmse, m.l2), (0.25, 0.0625, 0.5));
        assert!((m.psnr - 20.0 * 16f64.log10()).abs() < 1e-12);
        assert_eq!(m.ssim, None);
    }
}
