//! Bytes ⇄ typed structures of the `.scz` container and of its chunk payloads. See `SPEC.md` §5 and §6.
//!
//! A [`Payload`] is one chunk with a self-describing header: it can be stored anywhere. A [`Container`] is a thin file
//! format around payloads, written front to back by a [`Writer`] and read through a memory map. This crate knows nothing
//! of how a chunk's values are coded.
//!
//! Everything read is validated before it is used: a file that lies gets an [`Error`] that says how and where. Results
//! depend on the bytes alone. There are no threads and no arithmetic on floating-point numbers here.
//!
//! | format version | first reader | first writer | what changed |
//! |---|---|---|---|
//! | 1 | 0.1.0 | none | first version |
//! | 2 | 0.1.0 | 0.1.0 | small chunks inside their records, or without padding and repeated fields |
mod bound;
mod container;
mod cursor;
mod defect;
mod error;
mod index;
mod limits;
mod map;
mod payload;
mod record;
mod recover;
mod reference;
mod shape;
mod table;
mod table1;
mod types;
mod writer;

pub use container::Container;
pub use defect::Defect;
pub use error::Error;
pub use index::{ALIGNMENT, Chunk, ChunkForm, EmbeddedModel, FORMAT_VERSION, HEAD_MAGIC, SMALL, Segment, Variable};
pub use limits::Limits;
pub use payload::{EncodedPayload, PAYLOAD_MAGIC, PAYLOAD_VERSION, Payload, PayloadHeader};
pub use record::{ExtensionRecord, VariableRecord};
pub use recover::{Recovered, RecoveredVariable, recover};
pub use reference::{CONDITIONED, ChunkRef, MAX_DEPTH, MAX_REFERENCES, is_conditioned};
pub use shape::{BoxRegion, Grid, MAX_RANK, byte_count, element_count};
pub use table::{ChunkEntry, ValueRange};
pub use types::{BoundKind, DType, ErrorBound};
pub use writer::{ChunkFacts, Writer};
