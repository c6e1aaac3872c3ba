//! scicodec as an HDF5 filter: a plugin that libhdf5 finds through `HDF5_PLUGIN_PATH`, so that every program that reads and
//! writes HDF5 or netCDF-4 files reads and writes compressed datasets.
//!
//! A chunk is stored as a whole `.scz` file of one nameless variable (SPEC §10): decoding needs no parameters. Encoding takes
//! [`Parameters`] from whoever creates the dataset, and what libhdf5 knows of the dataset, its [`Layout`], from libhdf5:
//! the plugin finds the libhdf5 that calls it at run time and is linked to none.
//!
//! Chunk shapes are slowest axis first. One thread per call. No call panics into libhdf5 and none aborts: what goes wrong is
//! put on HDF5's error stack.
mod chunk;
#[cfg(unix)]
mod ffi;
mod layout;
mod parameters;

pub use chunk::{Decoder, encode};
pub use layout::Layout;
pub use parameters::Parameters;

/// Number of the filter. Provisional: it is in the range that The HDF Group leaves to private use (32768 to 65535) until
/// a number is registered; this one will be decoded for ever.
pub const FILTER_ID: u16 = 42434;
