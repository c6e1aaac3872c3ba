//! Decoded chunks beside which another is coded (SPEC §8.10).
use crate::Error;
use crate::base::Geometry;
use crate::base::companion::{Beside, Companion};
use crate::elements::{all_numbers, bits};
use crate::prepare::fill_in;
use scicodec_format::DType;

/// A decoded chunk over the same points: of another variable, or of an earlier part of the same one.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Element type.
    pub dtype: DType,
    /// Elements in C order, in the machine's byte order.
    pub data: &'a [u8],
    /// The bits of its variable's fill value: points that hold it say nothing, nor do NaN and ±Inf.
    pub fill: Option<u64>,
}

/// Magnitudes from here on say nothing: distances of smaller ones, scaled, stay finite.
const HUGE: f64 = 1e150;

/// The numbers of a reference.
#[derive(Clone, Debug)]
pub struct Referred {
    pub values: Vec<f64>,
    pub missing: Option<Vec<bool>>,
}

impl Reference<'_> {
    /// Its numbers. Errors: `InvalidArgument` where they are not as many as those of the chunk.
    pub(crate) fn open(&self, g: &Geometry) -> Result<Referred, Error> {
        if Some(self.data.len()) != g.len().checked_mul(self.dtype.size()) {
            let what = format!("a reference of {} bytes for {} elements", self.data.len(), g.len());
            return Err(Error::InvalidArgument(what));
        }
        let bits = bits(self.dtype, self.data);
        let mut values = all_numbers(self.dtype, &bits);
        let missing: Vec<bool> =
            values.iter().zip(&bits).map(|(v, b)| v.is_nan() || v.abs() >= HUGE || self.fill == Some(*b)).collect();
        if !missing.contains(&true) {
            return Ok(Referred { values, missing: None });
        }
        if missing.contains(&false) {
            fill_in(g, &mut values, &missing);
        } else {
            values.fill(0.0);
        }
        Ok(Referred { values, missing: Some(missing) })
    }
}

impl Referred {
    /// The box of these extents at `start`.
    pub fn crop(&self, g: &Geometry, start: [usize; 4], n: [usize; 4]) -> Referred {
        fn cut<T: Copy>(v: &[T], g: &Geometry, start: [usize; 4], n: [usize; 4]) -> Vec<T> {
            let mut out = Vec::with_capacity(n.iter().product());
            for a in start[0]..start[0] + n[0] {
                for b in start[1]..start[1] + n[1] {
                    for y in start[2]..start[2] + n[2] {
                        let i = a * g.stride[0] + b * g.stride[1] + y * g.stride[2] + start[3];
                        out.extend_from_slice(&v[i..i + n[3]]);
                    }
                }
            }
            out
        }
        Referred { values: cut(&self.values, g, start, n), missing: self.missing.as_ref().map(|m| cut(m, g, start, n)) }
    }
}

impl Beside {
    /// The companions of those that were offered.
    pub fn companions(&self, offered: &[Referred]) -> Vec<Companion> {
        let of = |&(k, exponent): &(usize, i16)| {
            let r = offered.get(k)?;
            let scale = power(exponent);
            Some(Companion { values: r.values.iter().map(|v| v * scale).collect(), missing: r.missing.clone() })
        };
        self.chosen.iter().filter_map(of).collect()
    }
}

/// A power of two.
fn power(exponent: i16) -> f64 {
    f64::from_bits(((i64::from(exponent).clamp(-500, 500) + 1023) as u64) << 52)
}
