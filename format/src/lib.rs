//! Bytes ⇄ typed structures of the `.scz` container and of its chunk payloads. See `SPEC.md`.
mod types;
pub use types::{BoundKind, DType, ErrorBound};
