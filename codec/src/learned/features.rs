//! What a network sees of a pass of interpolation: the known points around each new one, in units of their local
//! amplitude (SPEC §8.8.1).
use super::surroundings::{Around, Ends, Rows};
use crate::base::Geometry;
use crate::base::interpolation::Pass;
use crate::base::quantiser::rounded_bits;
use crate::simd::{Kernel, widest};

/// Channels of a point.
pub const CHANNELS: usize = 24;
/// Conditions: four levels, and for either transverse axis whether it is absent, refined already or not yet.
pub const CONDITIONS: usize = 36;
/// Features are fixed-point numbers: so much is one.
pub const UNIT: f64 = 128.0;
/// Largest magnitude of a feature.
pub(super) const LIMIT: i32 = 1023;

/// The points of a pass as a network sees them.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// Extents of the lattice of points: the axes of no concern, the two transverse ones, that of the pass.
    pub shape: [usize; 4],
    /// Channels of every point, channels last.
    pub data: Vec<i16>,
    /// How many: [`CHANNELS`], unless more were added.
    channels: usize,
    /// Number of the level and of the kind of transverse axes, below [`CONDITIONS`].
    pub condition: usize,
    /// Local amplitude at every point; 0 where a point has a neighbour on one side only.
    pub amplitude: Vec<f64>,
    /// From a point to the next along each axis of the chunk, in points.
    pub(super) stride: [usize; 4],
}

/// Transverse axes of a pass: those predicted across, the fastest first, at most two.
fn transverse(g: &Geometry, pass: &Pass, order: &[u8]) -> Vec<usize> {
    (0..4).rev().filter(|&a| a != pass.axis && g.n[a] > 1 && order.contains(&(a as u8))).take(2).collect()
}

/// log2 of a number that is not negative, linear between powers of two, in units of 1/64; of 0 very little, of NaN 0.
#[inline(always)]
pub(super) fn lg(v: f64) -> i32 {
    if v.is_nan() { 0 } else { (v.to_bits() >> 46) as i32 - (1023 << 6) }
}

/// A number in fixed point, limited; of NaN 0.
#[inline(always)]
pub(super) fn fixed(v: f64) -> i16 {
    fixed_bits(v) as i16
}

/// Its bits, as the lowest 16 of these.
#[inline(always)]
pub(super) fn fixed_bits(v: f64) -> u64 {
    const ENDS: [f64; 2] = [-LIMIT as f64, LIMIT as f64];
    // In words that vectors know.
    let v = if v.is_nan() { 0.0 } else { v };
    let v = if v > ENDS[0] { v } else { ENDS[0] };
    rounded_bits(if v < ENDS[1] { v } else { ENDS[1] })
}

/// The class of 16 times a magnitude below 2^20, times 16.
#[inline(always)]
pub(super) fn class(magnitude: u32) -> i32 {
    // The class of a number from 2 on is its exponent and the first bit of its fraction, and this number is exact.
    let bits = (16 * magnitude as i32) as f32;
    let class = (bits.to_bits() >> 22) as i32 - 2 * 127;
    if magnitude == 0 { 0 } else { 16 * class }
}

impl Features {
    /// None so far, with room for passes of so many points.
    pub fn with_room(points: usize) -> Features {
        let data = Vec::with_capacity(points * CHANNELS);
        Features { data, amplitude: Vec::with_capacity(points), ..Features::default() }
    }

    /// Becomes those of the points of a pass, from values and codes of the points known before it. `step` is that of the
    /// pass.
    pub fn enter(&mut self, g: &Geometry, pass: &Pass, order: &[u8], step: f64, values: &[f64], codes: &[i16]) {
        let sides = transverse(g, pass, order);
        let others: Vec<usize> = (0..4).filter(|a| *a != pass.axis && !sides.contains(a)).collect();
        let count: [usize; 4] = std::array::from_fn(|a| (g.n[a] - pass.start[a]).div_ceil(pass.step[a]));
        let side = |k: usize| sides.get(k).map_or(1, |&a| count[a]);
        self.shape = [others.iter().map(|&a| count[a]).product(), side(1), side(0), count[pass.axis]];
        let mut apart = 1;
        for &a in [&pass.axis].into_iter().chain(&sides).chain(others.iter().rev()) {
            self.stride[a] = apart;
            apart *= count[a];
        }
        let kind = |k: usize| sides.get(k).map_or(0, |&a| if pass.step[a] == pass.s { 1 } else { 2 });
        self.condition = ((pass.level.clamp(1, 4) as usize - 1) * 3 + kind(0)) * 3 + kind(1);
        self.channels = CHANNELS;
        // Every point is written below.
        self.data.resize(apart * CHANNELS, 0);
        self.amplitude.resize(apart, 0.0);
        widest(Look { features: self, g, pass, sides: &sides, count, around: Around { step, values, codes } });
    }

    /// Says nothing of a point.
    fn leave_out(&mut self, number: usize) {
        self.data[number * CHANNELS..][..CHANNELS].fill(0);
        self.amplitude[number] = 0.0;
    }

    /// Number of a point in the pass, of the chunk's point at these coordinates.
    #[inline]
    pub(super) fn number(&self, pass: &Pass, at: &[usize; 4]) -> usize {
        (0..4).map(|a| (at[a] - pass.start[a]) / pass.step[a] * self.stride[a]).sum()
    }

    /// Offset of every point in the chunk.
    pub(super) fn places(&self, g: &Geometry, pass: &Pass) -> Vec<u32> {
        let mut all = vec![0; self.amplitude.len()];
        pass.each(g, 1, |at, i| all[self.number(pass, &at)] = i as u32);
        all
    }

    /// Adds channels to every point: `more` gives those of the point at an offset.
    pub(super) fn extend(&mut self, places: &[u32], count: usize, mut more: impl FnMut(usize, &mut [i16])) {
        let channels = self.channels + count;
        let mut data = vec![0; places.len() * channels];
        let points = data.chunks_exact_mut(channels).zip(self.data.chunks_exact(self.channels)).zip(places);
        for ((to, from), &i) in points {
            let (seen, added) = to.split_at_mut(self.channels);
            seen.copy_from_slice(from);
            more(i as usize, added);
        }
        (self.data, self.channels) = (data, channels);
    }
}

/// Looks at every point of a pass.
struct Look<'a> {
    features: &'a mut Features,
    g: &'a Geometry,
    pass: &'a Pass,
    sides: &'a [usize],
    /// Points along every axis.
    count: [usize; 4],
    around: Around<'a>,
}

impl Look<'_> {
    /// From a point at index `k` of those along axis `a` to its neighbours there, itself where there is none.
    #[inline(always)]
    fn sides(&self, a: Option<&usize>, at: &[usize; 4]) -> [isize; 2] {
        let Some(&a) = a else { return [0; 2] };
        let o = (self.pass.step[a] * self.g.stride[a]) as isize;
        let k = (at[a] - self.pass.start[a]) / self.pass.step[a];
        [if k > 0 { -o } else { 0 }, if k + 1 < self.count[a] { o } else { 0 }]
    }

    /// Where the points around one are; `None` if it has a neighbour on one side only.
    #[inline(always)]
    fn ends(&self, at: &[usize; 4]) -> Option<Ends> {
        let (pass, along, n) = (self.pass, at[self.pass.axis], self.g.n[self.pass.axis]);
        let (s, near) = (pass.s, (pass.s * self.g.stride[pass.axis]) as isize);
        if along + s >= n {
            return None;
        }
        let [up, down] = self.sides(self.sides.get(1), at);
        let [before, after] = self.sides(self.sides.first(), at);
        let far = [along >= 3 * s, along + 3 * s < n];
        let first = if far[0] { -3 * near } else { -near };
        let last = if far[1] { 3 * near } else { near };
        Some(Ends { along: [first, -near, near, last], across: [0, before, after, up, down] })
    }
}

impl Kernel for Look<'_> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let (g, pass, count) = (self.g, self.pass, self.count[3]);
        let Pass { start, step, .. } = *pass;
        let mut rows = Rows::new();
        for a in (start[0]..g.n[0]).step_by(step[0]) {
            for b in (start[1]..g.n[1]).step_by(step[1]) {
                for y in (start[2]..g.n[2]).step_by(step[2]) {
                    let mut at = [a, b, y, start[3]];
                    let first = a * g.stride[0] + b * g.stride[1] + y * g.stride[2] + start[3];
                    let number = self.features.number(pass, &at);
                    let mut k = 0;
                    while k < count {
                        at[3] = start[3] + k * step[3];
                        let ends = self.ends(&at);
                        // All but the first and the last ones of a row have neighbours at the same distances.
                        let mut same = 1;
                        if k > 0 && k + 2 < count {
                            let mut last = at;
                            last[3] = start[3] + (count - 2) * step[3];
                            same = if ends == self.ends(&last) { count - 1 - k } else { (count - 2 - k).max(1) };
                        }
                        let to = (number + k * self.features.stride[3], self.features.stride[3]);
                        match ends {
                            Some(ends) => {
                                let first = first + k * step[3];
                                rows.look(&self.around, &ends, first, step[3], same, self.features, to);
                            }
                            None => (0..same).for_each(|k| self.features.leave_out(to.0 + k * to.1)),
                        }
                        k += same;
                    }
                }
            }
        }
    }
}
