//! One chunk payload: a self-describing header and a body (SPEC §5). It needs no container around it.
use crate::bound::{put_bound, read_bound};
use crate::cursor::{Cursor, put_u32, put_varint};
use crate::reference::{ChunkRef, is_conditioned, put_references, read_references};
use crate::shape::{check_chunk_bytes, put_extents, put_type_and_rank, read_type_and_shape};
use crate::{DType, Defect, Error, ErrorBound, Limits, error::corrupt};

/// First two bytes of every payload.
pub const PAYLOAD_MAGIC: [u8; 2] = [0xb5, 0x63];
/// The version of payloads that describe themselves.
pub const PAYLOAD_VERSION: u8 = 1;
/// The version of payloads without dtype, shape and bound: those of a container that are small (SPEC §5).
pub(crate) const BARE_VERSION: u8 = 2;

const HAS_MODEL: u8 = 0x10;
const HAS_PLACE: u8 = 0x20;
const ALIGNED: u8 = 0x40;
const RESERVED: u8 = 0x80;

/// What a payload says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct PayloadHeader {
    /// Element type.
    pub dtype: DType,
    /// Extents of this chunk, slowest axis first.
    pub shape: Vec<u64>,
    /// The bound that was asked for the whole variable.
    pub bound: ErrorBound,
    /// Code of the base that predicts the chunk: it says how the body is read.
    pub base: u8,
    /// Ordinal of the variable in its container; 0 outside one.
    pub variable: u64,
    /// Ordinal of the chunk in its variable, through all segments; 0 outside a container.
    pub chunk: u64,
    /// Digest of the model that decoding needs.
    pub model: Option<[u8; 32]>,
    /// The chunks that must be decoded before this one, in the order in which its base wants them.
    pub references: Vec<ChunkRef>,
    /// Whether the body starts at a multiple of 8 bytes from the payload's start, for zero-copy views.
    pub aligned: bool,
}

/// A parsed payload over borrowed bytes, whose checksum has been found right.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// What it says of itself.
    pub header: PayloadHeader,
    /// The coded chunk.
    pub body: &'a [u8],
    /// CRC32C of header and body, as stored.
    pub crc: u32,
    /// Bytes of the whole payload.
    pub length: u64,
}

/// A payload ready to be written.
#[derive(Clone, Debug)]
pub struct EncodedPayload {
    /// Header and body.
    pub bytes: Vec<u8>,
    /// The checksum stored in them.
    pub crc: u32,
    header: PayloadHeader,
    body_at: usize,
}

impl EncodedPayload {
    /// Puts a header before a body.
    pub fn new(header: &PayloadHeader, body: &[u8]) -> EncodedPayload {
        let mut whole = vec![];
        if is_conditioned(header.base) {
            put_references(&mut whole, header.place(), &header.references);
        }
        whole.extend_from_slice(body);
        let (bytes, crc) = put_payload(header, PAYLOAD_VERSION, header.aligned, &whole);
        EncodedPayload { body_at: bytes.len() - whole.len(), bytes, crc, header: header.clone() }
    }

    /// What was put before the body.
    pub fn header(&self) -> &PayloadHeader {
        &self.header
    }

    /// The coded chunk, its references before it.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or(&[])
    }

    /// The same without what a record tells, and its checksum.
    pub(crate) fn bare(&self) -> (Vec<u8>, u32) {
        put_payload(&self.header, BARE_VERSION, false, self.body())
    }
}

impl PayloadHeader {
    /// Which chunk it is.
    pub fn place(&self) -> ChunkRef {
        ChunkRef { variable: self.variable, chunk: self.chunk }
    }
}

fn put_payload(header: &PayloadHeader, version: u8, aligned: bool, body: &[u8]) -> (Vec<u8>, u32) {
    let placed = header.variable != 0 || header.chunk != 0;
    let flags = if header.model.is_some() { HAS_MODEL } else { 0 }
        | if placed { HAS_PLACE } else { 0 }
        | if aligned { ALIGNED } else { 0 };
    let mut out = Vec::with_capacity(body.len() + 64);
    out.extend_from_slice(&PAYLOAD_MAGIC);
    out.push(version | flags);
    if version == PAYLOAD_VERSION {
        put_type_and_rank(&mut out, header.dtype, header.shape.len());
        put_extents(&mut out, &header.shape);
        put_bound(&mut out, &header.bound);
    }
    out.push(header.base);
    if placed {
        put_varint(&mut out, header.variable);
        put_varint(&mut out, header.chunk);
    }
    if let Some(id) = &header.model {
        out.extend_from_slice(id);
    }
    put_varint(&mut out, body.len() as u64);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&out), body);
    put_u32(&mut out, crc);
    if aligned {
        out.resize(out.len().next_multiple_of(8), 0);
    }
    out.extend_from_slice(body);
    (out, crc)
}

impl<'a> Payload<'a> {
    /// Parses a payload that fills `bytes`, and checks its checksum.
    ///
    /// Errors: `Truncated`; `Corrupt` with the field that lies; `Unsupported` for a later version; `Limit` where the
    /// decoded chunk would be too big.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Payload<'a>, Error> {
        let payload = Payload::parse_prefix(bytes, limits)?;
        let excess = bytes.len() as u64 - payload.length;
        if excess != 0 {
            return corrupt(Defect::TrailingBytes(excess), payload.length);
        }
        Ok(payload)
    }

    /// Parses the payload that `bytes` start with; others may follow.
    pub fn parse_prefix(bytes: &'a [u8], limits: &Limits) -> Result<Payload<'a>, Error> {
        let claim = Claim::read(bytes)?;
        if claim.described.is_none() {
            return Err(Error::Unsupported { feature: "a payload of version 2 outside its container".into() });
        }
        claim.check(bytes)?.payload(None, limits)
    }

    /// The body as typed values, without a copy, where it was written aligned and the bytes lie aligned in memory.
    pub fn view<T: bytemuck::AnyBitPattern>(&self) -> Result<&'a [T], Error> {
        bytemuck::try_cast_slice(self.body)
            .map_err(|e| Error::InvalidArgument(format!("no typed view of the body: {e}")))
    }
}

/// What a bare payload leaves to its record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described {
    pub dtype: DType,
    pub shape: Vec<u64>,
    pub bound: ErrorBound,
}

/// A payload header that has been read, before its checksum is looked at.
pub(crate) struct Claim {
    /// `None` for a bare one.
    described: Option<Described>,
    base: u8,
    variable: u64,
    chunk: u64,
    model: Option<[u8; 32]>,
    aligned: bool,
    /// Where the header ends and its checksum starts.
    header_end: usize,
    crc: u32,
    pub(crate) body: std::ops::Range<usize>,
}

/// A claim whose checksum is right.
pub(crate) struct Checked<'a> {
    claim: Claim,
    body: &'a [u8],
}

impl Claim {
    pub(crate) fn read(bytes: &[u8]) -> Result<Claim, Error> {
        let mut c = Cursor::new(bytes, 0, "chunk payload");
        if c.take(2)? != PAYLOAD_MAGIC {
            return corrupt(Defect::PayloadMagic, 0);
        }
        let flags = c.u8()?;
        let described = match flags & 15 {
            PAYLOAD_VERSION => true,
            BARE_VERSION => false,
            version => return Err(Error::Unsupported { feature: format!("payload version {version}") }),
        };
        let reserved = RESERVED | if described { 0 } else { ALIGNED };
        if flags & reserved != 0 {
            return corrupt(Defect::ReservedBits { of: "payload", bits: flags & reserved }, 2);
        }
        let described = if described {
            let (dtype, shape) = read_type_and_shape(&mut c)?;
            Some(Described { dtype, shape, bound: read_bound(&mut c)? })
        } else {
            None
        };
        let base = c.u8()?;
        let (variable, chunk) = if flags & HAS_PLACE != 0 { (c.varint()?, c.varint()?) } else { (0, 0) };
        let model = if flags & HAS_MODEL != 0 {
            let mut id = [0; 32];
            id.copy_from_slice(c.take(32)?);
            Some(id)
        } else {
            None
        };
        let body_length = c.varint()?;
        let header_end = c.position();
        let crc = c.u32()?;
        let aligned = flags & ALIGNED != 0;
        if aligned {
            let at = c.offset();
            if c.take(c.position().next_multiple_of(8) - c.position())?.iter().any(|&b| b != 0) {
                return corrupt(Defect::Padding, at);
            }
        }
        if body_length > c.remaining() as u64 {
            let need = body_length.saturating_add(c.position() as u64);
            return Err(Error::Truncated { what: "chunk payload", need, have: bytes.len() as u64 });
        }
        let body = c.position()..c.position() + body_length as usize;
        Ok(Claim { described, base, variable, chunk, model, aligned, header_end, crc, body })
    }

    /// Whether it leaves out what a record tells.
    pub(crate) fn is_bare(&self) -> bool {
        self.described.is_none()
    }

    /// The bare payload that fills `bytes`.
    pub(crate) fn bare<'a>(self, bytes: &'a [u8], record: &Described, limits: &Limits) -> Result<Payload<'a>, Error> {
        if self.described.is_some() {
            return corrupt(Defect::PayloadMismatch("version"), 2);
        }
        let end = self.body.end;
        if end != bytes.len() {
            return corrupt(Defect::TrailingBytes((bytes.len() - end) as u64), end as u64);
        }
        self.check(bytes)?.payload(Some(record), limits)
    }

    /// The model that it says that it needs.
    pub(crate) fn model(&self) -> Option<[u8; 32]> {
        self.model
    }

    /// Checks the checksum.
    pub(crate) fn check(self, bytes: &[u8]) -> Result<Checked<'_>, Error> {
        let body = &bytes[self.body.clone()];
        let found = crc32c::crc32c_append(crc32c::crc32c(&bytes[..self.header_end]), body);
        if found != self.crc {
            let what = Defect::Checksum { of: "chunk payload", stored: self.crc, found };
            return corrupt(what, self.header_end as u64);
        }
        Ok(Checked { claim: self, body })
    }
}

impl<'a> Checked<'a> {
    /// Whether it is of this dtype, shape and bound, as far as it says.
    pub(crate) fn fits(&self, record: &Described) -> bool {
        self.claim.described.as_ref().is_none_or(|own| own == record)
    }

    /// Ordinals of the variable and of the chunk in it.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.claim.variable, self.claim.chunk)
    }

    /// Bytes of header and body.
    pub(crate) fn length(&self) -> usize {
        self.claim.body.end
    }

    /// The payload: a bare one takes what it leaves out from its record. Checks the limits.
    pub(crate) fn payload(self, record: Option<&Described>, limits: &Limits) -> Result<Payload<'a>, Error> {
        let length = self.length() as u64;
        let Claim { described, base, variable, chunk, model, aligned, crc, .. } = self.claim;
        let Some(Described { dtype, shape, bound }) = described.or_else(|| record.cloned()) else {
            return Err(Error::InvalidArgument("a payload without a record".into()));
        };
        check_chunk_bytes(dtype, &shape, limits)?;
        let at = length - self.body.len() as u64;
        let (references, body) = split_references(base, ChunkRef { variable, chunk }, self.body, at)?;
        let header = PayloadHeader { dtype, shape, bound, base, variable, chunk, model, references, aligned };
        Ok(Payload { header, body, crc, length })
    }
}

/// The references that a body at offset `at` begins with, if its base has some, and the rest of it.
pub(crate) fn split_references(base: u8, own: ChunkRef, body: &[u8], at: u64) -> Result<(Vec<ChunkRef>, &[u8]), Error> {
    if !is_conditioned(base) {
        return Ok((vec![], body));
    }
    let mut c = Cursor::new(body, at, "references of a chunk");
    let references = read_references(&mut c, own)?;
    let rest = c.take(c.remaining())?;
    Ok((references, rest))
}
