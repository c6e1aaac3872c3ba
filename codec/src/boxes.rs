//! Copying boxes between C-ordered arrays, and choosing the shape of chunks.
use crate::Error;
use scicodec_format::{BoxRegion, DType, element_count};

/// Most values in an automatically chosen chunk.
///
/// The larger a chunk, the less of it is edge and cold adaptive state; the smaller, the less is decoded for a point, and
/// the more threads have work. Each halving costs 2 to 3 % of ratio at this size (`benches/results/chunk-sizes.md`).
pub const AUTO_CHUNK_VALUES: u64 = 1 << 19;
/// Most bytes in a row of chunks, which is what streaming decode holds in memory.
pub const AUTO_SLAB_BYTES: u64 = 128 << 20;

/// Copies a box of `extent` from `src` at `src_start` to `dst` at `dst_start`; both are C-ordered.
pub(crate) fn copy_box(
    src: &[u8],
    src_shape: &[u64],
    src_start: &[u64],
    dst: &mut [u8],
    dst_shape: &[u64],
    dst_start: &[u64],
    extent: &[u64],
    size: usize,
) -> Result<(), Error> {
    let (from, to) = ((src_shape, src_start, src.len()), (dst_shape, dst_start, dst.len()));
    each_run(from, to, extent, size, |s, d, run| dst[d..d + run].copy_from_slice(&src[s..s + run]))
}

/// Calls `copy` with the places of every run of bytes that a box of `extent` is in two C-ordered arrays, and the length of
/// the run. An array is given by its shape, where the box starts in it, and its bytes.
pub(crate) fn each_run(
    (src_shape, src_start, src_bytes): (&[u64], &[u64], usize),
    (dst_shape, dst_start, dst_bytes): (&[u64], &[u64], usize),
    extent: &[u64],
    size: usize,
    mut copy: impl FnMut(usize, usize, usize),
) -> Result<(), Error> {
    let rank = extent.len();
    let outside = |shape: &[u64], start: &[u64], bytes: usize| {
        shape.len() != rank
            || start.len() != rank
            || element_count(shape).and_then(|n| n.checked_mul(size as u64)) != Some(bytes as u64)
            || (0..rank).any(|a| start[a].checked_add(extent[a]).is_none_or(|end| end > shape[a]))
    };
    if outside(src_shape, src_start, src_bytes) || outside(dst_shape, dst_start, dst_bytes) {
        return Err(Error::InvalidArgument(format!("a box of {extent:?} does not fit {src_shape:?} or {dst_shape:?}")));
    }
    if extent.contains(&0) {
        return Ok(());
    }
    // Trailing axes that are copied whole in both arrays are one run of bytes.
    let mut inner = rank;
    let mut run = size;
    while inner > 0 {
        inner -= 1;
        run *= extent[inner] as usize;
        if extent[inner] != src_shape[inner] || extent[inner] != dst_shape[inner] {
            break;
        }
    }
    let offset = |shape: &[u64], start: &[u64], index: &[u64]| {
        let at = (0..rank).fold(0, |o, a| o * shape[a] + start[a] + index.get(a).copied().unwrap_or(0));
        at as usize * size
    };
    let mut index = vec![0u64; inner];
    loop {
        copy(offset(src_shape, src_start, &index), offset(dst_shape, dst_start, &index), run);
        let Some(axis) = (0..inner).rev().find(|&a| index[a] + 1 < extent[a]) else { return Ok(()) };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
}

/// Fewer chunks than this should be of an even number.
const FEW: u64 = 16;

/// A chunk shape of at most [`AUTO_CHUNK_VALUES`]: near-equal parts of as few cuts as possible, the longest side cut
/// first, in rows of at most [`AUTO_SLAB_BYTES`]; one cut more where that makes a small odd number of chunks even.
pub fn auto_chunk(dtype: DType, shape: &[u64]) -> Vec<u64> {
    let mut chunk: Vec<u64> = shape.iter().map(|&n| n.max(1)).collect();
    let mut cuts = vec![1u64; shape.len()];
    let values = |c: &[u64]| c.iter().fold(1u64, |n, &e| n.saturating_mul(e));
    if values(&chunk) <= AUTO_CHUNK_VALUES {
        return chunk;
    }
    for axis in 0..shape.len() {
        let rest = values(&chunk[axis + 1..]).saturating_mul(dtype.size() as u64);
        let most = (AUTO_SLAB_BYTES / rest.max(1)).max(1);
        if chunk[axis] > most {
            cuts[axis] = shape[axis].div_ceil(most);
            chunk[axis] = shape[axis].div_ceil(cuts[axis]);
        }
        if chunk[axis] > 1 {
            break;
        }
    }
    while values(&chunk) > AUTO_CHUNK_VALUES {
        let Some(axis) = (0..chunk.len()).rev().max_by_key(|&a| chunk[a]) else { break };
        // The next number of cuts that makes this side shorter.
        cuts[axis] = shape[axis].div_ceil(chunk[axis] - 1);
        chunk[axis] = shape[axis].div_ceil(cuts[axis]);
    }
    // Two threads share few chunks fairly if their number is even.
    let count = |a: usize, c: &[u64]| shape[a].div_ceil(c[a]);
    if (0..shape.len()).map(|a| count(a, &chunk)).try_fold(1, u64::checked_mul).is_some_and(|n| n % 2 == 1 && n < FEW) {
        let odd = (0..shape.len()).filter(|&a| count(a, &chunk) > 1 && chunk[a] > 1).max_by_key(|&a| chunk[a]);
        if let Some(a) = odd {
            chunk[a] = shape[a].div_ceil(count(a, &chunk) + 1);
        }
    }
    chunk
}

/// The part of a chunk that lies in a region.
pub(crate) fn overlap(chunk: &BoxRegion, region: &BoxRegion) -> BoxRegion {
    let axes = || 0..chunk.start.len();
    let start: Vec<u64> = axes().map(|a| chunk.start[a].max(region.start[a])).collect();
    let end = |b: &BoxRegion, a: usize| b.start[a] + b.extent[a];
    let extent = axes().map(|a| end(chunk, a).min(end(region, a)).saturating_sub(start[a])).collect();
    BoxRegion { start, extent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_chunks_are_few_balanced_and_bounded() {
        for (shape, chunk) in [
            (vec![], vec![]),
            (vec![0, 3], vec![1, 3]),
            (vec![700, 700], vec![700, 700]),
            (vec![1 << 20], vec![1 << 19]),
            (vec![12, 291, 360], vec![12, 146, 180]),
            (vec![8, 600, 259], vec![8, 150, 259]),
            (vec![100, 500, 500], vec![50, 100, 100]),
            (vec![1, 100, 500, 500], vec![1, 50, 100, 100]),
        ] {
            assert_eq!(auto_chunk(DType::F32, &shape), chunk, "{shape:?}");
        }
        let big = auto_chunk(DType::F32, &[1024, 1024, 1024]);
        assert!(big[0] * 1024 * 1024 * 4 <= AUTO_SLAB_BYTES && big.iter().product::<u64>() <= AUTO_CHUNK_VALUES);
        assert!(big.iter().product::<u64>() * 10 > AUTO_CHUNK_VALUES * 8, "{big:?}");
        let flat = auto_chunk(DType::F64, &[1, 1 << 16, 1 << 16]);
        assert!(flat[1] * (1 << 16) * 8 <= AUTO_SLAB_BYTES, "{flat:?}");
        assert!(auto_chunk(DType::U8, &[u64::MAX / 2]).iter().product::<u64>() <= AUTO_CHUNK_VALUES);
    }
}
