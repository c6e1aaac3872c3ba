//! What the encoder learns of a few chunks of a variable, tried whole and with care, for the many.
use crate::base::{Geometry, wavelet};
use crate::chunk::{ChunkRequest, Effort};
use crate::contest::{self, Best};
use crate::ordered::run_ordered;
use crate::plan::{Base, Map, Plan};
use crate::prepare::Prepared;
use crate::select_fit::fit_step;
use crate::{Error, learned, select};

/// Variables of fewer chunks have none that go ahead: each is tried with care. With effort `max`, where hints are but a part of
/// the search, and with `default`.
const MANY: [u64; 2] = [3, 4];
/// So many chunks go ahead.
const SCOUTS: usize = 2;
/// Where they are looked for, in eighths of the variable: some chunks hold nothing.
const EIGHTHS: [u64; 5] = [3, 5, 4, 1, 6];

/// How a chunk was best coded.
#[derive(Clone, Debug)]
pub struct Hint {
    pub plan: Plan,
    /// That chunk's extents.
    pub g: Geometry,
    /// Bytes for each of its values.
    pub rate: f64,
}

/// The chunks of a variable of `n` that may go ahead, in the order in which they are asked; `alone` says that they have no
/// references, of which hints know nothing.
pub fn candidates(n: u64, effort: Effort, alone: bool) -> impl Iterator<Item = u64> {
    let some = match effort {
        Effort::Fast => false,
        Effort::Default => alone && n >= MANY[1],
        Effort::Max => n >= MANY[0],
    };
    let place = move |k: u64| ((u128::from(n) * u128::from(k)) / 8) as u64;
    EIGHTHS.into_iter().filter(move |_| some).map(place)
}

/// Hints of those candidates that have something to say; `ask` gives that of one chunk. They do not depend on the number
/// of threads.
pub fn hints(
    candidates: impl Iterator<Item = u64>,
    threads: usize,
    ask: impl Fn(u64) -> Result<Option<Hint>, Error> + Sync,
) -> Result<Vec<Hint>, Error> {
    let mut left: Vec<u64> = Vec::new();
    candidates.for_each(|i| {
        if !left.contains(&i) {
            left.push(i);
        }
    });
    let mut found: Vec<Hint> = Vec::new();
    while found.len() < SCOUTS && !left.is_empty() {
        // All that are asked at once are needed: fewer would not be enough.
        let now: Vec<u64> = left.drain(..left.len().min(SCOUTS - found.len())).collect();
        run_ordered(
            now.len() as u64,
            threads,
            |k| ask(now[k as usize]),
            |_, hint| {
                found.extend(hint);
                Ok(())
            },
        )?;
    }
    Ok(found)
}

/// How a chunk is best coded, if others can make something of it.
pub fn hint(req: &ChunkRequest<'_>) -> Result<Option<Hint>, Error> {
    let mut x = Prepared::new(req)?;
    let Best { plan, coded } = contest::smallest(&mut x, &[])?;
    let rate = coded.body.len() as f64 / x.bits.len() as f64;
    Ok((!contest::exact(&plan)).then_some(Hint { plan, g: x.g, rate }))
}

/// The plan of another chunk for this one; none where it has none like that.
pub fn follow(x: &Prepared, hint: &Hint) -> Option<Plan> {
    let mut plan = Plan { masked: x.special.is_some(), ..hint.plan.clone() };
    match (&hint.plan.base, select::target(x)) {
        (Base::Wavelet(found), Some(target)) => {
            let start = select::start(&plan.primed);
            let on = wavelet::Ground { part: true, thin: false, rival: f64::INFINITY, effort: x.effort, start };
            let mask = x.special.as_deref();
            let p = wavelet::transfer(x.g, &x.numbers, mask, target, found, hint.g, on)?;
            Some(Plan { base: Base::Wavelet(p), ..plan })
        }
        (Base::Learned { .. }, _) if x.g.len() > learned::MOST_VALUES => None,
        (Base::Interpolation { .. } | Base::Raster { .. } | Base::Learned { .. }, target) => {
            if let (Map::Plain, Some(wavelet::Target::MaxError(room))) = (&plan.map, target) {
                plan.set_step(select::step_within(room));
            }
            Some(fit_step(x, plan))
        }
        _ => None,
    }
}
