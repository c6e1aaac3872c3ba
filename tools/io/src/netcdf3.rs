//! netCDF-3: classic, with 64-bit offsets, with 64-bit data.
use crate::{
    Attribute, Dataset, DimensionInfo, Error, Field, Format, Group, LeftOut, Value,
    array_file::{MAX_RANK, check_box},
    attribute::find,
    conventions::TextKind,
    positioned::read_exact_at,
    strings::Bytes,
};
use bytemuck::Pod;
use netcdf_reader::{
    NcAttrValue, NcFile, NcFormat, NcReadable, NcSliceInfo, NcSliceInfoElem, NcType, NcVariable,
    classic::data::compute_record_stride,
};
use scicodec::{DType, Source};
use std::{fs::File, io, path::Path, sync::Arc};

/// Opens a file: reads its header.
pub(crate) fn open(path: &Path) -> Result<Dataset, Error> {
    let broken = |e: netcdf_reader::Error| match e {
        netcdf_reader::Error::Io(e) => Error::Io(e),
        other => Error::Library { what: "netCDF", message: other.to_string() },
    };
    let file = Arc::new(NcFile::open(path).map_err(broken)?);
    let root = file.root_group().map_err(broken)?;
    let format = match file.format() {
        NcFormat::Classic => "netcdf3",
        NcFormat::Offset64 => "netcdf3-64bit-offset",
        _ => "netcdf3-64bit-data",
    };
    let dimension = |d: &netcdf_reader::NcDimension| DimensionInfo {
        name: d.name.clone(),
        size: d.size,
        unlimited: d.is_unlimited,
    };
    let group = Group {
        path: String::new(),
        attributes: attributes(&root.attributes),
        dimensions: root.dimensions.iter().map(dimension).collect(),
        format: format.into(),
    };
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for variable in &root.variables {
        match field(&file, path, variable, &root.variables) {
            Ok(field) => fields.push(field),
            Err(why) => left_out.push(LeftOut { name: variable.name.clone(), why }),
        }
    }
    Ok(Dataset { format: Format::NetCdf3, fields, groups: vec![group], left_out })
}

fn field(file: &Arc<NcFile>, path: &Path, variable: &NcVariable, all: &[NcVariable]) -> Result<Field, String> {
    let (dtype, text) = match variable.dtype {
        NcType::Byte => (DType::I8, None),
        NcType::Char => (DType::U8, Some(TextKind::Chars)),
        NcType::Short => (DType::I16, None),
        NcType::Int => (DType::I32, None),
        NcType::Float => (DType::F32, None),
        NcType::Double => (DType::F64, None),
        NcType::UByte => (DType::U8, None),
        NcType::UShort => (DType::U16, None),
        NcType::UInt => (DType::U32, None),
        NcType::Int64 => (DType::I64, None),
        NcType::UInt64 => (DType::U64, None),
        ref other => return Err(format!("is of a type that netCDF-3 does not have: {other:?}")),
    };
    let shape = variable.shape();
    if shape.len() > MAX_RANK {
        return Err(format!("has {} axes, more than {MAX_RANK}", shape.len()));
    }
    let attributes = attributes(&variable.attributes);
    let source: Box<dyn Source + Send> = match text {
        Some(_) => Box::new(characters(path, variable, all).map_err(|e| e.to_string())?),
        None => Box::new(Netcdf3Source { file: Arc::clone(file), name: variable.name.clone(), dtype, shape }),
    };
    Ok(Field {
        name: Some(variable.name.clone()),
        units: find(&attributes, "units").and_then(Value::text).unwrap_or_default().to_owned(),
        attributes,
        dimensions: variable.dimensions.iter().map(|d| d.name.clone()).collect(),
        text,
        chunk: vec![],
        source,
    })
}

/// The bytes of a variable of characters. Of one with records, those of a record lie together.
fn characters(path: &Path, variable: &NcVariable, all: &[NcVariable]) -> Result<Bytes, Error> {
    let file = File::open(path)?;
    let shape = variable.shape();
    let need = shape.iter().try_fold(1u64, |n, &e| n.checked_mul(e)).unwrap_or(u64::MAX);
    let have = file.metadata()?.len();
    if need > have {
        return Err(Error::Truncated { need, have });
    }
    let mut bytes = vec![0; need as usize];
    if !variable.is_record_var {
        read_exact_at(&file, &mut bytes, variable.data_offset)?;
        return Bytes::new(shape, bytes);
    }
    let stride = compute_record_stride(all).map_err(|e| Error::Library { what: "netCDF", message: e.to_string() })?;
    let record = (need / shape.first().copied().unwrap_or(1).max(1)) as usize;
    for (k, row) in bytes.chunks_exact_mut(record.max(1)).enumerate() {
        let at = stride.checked_mul(k as u64).and_then(|n| n.checked_add(variable.data_offset));
        read_exact_at(&file, row, at.unwrap_or(u64::MAX))?;
    }
    Bytes::new(shape, bytes)
}

fn attributes(all: &[netcdf_reader::NcAttribute]) -> Vec<Attribute> {
    let value = |value: &NcAttrValue| {
        Some(match value {
            NcAttrValue::Chars(text) => Value::Text(text.clone()),
            NcAttrValue::Bytes(v) => Value::I8(v.clone()),
            NcAttrValue::Shorts(v) => Value::I16(v.clone()),
            NcAttrValue::Ints(v) => Value::I32(v.clone()),
            NcAttrValue::Floats(v) => Value::F32(v.clone()),
            NcAttrValue::Doubles(v) => Value::F64(v.clone()),
            NcAttrValue::UBytes(v) => Value::U8(v.clone()),
            NcAttrValue::UShorts(v) => Value::U16(v.clone()),
            NcAttrValue::UInts(v) => Value::U32(v.clone()),
            NcAttrValue::Int64s(v) => Value::I64(v.clone()),
            NcAttrValue::UInt64s(v) => Value::U64(v.clone()),
            NcAttrValue::Strings(v) => Value::Strings(v.clone()),
            _ => return None,
        })
    };
    all.iter().filter_map(|a| Some(Attribute { name: a.name.clone(), value: value(&a.value)? })).collect()
}

/// A variable, read where it lies.
struct Netcdf3Source {
    file: Arc<NcFile>,
    name: String,
    dtype: DType,
    shape: Vec<u64>,
}

impl Netcdf3Source {
    fn copy<T: NcReadable + Pod>(&self, slice: &NcSliceInfo, out: &mut [u8]) -> Result<(), scicodec::Error> {
        let broken = |what: String| scicodec::Error::from(io::Error::other(what));
        let array = match slice.selections.is_empty() {
            true => self.file.read_variable::<T>(&self.name),
            false => self.file.read_variable_slice::<T>(&self.name, slice),
        }
        .map_err(|e| broken(e.to_string()))?;
        match array.as_slice().map(bytemuck::cast_slice::<T, u8>) {
            Some(bytes) if bytes.len() == out.len() => out.copy_from_slice(bytes),
            _ => return Err(broken(format!("{}: a box of another size", self.name))),
        }
        Ok(())
    }
}

impl Source for Netcdf3Source {
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
        let axis = |(&s, &e): (&u64, &u64)| NcSliceInfoElem::Slice { start: s, end: s + e, step: 1 };
        let slice = NcSliceInfo { selections: start.iter().zip(extent).map(axis).collect() };
        match self.dtype {
            DType::I8 => self.copy::<i8>(&slice, out),
            DType::I16 => self.copy::<i16>(&slice, out),
            DType::I32 => self.copy::<i32>(&slice, out),
            DType::I64 => self.copy::<i64>(&slice, out),
            DType::U8 => self.copy::<u8>(&slice, out),
            DType::U16 => self.copy::<u16>(&slice, out),
            DType::U32 => self.copy::<u32>(&slice, out),
            DType::U64 => self.copy::<u64>(&slice, out),
            DType::F32 => self.copy::<f32>(&slice, out),
            _ => self.copy::<f64>(&slice, out),
        }
    }
}
