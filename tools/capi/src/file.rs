//! What the handles of the C interface hold.
use crate::status::c_text;
use scicodec::{EncodeOptions, Reader, VariableMeta};
use std::ffi::CString;

/// How to encode.
pub struct Options {
    pub(crate) encode: EncodeOptions,
    pub(crate) meta: VariableMeta,
}

/// An opened file.
pub struct File {
    pub(crate) reader: Reader,
    pub(crate) texts: Vec<Texts>,
}

/// The texts of a variable, as C wants them.
pub(crate) struct Texts {
    pub name: CString,
    pub units: CString,
    pub bound: CString,
    pub attributes: Vec<(CString, CString)>,
    pub dimensions: Vec<CString>,
}

impl File {
    pub(crate) fn new(reader: Reader) -> File {
        let texts = reader.variables().iter().map(|v| Texts {
            name: c_text(&v.name),
            units: c_text(&v.units),
            bound: c_text(&v.bound.to_string()),
            attributes: v.attributes.iter().map(|(name, value)| (c_text(name), c_text(value))).collect(),
            dimensions: v.dimensions.iter().map(|d| c_text(d)).collect(),
        });
        let texts = texts.collect();
        File { reader, texts }
    }
}
