//! The chunk table of one segment: what the index knows of each chunk (SPEC §6.5).
use crate::cursor::{Cursor, put_u32, put_uint, put_varint};
use crate::{DType, Defect, Error, error::corrupt};

/// Bits 0–2: 0 without ranges, else 7 less the bytes that are dropped of each end.
const RANGES: u8 = 7;
const HAS_ERROR: u8 = 8;
const ONE_ERROR: u8 = 16;
const ONE_BASE: u8 = 32;
const INCOMPLETE: u8 = 64;
const HAS_CRC: u8 = 128;

/// What a table says of one chunk. A length of 0 marks a chunk that was lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkEntry {
    /// Bytes of the payload, or of the body of a chunk inside its record.
    pub length: u64,
    /// Code of the base.
    pub base: u8,
    /// CRC32C that the payload stores, where the table repeats it.
    pub crc: Option<u32>,
    /// Greatest absolute error over finite, unmasked values: nonnegative, rounded up.
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
        /// How many low bytes of both are zero because they were rounded away, outwards: 0 for exact ends.
        dropped: u8,
    },
}

impl ValueRange {
    /// How many low bytes are not stored.
    fn dropped(self) -> u8 {
        match self {
            ValueRange::Bits { dropped, .. } => dropped,
            _ => 0,
        }
    }

    /// Whether the low bytes that are not stored are there to be dropped, and zero.
    pub(crate) fn is_storable(self, dtype: DType) -> bool {
        match self {
            ValueRange::Bits { min, max, dropped } => {
                usize::from(dropped) < dtype.size() && dropped < 7 && (min | max) & ((1 << (8 * dropped)) - 1) == 0
            }
            _ => true,
        }
    }
}

impl ChunkEntry {
    /// Whether the chunk was lost before the file was recovered.
    pub fn is_missing(&self) -> bool {
        self.length == 0
    }
}

/// A nonnegative f32, rounded up to 16 bits: eight of exponent, eight of mantissa.
fn put_error(out: &mut Vec<u8>, error: f32) {
    let short = (error.to_bits() + 0x7fff) >> 15;
    out.extend_from_slice(&(short as u16).to_le_bytes());
}

fn read_error(c: &mut Cursor<'_>) -> Result<f32, Error> {
    let at = c.offset();
    let error = f32::from_bits((c.uint(2)? as u32) << 15);
    if error.is_nan() || error.is_sign_negative() {
        return corrupt(Defect::AchievedError, at);
    }
    Ok(error)
}

/// Appends a table; `lengths` are left out for a chunk inside its record. Entries have ranges of one precision.
pub(crate) fn put_table(out: &mut Vec<u8>, dtype: DType, entries: &[ChunkEntry], lengths: bool, with_crc: bool) {
    let present = || entries.iter().filter(|e| !e.is_missing());
    let first = present().next().cloned().unwrap_or_default();
    let one_base = present().all(|e| e.base == first.base);
    let errors = present().all(|e| e.max_error.is_some());
    let one_error = present().all(|e| e.max_error == first.max_error);
    let ranges = present().all(|e| e.range != ValueRange::Unknown);
    let with_crc = with_crc && present().all(|e| e.crc.is_some());
    let dropped = first.range.dropped();
    let mut flags = if ranges { 7 - dropped } else { 0 };
    for (bit, set) in [
        (HAS_CRC, with_crc),
        (HAS_ERROR, errors),
        (ONE_BASE, one_base),
        (INCOMPLETE, entries.iter().any(ChunkEntry::is_missing)),
        (ONE_ERROR, errors && one_error),
    ] {
        flags |= if set { bit } else { 0 };
    }
    out.push(flags);
    if lengths {
        entries.iter().for_each(|e| put_varint(out, e.length));
    }
    if one_base {
        out.push(first.base);
    } else {
        out.extend(present().map(|e| e.base));
    }
    if with_crc {
        present().for_each(|e| put_u32(out, e.crc.unwrap_or_default()));
    }
    if errors && one_error {
        put_error(out, first.max_error.unwrap_or_default());
    } else if errors {
        present().for_each(|e| put_error(out, e.max_error.unwrap_or_default()));
    }
    if ranges {
        for e in present() {
            let (min, max) = match e.range {
                ValueRange::Bits { min, max, .. } => (min, max),
                _ => no_values(dtype),
            };
            for end in [min, max] {
                put_uint(out, end >> (8 * dropped), dtype.size() - usize::from(dropped));
            }
        }
    }
}

/// Reads the table of a segment of `chunks` chunks. A segment of no chunks has no table: not even flags. Where the
/// `lengths` are left out, the one chunk is taken as present and its length is for the caller to set.
pub(crate) fn read_table(
    c: &mut Cursor<'_>,
    dtype: DType,
    chunks: u64,
    lengths: bool,
) -> Result<Vec<ChunkEntry>, Error> {
    if chunks == 0 {
        return Ok(vec![]);
    }
    let at = c.offset();
    let flags = c.u8()?;
    // Every chunk takes at least one byte of its table, so a lying count cannot make this allocate more than the file.
    if chunks > c.remaining() as u64 {
        return Err(Error::Truncated { what: "chunk table", need: chunks, have: c.remaining() as u64 });
    }
    let mut entries = vec![ChunkEntry { length: 1, ..ChunkEntry::default() }; chunks as usize];
    for e in entries.iter_mut().filter(|_| lengths) {
        let at = c.offset();
        e.length = c.varint()?;
        if e.is_missing() && flags & INCOMPLETE == 0 {
            return corrupt(Defect::MissingChunk, at);
        }
    }
    let mut present: Vec<&mut ChunkEntry> = entries.iter_mut().filter(|e| !e.is_missing()).collect();
    if flags & ONE_BASE != 0 {
        let base = c.u8()?;
        present.iter_mut().for_each(|e| e.base = base);
    } else {
        for e in &mut present {
            e.base = c.u8()?;
        }
    }
    if flags & HAS_CRC != 0 {
        for e in &mut present {
            e.crc = Some(c.u32()?);
        }
    }
    if flags & HAS_ERROR == 0 && flags & ONE_ERROR != 0 {
        return corrupt(Defect::ReservedBits { of: "chunk table", bits: ONE_ERROR }, at);
    }
    if flags & ONE_ERROR != 0 {
        let error = read_error(c)?;
        present.iter_mut().for_each(|e| e.max_error = Some(error));
    } else if flags & HAS_ERROR != 0 {
        for e in &mut present {
            e.max_error = Some(read_error(c)?);
        }
    }
    if flags & RANGES != 0 {
        let dropped = 7 - (flags & RANGES);
        if usize::from(dropped) >= dtype.size() {
            return corrupt(Defect::ValueRange, at);
        }
        for e in &mut present {
            e.range = read_range(c, dtype, dropped)?;
        }
    }
    Ok(entries)
}

fn read_range(c: &mut Cursor<'_>, dtype: DType, dropped: u8) -> Result<ValueRange, Error> {
    let at = c.offset();
    let kept = dtype.size() - usize::from(dropped);
    let mut end = || Ok::<u64, Error>(c.uint(kept)? << (8 * dropped));
    let (min, max) = (end()?, end()?);
    if (min, max) == no_values(dtype) {
        return Ok(ValueRange::Empty);
    }
    match (order_key(dtype, min), order_key(dtype, max)) {
        (Some(a), Some(b)) if a <= b => Ok(ValueRange::Bits { min, max, dropped }),
        _ => corrupt(Defect::ValueRange, at),
    }
}

/// The bits of (1, 0): no range has its minimum above its maximum.
pub(crate) fn no_values(dtype: DType) -> (u64, u64) {
    match dtype {
        DType::F16 => (0x3c00, 0),
        DType::F32 => (0x3f80_0000, 0),
        DType::F64 => (0x3ff0_0000_0000_0000, 0),
        _ => (1, 0),
    }
}

/// An integer that orders finite values of a dtype as the values are; `None` for NaN and infinities.
pub(crate) fn order_key(dtype: DType, bits: u64) -> Option<i128> {
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

    #[test]
    fn errors_are_rounded_up_to_sixteen_bits() {
        for e in [0.0, 1.0, 0.1, 1e-40, 3.3e-7, f32::MAX, f32::INFINITY] {
            let mut out = vec![];
            put_error(&mut out, e);
            let read = read_error(&mut Cursor::new(&out, 0, "error")).unwrap();
            assert!(read >= e && (e < 1e-30 || read <= e * 1.004 || read.is_infinite()), "{e} {read}");
        }
        assert!(read_error(&mut Cursor::new(&[0x01, 0xff], 0, "error")).is_err());
    }
}
