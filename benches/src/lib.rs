//! What the benchmarks of scicodec share.
//!
//! Results are kept in `benches/results/`, each with the command, the machine and the versions that made it.
pub mod baseline;
pub mod field;
pub mod hot;
pub mod machine;
pub mod networks;
pub mod peers;
pub mod pipeline;
pub mod synthetic;

/// Benchmarks stop at the first thing that goes wrong.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
