//! What encoding, testing and recovering tell.
use crate::check::Reached;
use crate::{ChunkBound, DType, ErrorBound};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What encoding a variable, or an extension of one, came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VariableReport {
    /// Its name.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Extents of what was encoded, slowest axis first.
    pub shape: Vec<u64>,
    /// Extents of a chunk.
    pub chunk_shape: Vec<u64>,
    /// Number of chunks.
    pub chunks: u64,
    /// The bound that was asked.
    pub error_bound: ErrorBound,
    /// The bound that each chunk keeps, or of a mean error that all keep together.
    pub chunk_bound: ChunkBound,
    /// Bytes of the values.
    pub raw_bytes: u64,
    /// Bytes of the payloads.
    pub compressed_bytes: u64,
    /// max |x - x̂| over finite, unmasked values.
    pub max_error: f64,
    /// max |x - x̂| / |x| over finite, unmasked, nonzero values.
    pub max_pw_rel_error: f64,
    /// Root of the mean of (x - x̂)² over finite, unmasked values.
    pub rmse: f64,
    /// Number of finite, unmasked values.
    pub valid: u64,
    /// How many chunks each base was chosen for.
    pub bases: BTreeMap<&'static str, u64>,
    /// How many chunks were coded beside others.
    pub conditioned: u64,
    /// Σ (x - x̂)².
    pub(crate) squares: f64,
}

impl Default for VariableReport {
    fn default() -> Self {
        VariableReport {
            name: String::new(),
            dtype: DType::F32,
            shape: vec![],
            chunk_shape: vec![],
            chunks: 0,
            error_bound: ErrorBound { kind: crate::BoundKind::Lossless, value: 0.0 },
            chunk_bound: ChunkBound::Lossless,
            raw_bytes: 0,
            compressed_bytes: 0,
            max_error: 0.0,
            max_pw_rel_error: 0.0,
            rmse: 0.0,
            valid: 0,
            bases: BTreeMap::new(),
            conditioned: 0,
            squares: 0.0,
        }
    }
}

impl VariableReport {
    pub(crate) fn add(&mut self, base: &'static str, bytes: u64, reached: &Reached, conditioned: bool) {
        self.conditioned += u64::from(conditioned);
        self.compressed_bytes += bytes;
        *self.bases.entry(base).or_default() += 1;
        self.max_error = self.max_error.max(reached.max_error);
        self.max_pw_rel_error = self.max_pw_rel_error.max(reached.max_pw_rel);
        self.squares += reached.squares;
        self.valid += reached.valid;
        self.rmse = if self.valid == 0 { 0.0 } else { (self.squares / self.valid as f64).sqrt() };
    }
}

/// What a finished file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes, everything included.
    pub length: u64,
}

/// What a test of a file came to: every checksum was right and every chunk decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestReport {
    /// Variables.
    pub variables: u64,
    /// Chunks that were decoded.
    pub chunks: u64,
    /// Chunks that were lost before the file was recovered.
    pub missing: u64,
    /// Bytes that they decode to.
    pub raw_bytes: u64,
}
