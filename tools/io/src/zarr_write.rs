//! Writing Zarr stores as xarray reads them.
use crate::{
    Attribute, Dataset, Error, Field,
    attribute::find,
    bands::{all, bands},
    cf,
    conventions::TextKind,
    layout::{Layout, Place, extents},
    strings::unpadded,
};
use scicodec::DType;
use serde_json::{Map, Value as Json, json};
use std::{path::Path, sync::Arc};
use zarrs::{
    array::{Array, ArrayBytes, ArrayMetadata, ArraySubset},
    filesystem::FilesystemStore,
};

fn broken(e: impl std::fmt::Display) -> Error {
    Error::Library { what: "Zarr", message: e.to_string() }
}

/// Writes a dataset into an empty folder. `progress` is told the bytes of elements written.
pub(crate) fn write(folder: &Path, dataset: &Dataset, progress: &dyn Fn(u64)) -> Result<(), Error> {
    let store = Arc::new(FilesystemStore::new(folder).map_err(broken)?);
    let layout = Layout::of(dataset);
    let version = if layout.groups[0].format == "zarr2" { 2 } else { 3 };
    for group in &layout.groups {
        let attributes = Json::Object(object(&group.attributes));
        let place = folder.join(&group.path);
        match version {
            2 => describe2(&place, ".zgroup", json!({ "zarr_format": 2 }), attributes)?,
            _ => describe(
                &place,
                "zarr.json",
                &json!({ "zarr_format": 3, "node_type": "group", "attributes": attributes }),
            )?,
        }
    }
    for (field, place) in dataset.fields.iter().zip(&layout.fields) {
        let group = &layout.groups[place.group].path;
        let path = if group.is_empty() { format!("/{}", place.name) } else { format!("/{group}/{}", place.name) };
        let array = Stored::of(field, place, &layout)?;
        let (json, attributes) = if version == 2 { array.version2() } else { (array.version3(), Json::Null) };
        let metadata: ArrayMetadata = serde_json::from_value(json.clone()).map_err(broken)?;
        let made = Array::new_with_metadata(Arc::clone(&store), &path, metadata).map_err(broken)?;
        let here = folder.join(&path[1..]);
        match version {
            2 => describe2(&here, ".zarray", json, attributes)?,
            _ => describe(&here, "zarr.json", &json)?,
        }
        array.elements(&made, progress)?;
    }
    Ok(())
}

/// Writes what describes an array or group. Not by the library: it shortens `{"name": …}` to a string, which zarr-python
/// does not read.
fn describe(folder: &Path, name: &str, json: &Json) -> Result<(), Error> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(name), format!("{json:#}"))?;
    Ok(())
}

/// In version 2 attributes have a file of their own.
fn describe2(folder: &Path, name: &str, json: Json, attributes: Json) -> Result<(), Error> {
    describe(folder, name, &json)?;
    match attributes.as_object().is_some_and(|a| a.is_empty()) {
        true => Ok(()),
        false => describe(folder, ".zattrs", &attributes),
    }
}

fn object(attributes: &[Attribute]) -> Map<String, Json> {
    attributes.iter().map(|a| (a.name.clone(), a.value.to_json())).collect()
}

/// An array on its way into a store.
struct Stored<'a> {
    field: &'a Field,
    /// Of strings, where the field is text.
    strings: Option<Vec<String>>,
    shape: Vec<u64>,
    chunk: Vec<u64>,
    dimensions: Vec<&'a str>,
}

impl<'a> Stored<'a> {
    fn of(field: &'a Field, place: &Place, layout: &'a Layout) -> Result<Stored<'a>, Error> {
        let mut shape = extents(field).to_vec();
        let mut dimensions: Vec<&str> = place.axes.iter().map(|&a| layout.at(a).name.as_str()).collect();
        let strings = match field.text {
            None => None,
            Some(kind) => {
                let whole = field.source.shape();
                let width = whole.last().copied().unwrap_or(1);
                let count = whole.split_last().map_or(1, |(_, rest)| rest.iter().product());
                if kind == TextKind::Chars {
                    // Characters along the last axis are strings, as xarray takes them.
                    shape.pop();
                    dimensions.pop();
                }
                Some(unpadded(width, count, &all(field.source.as_ref())?))
            }
        };
        let had = |k: usize| field.chunk.get(k).copied().unwrap_or(shape[k]).min(shape[k]).max(1);
        let chunk = (0..shape.len()).map(had).collect();
        Ok(Stored { field, strings, shape, chunk, dimensions })
    }

    fn fill(&self) -> Option<Json> {
        let value = find(&self.field.attributes, "_FillValue")?;
        let one = [Attribute { name: "_FillValue".into(), value: value.clone() }];
        let dtype = self.field.source.dtype();
        let bits = cf::fill_bits(&one, dtype)?;
        Some(match dtype {
            DType::F16 => value.to_json(),
            _ => cf::fill_attribute(bits, dtype)?.to_json(),
        })
    }

    fn version3(&self) -> Json {
        let mut attributes = object(&self.field.attributes);
        let (kind, fill, bytes) = match &self.strings {
            Some(_) => ("string", json!(""), json!({ "name": "vlen-utf8" })),
            None => {
                let bytes = json!({ "name": "bytes", "configuration": { "endian": "little" } });
                (self.field.source.dtype().name(), self.fill().unwrap_or(json!(0)), bytes)
            }
        };
        // xarray writes floats that stand for "missing" as the base64 of eight bytes, and reads nothing else.
        let has_text_fill = self.strings.is_none() && self.field.source.dtype().is_float();
        let declared = find(&self.field.attributes, "_FillValue").filter(|_| has_text_fill);
        if let Some(v) = declared.and_then(crate::Value::number) {
            attributes.insert("_FillValue".into(), base64(v).into());
        }
        json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": self.shape,
            "data_type": kind,
            "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": self.chunk } },
            "chunk_key_encoding": { "name": "default", "configuration": { "separator": "/" } },
            "fill_value": fill,
            "codecs": [bytes, { "name": "zstd", "configuration": { "level": 3, "checksum": false } }],
            "attributes": attributes,
            "dimension_names": self.dimensions,
        })
    }

    /// What describes it, and its attributes.
    fn version2(&self) -> (Json, Json) {
        let mut attributes = object(&self.field.attributes);
        attributes.remove("_FillValue");
        attributes.insert("_ARRAY_DIMENSIONS".into(), json!(self.dimensions));
        let dtype = self.field.source.dtype();
        let kind = match dtype {
            _ if self.strings.is_some() => "|O".to_owned(),
            DType::I8 => "|i1".to_owned(),
            DType::U8 => "|u1".to_owned(),
            other => format!("<{}{}", &other.name()[..1], other.size()),
        };
        let json = json!({
            "zarr_format": 2,
            "shape": self.shape,
            "chunks": self.chunk,
            "dtype": kind,
            "compressor": { "id": "zstd", "level": 3, "checksum": false },
            "fill_value": if self.strings.is_some() { json!("") } else { self.fill().unwrap_or(Json::Null) },
            "order": "C",
            "filters": if self.strings.is_some() { json!([{ "id": "vlen-utf8" }]) } else { Json::Null },
            "dimension_separator": ".",
        });
        (json, Json::Object(attributes))
    }

    fn elements(&self, array: &Array<FilesystemStore>, progress: &dyn Fn(u64)) -> Result<(), Error> {
        let source = self.field.source.as_ref();
        if let Some(strings) = &self.strings {
            let subset = ArraySubset::new_with_shape(self.shape.clone());
            if !strings.is_empty() {
                array.store_array_subset(&subset, strings).map_err(broken)?;
            }
            progress(source.shape().iter().product());
            return Ok(());
        }
        let step = self.chunk.first().copied().unwrap_or(1);
        for (start, extent) in bands(&self.shape, source.dtype().size(), step) {
            let count = extent.iter().product::<u64>() as usize * source.dtype().size();
            let mut bytes = vec![0; count];
            source.read(&start, &extent, &mut bytes)?;
            let subset = ArraySubset::new_with_start_shape(start, extent).map_err(broken)?;
            array.store_array_subset(&subset, ArrayBytes::new_flen(bytes)).map_err(broken)?;
            progress(count as u64);
        }
        Ok(())
    }
}

/// The eight bytes of a double, low byte first, in base64.
fn base64(v: f64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u128::from(v.to_bits().swap_bytes()) << 2;
    let digit = |k: u32| char::from(DIGITS[(bits >> (6 * (10 - k)) & 63) as usize]);
    (0..11).map(digit).chain(['=']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn doubles_are_written_in_base64() {
        assert_eq!(base64(-999.0), "AAAAAAA4j8A=");
        assert_eq!(base64(1.5), "AAAAAAAA+D8=");
    }

    #[test]
    fn values_are_texts_where_json_has_no_numbers() {
        let attributes = [Attribute { name: "a".into(), value: Value::F32(vec![f32::NAN, 0.5]) }];
        assert_eq!(Json::Object(object(&attributes)).to_string(), r#"{"a":["NaN",0.5]}"#);
    }
}
