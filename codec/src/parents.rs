//! The chunks of a file that is being written, as parents of others.
use crate::ancestors::{self, Chunks, Decoded, Found};
use crate::learned::LoadedModel;
use crate::network::ModelId;
use crate::store::Models;
use crate::{ConditionOn, Error};
use scicodec_format::{ChunkRef, Container, EncodedPayload, Grid, Limits, Payload, SMALL, VariableRecord};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

/// Variables that are tried as parents, besides those that are asked for by name.
const TRIED: usize = 4;
/// The longest chain of parents that is made: shorter than a reader takes, since each link makes regions dearer.
const DEPTH: u8 = 4;

/// A variable as far as it is written.
pub(crate) struct Written {
    pub record: VariableRecord,
    pub segments: Vec<WrittenSegment>,
}

/// A segment and its chunks.
pub(crate) struct WrittenSegment {
    /// Its first index along axis 0, and the ordinal of its first chunk.
    pub start: u64,
    pub first_chunk: u64,
    pub grid: Grid,
    pub chunks: Vec<WrittenChunk>,
}

/// A chunk that is in the file.
pub(crate) struct WrittenChunk {
    pub place: Place,
    pub depth: u8,
}

/// Where a chunk's payload is.
pub(crate) enum Place {
    /// In memory, describing itself.
    Kept(Vec<u8>),
    /// In the file, describing itself.
    File { offset: u64, length: u64 },
    /// In what the file was before it was opened.
    Before,
    /// Lost.
    Missing,
}

impl Written {
    /// One that was in the file.
    pub(crate) fn before(v: &scicodec_format::Variable) -> Written {
        let segments = v.segments.iter().map(|s| WrittenSegment {
            start: s.start,
            first_chunk: s.first_chunk,
            grid: s.grid.clone(),
            chunks: s
                .chunks
                .iter()
                .map(|c| WrittenChunk {
                    place: if c.entry.is_missing() { Place::Missing } else { Place::Before },
                    depth: c.depth,
                })
                .collect(),
        });
        Written { record: v.record.clone(), segments: segments.collect() }
    }

    /// Chunks so far.
    pub(crate) fn chunks(&self) -> u64 {
        self.segments.last().map_or(0, |s| s.first_chunk + s.grid.chunks())
    }

    /// Indices along axis 0 so far.
    pub(crate) fn extent(&self) -> u64 {
        self.segments.last().map_or(0, |s| s.start + s.grid.shape().first().copied().unwrap_or(0))
    }

    fn chunk(&self, ordinal: u64) -> Option<&WrittenChunk> {
        let s = self.segments.iter().rev().find(|s| s.first_chunk <= ordinal)?;
        s.chunks.get(usize::try_from(ordinal - s.first_chunk).ok()?)
    }
}

/// All that is written so far.
pub(crate) struct Parents<'a> {
    pub variables: &'a [Written],
    /// What the file was before it was opened.
    pub before: Option<&'a Container>,
    /// The file itself, if it is one.
    pub file: Option<&'a File>,
    pub models: &'a Models,
    /// Models that were put into the file, or will be.
    pub inside: &'a [Arc<LoadedModel>],
}

impl Parents<'_> {
    /// The variables beside which a segment of variable `own` may be coded, each with how far back the ordinals of its
    /// chunks are: 0 but for earlier segments of the variable itself. `InvalidArgument` for a name that is not there.
    pub(crate) fn candidates(
        &self,
        asked: &ConditionOn,
        own: (u64, &str),
        segment: (u64, u64, &Grid),
    ) -> Result<Vec<(u64, u64)>, Error> {
        let (start, first_chunk, grid) = segment;
        let of = |v: u64| {
            let written = self.variables.get(v as usize)?;
            if v == own.0 {
                let last = written.segments.last()?;
                let alike = last.grid == *grid && last.first_chunk + last.grid.chunks() == first_chunk;
                return alike.then(|| (v, grid.chunks()));
            }
            let fits = |s: &&WrittenSegment| s.start == start && s.first_chunk == first_chunk && s.grid == *grid;
            written.segments.iter().find(fits).map(|_| (v, 0))
        };
        match asked {
            ConditionOn::None => Ok(vec![]),
            ConditionOn::Auto => {
                let others = (0..own.0).rev().filter_map(of).take(TRIED);
                Ok(of(own.0).into_iter().chain(others).collect())
            }
            ConditionOn::Names(names) => {
                let mut all = vec![];
                for name in names {
                    if name == own.1 {
                        all.extend(of(own.0));
                        continue;
                    }
                    let found = self.variables.iter().take(own.0 as usize).position(|v| v.record.name == *name);
                    let Some(v) = found else {
                        let what = format!("no variable named {name:?} before {:?}, to condition it on", own.1);
                        return Err(Error::InvalidArgument(what));
                    };
                    all.extend(of(v as u64));
                }
                all.sort_unstable();
                all.dedup();
                Ok(all)
            }
        }
    }

    /// The decoded chunks of these candidates beside chunk `own`, those left out that are lost or end too long a chain.
    pub(crate) fn decode(&self, own: ChunkRef, candidates: &[(u64, u64)]) -> Result<Vec<(ChunkRef, Decoded)>, Error> {
        let mut all = vec![];
        for &(variable, back) in candidates {
            let place = ChunkRef { variable, chunk: own.chunk - back };
            if self.depth(place).is_some_and(|d| d < DEPTH) {
                all.push((place, ancestors::decode(self, place)?));
            }
        }
        Ok(all)
    }

    /// Links of the longest chain that ends in a chunk; none if it is lost.
    pub(crate) fn depth(&self, place: ChunkRef) -> Option<u8> {
        let chunk = self.variables.get(place.variable as usize)?.chunk(place.chunk)?;
        (!matches!(chunk.place, Place::Missing)).then_some(chunk.depth)
    }
}

impl<'a> Chunks<'a> for Parents<'a> {
    fn find(&self, place: ChunkRef) -> Result<Found<'a>, Error> {
        let missing = || Error::MissingChunk { variable: self.name(place.variable), chunk: place.chunk };
        let variables: &'a [Written] = self.variables;
        let written = variables.get(place.variable as usize).ok_or_else(missing)?;
        let bytes: Cow<'a, [u8]> = match &written.chunk(place.chunk).ok_or_else(missing)?.place {
            Place::Kept(bytes) => Cow::Borrowed(bytes),
            Place::File { offset, length } => Cow::Owned(read_at(self.file, *offset, *length)?),
            Place::Missing => return Err(missing()),
            Place::Before => {
                let container = self.before.ok_or_else(missing)?;
                let segment = written.segments.iter().rposition(|s| s.first_chunk <= place.chunk).unwrap_or(0);
                let k = (place.chunk - written.segments[segment].first_chunk) as usize;
                let payload = container.payload(place.variable as usize, segment, k)?.ok_or_else(missing)?;
                let model = self.model(payload.header.model)?;
                let fill = written.record.fill;
                return Ok(Found { header: payload.header, body: Cow::Borrowed(payload.body), fill, model });
            }
        };
        let payload = Payload::parse(&bytes, &Limits::default())?;
        let (header, length) = (payload.header, payload.body.len());
        let model = self.model(header.model)?;
        let body = match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[bytes.len() - length..]),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(bytes.len() - length)),
        };
        Ok(Found { header, body, fill: written.record.fill, model })
    }

    fn model_inside(&self, first: &[u8]) -> Result<Arc<LoadedModel>, Error> {
        // The first in the file is meant.
        let id = self.before.and_then(|c| c.models().iter().find(|m| m.id.starts_with(first))).map(|m| m.id);
        let later = || self.inside.iter().find(|m| m.id().0.starts_with(first));
        if let (None, Some(model)) = (id, later()) {
            return Ok(model.clone());
        }
        let missing = || Error::ModelMissing { id: format!("{first:02x?}…, which this file holds,") };
        self.model(Some(id.ok_or_else(missing)?))?.ok_or_else(missing)
    }

    fn name(&self, variable: u64) -> String {
        self.variables.get(variable as usize).map(|v| v.record.name.clone()).unwrap_or_default()
    }
}

impl Parents<'_> {
    fn model(&self, id: Option<[u8; 32]>) -> Result<Option<Arc<LoadedModel>>, Error> {
        let find = |id: [u8; 32]| self.models.find(ModelId(id), self.before.and_then(|c| c.model(&id)));
        id.map(find).transpose()
    }
}

/// Bytes of the file, whatever position others read or write at.
fn read_at(file: Option<&File>, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
    let Some(file) = file else { return Err(Error::InvalidArgument("what is written cannot be read back".into())) };
    let mut bytes = vec![0; length as usize];
    read_exact_at(file, &mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

/// Elsewhere payloads are kept in memory.
#[cfg(not(unix))]
fn read_exact_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What containers are written to.
pub(crate) trait Sink: Write {
    /// How payloads are got at again.
    fn again(&self) -> io::Result<Again>;
}

/// How payloads are got at again.
pub(crate) enum Again {
    /// By reading the file.
    Read(File),
    /// They are kept in memory.
    #[cfg_attr(unix, expect(dead_code))]
    Keep,
    /// Not at all: nothing comes after.
    Never,
}

impl Sink for Vec<u8> {
    fn again(&self) -> io::Result<Again> {
        Ok(Again::Never)
    }
}

impl Sink for BufWriter<File> {
    fn again(&self) -> io::Result<Again> {
        #[cfg(unix)]
        return Ok(Again::Read(self.get_ref().try_clone()?));
        #[cfg(not(unix))]
        return Ok(Again::Keep);
    }
}

impl Again {
    pub(crate) fn file(&self) -> Option<&File> {
        match self {
            Again::Read(file) => Some(file),
            _ => None,
        }
    }

    /// Where a chunk is that was just written as `length` bytes at `offset`.
    pub(crate) fn place(&self, payload: EncodedPayload, offset: u64, length: u64) -> Place {
        match self {
            Again::Never => Place::Missing,
            // In the file it describes itself: not a small one.
            Again::Read(_) if length >= SMALL && length == payload.bytes.len() as u64 => Place::File { offset, length },
            _ => Place::Kept(payload.bytes),
        }
    }
}
