//! Reading files: by variable, by region, as a stream.
use crate::ancestors::{self, Chunks, Found};
use crate::boxes::{copy_box, overlap};
use crate::bytes::Bytes;
use crate::canvas::Canvas;
use crate::learned::{AtHand, Guiding, LoadedModel};
use crate::network::ModelId;
use crate::ordered::{Tasks, run_all, run_ordered};
use crate::part::Part;
use crate::plan::{NUMBERED, Plan};
use crate::report::TestReport;
use crate::scratch::give;
use crate::session::{range_values, resolve_again};
use crate::store::Models;
use crate::{ChunkBound, DType, Error, ErrorBound, Limits, Progress, Region, numbered};
use scicodec_format::{BoxRegion, ChunkRef, Container, byte_count, element_count};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// One variable of a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name; a lone array may have an empty one.
    pub name: String,
    /// Units of its values; may be empty.
    pub units: String,
    /// Attributes: pairs of name and text.
    pub attributes: Vec<(String, String)>,
    /// Names of its axes, slowest first; empty where unknown.
    pub dimensions: Vec<String>,
    /// Element type.
    pub dtype: DType,
    /// Extents, slowest axis first.
    pub shape: Vec<u64>,
    /// Extents of a chunk, those of the first segment.
    pub chunk_shape: Vec<u64>,
    /// The bound as asked.
    pub bound: ErrorBound,
    /// The bound that each chunk keeps, or of a mean error that all of a segment keep together; where the file tells it (not for `l2`).
    pub chunk_bound: Option<ChunkBound>,
    /// Bits of the fill value.
    pub fill: Option<u64>,
    /// Its chunks, in the order of their ordinals.
    pub chunks: Vec<ChunkInfo>,
}

/// What the index says of a chunk.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChunkInfo {
    /// Segment of the variable that it belongs to.
    pub segment: usize,
    /// Ordinal in the segment.
    pub ordinal: usize,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Bytes of the payload, or of its body alone where it lies inside the record; 0 for a chunk that was lost before the file was recovered.
    pub length: u64,
    /// CRC32C of the payload, where the index repeats it.
    pub crc: Option<u32>,
    /// Code of the base.
    pub base: u8,
    /// The chunks that must be decoded before it, by ordinals of variable and chunk.
    pub references: Vec<ChunkRef>,
    /// An upper bound of max |x - x̂| over finite, unmasked values: that maximum rounded up to nine bits, but not above
    /// the bound that the chunk keeps.
    pub max_error: Option<f64>,
    /// Smallest finite, unmasked value before encoding; of a lone chunk of floats rounded down.
    pub min: Option<f64>,
    /// Largest finite, unmasked value before encoding; of a lone chunk of floats rounded up.
    pub max: Option<f64>,
}

impl Variable {
    /// Bytes of its values.
    pub fn raw_bytes(&self) -> u64 {
        byte_count(self.dtype, &self.shape).unwrap_or(0)
    }

    /// How many of its chunks take decoding others first.
    pub fn conditioned_chunks(&self) -> u64 {
        self.chunks.iter().filter(|c| !c.references.is_empty()).count() as u64
    }

    /// Bytes of its payloads.
    pub fn compressed_bytes(&self) -> u64 {
        self.chunks.iter().map(|c| c.length).sum()
    }

    /// An upper bound of max |x - x̂| over all chunks, where it is known of all.
    pub fn achieved_max_error(&self) -> Option<f64> {
        self.chunks.iter().filter(|c| c.length > 0).try_fold(0.0, |m: f64, c| Some(m.max(c.max_error?)))
    }

    fn of(v: &scicodec_format::Variable) -> Variable {
        let r = &v.record;
        let chunk_bound = resolve_again(v).ok();
        let chunks = v.segments.iter().enumerate().flat_map(|(segment, s)| {
            s.chunks.iter().enumerate().map(move |(ordinal, c)| {
                let range = range_values(r.dtype, c.entry.range);
                ChunkInfo {
                    segment,
                    ordinal,
                    offset: c.offset,
                    length: c.entry.length,
                    crc: c.entry.crc,
                    base: c.entry.base,
                    references: c.references.clone(),
                    max_error: c.entry.max_error.map(|e| match chunk_bound {
                        Some(ChunkBound::Abs(bound)) => f64::from(e).min(bound),
                        _ => f64::from(e),
                    }),
                    min: range.map(|r| r.0),
                    max: range.map(|r| r.1),
                }
            })
        });
        Variable {
            name: r.name.clone(),
            units: r.units.clone(),
            attributes: r.attributes.clone(),
            dimensions: r.dimensions.clone(),
            dtype: r.dtype,
            shape: v.shape(),
            chunk_shape: r.chunk_shape.clone(),
            bound: r.bound,
            chunk_bound,
            fill: r.fill,
            chunks: chunks.collect(),
        }
    }
}

/// An opened file. Values decode to the same bits whatever the machine, the region and the number of threads.
#[derive(Debug)]
pub struct Reader {
    container: Container,
    variables: Vec<Variable>,
    models: Models,
    limits: Limits,
}

/// A model that is in a file, or that chunks of it name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileModel {
    /// What names it.
    pub id: ModelId,
    /// Bytes of its file, if that is in this one.
    pub embedded: Option<u64>,
    /// Chunks that name it. (Those that the default model guides name it by number.)
    pub chunks: u64,
}

/// Chunks that are read from the disk while one is decoded.
const AHEAD: usize = 16;

/// A chunk to decode, and where it goes.
struct Task {
    variable: usize,
    segment: usize,
    ordinal: usize,
    /// The chunk's box in the variable.
    chunk: BoxRegion,
    /// What is wanted of it.
    place: BoxRegion,
}

/// A run of chunks whose values lie together in the output: one row of chunks.
struct Slab {
    /// Its part of the region, as a box of the variable.
    place: BoxRegion,
    tasks: std::ops::Range<usize>,
}

impl Reader {
    /// Maps a file and validates its whole index; no chunk is touched.
    pub fn open(path: &Path) -> Result<Reader, Error> {
        Reader::open_with_limits(path, Limits::default())
    }

    /// [`Reader::open`] with other limits.
    pub fn open_with_limits(path: &Path, limits: Limits) -> Result<Reader, Error> {
        Ok(Reader::new(Container::open(path, limits.clone())?, limits))
    }

    /// Reads a file that is in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Reader, Error> {
        Reader::from_bytes_with_limits(bytes, Limits::default())
    }

    /// [`Reader::from_bytes`] with other limits.
    pub fn from_bytes_with_limits(bytes: Vec<u8>, limits: Limits) -> Result<Reader, Error> {
        Ok(Reader::new(Container::from_bytes(bytes, limits.clone())?, limits))
    }

    fn new(container: Container, limits: Limits) -> Reader {
        let variables = container.variables().iter().map(Variable::of).collect();
        Reader { container, variables, models: Models::installed(), limits }
    }

    /// The variables, in the order of the file.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The variables beside which chunks of one were coded, itself among them where they were coded beside earlier ones;
    /// to each how many chunks.
    pub fn conditioned_on(&self, v: &Variable) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for r in v.chunks.iter().flat_map(|c| &c.references) {
            let name = self.variables.get(r.variable as usize).map(|v| v.name.clone()).unwrap_or_default();
            *all.entry(name).or_default() += 1;
        }
        all
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.container.length()
    }

    /// Gives a model that chunks may name; the shipped ones, those in the file and the installed ones are known.
    pub fn add_model(&mut self, model: Arc<LoadedModel>) {
        self.models.add(model);
    }

    /// The models that are in the file or that its chunks name by digest. The headers of all chunks are read.
    pub fn models(&self) -> Vec<FileModel> {
        let embedded = self.container.models().iter().map(|m| (ModelId(m.id), (Some(m.length), 0)));
        let mut all: BTreeMap<ModelId, (Option<u64>, u64)> = embedded.collect();
        for (v, variable) in self.variables.iter().enumerate() {
            for c in variable.chunks.iter().filter(|c| c.length > 0) {
                let named = self.container.model_of(v, c.segment, c.ordinal).map(ModelId);
                if let Some(id) = named.or_else(|| self.asks_inside(v, c.segment, c.ordinal)) {
                    all.entry(id).or_default().1 += 1;
                }
            }
        }
        all.into_iter().map(|(id, (embedded, chunks))| FileModel { id, embedded, chunks }).collect()
    }

    /// The model in the file that a chunk asks for, if it asks for one.
    fn asks_inside(&self, variable: usize, segment: usize, chunk: usize) -> Option<ModelId> {
        if self.container.models().is_empty() {
            return None;
        }
        let payload = self.container.payload(variable, segment, chunk).ok()??;
        let inside = |first: &[u8]| self.model_inside(first);
        let header = &payload.header;
        let (mut base, mut body, mut size, references) =
            (header.base, Bytes(payload.body), header.dtype.size(), header.references.len());
        if base == NUMBERED {
            let n = usize::try_from(element_count(&header.shape)?).ok()?;
            (_, base, body.0) = numbered::split(payload.body, n).ok()?;
            size = DType::I64.size();
        }
        let (plan, stream) = Plan::read(base, &mut body, size, AtHand::File(&inside), references).ok()?;
        match plan.guiding().or(stream.placed.as_ref().map(|p| &p.model))? {
            Guiding::Inside(model) => Some(model.id()),
            _ => None,
        }
    }

    /// A model that chunks may name, or that is in the file. Errors: those of [`Models::find`].
    pub fn model(&self, id: ModelId) -> Result<Arc<LoadedModel>, Error> {
        self.models.find_among(id, &|id| self.container.model(&id.0), 0)
    }

    /// The model in the file whose digest begins with these bytes.
    fn model_inside(&self, first: &[u8]) -> Result<Arc<LoadedModel>, Error> {
        let found = self.container.models().iter().find(|m| m.id.starts_with(first));
        let digits: String = first.iter().map(|b| format!("{b:02x}")).collect();
        let missing = || Error::ModelMissing { id: format!("{digits}…, which this file held,") };
        self.model(ModelId(found.ok_or_else(missing)?.id))
    }

    /// The container, for single payloads.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// Decodes a whole variable: elements in C order, in the machine's byte order.
    ///
    /// Errors: `Container`, `Corrupt` and `Truncated` for damaged chunks; `MissingChunk`; `Limit` where the variable is
    /// bigger than [`Limits::decoded_bytes`]: [`Reader::decode_to`] needs no such memory.
    pub fn decode(&self, variable: usize, threads: usize) -> Result<Vec<u8>, Error> {
        let region = Region::all(&self.variable(variable)?.shape);
        self.decode_region(variable, &region, threads)
    }

    /// Decodes a region; only the chunks that meet it are read. Of those of effort `fast` only as much is decoded as the
    /// region needs: checksums are of all, but what else is wrong with the rest is not seen.
    ///
    /// Errors as those of [`Reader::decode`].
    pub fn decode_region(&self, variable: usize, region: &Region, threads: usize) -> Result<Vec<u8>, Error> {
        let v = self.variable(variable)?;
        let place = region.within(&v.shape)?;
        let (memory, size) = self.reserve(v.dtype, &place.extent)?;
        Canvas::filled(memory, size, |canvas| self.fill(variable, &place, threads, canvas))
    }

    /// Decodes a region into memory of the caller's, which must have exactly its size; what it held does not matter.
    ///
    /// Errors as those of [`Reader::decode`], but for its limit; `InvalidArgument` where the size is another one. After an
    /// error the memory holds anything.
    pub fn decode_region_into(
        &self,
        variable: usize,
        region: &Region,
        threads: usize,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let v = self.variable(variable)?;
        let place = region.within(&v.shape)?;
        if byte_count(v.dtype, &place.extent) != Some(out.len() as u64) {
            let what = format!("{} bytes for {} of shape {:?}", out.len(), v.dtype.name(), place.extent);
            return Err(Error::InvalidArgument(what));
        }
        self.fill(variable, &place, threads, &Canvas::over(out))
    }

    /// Decodes what lies at `place` of a variable.
    fn fill(&self, variable: usize, place: &BoxRegion, threads: usize, canvas: &Canvas<'_>) -> Result<(), Error> {
        let size = self.variables[variable].dtype.size();
        let tasks = self.tasks(variable, place);
        let announce = |t: &Task| self.container.announce(t.variable, t.segment, t.ordinal);
        tasks.iter().take(AHEAD).for_each(announce);
        run_all(tasks.len() as u64, threads, |i| {
            let task = &tasks[i as usize];
            tasks.get(i as usize + AHEAD).into_iter().for_each(announce);
            let chunk = self.decode_task(task)?;
            canvas.put(&chunk, &task.place, place, size)?;
            give(chunk);
            Ok(())
        })
    }

    /// Decodes a variable or a region of it into a stream, in C order and the machine's byte order.
    ///
    /// Memory: one row of chunks (at most [`crate::AUTO_SLAB_BYTES`] with automatic chunks) and a few chunks per thread.
    pub fn decode_to(
        &self,
        variable: usize,
        region: Option<&Region>,
        threads: usize,
        sink: &mut dyn std::io::Write,
        progress: &dyn Fn(Progress),
    ) -> Result<(), Error> {
        let v = self.variable(variable)?;
        let place = match region {
            Some(region) => region.within(&v.shape)?,
            None => Region::all(&v.shape).within(&v.shape)?,
        };
        let total = byte_count(v.dtype, &place.extent).unwrap_or(0);
        let tasks = self.tasks(variable, &place);
        let mut slabs = slabs(&tasks, &place).into_iter().peekable();
        let (mut out, mut done, mut coded) = (vec![], 0, 0);
        run_ordered(
            (tasks.len() as u64, Tasks::Plain),
            threads,
            |i| self.decode_task(&tasks[i as usize]),
            |i, chunk| {
                let Some(slab) = slabs.peek() else { return Ok(()) };
                // Rows of one size share memory, all of which each fills.
                if slab.tasks.start as u64 == i && byte_count(v.dtype, &slab.place.extent) != Some(out.len() as u64) {
                    // Freed before the next one is allocated.
                    out = vec![];
                    let (memory, size) = self.reserve(v.dtype, &slab.place.extent)?;
                    out = memory;
                    out.resize(size, 0);
                }
                let task = &tasks[i as usize];
                scatter(&chunk, &task.place, &mut out, &slab.place, v.dtype)?;
                give(chunk);
                coded += self.coded_bytes(task);
                if slab.tasks.end as u64 == i + 1 {
                    sink.write_all(&out)?;
                    done += out.len() as u64;
                    slabs.next();
                }
                progress(Progress { done, total, coded });
                Ok(())
            },
        )
    }

    /// Decodes every chunk of every variable, and so checks every checksum.
    pub fn verify(&self, progress: &dyn Fn(Progress)) -> Result<TestReport, Error> {
        let mut report = TestReport { variables: self.variables.len() as u64, ..TestReport::default() };
        let total = self.variables.iter().map(Variable::raw_bytes).sum();
        let (mut done, mut coded) = (0, 0);
        for (i, v) in self.variables.iter().enumerate() {
            let mut tasks = self.tasks(i, &Region::all(&v.shape).within(&v.shape)?);
            let all = tasks.len();
            tasks.retain(|t| self.coded_bytes(t) > 0);
            report.missing += (all - tasks.len()) as u64;
            run_ordered(
                (tasks.len() as u64, Tasks::Plain),
                0,
                |t| self.decode_task(&tasks[t as usize]),
                |t, chunk| {
                    report.chunks += 1;
                    report.raw_bytes += chunk.len() as u64;
                    done += chunk.len() as u64;
                    coded += self.coded_bytes(&tasks[t as usize]);
                    progress(Progress { done, total, coded });
                    Ok(())
                },
            )?;
        }
        Ok(report)
    }

    fn variable(&self, variable: usize) -> Result<&Variable, Error> {
        let n = self.variables.len();
        self.variables.get(variable).ok_or_else(|| Error::InvalidArgument(format!("variable {variable} of {n}")))
    }

    /// Room for an array of a shape that a file asks for, and its bytes.
    fn reserve(&self, dtype: DType, shape: &[u64]) -> Result<(Vec<u8>, usize), Error> {
        let asked = byte_count(dtype, shape).unwrap_or(u64::MAX);
        let limit = self.limits.decoded_bytes;
        let refused = Error::Limit { what: "bytes decoded into memory at once", limit, asked };
        let size = match usize::try_from(asked) {
            Ok(size) if asked <= limit => size,
            _ => return Err(refused),
        };
        let mut out = vec![];
        if out.try_reserve_exact(size).is_err() {
            return Err(refused);
        }
        Ok((out, size))
    }

    /// The chunks that meet a box, in order.
    fn tasks(&self, variable: usize, place: &BoxRegion) -> Vec<Task> {
        let mut tasks = vec![];
        for (segment, s) in self.container.variables()[variable].segments.iter().enumerate() {
            let mut ranges: Vec<_> = place.start.iter().zip(&place.extent).map(|(&a, &n)| a..a + n).collect();
            if let (Some(first), Some(&rows)) = (ranges.first_mut(), s.grid.shape().first()) {
                *first = first.start.saturating_sub(s.start).min(rows)..first.end.saturating_sub(s.start).min(rows);
            }
            for ordinal in s.grid.intersecting(&ranges) {
                if let Some(mut chunk) = s.grid.chunk_box(ordinal) {
                    if let Some(first) = chunk.start.first_mut() {
                        *first += s.start;
                    }
                    let wanted = overlap(&chunk, place);
                    tasks.push(Task { variable, segment, ordinal: ordinal as usize, chunk, place: wanted });
                }
            }
        }
        tasks
    }

    /// What is wanted of a chunk.
    fn decode_task(&self, t: &Task) -> Result<Vec<u8>, Error> {
        let v = &self.container.variables()[t.variable];
        let place =
            ChunkRef { variable: t.variable as u64, chunk: v.segments[t.segment].first_chunk + t.ordinal as u64 };
        ancestors::decode_part(&self, place, Part::of(&t.chunk, &t.place).as_ref())
    }

    fn coded_bytes(&self, t: &Task) -> u64 {
        self.container.variables()[t.variable].segments[t.segment].chunks[t.ordinal].entry.length
    }
}

impl<'a> Chunks<'a> for &'a Reader {
    fn find(&self, place: ChunkRef) -> Result<Found<'a>, Error> {
        let reader: &'a Reader = self;
        let missing = || {
            let variable = reader.name(place.variable);
            Error::MissingChunk { variable, chunk: place.chunk }
        };
        let v = reader.container.variables().get(place.variable as usize).ok_or_else(missing)?;
        let segment = v.segments.iter().rposition(|s| s.first_chunk <= place.chunk).ok_or_else(missing)?;
        let ordinal = (place.chunk - v.segments[segment].first_chunk) as usize;
        let payload = reader.container.payload(place.variable as usize, segment, ordinal)?.ok_or_else(missing)?;
        let model = payload.header.model.map(|id| reader.model(ModelId(id))).transpose()?;
        Ok(Found { header: payload.header, body: Cow::Borrowed(payload.body), fill: v.record.fill, model })
    }

    fn model_inside(&self, first: &[u8]) -> Result<Arc<LoadedModel>, Error> {
        Reader::model_inside(self, first)
    }

    fn name(&self, variable: u64) -> String {
        self.container.variables().get(variable as usize).map(|v| v.record.name.clone()).unwrap_or_default()
    }
}

/// Copies a part of a box to its place there.
fn scatter(part: &[u8], place: &BoxRegion, out: &mut [u8], out_place: &BoxRegion, dtype: DType) -> Result<(), Error> {
    let to: Vec<u64> = place.start.iter().zip(&out_place.start).map(|(&s, &o)| s - o).collect();
    let from = vec![0; to.len()];
    copy_box(part, &place.extent, &from, out, &out_place.extent, &to, &place.extent, dtype.size())
}

/// Cuts tasks into rows of chunks: each holds all chunks of one index range along the first axis on which a chunk is
/// longer than 1, so that its part of the region is one run of the output.
fn slabs(tasks: &[Task], region: &BoxRegion) -> Vec<Slab> {
    let mut slabs: Vec<Slab> = vec![];
    for (i, task) in tasks.iter().enumerate() {
        let axis = task.chunk.extent.iter().position(|&e| e > 1).unwrap_or(task.chunk.extent.len());
        let mut place = region.clone();
        for a in 0..place.start.len().min(axis + 1) {
            (place.start[a], place.extent[a]) = (task.place.start[a], task.place.extent[a]);
        }
        match slabs.last_mut() {
            Some(last) if last.place == place => last.tasks.end = i + 1,
            _ => slabs.push(Slab { place, tasks: i..i + 1 }),
        }
    }
    slabs
}
