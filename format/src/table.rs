//! The chunk table of one segment: what the index knows of each chunk (SPEC §6.5).
use crate::cursor::{Cursor, put_u32, put_uint, put_varint};
use crate::{DType, Defect, Error, error::corrupt};

const HAS_CRC: u8 = 1;
const HAS_ERROR: u8 = 2;
const HAS_RANGE: u8 = 4;
const ONE_BASE: u8 = 8;
const INCOMPLETE: u8 = 16;
const ONE_ERROR: u8 = 32;
const RESERVED: u8 = 64;

/// What a table says of one chunk. A length of 0 marks a chunk that was lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkEntry {
    /// Bytes of the payload.
    pub length: u64,
    /// Code of the base.
    pub base: u8,
    /// CRC32C that the payload stores, where the table repeats it.
    pub crc: Option<u32>,
    /// Bits of the greatest absolute error over finite, unmasked values: a nonnegative f32, rounded up.
    pub max_error: Option<f32>,
    /// Smallest and largest value.
    pub range: ValueRange,
}

/// Smallest and largest finite, unmasked value of a chunk before it was encoded, as bits of its dtype.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueRange {
    /// Not recorded.
    #[default]
    Unknown,
    /// The chunk has no such value.
    Empty,
    /// Both, low bytes first, as many as the dtype has.
    Bits {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
}

impl ChunkEntry {
    /// Whether the chunk was lost before the file was recovered.
    pub fn is_missing(&self) -> bool {
        self.length == 0
    }
}

pub(crate) fn put_table(out: &mut Vec<u8>, dtype: DType, entries: &[ChunkEntry], with_crc: bool) {
    let mut present = entries.iter().filter(|e| !e.is_missing());
    let first = present.next().cloned().unwrap_or_default();
    let one_base = present.all(|e| e.base == first.base);
    let errors = entries.iter().all(|e| e.is_missing() || e.max_error.is_some());
    let one_error = entries.iter().all(|e| e.is_missing() || e.max_error == first.max_error);
    let ranges = entries.iter().all(|e| e.is_missing() || e.range != ValueRange::Unknown);
    let with_crc = with_crc && entries.iter().all(|e| e.is_missing() || e.crc.is_some());
    let mut flags = 0;
    for (bit, set) in [
        (HAS_CRC, with_crc),
        (HAS_ERROR, errors),
        (HAS_RANGE, ranges),
        (ONE_BASE, one_base),
        (INCOMPLETE, entries.iter().any(ChunkEntry::is_missing)),
        (ONE_ERROR, errors && one_error),
    ] {
        flags |= if set { bit } else { 0 };
    }
    out.push(flags);
    for e in entries {
        put_varint(out, e.length);
    }
    if one_base {
        out.push(first.base);
    } else {
        out.extend(entries.iter().filter(|e| !e.is_missing()).map(|e| e.base));
    }
    let present = || entries.iter().filter(|e| !e.is_missing());
    if with_crc {
        present().for_each(|e| put_u32(out, e.crc.unwrap_or_default()));
    }
    if errors && one_error {
        put_u32(out, first.max_error.unwrap_or_default().to_bits());
    } else if errors {
        present().for_each(|e| put_u32(out, e.max_error.unwrap_or_default().to_bits()));
    }
    if ranges {
        for e in present() {
            let (min, max) = match e.range {
                ValueRange::Bits { min, max } => (min, max),
                _ => no_values(dtype),
            };
            put_uint(out, min, dtype.size());
            put_uint(out, max, dtype.size());
        }
    }
}

/// Reads the table of a segment of `chunks` chunks. A segment of no chunks has no table: not even flags.
pub(crate) fn read_table(c: &mut Cursor<'_>, dtype: DType, chunks: u64) -> Result<Vec<ChunkEntry>, Error> {
    if chunks == 0 {
        return Ok(vec![]);
    }
    let flags = c.flags("chunk table", RESERVED)?;
    // Every chunk takes at least one byte of its table, so a lying count cannot make this allocate more than the file.
    if chunks > c.remaining() as u64 {
        return Err(Error::Truncated { what: "chunk table", need: chunks, have: c.remaining() as u64 });
    }
    let n = chunks as usize;
    let mut entries = vec![ChunkEntry::default(); n];
    for e in &mut entries {
        let at = c.offset();
        e.length = c.varint()?;
        if e.is_missing() && flags & INCOMPLETE == 0 {
            return corrupt(Defect::MissingChunk, at);
        }
    }
    if flags & ONE_BASE != 0 {
        let base = c.u8()?;
        entries.iter_mut().filter(|e| !e.is_missing()).for_each(|e| e.base = base);
    } else {
        for e in entries.iter_mut().filter(|e| !e.is_missing()) {
            e.base = c.u8()?;
        }
    }
    if flags & HAS_CRC != 0 {
        for e in entries.iter_mut().filter(|e| !e.is_missing()) {
            e.crc = Some(c.u32()?);
        }
    }
    match (flags & HAS_ERROR != 0, flags & ONE_ERROR != 0) {
        (true, true) => {
            let error = read_error(c)?;
            entries.iter_mut().filter(|e| !e.is_missing()).for_each(|e| e.max_error = Some(error));
        }
        (true, false) => {
            for e in entries.iter_mut().filter(|e| !e.is_missing()) {
                e.max_error = Some(read_error(c)?);
            }
        }
        (false, true) => {
            return corrupt(Defect::ReservedBits { of: "chunk table", bits: ONE_ERROR }, c.offset());
        }
        (false, false) => {}
    }
    if flags & HAS_RANGE != 0 {
        for e in entries.iter_mut().filter(|e| !e.is_missing()) {
            e.range = read_range(c, dtype)?;
        }
    }
    Ok(entries)
}

fn read_error(c: &mut Cursor<'_>) -> Result<f32, Error> {
    let at = c.offset();
    let error = f32::from_bits(c.u32()?);
    if error.is_nan() || error.is_sign_negative() {
        return corrupt(Defect::AchievedError, at);
    }
    Ok(error)
}

fn read_range(c: &mut Cursor<'_>, dtype: DType) -> Result<ValueRange, Error> {
    let at = c.offset();
    let (min, max) = (c.uint(dtype.size())?, c.uint(dtype.size())?);
    if (min, max) == no_values(dtype) {
        return Ok(ValueRange::Empty);
    }
    match (order_key(dtype, min), order_key(dtype, max)) {
        (Some(a), Some(b)) if a <= b => Ok(ValueRange::Bits { min, max }),
        _ => corrupt(Defect::ValueRange, at),
    }
}

/// The bits of (1, 0): no range has its minimum above its maximum.
fn no_values(dtype: DType) -> (u64, u64) {
    match dtype {
        DType::F16 => (0x3c00, 0),
        DType::F32 => (0x3f80_0000, 0),
        DType::F64 => (0x3ff0_0000_0000_0000, 0),
        _ => (1, 0),
    }
}

/// An integer that orders finite values of a dtype as the values are; `None` for NaN and infinities.
fn order_key(dtype: DType, bits: u64) -> Option<i128> {
    let width = dtype.size() as u32 * 8;
    let sign = bits >> (width - 1) & 1 == 1;
    let magnitude = bits & !(1 << (width - 1));
    let infinity = match dtype {
        DType::F16 => 0x7c00,
        DType::F32 => 0x7f80_0000,
        DType::F64 => 0x7ff0_0000_0000_0000,
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => return Some(i128::from(bits)),
        _ => return Some(i128::from(bits) - if sign { 1i128 << width } else { 0 }),
    };
    (magnitude < infinity).then_some(if sign { -i128::from(magnitude) } else { i128::from(magnitude) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_keys_order_values() {
        let key = |v: f32| order_key(DType::F32, u64::from(v.to_bits()));
        assert!(key(-1.0) < key(-0.5) && key(-0.5) < key(0.0) && key(0.0) == key(-0.0) && key(1.0) < key(2.0));
        assert_eq!(key(f32::NAN), None);
        assert_eq!(key(f32::NEG_INFINITY), None);
        assert!(order_key(DType::I8, 0xff) < order_key(DType::I8, 0));
        assert!(order_key(DType::U8, 0xff) > order_key(DType::U8, 0));
    }
}
