//! Background fields of a domain, in its model: what is known of a field before it is seen (SPEC §9.8).
use crate::base::Geometry;
use crate::bytes::{Bytes, put_varint};
use crate::chunk::{ChunkBound, ChunkRequest, Effort, decode_chunk, encode_chunk};
use crate::elements::{all_numbers, bits};
use crate::options::ModelChoice;
use crate::{DType, Error};

/// Values of all backgrounds of a model, at most.
pub const MOST_BACKGROUND_VALUES: usize = 1 << 24;
/// Axes of a background, at most.
const MOST_AXES: usize = 4;

fn corrupt<T>(what: String) -> Result<T, Error> {
    Err(Error::Corrupt { what, section: "9.8" })
}

/// A background field as a model file holds it: a chunk of `f32` that is decoded without any model that does not ship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodedBackground {
    shape: Vec<usize>,
    base: u8,
    body: Vec<u8>,
}

impl CodedBackground {
    /// Of finite values in C order, with this root mean squared error. The last axes of `shape`, of 1 to 4 axes, are those of the fields
    /// that it is for; along axes of extent 1 it is the same everywhere.
    ///
    /// Errors: `InvalidArgument` if the shape is another one or some value is not finite; those of [`encode_chunk`].
    pub fn new(shape: &[usize], values: &[f32], error: f64) -> Result<CodedBackground, Error> {
        let whole = values.iter().all(|v| v.is_finite());
        if !(1..=MOST_AXES).contains(&shape.len()) || values.is_empty() || !whole {
            let what = format!("a background of shape {shape:?}, expected 1 to {MOST_AXES} axes and finite values");
            return Err(Error::InvalidArgument(what));
        }
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        let (bound, fill, effort, model) = (ChunkBound::Rmse(error), None, Effort::Default, ModelChoice::Default);
        let coded = encode_chunk(&ChunkRequest { dtype: DType::F32, shape, data: &data, bound, fill, effort, model })?;
        Ok(CodedBackground { shape: shape.to_vec(), base: coded.base, body: coded.body })
    }

    fn decode(&self) -> Result<Background, Error> {
        let data = decode_chunk(DType::F32, &self.shape, self.base, &self.body)?;
        let values = all_numbers(DType::F32, &bits(DType::F32, &data));
        if values.iter().any(|v| !v.is_finite()) {
            return corrupt("a background that is not finite everywhere".into());
        }
        Ok(Background { shape: self.shape.clone(), g: Geometry::new(&self.shape), values })
    }
}

/// A background field.
#[derive(Clone, Debug)]
pub struct Background {
    shape: Vec<usize>,
    g: Geometry,
    values: Vec<f64>,
}

impl Background {
    /// Extents, slowest axis first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Values, in C order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn geometry(&self) -> &Geometry {
        &self.g
    }

    /// The values at the points of a chunk of which the first one lies at `at`; beyond its ends it goes on as it ends.
    pub(crate) fn around(&self, g: &Geometry, at: [i64; 4]) -> Vec<f64> {
        let place = |a: usize, i: usize| (i as i64).saturating_add(at[a]).clamp(0, self.g.n[a] as i64 - 1) as usize;
        let offsets = |a: usize| (0..g.n[a]).map(|i| place(a, i) * self.g.stride[a]).collect::<Vec<_>>();
        let last = offsets(3);
        let mut out = Vec::with_capacity(g.len());
        for a in offsets(0) {
            for b in offsets(1) {
                for y in offsets(2) {
                    out.extend(last.iter().map(|x| self.values[a + b + y + x]));
                }
            }
        }
        out
    }
}

/// The body of a section `BACK`.
pub(crate) fn write(all: &[CodedBackground]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, all.len() as u64);
    for b in all {
        out.push(b.shape.len() as u8);
        b.shape.iter().for_each(|&n| put_varint(&mut out, n as u64));
        out.push(b.base);
        put_varint(&mut out, b.body.len() as u64);
        out.extend(&b.body);
    }
    out
}

/// Reads what [`write`] wrote. Errors: `Corrupt`, `Limit`, and those of chunks.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Background>, Error> {
    let mut b = Bytes(body);
    let count = b.varint()?;
    let (mut all, mut values) = (Vec::new(), 0);
    for _ in 0..count {
        let axes = usize::from(b.byte()?);
        if !(1..=MOST_AXES).contains(&axes) {
            return corrupt(format!("a background of {axes} axes"));
        }
        let shape = (0..axes)
            .map(|_| Ok(usize::try_from(b.varint()?).unwrap_or(usize::MAX)))
            .collect::<Result<Vec<_>, Error>>()?;
        let points = shape.iter().try_fold(1usize, |n, &e| n.checked_mul(e)).unwrap_or(usize::MAX);
        if points == 0 {
            return corrupt("a background without values".into());
        }
        values = points.saturating_add(values);
        if values > MOST_BACKGROUND_VALUES {
            let limit = MOST_BACKGROUND_VALUES as u64;
            return Err(Error::Limit { what: "values of a model's backgrounds", limit, asked: values as u64 });
        }
        let base = b.byte()?;
        let length = usize::try_from(b.varint()?).unwrap_or(usize::MAX);
        let body = b.take(length)?.to_vec();
        all.push(CodedBackground { shape, base, body }.decode()?);
    }
    if !b.0.is_empty() {
        return corrupt(format!("{} bytes after the last background", b.0.len()));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_as_it_was_written_and_others_are_refused() {
        let values: Vec<f32> = (0..60).map(|i| (i as f32 / 7.0).sin()).collect();
        let coded = CodedBackground::new(&[3, 4, 5], &values, 1e-4).unwrap();
        let section = write(&[coded.clone(), coded]);
        let all = read(&section).unwrap();
        assert!(all.len() == 2 && all[1].shape() == [3, 4, 5]);
        assert!(all[0].values().iter().zip(&values).all(|(a, b)| (a - f64::from(*b)).abs() < 1e-3));
        // Beyond its ends it goes on as it ends.
        let beside = all[0].around(&Geometry::new(&[4, 3]), [7, -9, 2, 4]);
        let row = |y: usize| all[0].values()[5 * y + 4];
        assert_eq!(beside, [2, 3, 3, 3].map(|y| [row(y); 3]).concat());

        for (shape, values) in [(&[][..], 1), (&[1, 1, 1, 1, 1], 1), (&[0], 0)] {
            assert!(CodedBackground::new(shape, &vec![1.0; values], 1e-3).is_err(), "{shape:?}");
        }
        assert!(CodedBackground::new(&[2], &[1.0, f32::NAN], 1e-3).is_err());
        for cut in 0..section.len() {
            assert!(read(&section[..cut]).is_err(), "{cut}");
        }
        assert!(read(&[&section[..], &[0]].concat()).is_err());
        assert!(read(&[1, 0, 0, 0]).is_err() && read(&[1, 5, 1, 1, 1, 1, 1, 0, 0]).is_err());
        // A chunk of very many values, and of none.
        assert!(matches!(read(&[1, 2, 255, 255, 127, 255, 255, 127, 0, 5, 0, 0, 0, 0, 0]), Err(Error::Limit { .. })));
        assert!(matches!(read(&[1, 1, 0, 0, 0]), Err(Error::Corrupt { section: "9.8", .. })));
        // Not finite: a constant chunk.
        let constant = [&[1, 1, 4, 0, 5, 0][..], &f32::INFINITY.to_le_bytes()].concat();
        assert!(matches!(read(&constant), Err(Error::Corrupt { section: "9.8", .. })));
    }
}
