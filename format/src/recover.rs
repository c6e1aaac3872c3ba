//! Rebuilding a file whose index is lost or whose payloads are damaged (SPEC §6.7).
//!
//! Records and payloads carry what is needed to put them back: this looks for all of them, wherever they start, and
//! writes the ones whose checksums are right into a new file.
use crate::index::{ALIGNMENT, HEAD_LENGTH, Variable, index_ending_at, read_indexes};
use crate::payload::{Claim, Payload};
use crate::record::{EXTENSION_TAG, ExtensionRecord, Record, VARIABLE_TAG, VariableRecord, covering, parse_record};
use crate::table::read_table;
use crate::{ChunkFacts, Container, EncodedPayload, Error, Grid, Limits, PAYLOAD_MAGIC, Writer, cursor::Cursor};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;

/// What recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// The variables of the new file.
    pub variables: Vec<RecoveredVariable>,
    /// Names of variables of which no chunk was found.
    pub lost_variables: Vec<String>,
    /// Intact payloads of which no record tells the place.
    pub orphans: u64,
    /// Bytes of the new file.
    pub length: u64,
}

/// One variable of the new file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveredVariable {
    /// Its name.
    pub name: String,
    /// Chunks that it has, the lost ones among them.
    pub chunks: u64,
    /// Chunks that were lost: decoding one of them is an error, the others decode as before.
    pub lost: u64,
}

/// What a scan finds, by what it says of itself.
#[derive(Default)]
struct Found<'a> {
    variables: BTreeMap<u64, VariableRecord>,
    extensions: HashMap<(u64, u64), ExtensionRecord>,
    payloads: BTreeMap<(u64, u64), Payload<'a>>,
    facts: HashMap<(u64, u64), ChunkFacts>,
}

/// Writes what is intact of a damaged file into a new one, with a new index.
///
/// Errors: `Io`; `Limit` where the bytes hold so many false starts that looking at all of them would take too long.
pub fn recover<W: Write>(container_bytes: &[u8], limits: &Limits, out: W) -> Result<(W, Recovered), Error> {
    let mut found = scan(container_bytes, limits)?;
    let mut report = Recovered::default();
    let mut writer = Writer::create(out)?;
    for (ordinal, record) in std::mem::take(&mut found.variables) {
        let chunks = found.write_variable(ordinal, record.clone(), &mut writer, limits)?;
        match chunks {
            Some((chunks, lost)) => report.variables.push(RecoveredVariable { name: record.name, chunks, lost }),
            None => report.lost_variables.push(record.name),
        }
    }
    report.orphans = found.payloads.len() as u64;
    let (out, length) = writer.finish()?;
    report.length = length;
    Ok((out, report))
}

impl Found<'_> {
    /// Writes a variable with all segments up to the last one of which a chunk was found. `None` where nothing is left.
    fn write_variable<W: Write>(
        &mut self,
        ordinal: u64,
        record: VariableRecord,
        writer: &mut Writer<W>,
        limits: &Limits,
    ) -> Result<Option<(u64, u64)>, Error> {
        let Some(first) = Grid::new(&record.shape, &record.chunk_shape) else { return Ok(None) };
        let mut grids = vec![first];
        let mut chunks = grids[0].chunks();
        while let Some(e) = self.extensions.get(&(ordinal, chunks)) {
            let mut shape = record.shape.clone();
            let Some(n) = shape.first_mut() else { break };
            *n = e.extent;
            let chunk_shape = e.chunk_shape.clone().unwrap_or_else(|| covering(&shape));
            let Some(grid) = Grid::new(&shape, &chunk_shape).filter(|g| g.chunks() > 0) else { break };
            let Some(sum) = chunks.checked_add(grid.chunks()) else { break };
            chunks = sum;
            grids.push(grid);
        }
        let last = self.payloads.range((ordinal, 0)..=(ordinal, u64::MAX)).map(|(&(_, c), _)| c).rfind(|&c| c < chunks);
        if last.is_none() && grids[0].chunks() > 0 {
            return Ok(None);
        }
        if chunks > limits.chunks {
            return Err(Error::Limit { what: "chunks", limit: limits.chunks, asked: chunks });
        }
        let new_ordinal = writer.variables();
        let (mut done, mut lost) = (0, 0);
        for (i, grid) in grids.iter().enumerate() {
            if i == 0 {
                writer.begin_variable(record.clone())?;
            } else if last.is_some_and(|last| last >= done) {
                writer.begin_extension(new_ordinal, grid.shape()[0], grid.chunk_shape())?;
            } else {
                break;
            }
            for c in 0..grid.chunks() {
                if !self.write_chunk((ordinal, done + c), new_ordinal, &record, grid.chunk_box(c), writer)? {
                    writer.push_missing()?;
                    lost += 1;
                }
            }
            done += grid.chunks();
        }
        Ok(Some((done, lost)))
    }

    fn write_chunk<W: Write>(
        &mut self,
        key: (u64, u64),
        new_ordinal: u64,
        record: &VariableRecord,
        place: Option<crate::BoxRegion>,
        writer: &mut Writer<W>,
    ) -> Result<bool, Error> {
        let fits = |p: &Payload<'_>| {
            let h = &p.header;
            h.dtype == record.dtype && h.bound == record.bound && place.as_ref().is_some_and(|b| b.extent == h.shape)
        };
        if !self.payloads.get(&key).is_some_and(fits) {
            return Ok(false);
        }
        let Some(mut payload) = self.payloads.remove(&key) else { return Ok(false) };
        payload.header.variable = new_ordinal;
        let facts = self.facts.get(&key).copied().unwrap_or_default();
        writer.push(&EncodedPayload::new(&payload.header, payload.body), facts)?;
        Ok(true)
    }

    fn take_facts(&mut self, variables: &[Variable]) {
        for (v, variable) in variables.iter().enumerate() {
            for segment in &variable.segments {
                for (c, chunk) in segment.chunks.iter().enumerate() {
                    let facts = ChunkFacts { max_error: chunk.entry.max_error, range: chunk.entry.range };
                    self.facts.insert((v as u64, segment.first_chunk + c as u64), facts);
                }
            }
        }
    }
}

/// How many bytes may be summed for starts that turn out false: a hostile file could make this quadratic.
struct Budget {
    left: u64,
    limit: u64,
}

impl Budget {
    fn spend(&mut self, bytes: u64) -> Result<(), Error> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let asked = self.limit.saturating_add(1);
                Err(Error::Limit { what: "bytes looked at while recovering", limit: self.limit, asked })
            }
        }
    }
}

fn scan<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Found<'a>, Error> {
    let limit = (bytes.len() as u64).saturating_mul(64).saturating_add(1 << 30);
    let mut budget = Budget { left: limit, limit };
    let mut found = Found::default();
    if let Some(variables) = last_index(bytes, limits, &mut budget)? {
        found.take_facts(&variables);
    }
    let mut at = if crate::index::check_head(bytes).is_ok() { HEAD_LENGTH as usize } else { 0 };
    while at < bytes.len() {
        at += match bytes[at] {
            VARIABLE_TAG | EXTENSION_TAG => take_record(&bytes[at..], limits, &mut found, &mut budget)?,
            first if first == PAYLOAD_MAGIC[0] && (at as u64).is_multiple_of(ALIGNMENT) => {
                take_payload(&bytes[at..], limits, &mut found, &mut budget)?
            }
            _ => 1,
        };
    }
    Ok(found)
}

/// Takes note of the record that starts here, if one does; gives how far to go on.
fn take_record(bytes: &[u8], limits: &Limits, found: &mut Found<'_>, budget: &mut Budget) -> Result<usize, Error> {
    let mut c = Cursor::new(&bytes[1..], 0, "record");
    let Ok(claimed) = c.length() else { return Ok(1) };
    budget.spend((claimed as u64).min(limits.record_bytes))?;
    let rank_of = |v| found.variables.get(&v).map(|r| r.shape.len());
    let Ok(parsed) = parse_record(bytes, 0, limits, rank_of) else { return Ok(1) };
    let key = match parsed.record {
        Record::Variable { ordinal, record } => {
            let dtype = record.dtype;
            let repeated = found.variables.values().any(|v| v.name == record.name);
            if repeated || found.variables.contains_key(&ordinal) {
                return Ok(parsed.length as usize);
            }
            found.variables.insert(ordinal, record);
            Some((ordinal, 0, dtype))
        }
        Record::Extension(e) => {
            let key = found.variables.get(&e.variable).map(|v| (e.variable, e.first_chunk, v.dtype));
            found.extensions.entry((e.variable, e.first_chunk)).or_insert(e);
            key
        }
    };
    if let (Some((table, _)), Some((variable, chunk, dtype))) = (parsed.table, key)
        && let Ok(entries) = read_table(&mut Cursor::new(table, 0, "chunk table"), dtype, 1)
    {
        let facts = ChunkFacts { max_error: entries[0].max_error, range: entries[0].range };
        found.facts.insert((variable, chunk), facts);
    }
    Ok(parsed.length as usize)
}

/// Takes note of the payload that starts here, if one does; gives how far to go on.
fn take_payload<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    found: &mut Found<'a>,
    budget: &mut Budget,
) -> Result<usize, Error> {
    let Ok(claim) = Claim::read(bytes) else { return Ok(1) };
    budget.spend(claim.body.len() as u64)?;
    let Ok(payload) = claim.check(bytes, limits) else { return Ok(1) };
    let length = payload.length as usize;
    found.payloads.entry((payload.header.variable, payload.header.chunk)).or_insert(payload);
    Ok(length)
}

/// The variables of the last index that is intact with all before it.
fn last_index(bytes: &[u8], limits: &Limits, budget: &mut Budget) -> Result<Option<Vec<Variable>>, Error> {
    for end in (HEAD_LENGTH as usize..=bytes.len()).rev() {
        if !bytes[..end].ends_with(&crate::index::FOOTER_MAGIC) {
            continue;
        }
        if let Ok(body) = index_ending_at(bytes, end) {
            budget.spend(body.len() as u64)?;
            if let Ok(variables) = read_indexes(&bytes[..end], limits) {
                return Ok(Some(variables));
            }
        }
    }
    Ok(None)
}

impl Container {
    /// The bytes of a file that is no valid container, for [`recover`].
    pub fn map_unchecked(path: &std::path::Path) -> Result<impl std::ops::Deref<Target = [u8]>, Error> {
        Ok(crate::map::Bytes::map(&std::fs::File::open(path)?)?)
    }
}
