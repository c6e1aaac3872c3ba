//! One chunk: an N-d array and a bound ⇄ a self-contained body of bytes.
use crate::background::Placed;
use crate::background_place::Origin;
use crate::base::companion::Companion;
use crate::base::{Geometry, lossless};
use crate::bytes::Bytes;
use crate::contest::{self, Best};
use crate::elements::{all_nearest, from_ordered, nearest, to_bytes};
use crate::entropy::{BitCoder, BitDecoder, BitEncoder, CostCounter, Counter, Lesson, Place, Silence, States};
use crate::learned::{self, AtHand, Guiding, LoadedModel, Said};
use crate::logarithm::exp2;
use crate::mask::{self, Teller};
use crate::network::ModelId;
use crate::options::ModelChoice;
use crate::part::Part;
use crate::plan::{Base, Coder, Map, NUMBERED, Plan, TABLED, base_name};
use crate::prepare::Prepared;
use crate::reference::{Reference, Referred};
use crate::scout::{self, Hint};
use crate::scratch::give;
use crate::{Error, fast, numbered, select};
use scicodec_format::DType;
use std::cmp::Ordering;
use std::sync::Arc;

/// How much work the encoder does for a smaller file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effort {
    /// Static tables and little search.
    Fast,
    /// Adaptive mixtures of contexts, all bases, and the model where it helps. What suits a chunk is found on parts of it:
    /// like plans by guesses on 2^13 values, the best of each kind by coding two boxes of 2^15, or where there is little to
    /// tell, 2^15 values that are spread over it. Kinds that come out alike are then coded on the whole; where a chunk is
    /// small or takes few bytes, plans next to them as well. Where a variable has four chunks or more, two of them go
    /// ahead, and the others are coded as those were, if that makes them about as small.
    #[default]
    Default,
    /// The same with a wide search, several times slower: a chunk of up to 2^19 values is tried whole, and where a
    /// variable has three chunks or more, two of them are, and the others try what was best there against what is best on
    /// a lively part. The full mix of contexts is tried, too, not only where bytes are few. What the
    /// search of `default` finds for a chunk is kept where that is smaller.
    Max,
}

/// The bound that one chunk must keep, resolved from the variable's bound: absolute values only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChunkBound {
    /// Every bit is kept.
    Lossless,
    /// `|x - x̂| ≤ E` for every value.
    Abs(f64),
    /// `|x - x̂| ≤ E·|x|` for every value.
    PwRel(f64),
    /// `sqrt(mean (x - x̂)²) ≤ E` over the chunk's finite, unmasked values.
    Rmse(f64),
}

/// What to encode, and how.
#[derive(Clone, Debug)]
pub struct ChunkRequest<'a> {
    /// Element type.
    pub dtype: DType,
    /// Extents, slowest axis first.
    pub shape: &'a [usize],
    /// Elements in C order, in the machine's byte order.
    pub data: &'a [u8],
    /// The bound to keep.
    pub bound: ChunkBound,
    /// The bits of a fill value to keep exactly, besides NaN and ±Inf (low bytes first, as many as the dtype has).
    pub fill: Option<u64>,
    /// How hard to try.
    pub effort: Effort,
    /// Which model may be asked.
    pub model: ModelChoice,
}

/// What was reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkStats {
    /// Name of the base that was chosen: `constant`, `interpolation`, ...
    pub base: &'static str,
    /// max |x - x̂| over finite, unmasked values.
    pub max_error: f64,
    /// max |x - x̂| / |x| over finite, unmasked, nonzero values; only told of pointwise relative bounds.
    pub max_pw_rel_error: f64,
    /// Σ (x - x̂)² over finite, unmasked values.
    pub sum_squared_error: f64,
    /// Smallest finite, unmasked value, if there is one.
    pub min: Option<f64>,
    /// Largest finite, unmasked value, if there is one.
    pub max: Option<f64>,
    /// Number of finite, unmasked values.
    pub valid: u64,
}

/// A chunk's body and what it reached.
#[derive(Clone, Debug)]
pub struct EncodedChunk {
    /// Code of the base, for the payload header.
    pub base: u8,
    /// The coded bytes: everything but the payload header.
    pub body: Vec<u8>,
    /// The model that the payload header must name: what decoding needs besides the program.
    pub model: Option<ModelId>,
    /// Whether decoding asks the model that was chosen, named there or not.
    pub asks_model: bool,
    /// The references, of those that were offered, without which it cannot be decoded, in the order in which decoding
    /// wants them.
    pub references: Vec<usize>,
    /// What was reached.
    pub stats: ChunkStats,
}

/// A decoded chunk: elements in C order, in the machine's byte order.
pub type DecodedChunk = Vec<u8>;

/// Encodes one chunk. The bound is checked on the values that decoding gives before this returns.
///
/// The result does not depend on the number of threads. Which plan is best is guessed with logarithms of the platform's
/// library: where these differ in their last bits another plan may be chosen, which decodes to the same bits everywhere.
pub fn encode_chunk(req: &ChunkRequest<'_>) -> Result<EncodedChunk, Error> {
    encode_around(req, &Around::default())
}

/// [`encode_chunk`] of a chunk that may be coded beside others: those of the references that make it smaller are named in
/// the result. Effort `fast` looks at none.
///
/// Errors: those of [`encode_chunk`]; `InvalidArgument` where a reference has another number of elements.
pub fn encode_chunk_beside(req: &ChunkRequest<'_>, references: &[Reference<'_>]) -> Result<EncodedChunk, Error> {
    encode_around(req, &Around { references, ..Around::default() })
}

/// What a chunk is coded among.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around<'a> {
    /// How other chunks of the variable were best coded.
    pub hints: &'a [Hint],
    /// What it may be coded beside.
    pub references: &'a [Reference<'a>],
    /// The variable has other chunks.
    pub one_of_many: bool,
    /// Others were smallest with elements as they are.
    pub as_they_are: bool,
    /// Where in its variable it lies.
    pub origin: Option<Origin>,
}

/// The same among others.
pub(crate) fn encode_around(req: &ChunkRequest<'_>, around: &Around<'_>) -> Result<EncodedChunk, Error> {
    encode_ahead(req, around).map(|done| done.0)
}

/// The same, with what others of the variable may be told.
pub(crate) fn encode_ahead(req: &ChunkRequest<'_>, around: &Around<'_>) -> Result<(EncodedChunk, Option<Hint>), Error> {
    let need = req.shape.iter().try_fold(req.dtype.size(), |n, &e| n.checked_mul(e));
    if need != Some(req.data.len()) {
        return Err(Error::InvalidArgument(format!(
            "{} bytes of {} for a chunk of shape {:?}",
            req.data.len(),
            req.dtype.name(),
            req.shape
        )));
    }
    if req.effort == Effort::Fast
        && let Some(chunk) = fast::encode(req)?
    {
        return Ok((chunk, None));
    }
    let mut prepared = Prepared::new(req)?;
    (prepared.one_of_many, prepared.origin) = (around.one_of_many, around.origin);
    prepared.references = around.references.iter().map(|r| r.open(&prepared.g)).collect::<Result<_, _>>()?;
    let (numbered, plain): (Vec<Hint>, Vec<Hint>) = around.hints.iter().cloned().partition(|hint| hint.numbered);
    // Under a bound that allows errors another chunk may take less with some.
    if req.bound == ChunkBound::Lossless
        && plain.is_empty()
        && !numbered.is_empty()
        && let Some(done) = numbered::smaller(&prepared, usize::MAX, &numbered)?
    {
        return Ok(done);
    }
    let done = encode_plain(req, &mut prepared, &plain)?;
    let asked = if around.hints.is_empty() { !around.as_they_are } else { !numbered.is_empty() };
    let other = if asked { numbered::smaller(&prepared, done.0.body.len(), &numbered)? } else { None };
    Ok(other.unwrap_or(done))
}

/// The same of elements as they are.
fn encode_plain(
    req: &ChunkRequest<'_>,
    prepared: &mut Prepared,
    hints: &[Hint],
) -> Result<(EncodedChunk, Option<Hint>), Error> {
    let (Best { mut plan, mut coded, mut placed }, found) = contest::smallest(prepared, hints)?;
    let mut stats = prepared.stats(&plan, &coded.decoded);
    if !prepared.keeps(&stats) {
        // Sums that just miss their limit, or go beyond the type's range.
        plan = prepared.exactly();
        placed = None;
        coded = write(prepared, &plan);
        stats = prepared.stats(&plan, &coded.decoded);
    }
    if !prepared.keeps(&stats) {
        return Err(Error::BoundNotMet { asked: prepared.limit(), got: stats.max_error });
    }
    let model = plan.guiding().or(placed.as_ref().map(|p| &p.model));
    let own = Guiding::of(&req.model);
    let asks_model = model.is_some_and(|m| own.as_ref().is_some_and(|own| own == m));
    let model = model.and_then(Guiding::named);
    let references = plan.beside.iter().flat_map(|b| b.chosen.iter().map(|c| c.0)).collect();
    let base = if placed.is_some() { Placed::code(plan.code()) } else { plan.code() };
    stats.base = base_name(base);
    let body = coded.body;
    let hint = scout::hint(prepared, plan, found, body.len());
    Ok((EncodedChunk { base, body, model, asks_model, references, stats }, hint))
}

/// A body, and the bits that it decodes to.
pub struct Coded {
    pub body: Vec<u8>,
    pub decoded: Vec<u64>,
}

/// Codes a prepared chunk by this plan.
pub fn write(x: &Prepared, plan: &Plan) -> Coded {
    let mut c = BitEncoder::default();
    let state = coded(&mut c, x, plan, plan.teller());
    let mut decoded = elements(x.dtype, plan, &state, x.bits.len());
    let wrong = x.exceptions(&decoded);
    if !wrong.is_empty() {
        let mut exact: Vec<u64> = wrong.iter().map(|&i| x.bits[i]).collect();
        let mut at = wrong.clone();
        code_exceptions(&mut c, x.dtype, &mut at, &mut exact, decoded.len());
        for (&i, &b) in wrong.iter().zip(&exact) {
            decoded[i] = b;
        }
    }
    let mut body = Vec::new();
    plan.write(&mut body, !wrong.is_empty(), x.dtype.size());
    if let Some(placed) = x.placed(plan) {
        placed.write(&mut body, plan);
    }
    body.extend(c.finish());
    Coded { body, decoded }
}

/// What coding a prepared chunk by this plan would cost, in bytes; infinite if it does not keep a bound on the mean error.
pub fn cost(x: &Prepared, plan: &Plan) -> f64 {
    let (bytes, rmse) = price(x, plan);
    match x.bound {
        // No step that a payload can hold is fine enough.
        ChunkBound::Rmse(limit) if !matches!(rmse.partial_cmp(&limit), Some(Ordering::Less | Ordering::Equal)) => {
            f64::INFINITY
        }
        _ => bytes,
    }
}

/// What coding a prepared chunk by this plan would cost, in bytes, and the root mean squared error (0 where the bound is
/// another one).
pub fn price(x: &Prepared, plan: &Plan) -> (f64, f64) {
    let mut c = CostCounter::default();
    if plan.coder == Coder::Estimate && plan.map != Map::Logarithm {
        let mut state = x.state(plan);
        // Masks cost every plan alike, and steps are such that hardly a value is beyond its bound.
        let skip = plan.masked.then_some(&state.special[..]);
        plan.code_numbers(&mut c, x.g, &mut state.numbers, skip, &[], (None, None, state.worth));
        if !matches!(x.bound, ChunkBound::Rmse(_)) {
            return (c.bytes(), 0.0);
        }
        return (c.bytes(), x.rmse(&elements(x.dtype, plan, &state, x.bits.len())));
    }
    // Masks cost every plan alike: the quick way of telling them does.
    let state = coded(&mut c, x, plan, Teller::Template);
    let decoded = elements(x.dtype, plan, &state, x.bits.len());
    let rmse = if matches!(x.bound, ChunkBound::Rmse(_)) { x.rmse(&decoded) } else { 0.0 };
    let exceptions = x.exceptions(&decoded).len();
    let mut head = Vec::new();
    plan.write(&mut head, false, x.dtype.size());
    if let Some(placed) = x.placed(plan) {
        placed.write(&mut head, plan);
    }
    (head.len() as f64 + c.bytes() + exceptions as f64 * (2.0 + x.dtype.size() as f64), rmse)
}

/// What the coders of integers have learned when a chunk is coded: states to start others from, by place. The chunk is coded as
/// [`encode_chunk`] would, once for every entry of `afresh`; where that is true, coders start from nothing, so that all
/// that they know is of this chunk; a network guides them all the same.
///
/// Errors: those of [`encode_chunk`].
pub fn learned_states(req: &ChunkRequest<'_>, afresh: &[bool]) -> Result<Vec<Vec<(Place, States)>>, Error> {
    let prepared = Prepared::new(req)?;
    let plan = select::choose(&prepared, &[])?.plan;
    let learned = afresh.iter().map(|&afresh| {
        let mut state = prepared.state(&plan);
        state.lesson = Some(Lesson { afresh, ..Lesson::default() });
        code(&mut CostCounter::default(), prepared.dtype, prepared.g, &plan, plan.teller(), &mut state);
        state.lesson.map(|l| l.states.into_inner()).unwrap_or_default()
    });
    Ok(learned.collect())
}

/// The numbers that coding by this plan would leave.
pub fn reconstruct(x: &Prepared, plan: &Plan) -> Vec<u64> {
    let state = coded(&mut Silence, x, plan, Teller::Template);
    elements(x.dtype, plan, &state, x.bits.len())
}

/// Everything that passes through the coder.
#[derive(Default)]
pub struct State {
    /// Numbers for the base.
    pub numbers: Vec<f64>,
    /// Ordered bits for the lossless base.
    pub integers: Vec<i64>,
    /// NaN, ±Inf and fill values.
    pub special: Vec<bool>,
    /// Bits of the special points; other places are not used.
    pub special_bits: Vec<u64>,
    /// Zeros and signs, for logarithms.
    pub zero: Vec<bool>,
    pub negative: Vec<bool>,
    /// Special or zero: what the base skips.
    pub skip: Vec<bool>,
    /// Other fields that the base looks at.
    pub companions: Vec<Companion>,
    /// What is added to the numbers: what they stand on.
    pub below: Option<Arc<[f64]>>,
    /// Where coders leave what they learn, if that is wanted.
    pub lesson: Option<Lesson>,
    /// What a network has said of it, or where that is kept.
    pub said: Option<Said>,
    /// What a bit is worth to the encoder, in squared steps, where errors may be weighed against bits; else 0.
    pub worth: f64,
}

impl State {
    fn empty(plan: &Plan, n: usize) -> State {
        let mut s = State::default();
        if plan.masked {
            s.special = vec![false; n];
            s.special_bits = vec![0; n];
        }
        if plan.map == Map::Logarithm {
            s.zero = vec![false; n];
            s.negative = vec![false; n];
        }
        match plan.base {
            Base::Constant(_) => {}
            Base::Lossless { .. } => s.integers = vec![0; n],
            _ => s.numbers = vec![0.0; n],
        }
        s
    }
}

/// Codes a prepared chunk by a plan.
fn coded<C: BitCoder>(c: &mut C, x: &Prepared, plan: &Plan, masks: Teller) -> State {
    let mut state = x.state(plan);
    state.said = x.said.of(plan);
    code(c, x.dtype, x.g, plan, masks, &mut state);
    x.said.keep(plan, state.said.take());
    state
}

fn code<C: BitCoder>(c: &mut C, dtype: DType, g: Geometry, plan: &Plan, masks: Teller, s: &mut State) {
    if plan.masked {
        mask::code(c, g, masks, &mut s.special);
        mask::code_specials(c, 8 * dtype.size() as u32, &s.special, &mut s.special_bits);
    }
    if plan.map == Map::Logarithm {
        mask::code(c, g, masks, &mut s.zero);
        mask::code(c, g, masks, &mut s.negative);
        s.skip = s.zero.clone();
        for (a, &b) in s.skip.iter_mut().zip(&s.special) {
            *a |= b;
        }
    }
    let skip = if plan.map == Map::Logarithm { Some(&s.skip[..]) } else { plan.masked.then_some(&s.special[..]) };
    match plan.base {
        Base::Constant(_) => {}
        Base::Lossless { order, shift } => lossless::code(c, g, order, u32::from(shift), &mut s.integers, skip),
        _ => {
            plan.code_numbers(c, g, &mut s.numbers, skip, &s.companions, (s.lesson.as_ref(), s.said.as_ref(), s.worth))
        }
    }
}

/// The bits of the elements that a coded state stands for, before exceptions.
fn elements(dtype: DType, plan: &Plan, s: &State, n: usize) -> Vec<u64> {
    let mut out: Vec<u64> = match (&plan.base, &plan.map) {
        (Base::Constant(bits), _) => vec![*bits; n],
        (Base::Lossless { .. }, _) => s.integers.iter().map(|&o| from_ordered(dtype, o)).collect(),
        (_, Map::Plain) => match (&plan.beside, &s.below) {
            (None, None) => all_nearest(dtype, &s.numbers),
            (beside, below) => {
                let mut numbers = s.numbers.clone();
                if let Some(beside) = beside {
                    beside.shift(&mut numbers, &s.companions, 1.0);
                }
                for (v, below) in numbers.iter_mut().zip(below.iter().flat_map(|b| b.iter())) {
                    *v += below;
                }
                all_nearest(dtype, &numbers)
            }
        },
        (_, Map::Lattice(l)) => s.numbers.iter().map(|&k| nearest(dtype, l.value(k))).collect(),
        (_, Map::Logarithm) => s
            .numbers
            .iter()
            .zip(s.zero.iter().zip(&s.negative))
            .map(|(&y, (&zero, &negative))| {
                let m = if zero { 0.0 } else { exp2(y) };
                nearest(dtype, if negative { -m } else { m })
            })
            .collect(),
    };
    for ((out, &special), &bits) in out.iter_mut().zip(&s.special).zip(&s.special_bits) {
        *out = if special { bits } else { *out };
    }
    out
}

/// Codes (or decodes) the places, in rising order, and bits of elements that are sent exactly.
pub fn code_exceptions<C: BitCoder>(c: &mut C, dtype: DType, at: &mut Vec<usize>, exact: &mut Vec<u64>, n: usize) {
    let count = c.raw_wide(at.len() as u64, 40) as usize;
    if C::DECODING {
        at.clear();
        exact.clear();
    }
    let width = 8 * dtype.size() as u32;
    let mut lengths = [Counter::NEW; 64];
    let mut next = 0usize;
    for k in 0..count.min(n) {
        // The gap in Elias' gamma code, its length under adaptive probabilities.
        let gap = if C::DECODING { 0 } else { (at[k] - next) as u64 + 1 };
        let mut len = 0u32;
        loop {
            let counter = &mut lengths[len as usize];
            let more = c.bit(gap >> len > 1, counter.p16());
            counter.update(more, 60);
            if !more || len == 62 {
                break;
            }
            len += 1;
        }
        let gap = (1u64 << len) | c.raw_wide(gap & ((1u64 << len) - 1), len);
        let place = next.saturating_add(gap as usize - 1);
        let value = c.raw_wide(if C::DECODING { 0 } else { exact[k] }, width);
        if C::DECODING {
            if place >= n {
                return;
            }
            at.push(place);
            exact.push(value);
        }
        next = place + 1;
    }
}

/// What is wrong with a chunk whose payload names a model for nothing.
const UNASKED: &str = "does not ask for the model that its payload names";

/// Decodes the body of a chunk of this type, shape and base.
///
/// The caller has checked that the shape is within its limits: this allocates a small multiple of the decoded size.
///
/// Errors: `Corrupt` and `Truncated` where the bytes are not what SPEC says; `Unsupported`; `ModelMissing`.
pub fn decode_chunk(dtype: DType, shape: &[usize], base: u8, body: &[u8]) -> Result<DecodedChunk, Error> {
    decode_chunk_with(dtype, shape, base, body, None)
}

/// [`decode_chunk`] of a chunk whose payload header names a model: [`crate::Models::find`] has it.
pub fn decode_chunk_with(
    dtype: DType,
    shape: &[usize],
    base: u8,
    body: &[u8],
    model: Option<&Arc<LoadedModel>>,
) -> Result<DecodedChunk, Error> {
    decode_chunk_beside(dtype, shape, base, body, model, &[])
}

/// [`decode_chunk_with`] of a chunk that was coded beside others: the references that its payload names, in that order.
///
/// Errors: those of [`decode_chunk`]; `InvalidArgument` where a reference has another number of elements.
pub fn decode_chunk_beside(
    dtype: DType,
    shape: &[usize],
    base: u8,
    body: &[u8],
    model: Option<&Arc<LoadedModel>>,
    references: &[Reference<'_>],
) -> Result<DecodedChunk, Error> {
    decode_chunk_among(dtype, shape, base, body, model.map_or(AtHand::Nothing, AtHand::Named), references)
}

/// Decodes a part of a chunk, with models at hand. Some bases need not decode all for it, and do not see then what is wrong
/// with the rest.
pub(crate) fn decode_part_among(
    dtype: DType,
    shape: &[usize],
    base: u8,
    body: &[u8],
    at_hand: AtHand<'_>,
    references: &[Reference<'_>],
    part: &Part,
) -> Result<DecodedChunk, Error> {
    if base == TABLED && !matches!(at_hand, AtHand::Named(_)) {
        return fast::decode(dtype, shape, shape.iter().product(), body, Some(part));
    }
    let all = decode_chunk_among(dtype, shape, base, body, at_hand, references)?;
    let own = part.cut(&all, dtype.size());
    give(all);
    Ok(own)
}

/// Decodes a chunk with models at hand.
pub(crate) fn decode_chunk_among(
    dtype: DType,
    shape: &[usize],
    base: u8,
    body: &[u8],
    at_hand: AtHand<'_>,
    references: &[Reference<'_>],
) -> Result<DecodedChunk, Error> {
    let named = matches!(at_hand, AtHand::Named(_));
    let n = shape.iter().try_fold(1usize, |n, &e| n.checked_mul(e)).filter(|n| n.checked_mul(64).is_some());
    let n = n.ok_or(Error::Limit { what: "number of elements in a chunk", limit: 1 << 40, asked: u64::MAX })?;
    if base == NUMBERED {
        return numbered::decode(dtype, shape, n, body, at_hand);
    }
    if base == TABLED && named {
        return learned::unasked(UNASKED);
    }
    if base == TABLED {
        return fast::decode(dtype, shape, n, body, None);
    }
    let mut bytes = Bytes(body);
    let (plan, stream) = Plan::read(base, &mut bytes, dtype.size(), at_hand, references.len())?;
    if named && plan.model().is_none() && stream.placed.is_none() {
        return learned::unasked(UNASKED);
    }
    if stream.placed.is_some() && !dtype.is_float() {
        return Err(Error::Corrupt { what: "integers on a background".into(), section: "8.12" });
    }
    if !dtype.is_float() && !matches!(plan.map, Map::Plain | Map::Lattice(_)) {
        return Err(Error::Corrupt { what: "logarithms of integers".into(), section: "4" });
    }
    if matches!(plan.base, Base::Learned { .. }) && n > learned::MOST_VALUES {
        return Err(Error::Corrupt { what: format!("{n} elements in a learned chunk"), section: "8.8" });
    }
    if n == 0 {
        // The other extents may be anything: no buffer may be sized by them.
        return Ok(Vec::new());
    }
    let g = Geometry::new(shape);
    if let Base::Tucker(p) = &plan.base {
        p.check(&g)?;
    }
    let mut c = BitDecoder::new(bytes.0);
    let mut state = State::empty(&plan, n);
    if let Some(beside) = &plan.beside {
        let open = references.iter().map(|r| r.open(&g)).collect::<Result<Vec<Referred>, Error>>()?;
        state.companions = beside.companions(&open);
    }
    state.below = stream.placed.as_ref().map(|p| p.values(&g)).transpose()?;
    code(&mut c, dtype, g, &plan, stream.masks, &mut state);
    let mut out = elements(dtype, &plan, &state, n);
    if stream.exceptions {
        let (mut at, mut exact) = (Vec::new(), Vec::new());
        code_exceptions(&mut c, dtype, &mut at, &mut exact, n);
        for (i, b) in at.into_iter().zip(exact) {
            out[i] = b;
        }
    }
    c.check()?;
    Ok(to_bytes(dtype, &out))
}
