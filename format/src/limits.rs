//! What a reader is willing to do for a file that it has not seen before.

/// Ceilings that hold before anything is allocated or decoded (SPEC §6.8).
///
/// The defaults let every file of this crate's own writer through, and keep a lying file from asking for more memory
/// than its own size explains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Variables in a file.
    pub variables: u64,
    /// Chunks in a file, all variables together.
    pub chunks: u64,
    /// Models in a file.
    pub models: u64,
    /// Bytes of one record: of a variable, an extension or a model.
    pub record_bytes: u64,
    /// Bytes of one chunk, decoded.
    pub chunk_bytes: u64,
    /// Bytes that one call may decode into memory.
    pub decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            variables: 1 << 16,
            chunks: 1 << 24,
            models: 1 << 10,
            record_bytes: 1 << 24,
            chunk_bytes: 1 << 28,
            decoded_bytes: 1 << 36,
        }
    }
}
