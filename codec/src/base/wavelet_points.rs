//! Values from the integers of a wavelet (SPEC §8.4.2).
use super::Geometry;
use super::trellis::State;
use super::wavelet::Parameters;
use super::wavelet_bands::Band;
use super::wavelet_transform::inverse;
use crate::simd::{Kernel, widest};

/// Values from integers.
pub fn reconstruct(g: &Geometry, p: &Parameters, bands: &[Band], q: &[i32], values: &mut [f64]) {
    widest(Dequantise { g, p, bands, q, values });
    inverse(values, g, p.levels, p.first, p.edges);
    let mean = p.mean;
    for v in values.iter_mut() {
        *v += mean;
    }
}

/// Coefficients from integers.
struct Dequantise<'a> {
    g: &'a Geometry,
    p: &'a Parameters,
    bands: &'a [Band],
    q: &'a [i32],
    values: &'a mut [f64],
}

impl Kernel for Dequantise<'_> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Dequantise { g, p, bands, q, values } = self;
        for (k, band) in bands.iter().enumerate() {
            let step = p.step * band.weight;
            let shift = if k == 0 { [0.0; 2] } else { p.shift.map(|s| f64::from(s) * 0.0078125) };
            let mut state = State::default();
            for i in band.rows(g) {
                let row = values[i..i + band.n[3]].iter_mut().zip(&q[i..i + band.n[3]]);
                if !p.trellis || k == 0 {
                    row.for_each(|(v, &q)| *v = point(q, step, shift, 0.0));
                    continue;
                }
                for (v, &q) in row {
                    *v = point(q, step, shift, if state.shifted() { 0.5 } else { 0.0 });
                    state = state.after(q);
                }
            }
        }
    }
}

/// The point of an integer: moved outwards by what magnitudes like its are, and inwards by `back`, in steps. That of 0 is 0,
/// however large the step.
#[inline(always)]
fn point(q: i32, step: f64, shift: [f64; 2], back: f64) -> f64 {
    let s = if q.unsigned_abs() > 1 { shift[1] } else { shift[0] } - back;
    let s = if q < 0 { -s } else { s };
    if q == 0 { 0.0 } else { (f64::from(q) + s) * step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_nothing_and_shifts_go_outwards() {
        assert_eq!(point(0, f64::INFINITY, [0.25; 2], 0.5), 0.0);
        assert_eq!([-2, -1, 1, 2].map(|q| point(q, 2.0, [0.25, 0.125], 0.0)), [-4.25, -2.5, 2.5, 4.25]);
        assert_eq!([-2, -1, 1, 2].map(|q| point(q, 2.0, [0.0; 2], 0.5)), [-3.0, -1.0, 1.0, 3.0]);
    }
}
