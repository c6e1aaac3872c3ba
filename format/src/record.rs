//! Records: what a file says of its variables, each with its own checksum, so that it survives damage elsewhere
//! (SPEC §6.2, §6.3).
use crate::bound::{put_bound, read_bound};
use crate::cursor::{Cursor, put_text, put_u32, put_uint, put_varint};
use crate::reference::{ChunkRef, put_references};
use crate::shape::{put_extents, put_type_and_rank, read_type_and_shape};
use crate::table::{ChunkEntry, put_table, read_table};
use crate::table1::read_table_1;
use crate::{DType, Defect, Error, ErrorBound, Limits, error::corrupt};

pub(crate) const VARIABLE_TAG: u8 = b'v';
pub(crate) const EXTENSION_TAG: u8 = b'e';
/// A model inside the file (SPEC §6.10).
pub(crate) const MODEL_TAG: u8 = b'm';
/// What the chunks of the segment before it refer to (SPEC §6.12).
pub(crate) const REFERENCES_TAG: u8 = b'r';
/// The same in format version 1 (SPEC §6.9).
pub(crate) const VARIABLE_TAG_1: u8 = b'V';
pub(crate) const EXTENSION_TAG_1: u8 = b'E';

/// First bytes of a model's file (SPEC §9.1).
const MODEL_MAGIC: [u8; 8] = *b"\x89SCM\r\n\x1a\n";

const HAS_UNITS: u8 = 1;
const HAS_ATTRIBUTES: u8 = 2;
const HAS_DIMENSIONS: u8 = 4;
const HAS_FILL: u8 = 8;
const HAS_CHUNK_SHAPE: u8 = 16;
const HAS_TABLE: u8 = 32;
const HAS_CHUNK: u8 = 64;
const HAS_MODEL: u8 = 128;

const EXTENSION_CHUNK_SHAPE: u8 = 1;
/// From the flags of an extension to those of a variable: table, chunk and model are four bits lower.
const EXTENSION_SHIFT: u32 = 4;
const EXTENSION_RESERVED: u8 = 0xf0;

/// What a file says of a variable, its first segment included.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableRecord {
    /// Its name; a lone variable may have an empty one.
    pub name: String,
    /// Units of its values; may be empty.
    pub units: String,
    /// Attributes: pairs of name and text.
    pub attributes: Vec<(String, String)>,
    /// One name per axis, or none at all.
    pub dimensions: Vec<String>,
    /// Element type.
    pub dtype: DType,
    /// Extents of the first segment, slowest axis first.
    pub shape: Vec<u64>,
    /// Shape of a chunk in the first segment.
    pub chunk_shape: Vec<u64>,
    /// The bound as asked.
    pub bound: ErrorBound,
    /// Bits of the fill value, low bytes first, as many as the dtype has.
    pub fill: Option<u64>,
}

/// More indices along axis 0 of a variable that is already there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionRecord {
    /// Ordinal of the variable.
    pub variable: u64,
    /// Ordinal of this segment's first chunk in the variable.
    pub first_chunk: u64,
    /// Extent along axis 0 of this segment.
    pub extent: u64,
    /// Shape of a chunk in this segment; `None` for one chunk that covers it.
    pub chunk_shape: Option<Vec<u64>>,
}

/// The one chunk that covers a shape: its extents, but never 0.
pub(crate) fn covering(shape: &[u64]) -> Vec<u64> {
    shape.iter().map(|&e| e.max(1)).collect()
}

impl VariableRecord {
    /// The record's bytes.
    pub(crate) fn encode(&self, ordinal: u64, held: &Held<'_>) -> Vec<u8> {
        let whole = self.chunk_shape == covering(&self.shape);
        let mut body = vec![];
        put_varint(&mut body, ordinal);
        let mut flags = 0;
        for (bit, set) in [
            (HAS_UNITS, !self.units.is_empty()),
            (HAS_ATTRIBUTES, !self.attributes.is_empty()),
            (HAS_DIMENSIONS, !self.dimensions.is_empty()),
            (HAS_FILL, self.fill.is_some()),
            (HAS_CHUNK_SHAPE, !whole),
            (held.flags(), true),
        ] {
            flags |= if set { bit } else { 0 };
        }
        body.push(flags);
        put_type_and_rank(&mut body, self.dtype, self.shape.len());
        put_extents(&mut body, &self.shape);
        if !whole {
            put_extents(&mut body, &self.chunk_shape);
        }
        put_bound(&mut body, &self.bound);
        put_text(&mut body, &self.name);
        if !self.units.is_empty() {
            put_text(&mut body, &self.units);
        }
        if !self.attributes.is_empty() {
            put_varint(&mut body, self.attributes.len() as u64);
            for (name, value) in &self.attributes {
                put_text(&mut body, name);
                put_text(&mut body, value);
            }
        }
        for name in &self.dimensions {
            put_text(&mut body, name);
        }
        if let Some(fill) = self.fill {
            put_uint(&mut body, fill, self.dtype.size());
        }
        held.put(&mut body, self.dtype);
        frame(VARIABLE_TAG, &body)
    }
}

impl ExtensionRecord {
    pub(crate) fn encode(&self, dtype: DType, held: &Held<'_>) -> Vec<u8> {
        let mut body = vec![];
        put_varint(&mut body, self.variable);
        let shaped = if self.chunk_shape.is_some() { EXTENSION_CHUNK_SHAPE } else { 0 };
        body.push(shaped | held.flags() >> EXTENSION_SHIFT);
        put_varint(&mut body, self.first_chunk);
        put_varint(&mut body, self.extent);
        put_extents(&mut body, self.chunk_shape.as_deref().unwrap_or(&[]));
        held.put(&mut body, dtype);
        frame(EXTENSION_TAG, &body)
    }
}

/// What a record of a segment of one chunk holds besides its fields.
#[derive(Clone, Debug)]
pub(crate) enum Held<'a> {
    /// Nothing: the chunk table is in the index.
    Nothing,
    /// The chunk table.
    Table(ChunkEntry),
    /// The chunk itself: no payload follows.
    Chunk { entry: ChunkEntry, model: Option<[u8; 32]>, body: &'a [u8] },
}

impl Held<'_> {
    /// The bits of a variable record's flags.
    fn flags(&self) -> u8 {
        match self {
            Held::Nothing => 0,
            Held::Table(_) => HAS_TABLE,
            Held::Chunk { model: None, .. } => HAS_CHUNK,
            Held::Chunk { model: Some(_), .. } => HAS_CHUNK | HAS_MODEL,
        }
    }

    fn put(&self, out: &mut Vec<u8>, dtype: DType) {
        match self {
            Held::Nothing => {}
            Held::Table(entry) => put_table(out, dtype, std::slice::from_ref(entry), true, entry.crc.is_some()),
            Held::Chunk { entry, model, body } => {
                out.extend_from_slice(model.as_ref().map_or(&[], |id| id));
                put_table(out, dtype, std::slice::from_ref(entry), false, false);
                out.extend_from_slice(body);
            }
        }
    }
}

/// The record of the references of a segment's conditioned chunks, those left out that have none.
pub(crate) fn encode_references(variable: u64, chunks: &[(u64, Vec<ChunkRef>)]) -> Vec<u8> {
    let mut body = vec![];
    put_varint(&mut body, variable);
    for (chunk, references) in chunks {
        put_references(&mut body, ChunkRef { variable, chunk: *chunk }, references);
    }
    frame(REFERENCES_TAG, &body)
}

/// The record of a model: its file, as it is.
pub(crate) fn encode_model(file: &[u8]) -> Vec<u8> {
    frame(MODEL_TAG, file)
}

fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    put_varint(&mut out, body.len() as u64);
    out.extend_from_slice(body);
    let crc = crc32c::crc32c(&out);
    put_u32(&mut out, crc);
    out
}

/// What a record is about.
#[derive(Debug)]
pub(crate) enum Record {
    Variable {
        ordinal: u64,
        record: VariableRecord,
    },
    /// The chunk shape of an extension has the rank of its variable, which the record does not say: it is read here as
    /// the varints up to the table.
    Extension(ExtensionRecord),
    /// The digest that names it; its file is what follows the fields of the record, of which there are none.
    Model([u8; 32]),
    /// The variable; what its chunks refer to is what follows.
    References(u64),
}

/// A parsed record.
#[derive(Debug)]
pub(crate) struct ParsedRecord<'a> {
    pub record: Record,
    /// Its last part, to be read when the dtype is known.
    pub rest: Rest<'a>,
    /// Bytes of the record.
    pub length: u64,
    pub crc: u32,
}

/// What follows the fields of a record.
#[derive(Debug)]
pub(crate) struct Rest<'a> {
    flags: u8,
    version: u8,
    bytes: &'a [u8],
    at: u64,
}

impl<'a> Rest<'a> {
    /// All of it, as bytes, and their offset.
    pub(crate) fn bytes(&self) -> (&'a [u8], u64) {
        (self.bytes, self.at)
    }

    /// Reads it. The body of a chunk is given with its offset.
    pub(crate) fn read(&self, dtype: DType) -> Result<(Held<'a>, u64), Error> {
        let mut c = Cursor::new(self.bytes, self.at, "record");
        let held = match self.flags & (HAS_TABLE | HAS_CHUNK | HAS_MODEL) {
            0 => Held::Nothing,
            HAS_TABLE => {
                let read =
                    if self.version == 1 { read_table_1(&mut c, dtype, 1) } else { read_table(&mut c, dtype, 1, true) };
                Held::Table(read?.into_iter().next().unwrap_or_default())
            }
            flags if flags & HAS_CHUNK != 0 && flags & HAS_TABLE == 0 => {
                let mut model = None;
                if flags & HAS_MODEL != 0 {
                    let mut id = [0; 32];
                    id.copy_from_slice(c.take(32)?);
                    model = Some(id);
                }
                let mut entry = read_table(&mut c, dtype, 1, false)?.into_iter().next().unwrap_or_default();
                let at = c.offset();
                let body = c.take(c.remaining())?;
                if body.is_empty() {
                    return corrupt(Defect::MissingChunk, at);
                }
                entry.length = body.len() as u64;
                return Ok((Held::Chunk { entry, model, body }, at));
            }
            bits => return corrupt(Defect::ReservedBits { of: "record", bits }, self.at),
        };
        if c.remaining() != 0 {
            return corrupt(Defect::RecordLength("record"), c.offset());
        }
        Ok((held, c.offset()))
    }
}

/// Parses the record that `bytes` start with. `rank_of` gives the rank of a variable known so far.
pub(crate) fn parse_record<'a>(
    bytes: &'a [u8],
    base: u64,
    limits: &Limits,
    rank_of: impl Fn(u64) -> Option<usize>,
) -> Result<ParsedRecord<'a>, Error> {
    let mut c = Cursor::new(bytes, base, "record");
    let tag = c.u8()?;
    let version = match tag {
        VARIABLE_TAG | EXTENSION_TAG | MODEL_TAG | REFERENCES_TAG => 2,
        VARIABLE_TAG_1 | EXTENSION_TAG_1 => 1,
        _ => return corrupt(Defect::RecordTag(tag), base),
    };
    let asked = c.varint()?;
    if asked > limits.record_bytes {
        return Err(Error::Limit { what: "bytes of a record", limit: limits.record_bytes, asked });
    }
    let body_at = c.offset();
    let body = c.take(asked as usize)?;
    let end = c.position();
    let crc_at = c.offset();
    let stored = c.u32()?;
    let found = crc32c::crc32c(&bytes[..end]);
    if found != stored {
        return corrupt(Defect::Checksum { of: "record", stored, found }, crc_at);
    }
    let mut c2 = Cursor::new(body, body_at, "record");
    let (record, flags) = match tag {
        VARIABLE_TAG | VARIABLE_TAG_1 => read_variable(&mut c2, version)?,
        MODEL_TAG => (Record::Model(model_digest(body, body_at)?), 0),
        REFERENCES_TAG => (Record::References(c2.varint()?), 0),
        _ => read_extension(&mut c2, version, rank_of)?,
    };
    let at = c2.offset();
    let rest = Rest { flags, version, bytes: c2.take(c2.remaining())?, at };
    Ok(ParsedRecord { record, rest, length: c.position() as u64, crc: stored })
}

/// The digest that a model's file ends in. The file itself is for others to read.
pub(crate) fn model_digest(file: &[u8], at: u64) -> Result<[u8; 32], Error> {
    match file.strip_prefix(&MODEL_MAGIC).and_then(|rest| rest.split_last_chunk::<32>()) {
        Some((_, digest)) => Ok(*digest),
        None => corrupt(Defect::Model("does not begin as one or is too short"), at),
    }
}

/// A variable record and its flags. In version 1 the chunk is never inside, and the highest bit is unused.
fn read_variable(c: &mut Cursor<'_>, version: u8) -> Result<(Record, u8), Error> {
    let ordinal = c.varint()?;
    let flags = match version {
        1 => c.flags("variable record", HAS_CHUNK)? & !HAS_MODEL,
        _ => c.u8()?,
    };
    let (dtype, shape) = read_type_and_shape(c)?;
    let chunk_shape = if flags & HAS_CHUNK_SHAPE != 0 { read_chunk_shape(c, shape.len())? } else { covering(&shape) };
    let bound = read_bound(c)?;
    let name = c.text("name of a variable")?;
    let units = if flags & HAS_UNITS != 0 { c.text("units of a variable")? } else { String::new() };
    let mut attributes = vec![];
    if flags & HAS_ATTRIBUTES != 0 {
        // Each pair takes at least two bytes: the count cannot make this grow past the record.
        for _ in 0..c.varint()? {
            attributes.push((c.text("name of an attribute")?, c.text("value of an attribute")?));
        }
    }
    let mut dimensions = vec![];
    if flags & HAS_DIMENSIONS != 0 {
        for _ in 0..shape.len() {
            dimensions.push(c.text("name of a dimension")?);
        }
    }
    let fill = if flags & HAS_FILL != 0 { Some(c.uint(dtype.size())?) } else { None };
    let record = VariableRecord { name, units, attributes, dimensions, dtype, shape, chunk_shape, bound, fill };
    Ok((Record::Variable { ordinal, record }, flags))
}

/// An extension record, and what it holds as flags of a variable record.
fn read_extension(
    c: &mut Cursor<'_>,
    version: u8,
    rank_of: impl Fn(u64) -> Option<usize>,
) -> Result<(Record, u8), Error> {
    let at = c.offset();
    let variable = c.varint()?;
    let flags = match version {
        1 => c.flags("extension record", 0x7c)? & 3,
        _ => c.flags("extension record", EXTENSION_RESERVED)?,
    };
    let first_chunk = c.varint()?;
    let extent = c.varint()?;
    let Some(rank) = rank_of(variable) else {
        return corrupt(Defect::Extension("of a variable that is not there"), at);
    };
    let chunk_shape = if flags & EXTENSION_CHUNK_SHAPE != 0 { Some(read_chunk_shape(c, rank)?) } else { None };
    let held = (flags & !EXTENSION_CHUNK_SHAPE) << EXTENSION_SHIFT;
    Ok((Record::Extension(ExtensionRecord { variable, first_chunk, extent, chunk_shape }), held))
}

fn read_chunk_shape(c: &mut Cursor<'_>, rank: usize) -> Result<Vec<u64>, Error> {
    let at = c.offset();
    let shape = (0..rank).map(|_| c.varint()).collect::<Result<Vec<u64>, Error>>()?;
    if shape.contains(&0) {
        return corrupt(Defect::ChunkShape, at);
    }
    Ok(shape)
}
