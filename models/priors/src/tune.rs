//! Fits states to one domain: those of a parent, moved as far as the domain's fields say, and only where telling of it pays.
//!
//! The parent's states are beta distributions: of how likely something is in a chunk, and how that scatters. They are the
//! prior here. What the domain's chunks show moves them (the most likely value a posteriori), in the steps in which a delta
//! tells of them (SPEC §9.6); and a move is kept where the bits that it is expected to save in the data that the model is
//! for are more than those that it costs.
use crate::fit::{INHERITED, Symbols, UNGUIDED, counts, of_runs, symbols};
use libm::lgamma;
use scicodec::entropy::{Counter, MIXED, Place, Priors, Row, SIGNS, States, squash};
use std::f64::consts::LN_2;

/// How much to move.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Bytes that the model is for, as a multiple of those that were learned from.
    pub amount: f64,
    /// Whether the weights of mixtures are moved.
    pub weights: bool,
    /// How far from the parent a domain may be: 1 as far as fields of all kinds are from each other.
    pub apart: f64,
}

impl Default for Knob {
    fn default() -> Knob {
        Knob { amount: 1.0, weights: true, apart: 3.0 }
    }
}

/// A part of what a context saves shows in what is coded: others are mixed with it.
const SHOWS: f64 = 0.3;
/// What signs save shows more: they are under two contexts.
const SIGN_SHOWS: f64 = 0.5;
/// What a moved number is expected to save less elsewhere than where it was fitted, in nats.
const FITTED: f64 = 0.7;
/// About what an entry costs, in bits: its place, and its numbers.
const ENTRY: f64 = 4.0;
/// Sets of weights are moved where so many chunks used them.
const CHUNKS: f64 = 2.0;
/// Steps of a logit tried, in units of 1/8.
const MOST_STEPS: i32 = 24;

/// What was seen in a chunk: states that coders ended with, started from nothing, and from the parent's.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Started from nothing.
    pub afresh: Vec<(Place, States)>,
    /// Started from the parent's.
    pub primed: Vec<(Place, States)>,
}

/// The states of `parent` moved to what these chunks show.
pub fn tune(parent: &Priors, chunks: &[Seen], knob: &Knob) -> Priors {
    let mut out = Priors::default();
    let guides = parent.of(Place::Coefficients).is_some();
    for place in Place::ALL.into_iter().filter(|place| !(guides && UNGUIDED.contains(place))) {
        let old = parent.of(place).cloned().unwrap_or_default();
        let afresh: Vec<&States> =
            chunks.iter().flat_map(|c| &c.afresh).filter(|(p, _)| *p == place).map(|c| &c.1).collect();
        let primed: Vec<&States> =
            chunks.iter().flat_map(|c| &c.primed).filter(|(p, _)| *p == place).map(|c| &c.1).collect();
        if afresh.is_empty() {
            continue;
        }
        let inherited = if of_runs(place) { 0.0 } else { INHERITED };
        let mut new = old.clone();
        for i in 0..MIXED {
            let of = |s: &'_ &States, slot: usize| s.counters[i].get(slot).and_then(|k| counts(k, inherited));
            moved(&mut new.counters[i], &afresh, |s, slot| of(&s, slot), |k: &Counter, n| counter(k, n, knob, SHOWS));
            let of = |s: &States, slot: usize| s.rows[i].get(slot).and_then(symbols);
            moved(&mut new.rows[i], &afresh, of, |r: &Row, n| row(r, n, knob));
        }
        for i in 0..SIGNS {
            let of = |s: &States, slot: usize| s.signs[i].get(slot).and_then(|k| counts(k, 0.0));
            moved(&mut new.signs[i], &afresh, of, |k: &Counter, n| counter(k, n, knob, SIGN_SHOWS));
        }
        if knob.weights {
            mixed(&mut new.weights, &primed, |s| &s.weights, |w| f64::from(w >> 14), |w| (w as u32) << 14, 2000.0);
            mixed(&mut new.logits, &primed, |s| &s.logits, |w| f64::from(w >> 4), |w| (w as i32) << 4, 400.0);
        }
        if new != old {
            out.set(place, new);
        }
    }
    out
}

/// Moves the entries of a table that the parent has.
fn moved<T: Default + PartialEq, N>(
    table: &mut [T],
    chunks: &[&States],
    of: impl Fn(&States, usize) -> Option<N>,
    fit: impl Fn(&T, &[N]) -> Option<T>,
) {
    for (slot, entry) in table.iter_mut().enumerate().filter(|(_, e)| **e != T::default()) {
        let seen: Vec<N> = chunks.iter().filter_map(|s| of(s, slot)).collect();
        if !seen.is_empty()
            && let Some(new) = fit(entry, &seen)
        {
            *entry = new;
        }
    }
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-5, 1.0 - 1e-5);
    (p / (1.0 - p)).ln()
}

/// The probability of a logit in units of 1/256.
fn probability(logit: f64) -> u32 {
    squash(logit.round() as i32)
}

fn beta_binomial(n: &[f32; 2], p: f64, c: f64) -> f64 {
    let (zeros, ones) = (f64::from(n[0]), f64::from(n[1]));
    let (a, b) = (p * c, (1.0 - p) * c);
    lgamma(ones + a) - lgamma(a) + lgamma(zeros + b) - lgamma(b) + lgamma(c) - lgamma(zeros + ones + c)
}

/// Counts that states are told with.
const COUNTS: [u32; 16] = [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 255];

fn counter(old: &Counter, seen: &[[f32; 2]], knob: &Knob, shows: f64) -> Option<Counter> {
    let (p0, n0) = (f64::from(old.p16()) / 65536.0, old.seen());
    let likelihood = |p: f64, n: u32| seen.iter().map(|s| beta_binomial(s, p, f64::from(n) + 0.5)).sum::<f64>();
    let l0 = logit(p0);
    let scatter = knob.apart * (1.0 / ((f64::from(n0) + 0.5) * p0 * (1.0 - p0))).clamp(0.04, 4.0);
    let level = COUNTS.iter().rposition(|&c| c <= n0).unwrap_or(0) as i32;
    let at = |steps: i32| {
        f64::from(if steps == 0 { old.p16() } else { probability(l0 * 256.0 + f64::from(32 * steps)) }) / 65536.0
    };
    let count = |d: i32| if d == 0 { n0 } else { COUNTS[(level + d).clamp(0, 15) as usize] };
    let prior = |steps: i32, d: i32| -> f64 {
        let away = f64::from(steps) / 8.0;
        -0.5 * away * away / scatter - 0.12 * f64::from(d * d) / knob.apart
    };
    let whole = |steps: i32, d: i32| likelihood(at(steps), count(d)) + prior(steps, d);
    let (mut best, mut to) = (whole(0, 0), (0i32, 0i32));
    for step in [4, 1] {
        loop {
            let mut moved = false;
            for (s, d) in [(step, 0), (-step, 0), (0, 1), (0, -1)] {
                let (s, d) = (to.0 + s, to.1 + d);
                if s.abs() > MOST_STEPS || !(0..16).contains(&(level + d)) {
                    continue;
                }
                let l = whole(s, d);
                if l > best + 1e-6 {
                    (best, to, moved) = (l, (s, d), true);
                }
            }
            if !moved {
                break;
            }
        }
    }
    if to == (0, 0) {
        return None;
    }
    let numbers = f64::from(u8::from(to.0 != 0) + u8::from(to.1 != 0));
    let saved = likelihood(at(to.0), count(to.1)) - likelihood(p0, n0) - FITTED * numbers;
    let cost = ENTRY + 2.0 * f64::from(to.0.abs() + 1).log2() + 2.0 * f64::from(to.1.abs() + 1).log2() + 2.0;
    (knob.amount * shows * saved / LN_2 > cost)
        .then(|| Counter::primed((at(to.0) * 65536.0).round().clamp(1.0, 65535.0) as u32, count(to.1)))
}

fn above(r: &Row, k: usize) -> f64 {
    f64::from(r[k]) / 65536.0
}

/// Probabilities of the symbols of a distribution, none quite 0.
fn parts(r: &Row) -> [f64; 16] {
    let p: [f64; 16] =
        std::array::from_fn(|k| (if k == 0 { 1.0 } else { above(r, k - 1) }) - if k == 15 { 0.0 } else { above(r, k) });
    let p = p.map(|p| p + 3e-5);
    let all: f64 = p.iter().sum();
    p.map(|x| x / all)
}

fn dirichlet(seen: &[Symbols], p: &[f64; 16], c: f64) -> f64 {
    let each = |n: &Symbols| {
        let total: f64 = n.iter().map(|&n| f64::from(n)).sum();
        let parts =
            n.iter().zip(p).filter(|(n, _)| **n > 0.0).map(|(n, p)| lgamma(f64::from(*n) + p * c) - lgamma(p * c));
        parts.sum::<f64>() + lgamma(c) - lgamma(total + c)
    };
    seen.iter().map(each).sum()
}

fn row(old: &Row, seen: &[Symbols], knob: &Knob) -> Option<Row> {
    let c0 = f64::from(old[15]) + 0.5;
    let p0 = parts(old);
    // What each chunk says weighs less the more its symbols hang together.
    let mut told = [0.0; 16];
    for n in seen {
        let total: f64 = n.iter().map(|&n| f64::from(n)).sum();
        told.iter_mut().zip(n).for_each(|(t, n)| *t += f64::from(*n) * c0 / (c0 + total));
    }
    let mut new = *old;
    let (mut left, mut left0, mut numbers, mut cost) = (1.0, 1.0, 0.0, ENTRY);
    for k in 0..15 {
        let (more, more0): (f64, f64) = (told[k + 1..].iter().sum(), p0[k + 1..].iter().sum());
        let prior = c0 / knob.apart;
        let hazard0 = if left0 > 0.0 { (more0 / (more0 + p0[k])).clamp(1e-5, 1.0 - 1e-5) } else { 0.0 };
        let hazard = (hazard0 * prior * left0 + more) / (prior * left0 + more + told[k]);
        let steps = (8.0 * (logit(hazard) - logit(hazard0))).round().clamp(-24.0, 24.0);
        // Half a standard error is no reason to tell of anything.
        let sure = (told[k] + more + 1.0) * hazard0 * (1.0 - hazard0) * (steps / 8.0).powi(2) > 0.5;
        let hazard = if sure && steps != 0.0 {
            numbers += 1.0;
            cost += 2.0 * (steps.abs() + 1.0).log2() + 1.0;
            f64::from(probability(256.0 * logit(hazard0) + 32.0 * steps)) / 65536.0
        } else {
            hazard0
        };
        left0 *= hazard0;
        left *= hazard;
        new[k] = (left * 65536.0).round().clamp(0.0, 65535.0) as u16;
    }
    cost += 15.0 * 0.5;
    let p = parts(&new);
    let level = COUNTS.iter().rposition(|&c| c <= old[15].into()).unwrap_or(0) as i32;
    let count = |d: i32| {
        if d == 0 { f64::from(old[15]) } else { f64::from(COUNTS[(level + d).clamp(0, 13) as usize].min(127)) }
    };
    let at = |d: i32| dirichlet(seen, &p, count(d) + 0.5) - 0.12 * f64::from(d * d) / knob.apart;
    let d = (-4..=4).filter(|d| (0..14).contains(&(level + d))).max_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap_or(0);
    if d != 0 {
        numbers += 1.0;
        cost += 2.0 * f64::from(d.abs() + 1).log2();
    }
    new[15] = count(d) as u16;
    let saved = dirichlet(seen, &p, count(d) + 0.5) - dirichlet(seen, &p0, c0) - FITTED * numbers;
    (numbers > 0.0 && knob.amount * SHOWS * saved / LN_2 > cost).then_some(new)
}

/// Moves sets of weights towards the means of what chunks learned.
fn mixed<T: Copy + PartialEq + Default>(
    table: &mut [[T; MIXED]],
    chunks: &[&States],
    of: impl Fn(&States) -> &Vec<[T; MIXED]>,
    number: impl Fn(T) -> f64,
    weight: impl Fn(f64) -> T,
    least: f64,
) {
    for (set, w) in table.iter_mut().enumerate().filter(|(_, w)| **w != [T::default(); MIXED]) {
        let seen: Vec<[f64; MIXED]> = chunks
            .iter()
            .filter_map(|s| of(s).get(set).filter(|w| **w != [T::default(); MIXED]))
            .map(|w| w.map(&number))
            .collect();
        if (seen.len() as f64) < CHUNKS {
            continue;
        }
        let mean: [f64; MIXED] = std::array::from_fn(|i| {
            (CHUNKS * number(w[i]) + seen.iter().map(|s| s[i]).sum::<f64>()) / (CHUNKS + seen.len() as f64)
        });
        if (0..MIXED).map(|i| (mean[i] - number(w[i])).abs()).sum::<f64>() > least {
            *w = mean.map(&weight);
        }
    }
}
