//! From what surrounds a point to the contexts of its code (SPEC §7.5).
use crate::entropy::{Aside, CONTEXTS, Magnitude, log_class};

/// Classes of magnitudes in units of 1/256 step.
const LEVELS: u32 = 64;
/// Weight sets that the mixer needs.
pub const SETS: usize = 32;

/// Slots that each context needs.
pub const SLOTS: [usize; CONTEXTS] = [1024, 64, 1024, 4096, 1024, 64 * 64];
/// Slots that each context needs where a network tells scales.
pub const GUIDED_SLOTS: [usize; CONTEXTS] = [2048, 128, 2048, 4096, 2048, 128 * 64];

/// Expected magnitude, in units of 1/256 and times 64, of a scale of 1/16 step and up to three quarters of an octave more.
const EXPECTED: [u64; 4] = [1419, 1688, 2007, 2387];

/// Multipliers, in units of 2^-12, of the sums over causal neighbours, parents and curvature in the expected magnitude.
#[derive(Clone, Copy, Debug)]
pub struct Blend {
    near: u32,
    parents: u32,
    curve: u32,
    /// 2^12 over the number of directions, for the mean over causal neighbours.
    mean: u32,
}

impl Blend {
    /// For chunks whose passes have `dims` causal directions.
    pub fn new(dims: u32) -> Blend {
        let total = 10 * dims + 7;
        Blend { near: 40960 / total, parents: 28672 / total, curve: 12288 / total, mean: 4096 / dims }
    }
}

/// What is known of a point before it is coded, all but the point before it in its row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Magnitudes of causal neighbours in other rows, diagonal ones halved, in units of 1/256.
    pub near: u32,
    /// What parents and curvature add to the expected magnitude.
    rest: u64,
    /// Classes of curvature, gradient, and parents.
    classes: [u8; 3],
    /// Codes of the neighbours before along axes 2 and 1.
    pub back: [i16; 2],
    /// Signs of the parents' codes, 0 to 8.
    pub signs: u8,
    /// Index of the scale that a network told, 0 if none did.
    pub scale: u8,
    /// What companions say, where they are looked at.
    pub told: Option<Told>,
}

/// Magnitudes that a point's own is expected from, besides those of its neighbours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest {
    /// Magnitudes of the two points that prediction started from, in units of 1/256.
    pub parents: u32,
    /// Second difference of known points, in 1/256 steps.
    pub curve: u32,
    /// First difference of known points, in 1/256 steps.
    pub grad: u32,
}

impl Rest {
    #[inline(always)]
    fn expected(&self, b: &Blend) -> u64 {
        u64::from(self.parents) * u64::from(b.parents) + u64::from(self.curve) * u64::from(b.curve)
    }

    #[inline(always)]
    fn classes(&self) -> [u8; 3] {
        [self.curve, self.grad, self.parents / 2].map(|v| log_class(u64::from(v)).min(LEVELS - 1) as u8)
    }
}

/// The class of a magnitude below 2^31, as `log_class` has it, but of many at once: exponent and first bit of the fraction
/// as one number.
#[inline(always)]
fn class_of(v: u32) -> u8 {
    let bits = f64::from(v as i32).to_bits() >> 51;
    (if v < 2 { v } else { (bits as u32).wrapping_sub(2 * 1023) }).min(LEVELS - 1) as u8
}

/// What is known of the points of a row before it is coded; field by field, so that it is gathered for many at once.
#[derive(Default)]
pub struct Survey {
    /// As in [`Known`].
    pub near: Vec<u32>,
    /// See [`Rest`].
    pub parents: Vec<u32>,
    /// See [`Rest`].
    pub curve: Vec<u32>,
    /// See [`Rest`].
    pub grad: Vec<u32>,
    /// As in [`Known`].
    pub back: [Vec<i16>; 2],
    /// As in [`Known`].
    pub signs: Vec<u8>,
    rest: Vec<u64>,
    classes: [Vec<u8>; 3],
}

impl Survey {
    /// Of so many points, of which nothing is known yet.
    pub fn new(count: usize) -> Survey {
        Survey {
            near: vec![0; count],
            parents: vec![0; count],
            curve: vec![0; count],
            grad: vec![0; count],
            back: [vec![0; count], vec![0; count]],
            signs: vec![0; count],
            rest: vec![0; count],
            classes: [vec![0; count], vec![0; count], vec![0; count]],
        }
    }

    /// Takes together what has been gathered.
    #[inline(always)]
    pub fn finish(&mut self, b: &Blend) {
        let n = self.near.len();
        let (parents, curve, grad) = (&self.parents[..n], &self.curve[..n], &self.grad[..n]);
        let rest = &mut self.rest[..n];
        for k in 0..n {
            rest[k] = Rest { parents: parents[k], curve: curve[k], grad: 0 }.expected(b);
        }
        let [of_curve, of_grad, of_parents] = &mut self.classes;
        of_curve.iter_mut().zip(curve).for_each(|(c, &v)| *c = class_of(v));
        of_grad.iter_mut().zip(grad).for_each(|(c, &v)| *c = class_of(v));
        of_parents.iter_mut().zip(parents).for_each(|(c, &v)| *c = class_of(v / 2));
    }

    /// What is known of the first `n` points.
    #[inline(always)]
    pub fn first(&self, n: usize) -> Surveyed<'_> {
        Surveyed {
            near: &self.near[..n],
            rest: &self.rest[..n],
            classes: self.classes.each_ref().map(|c| &c[..n]),
            back: self.back.each_ref().map(|b| &b[..n]),
            signs: &self.signs[..n],
        }
    }
}

/// What a survey found, all of one length.
pub struct Surveyed<'a> {
    near: &'a [u32],
    rest: &'a [u64],
    classes: [&'a [u8]; 3],
    back: [&'a [i16]; 2],
    signs: &'a [u8],
}

impl Surveyed<'_> {
    /// What is known of a point.
    #[inline(always)]
    pub fn known(&self, k: usize) -> Known {
        Known {
            near: self.near[k],
            rest: self.rest[k],
            classes: self.classes.map(|c| c[k]),
            back: self.back.map(|b| b[k]),
            signs: self.signs[k],
            scale: 0,
            told: None,
        }
    }
}

/// What companions say of a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// How far they are from their own interpolations, in 1/256 steps.
    pub own: u32,
    /// The sign of the first one's distance, as 0, 1 or 2.
    pub lean: u8,
}

/// The sign of a code as 0, 1 or 2.
#[inline(always)]
pub fn sign(v: i16) -> u32 {
    (v.signum() + 1) as u32
}

/// The magnitude of a code in units of 1/256.
#[inline(always)]
pub fn magnitude(v: i16) -> u32 {
    u32::from(v.unsigned_abs()) << 8
}

impl Known {
    /// Of a point with these neighbours.
    #[inline(always)]
    pub fn new(b: &Blend, near: u32, rest: Rest, back: [i16; 2]) -> Known {
        let (classes, rest) = (rest.classes(), rest.expected(b));
        Known { near, rest, classes, back, signs: 4, scale: 0, told: None }
    }

    /// The contexts of the point's code. `before` is the code of the point before it in the row, `place` tells level
    /// and axis, below 64.
    #[inline(always)]
    pub fn contexts(&self, b: &Blend, before: i16, place: u32) -> Magnitude {
        let near = self.near + magnitude(before);
        let scale = u32::from(self.scale);
        let around = (u64::from(near) * u64::from(b.near) + self.rest) >> 12;
        let [curve, grad, parents] = self.classes.map(u32::from);
        let e = if scale > 0 { EXPECTED[(scale % 4) as usize] << (scale / 4) >> 6 } else { around };
        let class = |v: u64| log_class(v).min(LEVELS - 1);
        let kk = class(e);
        // A network's scale is finer than classes.
        let kx = if scale > 0 { 64 + scale } else { kk };
        let k1 = class((u64::from(near) * u64::from(b.mean)) >> 12);
        let start = log_class((e * 10) >> 12);
        let rel = |k: u32| (k + 8).saturating_sub(kk).min(15);
        let small = |v: i16| u32::from(v.unsigned_abs().min(4));
        let slots = [
            kx * 16 + rel(k1),
            kx,
            kx * 16 + rel(curve),
            if start < 3 {
                ((small(before) * 5 + small(self.back[0])) * 5 + small(self.back[1])) * 3 + start
            } else {
                1024 + kx * 16 + rel(grad)
            },
            kx * 16 + rel(parents),
            kx * 64 + place,
        ];
        let s = sign(before) * 9 + sign(self.back[0]) * 3 + sign(self.back[1]);
        let mut m = Magnitude {
            slots,
            start,
            class: kk,
            set: k1.min(48) / 2,
            sign: [s * 64 + place, s * 9 + u32::from(self.signs), 0],
            aside: Aside::default(),
        };
        if let Some(told) = &self.told {
            let own = class(u64::from(told.own));
            m.slots[4] = kx * 16 + rel(own);
            m.slots[5] = kx.min(63) * 16 + own.min(31) / 2;
            m.sign[2] = (u32::from(told.lean) * 32 + own.min(31)) * 27 + s;
            // Half way from the class that is expected to that of the companions.
            let d = (own as i32 - kk as i32).clamp(-8, 8);
            let moved = |k: u32, least| (k as i32 + (d + d.signum()) / 2).clamp(least, LEVELS as i32 - 1) as u32;
            let class = moved(kk, 0);
            m.aside = Aside { slot: if scale > 0 { 64 + moved(scale, 1) } else { class }, class };
        }
        m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_logarithm() {
        let all = (0..31).flat_map(|k| [0, 1, 2].map(|d| (1u32 << k).wrapping_sub(1) + d)).chain(0..5000);
        for v in all.filter(|&v| v < 1 << 31) {
            assert_eq!(u32::from(class_of(v)), log_class(u64::from(v)).min(LEVELS - 1), "{v}");
        }
    }
}
