//! Which plan codes a chunk: those that a search found, coded whole, and the smallest kept.
use crate::apart::Apart;
use crate::background::Placed;
use crate::base::interpolation::Parameters;
use crate::chunk::{Coded, Effort, write};
use crate::options::ModelChoice;
use crate::ordered::{each, each_to};
use crate::plan::{Base, Coder, Map, Plan};
use crate::prepare::Prepared;
use crate::scout::{self, Hint};
use crate::select::Choice;
use crate::select_fit::fit_step;
use crate::{Error, learned, polish, select};

/// Fewer bytes may be halved by another base or by other parameters, and are coded soon.
pub const VERY_LITTLE: usize = 1 << 14;

/// Fewer bytes are worth a search of their own without states.
const LEAST: usize = 1 << 13;

/// Whether so many bytes are few for a chunk of so many values.
fn little(values: usize, bytes: usize) -> bool {
    bytes < 1 << 17 && (values <= 1 << 18 || bytes < values / 8)
}

/// Multiple of a chunk's bytes that parts of it say it takes, where they mislead.
const MISLED: f64 = 1.6;

/// The plan that codes a chunk in the fewest bytes so far.
pub struct Best {
    pub plan: Plan,
    pub coded: Coded,
    /// The background that its numbers stand on.
    pub placed: Option<Placed>,
}

impl Best {
    fn of(x: &Prepared, plan: Plan) -> Best {
        Best { coded: write(x, &plan), placed: x.placed(&plan).cloned(), plan }
    }

    /// The smallest of these, all of which are noted; none of none.
    fn among(x: &Prepared, plans: Vec<Plan>, noted: &mut Vec<Tried>) -> Option<Best> {
        let mut all: Option<Best> = None;
        let sink = |rival: Best| {
            noted.push(rival.tried());
            match &mut all {
                Some(best) => best.hold_against(x, rival),
                None => all = Some(rival),
            }
        };
        each_to(plans, |plan| Best::of(x, plan), sink);
        all
    }

    fn tried(&self) -> Tried {
        Tried { plan: self.plan.clone(), bytes: self.bytes() }
    }

    /// What it takes of a file, or about that.
    fn bytes(&self) -> usize {
        let body = self.coded.body.len();
        let telling = self.plan.beside.as_ref().map_or(0, |beside| {
            // Beyond a few thousand bytes references are told twice, once in a record of their own.
            (1 + 2 * beside.chosen.len()) * if body < 4000 { 1 } else { 4 }
        });
        body + telling
    }

    /// Takes the place of this one where it is smaller and keeps the bound.
    fn hold_against(&mut self, x: &Prepared, rival: Best) {
        if rival.bytes() < self.bytes() && x.keeps(&x.stats(&rival.plan, &rival.coded.decoded)) {
            *self = rival;
        }
    }

    /// The same with all of these, which are noted.
    fn hold_against_all(&mut self, x: &Prepared, rivals: Vec<Plan>, noted: &mut Vec<Tried>) {
        let sink = |rival: Best| {
            noted.push(rival.tried());
            self.hold_against(x, rival);
        };
        each_to(rivals, |plan| Best::of(x, plan), sink);
    }
}

/// A plan that was coded whole, and what it takes.
pub struct Tried {
    pub plan: Plan,
    bytes: usize,
}

/// Nothing of it is predicted.
pub fn exact(plan: &Plan) -> bool {
    matches!(plan.base, Base::Constant(_) | Base::Lossless { .. })
}

/// What a chunk that follows others may need more than they do.
const ALIKE: f64 = 1.25;
/// Multiple of a chunk's bytes that a lively part says it takes, where other hints are tried as well.
const UNEVEN: f64 = 1.2;
/// Bytes that tell nothing.
const NOTHING: f64 = 64.0;

/// The smallest of the likeliest ways in which other chunks were best coded, where it is about as small here, and what
/// was set apart: as for them, or as this chunk asks for.
fn followed(x: &Prepared, hints: &[Hint]) -> Option<(Best, Apart)> {
    let mut aparts: Vec<Apart> = Vec::new();
    for apart in hints.iter().map(|hint| hint.apart.clone()).chain(Apart::likely(x)) {
        if !aparts.contains(&apart) {
            aparts.push(apart);
        }
    }
    let found = each(aparts, |apart| {
        let mut own: Vec<&Hint> = hints.iter().filter(|hint| hint.apart == apart).collect();
        if own.is_empty() {
            own = hints.iter().collect();
        }
        let rest = apart.rest(x);
        let best = followed_as_it_is(rest.as_ref().unwrap_or(x), &own)?;
        x.keeps(&x.stats(&best.plan, &best.coded.decoded)).then_some((best, apart))
    });
    let alike = ALIKE * scout::expected(x, hints) + NOTHING;
    found.into_iter().flatten().min_by_key(|(best, _)| best.bytes()).filter(|(best, _)| (best.bytes() as f64) < alike)
}

/// The same for a chunk from which nothing is to be set apart any more; whether it is small and keeps the bound is not looked at.
fn followed_as_it_is(x: &Prepared, hints: &[&Hint]) -> Option<Best> {
    let (likeliest, told) = scout::likeliest(x, hints);
    let mut plans = likeliest.into_iter().filter_map(|hint| scout::follow(x, hint));
    let mut best = Best::of(x, plans.next()?);
    // A part that is unlike the rest says little of it.
    if told > UNEVEN * best.coded.body.len() as f64 {
        best.hold_against_all(x, plans.collect(), &mut vec![]);
    }
    Some(best)
}

/// Multiple of the best's bytes up to which its plan, with common values set apart, tells that others are worth a search.
const WORTH: f64 = 1.1;

/// The smallest that is found for a chunk, and what was set apart for it. It may not keep a bound that rounding just breaks.
pub fn smallest(x: &mut Prepared, hints: &[Hint]) -> Result<(Best, Apart), Error> {
    // What references tell, others' plans do not know; a chunk of one value has a shorter one.
    let follows = x.effort == Effort::Default && !hints.is_empty() && x.references.is_empty() && x.lo < x.hi;
    if let Some(found) = follows.then(|| followed(x, hints)).flatten() {
        return Ok(found);
    }
    let mut best = of_all(x, hints)?;
    if x.effort == Effort::Fast || matches!(best.plan.base, Base::Constant(_)) {
        return Ok((best, Apart::Nothing));
    }
    let mut found = Apart::Nothing;
    let kinds = [(Apart::likely(x), 0.0), (Apart::backgrounds(x), NOTHING)];
    for (aparts, slack) in kinds {
        let ask = |apart: Apart| {
            let mut rest = apart.rest(x)?;
            // Beside others and on a background no chunk is.
            if rest.below.is_none() {
                rest.references.clone_from(&x.references);
            }
            Some((Best::of(&rest, like(x, &rest, &best.plan)?), apart, rest))
        };
        // Each is as large as the chunk: only the smallest is kept.
        let mut least: Option<(Best, Apart, Prepared)> = None;
        each_to(aparts, ask, |tried| {
            if let Some(tried) = tried.filter(|t| least.as_ref().is_none_or(|least| t.0.bytes() < least.0.bytes())) {
                least = Some(tried);
            }
        });
        let Some((like, apart, mut rest)) = least else { continue };
        if like.bytes() as f64 >= WORTH * best.bytes() as f64 + slack {
            continue;
        }
        let mut rival = of_all(&mut rest, hints)?;
        rival.hold_against(&rest, like);
        if rival.bytes() < best.bytes() && x.keeps(&x.stats(&rival.plan, &rival.coded.decoded)) {
            (best, found) = (rival, apart);
        }
    }
    Ok((best, found))
}

/// The plan of a chunk for what is left of it.
fn like(x: &Prepared, rest: &Prepared, plan: &Plan) -> Option<Plan> {
    let plan = Plan { masked: rest.special.is_some(), ..plan.clone() };
    let Some(below) = &rest.below else { return Some(fit_step(rest, plan)) };
    // What is far smaller has other parameters, and is on no lattice.
    let on_plain = plan.map == Map::Plain;
    let plan = Plan { beside: None, map: Map::Plain, ..plan }.asking(&below.placed.model);
    let same = Some(&plan).filter(|_| on_plain);
    same.and_then(|plan| scout::moved(rest, plan.clone(), x.g)).or_else(|| polish::wavelet(rest, &plan))
}

/// The smallest that is found for a chunk as it is.
fn of_all(x: &mut Prepared, hints: &[Hint]) -> Result<Best, Error> {
    let hints = if x.effort == Effort::Max { hints } else { &[] };
    let mut polished = Polished::new();
    let (mut best, tried) = searched(x, hints, &mut polished)?;
    if x.effort != Effort::Fast && !exact(&best.plan) && little(x.g.len(), best.coded.body.len()) {
        doubt(x, hints, (tried, polished), &mut best)?;
    }
    if x.effort == Effort::Max {
        // A wide search does not come by all that a narrow one does.
        x.effort = Effort::Default;
        let narrow = of_all(x, &[])?;
        x.effort = Effort::Max;
        best.hold_against(x, narrow);
    }
    Ok(best)
}

/// Plans without states of a model, and what was found near them.
type Polished = Vec<(Plan, Option<Plan>)>;

/// The smallest of what a search finds, and all plans that were coded for it.
fn searched(x: &Prepared, hints: &[Hint], polished: &mut Polished) -> Result<(Best, Vec<Tried>), Error> {
    let Choice { plan, rivals, told } = select::choose(x, hints)?;
    let plans = [plan.clone()].into_iter().chain(rivals).collect();
    let mut tried = vec![];
    let mut best = Best::among(x, plans, &mut tried).unwrap_or_else(|| Best::of(x, plan));
    // Parts that are unlike the rest say nothing of a wavelet that may be best there.
    let wavelet = |p: &Plan| matches!(p.base, Base::Wavelet(_));
    if told > MISLED * best.coded.body.len() as f64
        && x.effort != Effort::Fast
        && !exact(&best.plan)
        && best.plan.map == Map::Plain
        && !tried.iter().any(|tried| wavelet(&tried.plan))
    {
        let rival = polish::wavelet(x, &Plan { beside: None, ..best.plan.clone() });
        best.hold_against_all(x, rival.into_iter().collect(), &mut tried);
        if wavelet(&best.plan) {
            let found = polish::polish(x, &best.plan, best.coded.body.len());
            best.hold_against_all(x, found.into_iter().collect(), &mut tried);
        }
    }
    let bytes = best.coded.body.len();
    let found = each(polish::starts(x, &tried, &best.plan, bytes), |start| {
        let bare = Plan { primed: None, ..start.clone() };
        let known = polished.iter().find(|known| known.0 == bare).map(|known| known.1.clone());
        (start, known.unwrap_or_else(|| polish::polish(x, &bare, bytes)), bare)
    });
    let mut rivals = vec![];
    for (start, found, bare) in found {
        if let Some(found) = &found {
            let rival = Plan { primed: start.primed, ..found.clone() };
            rivals.extend(
                tried.iter().find_map(|tried| guided(&tried.plan, &rival.base)).map(|guided| fit_step(x, guided)),
            );
            rivals.push(rival);
        }
        polished.push((bare, found));
    }
    best.hold_against_all(x, rivals, &mut tried);
    // The full mix learns fastest, and where bytes are few it takes no time.
    let few = x.effort == Effort::Max || x.effort == Effort::Default && best.coded.body.len() < VERY_LITTLE;
    if few && best.plan.coder == Coder::ZerosFirst && best.plan.beside.is_none() && !exact(&best.plan) {
        let rival = Plan { coder: Coder::FullMix, primed: None, ..best.plan.clone() };
        best.hold_against_all(x, vec![rival], &mut tried);
    }
    Ok((best, tried))
}

/// A guided plan with what an interpolation has come to without a network.
fn guided(plan: &Plan, base: &Base) -> Option<Plan> {
    let Base::Interpolation { p: found, .. } = base else { return None };
    let mut plan = plan.clone();
    let Base::Learned { p, .. } = &mut plan.base else { return None };
    *p = Parameters { fitted: p.fitted, linear: p.linear, ..found.clone() };
    Some(plan)
}

/// Multiples of the best's bytes up to which others are coded without states as well; where there are very few.
const DOUBTFUL: [f64; 2] = [1.005, 1.03];

/// Codes a chunk of few bytes also without what may have misled to its plan: the states that a model has learned, and
/// references. Where bytes are few, that is where it matters.
fn doubt(
    x: &mut Prepared,
    hints: &[Hint],
    (tried, mut polished): (Vec<Tried>, Polished),
    best: &mut Best,
) -> Result<(), Error> {
    let very = best.coded.body.len() < VERY_LITTLE;
    let near = DOUBTFUL[usize::from(very)] * best.bytes() as f64;
    let near = tried.into_iter().filter(|tried| tried.bytes as f64 <= near).map(|tried| tried.plan);
    // To run a network once more takes long, and what it gains does not depend on states.
    let primed = near.filter(|p| p.primed.is_some() && (very || !matches!(p.base, Base::Learned { .. })));
    let bare = primed.map(|rival| Plan { primed: None, ..rival }).collect();
    best.hold_against_all(x, bare, &mut vec![]);
    // Either may mislead to another base as well.
    let alone = !x.references.is_empty();
    let cold = best.coded.body.len() < LEAST && x.model != ModelChoice::None;
    let (references, own) = (std::mem::take(&mut x.references), x.model.clone());
    // On a background the model is asked in any case.
    let parent = learned::parent_that_ships(&own).filter(|_| cold && x.below.is_none());
    let others = [alone.then(|| own.clone()), cold.then_some(ModelChoice::None), parent.map(ModelChoice::Given)];
    for model in others.into_iter().flatten() {
        x.model = model;
        let (rival, _) = searched(x, hints, &mut polished)?;
        best.hold_against(x, rival);
    }
    (x.references, x.model) = (references, own);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{Around, ChunkBound, ChunkRequest, encode_ahead};
    use scicodec_format::DType;

    /// A wave of this length, and noise of this height.
    fn field(length: f64, noise: f64) -> Vec<u8> {
        let mut seed = 1u32;
        let values = (0..48 * 64).map(|i| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (y, x) = (f64::from(i / 64), f64::from(i % 64));
            let wave = (y / length).sin() * (x / length).cos();
            wave + noise * (f64::from(seed >> 8) / f64::from(1 << 23) - 1.0)
        });
        values.flat_map(|v| (v as f32).to_ne_bytes()).collect()
    }

    fn request(data: &[u8]) -> ChunkRequest<'_> {
        let (fill, effort, model) = (None, Effort::Default, ModelChoice::None);
        let (dtype, bound) = (DType::F32, ChunkBound::Abs(1e-3));
        ChunkRequest { dtype, shape: &[48, 64], data, bound, fill, effort, model }
    }

    fn coded(data: &[u8], hints: &[Hint]) -> Best {
        smallest(&mut Prepared::new(&request(data)).unwrap(), hints).unwrap().0
    }

    #[test]
    fn a_chunk_that_is_like_another_is_coded_like_it() {
        let (first, second) = (field(9.0, 0.01), field(9.5, 0.01));
        let hint = encode_ahead(&request(&first), &Around::default()).unwrap().1.expect("something to say");
        let (base, alone) = (hint.plan.code(), coded(&second, &[]));
        let followed = coded(&second, &[hint]);
        assert_eq!(followed.plan.code(), base);
        assert!(followed.bytes() as f64 <= ALIKE * alone.bytes() as f64 + NOTHING);
    }

    #[test]
    fn those_of_which_other_things_were_set_apart_are_both_followed() {
        let sea = field(9.0, 0.01);
        let coast = |length: f64| {
            let mut data = field(length, 0.01);
            // A corner of one value, far from the others.
            for i in (0..48 * 64).filter(|i| i / 64 < 20 && i % 64 < 30) {
                data[4 * i..4 * i + 4].copy_from_slice(&7.0f32.to_ne_bytes());
            }
            data
        };
        let hints = [&sea, &coast(9.0)]
            .map(|data| encode_ahead(&request(data), &Around::default()).unwrap().1.expect("something to say"));
        assert!(hints[0].apart == Apart::Nothing && hints[1].apart != Apart::Nothing);
        for (like, coastal) in [(field(9.5, 0.01), false), (coast(9.5), true)] {
            let (best, apart) = followed(&Prepared::new(&request(&like)).unwrap(), &hints).expect("one is like it");
            assert!(best.bytes() as f64 <= ALIKE * coded(&like, &[]).bytes() as f64 + NOTHING);
            // What is set apart where there is none of it does nothing.
            assert!(!coastal || apart == hints[1].apart);
        }
    }

    #[test]
    fn a_chunk_that_is_not_is_searched() {
        let (first, second) = (field(20.0, 0.0), field(3.0, 0.2));
        let hint = encode_ahead(&request(&first), &Around::default()).unwrap().1.expect("something to say");
        assert!(followed(&Prepared::new(&request(&second)).unwrap(), std::slice::from_ref(&hint)).is_none());
        assert_eq!(coded(&second, &[hint]).coded.body, coded(&second, &[]).coded.body);
    }

    #[test]
    fn a_chunk_of_one_value_is_constant_whatever_others_are() {
        let first = field(9.0, 0.01);
        let hint = encode_ahead(&request(&first), &Around::default()).unwrap().1.expect("something to say");
        let flat: Vec<u8> = std::iter::repeat_n(1.5f32.to_ne_bytes(), 48 * 64).flatten().collect();
        assert!(exact(&coded(&flat, &[hint]).plan));
    }
}
