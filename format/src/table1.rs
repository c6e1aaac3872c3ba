//! The chunk table of format version 1 (SPEC §6.9), which is only read.
use crate::cursor::Cursor;
use crate::table::{ChunkEntry, no_values, order_key};
use crate::{DType, Defect, Error, ValueRange, error::corrupt};

const HAS_CRC: u8 = 1;
const HAS_ERROR: u8 = 2;
const HAS_RANGE: u8 = 4;
const ONE_BASE: u8 = 8;
const INCOMPLETE: u8 = 16;
const ONE_ERROR: u8 = 32;
const RESERVED: u8 = 64;

/// Reads the table of a segment of `chunks` chunks. A segment of no chunks has no table: not even flags.
pub(crate) fn read_table_1(c: &mut Cursor<'_>, dtype: DType, chunks: u64) -> Result<Vec<ChunkEntry>, Error> {
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
        (Some(a), Some(b)) if a <= b => Ok(ValueRange::Bits { min, max, dropped: 0 }),
        _ => corrupt(Defect::ValueRange, at),
    }
}
