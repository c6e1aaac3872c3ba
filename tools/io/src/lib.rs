//! Readers and writers of scientific array files for scicodec.
//!
//! [`open`] gives a [`Dataset`]: named fields, each behind a [`scicodec::Source`] that reads any box of the array in C
//! order and the machine's byte order, whatever the order of axes and bytes in the file. Data are read by position, a box
//! at a time: an array of any size is read in the memory of one box.
//!
//! Shapes are slowest axis first everywhere, as in numpy, HDF5, Zarr and netCDF.
//!
//! | format | read | write |
//! |---|---|---|
//! | `.npy` versions 1–3, both byte orders, C and Fortran order | yes | version 1, little-endian, C order |
//! | raw elements | yes, with [`RawLayout`] | little-endian, C order |
//! | `.scz` | yes, decoded chunk by chunk | by `scicodec::Encoder` |
mod array_file;
mod dataset;
mod error;
mod npy;
mod npy_header;
mod output;
mod positioned;
mod raw;
mod scz;
mod spool;

pub use array_file::{ArrayFile, ByteOrder, Layout, Order};
pub use dataset::{Dataset, Field, Format, open, open_stdin};
pub use error::Error;
pub use output::{ArrayFormat, ArrayWriter, OutputFile, Overwrite};
pub use raw::{RawLayout, RawType};

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
