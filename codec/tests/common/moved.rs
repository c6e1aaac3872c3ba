//! States other than those of a model: some of each kind moved, and some added.
use scicodec::entropy::{Counter, Place, Priors, States};

/// `priors` with every `every`-th entry of every table moved.
pub fn moved(priors: &Priors, every: usize) -> Priors {
    let mut out = Priors::default();
    for place in Place::ALL {
        let mut s = priors.of(place).cloned().unwrap_or_default();
        let mut k = place as usize;
        let mut due = || {
            k += 1;
            k.is_multiple_of(every)
        };
        for counter in s.counters.iter_mut().chain(&mut s.signs).flatten().filter(|c| !c.unseen()) {
            if due() {
                *counter = Counter::primed((counter.p16() * 3 / 4).max(40), counter.seen() * 2 % 200 + 1);
            }
        }
        for row in s.rows.iter_mut().flatten().filter(|r| r[15] > 0) {
            if due() {
                row[..15].iter_mut().for_each(|a| *a = (u32::from(*a) * 7 / 8) as u16);
                row[15] = row[15] * 3 % 100 + 1;
            }
        }
        for w in s.weights.iter_mut().filter(|w| w.iter().any(|&w| w > 0)) {
            if due() {
                *w = [w[1], w[0], w[3], w[2] / 2];
            }
        }
        for w in s.logits.iter_mut().filter(|w| w.iter().any(|&w| w != 0)) {
            if due() {
                *w = [w[1] + 9000, w[0], w[3], -w[2]];
            }
        }
        added(&mut s);
        out.set(place, s);
    }
    out
}

/// Entries that the parent has not.
fn added(s: &mut States) {
    let counters = s.counters[2].len();
    s.counters[2].resize(counters + 3, Counter::NEW);
    s.counters[2].push(Counter::primed(9000, 20));
    s.rows[1].push(std::array::from_fn(|k| if k == 15 { 9 } else { 50000 >> k }));
    s.weights.push([20000 << 14, 30000 << 14, 10000 << 14, 100 << 14]);
    s.logits.push([20000, -4000, 0, 40000]);
}
