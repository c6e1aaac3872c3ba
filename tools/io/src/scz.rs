//! The variables of a `.scz` file as sources.
use crate::{
    Dataset, Field, Format,
    array_file::check_box,
    conventions::{Kind, interpret},
};
use scicodec::{DType, Reader, Region, Source};
use std::sync::Arc;

/// A box of one variable, decoded as it is read.
struct SczSource {
    reader: Arc<Reader>,
    variable: usize,
    /// Where the box starts, along each axis.
    start: Vec<u64>,
    shape: Vec<u64>,
    threads: usize,
}

impl Source for SczSource {
    fn dtype(&self) -> DType {
        self.reader.variables()[self.variable].dtype
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        check_box(self.dtype(), self.shape(), start, extent, out.len())?;
        let axis = |((&s, &e), &from): ((&u64, &u64), &u64)| from + s..from + s + e;
        let region = Region(start.iter().zip(extent).zip(&self.start).map(axis).collect());
        self.reader.decode_region_into(self.variable, &region, self.threads, out)
    }
}

/// All variables of a file, in its order. Each is decoded by one thread: its reader may be one of many.
pub(crate) fn dataset(reader: Reader) -> Dataset {
    all(&Arc::new(reader), 1)
}

/// The variables of a `.scz` file as a dataset, to be written as another file.
///
/// With `region`, a variable and a box of it: other variables keep, along the dimensions of that variable, what is in the
/// box. `threads` decode each piece; 0 are as many as there are cores.
pub fn decoded(reader: &Arc<Reader>, region: Option<(usize, &Region)>, threads: usize) -> Dataset {
    let cuts: Vec<(String, std::ops::Range<u64>)> = match region {
        Some((variable, region)) => {
            let names = &reader.variables()[variable].dimensions;
            names.iter().cloned().zip(region.0.iter().cloned()).filter(|(name, _)| !name.is_empty()).collect()
        }
        None => vec![],
    };
    let mut dataset = all(reader, threads);
    let Some((chosen, region)) = region else { return dataset };
    for field in &mut dataset.fields {
        let Some(variable) = reader.variables().iter().position(|v| Some(&v.name) == field.name.as_ref()) else {
            continue;
        };
        let shape = &reader.variables()[variable].shape;
        let axis = |(k, &n): (usize, &u64)| {
            let cut = field.dimensions.get(k).and_then(|d| cuts.iter().find(|(name, _)| name == d));
            cut.map(|(_, range)| range.clone()).filter(|r| r.end <= n).unwrap_or(0..n)
        };
        let ranges: Vec<_> = match variable == chosen {
            true => region.0.clone(),
            false => shape.iter().enumerate().map(axis).collect(),
        };
        field.source = Box::new(SczSource {
            reader: Arc::clone(reader),
            variable,
            start: ranges.iter().map(|r| r.start).collect(),
            shape: ranges.iter().map(|r| r.end - r.start).collect(),
            threads,
        });
    }
    dataset
}

fn all(reader: &Arc<Reader>, threads: usize) -> Dataset {
    let mut dataset = Dataset { format: Format::Scz, fields: vec![], groups: vec![], left_out: vec![] };
    for (variable, v) in reader.variables().iter().enumerate() {
        let (attributes, kind) = interpret(&v.name, &v.attributes);
        match kind {
            Kind::Group(group) => dataset.groups.push(group),
            Kind::Array(text) => dataset.fields.push(Field {
                name: Some(v.name.clone()),
                units: v.units.clone(),
                attributes,
                dimensions: v.dimensions.clone(),
                text,
                chunk: v.chunk_shape.clone(),
                source: Box::new(SczSource {
                    reader: Arc::clone(reader),
                    variable,
                    start: vec![0; v.shape.len()],
                    shape: v.shape.clone(),
                    threads,
                }),
            }),
        }
    }
    dataset
}
