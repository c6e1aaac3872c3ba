//! Which other chunks a chunk cannot be decoded without (SPEC §6.12).
use crate::cursor::{Cursor, put_varint};
use crate::{Defect, Error, error::corrupt};

/// Added to the code of the base of a chunk that needs others: its body begins with which these are.
pub const CONDITIONED: u8 = 32;
/// Chunks that one may refer to.
pub const MAX_REFERENCES: usize = 3;
/// The longest chain of chunks that must be decoded before one.
pub const MAX_DEPTH: u8 = 8;

/// A chunk of the same file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkRef {
    /// Ordinal of the variable.
    pub variable: u64,
    /// Ordinal of the chunk in the variable, through all segments.
    pub chunk: u64,
}

/// Whether a base of this code needs other chunks.
pub fn is_conditioned(base: u8) -> bool {
    base & !(CONDITIONED - 1) == CONDITIONED
}

/// Says of what `own` refers to whether it can: `InvalidArgument` if not.
pub(crate) fn check_references(own: ChunkRef, all: &[ChunkRef]) -> Result<(), Error> {
    let mut bytes = vec![];
    put_references(&mut bytes, own, all);
    match read_references(&mut Cursor::new(&bytes, 0, "references"), own) {
        Ok(read) if read == all => Ok(()),
        _ => Err(Error::InvalidArgument(format!("{all:?} as references of {own:?}"))),
    }
}

/// Appends what `own` refers to.
pub(crate) fn put_references(out: &mut Vec<u8>, own: ChunkRef, all: &[ChunkRef]) {
    out.push(all.len() as u8);
    for other in all {
        put_varint(out, own.variable.wrapping_sub(other.variable));
        if own.variable == other.variable {
            put_varint(out, own.chunk.wrapping_sub(other.chunk));
        }
    }
}

/// Reads what `put_references` wrote for `own`.
pub(crate) fn read_references(c: &mut Cursor<'_>, own: ChunkRef) -> Result<Vec<ChunkRef>, Error> {
    let at = c.offset();
    let count = usize::from(c.u8()?);
    if count == 0 || count > MAX_REFERENCES {
        return corrupt(Defect::Reference("are none, or too many"), at);
    }
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let at = c.offset();
        let Some(variable) = own.variable.checked_sub(c.varint()?) else {
            return corrupt(Defect::Reference("name a variable before the first"), at);
        };
        let mut chunk = own.chunk;
        if variable == own.variable {
            let back = c.varint()?;
            let Some(earlier) = chunk.checked_sub(back).filter(|_| back > 0) else {
                return corrupt(Defect::Reference("name a chunk that is not before"), at);
            };
            chunk = earlier;
        }
        let one = ChunkRef { variable, chunk };
        if all.contains(&one) {
            return corrupt(Defect::Reference("name one twice"), at);
        }
        all.push(one);
    }
    Ok(all)
}
