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
//! | netCDF-3 (classic, 64-bit offset, 64-bit data) | yes | yes |
//! | netCDF-4 and HDF5 | yes | netCDF-4 |
//! | Zarr 2 and 3 | yes | yes |
//!
//! netCDF and HDF5 need the feature `netcdf`, Zarr the feature `zarr`; both are on by default. Text, groups and types of
//! attributes are kept in a `.scz` file as [`conventions`] says.
mod array_file;
mod attribute;
#[cfg(any(feature = "netcdf", feature = "zarr"))]
mod bands;
#[cfg(any(feature = "netcdf", feature = "zarr"))]
mod cached;
pub mod cf;
pub mod conventions;
mod dataset;
mod dataset_file;
mod error;
#[cfg(feature = "netcdf")]
mod hdf5;
#[cfg(feature = "netcdf")]
mod hdf5_axes;
#[cfg(feature = "netcdf")]
mod hdf5_source;
#[cfg(any(feature = "netcdf", feature = "zarr"))]
mod layout;
#[cfg(feature = "netcdf")]
mod netcdf3;
#[cfg(feature = "netcdf")]
mod netcdf3_write;
#[cfg(feature = "netcdf")]
mod netcdf4_write;
mod npy;
mod npy_header;
mod output;
mod positioned;
mod raw;
mod scz;
mod spool;
#[cfg(any(feature = "netcdf", feature = "zarr"))]
mod strings;
#[cfg(feature = "zarr")]
mod zarr;
#[cfg(feature = "zarr")]
mod zarr_blosc;
#[cfg(feature = "zarr")]
mod zarr_write;

pub use array_file::{ArrayFile, ByteOrder, Layout, Order};
pub use attribute::{Attribute, Value};
pub use dataset::{Dataset, DimensionInfo, Field, Format, Group, LeftOut, open, open_stdin};
pub use dataset_file::{DatasetFile, DatasetFormat};
pub use error::Error;
pub use output::{ArrayFormat, ArrayWriter, OutputFile, Overwrite};
pub use raw::{RawLayout, RawType};
pub use scz::decoded;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
