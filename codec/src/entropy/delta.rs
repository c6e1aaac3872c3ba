//! States told as differences to those of another model: integers of a few bits each, coded adaptively (SPEC §9.6).
//!
//! Only what differs is told, and coarsely: where a coder starts matters little once it has seen some symbols, so that a
//! step of an eighth of a logit is fine enough.
use super::bits::{BitCoder, BitDecoder, BitEncoder, SYMBOLS};
use super::mixer::Counter;
use super::priors::Priors;
use super::states::{MIXED, Place, Row, SIGNS, States};
use super::tables::{squash, stretch};
use crate::Error;

/// Slots that a table may have.
const SLOTS: usize = 1 << 14;
/// A step of a logit, in units of 1/256.
const LOGIT_STEP: i32 = 32;
/// Counts of symbols that a state may stand for.
const COUNTS: [u32; 16] = [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 255];
/// What a counter or a distribution of which the parent says nothing counts as having seen.
const NEW_COUNT: u32 = 3;
/// A share of a mixture of distributions, in units of 2^-16, and how many of them there are at most.
const SHARE: u32 = 1020;
const SHARES: i32 = 64;
/// A step of a weight of logits, in units of 2^-12, and what weights of which the parent says nothing start from.
const WEIGHT_STEP: i32 = 256;
const NEW_WEIGHT: i32 = 29491;
/// What sets of weights of which the parent says nothing count as having seen.
const WEIGHTS_SEEN: u32 = 16;
const LOGITS_SEEN: u16 = 64;
/// Magnitudes are below 2^15.
const EXPONENTS: usize = 15;

/// Kinds of numbers, each coded by counters of its own: of each kind of table four, of symbols one each.
const COUNTERS: usize = 0;
const ROWS: usize = 4;
const WEIGHTS: usize = 8;
const LOGITS: usize = 12;
const SYMBOL: usize = 16;
const KINDS: usize = SYMBOL + SYMBOLS - 1;
/// What is told of a table: how many entries differ, the gaps between them, and of entries a value and a count.
const MANY: usize = 0;
const GAP: usize = 1;
const VALUE: usize = 2;
const COUNT: usize = 3;

/// The bytes that make `wanted` out of `parent`, or nearly so: read them to see what came of it. What `wanted` does not
/// tell of stays the parent's.
pub fn write_delta(parent: &Priors, wanted: &Priors) -> Vec<u8> {
    let mut c = BitEncoder::default();
    // An encoder is never told what breaks a rule.
    let _ = code(&mut c, parent, wanted);
    c.finish()
}

/// The states that these bytes make out of `parent`.
///
/// Errors: [`Error::Corrupt`] where they are not what SPEC §9.6 says.
pub fn read_delta(parent: &Priors, bytes: &[u8]) -> Result<Priors, Error> {
    let mut c = BitDecoder::new(bytes);
    let priors = code(&mut c, parent, &Priors::default())?;
    c.check()?;
    Ok(priors)
}

fn code<C: BitCoder>(c: &mut C, parent: &Priors, wanted: &Priors) -> Result<Priors, Error> {
    let mut out = parent.clone();
    let mut n = Numbers::new();
    // Differences of models without states of the last places were specified before there were such.
    let last = |place: &Place| matches!(place, Place::Coefficients | Place::CoefficientRuns);
    let known = |place: &Place| !last(place) || parent.of(*place).is_some();
    for place in Place::ALL.into_iter().filter(known) {
        let differs = wanted.of(place).is_some_and(|w| parent.of(place) != Some(w));
        if c.bit(differs, 1 << 15) {
            let old = parent.of(place).cloned().unwrap_or_default();
            let new = wanted.of(place).cloned().unwrap_or_default();
            out.set(place, states(c, &mut n, &old, &new)?);
        }
    }
    Ok(out)
}

fn states<C: BitCoder>(c: &mut C, n: &mut Numbers, old: &States, new: &States) -> Result<States, Error> {
    let mut s = old.clone();
    for i in 0..MIXED {
        s.counters[i] = table(c, n, COUNTERS, &old.counters[i], &new.counters[i], |k| !k.unseen(), counter)?;
    }
    for i in 0..SIGNS {
        s.signs[i] = table(c, n, COUNTERS, &old.signs[i], &new.signs[i], |k| !k.unseen(), counter)?;
    }
    for i in 0..MIXED {
        s.rows[i] = table(c, n, ROWS, &old.rows[i], &new.rows[i], |r| r[SYMBOLS - 1] > 0, row)?;
    }
    let some = |w: &[u32; MIXED]| w.iter().any(|&w| w > 0);
    s.weights = table(c, n, WEIGHTS, &old.weights, &new.weights, some, weights)?;
    let some = |w: &[i32; MIXED]| w.iter().any(|&w| w != 0);
    s.logits = table(c, n, LOGITS, &old.logits, &new.logits, some, logits)?;
    if old.weights.is_empty() {
        s.weights_seen = WEIGHTS_SEEN;
    }
    if old.logits.is_empty() {
        s.logits_seen = LOGITS_SEEN;
    }
    Ok(s)
}

/// A table whose entries differ from the parent's where the new ones count and are others.
fn table<C: BitCoder, T: Copy + Default + PartialEq>(
    c: &mut C,
    n: &mut Numbers,
    kind: usize,
    old: &[T],
    new: &[T],
    counts: impl Fn(&T) -> bool,
    mut entry: impl FnMut(&mut C, &mut Numbers, Option<&T>, &T) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut out = old.to_vec();
    let of = |slot: usize| old.get(slot).filter(|t| counts(t));
    let differ: Vec<usize> = (0..new.len().min(SLOTS)).filter(|&k| counts(&new[k]) && of(k) != Some(&new[k])).collect();
    let many = n.number(c, kind + MANY, differ.len() as u32) as usize;
    let mut slot = 0;
    for k in 0..many {
        let there = differ.get(k).copied().unwrap_or(slot);
        slot += n.number(c, kind + GAP, (there - slot) as u32) as usize;
        if slot >= SLOTS {
            return corrupt(format!("differences at slot {slot}, expected less than {SLOTS}"));
        }
        let changed = entry(c, n, of(slot), &new.get(slot).copied().unwrap_or_default())?;
        if out.len() <= slot {
            out.resize(slot + 1, T::default());
        }
        out[slot] = changed;
        slot += 1;
    }
    Ok(out)
}

/// A logit, moved.
fn moved(p16: u32, steps: i32) -> u32 {
    squash(stretch(p16.min(65535) >> 4) + steps * LOGIT_STEP)
}

/// Steps from one probability to another.
fn steps(from: u32, to: u32) -> i32 {
    let d = stretch(to.min(65535) >> 4) - stretch(from.min(65535) >> 4);
    (2 * d + LOGIT_STEP).div_euclid(2 * LOGIT_STEP)
}

/// The place in `COUNTS` of what is nearest below.
fn level(n: u32) -> i32 {
    COUNTS.iter().rposition(|&c| c <= n).unwrap_or(0) as i32
}

fn count<C: BitCoder>(c: &mut C, n: &mut Numbers, kind: usize, old: u32, new: u32) -> u32 {
    match n.signed(c, kind + COUNT, level(new) - level(old)) {
        0 => old,
        d => COUNTS[(level(old) + d).clamp(0, 15) as usize],
    }
}

fn counter<C: BitCoder>(c: &mut C, n: &mut Numbers, old: Option<&Counter>, new: &Counter) -> Result<Counter, Error> {
    let old = old.copied().unwrap_or(Counter::primed(1 << 15, NEW_COUNT));
    let d = n.signed(c, COUNTERS + VALUE, steps(old.p16(), new.p16()));
    let p = if d == 0 { old.p16() } else { moved(old.p16(), d) };
    Ok(Counter::primed(p, count(c, n, COUNTERS, old.seen().min(255), new.seen().clamp(1, 255))))
}

/// A distribution, symbol by symbol: how likely one above it is, where it is this one or above.
fn row<C: BitCoder>(c: &mut C, n: &mut Numbers, old: Option<&Row>, new: &Row) -> Result<Row, Error> {
    const LAST: usize = SYMBOLS - 1;
    let halves = std::array::from_fn(|k| if k == LAST { NEW_COUNT as u16 } else { 1 << (15 - k) });
    let old = old.unwrap_or(&halves);
    let mut out = [0; SYMBOLS];
    let (mut above, mut from, mut to) = (1u32 << 16, 1u32 << 16, 1u32 << 16);
    for k in 0..LAST {
        if above == 0 || from == 0 {
            break;
        }
        let (next, aim) = (u32::from(old[k]), u32::from(new[k]));
        let part = |a: u32, of: u32| ((u64::from(a) << 16) / u64::from(of.max(1))) as u32;
        let d = n.signed(c, SYMBOL + k, if to == 0 { 0 } else { steps(part(next, from), part(aim, to)) });
        above = match d {
            0 => (u64::from(above) * u64::from(next) / u64::from(from)) as u32,
            d => ((u64::from(above) * u64::from(moved(part(next, from), d))) >> 16) as u32,
        };
        (from, to) = (next, aim);
        out[k] = above as u16;
    }
    let seen = count(c, n, ROWS, old[LAST].into(), u32::from(new[LAST]).max(1));
    out[LAST] = seen.min(127) as u16;
    Ok(out)
}

fn weights<C: BitCoder>(
    c: &mut C,
    n: &mut Numbers,
    old: Option<&[u32; MIXED]>,
    new: &[u32; MIXED],
) -> Result<[u32; MIXED], Error> {
    let shares = |w: &[u32; MIXED]| w.map(|w| (((w >> 14) + SHARE / 2) / SHARE) as i32);
    let old = old.map_or([SHARES / 4; MIXED], shares);
    let mut aim = shares(new);
    while aim.iter().sum::<i32>() > SHARES {
        if let Some(most) = aim.iter_mut().max() {
            *most -= 1;
        }
    }
    let mut out = [0; MIXED];
    for i in 0..MIXED {
        out[i] = old[i] + n.signed(c, WEIGHTS + VALUE, aim[i] - old[i]);
    }
    let sum = out.iter().sum::<i32>();
    if out.iter().any(|&w| w < 0) || !(1..=SHARES).contains(&sum) {
        return corrupt(format!("{out:?} shares of a mixture of {SHARES}"));
    }
    Ok(out.map(|w| (w as u32 * SHARE) << 14))
}

fn logits<C: BitCoder>(
    c: &mut C,
    n: &mut Numbers,
    old: Option<&[i32; MIXED]>,
    new: &[i32; MIXED],
) -> Result<[i32; MIXED], Error> {
    let round = |w: i32| (w / 16 + WEIGHT_STEP / 2).div_euclid(WEIGHT_STEP);
    let old = old.copied().unwrap_or([NEW_WEIGHT; MIXED]).map(round);
    let mut out = [0; MIXED];
    for i in 0..MIXED {
        out[i] = old[i] + n.signed(c, LOGITS + VALUE, round(new[i]) - old[i]);
    }
    if out == [0; MIXED] || out.iter().any(|w| !(-128..128).contains(w)) {
        return corrupt(format!("weights of logits {out:?}"));
    }
    Ok(out.map(|w| w * WEIGHT_STEP * 16))
}

fn corrupt<T>(what: String) -> Result<T, Error> {
    Err(Error::Corrupt { what, section: "9.6" })
}

/// Codes numbers, each kind by counters of its own.
struct Numbers {
    exponents: [[Counter; EXPONENTS]; KINDS],
    negative: [Counter; KINDS],
}

impl Numbers {
    fn new() -> Numbers {
        Numbers { exponents: [[Counter::NEW; EXPONENTS]; KINDS], negative: [Counter::NEW; KINDS] }
    }

    /// A number below 2^15 - 1: v + 1 is 2^e + r; e in unary, r raw.
    fn number<C: BitCoder>(&mut self, c: &mut C, kind: usize, v: u32) -> u32 {
        let v = v.min((1 << EXPONENTS) - 2) + 1;
        let mut e = 0;
        while e < EXPONENTS as u32 - 1 {
            let counter = &mut self.exponents[kind][e as usize];
            let more = c.bit(v >> (e + 1) > 0, counter.p16());
            counter.update(more, 255);
            if !more {
                break;
            }
            e += 1;
        }
        (1 << e | c.raw(v & ((1 << e) - 1), e)) - 1
    }

    fn signed<C: BitCoder>(&mut self, c: &mut C, kind: usize, v: i32) -> i32 {
        let magnitude = self.number(c, kind, v.unsigned_abs()) as i32;
        if magnitude == 0 {
            return 0;
        }
        let counter = &mut self.negative[kind];
        let negative = c.bit(v < 0, counter.p16());
        counter.update(negative, 255);
        if negative { -magnitude } else { magnitude }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent() -> Priors {
        let mut s = States::default();
        s.counters[1] = vec![Counter::primed(20000, 9), Counter::default(), Counter::primed(60000, 40)];
        s.rows[0] = vec![std::array::from_fn(|k| if k == 15 { 12 } else { 60000 - 4000 * k as u16 }); 3];
        s.weights = vec![[16384 << 14, 16000 << 14, 1 << 14, 16384 << 14]];
        s.weights_seen = 20;
        s.logits = vec![[-160, 32752, 0, 1600]];
        s.logits_seen = 50;
        let mut priors = Priors::default();
        priors.set(Place::Wavelet, s);
        priors
    }

    fn changed(change: impl Fn(&mut States)) -> Priors {
        let mut priors = parent();
        let mut s = priors.of(Place::Wavelet).cloned().unwrap_or_default();
        change(&mut s);
        priors.set(Place::Wavelet, s);
        priors
    }

    #[test]
    fn nothing_changed_is_told_in_a_byte_or_two() {
        let bytes = write_delta(&parent(), &parent());
        assert!(bytes.len() <= 2, "{bytes:?}");
        assert_eq!(read_delta(&parent(), &bytes).expect("what was written"), parent());
    }

    #[test]
    fn what_is_wanted_comes_back_nearly() {
        let wanted = changed(|s| {
            s.counters[1][0] = Counter::primed(30000, 60);
            s.counters[1].resize(200, Counter::default());
            s.counters[1][199] = Counter::primed(500, 5);
            s.rows[0][2] = std::array::from_fn(|k| if k == 15 { 80 } else { 30000 >> k });
            s.rows[3] = vec![std::array::from_fn(|k| if k == 15 { 6 } else { 50000 - 3000 * k as u16 })];
            s.weights.push([30000 << 14, 30000 << 14, 5000 << 14, 400 << 14]);
            s.logits = vec![[60000, 0, 0, -60000]];
        });
        let bytes = write_delta(&parent(), &wanted);
        let back = read_delta(&parent(), &bytes).expect("what was written");
        let [back, wanted, parent] =
            [&back, &wanted, &parent()].map(|p| p.of(Place::Wavelet).cloned().unwrap_or_default());
        let near = |a: u32, b: u32| (f64::from(a) - f64::from(b)).abs() <= 0.08 * f64::from(a.min(65536 - a)) + 40.0;
        for (slot, n) in [(0, 45), (199, 4)] {
            let (k, w) = (back.counters[1][slot], wanted.counters[1][slot]);
            assert!(near(k.p16(), w.p16()) && k.seen() == n, "{k:?} {w:?}");
        }
        assert_eq!(back.counters[1][2], parent.counters[1][2], "what did not change is the same");
        assert_eq!(back.rows[0][..2], parent.rows[0][..2]);
        for (r, w) in [(&back.rows[0][2], &wanted.rows[0][2]), (&back.rows[3][0], &wanted.rows[3][0])] {
            assert!((0..4).all(|k| near(r[k].into(), w[k].into())), "{r:?} {w:?}");
            assert!(r[..15].windows(2).all(|p| p[0] >= p[1]));
        }
        assert_eq!(back.weights[0], parent.weights[0]);
        assert!((0..4).all(|i| back.weights[1][i].abs_diff(wanted.weights[1][i]) <= 1020 << 14));
        assert!((0..4).all(|i| back.logits[0][i].abs_diff(wanted.logits[0][i]) <= 16 * 256));
        assert_eq!((back.weights_seen, back.logits_seen), (20, 50));
        assert!(bytes.len() < 60, "{}", bytes.len());
    }

    #[test]
    fn damaged_differences_are_refused_or_give_states_that_a_model_may_have() {
        let wanted = changed(|s| {
            s.counters[0] = vec![Counter::primed(30000, 60); 90];
            s.rows[2] = vec![std::array::from_fn(|k| if k == 15 { 80 } else { 30000 >> k }); 40];
            s.weights = vec![[30000 << 14, 30000 << 14, 5000 << 14, 400 << 14]; 20];
            s.logits = vec![[60000, 0, 0, -60000]; 20];
        });
        let bytes = write_delta(&parent(), &wanted);
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[i] ^= 1 << bit;
                if let Ok(priors) = read_delta(&parent(), &bytes) {
                    // What can be written and read as states keeps all their rules.
                    assert_eq!(Priors::read(&priors.write()).expect("states of a model"), priors);
                }
            }
        }
    }
}
