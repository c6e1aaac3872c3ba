//! Rebuilding a file whose index is lost or whose payloads are damaged (SPEC §6.7).
//!
//! Records and payloads carry what is needed to put them back: this looks for all of them, wherever they start, and
//! writes the ones whose checksums are right into a new file.
use crate::index::{ALIGNMENT, SMALL, Variable, check_head, index_ending_at, read_indexes};
use crate::payload::{Checked, Claim, Described, Payload, PayloadHeader, split_references};
use crate::record::{
    EXTENSION_TAG, EXTENSION_TAG_1, ExtensionRecord, Held, MODEL_TAG, REFERENCES_TAG, Record, VARIABLE_TAG,
    VARIABLE_TAG_1, VariableRecord, covering, parse_record,
};
use crate::reference::ChunkRef;
use crate::table::{ChunkEntry, ValueRange};
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
    /// Models that were in the file and are in the new one.
    pub models: u64,
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
    /// Files of models.
    models: Vec<&'a [u8]>,
    extensions: HashMap<(u64, u64), ExtensionRecord>,
    payloads: BTreeMap<(u64, u64), FoundChunk<'a>>,
    facts: HashMap<(u64, u64), ChunkFacts>,
    /// New ordinals of the variables that are written.
    renumbered: HashMap<u64, u64>,
}

/// An intact chunk.
enum FoundChunk<'a> {
    Payload(Checked<'a>),
    /// Inside the record that tells its place.
    Inside {
        base: u8,
        model: Option<[u8; 32]>,
        body: &'a [u8],
    },
}

impl<'a> FoundChunk<'a> {
    fn fits(&self, record: &Described) -> bool {
        match self {
            FoundChunk::Payload(checked) => checked.fits(record),
            FoundChunk::Inside { .. } => true,
        }
    }

    /// Its header and body.
    fn open(self, place: ChunkRef, record: &Described, limits: &Limits) -> Result<(PayloadHeader, &'a [u8]), Error> {
        match self {
            FoundChunk::Payload(checked) => {
                let Payload { header, body, .. } = checked.payload(Some(record), limits)?;
                Ok((header, body))
            }
            FoundChunk::Inside { base, model, body } => {
                let Described { dtype, shape, bound } = record.clone();
                let ChunkRef { variable, chunk } = place;
                let (references, body) = split_references(base, place, body, 0)?;
                let aligned = false;
                let header = PayloadHeader { dtype, shape, bound, base, variable, chunk, model, references, aligned };
                Ok((header, body))
            }
        }
    }
}

/// Writes what is intact of a damaged file into a new one, with a new index.
///
/// Errors: `Io`; `Limit` where the bytes hold so many false starts that looking at all of them would take too long.
pub fn recover<W: Write>(container_bytes: &[u8], limits: &Limits, out: W) -> Result<(W, Recovered), Error> {
    let mut found = scan(container_bytes, limits)?;
    let mut report = Recovered::default();
    let mut writer = Writer::create(out)?;
    for model in std::mem::take(&mut found.models) {
        report.models += u64::from(writer.put_model(model)?);
    }
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
        self.renumbered.insert(ordinal, new_ordinal);
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
                let described = grid.chunk_box(c).map(|place| Described {
                    dtype: record.dtype,
                    shape: place.extent,
                    bound: record.bound,
                });
                if !self.write_chunk((ordinal, done + c), new_ordinal, described, grid.chunks() == 1, writer, limits)? {
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
        described: Option<Described>,
        lone: bool,
        writer: &mut Writer<W>,
        limits: &Limits,
    ) -> Result<bool, Error> {
        let Some(described) = described else { return Ok(false) };
        if !self.payloads.get(&key).is_some_and(|p| p.fits(&described)) {
            return Ok(false);
        }
        let Some(found) = self.payloads.remove(&key) else { return Ok(false) };
        let Ok((mut header, body)) = found.open(ChunkRef { variable: key.0, chunk: key.1 }, &described, limits) else {
            return Ok(false);
        };
        (header.variable, header.chunk) = (new_ordinal, key.1);
        // What cannot be decoded without a variable that is lost is lost with it.
        for r in &mut header.references {
            let Some(&now) = self.renumbered.get(&r.variable) else { return Ok(false) };
            r.variable = now;
        }
        let mut facts = self.facts.get(&key).copied().unwrap_or_default();
        if !lone && matches!(facts.range, ValueRange::Bits { dropped: 1.., .. }) {
            facts.range = ValueRange::Unknown;
        }
        writer.push(&EncodedPayload::new(&header, body), facts)?;
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
    let mut at = check_head(bytes).map_or(0, |head| head.length as usize);
    while at < bytes.len() {
        at += match bytes[at] {
            VARIABLE_TAG | EXTENSION_TAG | MODEL_TAG | REFERENCES_TAG | VARIABLE_TAG_1 | EXTENSION_TAG_1 => {
                take_record(&bytes[at..], limits, &mut found, &mut budget)?
            }
            first if first == PAYLOAD_MAGIC[0] => take_payload(bytes, at, &mut found, &mut budget)?,
            _ => 1,
        };
    }
    Ok(found)
}

/// Takes note of the record that starts here, if one does; gives how far to go on.
fn take_record<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    found: &mut Found<'a>,
    budget: &mut Budget,
) -> Result<usize, Error> {
    let mut c = Cursor::new(&bytes[1..], 0, "record");
    let Ok(claimed) = c.length() else { return Ok(1) };
    budget.spend((claimed as u64).min(limits.record_bytes))?;
    let rank_of = |v| found.variables.get(&v).map(|r| r.shape.len());
    let Ok(parsed) = parse_record(bytes, 0, limits, rank_of) else { return Ok(1) };
    let length = parsed.length as usize;
    let (key, dtype) = match parsed.record {
        Record::Model(_) => {
            if (found.models.len() as u64) < limits.models {
                found.models.push(parsed.rest.bytes().0);
            }
            return Ok(length);
        }
        Record::Variable { ordinal, record } => {
            let dtype = record.dtype;
            let repeated = found.variables.values().any(|v| v.name == record.name);
            if repeated || found.variables.contains_key(&ordinal) {
                return Ok(length);
            }
            found.variables.insert(ordinal, record);
            ((ordinal, 0), dtype)
        }
        Record::References(_) => return Ok(length),
        Record::Extension(e) => {
            let key = (e.variable, e.first_chunk);
            // Its rank was known, so the variable is.
            let Some(dtype) = found.variables.get(&e.variable).map(|v| v.dtype) else { return Ok(length) };
            if found.extensions.contains_key(&key) {
                return Ok(length);
            }
            found.extensions.insert(key, e);
            (key, dtype)
        }
    };
    let mut note = |entry: &ChunkEntry| {
        found.facts.insert(key, ChunkFacts { max_error: entry.max_error, range: entry.range });
    };
    match parsed.rest.read(dtype) {
        Ok((Held::Table(entry), _)) => note(&entry),
        Ok((Held::Chunk { entry, model, body }, _)) => {
            note(&entry);
            found.payloads.entry(key).or_insert(FoundChunk::Inside { base: entry.base, model, body });
        }
        _ => {}
    }
    Ok(length)
}

/// Takes note of the payload that starts here, if one does; gives how far to go on.
fn take_payload<'a>(bytes: &'a [u8], at: usize, found: &mut Found<'a>, budget: &mut Budget) -> Result<usize, Error> {
    let bytes = &bytes[at..];
    let Ok(claim) = Claim::read(bytes) else { return Ok(1) };
    let can_be = if claim.is_bare() { claim.body.end < SMALL as usize } else { (at as u64).is_multiple_of(ALIGNMENT) };
    if !can_be {
        return Ok(1);
    }
    budget.spend(claim.body.len() as u64)?;
    let Ok(checked) = claim.check(bytes) else { return Ok(1) };
    let length = checked.length();
    found.payloads.entry(checked.place()).or_insert(FoundChunk::Payload(checked));
    Ok(length)
}

/// The variables of the last index that is intact with all before it.
fn last_index(bytes: &[u8], limits: &Limits, budget: &mut Budget) -> Result<Option<Vec<Variable>>, Error> {
    let Ok(head) = check_head(bytes) else { return Ok(None) };
    for end in (head.length as usize..=bytes.len()).rev() {
        if !bytes[..end].ends_with(&crate::index::FOOTER_MAGIC) {
            continue;
        }
        if let Ok(body) = index_ending_at(bytes, end, head) {
            budget.spend(body.len() as u64)?;
            if let Ok(contents) = read_indexes(&bytes[..end], limits) {
                return Ok(Some(contents.variables));
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
