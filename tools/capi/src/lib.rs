//! libscicodec: the library for C. Its documentation is the header, `include/scicodec.h`, made from `ffi.rs` by cbindgen.
//!
//! `ffi` is the boundary, with all `unsafe` of this crate; `file` and `status` are what lies behind it.
mod ffi;
mod file;
mod status;

pub use ffi::*;
pub use file::{File, Options};
pub use status::Status;
