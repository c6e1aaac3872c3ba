//! Writing a container (SPEC §6), front to back without a step back.
use crate::index::{ALIGNMENT, FORMAT_VERSION, HEAD_LENGTH, SMALL, Variable, align, head, put_footer};
use crate::record::{ExtensionRecord, Held, VariableRecord, covering, encode_model, encode_references, model_digest};
use crate::reference::{ChunkRef, check_references, is_conditioned};
use crate::shape::byte_count;
use crate::table::{ChunkEntry, ValueRange, put_table};
use crate::{Container, DType, EncodedPayload, Error, Grid, Limits, cursor::put_varint};
use std::{collections::HashSet, io::Write};

/// What the index is to say of a chunk besides its place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChunkFacts {
    /// Greatest absolute error over finite, unmasked values, rounded up to an f32; `None` where it is not known.
    pub max_error: Option<f32>,
    /// Smallest and largest value.
    pub range: ValueRange,
}

/// Writes records, payloads and at last the index to any sink.
///
/// A group is a variable or an extension with all its chunks, in the order of their ordinals. The bytes are a function
/// of the calls alone. Killed at any byte, the file still holds every chunk that was pushed before.
pub struct Writer<W: Write> {
    out: W,
    at: u64,
    previous: u64,
    tables: Vec<u8>,
    names: HashSet<String>,
    known: Vec<Known>,
    models: HashSet<[u8; 32]>,
    last_payload: u64,
    group: Option<Group>,
}

/// What later calls need of a variable that is already there.
struct Known {
    dtype: DType,
    shape: Vec<u64>,
    chunks: u64,
}

enum GroupRecord {
    Variable(u64, VariableRecord),
    Extension(ExtensionRecord),
}

struct Group {
    record: GroupRecord,
    dtype: DType,
    chunks: u64,
    entries: Vec<ChunkEntry>,
    /// What conditioned chunks refer to, by ordinal of the chunk.
    references: Vec<(u64, Vec<ChunkRef>)>,
}

impl Group {
    fn encode(&self, held: &Held<'_>) -> Vec<u8> {
        match &self.record {
            GroupRecord::Variable(ordinal, record) => record.encode(*ordinal, held),
            GroupRecord::Extension(record) => record.encode(self.dtype, held),
        }
    }
}

fn invalid<T>(what: String) -> Result<T, Error> {
    Err(Error::InvalidArgument(what))
}

impl<W: Write> Writer<W> {
    /// Starts a file.
    pub fn create(mut out: W) -> Result<Writer<W>, Error> {
        out.write_all(&head())?;
        Ok(Writer {
            out,
            at: HEAD_LENGTH,
            previous: 0,
            tables: vec![],
            names: HashSet::new(),
            known: vec![],
            models: HashSet::new(),
            last_payload: 0,
            group: None,
        })
    }

    /// Goes on where a file ends: `out` must be positioned there. `InvalidArgument` for a file of an older version.
    pub fn resume(out: W, container: &Container) -> Result<Writer<W>, Error> {
        if container.version() != FORMAT_VERSION {
            return invalid(format!(
                "a file of format version {} cannot grow: `scicodec recover` writes it anew in version {FORMAT_VERSION}",
                container.version()
            ));
        }
        let known = container.variables().iter().map(Known::of).collect();
        let names = container.variables().iter().map(|v| v.record.name.clone()).collect();
        let models = container.models().iter().map(|m| m.id).collect();
        let end = container.length();
        Ok(Writer { out, at: end, previous: end, tables: vec![], names, known, models, last_payload: 0, group: None })
    }

    /// Bytes of the file so far.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Where the payload that was pushed last begins, if it does not lie inside its record.
    pub fn last_payload(&self) -> u64 {
        self.last_payload
    }

    /// Variables so far: the ordinal of the next one.
    pub fn variables(&self) -> u64 {
        self.known.len() as u64
    }

    /// Puts a model into the file, given the bytes of its own file; `false` where it is there already. Between groups only.
    pub fn put_model(&mut self, file: &[u8]) -> Result<bool, Error> {
        self.expect_no_group()?;
        let id = model_digest(file, 0).map_err(|_| Error::InvalidArgument("bytes that are no model".into()))?;
        if self.models.contains(&id) {
            return Ok(false);
        }
        let limits = Limits::default();
        for (what, limit, asked) in [
            ("bytes of a record", limits.record_bytes, file.len() as u64),
            ("models in a file", limits.models, self.models.len() as u64 + 1),
        ] {
            if asked > limit {
                return Err(Error::Limit { what, limit, asked });
            }
        }
        self.write(&encode_model(file))?;
        self.models.insert(id);
        Ok(true)
    }

    /// Starts a variable. All chunks of its grid must be pushed before the next call of this kind.
    pub fn begin_variable(&mut self, record: VariableRecord) -> Result<Grid, Error> {
        self.expect_no_group()?;
        let dimensions = record.dimensions.len();
        if dimensions != 0 && dimensions != record.shape.len() {
            return invalid(format!("{dimensions} dimension names for {} axes", record.shape.len()));
        }
        let grid = Grid::new(&record.shape, &record.chunk_shape);
        let Some(grid) = grid.filter(|_| byte_count(record.dtype, &record.shape).is_some()) else {
            return invalid(format!("chunks of {:?} over a shape of {:?}", record.chunk_shape, record.shape));
        };
        if self.names.contains(&record.name) {
            return invalid(format!("a variable named {:?} is already there", record.name));
        }
        self.names.insert(record.name.clone());
        self.known.push(Known { dtype: record.dtype, shape: record.shape.clone(), chunks: grid.chunks() });
        let ordinal = self.known.len() as u64 - 1;
        self.begin(GroupRecord::Variable(ordinal, record), &grid)?;
        Ok(grid)
    }

    /// Starts a new segment of a variable: `extent` more indices along axis 0.
    pub fn begin_extension(&mut self, variable: u64, extent: u64, chunk_shape: &[u64]) -> Result<Grid, Error> {
        self.expect_no_group()?;
        let Some(known) = usize::try_from(variable).ok().and_then(|v| self.known.get_mut(v)) else {
            return invalid(format!("no variable {variable}"));
        };
        let mut shape = known.shape.clone();
        let Some(whole) = shape.first().and_then(|n| n.checked_add(extent)).filter(|_| extent > 0) else {
            return invalid(format!("a variable of shape {shape:?} cannot grow by {extent} along axis 0"));
        };
        shape[0] = whole;
        if byte_count(known.dtype, &shape).is_none() {
            return invalid(format!("a shape of {shape:?} is too big"));
        }
        shape[0] = extent;
        let Some(grid) = Grid::new(&shape, chunk_shape) else {
            return invalid(format!("chunks of {chunk_shape:?} over a shape of {shape:?}"));
        };
        let record = ExtensionRecord {
            variable,
            first_chunk: known.chunks,
            extent,
            chunk_shape: (chunk_shape != covering(&shape)).then(|| chunk_shape.to_vec()),
        };
        known.shape[0] = whole;
        known.chunks += grid.chunks();
        self.begin(GroupRecord::Extension(record), &grid)?;
        Ok(grid)
    }

    fn expect_no_group(&self) -> Result<(), Error> {
        match &self.group {
            Some(g) => invalid(format!("{} of {} chunks were pushed", g.entries.len(), g.chunks)),
            None => Ok(()),
        }
    }

    fn begin(&mut self, record: GroupRecord, grid: &Grid) -> Result<(), Error> {
        let dtype = match &record {
            GroupRecord::Variable(_, r) => r.dtype,
            GroupRecord::Extension(e) => self.known[e.variable as usize].dtype,
        };
        let chunks = grid.chunks();
        let limit = Limits::default().chunks;
        if chunks > limit {
            return Err(Error::Limit { what: "chunks", limit, asked: chunks });
        }
        let group = Group { record, dtype, chunks, entries: vec![], references: vec![] };
        // The record of a lone chunk waits for the chunk, which may go into it.
        if chunks != 1 {
            self.write(&group.encode(&Held::Nothing))?;
        }
        if chunks != 0 {
            self.group = Some(group);
        }
        Ok(())
    }

    /// Writes the next chunk of the group; gives the bytes that it takes, records and indexes apart.
    ///
    /// `InvalidArgument` where its range was rounded and the group has other chunks, or has bits that were rounded away.
    pub fn push(&mut self, payload: &EncodedPayload, facts: ChunkFacts) -> Result<u64, Error> {
        let mut group = self.take_group()?;
        let rounded = matches!(facts.range, ValueRange::Bits { dropped: 1.., .. });
        if !facts.range.is_storable(group.dtype) || rounded && group.chunks > 1 {
            return invalid(format!("a range of {:?}", facts.range));
        }
        let ChunkFacts { max_error, range } = facts;
        let header = payload.header();
        if is_conditioned(header.base) {
            check_references(header.place(), &header.references)?;
        } else if !header.references.is_empty() {
            return invalid(format!("references with base {}", header.base));
        }
        let mut entry = ChunkEntry { length: 0, base: header.base, crc: None, max_error, range };
        let body = payload.body();
        if group.chunks == 1 && !body.is_empty() && (body.len() as u64) < SMALL {
            entry.length = body.len() as u64;
            let length = entry.length;
            let record = group.encode(&Held::Chunk { entry, model: header.model, body });
            self.write(&record)?;
            return Ok(length);
        }
        let (bare, bare_crc) = if (body.len() as u64) < SMALL { payload.bare() } else { (vec![], 0) };
        let small = !bare.is_empty() && (bare.len() as u64) < SMALL;
        let (bytes, crc) = if small { (&bare, bare_crc) } else { (&payload.bytes, payload.crc) };
        (entry.length, entry.crc) = (bytes.len() as u64, Some(crc));
        let length = entry.length;
        if group.chunks == 1 {
            let record = self.lone_record(&group, &mut entry, small);
            self.write(&record)?;
        }
        if !small {
            let gap = align(self.at) - self.at;
            self.write(&[0; ALIGNMENT as usize][..gap as usize])?;
        }
        self.last_payload = self.at;
        self.write(bytes)?;
        if !header.references.is_empty() {
            group.references.push((header.chunk, header.references.clone()));
        }
        self.end_chunk(group, entry)?;
        Ok(length)
    }

    /// Marks the next chunk of the group as lost.
    pub fn push_missing(&mut self) -> Result<(), Error> {
        let group = self.take_group()?;
        let mut entry = ChunkEntry::default();
        if group.chunks == 1 {
            let record = self.lone_record(&group, &mut entry, true);
            self.write(&record)?;
        }
        self.end_chunk(group, entry)
    }

    fn take_group(&mut self) -> Result<Group, Error> {
        match self.group.take() {
            Some(group) => Ok(group),
            None => invalid("a chunk outside a group".into()),
        }
    }

    fn end_chunk(&mut self, mut group: Group, entry: ChunkEntry) -> Result<(), Error> {
        group.entries.push(entry);
        if (group.entries.len() as u64) < group.chunks {
            self.group = Some(group);
            return Ok(());
        }
        if !group.references.is_empty() {
            let variable = match &group.record {
                GroupRecord::Variable(ordinal, _) => *ordinal,
                GroupRecord::Extension(e) => e.variable,
            };
            let record = encode_references(variable, &group.references);
            self.write(&record)?;
        }
        if group.chunks > 1 {
            // Where all are small, the checksums that payloads have are enough.
            let small = group.entries.iter().all(|e| e.length < SMALL);
            put_table(&mut self.tables, group.dtype, &group.entries, true, !small);
        }
        Ok(())
    }

    /// The record of a group of one chunk that is not inside: with the chunk's table where that costs nothing, otherwise
    /// the table goes to the index. The checksum, which the payload stores anyway, is left out where it costs something.
    fn lone_record(&mut self, group: &Group, entry: &mut ChunkEntry, small: bool) -> Vec<u8> {
        let bare = group.encode(&Held::Nothing);
        let ends = |r: &[u8]| align(self.at + r.len() as u64);
        if !small {
            let record = group.encode(&Held::Table(entry.clone()));
            if ends(&record) == ends(&bare) {
                return record;
            }
        }
        entry.crc = None;
        let record = group.encode(&Held::Table(entry.clone()));
        if small || ends(&record) == ends(&bare) {
            return record;
        }
        put_table(&mut self.tables, group.dtype, std::slice::from_ref(entry), true, false);
        bare
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// The sink, for instance to sync it before the index is written.
    pub fn sink(&mut self) -> &mut W {
        &mut self.out
    }

    /// Writes the index and gives the sink back, with the length of the file.
    pub fn finish(mut self) -> Result<(W, u64), Error> {
        self.expect_no_group()?;
        let mut body = vec![];
        put_varint(&mut body, self.previous);
        body.extend_from_slice(&self.tables);
        let mut tail = vec![];
        put_footer(&mut tail, &body, self.at);
        self.write(&tail)?;
        self.out.flush()?;
        Ok((self.out, self.at))
    }
}

impl Known {
    fn of(v: &Variable) -> Known {
        Known { dtype: v.record.dtype, shape: v.shape(), chunks: v.chunks() }
    }
}
