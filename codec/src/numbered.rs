//! Chunks of whole numbers in place of elements: how they are found and read (SPEC §8.13).
use crate::apart::Apart;
use crate::bytes::Bytes;
use crate::chunk::{DecodedChunk, EncodedChunk, decode_chunk_among, write};
use crate::contest::{self, Best};
use crate::elements::{bits, to_bytes};
use crate::learned::{AtHand, Guiding};
use crate::numbering::Numbering;
use crate::plan::{NUMBERED, Plan, base_name};
use crate::prepare::Prepared;
use crate::scout::{self, Hint};
use crate::{ChunkStats, Error};
use scicodec_format::DType;

/// The bases that numbers may have: constant, lossless, and those on a lattice.
const INNER: [u8; 7] = [0, 5, 17, 18, 19, 26, 27];

/// The part of a chunk's bytes that is little.
const LITTLE: usize = 256;

/// The chunk in numbers, where that takes less than so many bytes. `hints` are those of chunks in numbers.
pub fn smaller(x: &Prepared, bytes: usize, hints: &[Hint]) -> Result<Option<(EncodedChunk, Option<Hint>)>, Error> {
    let mut found: Option<(EncodedChunk, Option<Hint>)> = None;
    for numbering in Numbering::likely(x, bytes) {
        let mut head = vec![0];
        numbering.write(&mut head);
        let mut least = found.as_ref().map_or(bytes, |f| f.0.body.len());
        if matches!(numbering, Numbering::Ordered { low: 0, .. }) {
            // What is about as large is not worth it that others are tried both ways.
            least -= least / LITTLE;
        }
        if head.len() >= least {
            continue;
        }
        let mut inner = numbering.chunk(x);
        let (Best { mut plan, mut coded, .. }, apart) = contest::smallest(&mut inner, hints)?;
        if !INNER.contains(&plan.code()) || !inner.keeps(&inner.stats(&plan, &coded.decoded)) {
            plan = inner.exactly();
            coded = write(&inner, &plan);
        }
        head[0] = plan.code();
        head.extend(coded.body);
        if head.len() < least {
            found = Some(chunk(x, &inner, (plan, apart), head));
        }
    }
    Ok(found)
}

/// What is written, and what others may be told.
fn chunk(x: &Prepared, inner: &Prepared, (plan, apart): (Plan, Apart), body: Vec<u8>) -> (EncodedChunk, Option<Hint>) {
    let stats = ChunkStats { base: base_name(NUMBERED), ..x.stats(&plan, &x.bits) };
    let model = plan.guiding();
    let asks_model = model.is_some_and(|m| Guiding::of(&x.model).as_ref() == Some(m));
    let model = model.and_then(Guiding::named);
    let hint = scout::hint(inner, plan, apart, body.len()).map(Hint::of_numbers);
    (EncodedChunk { base: NUMBERED, body, model, asks_model, references: vec![], stats }, hint)
}

/// Decodes the body of a chunk in numbers.
pub fn decode(
    dtype: DType,
    shape: &[usize],
    n: usize,
    body: &[u8],
    at_hand: AtHand<'_>,
) -> Result<DecodedChunk, Error> {
    let (numbering, inner, body) = split(body, n)?;
    let numbers = decode_chunk_among(DType::I64, shape, inner, body, at_hand, &[])?;
    Ok(to_bytes(dtype, &numbering.elements(dtype, &bits(DType::I64, &numbers))))
}

/// What stands for the elements of a chunk of `n`, and the base and body of the numbers.
pub fn split(body: &[u8], n: usize) -> Result<(Numbering, u8, &[u8]), Error> {
    let mut body = Bytes(body);
    let inner = body.byte()?;
    if !INNER.contains(&inner) {
        return Err(Error::Unsupported { feature: format!("base {inner} of numbers") });
    }
    Ok((Numbering::read(&mut body, n)?, inner, body.0))
}
