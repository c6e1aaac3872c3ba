//! The first error that reading a whole file meets.
use scicodec::{Error, Reader};

/// Opens a file and decodes all of its variables; `None` where all goes well.
pub fn first_error(bytes: &[u8]) -> Option<Error> {
    let reader = match Reader::from_bytes(bytes.to_vec()) {
        Ok(reader) => reader,
        Err(e) => return Some(e),
    };
    (0..reader.variables().len()).find_map(|i| reader.decode(i, 1).err())
}

/// The name of an error's variant: who is at fault.
pub fn variant(e: &Error) -> &'static str {
    use scicodec::format::Error as F;
    match e {
        Error::Container(F::Corrupt { .. }) | Error::Corrupt { .. } => "Corrupt",
        Error::Container(F::Torn) => "Torn",
        Error::Truncated { .. } => "Truncated",
        Error::MissingChunk { .. } => "MissingChunk",
        Error::MissingReference { .. } => "MissingReference",
        Error::Limit { .. } => "Limit",
        Error::Unsupported { .. } => "Unsupported",
        Error::ModelMissing { .. } => "ModelMissing",
        Error::InvalidArgument(_) => "InvalidArgument",
        _ => "Other",
    }
}
