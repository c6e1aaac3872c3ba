//! Writing netCDF-4: HDF5 with netCDF's conventions, as the netCDF library reads them.
use crate::{
    Attribute, Dataset, Error, Field, Group, Value,
    attribute::{find, for_numbers},
    bands::{all, bands},
    cf,
    conventions::TextKind,
    layout::{DimensionAt, Layout, Place, extents},
    strings::unpadded,
};
use bytemuck::Pod;
use rust_hdf5::{DatatypeMessage, H5Dataset, H5File, H5Group, H5Type};
use scicodec::{DType, Source};
use std::{collections::HashMap, path::Path};

/// Chunks of what can grow have no more bytes than this.
const CHUNK: u64 = 4 << 20;

type Done = Result<(), Error>;

fn broken(e: impl std::fmt::Display) -> Error {
    Error::Library { what: "HDF5", message: e.to_string() }
}

/// Writes a dataset into a file that is not there yet, or replaced. `progress` is told the bytes of elements written.
pub(crate) fn write(path: &Path, dataset: &Dataset, progress: &dyn Fn(u64)) -> Done {
    let layout = Layout::of(dataset);
    let file = H5File::options().track_order(true).track_times(false).no_locking().create(path).map_err(broken)?;
    let mut writer = Writer { groups: vec![], scales: HashMap::new(), layout: &layout, progress };
    writer.groups(&file)?;
    writer.dimensions(dataset)?;
    let mut made = Vec::new();
    for (field, place) in dataset.fields.iter().zip(&layout.fields) {
        made.push(writer.variable(field, place)?);
    }
    for ((field, place), variable) in dataset.fields.iter().zip(&layout.fields).zip(&made) {
        writer.connect(field, place, variable)?;
    }
    drop(made);
    drop(writer);
    file.close().map_err(broken)
}

struct Writer<'a> {
    groups: Vec<H5Group>,
    /// The dataset of each dimension, by group and place in it.
    scales: HashMap<(usize, usize), H5Dataset>,
    layout: &'a Layout,
    progress: &'a dyn Fn(u64),
}

impl Writer<'_> {
    fn groups(&mut self, file: &H5File) -> Done {
        for group in &self.layout.groups {
            let made = match group.path.rsplit_once('/') {
                _ if group.path.is_empty() => file.root_group(),
                None => file.root_group().create_group(&group.path).map_err(broken)?,
                Some((around, name)) => match self.layout.groups.iter().position(|g| g.path == around) {
                    Some(around) => self.groups[around].create_group(name).map_err(broken)?,
                    None => file.root_group().create_group(&group.path).map_err(broken)?,
                },
            };
            for attribute in &group.attributes {
                group_attribute(&made, attribute)?;
            }
            self.groups.push(made);
        }
        let root = &self.groups[0];
        let properties = format!("version=2,scicodec={}", env!("CARGO_PKG_VERSION"));
        text(&properties, |t, v| root.set_attr_typed("_NCProperties", t, v))?;
        if is_strict(&self.layout.groups[0]) {
            root.set_attr_array_numeric("_nc3_strict", &[1i32]).map_err(broken)?;
        }
        Ok(())
    }

    /// The datasets of dimensions that no variable is the coordinate of.
    fn dimensions(&mut self, dataset: &Dataset) -> Done {
        let own: Vec<DimensionAt> =
            dataset.fields.iter().zip(&self.layout.fields).filter_map(|(_, place)| self.coordinate_of(place)).collect();
        for (group, g) in self.layout.groups.iter().enumerate() {
            for (dimension, info) in g.dimensions.iter().enumerate() {
                let at = DimensionAt { group, dimension };
                if own.contains(&at) {
                    continue;
                }
                let builder = self.groups[group].new_dataset::<f32>().shape([info.size as usize]);
                let builder = match info.unlimited {
                    true => builder.chunk(&[1024]).max_shape(&[None]),
                    false => builder,
                };
                let scale = builder.create(&info.name).map_err(broken)?;
                let name = format!("This is a netCDF dimension but not a netCDF variable.{:10}", info.size);
                scale.set_scale(Some(&name)).map_err(broken)?;
                self.number(at, &scale)?;
                self.scales.insert((group, dimension), scale);
            }
        }
        Ok(())
    }

    /// netCDF numbers dimensions through all groups.
    fn number(&self, at: DimensionAt, scale: &H5Dataset) -> Done {
        let id = self.id(at);
        let attribute = scale.new_attr::<i32>().create("_Netcdf4Dimid").map_err(broken)?;
        attribute.write_numeric(&id).map_err(broken)
    }

    fn id(&self, at: DimensionAt) -> i32 {
        let before: usize = self.layout.groups[..at.group].iter().map(|g| g.dimensions.len()).sum();
        (before + at.dimension) as i32
    }

    /// The dimension that a variable is the coordinate of: its first, where that has its name and is of its group.
    fn coordinate_of(&self, place: &Place) -> Option<DimensionAt> {
        let first = *place.axes.first()?;
        (first.group == place.group && self.layout.at(first).name == place.name).then_some(first)
    }

    fn variable(&mut self, field: &Field, place: &Place) -> Result<H5Dataset, Error> {
        let group = &self.groups[place.group];
        let scale = self.coordinate_of(place);
        // The name of a dimension is taken by its own dataset.
        let taken = self.layout.groups[place.group].dimensions.iter().any(|d| d.name == place.name);
        let name = match scale.is_none() && taken {
            true => format!("_nc4_non_coord_{}", place.name),
            false => place.name.clone(),
        };
        let unlimited: Vec<bool> = place.axes.iter().map(|&a| self.layout.at(a).unlimited).collect();
        let made = match (field.text, field.source.dtype()) {
            (Some(TextKind::Strings), _) => self.strings(group, &name, field, &unlimited)?,
            (Some(TextKind::Chars), _) => self.array::<u8>(group, &name, field, &unlimited)?,
            (None, dtype) => match dtype {
                DType::I8 => self.array::<i8>(group, &name, field, &unlimited)?,
                DType::I16 => self.array::<i16>(group, &name, field, &unlimited)?,
                DType::I32 => self.array::<i32>(group, &name, field, &unlimited)?,
                DType::I64 => self.array::<i64>(group, &name, field, &unlimited)?,
                DType::U8 => self.array::<u8>(group, &name, field, &unlimited)?,
                DType::U16 => self.array::<u16>(group, &name, field, &unlimited)?,
                DType::U32 => self.array::<u32>(group, &name, field, &unlimited)?,
                DType::U64 => self.array::<u64>(group, &name, field, &unlimited)?,
                DType::F64 => self.array::<f64>(group, &name, field, &unlimited)?,
                DType::F16 | DType::F32 => self.array::<f32>(group, &name, field, &unlimited)?,
            },
        };
        if scale.is_some() {
            made.set_scale(Some(&place.name)).map_err(broken)?;
        }
        let strict = is_strict(&self.layout.groups[0]);
        for attribute in &field.attributes {
            match &attribute.value {
                Value::Strings(all) if strict && all.len() == 1 => {
                    dataset_attribute(&made, &attribute.name, &Value::Text(all[0].clone()))?;
                }
                value => dataset_attribute(&made, &attribute.name, value)?,
            }
        }
        Ok(made)
    }

    /// Ties a variable to its dimensions, once all are there.
    fn connect(&mut self, field: &Field, place: &Place, variable: &H5Dataset) -> Done {
        if let Some(own) = self.coordinate_of(place) {
            self.number(own, variable)?;
            if place.axes.len() > 1 {
                let ids: Vec<i32> = place.axes.iter().map(|&a| self.id(a)).collect();
                let attribute = variable.new_attr::<i32>().shape([ids.len()]).create("_Netcdf4Coordinates");
                attribute.and_then(|a| a.write_array(&ids)).map_err(broken)?;
            }
            return Ok(());
        }
        debug_assert_eq!(place.axes.len(), extents(field).len());
        for (axis, at) in place.axes.iter().enumerate() {
            match self.scales.get(&(at.group, at.dimension)) {
                Some(scale) => variable.attach_scale(axis, scale).map_err(broken)?,
                None => {
                    // The scale is a variable.
                    let name = &self.layout.at(*at).name;
                    let scale = self.groups[at.group].dataset_writer(name).map_err(broken)?;
                    variable.attach_scale(axis, &scale).map_err(broken)?;
                }
            }
        }
        Ok(())
    }

    /// A dataset of numbers, or of characters.
    fn array<T: H5Type + Pod>(
        &self,
        group: &H5Group,
        name: &str,
        field: &Field,
        unlimited: &[bool],
    ) -> Result<H5Dataset, Error> {
        let source = field.source.as_ref();
        let shape: Vec<usize> = source.shape().iter().map(|&n| n as usize).collect();
        let mut builder = group.new_dataset::<T>().shape(&shape);
        if unlimited.contains(&true) {
            let max: Vec<_> = shape.iter().zip(unlimited).map(|(&n, &u)| (!u).then_some(n)).collect();
            builder = builder.chunk(&chunk(field, size_of::<T>())).max_shape(&max);
        }
        if field.text == Some(TextKind::Chars) {
            builder = builder.datatype(DatatypeMessage::FixedString { size: 1, padding: 0, charset: 0 });
        } else if let Some(fill) = find(&field.attributes, "_FillValue") {
            let bits = cf::fill_bits(&[Attribute { name: "_FillValue".into(), value: fill.clone() }], source.dtype());
            if let (Some(bits), false) = (bits, source.dtype() == DType::F16) {
                builder = builder.fill_value_bytes(&bits.to_le_bytes()[..size_of::<T>()]);
            }
        }
        let dataset = builder.create(name).map_err(broken)?;
        let half = source.dtype() == DType::F16;
        let step = field.chunk.first().copied().unwrap_or(1);
        for (start, extent) in bands(source.shape(), source.dtype().size(), step) {
            let count = extent.iter().product::<u64>() as usize;
            let mut elements = vec![T::zeroed(); count];
            match half {
                true => widen(source, &start, &extent, bytemuck::cast_slice_mut(&mut elements))?,
                false => source.read(&start, &extent, bytemuck::cast_slice_mut(&mut elements))?,
            }
            let small = |all: &[u64]| all.iter().map(|&n| n as usize).collect::<Vec<_>>();
            match shape.is_empty() {
                true => dataset.write_raw(&elements),
                false => dataset.write_slice(&small(&start), &small(&extent), &elements),
            }
            .map_err(broken)?;
            (self.progress)((count * source.dtype().size()) as u64);
        }
        Ok(dataset)
    }

    /// A dataset of strings along one axis; strings of another shape are characters, along one axis more.
    fn strings(&self, group: &H5Group, name: &str, field: &Field, unlimited: &[bool]) -> Result<H5Dataset, Error> {
        let source = field.source.as_ref();
        let bytes = all(source)?;
        let (&width, shape) = source.shape().split_last().unwrap_or((&0, &[]));
        let count = shape.iter().product();
        let strings = unpadded(width, count, &bytes);
        let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
        let done = match (shape.len(), unlimited) {
            (1, [true]) => {
                let dataset = group.create_appendable_vlen_dataset(name, 1024, None).map_err(broken)?;
                group.append_vlen_strings(name, &strings).map_err(broken)?;
                dataset
            }
            (1, _) => group.write_vlen_strings(name, &strings).map_err(broken)?,
            _ => {
                let shape: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
                let size = width.max(1) as u32;
                let datatype = DatatypeMessage::FixedString { size, padding: 1, charset: 1 };
                let dataset = group.new_dataset::<u8>().shape(&shape).datatype(datatype).create(name);
                let dataset = dataset.map_err(broken)?;
                let padding = vec![0; if width == 0 { count as usize } else { 0 }];
                dataset.write_raw_bytes(if width == 0 { &padding } else { &bytes }).map_err(broken)?;
                dataset
            }
        };
        (self.progress)(bytes.len() as u64);
        Ok(done)
    }
}

/// Reads halves as the floats that they are.
fn widen(source: &dyn Source, start: &[u64], extent: &[u64], out: &mut [u8]) -> Done {
    let mut halves = vec![0; out.len() / 2];
    source.read(start, extent, &mut halves)?;
    for (to, from) in out.chunks_exact_mut(4).zip(halves.chunks_exact(2)) {
        to.copy_from_slice(&half::f16::from_ne_bytes([from[0], from[1]]).to_f32().to_ne_bytes());
    }
    Ok(())
}

/// Chunks of a variable that can grow: those that it had, cut down to a size that readers keep in memory.
fn chunk(field: &Field, size: usize) -> Vec<usize> {
    let shape = field.source.shape();
    let had = |k: usize| field.chunk.get(k).copied().unwrap_or(shape[k]).min(shape[k]).max(1);
    let mut chunk: Vec<u64> = (0..shape.len()).map(had).collect();
    if let [one] = chunk.as_mut_slice() {
        *one = (*one).max(512);
    }
    while chunk.iter().product::<u64>().saturating_mul(size as u64) > CHUNK {
        let Some(first) = chunk.iter_mut().find(|n| **n > 1) else { break };
        *first = first.div_ceil(2);
    }
    chunk.iter().map(|&n| n as usize).collect()
}

/// Whether a file keeps to netCDF-3's model, as it says of itself.
fn is_strict(root: &Group) -> bool {
    root.format == "netcdf4-classic"
}

/// A text of fixed length: netCDF's `char`.
fn text(value: &str, set: impl FnOnce(DatatypeMessage, Vec<u8>) -> rust_hdf5::Result<()>) -> Done {
    let mut bytes = value.as_bytes().to_vec();
    if bytes.is_empty() {
        bytes.push(0);
    }
    let charset = u8::from(!value.is_ascii());
    set(DatatypeMessage::FixedString { size: bytes.len() as u32, padding: 0, charset }, bytes).map_err(broken)
}

fn group_attribute(group: &H5Group, attribute: &Attribute) -> Done {
    let name = attribute.name.as_str();
    macro_rules! set {
        ($($n:literal $variant:ident $t:ident),*) => {
            match &attribute.value {
                Value::Text(value) => text(value, |t, v| group.set_attr_typed(name, t, v)),
                Value::Json(json) => text(&json.to_string(), |t, v| group.set_attr_typed(name, t, v)),
                Value::Strings(all) => {
                    let all: Vec<&str> = all.iter().map(String::as_str).collect();
                    group.set_attr_string_array(name, &all).map_err(broken)
                }
                $(Value::$variant(all) => group.set_attr_array_numeric(name, all).map_err(broken),)*
            }
        };
    }
    for_numbers!(set)
}

fn dataset_attribute(dataset: &H5Dataset, name: &str, value: &Value) -> Done {
    macro_rules! set {
        ($($n:literal $variant:ident $t:ident),*) => {
            match value {
                Value::Text(value) => text(value, |t, v| dataset.set_attr_typed(name, t, v)),
                Value::Json(json) => text(&json.to_string(), |t, v| dataset.set_attr_typed(name, t, v)),
                Value::Strings(all) => {
                    let all: Vec<&str> = all.iter().map(String::as_str).collect();
                    let made = dataset.new_attr::<u8>().shape([all.len()]).create(name).map_err(broken)?;
                    made.write_string_array(&all).map_err(broken)
                }
                $(Value::$variant(all) => {
                    let made = dataset.new_attr::<$t>().shape([all.len()]).create(name).map_err(broken)?;
                    made.write_array(all).map_err(broken)
                })*
            }
        };
    }
    for_numbers!(set)
}
