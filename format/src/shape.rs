//! Shapes, and the regular grid of chunks over one segment of a variable (SPEC §6.4).
use crate::{DType, Defect, Error, Limits, cursor::Cursor, cursor::put_varint, error::corrupt};
use std::ops::Range;

/// Most axes that a field can have.
pub const MAX_RANK: usize = 6;

/// Number of elements of a shape, if it is below 2^63.
pub fn element_count(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1u64, |n, &e| n.checked_mul(e)).filter(|&n| n < 1 << 63)
}

/// Bytes of an array, if they are below 2^63.
pub fn byte_count(dtype: DType, shape: &[u64]) -> Option<u64> {
    element_count(shape)?.checked_mul(dtype.size() as u64).filter(|&n| n < 1 << 63)
}

/// A box inside an array: where it starts and how far it goes, slowest axis first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxRegion {
    /// First index along each axis.
    pub start: Vec<u64>,
    /// Number of indices along each axis.
    pub extent: Vec<u64>,
}

/// A regular grid of chunks over a shape. Chunks at the far edges are smaller where the shape is no multiple.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    shape: Vec<u64>,
    chunk: Vec<u64>,
    counts: Vec<u64>,
    total: u64,
}

impl Grid {
    /// A grid of chunks of shape `chunk` over `shape`, or `None` where ranks differ, a chunk extent is 0 or the number
    /// of chunks overflows.
    pub fn new(shape: &[u64], chunk: &[u64]) -> Option<Grid> {
        if shape.len() != chunk.len() || shape.len() > MAX_RANK || chunk.contains(&0) {
            return None;
        }
        let counts: Vec<u64> = shape.iter().zip(chunk).map(|(&n, &c)| n.div_ceil(c)).collect();
        let total = element_count(&counts)?;
        Some(Grid { shape: shape.to_vec(), chunk: chunk.to_vec(), counts, total })
    }

    /// The shape that is cut up.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Shape of a chunk that is not at a far edge.
    pub fn chunk_shape(&self) -> &[u64] {
        &self.chunk
    }

    /// Chunks along each axis.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Chunks in all. A rank-0 grid has one; a grid over an empty shape has none.
    pub fn chunks(&self) -> u64 {
        self.total
    }

    /// The box of the chunk with this ordinal; chunks are numbered in C order. `None` past the last one.
    pub fn chunk_box(&self, ordinal: u64) -> Option<BoxRegion> {
        if ordinal >= self.total {
            return None;
        }
        let rank = self.shape.len();
        let mut start = vec![0; rank];
        let mut extent = vec![0; rank];
        let mut rest = ordinal;
        for axis in (0..rank).rev() {
            let i = rest % self.counts[axis];
            rest /= self.counts[axis];
            start[axis] = i * self.chunk[axis];
            extent[axis] = self.chunk[axis].min(self.shape[axis] - start[axis]);
        }
        Some(BoxRegion { start, extent })
    }

    /// Ordinals of the chunks that meet a region, in order. The region must lie in the shape.
    pub fn intersecting(&self, region: &[Range<u64>]) -> Vec<u64> {
        if self.total == 0 || region.iter().any(|r| r.start >= r.end) {
            return vec![];
        }
        let mut ordinals = vec![0];
        for (axis, r) in region.iter().enumerate() {
            let (first, last) = (r.start / self.chunk[axis], (r.end - 1) / self.chunk[axis]);
            ordinals = ordinals.iter().flat_map(|&o| (first..=last).map(move |i| o * self.counts[axis] + i)).collect();
        }
        ordinals
    }
}

pub(crate) fn put_extents(out: &mut Vec<u8>, extents: &[u64]) {
    for &e in extents {
        put_varint(out, e);
    }
}

/// dtype (bits 0–3) and rank (bits 4–6) in one byte; bit 7 is unused.
pub(crate) fn put_type_and_rank(out: &mut Vec<u8>, dtype: DType, rank: usize) {
    out.push(dtype as u8 | (rank as u8) << 4);
}

/// dtype, rank and that many extents whose array is below 2^63 bytes.
pub(crate) fn read_type_and_shape(c: &mut Cursor<'_>) -> Result<(DType, Vec<u64>), Error> {
    let at = c.offset();
    let byte = c.u8()?;
    let Some(dtype) = DType::from_code(byte & 15) else { return corrupt(Defect::DType(byte & 15), at) };
    let rank = byte >> 4 & 7;
    if usize::from(rank) > MAX_RANK {
        return corrupt(Defect::Rank(rank), at);
    }
    let shape = (0..rank).map(|_| c.varint()).collect::<Result<Vec<u64>, Error>>()?;
    if byte_count(dtype, &shape).is_none() {
        return corrupt(Defect::ShapeOverflow(shape), at);
    }
    Ok((dtype, shape))
}

pub(crate) fn check_chunk_bytes(dtype: DType, shape: &[u64], limits: &Limits) -> Result<(), Error> {
    let bytes = byte_count(dtype, shape).unwrap_or(u64::MAX);
    if bytes > limits.chunk_bytes {
        return Err(Error::Limit { what: "bytes of a decoded chunk", limit: limits.chunk_bytes, asked: bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_tile_the_shape() {
        for (shape, chunk, count) in [
            (vec![], vec![], 1),
            (vec![0, 5], vec![1, 2], 0),
            (vec![5], vec![2], 3),
            (vec![4, 5, 6], vec![4, 2, 6], 3),
            (vec![1, 7, 1, 3], vec![9, 3, 1, 2], 6),
        ] {
            let grid = Grid::new(&shape, &chunk).unwrap();
            assert_eq!(grid.chunks(), count);
            let covered: u64 = (0..count).map(|i| element_count(&grid.chunk_box(i).unwrap().extent).unwrap()).sum();
            assert_eq!(covered, element_count(&shape).unwrap());
            let all: Vec<_> = shape.iter().map(|&n| 0..n).collect();
            assert_eq!(grid.intersecting(&all), (0..count).collect::<Vec<_>>());
        }
        assert!(Grid::new(&[1 << 40, 1 << 40], &[1, 1]).is_none());
    }

    #[test]
    fn only_chunks_that_meet_the_region_are_named() {
        let grid = Grid::new(&[10, 10], &[3, 4]).unwrap();
        assert_eq!(grid.intersecting(&[3..7, 4..5]), [4, 7]);
        assert!(grid.intersecting(&[3..3, 4..5]).is_empty());
    }
}
