//! Bounded reading of the fields of a model file, and their writing (SPEC §1, §9.1).
use super::error::{Refusal, wrong};
use super::graph::Span;

/// Bytes that are left to read.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, n: u64) -> Result<&'a [u8], Refusal> {
        let split = usize::try_from(n).ok().and_then(|n| self.0.split_at_checked(n));
        let Some((head, tail)) = split else {
            return Err(Refusal::Truncated { what: "a model", need: n, have: self.0.len() as u64 });
        };
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64)?);
        Ok(out)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn bytes3(&mut self) -> Result<[u8; 3], Refusal> {
        self.array()
    }

    pub(super) fn tag(&mut self) -> Result<[u8; 4], Refusal> {
        self.array()
    }

    pub(super) fn i16(&mut self) -> Result<i16, Refusal> {
        Ok(i16::from_le_bytes(self.array()?))
    }

    pub(super) fn span(&mut self) -> Result<Span, Refusal> {
        Ok(Span { low: self.i16()?, high: self.i16()? })
    }

    /// LEB128 in its shortest form.
    pub(super) fn varint(&mut self) -> Result<u64, Refusal> {
        let mut value = 0u64;
        for i in 0..10 {
            let byte = self.byte()?;
            if i == 9 && byte > 1 || i > 0 && byte == 0 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        wrong("1", "a varint that is too long")
    }

    /// A number of things of which each takes a byte or more: never more than there are bytes left.
    pub(super) fn count(&mut self) -> Result<usize, Refusal> {
        let n = self.varint()?;
        let have = self.0.len() as u64;
        if n > have {
            return Err(Refusal::Truncated { what: "a model", need: n, have });
        }
        Ok(n as usize)
    }

    pub(super) fn text(&mut self) -> Result<String, Refusal> {
        let n = self.count()?;
        match std::str::from_utf8(self.take(n as u64)?) {
            Ok(s) => Ok(s.to_owned()),
            Err(_) => wrong("1", "a name that is not UTF-8"),
        }
    }

    pub(super) fn i8s(&mut self, n: u64) -> Result<Vec<i16>, Refusal> {
        Ok(self.take(n)?.iter().map(|b| i16::from(*b as i8)).collect())
    }

    pub(super) fn i16s(&mut self, n: u64) -> Result<Vec<i16>, Refusal> {
        let bytes = self.take(n.saturating_mul(2))?;
        Ok(bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
    }

    pub(super) fn i32s(&mut self, n: u64) -> Result<Vec<i32>, Refusal> {
        let bytes = self.take(n.saturating_mul(4))?;
        Ok(bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}

pub(super) fn put_span(out: &mut Vec<u8>, s: Span) {
    out.extend(s.low.to_le_bytes());
    out.extend(s.high.to_le_bytes());
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    crate::bytes::put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
