//! Where a variable's elements come from.
use crate::{Error, boxes::copy_box};
use scicodec_format::{DType, byte_count};

/// An N-d array that can be read box by box, from several threads at once.
///
/// Shapes are slowest axis first; elements come in C order and in the machine's byte order.
pub trait Source: Sync {
    /// Element type.
    fn dtype(&self) -> DType;
    /// Extents, slowest axis first; 0 to 6 of them.
    fn shape(&self) -> &[u64];
    /// Copies the box `[start, start + extent)` into `out`, which has exactly its size.
    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error>;
}

/// A C-ordered array in memory, in the machine's byte order.
#[derive(Clone, Debug)]
pub struct SliceSource<'a> {
    dtype: DType,
    shape: Vec<u64>,
    bytes: &'a [u8],
}

impl<'a> SliceSource<'a> {
    /// An array over borrowed bytes. Errors: `InvalidArgument` where the shape does not have that many bytes.
    pub fn new(dtype: DType, shape: &[u64], bytes: &'a [u8]) -> Result<SliceSource<'a>, Error> {
        let need = byte_count(dtype, shape);
        if need != Some(bytes.len() as u64) {
            return Err(Error::InvalidArgument(format!(
                "a {} array of shape {shape:?} does not fit {} bytes",
                dtype.name(),
                bytes.len()
            )));
        }
        Ok(SliceSource { dtype, shape: shape.to_vec(), bytes })
    }
}

impl Source for SliceSource<'_> {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error> {
        let zero = [0; 8];
        copy_box(self.bytes, &self.shape, start, out, extent, &zero[..extent.len()], extent, self.dtype.size())
    }
}
