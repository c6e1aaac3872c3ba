//! Fits the states that coders of integers start from to what they learned on many chunks (SPEC §9.5).
//!
//! What a counter is likely to meet is told by how it ended elsewhere: each chunk has a probability of its own, and
//! those scatter. A beta distribution fitted to them (for distributions of symbols a Dirichlet distribution) says where
//! to start, and by its concentration how many symbols that is worth.
use libm::lgamma;
use scicodec::entropy::{Counter, MIXED, Place, Priors, Row, SIGNS, States};

/// A state is fitted where at least so many chunks came by.
const CHUNKS: usize = 3;
/// What counters and rows inherit at their start counts as so many symbols, of which nothing is known here.
pub(crate) const INHERITED: f64 = 3.0;
/// What trained weights of distributions and of logits count as having seen.
const WEIGHTS_SEEN: u32 = 16;
/// See [`WEIGHTS_SEEN`].
const LOGITS_SEEN: u16 = 64;
/// What the weights of distributions may add up to, in units of 2^-30.
const WHOLE: f64 = 65500.0 * 16384.0;

/// Whether runs are told there, whose counters inherit nothing.
pub(crate) fn of_runs(place: Place) -> bool {
    matches!(place, Place::WaveletRuns | Place::CorrectionRuns | Place::CoefficientRuns)
}

/// Places of wavelets that no network guides: of no use to a model that guides them.
pub(crate) const UNGUIDED: [Place; 2] = [Place::Wavelet, Place::WaveletRuns];

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Counters and distributions, from chunks that were coded without states.
    Counters,
    /// How they are mixed, from chunks that were coded with those.
    Weights,
}

/// By slot, what was seen there in each chunk.
type Table<N> = Vec<Vec<N>>;

/// What was learned at one place.
#[derive(Default)]
struct Seen {
    counters: [Table<[f32; 2]>; MIXED],
    signs: [Table<[f32; 2]>; SIGNS],
    rows: [Table<Symbols>; MIXED],
    weights: Table<[f32; MIXED]>,
    logits: Table<[f32; MIXED]>,
}

/// Gathers what coders learned.
#[derive(Default)]
pub struct Gathered([Seen; Place::ALL.len()]);

impl Gathered {
    /// Adds what was learned on a chunk.
    pub fn add(&mut self, chunk: &[(Place, States)]) {
        for (place, s) in chunk {
            let inherited = if of_runs(*place) { 0.0 } else { INHERITED };
            let to = &mut self.0[*place as usize];
            for (to, from) in to.counters.iter_mut().zip(&s.counters) {
                put(to, from, |k| counts(k, inherited));
            }
            for (to, from) in to.signs.iter_mut().zip(&s.signs) {
                put(to, from, |k| counts(k, 0.0));
            }
            for (to, from) in to.rows.iter_mut().zip(&s.rows) {
                put(to, from, symbols);
            }
            put(&mut to.weights, &s.weights, |w| w.iter().any(|&w| w > 0).then(|| w.map(|w| w as f32)));
            put(&mut to.logits, &s.logits, |w| w.iter().any(|&w| w != 0).then(|| w.map(|w| w as f32)));
        }
    }

    /// Fits, and puts the result into `priors`.
    pub fn fit(&self, stage: Stage, priors: &mut Priors) {
        for (place, seen) in Place::ALL.into_iter().zip(&self.0) {
            let mut to = priors.of(place).cloned().unwrap_or_default();
            match stage {
                Stage::Counters => {
                    to.counters = seen.counters.each_ref().map(|t| by_slot(t, beta));
                    to.signs = seen.signs.each_ref().map(|t| by_slot(t, beta));
                    to.rows = seen.rows.each_ref().map(|t| by_slot(t, dirichlet));
                }
                Stage::Weights => {
                    to.weights = by_slot(&seen.weights, weights);
                    to.weights_seen = WEIGHTS_SEEN;
                    to.logits = by_slot(&seen.logits, |w| mean(w).map(|w| w.clamp(-500_000.0, 500_000.0) as i32));
                    to.logits_seen = LOGITS_SEEN;
                }
            }
            if to != States::default() {
                priors.set(place, to);
            }
        }
    }
}

fn put<T, N>(to: &mut Table<N>, from: &[T], count: impl Fn(&T) -> Option<N>) {
    for (slot, n) in from.iter().enumerate().filter_map(|(slot, t)| Some((slot, count(t)?))) {
        if to.len() <= slot {
            to.resize_with(slot + 1, Vec::new);
        }
        to[slot].push(n);
    }
}

/// Fits every slot that enough chunks came by; what is left of the table's end says nothing.
fn by_slot<N, S: Default + Clone>(table: &Table<N>, fit: impl Fn(&[N]) -> S) -> Vec<S> {
    let mut out = Vec::new();
    for (slot, seen) in table.iter().enumerate().filter(|(_, seen)| seen.len() >= CHUNKS) {
        out.resize(slot, S::default());
        out.push(fit(seen));
    }
    out
}

/// How many bits a counter has seen, and how many were ones.
pub(crate) fn counts(k: &Counter, inherited: f64) -> Option<[f32; 2]> {
    let n = f64::from(k.seen()) - inherited;
    let p = f64::from(k.p16()) / 65536.0;
    // A new counter starts as though it had seen half a bit.
    let ones = if inherited > 0.0 { p * n } else { (p * (n + 0.5) - 0.25).clamp(0.0, n) };
    (n > 0.0).then_some([(n - ones) as f32, ones as f32])
}

/// How often a distribution has seen its symbols.
pub(crate) fn symbols(r: &Row) -> Option<Symbols> {
    let n = f64::from(r[15]) - INHERITED;
    let above = |k: usize| if k == 15 { 0.0 } else { f64::from(r[k]) / 65536.0 };
    let p = |k: usize| (if k == 0 { 1.0 } else { above(k - 1) }) - above(k);
    (n > 0.0).then(|| std::array::from_fn(|k| (n * p(k)) as f32))
}

/// How often each symbol came.
pub(crate) type Symbols = [f32; 16];

/// How unlikely a concentration is before anything is seen, in nats: they are about 6, some times more or less.
fn unlikely(concentration: f64) -> f64 {
    0.35 * (concentration / 6.0).ln().powi(2)
}

/// The counter that a beta distribution fitted to these counts starts.
fn beta(chunks: &[[f32; 2]]) -> Counter {
    let chunks: Vec<[f64; 2]> = chunks.iter().map(|n| n.map(f64::from)).collect();
    let likelihood = |logit: f64, log: f64| {
        let (p, c) = (1.0 / (1.0 + (-logit).exp()), log.exp());
        let (a, b) = (p * c, (1.0 - p) * c);
        let constant = lgamma(c) - lgamma(a) - lgamma(b);
        let each = |n: &[f64; 2]| lgamma(n[1] + a) + lgamma(n[0] + b) - lgamma(n[0] + n[1] + c) + constant;
        chunks.iter().map(each).sum::<f64>() - unlikely(c)
    };
    let weight = |n: &[f64; 2]| (n[0] + n[1]) / (n[0] + n[1] + 8.0);
    let mean = chunks.iter().map(|n| weight(n) * (n[1] + 0.3) / (n[0] + n[1] + 0.6)).sum::<f64>()
        / chunks.iter().map(weight).sum::<f64>();
    let mut at = [(mean / (1.0 - mean)).ln().clamp(-9.0, 9.0), 4.0f64.ln()];
    let bounds = [(-9.0, 9.0), (0.5f64.ln(), 250.0f64.ln())];
    let (mut best, mut step) = (likelihood(at[0], at[1]), 1.0);
    // Uphill along one coordinate after the other, in ever smaller steps.
    while step > 0.03 {
        let mut moved = false;
        for k in 0..2 {
            for d in [step, -step] {
                let mut to = at;
                to[k] = (to[k] + d).clamp(bounds[k].0, bounds[k].1);
                let l = likelihood(to[0], to[1]);
                if l > best + 1e-9 {
                    (at, best, moved) = (to, l, true);
                }
            }
        }
        step *= if moved { 1.0 } else { 0.5 };
    }
    let p = 65536.0 / (1.0 + (-at[0]).exp());
    Counter::primed(p.round().clamp(24.0, 65512.0) as u32, (at[1].exp() - 1.0).round().clamp(1.0, 200.0) as u32)
}

/// The distribution that a Dirichlet distribution fitted to these counts starts.
fn dirichlet(chunks: &[Symbols]) -> Row {
    let mut mean = [0.02; 16];
    for n in chunks {
        let total: f32 = n.iter().sum();
        mean.iter_mut().zip(n).for_each(|(m, n)| *m += f64::from(n / (total + 6.0)));
    }
    let total: f64 = mean.iter().sum();
    mean.iter_mut().for_each(|m| *m /= total);
    let likelihood = |c: f64| {
        let constant = lgamma(c) - mean.iter().map(|m| lgamma(m * c)).sum::<f64>();
        let each = |n: &Symbols| {
            let total = f64::from(n.iter().sum::<f32>());
            let parts: f64 = n.iter().zip(&mean).map(|(n, m)| lgamma(f64::from(*n) + m * c)).sum();
            parts - lgamma(total + c) + constant
        };
        chunks.iter().map(each).sum::<f64>() - unlikely(c)
    };
    let mut best = (f64::NEG_INFINITY, 0.0);
    for c in [1.5, 2.5, 4.0, 6.0, 9.0, 14.0, 22.0, 35.0, 60.0, 110.0] {
        let l = likelihood(c);
        if l > best.0 {
            best = (l, c);
        }
    }
    let mut row = [0; 16];
    let mut left = 1.0;
    for k in 0..15 {
        left -= mean[k];
        // What is left falls, and stays above nothing.
        row[k] = (left * 65536.0).round().clamp(f64::from(15 - k as u16), f64::from(65535 - k as u16)) as u16;
    }
    row[15] = (best.1 - 0.5).round().clamp(1.0, 127.0) as u16;
    row
}

fn weights(all: &[[f32; MIXED]]) -> [u32; MIXED] {
    let mean = mean(all);
    let scale = (WHOLE / mean.iter().sum::<f64>()).min(1.0);
    mean.map(|w| (w * scale) as u32)
}

fn mean(all: &[[f32; MIXED]]) -> [f64; MIXED] {
    std::array::from_fn(|i| all.iter().map(|w| f64::from(w[i])).sum::<f64>() / all.len() as f64)
}
