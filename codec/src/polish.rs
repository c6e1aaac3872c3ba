//! Small steps from a plan that is known to the best one near it, by coded size.
use crate::base::interpolation::Parameters;
use crate::base::wavelet_near::{self, Near};
use crate::chunk::{ChunkBound, Effort, price};
use crate::contest::{Tried, VERY_LITTLE, exact};
use crate::ordered::{each, each_to};
use crate::plan::{Base, Map, Plan, SCHEDULES};
use crate::prepare::Prepared;
use crate::select_fit::fit_step;
use crate::select_target::target;

/// Values of chunks that are polished whatever they take; and of those, where they are one of many, that are only where they
/// take less than so many bytes.
const SMALL: usize = 1 << 16;
const LARGE: usize = 1 << 17;
const LITTLE: usize = 1 << 12;
/// What may be coded in all to polish one plan, in values; how many of them take as long as a byte that is written; and
/// the tries that any plan has.
const BUDGET: usize = 1 << 23;
const BYTE: usize = 16;
const FEWEST: usize = 12;
/// Tries on a part of a chunk.
const ON_PART: usize = 12;
/// Bytes below which two ways are gone from a wavelet.
const FEW: usize = 2048;
/// Multiple of the least bytes up to which a plan is polished.
const REACH: f64 = 1.5;

/// The plans from which to start, where the best of those tried needs so many bytes: that one, and the first of every other
/// kind; if none is a wavelet, one that nothing is known of.
pub fn starts(x: &Prepared, tried: &[Tried], best: &Plan, bytes: usize) -> Vec<Plan> {
    if x.effort == Effort::Fast || exact(best) || bytes >= VERY_LITTLE && x.g.len() > SMALL {
        return vec![];
    }
    let unknown = || {
        let none = best.map == Map::Plain && !tried.iter().any(|tried| matches!(tried.plan.base, Base::Wavelet(_)));
        none.then(|| wavelet(x, &Plan { beside: None, ..best.clone() })).flatten()
    };
    if x.one_of_many && x.g.len() > LARGE && bytes >= LITTLE {
        return unknown().into_iter().collect();
    }
    let kinds: [fn(&Base) -> bool; 2] =
        [|b| matches!(b, Base::Wavelet(_)), |b| matches!(b, Base::Interpolation { .. })];
    let others = kinds.iter().filter(|is| !is(&best.base));
    let others = others.filter_map(|is| tried.iter().map(|tried| &tried.plan).find(|p| is(&p.base)));
    let mut starts: Vec<Plan> = [best].into_iter().chain(others).cloned().collect();
    starts.extend(unknown());
    starts
}

/// A wavelet for a search that knows nothing, in a plan that is like this one else.
pub fn wavelet(x: &Prepared, like: &Plan) -> Option<Plan> {
    let near = Near::new(x.g, &x.numbers, x.special.as_deref(), target(x)?)?;
    let p = near.fitted(&near.everywhere())?;
    Some(Plan { base: Base::Wavelet(p), ..like.clone() })
}

/// The best plan that is found near this one, where the best of all needs so many bytes; none where that is itself.
pub fn polish(x: &Prepared, plan: &Plan, bytes: usize) -> Option<Plan> {
    let tries = FEWEST.max(BUDGET / (x.bits.len() + BYTE * bytes).max(1));
    within(x, plan, bytes as f64, (tries, REACH), bytes < FEW)
}

/// The same for a part of a chunk, of which the best of all needs so many bytes, if this one needs less than so many times
/// as many. States of a model take long to look at, and tell little of which plan is best: they are left out on the way.
pub fn on_part(x: &Prepared, plan: &Plan, bytes: f64, reach: f64) -> Option<Plan> {
    let found = within(x, &Plan { primed: None, ..plan.clone() }, bytes, (ON_PART, reach), false)?;
    Some(Plan { primed: plan.primed.clone(), ..found })
}

/// The same with so many tries, of a plan that needs at most so many times as many bytes.
fn within(x: &Prepared, plan: &Plan, bytes: f64, (tries, reach): (usize, f64), twice: bool) -> Option<Plan> {
    let limits = (tries, reach * bytes);
    // Where the bound is on the mean error, steps of wavelets are not fitted to it on the way: about what it would take if
    // they were. Those of interpolations would be too far off.
    let weigh = |slope: f64, coded: f64, rmse: f64| match x.bound {
        ChunkBound::Rmse(limit) => coded + slope * (rmse / limit).max(1e-6).ln(),
        _ => coded,
    };
    match &plan.base {
        Base::Wavelet(p) => {
            // What is left of them where references are taken out.
            let values = x.state(plan).numbers;
            let near = Near::new(x.g, &values, x.special.as_deref(), target(x)?)?;
            let of = |p| Plan { base: Base::Wavelet(p), ..plan.clone() };
            let from = Near::spot(p);
            let slope = if matches!(x.bound, ChunkBound::Rmse(_)) { near.slope(&from)? } else { 0.0 };
            let cost = |spot: &_, best: Option<&_>| near.cost(spot, best, |coded, rmse| weigh(slope, coded, rmse));
            // Where there is next to nothing, one way down ends far from another.
            let ways = if twice { vec![false, true] } else { vec![false] };
            let ends = each(ways, |backwards| {
                let at = |kind| if backwards { wavelet_near::KINDS - 1 - kind } else { kind };
                let neighbours = |kind, spot: &_| near.neighbours(at(kind), spot);
                descend(from, limits, (wavelet_near::KINDS, neighbours), cost)
            });
            let (_, found) = ends.into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0))?;
            near.fitted(&found).map(of)
        }
        &Base::Interpolation { ref p, step } => {
            let of = |p: &Parameters| Plan { base: Base::Interpolation { p: p.clone(), step }, ..plan.clone() };
            let neighbours = |kind, p: &_| interpolations(x, kind, p);
            let (_, found) = descend(p.clone(), limits, (KINDS, neighbours), |p, _: Option<&()>| {
                let (coded, rmse) = price(x, &fit_step(x, of(p)));
                (weigh(bytes, coded, rmse), None)
            })?;
            Some(fit_step(x, of(&found)))
        }
        _ => None,
    }
}

/// Goes to cheaper neighbours, kind after kind, until no kind has any or all tries are spent: where it ends, and what that
/// costs; none where nothing is cheaper than the start, or that is beyond a limit. `cost` is given what it has made known of
/// the cheapest so far.
fn descend<T: Clone + PartialEq + Send + Sync, K: Send + Sync>(
    from: T,
    (mut tries, limit): (usize, f64),
    (kinds, neighbours): (usize, impl Fn(usize, &T) -> Vec<T>),
    cost: impl Fn(&T, Option<&K>) -> (f64, Option<K>) + Sync,
) -> Option<(f64, T)> {
    let (start, mut known) = cost(&from, None);
    let mut best = (start, from.clone());
    if start > limit {
        return None;
    }
    let mut seen = vec![from.clone()];
    let (mut kind, mut idle) = (0, 0);
    while idle < kinds && tries > 0 {
        let before = best.0;
        let mut all = neighbours(kind, &best.1);
        all.retain(|next| !seen.contains(next));
        all.truncate(tries);
        tries -= all.len();
        seen.extend(all.iter().cloned());
        let mut cheaper = None;
        let ask = |next: T| {
            let (bytes, found) = cost(&next, known.as_ref());
            // What is known of others is large, and not wanted.
            (bytes < before).then_some((bytes, next, found))
        };
        each_to(all, ask, |found| {
            if let Some((bytes, next, found)) = found.filter(|found| found.0 < best.0) {
                best = (bytes, next);
                cheaper = Some(found);
            }
        });
        idle = if cheaper.is_some() { 0 } else { idle + 1 };
        known = cheaper.unwrap_or(known);
        kind = (kind + 1) % kinds;
    }
    (best.1 != from).then_some(best)
}

/// Kinds of neighbours of interpolations.
const KINDS: usize = 3;

/// Interpolations next to this one: others in their steps over levels, in how they predict, in the axes and their order.
fn interpolations(x: &Prepared, kind: usize, p: &Parameters) -> Vec<Parameters> {
    let with = |order: Vec<u8>| Parameters { order, ..p.clone() };
    match kind {
        0 => {
            let at = SCHEDULES.iter().position(|&s| s == (p.alpha, p.beta)).unwrap_or(0);
            let next = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|k| SCHEDULES.get(k));
            next.map(|&(alpha, beta)| Parameters { alpha, beta, ..p.clone() }).collect()
        }
        1 => {
            let fitted = [0, 2, 4].map(|fitted| Parameters { fitted, ..p.clone() });
            [Parameters { linear: !p.linear, ..p.clone() }].into_iter().chain(fitted).collect()
        }
        _ => {
            let swapped = (1..p.order.len()).map(|k| {
                let mut order = p.order.clone();
                order.swap(k - 1, k);
                with(order)
            });
            let several = p.order.len() > 1;
            let fewer = p.order.iter().filter(|_| several).map(|&a| {
                let rest = p.order.iter().copied();
                with(rest.filter(|&b| b != a).collect())
            });
            let left = (0..4u8).filter(|&a| x.g.n[usize::from(a)] > 1 && !p.order.contains(&a));
            let more = left.flat_map(|a| [[&[a], &p.order[..]].concat(), [&p.order[..], &[a]].concat()]).map(with);
            swapped.chain(fewer).chain(more).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{ChunkRequest, cost};
    use crate::options::ModelChoice;
    use crate::plan::Coder;
    use scicodec_format::DType;

    /// A wave that goes on beyond its ends along the last axis, on a slope along the first, and no noise.
    fn wave(bound: ChunkBound) -> Prepared {
        let shape = [24usize, 96];
        let data: Vec<u8> = (0..24 * 96)
            .flat_map(|i| {
                let (y, x) = ((i / 96) as f64, (i % 96) as f64);
                let wave = (std::f64::consts::TAU * x / 96.0).sin() * (1.0 + 0.1 * y);
                (wave as f32).to_ne_bytes()
            })
            .collect();
        let (fill, effort, model) = (None, Effort::Default, ModelChoice::None);
        let req = ChunkRequest { dtype: DType::F32, shape: &shape, data: &data, bound, fill, effort, model };
        Prepared::new(&req).unwrap()
    }

    fn plan(base: Base) -> Plan {
        let coder = Coder::ZerosFirst;
        Plan { base, map: Map::Plain, masked: false, coder, primed: None, beside: None }
    }

    #[test]
    fn what_is_found_is_smaller_and_keeps_the_bound() {
        for bound in [ChunkBound::Abs(0.01), ChunkBound::Rmse(0.01)] {
            let x = wave(bound);
            let p = Parameters { order: vec![2], alpha: 32, beta: 128, linear: true, fitted: 0 };
            let poor = fit_step(&x, plan(Base::Interpolation { p, step: 0.019 }));
            let found = polish(&x, &poor, cost(&x, &poor) as usize)
                .unwrap_or_else(|| panic!("no better interpolation than {} of {poor:?}", cost(&x, &poor)));
            assert!(cost(&x, &found) < 0.8 * cost(&x, &poor), "{found:?}");

            let poor = wavelet(&x, &poor).unwrap();
            let found = polish(&x, &poor, cost(&x, &poor) as usize).expect("a better wavelet");
            assert!(cost(&x, &found) < cost(&x, &poor), "{found:?}");
        }
    }

    #[test]
    fn plans_far_from_the_best_are_left() {
        let x = wave(ChunkBound::Abs(0.01));
        let poor = wavelet(&x, &plan(Base::Constant(0))).unwrap();
        assert_eq!(polish(&x, &poor, 1), None);
    }

    #[test]
    fn a_descent_ends_at_the_lowest_or_when_tries_are_spent() {
        let beside = |kind: usize, &at: &i32| if kind == 0 { vec![at - 1] } else { vec![at + 1] };
        let cost = |&at: &i32, _: Option<&()>| (f64::from((at - 7).abs()), None);
        assert_eq!(descend(0, (100, 10.0), (2, beside), cost), Some((0.0, 7)));
        assert_eq!(descend(7, (100, 10.0), (2, beside), cost), None);
        assert_eq!(descend(0, (100, 6.0), (2, beside), cost), None);
        assert_eq!(descend(0, (2, 10.0), (2, beside), cost), Some((6.0, 1)));
    }
}
