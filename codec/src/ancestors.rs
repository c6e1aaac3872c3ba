//! Decoding a chunk together with those that it cannot be decoded without (SPEC §6.12).
use crate::chunk::{decode_chunk_among, decode_part_among};
use crate::learned::{AtHand, LoadedModel};
use crate::part::Part;
use crate::{DType, Error, Reference};
use scicodec_format::{ChunkRef, PayloadHeader, element_count};
use std::collections::HashMap;
use std::sync::Arc;

/// Chunks that may have to be decoded for one, besides it.
const MOST: usize = 256;

/// A chunk that has been found.
pub(crate) struct Found<'a> {
    pub header: PayloadHeader,
    pub body: std::borrow::Cow<'a, [u8]>,
    /// The bits of its variable's fill value.
    pub fill: Option<u64>,
    pub model: Option<Arc<LoadedModel>>,
}

/// A decoded chunk.
pub(crate) struct Decoded {
    pub dtype: DType,
    pub data: Vec<u8>,
    pub fill: Option<u64>,
}

impl Decoded {
    pub(crate) fn as_reference(&self) -> Reference<'_> {
        Reference { dtype: self.dtype, data: &self.data, fill: self.fill }
    }
}

/// Where chunks are found, and how errors are told.
pub(crate) trait Chunks<'a> {
    /// A chunk. `MissingChunk` where it was lost.
    fn find(&self, place: ChunkRef) -> Result<Found<'a>, Error>;
    /// The model in the file whose digest begins so.
    fn model_inside(&self, first: &[u8]) -> Result<Arc<LoadedModel>, Error>;
    /// Name of a variable.
    fn name(&self, variable: u64) -> String;
}

/// Decodes a chunk, after those that it needs, each of which is decoded once. References have been checked: they go back.
///
/// Errors: those of the chunks; `MissingReference` where one that it needs was lost; `Limit` where it needs too many.
pub(crate) fn decode<'a>(chunks: &impl Chunks<'a>, place: ChunkRef) -> Result<Decoded, Error> {
    one(chunks, place, chunks.find(place)?, None, &mut HashMap::new())
}

/// The values of a chunk, or of a part of it. Errors: as of [`decode`].
pub(crate) fn decode_part<'a>(
    chunks: &impl Chunks<'a>,
    place: ChunkRef,
    part: Option<&Part>,
) -> Result<Vec<u8>, Error> {
    Ok(one(chunks, place, chunks.find(place)?, part, &mut HashMap::new())?.data)
}

fn one<'a>(
    chunks: &impl Chunks<'a>,
    place: ChunkRef,
    found: Found<'a>,
    part: Option<&Part>,
    known: &mut HashMap<ChunkRef, Arc<Decoded>>,
) -> Result<Decoded, Error> {
    let Found { header, body, fill, model } = found;
    let mut needed = Vec::new();
    for &r in &header.references {
        if !known.contains_key(&r) {
            if known.len() >= MOST {
                let asked = known.len() as u64 + 1;
                return Err(Error::Limit { what: "chunks to decode for one", limit: MOST as u64, asked });
            }
            let parent = chunks.find(r).map_err(|e| match e {
                Error::MissingChunk { variable, chunk } => {
                    let child_variable = chunks.name(place.variable);
                    Error::MissingReference { variable, chunk, child_variable, child: place.chunk }
                }
                other => other,
            })?;
            let parent = Arc::new(one(chunks, r, parent, None, known)?);
            known.insert(r, parent);
        }
        needed.extend(known.get(&r).cloned());
    }
    let references: Vec<Reference<'_>> = needed.iter().map(|d| d.as_reference()).collect();
    let shape: Vec<usize> = header.shape.iter().map(|&e| e as usize).collect();
    let inside = |first: &[u8]| chunks.model_inside(first);
    let at_hand = model.as_ref().map_or(AtHand::File(&inside), AtHand::Named);
    let decoded = match part {
        None => decode_chunk_among(header.dtype, &shape, header.base, &body, at_hand, &references),
        Some(part) => decode_part_among(header.dtype, &shape, header.base, &body, at_hand, &references, part),
    };
    let data = decoded.map_err(|e| match e {
        Error::Corrupt { what, section } => {
            let name = chunks.name(place.variable);
            Error::Corrupt { what: format!("chunk {} of variable {name:?}: {what}", place.chunk), section }
        }
        other => other,
    })?;
    let elements = part.map_or_else(|| element_count(&header.shape), |part| Some(part.len() as u64));
    if elements.and_then(|n| n.checked_mul(header.dtype.size() as u64)) != Some(data.len() as u64) {
        return Err(Error::Corrupt { what: format!("a chunk decoded to {} bytes", data.len()), section: "4" });
    }
    Ok(Decoded { dtype: header.dtype, data, fill })
}
