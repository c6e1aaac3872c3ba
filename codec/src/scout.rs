//! What the encoder learns of a few chunks of a variable, tried whole and with care, for the many.
use crate::base::Geometry;
use crate::chunk::{ChunkRequest, Effort};
use crate::ordered::run_ordered;
use crate::plan::{Base, Plan};
use crate::prepare::Prepared;
use crate::{Error, select};

/// Variables of fewer chunks have none that go ahead: each is tried with care.
const MANY: u64 = 3;
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
}

/// The chunks of a variable of `n` that may go ahead, in the order in which they are asked.
pub fn candidates(n: u64, effort: Effort) -> impl Iterator<Item = u64> {
    let some = n >= MANY && effort == Effort::Max;
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
    let x = Prepared::new(req)?;
    let plan = select::choose(&x, &[])?.0;
    let tells = !matches!(plan.base, Base::Constant(_) | Base::Lossless { .. });
    Ok(tells.then_some(Hint { plan, g: x.g }))
}
