//! What the conventions of netCDF and CF say of variables: which are coordinates, which are packed, what stands for
//! "missing".
use crate::{Attribute, Field, Value, attribute::find};
use scicodec::DType;
use std::collections::HashSet;

/// Whether a bound that is asked for a whole file is meant for a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is.
    Data,
    /// It is kept exactly: the reason.
    Exact(&'static str),
}

/// The role of each field.
///
/// Kept exactly are text, single values, coordinates with their bounds, and integers that are not packed: they count or
/// name rather than measure.
pub fn roles(fields: &[Field]) -> Vec<Role> {
    let coordinates = coordinates(fields);
    let role = |(k, field): (usize, &Field)| match field {
        f if f.text.is_some() => Role::Exact("text"),
        f if f.source.shape().is_empty() => Role::Exact("a single value"),
        _ if coordinates.contains(&k) => Role::Exact("a coordinate"),
        f if !f.source.dtype().is_float() && packing(&f.attributes).is_none() => Role::Exact("integers"),
        _ => Role::Data,
    };
    fields.iter().enumerate().map(role).collect()
}

/// Attributes that name variables which say where or when values are.
const NAMING: [&str; 6] = ["coordinates", "bounds", "climatology", "grid_mapping", "cell_measures", "formula_terms"];

/// The fields that are coordinates of others, or bounds of coordinates.
fn coordinates(fields: &[Field]) -> HashSet<usize> {
    let mut found = HashSet::new();
    for (k, field) in fields.iter().enumerate() {
        if is_coordinate(field) {
            found.insert(k);
        }
        found.extend(named_by(fields, k));
    }
    found
}

/// A variable of one axis, named as its dimension.
fn is_coordinate(field: &Field) -> bool {
    match (&field.name, field.dimensions.as_slice()) {
        (Some(name), [dimension]) => leaf(name) == dimension,
        _ => false,
    }
}

/// The fields that the attributes of one of them name.
fn named_by(fields: &[Field], k: usize) -> Vec<usize> {
    let Some(name) = &fields[k].name else { return vec![] };
    let texts = NAMING.iter().filter_map(|attribute| find(&fields[k].attributes, attribute)?.text());
    // `cell_measures` and others are pairs of `word: name`.
    texts.flat_map(str::split_whitespace).filter_map(|word| lookup(fields, name, word)).collect()
}

/// A variable by the name that another one calls it: in its own group, or in one around that.
fn lookup(fields: &[Field], from: &str, word: &str) -> Option<usize> {
    let by_path = |path: &str| fields.iter().position(|f| f.name.as_deref() == Some(path));
    if let Some(absolute) = word.strip_prefix('/') {
        return by_path(absolute);
    }
    let mut group = from;
    loop {
        group = group.rsplit_once('/').map_or("", |(before, _)| before);
        let found = match group {
            "" => return by_path(word),
            group => by_path(&format!("{group}/{word}")),
        };
        if found.is_some() {
            return found;
        }
    }
}

/// These fields and all that they need to be understood: coordinates of their axes, and what their attributes name.
pub fn with_coordinates(fields: &[Field], chosen: &[usize]) -> Vec<usize> {
    let mut all: Vec<usize> = chosen.to_vec();
    let mut next = 0;
    while let Some(&k) = all.get(next) {
        next += 1;
        let from = fields[k].name.as_deref().unwrap_or_default();
        let of_axes = fields[k].dimensions.iter().filter_map(|d| lookup(fields, from, d));
        for found in of_axes.filter(|&f| is_coordinate(&fields[f])).chain(named_by(fields, k)) {
            if !all.contains(&found) {
                all.push(found);
            }
        }
    }
    all.sort_unstable();
    all
}

fn leaf(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How stored numbers stand for others: `x = stored · scale + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packing {
    /// `scale_factor`, or 1.
    pub scale: f64,
    /// `add_offset`, or 0.
    pub offset: f64,
}

/// The packing that attributes declare.
pub fn packing(attributes: &[Attribute]) -> Option<Packing> {
    let number = |name| find(attributes, name).and_then(Value::number);
    let (scale, offset) = (number("scale_factor"), number("add_offset"));
    let usable = |v: &f64| v.is_finite();
    (scale.is_some() || offset.is_some()).then(|| Packing {
        scale: scale.filter(|s| usable(s) && *s != 0.0).unwrap_or(1.0),
        offset: offset.filter(usable).unwrap_or(0.0),
    })
}

/// The bits of the value that attributes declare as missing, `_FillValue` before `missing_value`.
pub fn fill_bits(attributes: &[Attribute], dtype: DType) -> Option<u64> {
    declared(attributes, dtype).first().copied()
}

/// The bits of all values that attributes declare as missing.
pub fn declared(attributes: &[Attribute], dtype: DType) -> Vec<u64> {
    let mut all = Vec::new();
    for name in ["_FillValue", "missing_value"] {
        all.extend(find(attributes, name).map(|v| bits(v, dtype)).unwrap_or_default());
    }
    all.dedup();
    all
}

/// The numbers of an attribute as elements, where they are elements exactly.
fn bits(value: &Value, dtype: DType) -> Vec<u64> {
    macro_rules! of {
        ($all:expr) => {
            $all.iter().filter_map(|&v| exact(i128::from(v), dtype)).collect()
        };
    }
    match value {
        Value::I8(v) => of!(v),
        Value::I16(v) => of!(v),
        Value::I32(v) => of!(v),
        Value::I64(v) => of!(v),
        Value::U8(v) => of!(v),
        Value::U16(v) => of!(v),
        Value::U32(v) => of!(v),
        Value::U64(v) => of!(v),
        Value::F32(v) if dtype == DType::F32 => v.iter().map(|v| u64::from(v.to_bits())).collect(),
        Value::F32(v) => v.iter().filter_map(|&v| real(f64::from(v), dtype)).collect(),
        Value::F64(v) => v.iter().filter_map(|&v| real(v, dtype)).collect(),
        _ => vec![],
    }
}

fn real(v: f64, dtype: DType) -> Option<u64> {
    match dtype {
        DType::F64 => Some(v.to_bits()),
        // `missing_value` in double of a float variable: what its elements can be is the nearest float.
        DType::F32 => Some(u64::from((v as f32).to_bits())),
        DType::F16 => scicodec::Fill::Value(v).bits(dtype).ok(),
        _ if v.fract() == 0.0 && v.abs() < 1e18 => exact(v as i128, dtype),
        _ => None,
    }
}

fn exact(v: i128, dtype: DType) -> Option<u64> {
    match dtype {
        DType::F16 | DType::F32 | DType::F64 => real(v as f64, dtype),
        DType::I8 => i8::try_from(v).ok().map(|v| u64::from(v as u8)),
        DType::I16 => i16::try_from(v).ok().map(|v| u64::from(v as u16)),
        DType::I32 => i32::try_from(v).ok().map(|v| u64::from(v as u32)),
        DType::I64 => i64::try_from(v).ok().map(|v| v as u64),
        DType::U8 => u8::try_from(v).ok().map(u64::from),
        DType::U16 => u16::try_from(v).ok().map(u64::from),
        DType::U32 => u32::try_from(v).ok().map(u64::from),
        DType::U64 => u64::try_from(v).ok(),
    }
}

/// What netCDF fills with where no `_FillValue` is declared. Single bytes have none that readers look for.
pub fn default_fill(dtype: DType) -> Option<u64> {
    Some(match dtype {
        DType::I16 => -32767i16 as u16 as u64,
        DType::I32 => -2147483647i32 as u32 as u64,
        DType::I64 => -9223372036854775806i64 as u64,
        DType::U16 => 65535,
        DType::U32 => 4294967295,
        DType::U64 => 18446744073709551614,
        DType::F32 => u64::from(9.969_21e36_f32.to_bits()),
        DType::F64 => 9.969_209_968_386_869e36_f64.to_bits(),
        DType::F16 | DType::I8 | DType::U8 => return None,
    })
}

/// The number that bits stand for, as an attribute of the variable's own type.
pub fn fill_attribute(bits: u64, dtype: DType) -> Option<Value> {
    Some(match dtype {
        DType::F16 => return None,
        DType::F32 => Value::F32(vec![f32::from_bits(bits as u32)]),
        DType::F64 => Value::F64(vec![f64::from_bits(bits)]),
        DType::I8 => Value::I8(vec![bits as i8]),
        DType::I16 => Value::I16(vec![bits as i16]),
        DType::I32 => Value::I32(vec![bits as i32]),
        DType::I64 => Value::I64(vec![bits as i64]),
        DType::U8 => Value::U8(vec![bits as u8]),
        DType::U16 => Value::U16(vec![bits as u16]),
        DType::U32 => Value::U32(vec![bits as u32]),
        DType::U64 => Value::U64(vec![bits]),
    })
}
