//! The head, the footer and the chain of indexes (SPEC §6.1, §6.6).
use crate::cursor::{Cursor, put_u32, put_varint};
use crate::payload::split_references;
use crate::record::{
    EXTENSION_TAG, EXTENSION_TAG_1, Held, MODEL_TAG, REFERENCES_TAG, Record, Rest, VARIABLE_TAG, VARIABLE_TAG_1,
    VariableRecord, covering, parse_record,
};
use crate::reference::{ChunkRef, MAX_DEPTH, is_conditioned, read_references};
use crate::shape::{byte_count, check_chunk_bytes};
use crate::table::{ChunkEntry, read_table};
use crate::table1::read_table_1;
use crate::{Defect, Error, Grid, Limits, error::corrupt};
use byteorder::{ByteOrder, LittleEndian};
use std::{collections::HashSet, ops::Range};

/// First bytes of every file: not ASCII, and with line ends that a text-mode transfer would change.
pub const HEAD_MAGIC: [u8; 8] = [0x89, b'S', b'C', b'Z', 0x0d, 0x0a, 0x1a, 0x0a];
/// The version of the container that this crate writes.
pub const FORMAT_VERSION: u8 = 2;
pub(crate) const HEAD_LENGTH: u64 = 9;
pub(crate) const FOOTER_MAGIC: [u8; 2] = [0x9d, 0x7a];
/// Version 1 had a byte of flags.
const HEAD_LENGTH_1: u64 = 10;
const HEAD_1_RESERVED: u8 = 0x0f;
/// Payloads start at multiples of this, but small ones of version 2.
pub const ALIGNMENT: u64 = 64;
/// Payloads shorter than this are bare and unaligned: padding and repeated fields would weigh on them.
pub const SMALL: u64 = 4096;

pub(crate) fn align(at: u64) -> u64 {
    at.saturating_add(ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT
}

pub(crate) fn head() -> [u8; HEAD_LENGTH as usize] {
    let mut head = [0; HEAD_LENGTH as usize];
    head[..8].copy_from_slice(&HEAD_MAGIC);
    head[8] = FORMAT_VERSION;
    head
}

/// What the head says.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub version: u8,
    pub length: u64,
}

pub(crate) fn check_head(bytes: &[u8]) -> Result<Head, Error> {
    let magic = &bytes[..bytes.len().min(8)];
    if !HEAD_MAGIC.starts_with(magic) {
        let ours = magic.len() >= 4 && magic[0] & 0x7f == 0x09 && magic[1..4] == HEAD_MAGIC[1..4];
        return corrupt(if ours { Defect::TextDamage } else { Defect::HeadMagic }, 0);
    }
    let have = bytes.len() as u64;
    let truncated = |need| Error::Truncated { what: "head", need, have };
    let &version = bytes.get(8).ok_or(truncated(HEAD_LENGTH))?;
    match version {
        1 => {
            let &flags = bytes.get(9).ok_or(truncated(HEAD_LENGTH_1))?;
            if flags & HEAD_1_RESERVED != 0 {
                return corrupt(Defect::ReservedBits { of: "head", bits: flags & HEAD_1_RESERVED }, 9);
            }
            Ok(Head { version, length: HEAD_LENGTH_1 })
        }
        FORMAT_VERSION => Ok(Head { version, length: HEAD_LENGTH }),
        _ => Err(Error::Unsupported { feature: format!("format version {version}") }),
    }
}

/// Checksum of an index that starts at this offset. From version 2 on the offset counts: a group cut out of the file or
/// put into it does not go unnoticed.
fn index_crc(body: &[u8], at: u64, version: u8) -> u32 {
    let crc = crc32c::crc32c(body);
    if version == 1 { crc } else { crc32c::crc32c_append(crc, &at.to_le_bytes()) }
}

/// The tail of a session: the index body, its checksum, its length read from the end, and the magic.
pub(crate) fn put_footer(out: &mut Vec<u8>, body: &[u8], at: u64) {
    out.extend_from_slice(body);
    put_u32(out, index_crc(body, at, FORMAT_VERSION));
    let mut length = vec![];
    put_varint(&mut length, body.len() as u64);
    out.extend(length.iter().rev());
    out.extend_from_slice(&FOOTER_MAGIC);
}

/// The body of the index whose footer ends at `end`.
pub(crate) fn index_ending_at(bytes: &[u8], end: usize, head: Head) -> Result<Range<usize>, Error> {
    let before = bytes.get(..end).unwrap_or(bytes);
    let Some(rest) = before.strip_suffix(&FOOTER_MAGIC) else { return corrupt(Defect::FooterMagic, end as u64) };
    let last: Vec<u8> = rest.iter().rev().take(10).copied().collect();
    let mut c = Cursor::new(&last, end as u64, "footer");
    let length = c.varint()?;
    let crc_end = rest.len() - c.position();
    let have = (crc_end as u64).saturating_sub(head.length + 4);
    if length > have || length == 0 {
        return Err(Error::Truncated { what: "index", need: length, have });
    }
    let body_end = crc_end - 4;
    let body = body_end - length as usize..body_end;
    let stored = LittleEndian::read_u32(&bytes[body_end..crc_end]);
    let found = index_crc(&bytes[body.clone()], body.start as u64, head.version);
    if found != stored {
        return corrupt(Defect::Checksum { of: "index", stored, found }, body_end as u64);
    }
    Ok(body)
}

/// One variable of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// What the file says of it. Its shape is that of the first segment.
    pub record: VariableRecord,
    /// Pieces along axis 0, in order; the first is that of the record.
    pub segments: Vec<Segment>,
}

impl Variable {
    /// Extents of the whole variable, slowest axis first.
    pub fn shape(&self) -> Vec<u64> {
        let mut shape = self.record.shape.clone();
        if let (Some(first), Some(last)) = (shape.first_mut(), self.segments.last()) {
            *first = last.start + last.grid.shape().first().copied().unwrap_or(0);
        }
        shape
    }

    /// Chunks in all segments.
    pub fn chunks(&self) -> u64 {
        self.segments.last().map_or(0, |s| s.first_chunk + s.grid.chunks())
    }
}

/// A piece of a variable along axis 0, with a regular grid of chunks of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its first index along axis 0.
    pub start: u64,
    /// Ordinal of its first chunk in the variable.
    pub first_chunk: u64,
    /// Its shape and chunks.
    pub grid: Grid,
    /// Its chunks in the order of their ordinals.
    pub chunks: Vec<Chunk>,
}

/// Where a chunk is, and what the index says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Offset in the file of its payload, or of its body where it lies inside its record.
    pub offset: u64,
    /// Where what lies before it ends: from here to `offset` the file holds zeros.
    pub gap: u64,
    /// How it lies in the file.
    pub form: ChunkForm,
    /// What the table says.
    pub entry: ChunkEntry,
    /// The chunks that must be decoded before it: of variables before its own, or before it in its own.
    pub references: Vec<ChunkRef>,
    /// The longest chain of chunks that must be decoded before it.
    pub depth: u8,
}

/// How a chunk lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkForm {
    /// As a payload that describes itself, at a multiple of 64.
    Aligned,
    /// As a small payload that leaves dtype, shape and bound to its record.
    Bare,
    /// As a bare body inside its record, which has this checksum.
    Inside {
        /// CRC32C of the record.
        crc: u32,
        /// Digest of the model that decoding needs.
        model: Option<[u8; 32]>,
    },
}

/// A model inside a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedModel {
    /// The digest that names it: the last bytes of its file. Whether it is that of the file is not looked at here.
    pub id: [u8; 32],
    /// Offset of its file in this one.
    pub offset: u64,
    /// Bytes of its file.
    pub length: u64,
}

/// What the indexes of a file tell.
#[derive(Debug)]
pub(crate) struct Contents {
    pub version: u8,
    pub variables: Vec<Variable>,
    pub models: Vec<EmbeddedModel>,
}

/// Reads and validates every index of a file, from the last to the first; no payload is touched.
pub(crate) fn read_indexes(bytes: &[u8], limits: &Limits) -> Result<Contents, Error> {
    let head = check_head(bytes)?;
    if !bytes.ends_with(&FOOTER_MAGIC) {
        return Err(Error::Torn);
    }
    let mut sessions: Vec<Range<usize>> = vec![];
    let mut starts = vec![];
    let mut end = bytes.len();
    loop {
        let body = index_ending_at(bytes, end, head)?;
        let mut c = Cursor::new(&bytes[body.clone()], body.start as u64, "index");
        let previous = c.varint()?;
        let tables = body.start + c.position()..body.end;
        let least = head.length + 8;
        if previous != 0 && (previous < least || previous > body.start as u64) {
            return corrupt(Defect::PreviousIndex(previous), body.start as u64);
        }
        sessions.push(tables);
        starts.push((if previous == 0 { head.length } else { previous }, body.start as u64));
        if previous == 0 {
            break;
        }
        end = previous as usize;
    }
    let mut file = FileModel::new(head.version, limits);
    for (tables, (start, stop)) in sessions.into_iter().zip(starts).rev() {
        file.read_session(bytes, tables, start, stop)?;
    }
    Ok(Contents { version: head.version, variables: file.variables, models: file.models })
}

/// The variables of a file as they are found.
struct FileModel {
    version: u8,
    limits: Limits,
    variables: Vec<Variable>,
    models: Vec<EmbeddedModel>,
    names: HashSet<String>,
    chunks: u64,
}

impl FileModel {
    fn new(version: u8, limits: &Limits) -> FileModel {
        FileModel {
            version,
            limits: limits.clone(),
            variables: vec![],
            models: vec![],
            names: HashSet::new(),
            chunks: 0,
        }
    }

    /// Walks the groups of one session: they tile it from `start` to the index at `stop`.
    fn read_session(&mut self, bytes: &[u8], tables: Range<usize>, start: u64, stop: u64) -> Result<(), Error> {
        let mut index = Cursor::new(&bytes[tables.clone()], tables.start as u64, "index");
        let tags: &[u8] = match self.version {
            1 => &[VARIABLE_TAG_1, EXTENSION_TAG_1],
            _ => &[VARIABLE_TAG, EXTENSION_TAG, MODEL_TAG, REFERENCES_TAG],
        };
        let mut at = start;
        // The variable whose last segment has chunks of which the next record tells what they refer to.
        let mut untold: Option<usize> = None;
        while at < stop {
            let here = &bytes[at as usize..stop as usize];
            if let Some(&tag) = here.first().filter(|tag| !tags.contains(tag)) {
                return corrupt(Defect::RecordTag(tag), at);
            }
            let parsed = parse_record(here, at, &self.limits, |v| self.rank_of(v))?;
            let record_end = at + parsed.length;
            if let Record::Model(id) = parsed.record {
                if untold.is_some() {
                    return corrupt(Defect::Reference("are missing"), at);
                }
                let (file, offset) = parsed.rest.bytes();
                self.add_model(EmbeddedModel { id, offset, length: file.len() as u64 }, at)?;
                at = record_end;
                continue;
            }
            if let Record::References(of) = parsed.record {
                let Some(v) = untold.take().filter(|&v| v as u64 == of) else {
                    return corrupt(Defect::Reference("are told of chunks that have none"), at);
                };
                self.tell_references(v, &parsed.rest, at)?;
                at = record_end;
                continue;
            }
            if untold.is_some() {
                return corrupt(Defect::Reference("are missing"), at);
            }
            let (variable, grid) = self.declare(parsed.record, at)?;
            let dtype = self.variables[variable].record.dtype;
            let (held, body_at) = parsed.rest.read(dtype)?;
            if !matches!(held, Held::Nothing) && grid.chunks() != 1 {
                return corrupt(Defect::InlineTable(grid.chunks()), at);
            }
            let chunks = match held {
                Held::Chunk { entry, model, .. } => {
                    let form = ChunkForm::Inside { crc: parsed.crc, model };
                    at = record_end;
                    vec![Chunk { offset: body_at, gap: body_at, form, entry, references: vec![], depth: 0 }]
                }
                Held::Table(entry) => self.lay_out(vec![entry], record_end, &mut at)?,
                Held::Nothing => {
                    let entries = match self.version {
                        1 => read_table_1(&mut index, dtype, grid.chunks())?,
                        _ => read_table(&mut index, dtype, grid.chunks(), true)?,
                    };
                    self.lay_out(entries, record_end, &mut at)?
                }
            };
            let conditioned = chunks.iter().any(|c| !c.entry.is_missing() && is_conditioned(c.entry.base));
            let inside = chunks.iter().any(|c| matches!(c.form, ChunkForm::Inside { .. }));
            self.add_segment(variable, grid, chunks);
            if conditioned && inside {
                self.refer_inside(variable, bytes)?;
            } else if conditioned {
                untold = Some(variable);
            }
        }
        if untold.is_some() {
            return corrupt(Defect::Reference("are missing"), stop);
        }
        if at > stop {
            return corrupt(Defect::Overlap, stop);
        }
        if index.remaining() != 0 {
            return corrupt(Defect::IndexLength, index.offset());
        }
        Ok(())
    }

    /// Lays the payloads of a segment out from `start` on; `end` becomes where the last one ends.
    fn lay_out(&self, entries: Vec<ChunkEntry>, start: u64, end: &mut u64) -> Result<Vec<Chunk>, Error> {
        let mut at = start;
        let mut chunks = Vec::with_capacity(entries.len());
        for entry in entries {
            let gap = at;
            let form = if self.version > 1 && entry.length < SMALL { ChunkForm::Bare } else { ChunkForm::Aligned };
            let packed = entry.is_missing() || form == ChunkForm::Bare;
            let offset = if packed { at } else { align(at) };
            let Some(end) = offset.checked_add(entry.length) else { return corrupt(Defect::Overlap, gap) };
            at = end;
            chunks.push(Chunk { offset, gap, form, entry, references: vec![], depth: 0 });
        }
        *end = at;
        Ok(chunks)
    }

    fn rank_of(&self, variable: u64) -> Option<usize> {
        let variable = usize::try_from(variable).ok()?;
        self.variables.get(variable).map(|v| v.record.shape.len())
    }

    /// Takes note of what a record declares: the variable's place, and the grid of the segment.
    fn declare(&mut self, record: Record, at: u64) -> Result<(usize, Grid), Error> {
        let (variable, grid) = match record {
            Record::Variable { ordinal, record } => {
                let expected = self.variables.len() as u64;
                if ordinal != expected {
                    return corrupt(Defect::VariableOrder { found: ordinal, expected }, at);
                }
                let limit = self.limits.variables;
                if expected >= limit {
                    return Err(Error::Limit { what: "variables", limit, asked: expected + 1 });
                }
                if !self.names.insert(record.name.clone()) {
                    return corrupt(Defect::DuplicateName(record.name), at);
                }
                let grid = Grid::new(&record.shape, &record.chunk_shape);
                self.variables.push(Variable { record, segments: vec![] });
                (expected as usize, grid)
            }
            // Models are no variables: whoever reads the groups takes them out.
            Record::Model(_) => return corrupt(Defect::RecordTag(MODEL_TAG), at),
            Record::References(_) => return corrupt(Defect::RecordTag(REFERENCES_TAG), at),
            Record::Extension(e) => {
                // `parse_record` has seen that the variable is there.
                let Some(v) = usize::try_from(e.variable).ok().filter(|&v| v < self.variables.len()) else {
                    return corrupt(Defect::Extension("of a variable that is not there"), at);
                };
                let variable = &self.variables[v];
                let mut shape = variable.shape();
                let Some(first) = shape.first_mut() else {
                    return corrupt(Defect::Extension("of a variable without axes"), at);
                };
                let Some(whole) = first.checked_add(e.extent).filter(|_| e.extent > 0) else {
                    return corrupt(Defect::Extension("by no index at all, or by too many"), at);
                };
                *first = whole;
                if byte_count(variable.record.dtype, &shape).is_none() {
                    return corrupt(Defect::ShapeOverflow(shape), at);
                }
                if e.first_chunk != variable.chunks() {
                    return corrupt(Defect::Extension("that does not follow the variable's last chunk"), at);
                }
                shape[0] = e.extent;
                let chunk_shape = e.chunk_shape.unwrap_or_else(|| covering(&shape));
                (v, Grid::new(&shape, &chunk_shape))
            }
        };
        let Some(grid) = grid else { return corrupt(Defect::ChunkShape, at) };
        if let Some(first) = grid.chunk_box(0) {
            check_chunk_bytes(self.variables[variable].record.dtype, &first.extent, &self.limits)?;
        }
        self.chunks = self.chunks.saturating_add(grid.chunks());
        if self.chunks > self.limits.chunks {
            return Err(Error::Limit { what: "chunks", limit: self.limits.chunks, asked: self.chunks });
        }
        Ok((variable, grid))
    }

    fn add_model(&mut self, model: EmbeddedModel, at: u64) -> Result<(), Error> {
        if self.models.iter().any(|m| m.id == model.id) {
            return corrupt(Defect::Model("is there already"), at);
        }
        let (limit, asked) = (self.limits.models, self.models.len() as u64 + 1);
        if asked > limit {
            return Err(Error::Limit { what: "models in a file", limit, asked });
        }
        self.models.push(model);
        Ok(())
    }

    /// Reads what the conditioned chunks of a variable's last segment refer to.
    fn tell_references(&mut self, variable: usize, told: &Rest<'_>, record: u64) -> Result<(), Error> {
        let (bytes, at) = told.bytes();
        let mut c = Cursor::new(bytes, at, "references of chunks");
        let count = self.variables[variable].segments.last().map_or(0, |s| s.chunks.len());
        for k in 0..count {
            let Some(s) = self.variables[variable].segments.last() else { break };
            let chunk = &s.chunks[k];
            if chunk.entry.is_missing() || !is_conditioned(chunk.entry.base) {
                continue;
            }
            let own = ChunkRef { variable: variable as u64, chunk: s.first_chunk + k as u64 };
            let references = read_references(&mut c, own)?;
            self.refer(variable, k, references, record)?;
        }
        if c.remaining() != 0 {
            return corrupt(Defect::RecordLength("record of references"), c.offset());
        }
        Ok(())
    }

    /// Reads what the chunk inside the record of a variable's last segment refers to.
    fn refer_inside(&mut self, variable: usize, bytes: &[u8]) -> Result<(), Error> {
        let Some(s) = self.variables[variable].segments.last() else { return Ok(()) };
        let Some(chunk) = s.chunks.first() else { return Ok(()) };
        let (at, own) = (chunk.offset, ChunkRef { variable: variable as u64, chunk: s.first_chunk });
        let body = bytes.get(at as usize..(at + chunk.entry.length) as usize).unwrap_or(&[]);
        let (references, _) = split_references(chunk.entry.base, own, body, at)?;
        self.refer(variable, 0, references, at)
    }

    /// Takes note of what chunk `k` of a variable's last segment refers to: chunks that are there before it, over the same
    /// places or, of its own variable, of the same shape.
    fn refer(&mut self, variable: usize, k: usize, references: Vec<ChunkRef>, at: u64) -> Result<(), Error> {
        let place = |r: &ChunkRef| {
            let v = self.variables.get(usize::try_from(r.variable).ok()?)?;
            let s = v.segments.iter().rev().find(|s| s.first_chunk <= r.chunk)?;
            let k = r.chunk - s.first_chunk;
            let mut place = s.grid.chunk_box(k)?;
            if let Some(first) = place.start.first_mut() {
                *first += s.start;
            }
            Some((place, s.chunks.get(usize::try_from(k).ok()?)?.depth))
        };
        let last = self.variables[variable].segments.last();
        let own = ChunkRef { variable: variable as u64, chunk: last.map_or(0, |s| s.first_chunk) + k as u64 };
        let Some((here, _)) = place(&own) else { return Ok(()) };
        let mut depth = 0;
        for r in &references {
            let Some((there, deep)) = place(r) else {
                return corrupt(Defect::Reference("name a chunk that is not there"), at);
            };
            let fits = if r.variable == own.variable { there.extent == here.extent } else { there == here };
            if !fits {
                return corrupt(Defect::Reference("name a chunk over other places"), at);
            }
            depth = depth.max(deep + 1);
        }
        if depth > MAX_DEPTH {
            return corrupt(Defect::Reference("make a chain that is too long"), at);
        }
        if let Some(chunk) = self.variables[variable].segments.last_mut().and_then(|s| s.chunks.get_mut(k)) {
            (chunk.references, chunk.depth) = (references, depth);
        }
        Ok(())
    }

    fn add_segment(&mut self, variable: usize, grid: Grid, chunks: Vec<Chunk>) {
        let v = &mut self.variables[variable];
        let start = if v.segments.is_empty() { 0 } else { v.shape().first().copied().unwrap_or(0) };
        let first_chunk = v.chunks();
        v.segments.push(Segment { start, first_chunk, grid, chunks });
    }
}
