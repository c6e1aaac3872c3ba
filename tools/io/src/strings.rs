//! Text as arrays of bytes.
use crate::Error;
use scicodec::{DType, SliceSource, Source};

/// Bytes in memory, as a source of uint8.
pub(crate) struct Bytes {
    shape: Vec<u64>,
    bytes: Vec<u8>,
}

impl Bytes {
    /// Errors: `InvalidArgument` where the shape has another number of elements.
    pub fn new(shape: Vec<u64>, bytes: Vec<u8>) -> Result<Bytes, Error> {
        SliceSource::new(DType::U8, &shape, &bytes)?;
        Ok(Bytes { shape, bytes })
    }
}

impl Source for Bytes {
    fn dtype(&self) -> DType {
        DType::U8
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        SliceSource::new(DType::U8, &self.shape, &self.bytes)?.read(start, extent, out)
    }
}

/// Strings of UTF-8, each followed by zeros to the length of the longest, along one more axis.
pub(crate) fn padded(shape: &[u64], strings: &[&[u8]]) -> Result<Bytes, Error> {
    let width = strings.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut bytes = vec![0; width * strings.len()];
    for (to, from) in bytes.chunks_exact_mut(width.max(1)).zip(strings) {
        to[..from.len()].copy_from_slice(from);
    }
    Bytes::new(shape.iter().copied().chain([width as u64]).collect(), bytes)
}

/// The strings in bytes as [`padded`] makes them. Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn unpadded(width: u64, count: u64, bytes: &[u8]) -> Vec<String> {
    let one = |row: &[u8]| {
        let end = row.iter().rposition(|&b| b != 0).map_or(0, |k| k + 1);
        String::from_utf8_lossy(&row[..end]).into_owned()
    };
    match width {
        0 => vec![String::new(); count as usize],
        _ => bytes.chunks_exact(width as usize).map(one).collect(),
    }
}
