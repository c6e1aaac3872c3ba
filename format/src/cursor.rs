//! Bounded reading of small fields, and the writing of varints.
use crate::{Defect, Error, error::corrupt};
use byteorder::{ByteOrder, LittleEndian};

/// A position in bytes that it never leaves.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Offset of `bytes[0]` in what the caller calls a file: only for error messages.
    base: u64,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], base: u64, what: &'static str) -> Self {
        Cursor { bytes, at: 0, base, what }
    }

    /// Offset in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.base.saturating_add(self.at as u64)
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(n).filter(|&e| e <= self.bytes.len());
        let Some(end) = end else {
            let need = (self.at as u64).saturating_add(n as u64);
            return Err(Error::Truncated { what: self.what, need, have: self.bytes.len() as u64 });
        };
        let out = &self.bytes[self.at..end];
        self.at = end;
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        Ok(LittleEndian::read_u32(self.take(4)?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        Ok(LittleEndian::read_u64(self.take(8)?))
    }

    /// An unsigned integer of `size` bytes (1, 2, 4 or 8).
    pub(crate) fn uint(&mut self, size: usize) -> Result<u64, Error> {
        Ok(LittleEndian::read_uint(self.take(size)?, size))
    }

    /// LEB128 in its shortest form, at most 64 bits.
    pub(crate) fn varint(&mut self) -> Result<u64, Error> {
        let start = self.offset();
        let mut value = 0u64;
        for i in 0..10 {
            let byte = self.u8()?;
            if i == 9 && byte > 1 || i > 0 && byte == 0 {
                return corrupt(Defect::Varint, start);
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        corrupt(Defect::Varint, start)
    }

    /// A varint that counts bytes still to come: never more than there are.
    pub(crate) fn length(&mut self) -> Result<usize, Error> {
        let n = self.varint()?;
        let have = self.remaining() as u64;
        if n > have {
            return Err(Error::Truncated { what: self.what, need: n, have });
        }
        Ok(n as usize)
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<String, Error> {
        let n = self.length()?;
        let at = self.offset();
        match std::str::from_utf8(self.take(n)?) {
            Ok(s) => Ok(s.to_owned()),
            Err(_) => corrupt(Defect::Text(what), at),
        }
    }

    /// A flags byte: reserved bits must be zero, the rest is returned.
    pub(crate) fn flags(&mut self, of: &'static str, reserved: u8) -> Result<u8, Error> {
        let at = self.offset();
        let byte = self.u8()?;
        if byte & reserved != 0 {
            return corrupt(Defect::ReservedBits { of, bits: byte & reserved }, at);
        }
        Ok(byte)
    }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

pub(crate) fn put_u32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_le_bytes());
}

/// The low `size` bytes of `v`.
pub(crate) fn put_uint(out: &mut Vec<u8>, v: u64, size: usize) {
    out.extend_from_slice(&v.to_le_bytes()[..size]);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_of_varints() {
        for v in [0, 1, 127, 128, 16383, 16384, u64::MAX - 1, u64::MAX] {
            let mut out = vec![];
            put_varint(&mut out, v);
            assert_eq!(Cursor::new(&out, 0, "varint").varint().unwrap(), v);
        }
    }

    #[test]
    fn varints_that_are_long_or_overflow_are_rejected() {
        let over = [0xff; 10];
        for bytes in [&[0x80, 0x00][..], &over, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]] {
            assert!(Cursor::new(bytes, 0, "varint").varint().is_err());
        }
    }
}
