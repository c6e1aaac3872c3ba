//! Codes one integer in few steps: its class of magnitude as one symbol under a mixture of adaptive distributions, then
//! sign and mantissa (SPEC §7.9).
use super::bits::{BitCoder, SYMBOLS};
use super::mixer::{Counter, Mixer};
use super::priming::PRIMED;
use super::residual::{CLASSES, CONTEXTS, ESCAPE, Magnitude, Residuals, log_class};
use super::states::{MIXED, Row, States, copy};
use super::tables::RECIPROCAL;
use crate::simd::lanes::Lanes;

/// The context from whose distributions those of the others start.
const PARENT: usize = 1;
/// What mixing starts from: in the end, `FLOOR` for every symbol.
const FLOORS: Row = {
    let mut all = [0; SYMBOLS];
    let mut i = 0;
    while i < SYMBOLS {
        all[i] = (LAST - i) as u16 * FLOOR;
        i += 1;
    }
    all
};
/// Symbols that a new distribution counts as having seen, and the most it averages over.
const SEEN_FIRST: u16 = 3;
const SEEN_LAST: u16 = 127;
/// The least probability of a symbol, in units of 2^-16.
const FLOOR: u16 = 2;
/// The sum of weights, in units of 2^-30: with `FLOOR` for every symbol and what rounding takes it stays below 1.
const WHOLE: u32 = (65536 - 16 * FLOOR as u32 - 4) << 14;
/// Weights move by 2^-3 of what is missing at first, in the end by 2^-6.
const RATE_FIRST: u32 = 3;
const RATE_LAST: u32 = 6;
/// Sets of weights that have seen less have not learned much.
const SETTLED: u32 = 24;
/// The last symbol.
const LAST: usize = SYMBOLS - 1;
/// What weights of logits start from, in units of 2^-16.
const LOGIT_WEIGHT: i32 = 29491;
/// Contexts of the sign; the last one only where companions are looked at.
const SIGNS: usize = 3;
const SIGN_SLOTS: usize = 1 << 12;
/// What their weights start from, where they are mixed.
const SIGN_WEIGHT: i32 = 26000;
/// What weights of logits start from where companions are looked at: of the usual contexts, and of those of companions.
const LOGIT_WEIGHTS_BESIDE: [i32; 2] = [24000, 13000];
/// Share of the weights, in sixteenths, that each context of companions has where states tell those of the others.
const SHARE: u32 = 4;

/// An adaptive distribution: for every symbol but the last the probability of those above it, in units of 2^-16; in
/// place of the last one's, which is 0, how many symbols it is an average over (0: none came yet).
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Distribution([u16; SYMBOLS]);

impl Distribution {
    const UNSEEN: Distribution = Distribution([0; SYMBOLS]);

    /// One that starts from these probabilities.
    #[inline(always)]
    fn starting(above: Row) -> Distribution {
        Distribution(with_last(Lanes::load(&above), SEEN_FIRST).row())
    }

    #[inline(always)]
    fn unseen(&self) -> bool {
        self.0[LAST] == 0
    }

    /// Moves towards a symbol; the rate falls as 1/n.
    #[inline(always)]
    fn learn(&mut self, symbol: usize) {
        let seen = self.0[LAST];
        let rate = Lanes::all(RECIPROCAL[usize::from(seen) & 127] as u16);
        // Distances from the end that the probability moves towards.
        let flip = Lanes::load(&BELOW[symbol & LAST]);
        let x = Lanes::load(&self.0).xor(flip);
        // At least by one: what never comes must not keep a share.
        let moved = x.less(x.times_high(rate).or_one()).xor(flip);
        self.0 = with_last(moved, seen + u16::from(seen < SEEN_LAST)).row();
    }

    /// Probability of a symbol.
    #[inline(always)]
    fn of(&self, symbol: usize) -> u32 {
        // No branches: nothing can guess symbols.
        let left = u32::from(self.0[symbol.wrapping_sub(1) & LAST]) & mask(symbol > 0) | 65536 & mask(symbol == 0);
        left - (u32::from(self.0[symbol & LAST]) & mask(symbol < LAST))
    }
}

/// All bits or none.
#[inline(always)]
fn mask(all: bool) -> u32 {
    u32::from(all).wrapping_neg()
}

/// Per symbol, all bits of those below it.
static BELOW: [Row; SYMBOLS] = {
    let mut all = [[0; SYMBOLS]; SYMBOLS];
    let mut i = 0;
    while i < SYMBOLS * SYMBOLS {
        if i % SYMBOLS < i / SYMBOLS {
            all[i / SYMBOLS][i % SYMBOLS] = u16::MAX;
        }
        i += 1;
    }
    all
};

/// All bits of every symbol but the last, and of the last.
const OTHERS: Row = BELOW[LAST];
const ONLY_LAST: Row = {
    let mut all = [0; SYMBOLS];
    all[LAST] = u16::MAX;
    all
};

/// The same but for the last one; all in one go, since a part that is written alone is slow to read with the others.
#[inline(always)]
fn with_last(v: Lanes, last: u16) -> Lanes {
    v.and(Lanes::load(&OTHERS)).or(Lanes::all(last).and(Lanes::load(&ONLY_LAST)))
}

/// Weights of the distributions in a mixture, in units of 2^-30.
#[derive(Clone, Copy)]
struct Weights<const N: usize> {
    w: [u32; N],
    seen: u32,
}

impl<const N: usize> Weights<N> {
    /// Moves every weight towards its share in the probability of what came.
    #[inline(always)]
    fn learn(&mut self, p: [u32; N]) {
        let share: [u64; N] = std::array::from_fn(|i| u64::from(self.w[i] >> 14) * u64::from(p[i] + 1));
        let inverse = (1u64 << 47) / share.iter().sum::<u64>().max(1);
        let rate = (RATE_FIRST + (self.seen >> 4)).min(RATE_LAST);
        self.seen += u32::from(rate < RATE_LAST);
        for i in 0..N {
            let s = ((share[i] * inverse) >> 17) as i32;
            // A little less, so that rounding never makes the sum too large.
            let s = s - (s >> 10);
            let w = self.w[i] as i32;
            self.w[i] = (w + ((s - w) >> rate)) as u32;
        }
    }
}

/// Codes integers under the first N contexts of their magnitude; those beyond [`MIXED`] look at companions. With `ZEROS`, where little is expected whether an integer
/// is 0 is told first, by a bit.
pub struct Mixture<const N: usize, const ZEROS: bool> {
    parts: [Vec<Distribution>; N],
    weights: Vec<Weights<N>>,
    /// Probabilities of 0.
    zeros: [Vec<Counter>; N],
    mixer: Mixer<N>,
    sign: [Vec<Counter>; SIGNS],
    sign_mixer: Mixer<SIGNS>,
    /// How far a class is above the symbols, and below them.
    above: [Counter; 16],
    below: [Counter; 16],
    /// Whether a class below them is 0.
    zero: Counter,
}

impl<const N: usize, const ZEROS: bool> Residuals for Mixture<N, ZEROS> {
    const MIXES: bool = true;

    fn new(slots: [usize; CONTEXTS], sets: usize) -> Self {
        Mixture {
            parts: std::array::from_fn(|i| vec![Distribution::UNSEEN; slots[i]]),
            weights: vec![Weights { w: [WHOLE / N as u32; N], seen: 0 }; sets],
            zeros: std::array::from_fn(|i| vec![Counter::NEW; if ZEROS { slots[i] } else { 0 }]),
            mixer: Mixer::starting(
                if ZEROS { sets } else { 0 },
                std::array::from_fn(|i| match Self::BESIDE {
                    true => LOGIT_WEIGHTS_BESIDE[usize::from(i >= MIXED)],
                    false => LOGIT_WEIGHT,
                }),
            ),
            sign: std::array::from_fn(|i| vec![Counter::NEW; if Self::BESIDE || i < 2 { SIGN_SLOTS } else { 0 }]),
            sign_mixer: Mixer::new(usize::from(Self::BESIDE), SIGN_WEIGHT),
            above: [Counter::NEW; 16],
            below: [Counter::NEW; 16],
            zero: Counter::NEW,
        }
    }

    fn prime(&mut self, s: &States) {
        for i in 0..N.min(MIXED) {
            copy(&mut self.zeros[i], &s.counters[i]);
            for (part, row) in self.parts[i].iter_mut().zip(&s.rows[i]) {
                *part = Distribution(*row);
            }
        }
        for (to, from) in self.sign.iter_mut().zip(&s.signs) {
            copy(to, from);
        }
        for (to, w) in self.weights.iter_mut().zip(&s.weights).filter(|(_, w)| w.iter().any(|&w| w > 0)) {
            copy(&mut to.w, w);
            if Self::BESIDE {
                let left = 16 - SHARE * (N - MIXED) as u32;
                to.w = std::array::from_fn(|i| if i < MIXED { to.w[i] / 16 * left } else { WHOLE / 16 * SHARE });
            }
            to.seen = s.weights_seen;
        }
        self.mixer.prime(&s.logits, s.logits_seen);
    }

    fn states(&self) -> States {
        let mut s = States::default();
        for i in 0..N.min(MIXED) {
            s.counters[i] = self.zeros[i].clone();
            s.rows[i] = self.parts[i].iter().map(|d| d.0).collect::<Vec<Row>>();
        }
        s.signs = std::array::from_fn(|i| self.sign[i].clone());
        let of = |w: &Weights<N>| {
            if w.seen >= SETTLED { std::array::from_fn(|i| *w.w.get(i).unwrap_or(&0)) } else { [0; MIXED] }
        };
        s.weights = self.weights.iter().map(of).collect();
        s.logits = self.mixer.learned();
        s
    }

    #[inline(always)]
    fn code<C: BitCoder>(&mut self, c: &mut C, q: i64, m: &Magnitude) -> i64 {
        if C::SILENT {
            return q;
        }
        let magnitude = q.unsigned_abs();
        let k = self.class(c, if magnitude >= ESCAPE { CLASSES } else { log_class(magnitude) }, m);
        if k == 0 {
            return 0;
        }
        let negative = self.sign(c, q < 0, m);
        let magnitude = if k < 4 {
            u64::from(k)
        } else if k >= CLASSES {
            c.raw_wide(magnitude, 64)
        } else {
            let n = k / 2 - 1;
            (u64::from(2 | k & 1) << n) | c.raw_wide(magnitude & ((1 << n) - 1), n)
        };
        if negative { (magnitude as i64).wrapping_neg() } else { magnitude as i64 }
    }
}

impl<const N: usize, const ZEROS: bool> Mixture<N, ZEROS> {
    /// Whether companions are looked at.
    const BESIDE: bool = N > MIXED;

    #[inline(always)]
    fn class<C: BitCoder>(&mut self, c: &mut C, class: u32, m: &Magnitude) -> u32 {
        if ZEROS && m.start == 0 {
            if self.is_zero(c, class == 0, m) {
                return 0;
            }
            // Nothing is below 1.
            let k = 1 + self.symbol(c, class.saturating_sub(1), m, |x| nonzero(primed(x)));
            return if k > LAST as u32 {
                k + count(c, &mut self.above, class.saturating_sub(k), CLASSES - k)
            } else {
                k
            };
        }
        let low = lowest(m.class);
        let symbol = self.symbol(c, class.saturating_sub(low), m, |x| *primed(x));
        let k = low + symbol;
        if symbol == LAST as u32 {
            k + count(c, &mut self.above, class.saturating_sub(k), CLASSES - k)
        } else if symbol == 0 && low > 0 {
            let zero = c.bit(class == 0, self.zero.p16());
            self.zero.update(zero, 255);
            if zero { 0 } else { low - count(c, &mut self.below, low.saturating_sub(class), low - 1) }
        } else {
            k
        }
    }

    /// Whether an integer is 0.
    #[inline(always)]
    fn is_zero<C: BitCoder>(&mut self, c: &mut C, zero: bool, m: &Magnitude) -> bool {
        let parent = &mut self.zeros[PARENT][m.slots[PARENT] as usize];
        if parent.unseen() {
            *parent = Counter::primed(65536 - u32::from(primed(m.class)[0]), u32::from(SEEN_FIRST));
        }
        let parent = parent.forgetting(u32::from(SEEN_FIRST));
        let mut aside = parent;
        if Self::BESIDE {
            let known = self.zeros[PARENT][m.aside.slot as usize];
            aside = match known.unseen() {
                true => Counter::primed(65536 - u32::from(primed(m.aside.class)[0]), u32::from(SEEN_FIRST)),
                false => known.forgetting(u32::from(SEEN_FIRST)),
            };
        }
        let mut k: [Counter; N] = std::array::from_fn(|i| match self.zeros[i][m.slots[i] as usize] {
            k if !k.unseen() => k,
            _ if i < MIXED => parent,
            _ => aside,
        });
        let mixed = self.mixer.mix(m.set as usize, &k);
        let zero = c.bit(zero, mixed.p1);
        self.mixer.update(m.set as usize, &mixed, zero);
        for i in 0..N {
            k[i].update(zero, 255);
            self.zeros[i][m.slots[i] as usize] = k[i];
        }
        zero
    }

    /// A symbol; those from the last one on are that one.
    #[inline(always)]
    fn symbol<C: BitCoder>(&mut self, c: &mut C, symbol: u32, m: &Magnitude, first: impl Fn(u32) -> Row) -> u32 {
        let parent = &mut self.parts[PARENT][m.slots[PARENT] as usize];
        if parent.unseen() {
            *parent = Distribution::starting(first(m.class));
        }
        let parent = *parent;
        let mut aside = parent;
        if Self::BESIDE {
            let known = &self.parts[PARENT][m.aside.slot as usize];
            aside = if known.unseen() { Distribution(first(m.aside.class)) } else { *known };
        }
        let mut parts = [const { None }; N];
        for (i, ((to, all), &slot)) in parts.iter_mut().zip(&mut self.parts).zip(&m.slots).enumerate() {
            let part = &mut all[slot as usize];
            if part.unseen() {
                *part = Distribution::starting(if i < MIXED { parent.0 } else { aside.0 });
            }
            *to = Some(part);
        }
        let weights = &mut self.weights[m.set as usize];
        let mut mixed = Lanes::load(&FLOORS);
        for (part, w) in parts.iter().flatten().zip(weights.w) {
            mixed = mixed.plus(Lanes::load(&part.0).times_high(Lanes::all((w >> 14) as u16)));
        }
        let symbol = c.symbol((symbol as usize).min(LAST), &with_last(mixed, 0).row());
        weights.learn(std::array::from_fn(|i| parts[i].as_ref().map_or(0, |p| p.of(symbol))));
        for part in parts.iter_mut().flatten() {
            part.learn(symbol);
        }
        symbol as u32
    }

    #[inline(always)]
    fn sign<C: BitCoder>(&mut self, c: &mut C, negative: bool, m: &Magnitude) -> bool {
        let n = if Self::BESIDE { SIGNS } else { 2 };
        let mut k = [Counter::NEW; SIGNS];
        for i in 0..n {
            k[i] = self.sign[i][m.sign[i] as usize];
        }
        let negative = if Self::BESIDE {
            let mixed = self.sign_mixer.mix(0, &k);
            let negative = c.bit(negative, mixed.p1);
            self.sign_mixer.update(0, &mixed, negative);
            negative
        } else {
            c.bit(negative, (k[0].p16() + k[1].p16()) >> 1)
        };
        for i in 0..n {
            k[i].update(negative, 255);
            self.sign[i][m.sign[i] as usize] = k[i];
        }
        negative
    }
}

/// The class of symbol 0, and of all below.
#[inline(always)]
pub fn lowest(expected: u32) -> u32 {
    expected.saturating_sub(27)
}

/// What the distribution of an expected class starts from.
pub fn primed(class: u32) -> &'static [u16; SYMBOLS] {
    &PRIMED[if class < 30 { class } else { 28 + class % 2 } as usize]
}

/// The distribution of what is not symbol 0, each one symbol lower.
fn nonzero(above: &[u16; SYMBOLS]) -> [u16; SYMBOLS] {
    let all = u32::from(above[0]);
    std::array::from_fn(|i| if i < LAST { (u32::from(above[i + 1]) * 65535 / all) as u16 } else { 0 })
}

/// Codes a number up to `most` in unary.
fn count<C: BitCoder>(c: &mut C, counters: &mut [Counter; 16], n: u32, most: u32) -> u32 {
    let mut k = 0;
    while k < most {
        let counter = &mut counters[k.min(15) as usize];
        let more = c.bit(n > k, counter.p16());
        counter.update(more, 255);
        if !more {
            break;
        }
        k += 1;
    }
    k
}
