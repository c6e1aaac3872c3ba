//! Blosc in Zarr stores, read only.
//!
//! The codec of zarrs binds C-Blosc, whose Snappy needs a C++ compiler. HDF5's filter 32001 makes the same frames, and
//! rust-hdf5 reads them in Rust, within bounds.
use rust_hdf5::{
    Filter, FilterPipeline,
    format::messages::filter::{FILTER_BLOSC, FLAG_MANDATORY, reverse_filters_masked_bounded},
};
use std::{
    any::Any,
    borrow::Cow,
    sync::{Arc, Once},
};
use zarrs::{
    array::{
        ArrayBytesRaw,
        codec::api::{
            BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions, CodecOptions,
            CodecRuntimePluginV2, CodecRuntimePluginV3, CodecTraits, PartialDecoderCapability,
            PartialEncoderCapability, RecommendedConcurrency, register_codec_v2, register_codec_v3,
        },
    },
    metadata::Configuration,
    plugin::{ExtensionName, ZarrVersion},
};

/// By what names stores of either version know it; the second is that of zarr-python's wrapper.
const NAMES: [&str; 2] = ["blosc", "numcodecs.blosc"];

/// Blosc's own limit, where the size of a chunk's bytes is not known.
const MAX_BYTES: usize = i32::MAX as usize;

/// Makes the codec known to zarrs.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let codec = |configuration: &Configuration| {
            Ok(Codec::BytesToBytes(Arc::new(Blosc { configuration: configuration.clone() })))
        };
        let known = |name: &str| NAMES.contains(&name);
        register_codec_v2(CodecRuntimePluginV2::new(known, move |m| codec(m.configuration())));
        register_codec_v3(CodecRuntimePluginV3::new(known, move |m| {
            codec(m.configuration().unwrap_or(&Configuration::default()))
        }));
    });
}

/// A frame says all that its decoder needs; the configuration is the encoder's.
#[derive(Debug)]
struct Blosc {
    configuration: Configuration,
}

impl ExtensionName for Blosc {
    fn name(&self, _: ZarrVersion) -> Option<Cow<'static, str>> {
        Some(NAMES[0].into())
    }
}

impl CodecTraits for Blosc {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn configuration(&self, _: ZarrVersion, _: &CodecMetadataOptions) -> Option<Configuration> {
        Some(self.configuration.clone())
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        PartialDecoderCapability { partial_read: false, partial_decode: false }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        PartialEncoderCapability { partial_encode: false }
    }
}

impl BytesToBytesCodecTraits for Blosc {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn BytesToBytesCodecTraits> {
        self
    }

    fn recommended_concurrency(&self, _: &BytesRepresentation) -> Result<RecommendedConcurrency, CodecError> {
        Ok(RecommendedConcurrency::new_maximum(1))
    }

    fn encoded_representation(&self, _: &BytesRepresentation) -> BytesRepresentation {
        BytesRepresentation::UnboundedSize
    }

    fn encode<'a>(&self, _: ArrayBytesRaw<'a>, _: &CodecOptions) -> Result<ArrayBytesRaw<'a>, CodecError> {
        Err(CodecError::Other("Blosc is read, not written".into()))
    }

    fn decode<'a>(
        &self,
        frame: ArrayBytesRaw<'a>,
        decoded: &BytesRepresentation,
        _: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        let most = decoded.size().and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_BYTES);
        unpack(&frame, most).map(Cow::Owned).map_err(CodecError::Other)
    }
}

/// The bytes of a frame, `most` at most.
fn unpack(frame: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let filter = Filter { id: FILTER_BLOSC, flags: FLAG_MANDATORY, cd_values: vec![] };
    let pipeline = FilterPipeline { filters: vec![filter] };
    reverse_filters_masked_bounded(&pipeline, frame, 0, most).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdf5::format::messages::filter::apply_filters;

    /// A frame, as the filter writes it: element size, level, shuffle, compressor.
    fn frame(bytes: &[u8], size: u32, level: u32, shuffle: u32, compressor: u32) -> Vec<u8> {
        let cd_values = vec![2, 2, size, bytes.len() as u32, level, shuffle, compressor];
        let filter = Filter { id: FILTER_BLOSC, flags: FLAG_MANDATORY, cd_values };
        apply_filters(&FilterPipeline { filters: vec![filter] }, bytes).unwrap()
    }

    fn values() -> Vec<u8> {
        (0..1000u32).flat_map(|i| ((i / 7) as f32).sqrt().to_le_bytes()).collect()
    }

    #[test]
    fn every_compressor_and_shuffle_is_read() {
        let bytes = values();
        for compressor in 0..6 {
            for (size, shuffle, level) in [(4, 0, 5), (4, 1, 5), (8, 2, 1), (1, 1, 9), (4, 1, 0)] {
                let frame = frame(&bytes, size, level, shuffle, compressor);
                assert_eq!(
                    unpack(&frame, bytes.len()).as_deref(),
                    Ok(&bytes[..]),
                    "{compressor} {size} {shuffle} {level}"
                );
            }
        }
    }

    #[test]
    fn frames_of_more_bytes_than_the_chunk_has_are_refused() {
        let bytes = values();
        let whole = frame(&bytes, 4, 5, 1, 1);
        assert!(unpack(&whole, bytes.len() - 1).is_err());
        // A header that lies, and nothing else.
        let mut lies = whole[..16].to_vec();
        lies[4..8].copy_from_slice(&0x7fff_ff00u32.to_le_bytes());
        assert!(unpack(&lies, MAX_BYTES).is_err());
    }

    #[test]
    fn damaged_frames_never_panic() {
        let bytes = values();
        for compressor in 0..6 {
            let whole = frame(&bytes, 4, 5, 1 + compressor % 2, compressor);
            for cut in (0..whole.len()).step_by(3) {
                assert!(unpack(&whole[..cut], bytes.len()).is_err(), "{compressor} cut at {cut}");
            }
            for at in 0..whole.len().min(400) {
                for flip in [1, 0x10, 0x80, 0xff] {
                    let mut hurt = whole.clone();
                    hurt[at] ^= flip;
                    if let Ok(out) = unpack(&hurt, bytes.len()) {
                        assert!(out.len() <= bytes.len());
                    }
                }
            }
        }
    }
}
