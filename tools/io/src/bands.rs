//! A source, read front to back in pieces that fit into memory.
use scicodec::Source;

/// About this many bytes are read at once.
const BAND: u64 = 32 << 20;

/// The boxes that cover a shape, in order: whole but for axis 0, along which each has a multiple of `step` indices.
pub(crate) fn bands(shape: &[u64], size: usize, step: u64) -> impl Iterator<Item = (Vec<u64>, Vec<u64>)> {
    let step = step.max(1);
    let row = shape.get(1..).unwrap_or_default().iter().product::<u64>().saturating_mul(size as u64).max(1);
    let rows = (BAND / row / step * step).max(step);
    let shape = shape.to_vec();
    let total = if shape.contains(&0) { 0 } else { shape.first().copied().unwrap_or(1) };
    (0..total.div_ceil(rows)).map(move |k| {
        let (mut start, mut extent) = (vec![0; shape.len()], shape.clone());
        if let (Some(s), Some(e)) = (start.first_mut(), extent.first_mut()) {
            *s = k * rows;
            *e = rows.min(total - k * rows);
        }
        (start, extent)
    })
}

/// All elements of a source: for what is small.
pub(crate) fn all(source: &dyn Source) -> Result<Vec<u8>, scicodec::Error> {
    let shape = source.shape();
    let mut out = vec![0; shape.iter().product::<u64>() as usize * source.dtype().size()];
    source.read(&vec![0; shape.len()], shape, &mut out)?;
    Ok(out)
}
