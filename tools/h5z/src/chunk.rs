//! One chunk of a dataset ⇄ a whole `.scz` file.
use crate::{Layout, Parameters};
use scicodec::{Error, Fill, Reader, Region, SliceSource, VariableMeta, encode_to_vec};

/// Said of a chunk whose elements are big-endian in HDF5 (SPEC §10.1). A `.scz` file itself has no byte order to tell.
const BIG_ENDIAN: (&str, &str) = ("byte_order", "big");

/// Encodes a chunk as it lies in memory, in the byte order of the file.
///
/// Errors: `InvalidArgument` where there are not as many bytes as the layout has, and those of the codec.
pub fn encode(values: &[u8], parameters: &Parameters, layout: &Layout) -> Result<Vec<u8>, Error> {
    if layout.chunk_bytes() != Some(values.len() as u64) {
        return Err(Error::InvalidArgument(format!(
            "a chunk of {:?} {} elements does not fit {} bytes: this filter must come first",
            layout.shape,
            layout.dtype.name(),
            values.len()
        )));
    }
    let mut options = parameters.options();
    options.fill = layout.fill.map(Fill::Bits);
    let mut meta = VariableMeta::default();
    if layout.big_endian {
        meta.attributes.push((BIG_ENDIAN.0.into(), BIG_ENDIAN.1.into()));
    }
    let swapped = (layout.big_endian != cfg!(target_endian = "big")).then(|| {
        let mut swapped = values.to_vec();
        swap(&mut swapped, layout.dtype.size());
        swapped
    });
    let source = SliceSource::new(layout.dtype, &layout.coded_shape(), swapped.as_deref().unwrap_or(values))?;
    encode_to_vec(&meta, &source, &options)
}

/// An encoded chunk, opened.
pub struct Decoder {
    reader: Reader,
    bytes: usize,
}

impl Decoder {
    /// Errors: those of [`Reader::from_bytes`]; `Unsupported` for files that this filter does not write.
    pub fn new(encoded: &[u8]) -> Result<Decoder, Error> {
        let reader = Reader::from_bytes(encoded.to_vec())?;
        let [variable] = reader.variables() else {
            return Err(Error::Unsupported { feature: format!("a chunk of {} variables", reader.variables().len()) });
        };
        let asked = variable.raw_bytes();
        let bytes = usize::try_from(asked).ok().filter(|_| asked <= MOST_BYTES);
        let bytes = bytes.ok_or(Error::Limit { what: "bytes of an HDF5 chunk", limit: MOST_BYTES, asked })?;
        Ok(Decoder { reader, bytes })
    }

    /// Bytes that it decodes to.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Decodes into memory of exactly that size, in the byte order that the dataset has.
    pub fn decode_into(&self, out: &mut [u8]) -> Result<(), Error> {
        let variable = &self.reader.variables()[0];
        self.reader.decode_region_into(0, &Region::all(&variable.shape), 1, out)?;
        let big_endian = variable.attributes.iter().any(|(name, text)| (name.as_str(), text.as_str()) == BIG_ENDIAN);
        if big_endian != cfg!(target_endian = "big") {
            swap(out, variable.dtype.size());
        }
        Ok(())
    }
}

/// Chunks of HDF5 are below 4 GiB.
const MOST_BYTES: u64 = u32::MAX as u64;

fn swap(values: &mut [u8], size: usize) {
    values.chunks_exact_mut(size).for_each(<[u8]>::reverse);
}
