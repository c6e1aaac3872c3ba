//! Small readers and writers for the parameters at the head of a chunk's body (SPEC §4).
use crate::Error;

/// Appends an unsigned LEB128 integer.
pub fn put_varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 128 {
        out.push(v as u8 | 128);
        v >>= 7;
    }
    out.push(v as u8);
}

/// The largest number not above `v` that `put_step` can hold; `v` is positive.
pub fn storable(v: f64) -> f64 {
    f64::from_bits(v.to_bits() >> 40 << 40)
}

/// Appends a positive number's exponent and the first 12 bits of its mantissa, in 3 bytes.
pub fn put_step(out: &mut Vec<u8>, v: f64) {
    out.extend_from_slice(&((v.to_bits() >> 40) as u32).to_le_bytes()[..3]);
}

/// Appends a float as 4 bytes if binary32 holds it, else as 8; a byte before them says how many.
pub fn put_float(out: &mut Vec<u8>, v: f64) {
    let short = v as f32;
    if f64::from(short).to_bits() == v.to_bits() {
        out.push(4);
        out.extend_from_slice(&short.to_le_bytes());
    } else {
        out.push(8);
        out.extend_from_slice(&v.to_le_bytes());
    }
}

/// Reads what the functions above wrote.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    fn short() -> Error {
        Error::Corrupt { what: "the parameters of a chunk end early".into(), section: "4" }
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(Self::short)?;
        self.0 = tail;
        Ok(head)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned LEB128 integer below 2^63.
    pub fn varint(&mut self) -> Result<u64, Error> {
        let mut v = 0u64;
        for shift in (0..63).step_by(7) {
            let b = self.byte()?;
            v |= u64::from(b & 127) << shift;
            if b < 128 {
                return Ok(v);
            }
        }
        Err(Error::Corrupt { what: "an integer of more than 63 bits".into(), section: "1" })
    }

    /// A positive, finite number in 3 bytes.
    pub fn step(&mut self) -> Result<f64, Error> {
        let b = self.take(3)?;
        let v = f64::from_bits(u64::from(u32::from_le_bytes([b[0], b[1], b[2], 0])) << 40);
        if v.is_normal() && v > 0.0 {
            return Ok(v);
        }
        Err(Error::Corrupt { what: format!("a step of {v}, expected a positive number"), section: "4" })
    }

    /// A float in 4 or 8 bytes.
    pub fn float(&mut self) -> Result<f64, Error> {
        match self.byte()? {
            4 => {
                let b = self.take(4)?;
                Ok(f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            }
            8 => {
                let b = self.take(8)?;
                Ok(f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
            }
            n => Err(Error::Corrupt { what: format!("a float of {n} bytes, expected 4 or 8"), section: "1" }),
        }
    }
}
