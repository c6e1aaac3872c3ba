//! The variables of a `.scz` file as sources.
use crate::{Field, array_file::check_box};
use scicodec::{DType, Reader, Region, Source};
use std::sync::Arc;

/// One variable, decoded as it is read.
struct SczSource {
    reader: Arc<Reader>,
    variable: usize,
}

impl Source for SczSource {
    fn dtype(&self) -> DType {
        self.reader.variables()[self.variable].dtype
    }

    fn shape(&self) -> &[u64] {
        &self.reader.variables()[self.variable].shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
        check_box(self.dtype(), self.shape(), start, extent, out.len())?;
        let region = Region(start.iter().zip(extent).map(|(&s, &e)| s..s + e).collect());
        out.copy_from_slice(&self.reader.decode_region(self.variable, &region, 1)?);
        Ok(())
    }
}

/// All variables of a file, in its order.
pub(crate) fn fields(reader: Reader) -> Vec<Field> {
    let reader = Arc::new(reader);
    (0..reader.variables().len())
        .map(|variable| {
            let v = &reader.variables()[variable];
            Field {
                name: Some(v.name.clone()),
                units: v.units.clone(),
                attributes: v.attributes.clone(),
                dimensions: v.dimensions.clone(),
                source: Box::new(SczSource { reader: Arc::clone(&reader), variable }),
            }
        })
        .collect()
}
