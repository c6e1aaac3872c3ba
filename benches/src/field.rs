//! A field in memory, as the benchmarks hand it to the codec.
use crate::Result;
use scicodec::DType;
use std::path::Path;

/// One N-d array: elements in C order and in the machine's byte order, extents slowest axis first.
#[derive(Clone, Debug)]
pub struct Field {
    /// Element type.
    pub dtype: DType,
    /// Extents, slowest axis first.
    pub shape: Vec<usize>,
    /// The elements' bytes.
    pub bytes: Vec<u8>,
}

impl Field {
    /// A float32 field of these values.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Field {
        let bytes = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        Field { dtype: DType::F32, shape: shape.to_vec(), bytes }
    }

    /// Reads a raw file of native byte order. `dtype` is numpy's name, `shape` is like `8,600,259`.
    pub fn read_raw(dtype: &str, shape: &str, path: &Path) -> Result<Field> {
        let known = DType::ALL.into_iter().find(|d| d.name() == dtype);
        let dtype = known.ok_or_else(|| format!("unknown dtype {dtype}"))?;
        let shape: Vec<usize> = shape.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
        let bytes = std::fs::read(path)?;
        let need = shape.iter().product::<usize>() * dtype.size();
        if bytes.len() != need {
            return Err(format!("{} has {} bytes, shape {shape:?} needs {need}", path.display(), bytes.len()).into());
        }
        Ok(Field { dtype, shape, bytes })
    }

    /// Reads a `.npy` file of float32 or float64.
    pub fn read_npy(path: &Path) -> Result<Field> {
        let bytes = std::fs::read(path)?;
        let npy = npyz::NpyFile::new(&bytes[..])?;
        let shape = npy.shape().iter().map(|&n| n as usize).collect();
        let (dtype, bytes) = match npy.dtype() {
            npyz::DType::Plain(t) if t.size_field() == 4 => {
                (DType::F32, npy.into_vec::<f32>()?.iter().flat_map(|v| v.to_ne_bytes()).collect())
            }
            _ => (DType::F64, npy.into_vec::<f64>()?.iter().flat_map(|v| v.to_ne_bytes()).collect()),
        };
        Ok(Field { dtype, shape, bytes })
    }

    /// max − min over finite values; 0 if there is none.
    pub fn range(&self) -> f64 {
        let (low, high) = finite(self.dtype, &self.bytes)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low <= high { high - low } else { 0.0 }
    }

    /// The largest absolute and the root mean square difference from decoded bytes, over finite values.
    pub fn error_of(&self, decoded: &[u8]) -> Result<FieldError> {
        if decoded.len() != self.bytes.len() {
            return Err(format!("{} bytes were decoded, expected {}", decoded.len(), self.bytes.len()).into());
        }
        let (mut max, mut sum, mut count) = (0.0f64, 0.0f64, 0u64);
        for (a, b) in all(self.dtype, &self.bytes).zip(all(self.dtype, decoded)) {
            if !a.is_finite() {
                // Equal NaN payloads are the tests' business; here it is enough that no value was invented.
                if b.is_finite() {
                    return Err(format!("{a} came back as {b}").into());
                }
                continue;
            }
            let error = (a - b).abs();
            if error.is_nan() {
                return Err(format!("{a} came back as {b}").into());
            }
            max = max.max(error);
            sum += error * error;
            count += 1;
        }
        Ok(FieldError { max, rmse: if count == 0 { 0.0 } else { (sum / count as f64).sqrt() } })
    }
}

/// How far decoded values are from the field.
#[derive(Clone, Copy, Debug)]
pub struct FieldError {
    /// max |x − x̂|.
    pub max: f64,
    /// sqrt(mean (x − x̂)²).
    pub rmse: f64,
}

/// All values as f64. Only the two types that the benchmarks use; others yield nothing.
fn all(dtype: DType, bytes: &[u8]) -> Box<dyn Iterator<Item = f64> + '_> {
    match dtype {
        DType::F32 => Box::new(bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_ne_bytes(*b)))),
        DType::F64 => Box::new(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_ne_bytes(*b))),
        _ => Box::new(std::iter::empty()),
    }
}

fn finite(dtype: DType, bytes: &[u8]) -> impl Iterator<Item = f64> + '_ {
    all(dtype, bytes).filter(|v| v.is_finite())
}
