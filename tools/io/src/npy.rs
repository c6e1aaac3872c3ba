//! The npy format, versions 1 to 3 (numpy's `numpy.lib.format`).
use crate::{
    ByteOrder, Error, Layout, Order,
    npy_header::{Value, parse_dict},
    positioned::read_exact_at,
};
use scicodec::DType;
use std::fs::File;

/// The bytes that every npy file begins with.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// numpy itself distrusts headers of more than 10,000 bytes; a plain array needs about 100.
const MAX_HEADER: u64 = 64 << 10;

/// Reads the header of a npy file.
pub(crate) fn read_layout(file: &File) -> Result<Layout, Error> {
    let have = file.metadata()?.len();
    let mut head = [0u8; 12];
    let n = have.min(12) as usize;
    read_exact_at(file, &mut head[..n], 0)?;
    if n < 6 || &head[..6] != MAGIC {
        return Err(Error::Corrupt {
            what: format!("not a npy file: expected the bytes 93 4E 55 4D 50 59, found {}", hex(&head[..n.min(6)])),
            offset: 0,
        });
    }
    if n < 10 {
        return Err(Error::Truncated { need: 10, have });
    }
    let (start, length) = match head[6] {
        1 => (10, u64::from(u16::from_le_bytes([head[8], head[9]]))),
        2 | 3 if n == 12 => (12, u64::from(u32::from_le_bytes([head[8], head[9], head[10], head[11]]))),
        2 | 3 => return Err(Error::Truncated { need: 12, have }),
        v => {
            return Err(Error::Unsupported { feature: format!("npy format version {v}.{} (known: 1, 2, 3)", head[7]) });
        }
    };
    if length > MAX_HEADER {
        let what = format!("unreadable npy header: its length is said to be {length} bytes, more than {MAX_HEADER}");
        return Err(Error::Corrupt { what, offset: 8 });
    }
    if start + length > have {
        return Err(Error::Truncated { need: start + length, have });
    }
    let mut text = vec![0; length as usize];
    read_exact_at(file, &mut text, start)?;
    interpret(&text, start)
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "an empty file".into();
    }
    bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(" ")
}

/// The layout that a header's text describes; the data follow the text.
fn interpret(text: &[u8], start: u64) -> Result<Layout, Error> {
    let entries = parse_dict(text, start)?;
    let bad = |what: String| Error::Corrupt { what: format!("unreadable npy header: {what}"), offset: start };
    let find = |key: &str| {
        let mut found = entries.iter().filter(|(k, _)| k == key).map(|(_, v)| v);
        match (found.next(), found.next()) {
            (Some(v), None) => Ok(v),
            (None, _) => Err(bad(format!("the key '{key}' is missing"))),
            _ => Err(bad(format!("the key '{key}' appears twice"))),
        }
    };
    let order = match find("fortran_order")? {
        Value::Bool(true) => Order::Fortran,
        Value::Bool(false) => Order::C,
        other => return Err(bad(format!("'fortran_order' is {other:?}, not True or False"))),
    };
    let shape = match find("shape")? {
        Value::Seq(items) => items
            .iter()
            .map(|v| match v {
                Value::Int(n) => Ok(*n),
                other => Err(bad(format!("'shape' holds {other:?}, not a number"))),
            })
            .collect::<Result<Vec<_>, _>>()?,
        other => return Err(bad(format!("'shape' is {other:?}, not a tuple"))),
    };
    let (dtype, bytes) = match find("descr")? {
        Value::Text(descr) => element_type(descr)?,
        Value::Seq(_) => {
            return Err(Error::Unsupported { feature: "a structured dtype; save one field of it at a time".into() });
        }
        other => return Err(bad(format!("'descr' is {other:?}, not a dtype"))),
    };
    let layout = Layout { dtype, shape, order, bytes, offset: start + text.len() as u64 };
    layout.data_bytes().map_err(|e| match e {
        Error::InvalidArgument(what) => bad(what),
        other => other,
    })?;
    Ok(layout)
}

/// Reads `<f4`, `>i2`, `|u1`, ...; names what it does not support.
fn element_type(descr: &str) -> Result<(DType, ByteOrder), Error> {
    let no = |kind: &str| Err(Error::Unsupported { feature: format!("dtype '{descr}' ({kind})") });
    let mut chars = descr.chars();
    let bytes = match chars.next() {
        Some('<') => ByteOrder::Little,
        Some('>') => ByteOrder::Big,
        Some('=' | '|') => ByteOrder::NATIVE,
        _ => return no("not a dtype that numpy writes"),
    };
    let dtype = match chars.as_str() {
        "f2" => DType::F16,
        "f4" => DType::F32,
        "f8" => DType::F64,
        "i1" => DType::I8,
        "i2" => DType::I16,
        "i4" => DType::I32,
        "i8" => DType::I64,
        "u1" => DType::U8,
        "u2" => DType::U16,
        "u4" => DType::U32,
        "u8" => DType::U64,
        rest => {
            return no(match rest.chars().next() {
                Some('f') => "a float of a size other than 2, 4 or 8 bytes",
                Some('c') => "complex numbers; save real and imaginary parts apart",
                Some('b') => "booleans; save them as uint8",
                Some('O') => "Python objects",
                Some('S' | 'a' | 'U') => "text",
                Some('M' | 'm') => "times; save them as int64",
                Some('V') => "opaque records",
                _ => "not a dtype that scicodec knows",
            });
        }
    };
    if descr.starts_with('|') && dtype.size() > 1 {
        return no("no byte order");
    }
    Ok((dtype, bytes))
}

/// The header of a version 1 file with these elements in C order and little-endian: 64-byte aligned, as numpy's.
pub(crate) fn header(dtype: DType, shape: &[u64]) -> Vec<u8> {
    let kind = match dtype {
        DType::F16 | DType::F32 | DType::F64 => 'f',
        DType::I8 | DType::I16 | DType::I32 | DType::I64 => 'i',
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => 'u',
    };
    let mark = if dtype.size() == 1 { '|' } else { '<' };
    let extents = match shape {
        [one] => format!("{one},"),
        many => many.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut text =
        format!("{{'descr': '{mark}{kind}{}', 'fortran_order': False, 'shape': ({extents}), }}", dtype.size());
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut out = MAGIC.to_vec();
    out.extend([1, 0]);
    // Rank is at most 6, so the text is a few hundred bytes.
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out
}
