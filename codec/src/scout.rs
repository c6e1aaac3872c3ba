//! What the encoder learns of a few chunks of a variable, tried whole and with care, for the many.
use crate::base::Geometry;
use crate::chunk::{ChunkRequest, Effort};
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
    let some = n >= MANY && effort == Effort::Default;
    let place = move |k: u64| ((u128::from(n) * u128::from(k)) / 8) as u64;
    EIGHTHS.into_iter().filter(move |_| some).map(place)
}

/// Hints of those candidates that have something to say; `ask` gives that of one chunk.
pub fn hints(
    candidates: impl Iterator<Item = u64>,
    mut ask: impl FnMut(u64) -> Result<Option<Hint>, Error>,
) -> Result<Vec<Hint>, Error> {
    let mut found: Vec<Hint> = Vec::new();
    let mut asked: Vec<u64> = Vec::new();
    for i in candidates {
        if found.len() < SCOUTS && !asked.contains(&i) {
            asked.push(i);
            found.extend(ask(i)?);
        }
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
