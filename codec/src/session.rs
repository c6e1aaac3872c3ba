//! Variables into a container, whatever the container is written to: chunks in parallel, bytes in order.
use crate::background_place::Origin;
use crate::check::{Reached, check_chunk, round_up};
use crate::chunk::{Around, decode_chunk_among, encode_ahead, encode_around};
use crate::element::{Extent, bits_value};
use crate::ends::{rounded, surely};
use crate::error_bound::{is_mean, needs_statistics, resolve, validate_bound};
use crate::learned::{AtHand, Guiding, LoadedModel};
use crate::network::ModelId;
use crate::options::ModelChoice;
use crate::ordered::{Tasks, run_ordered};
use crate::parents::{Again, Parents, Sink, Written, WrittenChunk, WrittenSegment};
use crate::report::VariableReport;
use crate::scout::{self, Ahead};
use crate::scratch::{give, take};
use crate::shares::{MOST_CHUNKS, Spectrum, shares};
use crate::store::Models;
use crate::{
    BoundKind, ChunkBound, ChunkRequest, ChunkShape, ChunkStats, DType, Effort, EncodeOptions, Error, ErrorBound,
    Progress, Reference, Source, VariableMeta, auto_chunk,
};
use scicodec_format::{
    BoxRegion, ChunkFacts, ChunkRef, Container, EncodedPayload, Grid, Limits, PayloadHeader, ValueRange,
    VariableRecord, Writer, byte_count,
};
use std::sync::Arc;

/// A container being written.
pub(crate) struct Session<W: Sink> {
    writer: Writer<W>,
    written: Vec<Written>,
    /// For each variable the bound that its first segment's chunks keep, or why it cannot be told.
    bounds: Vec<Result<ChunkBound, String>>,
    /// What the file was before it was opened.
    before: Option<Container>,
    again: Again,
    models: Models,
    /// Models that were put into the file, or will be.
    inside: Vec<Arc<LoadedModel>>,
    /// All models that were put into the file, whatever names them.
    put: Vec<ModelId>,
    /// After an error the container is in pieces, and nothing more is accepted.
    broken: bool,
}

/// One chunk on its way from the source to the file.
struct Done {
    payload: EncodedPayload,
    depth: u8,
    facts: ChunkFacts,
    reached: Reached,
    base: &'static str,
    asks_model: bool,
    raw: u64,
}

/// What all chunks of a group have in common.
struct Plan<'a> {
    source: &'a dyn Source,
    options: &'a EncodeOptions,
    /// The model, and how chunks name it.
    model: ModelChoice,
    bound: ChunkBound,
    /// Of a mean error: what each chunk may make of it. If empty, all keep the same bound.
    shares: Vec<f64>,
    asked: ErrorBound,
    fill: Option<u64>,
    variable: u64,
    first_chunk: u64,
    /// There is one chunk, the ends of whose range are stored rounded.
    lone: bool,
}

impl<'a> Plan<'a> {
    /// The bound that a chunk of the group keeps.
    fn bound_of(&self, i: u64) -> ChunkBound {
        self.shares.get(i as usize).map_or(self.bound, |&rmse| ChunkBound::Rmse(rmse))
    }

    /// What is asked for a chunk of the group.
    fn request<'b>(&self, i: u64, shape: &'b [usize], data: &'b [u8]) -> ChunkRequest<'b> {
        ChunkRequest {
            dtype: self.source.dtype(),
            shape,
            data,
            bound: self.bound_of(i),
            fill: self.fill,
            effort: self.options.effort,
            model: self.model.clone(),
        }
    }
}

fn extents(place: &BoxRegion) -> Vec<usize> {
    place.extent.iter().map(|&e| e as usize).collect()
}

impl<W: Sink> Session<W> {
    pub(crate) fn create(out: W) -> Result<Session<W>, Error> {
        let again = out.again()?;
        Session::new(Writer::create(out)?, again, None)
    }

    pub(crate) fn resume(out: W, container: Container) -> Result<Session<W>, Error> {
        let again = out.again()?;
        Session::new(Writer::resume(out, &container)?, again, Some(container))
    }

    fn new(writer: Writer<W>, again: Again, before: Option<Container>) -> Result<Session<W>, Error> {
        let variables = before.as_ref().map_or(&[][..], |c| c.variables());
        let written = variables.iter().map(Written::before).collect();
        let bounds = variables.iter().map(|v| resolve_again(v).map_err(|e| e.to_string())).collect();
        Ok(Session {
            writer,
            written,
            bounds,
            before,
            again,
            models: Models::installed(),
            inside: vec![],
            put: vec![],
            broken: false,
        })
    }

    pub(crate) fn sink(&mut self) -> &mut W {
        self.writer.sink()
    }

    pub(crate) fn finish(self) -> Result<(W, u64), Error> {
        self.expect_whole()?;
        Ok(self.writer.finish()?)
    }

    fn expect_whole(&self) -> Result<(), Error> {
        if self.broken {
            return Err(Error::InvalidArgument("an earlier call failed: this file cannot be finished".into()));
        }
        Ok(())
    }

    pub(crate) fn add_variable(
        &mut self,
        meta: &VariableMeta,
        source: &dyn Source,
        options: &EncodeOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<VariableReport, Error> {
        self.expect_whole()?;
        let dtype = source.dtype();
        let shape = source.shape().to_vec();
        validate_bound(&options.bound, dtype)?;
        let fill = options.fill.map(|f| f.bits(dtype)).transpose()?;
        let chunk_shape = chunk_shape(dtype, &shape, &options.chunk)?;
        let record = VariableRecord {
            name: meta.name.clone(),
            units: meta.units.clone(),
            attributes: meta.attributes.clone(),
            dimensions: meta.dimensions.clone(),
            dtype,
            shape: shape.clone(),
            chunk_shape: chunk_shape.clone(),
            bound: options.bound,
            fill,
        };
        let (mut extent, mut spectra) = (Extent::default(), vec![]);
        if needs_statistics(options.bound.kind) {
            let Some(grid) = Grid::new(&shape, &chunk_shape) else { return Err(no_grid(&shape, &chunk_shape)) };
            (extent, spectra) = statistics(source, &grid, fill, options)?;
            if grid.chunks() == 1 {
                extent.range = surely(dtype, rounded(dtype, extent));
            }
        }
        let bound = resolve(&options.bound, dtype, extent)?;
        let variable = self.writer.variables();
        let grid = self.writer.begin_variable(record.clone())?;
        let plan = Plan {
            source,
            options,
            model: self.model_of_chunks(options),
            bound,
            shares: shares_of(bound, &spectra),
            asked: options.bound,
            fill,
            variable,
            first_chunk: 0,
            lone: grid.chunks() == 1,
        };
        self.written.push(Written { record, segments: vec![] });
        self.bounds.push(Ok(bound));
        self.encode_group(&plan, grid, 0, progress)
    }

    pub(crate) fn extend_variable(
        &mut self,
        name: &str,
        source: &dyn Source,
        options: &EncodeOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<VariableReport, Error> {
        self.expect_whole()?;
        let invalid = |what: String| Err(Error::InvalidArgument(what));
        let Some(variable) = self.written.iter().position(|w| w.record.name == name) else {
            return invalid(format!("no variable named {name:?}"));
        };
        let written = &self.written[variable];
        let (record, dtype, shape) = (&written.record, source.dtype(), source.shape());
        if dtype != record.dtype || shape.is_empty() || shape.get(1..) != record.shape.get(1..) {
            return invalid(format!(
                "variable {name:?} is {} {:?}: {} {shape:?} does not continue it along axis 0",
                record.dtype.name(),
                record.shape,
                dtype.name(),
            ));
        }
        if options.bound != record.bound {
            let ErrorBound { kind, value } = record.bound;
            return invalid(format!(
                "variable {name:?} was asked to keep {}={value}, and so must its extension",
                kind.name()
            ));
        }
        if options.bound.kind == BoundKind::L2 {
            return invalid(
                "an l2 bound is for the whole variable: it cannot be extended; ask for nrmse or abs".into(),
            );
        }
        let fill = options.fill.map(|f| f.bits(dtype)).transpose()?;
        if fill.is_some() && fill != record.fill {
            return invalid(format!("variable {name:?} has another fill value"));
        }
        let bound = match &self.bounds[variable] {
            Ok(bound) => *bound,
            Err(why) => return invalid(format!("variable {name:?} cannot be extended: {why}")),
        };
        let chunk_shape = chunk_shape(dtype, shape, &options.chunk)?;
        let spectra = match (bound, Grid::new(shape, &chunk_shape)) {
            (ChunkBound::Rmse(_), Some(grid)) => statistics(source, &grid, record.fill, options)?.1,
            _ => vec![],
        };
        let grid = self.writer.begin_extension(variable as u64, shape[0], &chunk_shape)?;
        let plan = Plan {
            source,
            options,
            model: self.model_of_chunks(options),
            bound,
            shares: shares_of(bound, &spectra),
            asked: record.bound,
            fill: record.fill,
            variable: variable as u64,
            first_chunk: written.chunks(),
            lone: grid.chunks() == 1,
        };
        let start = written.extent();
        self.encode_group(&plan, grid, start, progress)
    }

    /// The model that chunks are coded with, as they name it.
    fn model_of_chunks(&self, options: &EncodeOptions) -> ModelChoice {
        let before = self.before.iter().flat_map(|c| c.models()).map(|m| ModelId(m.id));
        options.model_of_chunks(before.chain(self.put.iter().copied()))
    }

    /// Encodes all chunks of the group that the writer has begun, a segment that starts at this index of axis 0.
    fn encode_group(
        &mut self,
        plan: &Plan<'_>,
        grid: Grid,
        start: u64,
        progress: &dyn Fn(Progress),
    ) -> Result<VariableReport, Error> {
        self.broken = true;
        if let ModelChoice::Given(model) | ModelChoice::Inside(model) = &plan.model {
            self.models.add(model.clone());
        }
        if let ModelChoice::Inside(model) = &plan.model {
            self.inside.push(model.clone());
        }
        let Session { writer, written, before, again, models, inside, .. } = self;
        let (written, file) = (&written[..], again.file());
        let parents = Parents { variables: written, before: before.as_ref(), file, models, inside };
        let name = &written[plan.variable as usize].record.name;
        let candidates = match plan.options.effort {
            Effort::Fast => vec![],
            _ => parents.candidates(
                &plan.options.condition_on,
                (plan.variable, name),
                (start, plan.first_chunk, &grid),
            )?,
        };
        let total = byte_count(plan.source.dtype(), grid.shape()).unwrap_or(0);
        let mut report = VariableReport::new(name, plan, &grid, total);
        let (mut done, mut coded, mut asks_model) = (0, 0, false);
        let at = |i| grid.chunk_box(i).ok_or_else(|| Error::InvalidArgument(format!("no chunk {i}")));
        let kind = (plan.options.effort, candidates.is_empty());
        let ahead = scout::go_ahead(grid.chunks(), kind, plan.options.threads, |i| {
            let place = at(i)?;
            let data = read_box(plan.source, &place)?;
            let found = encode_ahead(
                &plan.request(i, &extents(&place), &data),
                &Around { one_of_many: true, origin: Origin::new(&place.start, grid.shape()), ..Around::default() },
            );
            give(data);
            found
        })?;
        let work = |i| encode_one(plan, (i, grid.shape()), &at(i)?, &ahead, &parents, &candidates);
        let mut chunks = vec![];
        let tasks = if plan.options.effort == Effort::Fast { Tasks::Plain } else { Tasks::Helped };
        run_ordered((grid.chunks(), tasks), plan.options.threads, work, |_, chunk: Done| {
            let bytes = writer.push(&chunk.payload, chunk.facts)?;
            // What is complete goes to the system at once: a killed process loses the chunk in flight and no other.
            writer.sink().flush()?;
            done += chunk.raw;
            coded += bytes;
            asks_model |= chunk.asks_model;
            report.add(chunk.base, bytes, &chunk.reached, chunk.depth > 0);
            let place = again.place(chunk.payload, writer.last_payload(), bytes);
            chunks.push(WrittenChunk { place, depth: chunk.depth });
            progress(Progress { done, total, coded });
            Ok(())
        })?;
        let segment = WrittenSegment { start, first_chunk: plan.first_chunk, grid, chunks };
        self.written[plan.variable as usize].segments.push(segment);
        if plan.options.embed_model
            && asks_model
            && let Some(model) = Guiding::of(&plan.options.model)
        {
            for file in model.model()?.files() {
                self.writer.put_model(&file)?;
                self.put.extend(file.last_chunk().map(|id| ModelId(*id)));
            }
        }
        self.broken = false;
        Ok(report)
    }
}

impl VariableReport {
    fn new(name: &str, plan: &Plan<'_>, grid: &Grid, raw_bytes: u64) -> VariableReport {
        VariableReport {
            name: name.to_owned(),
            dtype: plan.source.dtype(),
            shape: grid.shape().to_vec(),
            chunk_shape: grid.chunk_shape().to_vec(),
            chunks: grid.chunks(),
            error_bound: plan.asked,
            chunk_bound: plan.bound,
            raw_bytes,
            ..VariableReport::default()
        }
    }
}

/// Reads, encodes and checks one chunk, beside these candidates.
fn encode_one(
    plan: &Plan<'_>,
    (i, whole): (u64, &[u64]),
    place: &BoxRegion,
    ahead: &Ahead,
    parents: &Parents<'_>,
    candidates: &[(u64, u64)],
) -> Result<Done, Error> {
    let dtype = plan.source.dtype();
    let data = read_box(plan.source, place)?;
    let shape = extents(place);
    let own = ChunkRef { variable: plan.variable, chunk: plan.first_chunk + i };
    let offered = parents.decode(own, candidates)?;
    let references: Vec<Reference<'_>> = offered.iter().map(|(_, d)| d.as_reference()).collect();
    let chunk = match ahead.done(i).filter(|_| references.is_empty()) {
        Some(done) => done.clone(),
        None => {
            let origin = Origin::new(&place.start, whole);
            let around = Around {
                hints: &ahead.hints,
                references: &references,
                one_of_many: !plan.lone,
                as_they_are: ahead.as_they_are(),
                origin,
            };
            encode_around(&plan.request(i, &shape, &data), &around)?
        }
    };
    let chosen: Vec<Reference<'_>> = chunk.references.iter().map(|&k| references[k]).collect();
    let places: Vec<ChunkRef> = chunk.references.iter().map(|&k| offered[k].0).collect();
    let depth = places.iter().filter_map(|&r| parents.depth(r)).map(|d| d + 1).max().unwrap_or(0);
    let header = PayloadHeader {
        dtype,
        shape: place.extent.clone(),
        bound: plan.asked,
        base: chunk.base,
        variable: plan.variable,
        chunk: plan.first_chunk + i,
        model: chunk.model.map(|id| id.0),
        references: places,
        aligned: false,
    };
    let payload = EncodedPayload::new(&header, &chunk.body);
    let reached = if plan.options.verify {
        let parsed = scicodec_format::Payload::parse(&payload.bytes, &Limits::default())?;
        // What was asked to guide is what the payload names, if it names one, or what will be in the file.
        let inside = |_: &[u8]| match &plan.model {
            ModelChoice::Given(model) | ModelChoice::Inside(model) => Ok(model.clone()),
            _ => Err(Error::ModelMissing { id: "of no name".into() }),
        };
        let at_hand = match &plan.model {
            ModelChoice::Given(model) if chunk.model.is_some() => AtHand::Named(model),
            _ => AtHand::File(&inside),
        };
        let decoded = decode_chunk_among(dtype, &shape, parsed.header.base, parsed.body, at_hand, &chosen)?;
        let reached = check_chunk(dtype, &data, &decoded, plan.bound_of(i), plan.fill)?;
        give(decoded);
        reached
    } else {
        reached_of(&chunk.stats)
    };
    let extent = Extent::of(dtype, &data, plan.fill);
    let range = if plan.lone { rounded(dtype, extent) } else { extent.as_value_range() };
    let facts = ChunkFacts { max_error: Some(round_up(reached.max_error)), range };
    let raw = data.len() as u64;
    give(data);
    Ok(Done { payload, depth, facts, reached, base: chunk.stats.base, asks_model: chunk.asks_model, raw })
}

fn reached_of(stats: &ChunkStats) -> Reached {
    Reached {
        max_error: stats.max_error,
        max_pw_rel: stats.max_pw_rel_error,
        squares: stats.sum_squared_error,
        valid: stats.valid,
    }
}

fn read_box(source: &dyn Source, place: &BoxRegion) -> Result<Vec<u8>, Error> {
    // `chunk_shape` has checked that a chunk is within the limits.
    let bytes = byte_count(source.dtype(), &place.extent).unwrap_or(0) as usize;
    let mut data = take(bytes);
    source.read(&place.start, &place.extent, &mut data)?;
    Ok(data)
}

/// The first pass: extremes and number of the values, and of several chunks under a bound on the mean error their spectra.
fn statistics(
    source: &dyn Source,
    grid: &Grid,
    fill: Option<u64>,
    options: &EncodeOptions,
) -> Result<(Extent, Vec<Spectrum>), Error> {
    let dtype = source.dtype();
    let shared = is_mean(options.bound.kind) && (2..=MOST_CHUNKS).contains(&grid.chunks());
    let haste = options.effort == Effort::Fast;
    let (mut all, mut spectra) = (Extent::default(), vec![]);
    let work = |i| {
        let Some(place) = grid.chunk_box(i) else { return Ok((Extent::default(), None)) };
        let data = read_box(source, &place)?;
        let spectrum = shared.then(|| Spectrum::of(dtype, &extents(&place), &data, fill, haste));
        let extent = Extent::of(dtype, &data, fill);
        give(data);
        Ok((extent, spectrum))
    };
    run_ordered((grid.chunks(), Tasks::Plain), options.threads, work, |_, (extent, spectrum)| {
        all = all.join(extent, dtype);
        spectra.extend(spectrum);
        Ok(())
    })?;
    Ok((all, spectra))
}

/// What each chunk may make of a mean error.
fn shares_of(bound: ChunkBound, spectra: &[Spectrum]) -> Vec<f64> {
    match bound {
        ChunkBound::Rmse(rmse) => shares(spectra, rmse),
        _ => vec![],
    }
}

/// The bound that the first segment was encoded with, from what the index says of its values.
pub(crate) fn resolve_again(v: &scicodec_format::Variable) -> Result<ChunkBound, Error> {
    let record = &v.record;
    let mut all = Extent::default();
    if needs_statistics(record.bound.kind) {
        if record.bound.kind == BoundKind::L2 {
            return Err(Error::InvalidArgument("the file does not tell the number of its values".into()));
        }
        for chunk in v.segments.first().map_or(&[][..], |s| &s.chunks) {
            if chunk.entry.range == ValueRange::Unknown {
                return Err(Error::InvalidArgument("the range of its values was lost when it was recovered".into()));
            }
            let range = surely(record.dtype, chunk.entry.range);
            all = all.join(Extent { range, valid: 0 }, record.dtype);
        }
    }
    resolve(&record.bound, record.dtype, all)
}

/// Smallest and largest value as doubles.
pub(crate) fn range_values(dtype: DType, range: ValueRange) -> Option<(f64, f64)> {
    match range {
        ValueRange::Bits { min, max, .. } => Some((bits_value(dtype, min), bits_value(dtype, max))),
        _ => None,
    }
}

fn no_grid(shape: &[u64], chunk: &[u64]) -> Error {
    Error::InvalidArgument(format!("chunks of {chunk:?} do not cut up a shape of {shape:?}"))
}

fn chunk_shape(dtype: DType, shape: &[u64], asked: &ChunkShape) -> Result<Vec<u64>, Error> {
    let chunk = match asked {
        ChunkShape::Auto => auto_chunk(dtype, shape),
        ChunkShape::Fixed(chunk) if chunk.len() == shape.len() && !chunk.contains(&0) => {
            chunk.iter().zip(shape).map(|(&c, &n)| c.min(n.max(1))).collect()
        }
        ChunkShape::Fixed(chunk) => return Err(no_grid(shape, chunk)),
    };
    if shape.contains(&0) {
        return Ok(chunk);
    }
    let limit = Limits::default().chunk_bytes;
    let asked = byte_count(dtype, &chunk).unwrap_or(u64::MAX);
    if asked > limit {
        return Err(Error::Limit { what: "bytes of a chunk", limit, asked });
    }
    Ok(chunk)
}
