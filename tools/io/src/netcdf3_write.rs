//! Writing netCDF-3. The whole file is put together in memory.
use crate::{
    Dataset, Error, Field, Value,
    bands::all,
    cf,
    conventions::TextKind,
    layout::{Layout, Place},
};
use bytemuck::Pod;
use netcdf_writer::{DimensionId, NcAttrValue, NcFileBuilder, NcWriteFormat, NcWriteOptions, NcWriteType, VariableId};
use scicodec::DType;
use std::io::Write;

fn broken(e: netcdf_writer::Error) -> Error {
    Error::Library { what: "netCDF", message: e.to_string() }
}

/// Writes a dataset without groups. `progress` is told the bytes of elements taken in.
pub(crate) fn write(out: &mut dyn Write, dataset: &Dataset, progress: &dyn Fn(u64)) -> Result<(), Error> {
    let layout = Layout::of(dataset);
    let [root] = layout.groups.as_slice() else {
        return Err(Error::Unsupported { feature: "groups in a netCDF-3 file".into() });
    };
    let mut builder = NcFileBuilder::new();
    let mut dimensions = Vec::new();
    for d in &root.dimensions {
        let made = match d.unlimited {
            true => builder.add_unlimited_dimension(&d.name),
            false => builder.add_dimension(&d.name, d.size),
        };
        dimensions.push(made.map_err(broken)?);
    }
    for attribute in &root.attributes {
        builder.add_attribute(&attribute.name, value(&attribute.value)).map_err(broken)?;
    }
    for (field, place) in dataset.fields.iter().zip(&layout.fields) {
        variable(&mut builder, field, place, &layout, &dimensions)?;
        progress(field.source.shape().iter().product::<u64>() * field.source.dtype().size() as u64);
    }
    let format = match root.format.as_str() {
        "netcdf3" => NcWriteFormat::Classic,
        "netcdf3-64bit-offset" => NcWriteFormat::Offset64,
        "netcdf3-64bit-data" => NcWriteFormat::Cdf5,
        _ => NcWriteFormat::AutoClassic,
    };
    builder.write(out, NcWriteOptions { format }).map_err(broken)?;
    Ok(())
}

fn variable(
    builder: &mut NcFileBuilder,
    field: &Field,
    place: &Place,
    layout: &Layout,
    dimensions: &[DimensionId],
) -> Result<(), Error> {
    let source = field.source.as_ref();
    let mut axes: Vec<DimensionId> = place.axes.iter().map(|a| dimensions[a.dimension]).collect();
    let mut bytes = all(source)?;
    // What the unlimited dimension has more of, by another variable, is fill here.
    let missing = match (place.axes.first().map(|&a| layout.at(a)), source.shape()) {
        (Some(first), [rows, rest @ ..]) if first.unlimited => (first.size - rows) * rest.iter().product::<u64>(),
        _ => 0,
    };
    if field.text.is_some() {
        if field.text == Some(TextKind::Strings) {
            let width = source.shape().last().copied().unwrap_or(0).max(1);
            let name = format!("{}_length", place.name);
            axes.push(builder.add_dimension(name, width).map_err(broken)?);
        }
        bytes.resize(bytes.len() + missing as usize, 0);
        let variable = builder.add_char_variable(&place.name, &axes).map_err(broken)?;
        attributes(builder, variable, field)?;
        return builder.write_char_variable(variable, &bytes).map_err(broken);
    }
    let fill = cf::fill_bits(&field.attributes, source.dtype()).or_else(|| cf::default_fill(source.dtype()));
    let fill = fill.unwrap_or(0).to_le_bytes();
    for _ in 0..missing {
        bytes.extend_from_slice(&fill[..source.dtype().size()]);
    }
    let mut add = Add { builder, name: &place.name, axes: &axes, field };
    match source.dtype() {
        DType::I8 => add.numbers::<i8>(&bytes),
        DType::I16 => add.numbers::<i16>(&bytes),
        DType::I32 => add.numbers::<i32>(&bytes),
        DType::I64 => add.numbers::<i64>(&bytes),
        DType::U8 => add.numbers::<u8>(&bytes),
        DType::U16 => add.numbers::<u16>(&bytes),
        DType::U32 => add.numbers::<u32>(&bytes),
        DType::U64 => add.numbers::<u64>(&bytes),
        DType::F32 => add.numbers::<f32>(&bytes),
        DType::F64 => add.numbers::<f64>(&bytes),
        DType::F16 => {
            let halves = bytes.chunks_exact(2).map(|b| half::f16::from_ne_bytes([b[0], b[1]]).to_f32());
            let floats: Vec<f32> = halves.collect();
            add.numbers::<f32>(bytemuck::cast_slice(&floats))
        }
    }
}

struct Add<'a> {
    builder: &'a mut NcFileBuilder,
    name: &'a str,
    axes: &'a [DimensionId],
    field: &'a Field,
}

impl Add<'_> {
    fn numbers<T: NcWriteType + Pod>(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let variable = self.builder.add_variable::<T>(self.name, self.axes).map_err(broken)?;
        attributes(self.builder, variable, self.field)?;
        let elements: Vec<T> = bytemuck::pod_collect_to_vec(bytes);
        self.builder.write_variable(variable, &elements).map_err(broken)
    }
}

fn attributes(builder: &mut NcFileBuilder, variable: VariableId, field: &Field) -> Result<(), Error> {
    for attribute in &field.attributes {
        builder.add_variable_attribute(variable, &attribute.name, value(&attribute.value)).map_err(broken)?;
    }
    Ok(())
}

/// netCDF-3 has no strings: they are text, several of them one after another.
fn value(value: &Value) -> NcAttrValue {
    match value {
        Value::Text(text) => NcAttrValue::Chars(text.clone()),
        Value::Strings(all) => NcAttrValue::Chars(all.join("\n")),
        Value::Json(json) => NcAttrValue::Chars(json.to_string()),
        Value::I8(v) => NcAttrValue::Bytes(v.clone()),
        Value::I16(v) => NcAttrValue::Shorts(v.clone()),
        Value::I32(v) => NcAttrValue::Ints(v.clone()),
        Value::I64(v) => NcAttrValue::Int64s(v.clone()),
        Value::U8(v) => NcAttrValue::UBytes(v.clone()),
        Value::U16(v) => NcAttrValue::UShorts(v.clone()),
        Value::U32(v) => NcAttrValue::UInts(v.clone()),
        Value::U64(v) => NcAttrValue::UInt64s(v.clone()),
        Value::F32(v) => NcAttrValue::Floats(v.clone()),
        Value::F64(v) => NcAttrValue::Doubles(v.clone()),
    }
}
