//! What a wavelet's values miss (encoder).
use crate::simd::Kernel;

/// Sum of squared differences, and largest one, of values that are not masked.
pub struct Errors<'a>(pub &'a [f64], pub &'a [f64], pub Option<&'a [bool]>);

impl Kernel for Errors<'_> {
    type Out = (f64, f64);
    #[inline(always)]
    fn run(self) -> (f64, f64) {
        const LANES: usize = 8;
        let Errors(x, y, mask) = self;
        let (mut sum, mut max) = ([0.0f64; LANES], [0.0f64; LANES]);
        let mut add = |k: usize, e: f64| {
            sum[k] += e * e;
            max[k] = if e.abs() > max[k] { e.abs() } else { max[k] };
        };
        match mask {
            None => {
                let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
                x.iter().zip(y).for_each(|(x, y)| (0..LANES).for_each(|k| add(k, x[k] - y[k])));
                x_rest.iter().zip(y_rest).for_each(|(x, y)| add(0, x - y));
            }
            Some(mask) => {
                for ((x, y), &masked) in x.iter().zip(y).zip(mask) {
                    add(0, if masked { 0.0 } else { x - y });
                }
            }
        }
        (sum.into_iter().sum(), max.into_iter().fold(0.0, f64::max))
    }
}
