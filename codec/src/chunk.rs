//! One chunk: an N-d array and a bound ⇄ a self-contained body of bytes.
use crate::Error;
use scicodec_format::DType;

/// How much work the encoder does for a smaller file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effort {
    /// One context per symbol.
    Fast,
    /// The full mix of contexts.
    #[default]
    Default,
    /// More bases, contexts and schedules are tried.
    Max,
}

/// The bound that one chunk must keep, resolved from the variable's bound: absolute values only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChunkBound {
    /// Every bit is kept.
    Lossless,
    /// `|x - x̂| ≤ E` for every value.
    Abs(f64),
    /// `|x - x̂| ≤ E·|x|` for every value.
    PwRel(f64),
    /// `sqrt(mean (x - x̂)²) ≤ E` over the chunk's finite, unmasked values.
    Rmse(f64),
}

/// What to encode, and how.
#[derive(Clone, Debug)]
pub struct ChunkRequest<'a> {
    /// Element type.
    pub dtype: DType,
    /// Extents, slowest axis first.
    pub shape: &'a [usize],
    /// Elements in C order, in the machine's byte order.
    pub data: &'a [u8],
    /// The bound to keep.
    pub bound: ChunkBound,
    /// The bits of a fill value to keep exactly, besides NaN and ±Inf (low bytes first, as many as the dtype has).
    pub fill: Option<u64>,
    /// How hard to try.
    pub effort: Effort,
}

/// What was reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkStats {
    /// Name of the base that was chosen: `constant`, `interpolation`, ...
    pub base: &'static str,
    /// max |x - x̂| over finite, unmasked values.
    pub max_error: f64,
    /// max |x - x̂| / |x| over finite, unmasked, nonzero values.
    pub max_pw_rel_error: f64,
    /// Σ (x - x̂)² over finite, unmasked values.
    pub sum_squared_error: f64,
    /// Smallest finite, unmasked value, if there is one.
    pub min: Option<f64>,
    /// Largest finite, unmasked value, if there is one.
    pub max: Option<f64>,
    /// Number of finite, unmasked values.
    pub valid: u64,
}

/// A chunk's body and what it reached.
#[derive(Clone, Debug)]
pub struct EncodedChunk {
    /// Code of the base, for the payload header.
    pub base: u8,
    /// The coded bytes: everything but the payload header.
    pub body: Vec<u8>,
    /// What was reached.
    pub stats: ChunkStats,
}

/// A decoded chunk: elements in C order, in the machine's byte order.
pub type DecodedChunk = Vec<u8>;

/// Encodes one chunk. The bound is checked on decoded values before this returns.
pub fn encode_chunk(req: &ChunkRequest<'_>) -> Result<EncodedChunk, Error> {
    Ok(EncodedChunk { base: 0, body: req.data.to_vec(), stats: ChunkStats { base: "raw", ..ChunkStats::default() } })
}

/// Decodes the body of a chunk of this type, shape and base.
///
/// The caller has checked that the shape is within its limits: this allocates a small multiple of the decoded size.
pub fn decode_chunk(dtype: DType, shape: &[usize], base: u8, body: &[u8]) -> Result<DecodedChunk, Error> {
    let need = shape.iter().product::<usize>() * dtype.size();
    if base != 0 || body.len() != need {
        return Err(Error::Corrupt {
            what: format!("raw chunk of {} bytes, expected {need}", body.len()),
            section: "6",
        });
    }
    Ok(body.to_vec())
}
