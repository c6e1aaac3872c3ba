//! What the encoder learns of a few chunks of a variable, tried whole and with care, for the many.
use crate::apart::Apart;
use crate::base::{Geometry, wavelet};
use crate::chunk::{Effort, EncodedChunk, cost};
use crate::ordered::{Tasks, each, run_ordered};
use crate::plan::{Base, Map, NUMBERED, Plan};
use crate::prepare::Prepared;
use crate::select_fit::fit_step;
use crate::select_parts::liveliest;
use crate::select_start::start;
use crate::{Error, contest, learned, select_target};

/// Variables of fewer chunks have none that go ahead: each is tried with care. With effort `max`, where hints are but a part of
/// the search, and with `default`.
const MANY: [u64; 2] = [3, 4];
/// So many chunks go ahead.
const SCOUTS: usize = 2;
/// Where they are looked for, in eighths of the variable: some chunks hold nothing.
const EIGHTHS: [u64; 5] = [3, 5, 4, 1, 6];

/// Values of the part of a chunk on which hints are compared.
const PART: usize = 1 << 15;

/// How a chunk was best coded, if others can make something of it.
#[derive(Clone, Debug)]
pub struct Hint {
    pub plan: Plan,
    /// What was set apart there.
    pub apart: Apart,
    /// That chunk's extents.
    pub g: Geometry,
    /// The plan is that of numbers in place of its elements.
    pub numbered: bool,
    /// Bytes for each of its values.
    rate: f64,
}

/// What chunks that went ahead tell others, and what they have come to themselves.
#[derive(Default)]
pub struct Ahead {
    pub hints: Vec<Hint>,
    done: Vec<(u64, EncodedChunk)>,
}

impl Ahead {
    /// What a chunk was coded to, if it went ahead.
    pub fn done(&self, chunk: u64) -> Option<&EncodedChunk> {
        self.done.iter().find(|done| done.0 == chunk).map(|done| &done.1)
    }

    /// Whether chunks that went ahead were smallest with elements as they are.
    pub fn as_they_are(&self) -> bool {
        !self.done.is_empty() && self.done.iter().all(|done| done.1.base != NUMBERED)
    }
}

/// Sends ahead a few of `n` chunks, of those that have something to say, if there are many; `ask` codes one. `alone` says
/// that they have no references, of which hints know nothing. What comes of it does not depend on the number of threads.
pub fn go_ahead(
    n: u64,
    (effort, alone): (Effort, bool),
    threads: usize,
    ask: impl Fn(u64) -> Result<(EncodedChunk, Option<Hint>), Error> + Sync,
) -> Result<Ahead, Error> {
    let many = match effort {
        Effort::Fast => false,
        Effort::Default => alone && n >= MANY[1],
        Effort::Max => n >= MANY[0],
    };
    let mut left: Vec<u64> = Vec::new();
    for k in EIGHTHS.into_iter().filter(|_| many) {
        let place = (u128::from(n) * u128::from(k) / 8) as u64;
        if !left.contains(&place) {
            left.push(place);
        }
    }
    let mut ahead = Ahead::default();
    while ahead.hints.len() < SCOUTS && !left.is_empty() {
        // All that are asked at once are needed: fewer would not be enough.
        let now: Vec<u64> = left.drain(..left.len().min(SCOUTS - ahead.hints.len())).collect();
        run_ordered(
            (now.len() as u64, Tasks::Helped),
            threads,
            |k| ask(now[k as usize]),
            |k, (chunk, hint)| {
                ahead.hints.extend(hint);
                ahead.done.push((now[k as usize], chunk));
                Ok(())
            },
        )?;
    }
    Ok(ahead)
}

/// What a chunk that came to this plan has to say.
pub fn hint(x: &Prepared, plan: Plan, apart: Apart, bytes: usize) -> Option<Hint> {
    let rate = bytes as f64 / x.bits.len() as f64;
    (!contest::exact(&plan)).then_some(Hint { plan, apart, g: x.g, numbered: false, rate })
}

impl Hint {
    /// The same of numbers in place of elements.
    pub fn of_numbers(self) -> Hint {
        Hint { numbered: true, ..self }
    }
}

/// Bytes that a chunk is expected to take: as many for each value as others did.
pub fn expected(x: &Prepared, hints: &[Hint]) -> f64 {
    hints.iter().map(|hint| hint.rate).fold(0.0, f64::max) * x.bits.len() as f64
}

/// Hints, that which makes the least of a lively part of a chunk first; and what the chunk takes if all of it is like that part.
pub fn likeliest<'a>(x: &Prepared, hints: &[&'a Hint]) -> (Vec<&'a Hint>, f64) {
    if hints.len() < 2 {
        return (hints.to_vec(), 0.0);
    }
    let part = liveliest(x, PART);
    let ground = part.as_ref().unwrap_or(x);
    let bytes = |hint| follow(ground, hint).map_or(f64::INFINITY, |plan| cost(ground, &plan));
    let mut told = each(hints.to_vec(), |hint| (bytes(hint), hint));
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    let whole = told[0].0 * x.bits.len() as f64 / ground.bits.len() as f64;
    (told.into_iter().map(|t| t.1).collect(), whole)
}

/// The plan of another chunk for this one; none where it has none like that.
pub fn follow(x: &Prepared, hint: &Hint) -> Option<Plan> {
    moved(x, hint.plan.clone(), hint.g)
}

/// The plan of a chunk of extents `from` for another one.
pub fn moved(x: &Prepared, plan: Plan, from: Geometry) -> Option<Plan> {
    let mut plan = Plan { masked: x.special.is_some(), ..plan };
    match (&plan.base, select_target::target(x)) {
        (Base::Wavelet(found), Some(target)) => {
            let start = start(&plan.primed);
            let on = wavelet::Ground { part: true, thin: false, rival: f64::INFINITY, effort: x.effort, start };
            let mask = x.special.as_deref();
            let p = wavelet::transfer(x.g, &x.numbers, mask, target, found, from, on)?;
            Some(Plan { base: Base::Wavelet(p), ..plan })
        }
        (Base::Learned { .. }, _) if x.g.len() > learned::MOST_VALUES => None,
        (Base::Interpolation { .. } | Base::Raster { .. } | Base::Learned { .. }, target) => {
            if let (Map::Plain, Some(wavelet::Target::MaxError(room))) = (&plan.map, target) {
                plan.set_step(select_target::step_within(room));
            }
            Some(fit_step(x, plan))
        }
        _ => None,
    }
}
