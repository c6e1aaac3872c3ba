//! Raw elements: no header, so the caller says what they are.
use crate::{ByteOrder, Error, Layout, Order};
use scicodec::DType;
use std::{fmt, str::FromStr};

/// An element type with its byte order, written like `f32le`, `i16be` or `u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawType {
    /// Element type.
    pub dtype: DType,
    /// The order of an element's bytes.
    pub bytes: ByteOrder,
}

/// The short name of a type: `f32`, `u16`, ...
fn short_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F16 => "f16",
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::I8 => "i8",
        DType::I16 => "i16",
        DType::I32 => "i32",
        DType::I64 => "i64",
        DType::U8 => "u8",
        DType::U16 => "u16",
        DType::U32 => "u32",
        DType::U64 => "u64",
    }
}

impl FromStr for RawType {
    type Err = String;

    fn from_str(s: &str) -> Result<RawType, String> {
        let (name, bytes) = match (s.strip_suffix("le"), s.strip_suffix("be")) {
            (Some(name), _) => (name, Some(ByteOrder::Little)),
            (_, Some(name)) => (name, Some(ByteOrder::Big)),
            _ => (s, None),
        };
        let found = DType::ALL.into_iter().find(|&d| short_name(d) == name);
        match (found, bytes) {
            (Some(dtype), Some(bytes)) => Ok(RawType { dtype, bytes }),
            (Some(dtype), None) if dtype.size() == 1 => Ok(RawType { dtype, bytes: ByteOrder::Little }),
            (Some(_), None) => Err(format!("say the byte order too: {s}le or {s}be")),
            (None, _) => Err("expected f16, f32, f64, i8 … i64 or u8 … u64, followed by le or be".into()),
        }
    }
}

impl fmt::Display for RawType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match (self.dtype.size(), self.bytes) {
            (1, _) => "",
            (_, ByteOrder::Little) => "le",
            (_, ByteOrder::Big) => "be",
        };
        write!(f, "{}{suffix}", short_name(self.dtype))
    }
}

/// What a file of raw elements holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLayout {
    /// Type and byte order of the elements.
    pub element: RawType,
    /// Extents, slowest axis first.
    pub shape: Vec<u64>,
}

impl RawLayout {
    /// The layout of a file with nothing but these elements; the file must have exactly their size.
    pub(crate) fn in_file_of(&self, file_bytes: u64) -> Result<Layout, Error> {
        let RawType { dtype, bytes } = self.element;
        let layout = Layout { dtype, shape: self.shape.clone(), order: Order::C, bytes, offset: 0 };
        let need = layout.data_bytes()?;
        if need != file_bytes {
            return Err(Error::InvalidArgument(format!(
                "shape {:?} of {} is {need} bytes, the file has {file_bytes}",
                self.shape, self.element
            )));
        }
        Ok(layout)
    }
}
