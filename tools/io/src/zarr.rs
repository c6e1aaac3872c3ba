//! Reading Zarr stores, versions 2 and 3, from folders.
use crate::{
    Attribute, Dataset, DimensionInfo, Error, Field, Format, Group, LeftOut, Value,
    array_file::{MAX_RANK, check_box},
    attribute::find,
    cached::Cached,
    cf,
    conventions::TextKind,
    strings::padded,
    zarr_blosc,
};
use scicodec::{DType, Source};
use serde_json::{Map, Value as Json};
use std::{io, path::Path, sync::Arc};
use zarrs::{
    array::{Array, ArrayBytes, ArrayMetadata, ArraySubset, DataType, data_type},
    filesystem::FilesystemStore,
    node::{Node, NodeMetadata},
};

type Store = FilesystemStore;

fn broken(e: impl std::fmt::Display) -> Error {
    Error::Library { what: "Zarr", message: e.to_string() }
}

/// Opens a store whose root is a group or an array. Its elements are read when they are asked for, but for text.
pub(crate) fn open(path: &Path) -> Result<Dataset, Error> {
    zarr_blosc::register();
    let store = Arc::new(FilesystemStore::new(path).map_err(broken)?);
    let root = Node::open(&store, "/").map_err(broken)?;
    let mut data = Dataset { format: Format::Zarr, fields: vec![], groups: vec![], left_out: vec![] };
    if let NodeMetadata::Array(_) = root.metadata() {
        // An array that is alone is named as its folder.
        let name = path.file_stem().map_or_else(|| "array".into(), |s| s.to_string_lossy().into_owned());
        data.groups.push(Group::default());
        add(&mut data, &store, "/", name, 0);
    } else {
        walk(&mut data, &store, &root);
    }
    let version = match root.metadata() {
        NodeMetadata::Array(ArrayMetadata::V2(_)) => "zarr2",
        NodeMetadata::Group(zarrs::group::GroupMetadata::V2(_)) => "zarr2",
        _ => "zarr3",
    };
    if let Some(root) = data.groups.first_mut() {
        root.format = version.into();
    }
    Ok(data)
}

fn walk(data: &mut Dataset, store: &Arc<Store>, node: &Node) {
    let path = node.path().as_str().trim_start_matches('/').to_owned();
    let attributes = match node.metadata() {
        NodeMetadata::Group(zarrs::group::GroupMetadata::V2(m)) => attributes(&m.attributes),
        NodeMetadata::Group(zarrs::group::GroupMetadata::V3(m)) => attributes(&m.attributes),
        NodeMetadata::Array(_) => return,
    };
    data.groups.push(Group { path, attributes, ..Group::default() });
    let group = data.groups.len() - 1;
    for child in node.children() {
        if let NodeMetadata::Array(_) = child.metadata() {
            let path = child.path().as_str();
            add(data, store, path, path.trim_start_matches('/').to_owned(), group);
        }
    }
    for child in node.children() {
        walk(data, store, child);
    }
}

fn attributes(all: &Map<String, Json>) -> Vec<Attribute> {
    all.iter().map(|(name, json)| Attribute { name: name.clone(), value: Value::from_any_json(json) }).collect()
}

/// Adds an array, its dimensions to those of its group, or the reason why it is left out.
fn add(data: &mut Dataset, store: &Arc<Store>, path: &str, name: String, group: usize) {
    match field(store, path, &name) {
        Ok(field) => {
            for (dimension, &size) in field.dimensions.iter().zip(field.source.shape()) {
                let known =
                    data.groups.iter().flat_map(|g| &g.dimensions).any(|d| d.name == *dimension && d.size == size);
                if !dimension.is_empty() && !known {
                    let info = DimensionInfo { name: dimension.clone(), size, unlimited: false };
                    data.groups[group].dimensions.push(info);
                }
            }
            data.fields.push(field);
        }
        Err(why) => data.left_out.push(LeftOut { name, why }),
    }
}

fn field(store: &Arc<Store>, path: &str, name: &str) -> Result<Field, String> {
    let array = Array::open(Arc::clone(store), path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut attributes = attributes(array.attributes());
    let mut dimensions: Vec<String> = match array.dimension_names() {
        Some(names) => names.iter().map(|n| n.clone().unwrap_or_default()).collect(),
        None => vec![],
    };
    // What version 3 has a place for, xarray keeps in an attribute of version 2.
    if let Some(k) = attributes.iter().position(|a| a.name == "_ARRAY_DIMENSIONS") {
        dimensions = match attributes.remove(k).value {
            Value::Strings(names) => names,
            Value::Json(Json::Array(names)) => {
                names.iter().map(|n| n.as_str().unwrap_or_default().to_owned()).collect()
            }
            _ => vec![],
        };
    }
    let shape = array.shape().to_vec();
    if shape.len() > MAX_RANK {
        return Err(format!("has {} axes, more than {MAX_RANK}", shape.len()));
    }
    if dimensions.len() != shape.len() {
        dimensions.clear();
    }
    let units = find(&attributes, "units").and_then(Value::text).unwrap_or_default().to_owned();
    let mut chunk: Vec<u64> = Vec::new();
    if let Ok(Some(shape)) = array.chunk_grid().chunk_shape(&vec![0; shape.len()]) {
        chunk = shape.iter().map(|n| n.get()).collect();
    }
    let (text, source): (_, Box<dyn Source + Send>) = if *array.data_type() == data_type::string() {
        let strings: Vec<String> = array
            .retrieve_array_subset(&ArraySubset::new_with_shape(shape.clone()))
            .map_err(|e| format!("cannot be read: {e}"))?;
        let source = padded(&shape, &strings.iter().map(String::as_bytes).collect::<Vec<_>>());
        if shape.len() == MAX_RANK {
            return Err(format!("is text of {MAX_RANK} axes"));
        }
        if !dimensions.is_empty() {
            dimensions.push(String::new());
        }
        chunk.clear();
        (Some(TextKind::Strings), Box::new(source.map_err(|e| e.to_string())?))
    } else {
        let dtype = element_type(array.data_type())?;
        fill(&mut attributes, &array, dtype);
        (None, Box::new(Cached::new(ZarrSource { array, dtype, shape }, chunk.clone())))
    };
    Ok(Field { name: Some(name.to_owned()), units, attributes, dimensions, text, chunk, source })
}

/// What xarray takes for "missing": the fill value of a version 2 array, or the attribute of a version 3 one, whose floats
/// it writes as the base64 of eight bytes.
fn fill(attributes: &mut Vec<Attribute>, array: &Array<Store>, dtype: DType) {
    if let Some(attribute) = attributes.iter_mut().find(|a| a.name == "_FillValue") {
        let decoded = match &attribute.value {
            Value::Text(text) if dtype.is_float() => base64(text),
            other => other.number(),
        };
        let bits = decoded.and_then(|v| scicodec::Fill::Value(v).bits(dtype).ok());
        if let Some(value) = bits.and_then(|b| cf::fill_attribute(b, dtype)) {
            attribute.value = value;
        }
        return;
    }
    let declared = match array.metadata() {
        ArrayMetadata::V2(m) => serde_json::to_value(&m.fill_value).is_ok_and(|v| !v.is_null()),
        ArrayMetadata::V3(_) => false,
    };
    let bytes = array.fill_value().as_ne_bytes();
    // Zero is what stores are made with by those who mean nothing by it.
    if declared && bytes.iter().any(|&b| b != 0) && bytes.len() == dtype.size() && cfg!(target_endian = "little") {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        if let Some(value) = cf::fill_attribute(u64::from_le_bytes(wide), dtype) {
            attributes.push(Attribute { name: "_FillValue".into(), value });
        }
    }
}

/// Eight bytes of base64 as a number.
fn base64(text: &str) -> Option<f64> {
    let digit = |c: u8| {
        Some(match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let mut bits: u128 = 0;
    let digits = text.strip_suffix('=').filter(|t| t.len() == 11)?;
    for c in digits.bytes() {
        bits = bits << 6 | u128::from(digit(c)?);
    }
    // Eleven digits are 66 bits, the last two of which are nothing.
    Some(f64::from_bits(((bits >> 2) as u64).swap_bytes()))
}

fn element_type(kind: &DataType) -> Result<DType, String> {
    let known = [
        (data_type::float16(), DType::F16),
        (data_type::float32(), DType::F32),
        (data_type::float64(), DType::F64),
        (data_type::int8(), DType::I8),
        (data_type::int16(), DType::I16),
        (data_type::int32(), DType::I32),
        (data_type::int64(), DType::I64),
        (data_type::uint8(), DType::U8),
        (data_type::uint16(), DType::U16),
        (data_type::uint32(), DType::U32),
        (data_type::uint64(), DType::U64),
        (data_type::bool(), DType::U8),
    ];
    let found = known.iter().find(|(k, _)| k == kind);
    found.map(|(_, dtype)| *dtype).ok_or_else(|| format!("is of type {kind:?}, which cannot be encoded"))
}

/// An array, read chunk by chunk of its store.
struct ZarrSource {
    array: Array<Store>,
    dtype: DType,
    shape: Vec<u64>,
}

impl ZarrSource {
    /// The key of the first chunk of a box that cannot be read, and why.
    fn culprit(&self, subset: &ArraySubset) -> Option<String> {
        let chunks = self.array.chunks_in_array_subset(subset).ok()??;
        let mut index = chunks.start().to_vec();
        loop {
            if let Err(e) = self.array.retrieve_chunk::<ArrayBytes<'static>>(&index) {
                return Some(format!("chunk {}: {e}", self.array.chunk_key(&index).as_str()));
            }
            let within = |k: &usize| index[*k] + 1 < chunks.start()[*k] + chunks.shape()[*k];
            let k = (0..index.len()).rev().find(within)?;
            index[k] += 1;
            index[k + 1..].copy_from_slice(&chunks.start()[k + 1..]);
        }
    }
}

impl Source for ZarrSource {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        check_box(self.dtype, &self.shape, start, extent, out.len())?;
        if out.is_empty() {
            return Ok(());
        }
        let subset = ArraySubset::new_with_start_shape(start.to_vec(), extent.to_vec()).map_err(io::Error::other)?;
        let read = self.array.retrieve_array_subset::<ArrayBytes<'static>>(&subset);
        let bytes = match read.map_err(|e| e.to_string()).and_then(|b| b.into_fixed().map_err(|e| e.to_string())) {
            Ok(bytes) if bytes.len() == out.len() => bytes,
            Ok(bytes) => return Err(io::Error::other(format!("{} bytes of {}", bytes.len(), out.len())).into()),
            Err(e) => return Err(io::Error::other(self.culprit(&subset).unwrap_or(e)).into()),
        };
        out.copy_from_slice(&bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_doubles_is_read() {
        // Python: base64.standard_b64encode(struct.pack("<d", v))
        assert_eq!(base64("AAAAAAA4j8A="), Some(-999.0));
        assert_eq!(base64("AAAAAAAA+D8="), Some(1.5));
        assert!(base64("AAAAAAAA+H8=").is_some_and(f64::is_nan));
        assert_eq!(base64("AAAA"), None);
        assert_eq!(base64("?AAAAAAA+D8="), None);
    }
}
