//! Trained states of the adaptive coders of integers, as a section of a model file (SPEC §9.5).
use super::bits::SYMBOLS;
use super::mixer::Counter;
use super::residual::Residuals;
use super::states::{MIXED, Place, Row, States};
use crate::Error;
use crate::bytes::{Bytes, put_varint};
use crate::learned::{CoefficientSample, Coefficients, Said};
use std::sync::{Mutex, PoisonError};

/// Slots that a table may speak of.
const SLOTS: u64 = 1 << 14;
/// What the weights of distributions may add up to, in units of 2^-16.
const WHOLE: u32 = 65536 - 36;

/// The states that coders start from, by place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Priors([Option<Box<States>>; Place::ALL.len()]);

impl Priors {
    /// Those of a place.
    pub fn of(&self, place: Place) -> Option<&States> {
        self.0[place as usize].as_deref()
    }

    /// Sets those of a place.
    pub fn set(&mut self, place: Place, states: States) {
        self.0[place as usize] = Some(Box::new(states));
    }

    /// Forgets those of a place.
    pub fn forget(&mut self, place: Place) {
        self.0[place as usize] = None;
    }

    /// Takes from others what is not told of here.
    pub fn complete(&mut self, others: &Priors) {
        for (mine, other) in self.0.iter_mut().zip(&others.0) {
            let Some(other) = other else { continue };
            let Some(mine) = mine else {
                *mine = Some(other.clone());
                continue;
            };
            let tables = mine.counters.iter_mut().chain(&mut mine.signs);
            for (to, from) in tables.zip(other.counters.iter().chain(&other.signs)) {
                fill(to, from, Counter::NEW, |k| k.seen() > 0);
            }
            for (to, from) in mine.rows.iter_mut().zip(&other.rows) {
                fill(to, from, [0; SYMBOLS], |r| r[SYMBOLS - 1] > 0);
            }
            fill(&mut mine.weights, &other.weights, [0; MIXED], |w| w.iter().any(|&w| w > 0));
            fill(&mut mine.logits, &other.logits, [0; MIXED], |w| w.iter().any(|&w| w != 0));
        }
    }

    /// Counters, distributions and weight sets that are told of.
    pub fn len(&self) -> usize {
        let of = |s: &States| {
            let counters = s.counters.iter().chain(&s.signs).flatten().filter(|k| k.seen() > 0).count();
            let rows = s.rows.iter().flatten().filter(|r| r[SYMBOLS - 1] > 0).count();
            let weights = s.weights.iter().filter(|w| w.iter().any(|&w| w > 0)).count();
            counters + rows + weights + s.logits.iter().filter(|w| w.iter().any(|&w| w != 0)).count()
        };
        self.0.iter().flatten().map(|s| of(s)).sum()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The section's body.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for place in Place::ALL {
            let Some(s) = self.of(place) else { continue };
            out.push(place as u8);
            s.counters.iter().chain(&s.signs).for_each(|t| put_table(&mut out, t, |k| k.seen() > 0, put_counter));
            s.rows.iter().for_each(|t| put_table(&mut out, t, |r| r[SYMBOLS - 1] > 0, put_row));
            put_table(
                &mut out,
                &s.weights,
                |w| w.iter().any(|&w| w > 0),
                |out, w| {
                    w.iter().for_each(|w| out.extend_from_slice(&((w >> 14) as u16).to_le_bytes()));
                },
            );
            put_varint(&mut out, u64::from(s.weights_seen));
            put_table(
                &mut out,
                &s.logits,
                |w| w.iter().any(|&w| w != 0),
                |out, w| {
                    w.iter().for_each(|w| out.extend_from_slice(&((w >> 4) as i16).to_le_bytes()));
                },
            );
            put_varint(&mut out, u64::from(s.logits_seen));
        }
        out
    }

    /// Reads a section's body.
    ///
    /// Errors: [`Error::Corrupt`] where it is not what SPEC §9.5 says.
    pub fn read(body: &[u8]) -> Result<Priors, Error> {
        let mut b = Bytes(body);
        let mut priors = Priors::default();
        let mut next = 0;
        while !b.0.is_empty() {
            let number = usize::from(b.byte()?);
            let Some(&place) = Place::ALL.get(number).filter(|_| number >= next) else {
                return corrupt(format!("place {number} of states, expected one from {next} on"));
            };
            next = number + 1;
            let mut s = States::default();
            for t in s.counters.iter_mut().chain(&mut s.signs) {
                *t = table(&mut b, Counter::NEW, counter)?;
            }
            for t in &mut s.rows {
                *t = table(&mut b, [0; SYMBOLS], row)?;
            }
            s.weights = table(&mut b, [0; MIXED], weights)?;
            s.weights_seen = seen(&mut b)?;
            s.logits = table(&mut b, [0; MIXED], logits)?;
            s.logits_seen = seen(&mut b)? as u16;
            priors.set(place, s);
        }
        Ok(priors)
    }
}

fn corrupt<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Corrupt { what: what.into(), section: "9.5" })
}

/// Puts entries in the place of those that do not count.
fn fill<T: Copy>(to: &mut Vec<T>, from: &[T], none: T, counts: impl Fn(&T) -> bool) {
    to.resize(to.len().max(from.len()), none);
    for (to, from) in to.iter_mut().zip(from).filter(|(to, _)| !counts(to)) {
        *to = *from;
    }
}

/// The entries that count, each after the number of those left out before it.
fn put_table<T>(out: &mut Vec<u8>, all: &[T], counts: impl Fn(&T) -> bool, put: impl Fn(&mut Vec<u8>, &T)) {
    put_varint(out, all.iter().filter(|t| counts(t)).count() as u64);
    let mut next = 0;
    for (k, t) in all.iter().enumerate().filter(|(_, t)| counts(t)) {
        put_varint(out, (k - next) as u64);
        put(out, t);
        next = k + 1;
    }
}

fn table<T: Copy>(
    b: &mut Bytes<'_>,
    none: T,
    entry: impl Fn(&mut Bytes<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    for _ in 0..b.varint()? {
        let slot = b.varint()?.saturating_add(all.len() as u64);
        if slot >= SLOTS {
            return corrupt(format!("states of slot {slot}, expected less than {SLOTS}"));
        }
        all.resize(slot as usize, none);
        all.push(entry(b)?);
    }
    Ok(all)
}

fn put_counter(out: &mut Vec<u8>, k: &Counter) {
    out.push(k.seen().min(255) as u8);
    out.extend_from_slice(&(k.p16() as u16).to_le_bytes());
}

fn counter(b: &mut Bytes<'_>) -> Result<Counter, Error> {
    match (b.byte()?, short(b)?) {
        (0, _) | (_, 0) => corrupt("a counter that has seen nothing, or is certain"),
        (n, p) => Ok(Counter::primed(p.into(), n.into())),
    }
}

fn put_row(out: &mut Vec<u8>, r: &Row) {
    let some = r[..SYMBOLS - 1].iter().take_while(|&&p| p > 0).count();
    out.extend([r[SYMBOLS - 1] as u8, some as u8]);
    r[..some].iter().for_each(|p| out.extend_from_slice(&p.to_le_bytes()));
}

fn row(b: &mut Bytes<'_>) -> Result<Row, Error> {
    let (n, some) = (b.byte()?, usize::from(b.byte()?));
    if !(1..=127).contains(&n) || some >= SYMBOLS {
        return corrupt(format!("a distribution over {n} symbols, {some} of them likely"));
    }
    let mut r = [0; SYMBOLS];
    for p in &mut r[..some] {
        *p = short(b)?;
    }
    if r[..some].contains(&0) || r[..some].windows(2).any(|w| w[0] < w[1]) {
        return corrupt("a distribution that does not fall");
    }
    r[SYMBOLS - 1] = n.into();
    Ok(r)
}

fn weights(b: &mut Bytes<'_>) -> Result<[u32; MIXED], Error> {
    let mut w = [0; MIXED];
    for w in &mut w {
        *w = u32::from(short(b)?);
    }
    match w.iter().sum::<u32>() {
        1..=WHOLE => Ok(w.map(|w| w << 14)),
        sum => corrupt(format!("weights of distributions that add up to {sum}/65536")),
    }
}

fn logits(b: &mut Bytes<'_>) -> Result<[i32; MIXED], Error> {
    let mut w = [0; MIXED];
    for w in &mut w {
        *w = i32::from(short(b)? as i16) << 4;
    }
    if w == [0; MIXED] { corrupt("weights of logits that are all 0") } else { Ok(w) }
}

fn seen(b: &mut Bytes<'_>) -> Result<u32, Error> {
    match b.varint()? {
        n @ 0..=1023 => Ok(n as u32),
        n => corrupt(format!("weights that have seen {n}, expected less than 1024")),
    }
}

fn short(b: &mut Bytes<'_>) -> Result<u16, Error> {
    let v = b.take(2)?;
    Ok(u16::from_le_bytes([v[0], v[1]]))
}

/// What is left on the way, for later.
#[derive(Debug)]
pub struct Left<T>(Mutex<Vec<T>>);

impl<T> Default for Left<T> {
    fn default() -> Self {
        Left(Mutex::default())
    }
}

impl<T> Left<T> {
    /// Leaves something.
    pub fn push(&self, what: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// All that was left.
    pub fn into_inner(self) -> Vec<T> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What coders learn of a chunk, in the end.
#[derive(Debug, Default)]
pub struct Lesson {
    /// They start from nothing, whatever a model has for them: all that they know is of the chunk.
    pub afresh: bool,
    /// What they have learned, by place.
    pub states: Left<(Place, States)>,
}

/// What coders of integers start from, and where they leave what they have learned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// What they start from.
    pub priors: Option<&'a Priors>,
    /// Where they leave what they have learned.
    pub learned: Option<&'a Left<(Place, States)>>,
    /// Who guides wavelet coefficients, and where is left what should have been said of them.
    pub coefficients: Option<&'a Coefficients>,
    /// See `coefficients`.
    pub samples: Option<&'a Left<CoefficientSample>>,
    /// What a network has said of the chunk, or where that is kept.
    pub said: Option<&'a Said>,
    /// Encoder only: what a bit is worth in squared steps where errors are weighed against bits; else 0.
    pub worth: f64,
}

impl<'a> Start<'a> {
    /// The same, to learn a lesson.
    pub fn learning(self, lesson: Option<&'a Lesson>) -> Start<'a> {
        let Some(lesson) = lesson else { return self };
        Start { priors: self.priors.filter(|_| !lesson.afresh), learned: Some(&lesson.states), ..self }
    }

    /// The states that a place starts from.
    pub fn of(&self, place: Place) -> Option<&States> {
        self.priors?.of(place)
    }

    /// A coder for a place.
    pub fn coder<R: Residuals>(&self, place: Place, slots: [usize; super::CONTEXTS], sets: usize) -> R {
        let mut coder = R::new(slots, sets);
        if let Some(s) = self.of(place) {
            coder.prime(s);
        }
        coder
    }

    /// A coder of more slots and sets than a place has: those behind the place's start from the same states.
    pub fn coder_of_both<R: Residuals>(
        &self,
        place: Place,
        one: ([usize; super::CONTEXTS], usize),
        both: ([usize; super::CONTEXTS], usize),
    ) -> R {
        let mut coder = R::new(both.0, both.1);
        if let Some(s) = self.of(place) {
            coder.prime(&s.repeated(one, both));
        }
        coder
    }

    /// Leaves what was learned at a place.
    pub fn leave(&self, place: Place, states: impl FnOnce() -> States) {
        if let Some(learned) = self.learned {
            learned.push((place, states()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Priors {
        let mut s = States::default();
        s.counters[1] = vec![Counter::NEW, Counter::primed(40000, 9), Counter::NEW, Counter::primed(7, 200)];
        s.signs[0] = vec![Counter::primed(32768, 60)];
        s.rows[3] = vec![[0; SYMBOLS], std::array::from_fn(|k| if k == 15 { 12 } else { 60000 - 4000 * k as u16 })];
        s.weights = vec![[0; MIXED], [16384 << 14, 16000 << 14, 1 << 14, 16384 << 14]];
        s.weights_seen = 16;
        s.logits = vec![[-16, 32752, 0, 160]];
        s.logits_seen = 64;
        let mut priors = Priors::default();
        priors.set(Place::Wavelet, s.clone());
        priors.set(Place::Factors, s);
        priors
    }

    #[test]
    fn round_trip() {
        let priors = example();
        assert_eq!(Priors::read(&priors.write()).expect("what was written"), priors);
        assert_eq!(Priors::read(&[]).expect("no place at all"), Priors::default());
    }

    #[test]
    fn what_is_missing_is_taken_from_others() {
        let (mut mine, other) = (Priors::default(), example());
        let mut s = States::default();
        s.counters[1] = vec![Counter::primed(1, 1)];
        mine.set(Place::Wavelet, s);
        mine.complete(&other);
        let [taken, told] = [&mine, &other].map(|p| p.of(Place::Wavelet).expect("a place of both"));
        assert_eq!(taken.counters[1][0], Counter::primed(1, 1));
        assert_eq!((&taken.counters[1][1..], &taken.rows), (&told.counters[1][1..], &told.rows));
        assert_eq!(mine.of(Place::Factors), other.of(Place::Factors));
    }

    #[test]
    fn what_is_cut_short_or_damaged_is_refused_or_read() {
        let bytes = example().write();
        let places: Vec<usize> = (0..bytes.len()).filter(|&n| Priors::read(&bytes[..n]).is_ok()).collect();
        assert_eq!(places, [0, bytes.len() / 2], "only whole places can be read");
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[i] ^= 1 << bit;
                if let Ok(priors) = Priors::read(&bytes) {
                    assert!(Place::ALL.iter().all(|&p| priors.of(p).is_none_or(|s| s.rows[0].len() < 1 << 14)));
                }
            }
        }
    }

    #[test]
    fn rules_are_enforced() {
        let refused = |change: &dyn Fn(&mut States), what: &str| {
            let mut priors = example();
            let mut s = priors.of(Place::Wavelet).cloned().unwrap_or_default();
            change(&mut s);
            priors.set(Place::Wavelet, s);
            let Err(Error::Corrupt { what: said, section: "9.5" }) = Priors::read(&priors.write()) else {
                return assert!(what.is_empty(), "read although {what}");
            };
            assert!(said.contains(what), "{said}");
        };
        refused(&|s| s.rows[3][1][3] = s.rows[3][1][2] + 1, "does not fall");
        refused(&|s| s.weights[1][2] = 20000 << 14, "add up to");
        refused(&|s| s.logits_seen = 2000, "have seen 2000");
        refused(&|s| s.rows[3][1][15] = 130, "over 130 symbols");
        refused(&|s| s.signs[1] = vec![Counter::primed(5, 5); (1 << 14) + 1], "slot 16384");
    }
}
