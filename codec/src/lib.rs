//! scicodec: a learned, error-bounded compressor for gridded floating-point fields.
pub mod base;
mod bytes;
mod chunk;
mod elements;
pub mod entropy;
mod error;
mod lattice;
mod logarithm;
mod mask;
mod plan;
mod prepare;
mod select;

pub use chunk::{ChunkBound, ChunkRequest, ChunkStats, DecodedChunk, Effort, EncodedChunk, decode_chunk, encode_chunk};
pub use error::Error;
pub use plan::base_name;
pub use scicodec_format::{BoundKind, DType, ErrorBound};
