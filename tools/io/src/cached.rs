//! A source whose file is in compressed chunks: each is decompressed once, as long as it is likely to be asked again.
use crate::array_file::check_box;
use scicodec::{DType, Source};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of elements that a variable keeps. What encodes it goes through the chunks of the `.scz` file row by row, and comes
/// back to each chunk of this file until the row is done.
const KEPT: usize = 512 << 20;

/// A source with the chunks last read.
pub(crate) struct Cached<S> {
    inner: S,
    /// Extents of a chunk.
    chunk: Vec<u64>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    chunks: HashMap<Vec<u64>, (Arc<Vec<u8>>, u64)>,
    bytes: usize,
    clock: u64,
}

impl<S: Source> Cached<S> {
    /// `chunk` has the extents of the file's chunks; without any, or with huge ones, nothing is kept.
    pub fn new(inner: S, chunk: Vec<u64>) -> Cached<S> {
        Cached { inner, chunk, kept: Mutex::default() }
    }

    fn of_use(&self) -> bool {
        let bytes = self.chunk.iter().try_fold(self.inner.dtype().size() as u64, |n, &e| n.checked_mul(e));
        let fits = self.chunk.len() == self.inner.shape().len() && !self.chunk.is_empty() && !self.chunk.contains(&0);
        fits && bytes.is_some_and(|b| b <= KEPT as u64 / 4)
    }

    /// The chunk at an index, with its extents.
    fn chunk_at(&self, index: &[u64]) -> Result<(Arc<Vec<u8>>, Vec<u64>), scicodec::Error> {
        let start: Vec<u64> = index.iter().zip(&self.chunk).map(|(i, c)| i * c).collect();
        let shape = self.inner.shape();
        let extent: Vec<u64> = start.iter().zip(&self.chunk).zip(shape).map(|((&s, &c), &n)| c.min(n - s)).collect();
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clock += 1;
            let now = kept.clock;
            if let Some((bytes, used)) = kept.chunks.get_mut(index) {
                *used = now;
                return Ok((Arc::clone(bytes), extent));
            }
        }
        let mut bytes = vec![0; extent.iter().product::<u64>() as usize * self.inner.dtype().size()];
        self.inner.read(&start, &extent, &mut bytes)?;
        let bytes = Arc::new(bytes);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.clock;
        if kept.chunks.insert(index.to_vec(), (Arc::clone(&bytes), now)).is_none() {
            kept.bytes += bytes.len();
        }
        while kept.bytes > KEPT {
            let oldest = kept.chunks.iter().min_by_key(|(_, (_, used))| *used).map(|(index, _)| index.clone());
            let Some((gone, _)) = oldest.and_then(|index| kept.chunks.remove(&index)) else { break };
            kept.bytes -= gone.len();
        }
        Ok((bytes, extent))
    }
}

impl<S: Source> Source for Cached<S> {
    fn dtype(&self) -> DType {
        self.inner.dtype()
    }

    fn shape(&self) -> &[u64] {
        self.inner.shape()
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        if !self.of_use() {
            return self.inner.read(start, extent, out);
        }
        check_box(self.dtype(), self.shape(), start, extent, out.len())?;
        if out.is_empty() {
            return Ok(());
        }
        let first: Vec<u64> = start.iter().zip(&self.chunk).map(|(s, c)| s / c).collect();
        let last: Vec<u64> = start.iter().zip(extent).zip(&self.chunk).map(|((s, e), c)| (s + e - 1) / c).collect();
        let mut index = first.clone();
        loop {
            let (bytes, there) = self.chunk_at(&index)?;
            let origin: Vec<u64> = index.iter().zip(&self.chunk).map(|(i, c)| i * c).collect();
            copy_common(&bytes, &origin, &there, out, start, extent, self.dtype().size());
            let Some(k) = (0..index.len()).rev().find(|&k| index[k] < last[k]) else { return Ok(()) };
            index[k] += 1;
            index[k + 1..].copy_from_slice(&first[k + 1..]);
        }
    }
}

/// Copies what two boxes of an array have in common, from the elements of one to those of the other. They have axes.
fn copy_common(
    from: &[u8],
    from_start: &[u64],
    from_extent: &[u64],
    to: &mut [u8],
    to_start: &[u64],
    to_extent: &[u64],
    size: usize,
) {
    let low: Vec<u64> = from_start.iter().zip(to_start).map(|(&a, &b)| a.max(b)).collect();
    let high: Vec<u64> =
        (0..low.len()).map(|k| (from_start[k] + from_extent[k]).min(to_start[k] + to_extent[k])).collect();
    if low.iter().zip(&high).any(|(l, h)| l >= h) {
        return;
    }
    let at = |index: &[u64], start: &[u64], extent: &[u64]| {
        let offset = index.iter().zip(start).zip(extent).fold(0, |at, ((&i, &s), &n)| at * n + (i - s));
        offset as usize * size
    };
    let axis = low.len() - 1;
    let row = (high[axis] - low[axis]) as usize * size;
    let mut index = low.clone();
    loop {
        let (a, b) = (at(&index, from_start, from_extent), at(&index, to_start, to_extent));
        to[b..b + row].copy_from_slice(&from[a..a + row]);
        let Some(k) = (0..axis).rev().find(|&k| index[k] + 1 < high[k]) else { return };
        index[k] += 1;
        index[k + 1..].copy_from_slice(&low[k + 1..]);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::strings::Bytes;

    #[test]
    fn any_box_of_any_chunks() {
        let (n, m, l) = (7u64, 5, 6);
        let bytes: Vec<u8> = (0..(n * m * l) as usize).map(|k| (k * 31 % 251) as u8).collect();
        let whole = Bytes::new(vec![n, m, l], bytes.clone()).unwrap();
        for chunk in [[1, 5, 6], [3, 2, 4], [7, 5, 6], [10, 1, 1]] {
            let cached = Cached::new(Bytes::new(vec![n, m, l], bytes.clone()).unwrap(), chunk.to_vec());
            for k in 0..200u64 {
                let at = |axis: u64, extent: u64| {
                    let a = (k * 7 + axis * 13) % extent;
                    (a, 1 + (k * 5 + axis) % (extent - a))
                };
                let ((a, x), (b, y), (c, z)) = (at(0, n), at(1, m), at(2, l));
                let (mut got, mut want) = (vec![0; (x * y * z) as usize], vec![0; (x * y * z) as usize]);
                cached.read(&[a, b, c], &[x, y, z], &mut got).unwrap();
                whole.read(&[a, b, c], &[x, y, z], &mut want).unwrap();
                assert_eq!(got, want);
            }
        }
    }
}
