//! One array stored as plain elements somewhere in a file, in either order of axes and of bytes.
use crate::{Error, positioned::read_exact_at};
use scicodec::{DType, Source};
use std::{fs::File, io};

/// Most axes that a field may have.
pub const MAX_RANK: usize = 6;

/// Which axis varies fastest in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The last axis.
    C,
    /// The first axis.
    Fortran,
}

/// The order of an element's bytes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// Low byte first.
    Little,
    /// High byte first.
    Big,
}

impl ByteOrder {
    /// The order of this machine.
    pub const NATIVE: ByteOrder = if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little };
}

/// Where the elements are, and how they are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Element type.
    pub dtype: DType,
    /// Extents, slowest axis first in the array's own terms: `shape[0]` is the first index, in either `order`.
    pub shape: Vec<u64>,
    /// Which axis varies fastest in the file.
    pub order: Order,
    /// The order of an element's bytes.
    pub bytes: ByteOrder,
    /// Position of the first element, in bytes from the start of the file.
    pub offset: u64,
}

impl Layout {
    /// Size of the elements in bytes, or an error where no file could hold them.
    pub fn data_bytes(&self) -> Result<u64, Error> {
        if self.shape.len() > MAX_RANK {
            return Err(Error::Unsupported { feature: format!("rank {}, more than {MAX_RANK}", self.shape.len()) });
        }
        if self.shape.contains(&0) {
            return Ok(0);
        }
        self.shape
            .iter()
            .try_fold(self.dtype.size() as u64, |bytes, &n| bytes.checked_mul(n))
            .filter(|bytes| bytes.checked_add(self.offset).is_some())
            .ok_or_else(|| Error::InvalidArgument(format!("shape {:?} is more than 2^64 bytes", self.shape)))
    }
}

/// An open file with one array in it.
#[derive(Debug)]
pub struct ArrayFile {
    file: File,
    layout: Layout,
}

impl ArrayFile {
    /// Checks that the file holds exactly what the layout says: neither less nor more.
    pub fn new(file: File, layout: Layout) -> Result<ArrayFile, Error> {
        let need = layout.data_bytes()?;
        let have = file.metadata()?.len().saturating_sub(layout.offset);
        if have < need {
            return Err(Error::Truncated { need, have });
        }
        if have > need {
            return Err(Error::Corrupt {
                what: format!(
                    "the file goes on after the array: {} of shape {:?} is {need} bytes, {have} are there; unexpected bytes",
                    layout.dtype.name(),
                    layout.shape
                ),
                offset: layout.offset + need,
            });
        }
        Ok(ArrayFile { file, layout })
    }

    /// Where the elements are, and how they are laid out.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read_box(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> io::Result<()> {
        let size = self.layout.dtype.size();
        match self.layout.order {
            Order::C => {
                let boxed = BoxReader { file: &self.file, size, offset: self.layout.offset, shape: &self.layout.shape };
                boxed.read(start, extent, out)
            }
            // A Fortran-ordered array is the C-ordered array with its axes reversed, so read that, then turn it around.
            Order::Fortran => {
                let reversed = |s: &[u64]| s.iter().rev().copied().collect::<Vec<_>>();
                let shape = reversed(&self.layout.shape);
                let boxed = BoxReader { file: &self.file, size, offset: self.layout.offset, shape: &shape };
                let mut turned = vec![0; out.len()];
                boxed.read(&reversed(start), &reversed(extent), &mut turned)?;
                reverse_axes(&turned, extent, size, out);
                Ok(())
            }
        }
    }
}

impl Source for ArrayFile {
    fn dtype(&self) -> DType {
        self.layout.dtype
    }

    fn shape(&self) -> &[u64] {
        &self.layout.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        check_box(self.layout.dtype, &self.layout.shape, start, extent, out.len())?;
        if out.is_empty() {
            return Ok(());
        }
        self.read_box(start, extent, out)?;
        if self.layout.bytes != ByteOrder::NATIVE {
            swap_bytes(out, self.layout.dtype.size());
        }
        Ok(())
    }
}

/// Refuses a box that leaves the array, or a buffer that does not fit the box.
pub(crate) fn check_box(
    dtype: DType,
    shape: &[u64],
    start: &[u64],
    extent: &[u64],
    buffer: usize,
) -> Result<(), scicodec::Error> {
    let ranks_agree = start.len() == shape.len() && extent.len() == shape.len();
    let inside =
        || shape.iter().zip(start).zip(extent).all(|((&n, &s), &e)| s.checked_add(e).is_some_and(|end| end <= n));
    if !ranks_agree || !inside() {
        return Err(scicodec::Error::InvalidArgument(format!(
            "box of start {start:?} and extent {extent:?} is not inside the shape {shape:?}"
        )));
    }
    let bytes = extent.iter().try_fold(dtype.size() as u64, |b, &e| b.checked_mul(e));
    if bytes != Some(buffer as u64) {
        return Err(scicodec::Error::InvalidArgument(format!(
            "a buffer of {buffer} bytes for a box of extent {extent:?} of {}",
            dtype.name()
        )));
    }
    Ok(())
}

/// Reverses the order of each element's bytes.
pub(crate) fn swap_bytes(data: &mut [u8], size: usize) {
    match size {
        1 => {}
        2 => data.chunks_exact_mut(2).for_each(<[u8]>::reverse),
        4 => data.chunks_exact_mut(4).for_each(<[u8]>::reverse),
        _ => data.chunks_exact_mut(size).for_each(<[u8]>::reverse),
    }
}

/// A window is read at once, gaps included, up to this many bytes: many short reads cost more than a few skipped bytes.
const WINDOW: u64 = 1 << 20;
/// Runs at least this long are read one by one.
const LONG_RUN: u64 = 16 << 10;

/// Reads boxes of a C-ordered array.
struct BoxReader<'a> {
    file: &'a File,
    size: usize,
    offset: u64,
    shape: &'a [u64],
}

impl BoxReader<'_> {
    /// The box is not empty and lies within the shape, whose size in bytes fits `u64`; `out` has the size of the box.
    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> io::Result<()> {
        let rank = self.shape.len();
        let mut stride = vec![self.size as u64; rank];
        for k in (1..rank).rev() {
            stride[k - 1] = stride[k] * self.shape[k];
        }
        let first = self.offset + start.iter().zip(&stride).map(|(&s, &t)| s * t).sum::<u64>();
        // Trailing axes that the box covers whole make one run with the axis before them.
        let mut axis = rank;
        let mut run = self.size as u64;
        while axis > 0 {
            axis -= 1;
            run *= extent[axis];
            if extent[axis] != self.shape[axis] {
                break;
            }
        }
        // Now axes `..axis` are stepped through, and a run covers the rest. Short runs are read several at once.
        let rows = if axis > 0 { extent[axis - 1] } else { 1 };
        let gap = if axis > 0 { stride[axis - 1] } else { run };
        let batch = if run >= LONG_RUN { 1 } else { (WINDOW / gap.max(1)).clamp(1, rows) };
        let mut window = Vec::new();
        let outer = &extent[..axis.saturating_sub(1)];
        let mut index = vec![0u64; outer.len()];
        let mut rest = out;
        loop {
            let row0 = first + index.iter().zip(&stride).map(|(&i, &t)| i * t).sum::<u64>();
            let mut row = 0;
            while row < rows {
                let count = batch.min(rows - row);
                let (now, later) = std::mem::take(&mut rest).split_at_mut((count * run) as usize);
                rest = later;
                let at = row0 + row * gap;
                if count == 1 {
                    read_exact_at(self.file, now, at)?;
                } else {
                    window.resize(((count - 1) * gap + run) as usize, 0);
                    read_exact_at(self.file, &mut window, at)?;
                    for (to, from) in now.chunks_exact_mut(run as usize).zip(window.chunks(gap as usize)) {
                        to.copy_from_slice(&from[..run as usize]);
                    }
                }
                row += count;
            }
            let Some(k) = (0..outer.len()).rev().find(|&k| index[k] + 1 < outer[k]) else { return Ok(()) };
            index[k] += 1;
            index[k + 1..].fill(0);
        }
    }
}

/// Turns an array whose *first* axis varies fastest (`from`, of the given extents) into C order.
fn reverse_axes(from: &[u8], extent: &[u64], size: usize, out: &mut [u8]) {
    let Some((&last, outer)) = extent.split_last() else {
        out.copy_from_slice(from);
        return;
    };
    let mut stride = vec![size; extent.len()];
    for k in 1..extent.len() {
        stride[k] = stride[k - 1] * extent[k - 1] as usize;
    }
    let step = stride[outer.len()];
    let mut index = vec![0u64; outer.len()];
    for row in out.chunks_exact_mut(last as usize * size) {
        let base: usize = index.iter().zip(&stride).map(|(&i, &t)| i as usize * t).sum();
        for (i, to) in row.chunks_exact_mut(size).enumerate() {
            let at = base + i * step;
            to.copy_from_slice(&from[at..at + size]);
        }
        if let Some(k) = (0..outer.len()).rev().find(|&k| index[k] + 1 < outer[k]) {
            index[k] += 1;
            index[k + 1..].fill(0);
        }
    }
}
