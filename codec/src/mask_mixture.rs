//! Points of a mask under several contexts that are mixed (SPEC §7.6.2): coastlines, the edges of radar scans.
use crate::entropy::{BitCoder, Counter, Mixer, squash};
use crate::mask::{Around, Points};

/// Contexts of a point.
const N: usize = 6;
/// A point whose whole surroundings agree takes one of 16 counters: most points do, and a mixture is slow.
const UNIFORM: usize = 16;

/// What a point nearby says, in logits of 1/256: fitted to coastlines. Left at distance 1 to 5, the row above from −4 to 5,
/// two above from −3 to 3, three above from −1 to 1.
const LEFT: [i32; 5] = [702, 97, 93, 73, 85];
const ABOVE: [i32; 10] = [-112, -50, -164, 127, 460, 473, 186, 116, 76, 82];
const ABOVE_2: [i32; 7] = [-3, -63, -159, -13, -106, -132, -121];
const ABOVE_3: [i32; 3] = [-45, 6, -26];

/// The sum of `weights`, negated where the bit is 0, for every value of as many bits, the first of them highest.
fn sums<const W: usize>(weights: [i32; W]) -> Vec<i32> {
    let signed = |v: usize, i: usize| if v >> (W - 1 - i) & 1 == 1 { weights[i] } else { -weights[i] };
    (0..1 << W).map(|v| (0..W).map(|i| signed(v, i)).sum()).collect()
}

/// Bits of a row from some places before a point to some places after it, the first one highest; 0 beyond the row.
struct Window<'a> {
    row: &'a [bool],
    next: usize,
    mask: usize,
    bits: usize,
}

impl<'a> Window<'a> {
    fn new(row: &'a [bool], back: usize, ahead: usize) -> Self {
        let mut w = Window { row, next: 0, mask: (1 << (back + ahead + 1)) - 1, bits: 0 };
        (0..=ahead).for_each(|_| w.advance());
        w
    }

    #[inline(always)]
    fn advance(&mut self) {
        let bit = self.row.get(self.next).is_some_and(|&b| b);
        self.bits = (self.bits << 1 | usize::from(bit)) & self.mask;
        self.next += 1;
    }
}

pub(crate) struct Mixture {
    uniform: Vec<Counter>,
    slots: [Vec<Counter>; N],
    mixer: Mixer<N>,
    sums: [Vec<i32>; 4],
}

impl Mixture {
    pub fn new() -> Mixture {
        let sizes = [64, 1 << 5, 1 << 16, 1 << 10, 1 << 15, 1 << 12];
        let mut slots = sizes.map(|n| vec![Counter::NEW; n]);
        for (i, k) in slots[0].iter_mut().enumerate() {
            *k = Counter::primed(squash(88 * i as i32 - 2772), 100);
        }
        let uniform = |i: usize| Counter::primed(if i < UNIFORM / 2 { 24 } else { 65512 }, 20);
        let mut left = LEFT;
        left.reverse();
        Mixture {
            uniform: (0..UNIFORM).map(uniform).collect(),
            slots,
            mixer: Mixer::starting(64, [32768, 13107, 13107, 13107, 13107, 13107]),
            sums: [sums(left), sums(ABOVE), sums(ABOVE_2), sums(ABOVE_3)],
        }
    }

    #[inline(always)]
    fn mixed<C: BitCoder>(&mut self, c: &mut C, bit: bool, slots: [usize; N], set: usize) -> bool {
        let k: [Counter; N] = std::array::from_fn(|i| self.slots[i][slots[i]]);
        let mixed = self.mixer.mix(set, &k);
        let bit = c.bit(bit, mixed.p1);
        self.mixer.update(set, &mixed, bit);
        for (counters, slot) in self.slots.iter_mut().zip(slots) {
            counters[slot].update(bit, 255);
        }
        bit
    }
}

impl Points for Mixture {
    const BY_PLACE: bool = true;

    fn row<C: BitCoder>(&mut self, c: &mut C, around: &Around<'_>, row: &mut [bool]) {
        let [mut a1, mut a2, mut a3] =
            [(0, 4, 5), (1, 3, 3), (2, 1, 1)].map(|(k, back, ahead)| Window::new(around.above[k], back, ahead));
        let [mut b0, mut up, mut down] =
            [(0, 2, 2), (1, 1, 1), (2, 1, 1)].map(|(k, back, ahead)| Window::new(around.before[k], back, ahead));
        let plane_before = usize::from(!around.before[0].is_empty());
        // The last five points, the nearest lowest.
        let mut left = 0usize;
        for point in row.iter_mut() {
            let (l, a, b) = (left, a1.bits, b0.bits);
            let none = l | a | a2.bits | a3.bits == 0;
            let all = l == 31 && a == 1023 && a2.bits == 127 && a3.bits == 7;
            let bit = if none || all {
                let k = &mut self.uniform[usize::from(all) << 3 | (b >> 1 & 7)];
                let bit = c.bit(*point, k.p16());
                k.update(bit, 255);
                bit
            } else {
                let [sl, s1, s2, s3] = &self.sums;
                let sum = sl[l] + s1[a] + s2[a2.bits] + s3[a3.bits];
                let near = (l & 1) << 3 | (a >> 4 & 7);
                let slots = [
                    ((sum + 2816).clamp(0, 5631) / 88) as usize,
                    (l & 2) << 3 | near,
                    (l & 15) << 12 | (a >> 2 & 127) << 5 | (a2.bits >> 1 & 31),
                    (l & 7) << 7 | (a >> 3 & 15) << 3 | (b >> 1 & 7),
                    (b << 6 | down.bits << 3 | up.bits) << 4 | near,
                    l << 7 | (a & 127),
                ];
                self.mixed(c, *point, slots, (near << 1 | (b >> 2 & 1)) << 1 | plane_before)
            };
            *point = bit;
            left = (left << 1 | usize::from(bit)) & 31;
            for w in [&mut a1, &mut a2, &mut a3, &mut b0, &mut up, &mut down] {
                w.advance();
            }
        }
    }
}
