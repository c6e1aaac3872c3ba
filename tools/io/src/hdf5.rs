//! HDF5 and netCDF-4, without the C libraries.
//!
//! `hdf5-reader` tells groups, dimensions and attributes, `rust-hdf5` the order of attributes and the elements: it knows
//! the filters that files are written with.
use crate::{
    Attribute, Dataset, DimensionInfo, Error, Field, Format, Group, LeftOut, Value,
    array_file::MAX_RANK,
    cached::Cached,
    cf,
    conventions::TextKind,
    hdf5_axes::{Leaf, Tree},
    hdf5_source::{Hdf5Source, element_type},
    strings::{Bytes, padded},
};
use hdf5_reader::{Datatype, Hdf5File, StringSize, VarLenKind};
use rust_hdf5::{DatatypeMessage, H5Dataset, H5File};
use std::path::Path;

/// Opens a file. Its elements are read when they are asked for, but for text, which is read now.
pub(crate) fn open(path: &Path) -> Result<Dataset, Error> {
    let structure = Hdf5File::open(path).map_err(broken)?;
    let elements = H5File::options().no_locking().open(path).map_err(broken)?;
    let tree = Tree::read(&structure).map_err(broken)?;
    let mut left_out = Vec::new();
    let mut groups = Vec::new();
    for (k, node) in tree.groups.iter().enumerate() {
        let raw = node.group.attributes().map_err(broken)?;
        let order = match node.path.as_str() {
            "" => elements.attr_names(),
            path => elements.root_group().group(path).and_then(|g| g.attr_names()),
        };
        let strict = raw.iter().any(|a| a.name == "_nc3_strict");
        let properties = raw.iter().any(|a| a.name == "_NCProperties");
        let format = match (k, strict, properties || tree.is_netcdf()) {
            (0, true, _) => "netcdf4-classic",
            (0, false, true) => "netcdf4",
            (0, false, false) => "hdf5",
            _ => "",
        };
        let owner = format!("{}/", node.path);
        groups.push(Group {
            path: node.path.clone(),
            attributes: attributes(raw, order.unwrap_or_default(), &owner, false, &mut left_out),
            dimensions: dimensions(&tree, k),
            format: format.into(),
        });
    }
    let mut fields = Vec::new();
    for leaf in &tree.leaves {
        if leaf.scale.is_some_and(|s| tree.scales[s].bare) {
            continue;
        }
        match field(&elements, &tree, leaf, &mut left_out) {
            Ok(field) => fields.push(field),
            Err(why) => left_out.push(LeftOut { name: leaf.path.clone(), why }),
        }
    }
    Ok(Dataset { format: Format::Hdf5, fields, groups, left_out })
}

/// Either library's errors say where in the file they were, in their own words.
fn broken(e: impl std::fmt::Display) -> Error {
    Error::Library { what: "HDF5", message: e.to_string() }
}

fn dimensions(tree: &Tree, group: usize) -> Vec<DimensionInfo> {
    let info =
        |s: &&crate::hdf5_axes::Scale| DimensionInfo { name: s.name.clone(), size: s.size, unlimited: s.unlimited };
    tree.dimensions(group).iter().map(info).collect()
}

/// A dataset as a field, or why it cannot be one.
fn field(elements: &H5File, tree: &Tree, leaf: &Leaf, left_out: &mut Vec<LeftOut>) -> Result<Field, String> {
    let dataset = elements.dataset(&leaf.path).map_err(|e| e.to_string())?;
    let datatype = dataset.datatype().map_err(|e| e.to_string())?;
    if dataset.is_null() {
        return Err("has no elements, not even none along an axis".into());
    }
    let attributes = attributes(
        leaf.dataset.attributes(),
        dataset.attr_names().unwrap_or_default(),
        &leaf.path,
        leaf.scale.is_some(),
        left_out,
    );
    let physical: Vec<u64> = dataset.shape().iter().map(|&n| n as u64).collect();
    // An unlimited dimension may have grown by another variable: the rest of this one is not written, and is fill.
    let extent = |(k, &n): (usize, &u64)| match leaf.axes.get(k).copied().flatten().map(|s| &tree.scales[s]) {
        Some(scale) if scale.unlimited => n.max(scale.size),
        _ => n,
    };
    let shape: Vec<u64> = physical.iter().enumerate().map(extent).collect();
    let mut dimensions: Vec<String> =
        leaf.axes.iter().map(|a| a.map(|s| tree.scales[s].name.clone()).unwrap_or_default()).collect();
    let (text, source): (_, Box<dyn scicodec::Source + Send>) = match &datatype {
        DatatypeMessage::VarLenString { .. } => {
            let all = dataset.read_vlen_strings().map_err(|e| e.to_string())?;
            let source = padded(&shape, &all.iter().map(String::as_bytes).collect::<Vec<_>>());
            (Some(TextKind::Strings), Box::new(source.map_err(|e| e.to_string())?))
        }
        DatatypeMessage::FixedString { size: 1, .. } => {
            let bytes = dataset.read_raw_bytes().map_err(|e| e.to_string())?;
            (Some(TextKind::Chars), Box::new(Bytes::new(shape, bytes).map_err(|e| e.to_string())?))
        }
        DatatypeMessage::FixedString { size, .. } => {
            let bytes = dataset.read_raw_bytes().map_err(|e| e.to_string())?;
            let shape = shape.into_iter().chain([u64::from(*size)]).collect();
            (Some(TextKind::Strings), Box::new(Bytes::new(shape, bytes).map_err(|e| e.to_string())?))
        }
        other => {
            let (dtype, note) = element_type(other)?;
            if let Some(why) = note {
                left_out.push(LeftOut { name: format!("{}: part of its type", leaf.path), why: why.into() });
            }
            let fill = cf::fill_bits(&attributes, dtype).unwrap_or_else(|| property(&dataset, dtype));
            let chunk = dataset.chunk_dims().unwrap_or_default().into_iter().map(|n| n as u64).collect();
            let source = Hdf5Source::new(dataset, dtype, physical, shape, fill);
            (None, Box::new(Cached::new(source, chunk)))
        }
    };
    if text == Some(TextKind::Strings) {
        dimensions.push(String::new());
    }
    if source.shape().len() > MAX_RANK {
        return Err(format!("has {} axes, more than {MAX_RANK}", source.shape().len()));
    }
    if dimensions.iter().all(String::is_empty) {
        dimensions.clear();
    }
    let units = crate::attribute::find(&attributes, "units").and_then(Value::text).unwrap_or_default().to_owned();
    Ok(Field { name: Some(unprefixed(&leaf.path)), units, attributes, dimensions, text, chunk: vec![], source })
}

/// netCDF calls a variable differently where a dimension that is not its own has its name.
fn unprefixed(path: &str) -> String {
    let (group, name) = path.rsplit_once('/').map_or(("", path), |(g, n)| (g, n));
    let name = name.strip_prefix("_nc4_non_coord_").unwrap_or(name);
    if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") }
}

/// What elements are that were never written: the fill value of the dataset's creation, or else netCDF's own.
fn property(dataset: &H5Dataset, dtype: scicodec::DType) -> u64 {
    match dataset.fill_value() {
        Ok(rust_hdf5::dataset::FillValue::UserDefined(bytes)) if bytes.len() <= 8 => {
            let mut wide = [0; 8];
            wide[..bytes.len()].copy_from_slice(&bytes);
            u64::from_le_bytes(wide)
        }
        _ => cf::default_fill(dtype).unwrap_or(0),
    }
}

/// The attributes that are the user's, in the order that they were made in.
fn attributes(
    raw: Vec<hdf5_reader::Attribute>,
    order: Vec<String>,
    owner: &str,
    scale: bool,
    left_out: &mut Vec<LeftOut>,
) -> Vec<Attribute> {
    let hidden = |name: &str| match name {
        "_Netcdf4Dimid"
        | "_Netcdf4Coordinates"
        | "_nc3_strict"
        | "_NCProperties"
        | "DIMENSION_LIST"
        | "REFERENCE_LIST" => true,
        "CLASS" | "NAME" => scale,
        _ => false,
    };
    let mut all: Vec<_> = raw.into_iter().filter(|a| !hidden(&a.name)).collect();
    all.sort_by_key(|a| order.iter().position(|name| *name == a.name).unwrap_or(usize::MAX));
    let mut kept = Vec::new();
    for attribute in all {
        match value(&attribute) {
            Ok(value) => kept.push(Attribute { name: attribute.name, value }),
            Err(why) => left_out.push(LeftOut { name: format!("{owner}:{}", attribute.name), why }),
        }
    }
    kept
}

fn value(a: &hdf5_reader::Attribute) -> Result<Value, String> {
    let say = |e: hdf5_reader::error::Error| e.to_string();
    macro_rules! numbers {
        ($variant:ident) => {
            a.read_1d().map(Value::$variant).map_err(say)
        };
    }
    let base = match &a.datatype {
        Datatype::Enum { base, .. } => base.as_ref(),
        other => other,
    };
    match base {
        Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
            (1, true) => numbers!(I8),
            (2, true) => numbers!(I16),
            (4, true) => numbers!(I32),
            (8, true) => numbers!(I64),
            (1, false) => numbers!(U8),
            (2, false) => numbers!(U16),
            (4, false) => numbers!(U32),
            (8, false) => numbers!(U64),
            _ => Err(format!("an integer of {size} bytes")),
        },
        Datatype::FloatingPoint { size: 4, .. } => numbers!(F32),
        Datatype::FloatingPoint { size: 8, .. } => numbers!(F64),
        Datatype::String { size: StringSize::Fixed(_), .. } if a.num_elements().is_ok_and(|n| n == 1) => {
            a.read_string().map(Value::Text).map_err(say)
        }
        // An empty text is stored without an element.
        Datatype::String { .. } if a.num_elements().is_ok_and(|n| n == 0) => Ok(Value::Text(String::new())),
        Datatype::String { .. } | Datatype::VarLen { kind: VarLenKind::String, .. } => {
            a.read_strings().map(Value::Strings).map_err(say)
        }
        other => Err(format!("is {}", kind_name(other))),
    }
}

fn kind_name(datatype: &Datatype) -> &'static str {
    match datatype {
        Datatype::Compound { .. } => "a compound",
        Datatype::Array { .. } => "an array type",
        Datatype::VarLen { .. } => "a sequence of variable length",
        Datatype::Opaque { .. } => "opaque",
        Datatype::Reference { .. } => "a reference",
        Datatype::Bitfield { .. } => "a bit field",
        _ => "of a type that is not known",
    }
}
