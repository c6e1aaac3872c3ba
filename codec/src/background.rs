//! A chunk on a background: a field that its model knows, times a weight, is taken from the numbers before a base codes them,
//! and added again (SPEC §8.12).
use crate::Error;
use crate::background_place::place;
use crate::base::Geometry;
use crate::bytes::{Bytes, put_varint};
use crate::chunk::{ChunkBound, Effort};
use crate::learned::{AtHand, Background, Guiding};
use crate::plan::{Base, Map, Plan};
use crate::prepare::Prepared;
use crate::remembered::Remembered;
use std::sync::Arc;

/// Added to the code of a base whose numbers stand on a background: of the three highest bits, this one alone.
const ON_BACKGROUND: u8 = 64;
/// The bits of a base's code that tell what it stands on or beside.
const ASIDE: u8 = 224;

/// The unit of weights.
const WEIGHT_UNIT: f64 = 1.0 / 16384.0;
/// A weight of 1.
const WHOLE: i16 = 16384;

/// Whether a chunk of this base code stands on a background, and the code of its base alone.
pub fn split_code(code: u8) -> (bool, u8) {
    if code & ASIDE == ON_BACKGROUND { (true, code & !ASIDE) } else { (false, code) }
}

/// Whether the numbers of a plan can stand on a background.
pub fn takes(base: &Base, map: &Map) -> bool {
    *map == Map::Plain && !matches!(base, Base::Constant(_) | Base::Lossless { .. })
}

/// Which background a chunk stands on, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub model: Guiding,
    /// Of the model's backgrounds, from 0.
    pub number: usize,
    /// In units of 2^-14.
    pub weight: i16,
    /// Where in it the chunk's first point lies.
    pub at: [i64; 4],
}

impl Placed {
    /// The code of a base that stands on it.
    pub fn code(plain: u8) -> u8 {
        plain | ON_BACKGROUND
    }

    /// Appends what decoders must know; the model is named only where the plan names none.
    pub fn write(&self, out: &mut Vec<u8>, plan: &Plan) {
        debug_assert!(plan.guiding().is_none_or(|model| *model == self.model));
        if plan.guiding().is_none() {
            self.model.put(out);
        }
        put_varint(out, self.number as u64);
        out.extend_from_slice(&self.weight.to_le_bytes());
        if let Ok(b) = self.background() {
            for a in (0..4).filter(|&a| b.geometry().n[a] > 1) {
                put_varint(out, (self.at[a] << 1 ^ self.at[a] >> 63) as u64);
            }
        }
    }

    /// Reads what `write` wrote.
    pub fn read(b: &mut Bytes<'_>, plan: &Plan, at_hand: AtHand<'_>) -> Result<Placed, Error> {
        let model = match plan.guiding() {
            Some(model) => model.clone(),
            None => Guiding::read(b.byte()?, b, at_hand)?,
        };
        let number = usize::try_from(b.varint()?).unwrap_or(usize::MAX);
        let weight = b.take(2)?;
        let mut placed = Placed { model, number, weight: i16::from_le_bytes([weight[0], weight[1]]), at: [0; 4] };
        let n = placed.background()?.geometry().n;
        for a in (0..4).filter(|&a| n[a] > 1) {
            let v = b.varint()?;
            placed.at[a] = (v >> 1) as i64 ^ -((v & 1) as i64);
        }
        Ok(placed)
    }

    fn background(&self) -> Result<&Background, Error> {
        let model = self.model.model()?;
        let all = model.model().backgrounds();
        all.get(self.number).ok_or_else(|| Error::Corrupt {
            what: format!("background {} of model {:#}, which has {}", self.number, model.id(), all.len()),
            section: "8.12",
        })
    }

    /// What is added to the numbers of a chunk.
    pub fn values(&self, g: &Geometry) -> Result<Arc<[f64]>, Error> {
        let w = f64::from(self.weight) * WEIGHT_UNIT;
        Ok(self.background()?.around(g, self.at).into_iter().map(|v| w * v).collect())
    }
}

/// What a prepared chunk's numbers stand on.
#[derive(Clone, Debug)]
pub struct Below {
    pub placed: Placed,
    /// What was taken from every number.
    pub values: Arc<[f64]>,
    /// What the numbers were.
    pub whole: Arc<[f64]>,
}

impl Below {
    /// The same of these points alone: of a part, that tells what a chunk would take, and is not written.
    pub fn of(&self, points: impl Iterator<Item = usize> + Clone) -> Below {
        let some = |all: &[f64]| points.clone().map(|i| all[i]).collect();
        Below { placed: self.placed.clone(), values: some(&self.values), whole: some(&self.whole) }
    }
}

/// Which background it is worth a try to stand on, and with what weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    number: usize,
    weight: Weight,
}

/// How a weight is found.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weight {
    /// That leaves the least of values.
    Values,
    /// That leaves the least of differences of neighbours.
    Differences,
}

/// All that are worth a try for a chunk.
pub fn likely(x: &Prepared) -> Vec<Choice> {
    let takes = x.dtype.is_float() && matches!(x.bound, ChunkBound::Abs(_) | ChunkBound::Rmse(_));
    if !takes || x.effort == Effort::Fast || x.below.is_some() {
        return vec![];
    }
    let model = Guiding::of(&x.model);
    let count = model.and_then(|m| Some(m.model().ok()?.model().backgrounds().len())).unwrap_or(0);
    let both = |number| [Weight::Values, Weight::Differences].map(|weight| Choice { number, weight });
    (0..count).flat_map(both).collect()
}

impl Choice {
    /// The chunk on this background, with nothing to be coded beside; none where that changes nothing.
    pub fn rest(&self, x: &Prepared) -> Option<Prepared> {
        let model = Guiding::of(&x.model)?;
        let (at, weight) = {
            let background = model.model().ok()?.model().backgrounds().get(self.number)?;
            let at = place(x, background);
            (at, (self.weight.fit(x, &background.around(&x.g, at)) / WEIGHT_UNIT).round())
        };
        // A reversed background is none.
        let weight = if weight.is_finite() { weight.clamp(0.0, f64::from(i16::MAX)) as i16 } else { 0 };
        if weight < WHOLE / 32 {
            return None;
        }
        let placed = Placed { model, number: self.number, weight, at };
        let values = placed.values(&x.g).ok()?;
        let numbers = x.numbers.iter().zip(values.iter()).map(|(v, b)| v - b).collect();
        let below = Some(Below { placed, values, whole: x.numbers.clone().into() });
        let (bits, special) = (x.bits.clone(), x.special.clone());
        let said = Remembered::default();
        Some(Prepared { below, bits, numbers, special, references: vec![], said, model: x.model.clone(), ..*x })
    }
}

impl Weight {
    /// By least squares.
    fn fit(self, x: &Prepared, values: &[f64]) -> f64 {
        let known = |i: usize| !x.special.as_ref().is_some_and(|s| s[i]);
        let (mut xy, mut xx) = (0.0, 0.0);
        match self {
            Weight::Values => {
                let count = (0..values.len()).filter(|&i| known(i)).count() as f64;
                let mean = |v: &[f64]| (0..v.len()).filter(|&i| known(i)).map(|i| v[i]).sum::<f64>() / count;
                let (own, other) = (mean(&x.numbers), mean(values));
                for i in (0..values.len()).filter(|&i| known(i)) {
                    xy += (x.numbers[i] - own) * (values[i] - other);
                    xx += (values[i] - other) * (values[i] - other);
                }
            }
            Weight::Differences => {
                for a in (0..4).filter(|&a| x.g.n[a] > 1) {
                    let o = x.g.stride[a];
                    for i in (o..values.len()).filter(|&i| !(i / o).is_multiple_of(x.g.n[a])) {
                        if known(i) && known(i - o) {
                            let d = values[i] - values[i - o];
                            xy += (x.numbers[i] - x.numbers[i - o]) * d;
                            xx += d * d;
                        }
                    }
                }
            }
        }
        xy / xx
    }
}
