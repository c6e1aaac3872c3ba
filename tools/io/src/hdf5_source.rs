//! The elements of an HDF5 dataset, box by box.
use crate::array_file::check_box;
use rust_hdf5::{DatatypeMessage, H5Dataset, H5Type};
use scicodec::{DType, Source};

/// A dataset as a source. Where its shape is less than that of its dimensions, the rest is fill.
pub(crate) struct Hdf5Source {
    dataset: H5Dataset,
    dtype: DType,
    /// What is in the file.
    physical: Vec<u64>,
    /// What the dimensions say: no less along any axis.
    shape: Vec<u64>,
    fill: u64,
}

impl Hdf5Source {
    pub fn new(dataset: H5Dataset, dtype: DType, physical: Vec<u64>, shape: Vec<u64>, fill: u64) -> Hdf5Source {
        Hdf5Source { dataset, dtype, physical, shape, fill }
    }

    /// Reads a box that lies in the file.
    fn stored<T: H5Type + bytemuck::Pod>(
        &self,
        start: &[u64],
        extent: &[u64],
        out: &mut [u8],
    ) -> Result<(), scicodec::Error> {
        let small = |all: &[u64]| all.iter().map(|&n| n as usize).collect::<Vec<_>>();
        let (starts, counts) = (small(start), small(extent));
        let broken = |e: rust_hdf5::Hdf5Error| std::io::Error::other(e.to_string());
        match bytemuck::try_cast_slice_mut::<u8, T>(out) {
            Ok(elements) if !starts.is_empty() => {
                self.dataset.read_slice_into(elements, &starts, &counts).map_err(broken)?;
            }
            _ => {
                let elements = match starts.is_empty() {
                    true => self.dataset.read_raw::<T>(),
                    false => self.dataset.read_slice::<T>(&starts, &counts),
                };
                let elements = elements.map_err(broken)?;
                let bytes = bytemuck::cast_slice(&elements);
                if bytes.len() != out.len() {
                    return Err(std::io::Error::other(format!("{} bytes of {}", bytes.len(), out.len())).into());
                }
                out.copy_from_slice(bytes);
            }
        }
        Ok(())
    }

    fn stored_of_size(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        match self.dtype.size() {
            1 => self.stored::<u8>(start, extent, out),
            2 => self.stored::<u16>(start, extent, out),
            4 => self.stored::<u32>(start, extent, out),
            _ => self.stored::<u64>(start, extent, out),
        }
    }
}

impl Source for Hdf5Source {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        check_box(self.dtype, &self.shape, start, extent, out.len())?;
        if out.is_empty() {
            return Ok(());
        }
        let there: Vec<u64> =
            start.iter().zip(extent).zip(&self.physical).map(|((&s, &e), &n)| n.saturating_sub(s).min(e)).collect();
        if there == extent {
            return self.stored_of_size(start, extent, out);
        }
        let size = self.dtype.size();
        let fill = self.fill.to_le_bytes();
        out.chunks_exact_mut(size).for_each(|element| element.copy_from_slice(&fill[..size]));
        if there.contains(&0) {
            return Ok(());
        }
        let mut part = vec![0; there.iter().product::<u64>() as usize * size];
        self.stored_of_size(start, &there, &mut part)?;
        place(&part, &there, extent, size, out);
        Ok(())
    }
}

/// Copies a C-ordered box to the low corner of a larger one. Neither is empty, and they have axes.
fn place(part: &[u8], extent: &[u64], shape: &[u64], size: usize, out: &mut [u8]) {
    let Some((&row, outer)) = extent.split_last() else { return };
    let row = row as usize * size;
    let mut index = vec![0u64; outer.len()];
    for from in part.chunks_exact(row) {
        let at = index.iter().zip(shape).fold(0, |at, (&i, &n)| at * n + i) * shape[outer.len()];
        out[at as usize * size..][..row].copy_from_slice(from);
        if let Some(k) = (0..outer.len()).rev().find(|&k| index[k] + 1 < outer[k]) {
            index[k] += 1;
            index[k + 1..].fill(0);
        }
    }
}

/// The element type, and what of the type is lost; or why there is none.
pub(crate) fn element_type(datatype: &DatatypeMessage) -> Result<(DType, Option<&'static str>), String> {
    let no = |what: &str| Err(format!("is {what}, which cannot be encoded"));
    match datatype {
        DatatypeMessage::FixedPoint { size, signed, bit_offset: 0, bit_precision, .. }
            if u32::from(*bit_precision) == size * 8 =>
        {
            let dtype = match (size, signed) {
                (1, true) => DType::I8,
                (2, true) => DType::I16,
                (4, true) => DType::I32,
                (8, true) => DType::I64,
                (1, false) => DType::U8,
                (2, false) => DType::U16,
                (4, false) => DType::U32,
                (8, false) => DType::U64,
                _ => return no(&format!("an integer of {size} bytes")),
            };
            Ok((dtype, None))
        }
        DatatypeMessage::FloatingPoint { size, exponent_size, mantissa_size, .. } => {
            match (size, exponent_size, mantissa_size) {
                (2, 5, 10) => Ok((DType::F16, None)),
                (4, 8, 23) => Ok((DType::F32, None)),
                (8, 11, 52) => Ok((DType::F64, None)),
                _ => no(&format!("a float of {size} bytes that is none of IEEE 754's")),
            }
        }
        DatatypeMessage::Enum { base, .. } => {
            let (dtype, _) = element_type(base)?;
            Ok((dtype, Some("the names of its enumeration; its numbers are kept")))
        }
        DatatypeMessage::Compound { .. } => no("a compound"),
        DatatypeMessage::VarLenSequence { .. } => no("a sequence of variable length"),
        DatatypeMessage::Array { .. } => no("of an array type"),
        DatatypeMessage::Opaque { .. } => no("opaque"),
        DatatypeMessage::Reference { .. } => no("a reference"),
        DatatypeMessage::BitField { .. } => no("a bit field"),
        other => no(&other.to_string()),
    }
}
