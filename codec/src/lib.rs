//! scicodec: a learned, error-bounded compressor for gridded scientific fields.
//!
//! [`Encoder`] writes variables to a file, [`Reader`] reads them back, whole or by [`Region`]. Shapes are slowest axis
//! first, elements are bytes in C order and the machine's byte order. What a bound guarantees is said by [`BoundKind`].
//!
//! ```
//! use scicodec::{BoundKind, DType, EncodeOptions, ErrorBound, Reader, Region, SliceSource, VariableMeta};
//!
//! let field: Vec<f32> = (0..600).map(|i| (i as f32 * 0.01).sin()).collect();
//! let source = SliceSource::new(DType::F32, &[20, 30], bytemuck::cast_slice(&field))?;
//! let options = EncodeOptions::new(ErrorBound { kind: BoundKind::Abs, value: 1e-3 });
//! let file = scicodec::encode_to_vec(&VariableMeta::default(), &source, &options)?;
//!
//! let reader = Reader::from_bytes(file)?;
//! let corner = reader.decode_region(0, &Region::parse("0:2,0:3", &[20, 30])?, 1)?;
//! let corner: Vec<f32> = bytemuck::pod_collect_to_vec(&corner);
//! assert!((corner[5] - field[32]).abs() <= 1e-3);
//! # Ok::<(), scicodec::Error>(())
//! ```
mod ancestors;
mod apart;
mod background;
mod background_place;
pub mod base;
mod boxes;
mod bytes;
mod canvas;
mod check;
mod chunk;
mod contest;
mod decode;
mod element;
mod elements;
mod encode;
mod ends;
pub mod entropy;
mod error;
mod error_bound;
mod fast;
mod fast_search;
mod grid;
mod lattice;
pub mod learned;
mod logarithm;
mod mask;
mod mask_mixture;
mod metrics;
pub mod network;
mod numbered;
mod numbering;
mod options;
mod ordered;
mod parents;
mod part;
mod plan;
mod polish;
mod prepare;
mod recover;
mod reference;
mod region;
mod remembered;
mod report;
mod scout;
mod scratch;
mod select;
mod select_beside;
mod select_fit;
mod select_left_out;
mod select_near;
mod select_parts;
mod select_start;
mod select_target;
mod select_trials;
mod session;
mod shares;
mod simd;
mod source;
mod store;

pub use boxes::{AUTO_CHUNK_VALUES, AUTO_SLAB_BYTES, auto_chunk};
pub use chunk::{
    ChunkBound, ChunkRequest, ChunkStats, DecodedChunk, Effort, EncodedChunk, decode_chunk, decode_chunk_beside,
    decode_chunk_with, encode_chunk, encode_chunk_beside, learned_states,
};
pub use decode::{ChunkInfo, FileModel, Reader, Variable};
pub use elements::numbers;
pub use encode::{Encoder, Overwrite, encode_to_vec};
pub use error::Error;
pub use error_bound::validate_bound;
pub use learned::LoadedModel;
pub use metrics::{ArrayRef, Metrics, SSIM_WINDOW, compare};
pub use options::{ChunkShape, ConditionOn, EncodeOptions, Fill, ModelChoice, Progress, VariableMeta};
pub use plan::base_name;
pub use recover::{RecoverReport, RecoveredVariable, recover, recover_to};
pub use reference::Reference;
pub use region::Region;
pub use report::{FileReport, TestReport, VariableReport};
pub use scicodec_format as format;
pub use scicodec_format::{BoundKind, ChunkRef, DType, ErrorBound, Limits};
pub use source::{SliceSource, Source};
pub use store::{MODELS_VARIABLE, Models, models_folder};
