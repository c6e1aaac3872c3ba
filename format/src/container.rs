//! Reading a container (SPEC §6): the whole index first, then single payloads without a copy.
use crate::index::{ALIGNMENT, Chunk, ChunkForm, Contents, EmbeddedModel, Segment, Variable, read_indexes};
use crate::payload::{Claim, Described, split_references};
use crate::reference::ChunkRef;
use crate::shape::check_chunk_bytes;
use crate::{Defect, Error, Limits, Payload, PayloadHeader, error::corrupt, map::Bytes};
use std::{fs::File, path::Path};

/// An opened file whose indexes have been validated.
#[derive(Debug)]
pub struct Container {
    bytes: Bytes,
    version: u8,
    variables: Vec<Variable>,
    models: Vec<EmbeddedModel>,
    limits: Limits,
}

impl Container {
    /// Maps a file and validates its indexes; no payload is touched.
    ///
    /// Errors: `Io`; `Corrupt` with the way in which the file lies; `Torn` where it has no index at its end;
    /// `Truncated`; `Unsupported` for later versions; `Limit`.
    pub fn open(path: &Path, limits: Limits) -> Result<Container, Error> {
        Container::new(Bytes::map(&File::open(path)?)?, limits)
    }

    /// The same over bytes in memory.
    pub fn from_bytes(bytes: Vec<u8>, limits: Limits) -> Result<Container, Error> {
        Container::new(Bytes::Owned(bytes), limits)
    }

    fn new(bytes: Bytes, limits: Limits) -> Result<Container, Error> {
        let Contents { version, variables, models } = read_indexes(&bytes, &limits)?;
        Ok(Container { bytes, version, variables, models, limits })
    }

    /// The format version that the file was written in.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The variables, in the order of the file.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The models inside the file, in its order.
    pub fn models(&self) -> &[EmbeddedModel] {
        &self.models
    }

    /// The bytes of a model inside the file. They are hostile as all others: their digest is still to be checked.
    pub fn model(&self, id: &[u8; 32]) -> Option<&[u8]> {
        let found = self.models.iter().find(|m| m.id == *id)?;
        // The index was validated: the record lies in the file.
        self.bytes.get(found.offset as usize..(found.offset + found.length) as usize)
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Tells the system that the payload of a chunk will be asked for: it may be on its way from the disk meanwhile.
    pub fn announce(&self, variable: usize, segment: usize, chunk: usize) {
        let found = self.variables.get(variable).and_then(|v| v.segments.get(segment)?.chunks.get(chunk));
        if let Some(c) = found.filter(|c| !c.entry.is_missing()) {
            self.bytes.will_need(c.offset as usize, c.entry.length as usize);
        }
    }

    /// The payload of a chunk, checked against its checksum and against what the index says of it. `Ok(None)` for a
    /// chunk that was lost before the file was recovered.
    pub fn payload(&self, variable: usize, segment: usize, chunk: usize) -> Result<Option<Payload<'_>>, Error> {
        let found = self.variables.get(variable).and_then(|v| Some((v, v.segments.get(segment)?)));
        let Some((v, s, c)) = found.and_then(|(v, s)| Some((v, s, s.chunks.get(chunk)?))) else {
            return Err(Error::InvalidArgument(format!(
                "no chunk {chunk} in segment {segment} of variable {variable}"
            )));
        };
        if c.entry.is_missing() {
            return Ok(None);
        }
        self.check_padding(c)?;
        // The index was validated: the payload lies in the file.
        let (start, end) = (c.offset as usize, (c.offset + c.entry.length) as usize);
        self.bytes.will_need(start, end - start);
        let bytes = self.bytes.get(start..end).unwrap_or(&[]);
        let extent = s.grid.chunk_box(chunk as u64).map(|b| b.extent).unwrap_or_default();
        let described = Described { dtype: v.record.dtype, shape: extent, bound: v.record.bound };
        let payload = match c.form {
            ChunkForm::Inside { crc, model } => {
                let Described { dtype, shape, bound } = described;
                check_chunk_bytes(dtype, &shape, &self.limits)?;
                let (base, length) = (c.entry.base, c.entry.length);
                let (variable, chunk) = (variable as u64, s.first_chunk + chunk as u64);
                let (references, body) = split_references(base, ChunkRef { variable, chunk }, bytes, c.offset)?;
                let aligned = false;
                let header = PayloadHeader { dtype, shape, bound, base, variable, chunk, model, references, aligned };
                return Ok(Some(Payload { header, body, crc, length }));
            }
            ChunkForm::Aligned => Payload::parse(bytes, &self.limits),
            ChunkForm::Bare => Claim::read(bytes).and_then(|claim| claim.bare(bytes, &described, &self.limits)),
        };
        let payload = payload.map_err(|e| match e {
            Error::Corrupt { what, offset } => Error::Corrupt { what, offset: c.offset.saturating_add(offset) },
            other => other,
        })?;
        match mismatch(&payload, variable, v, s, c, chunk) {
            Some(what) => corrupt(Defect::PayloadMismatch(what), c.offset),
            None => Ok(Some(payload)),
        }
    }

    /// The digest of the model that a chunk says that it needs. Of its payload only the header is read, and no checksum
    /// is looked at; `None` where there is nothing that can be read.
    pub fn model_of(&self, variable: usize, segment: usize, chunk: usize) -> Option<[u8; 32]> {
        let c = self.variables.get(variable)?.segments.get(segment)?.chunks.get(chunk)?;
        match c.form {
            ChunkForm::Inside { model, .. } => model,
            _ => Claim::read(self.bytes.get(c.offset as usize..(c.offset + c.entry.length) as usize)?).ok()?.model(),
        }
    }

    fn check_padding(&self, chunk: &Chunk) -> Result<(), Error> {
        let gap = self.bytes.get(chunk.gap as usize..chunk.offset as usize).unwrap_or(&[]);
        debug_assert!((gap.len() as u64) < ALIGNMENT);
        match gap.iter().position(|&b| b != 0) {
            Some(i) => corrupt(Defect::Padding, chunk.gap + i as u64),
            None => Ok(()),
        }
    }
}

/// The first property in which a payload differs from what the index says.
fn mismatch(
    p: &Payload<'_>,
    ordinal: usize,
    v: &Variable,
    s: &Segment,
    c: &Chunk,
    chunk: usize,
) -> Option<&'static str> {
    let h = &p.header;
    let extent = s.grid.chunk_box(chunk as u64).map(|b| b.extent);
    let checks = [
        (h.variable == ordinal as u64, "variable"),
        (h.chunk == s.first_chunk + chunk as u64, "chunk ordinal"),
        (h.dtype == v.record.dtype, "dtype"),
        (Some(&h.shape) == extent.as_ref(), "shape"),
        (h.bound == v.record.bound, "bound"),
        (h.base == c.entry.base, "base"),
        (h.references == c.references, "references"),
        (c.entry.crc.is_none_or(|crc| crc == p.crc), "checksum"),
    ];
    checks.iter().find(|(same, _)| !same).map(|&(_, what)| what)
}
