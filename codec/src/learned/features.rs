//! What a network sees of a pass of interpolation: the known points around each new one, in units of their local
//! amplitude (SPEC §8.8.1).
use crate::base::Geometry;
use crate::base::interpolation::Pass;
use crate::base::quantiser::rounded;
use crate::entropy::log_class;

/// Channels of a point.
pub const CHANNELS: usize = 24;
/// Conditions: four levels, and for either transverse axis whether it is absent, refined already or not yet.
pub const CONDITIONS: usize = 36;
/// Features are fixed-point numbers: so much is one.
pub const UNIT: f64 = 128.0;
/// Largest magnitude of a feature.
pub(super) const LIMIT: i32 = 1023;
/// Known points around a new one: four along the axis of the pass, each in the middle and at both sides along both
/// transverse axes.
const AROUND: usize = 20;

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
    /// Offset of every point in the chunk.
    pub place: Vec<u32>,
    /// From a point to the next along each axis of the chunk, in points.
    pub(super) stride: [usize; 4],
}

/// One axis of the lattice.
#[derive(Clone)]
struct Axis {
    /// Points along it.
    count: usize,
    /// Offset of the first one, and from one to the next, in elements.
    first: usize,
    step: usize,
}

impl Axis {
    fn new(g: &Geometry, pass: &Pass, a: usize) -> Axis {
        let count = (g.n[a] - pass.start[a]).div_ceil(pass.step[a]);
        Axis { count, first: pass.start[a] * g.stride[a], step: pass.step[a] * g.stride[a] }
    }

    /// From point `k` to its neighbours on this axis, itself where there is none.
    fn sides(&self, k: usize) -> [isize; 2] {
        let o = self.step as isize;
        [if k > 0 { -o } else { 0 }, if k + 1 < self.count { o } else { 0 }]
    }
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
    const ENDS: [f64; 2] = [-LIMIT as f64, LIMIT as f64];
    // In words that vectors know.
    let v = if v > ENDS[0] { v } else { ENDS[0] * f64::from(v <= ENDS[0]) };
    rounded(if v < ENDS[1] { v } else { ENDS[1] }) as i16
}

impl Features {
    /// None so far, with room for passes of so many points.
    pub fn with_room(points: usize) -> Features {
        let data = Vec::with_capacity(points * CHANNELS);
        Features { data, amplitude: Vec::with_capacity(points), ..Features::default() }
    }

    /// Of the points of a pass, from values and codes of the points known before it. `step` is that of the pass.
    pub fn new(g: &Geometry, pass: &Pass, order: &[u8], step: f64, values: &[f64], codes: &[i16]) -> Features {
        let sides = transverse(g, pass, order);
        let one = Axis { count: 1, first: 0, step: 0 };
        let axis = |k: usize| sides.get(k).map_or(one.clone(), |&a| Axis::new(g, pass, a));
        let (t1, t2, along) = (axis(0), axis(1), Axis::new(g, pass, pass.axis));
        let others: Vec<usize> = (0..4).filter(|a| *a != pass.axis && !sides.contains(a)).collect();
        let rest: Vec<Axis> = others.iter().map(|&a| Axis::new(g, pass, a)).collect();
        let shape = [rest.iter().map(|a| a.count).product(), t2.count, t1.count, along.count];
        let points = shape.iter().product();
        let kind = |k: usize| sides.get(k).map_or(0, |&a| if pass.step[a] == pass.s { 1 } else { 2 });
        let condition = ((pass.level.clamp(1, 4) as usize - 1) * 3 + kind(0)) * 3 + kind(1);
        let mut f = Features {
            shape,
            data: vec![0; points * CHANNELS],
            channels: CHANNELS,
            condition,
            amplitude: vec![0.0; points],
            place: vec![0; points],
            stride: [0; 4],
        };
        let mut apart = 1;
        for &a in [&pass.axis].into_iter().chain(&sides).chain(others.iter().rev()) {
            f.stride[a] = apart;
            apart *= Axis::new(g, pass, a).count;
        }
        let near = (pass.s * g.stride[pass.axis]) as isize;
        let mut k = 0;
        for b in 0..shape[0] {
            let mut first = along.first + t1.first + t2.first;
            let mut left = b;
            for a in rest.iter().rev() {
                first += a.first + left % a.count * a.step;
                left /= a.count;
            }
            for y in 0..t2.count {
                let [up, down] = t2.sides(y);
                for x in 0..t1.count {
                    let [before, after] = t1.sides(x);
                    let line = first + y * t2.step + x * t1.step;
                    for z in 0..along.count {
                        let i = line + z * along.step;
                        f.place[k] = i as u32;
                        let at = pass.s + z * 2 * pass.s;
                        if at + pass.s < g.n[pass.axis] {
                            let far = [at >= 3 * pass.s, at + 3 * pass.s < g.n[pass.axis]];
                            let o = [
                                if far[0] { -3 * near } else { -near },
                                -near,
                                near,
                                if far[1] { 3 * near } else { near },
                            ];
                            f.point(k, i, o, [0, before, after, up, down], step, values, codes);
                        }
                        k += 1;
                    }
                }
            }
        }
        f
    }

    /// Adds channels to every point: `more` gives those of the point at an offset.
    pub(super) fn extend(&mut self, count: usize, mut more: impl FnMut(usize, &mut [i16])) {
        let channels = self.channels + count;
        let mut data = vec![0; self.place.len() * channels];
        let points = data.chunks_exact_mut(channels).zip(self.data.chunks_exact(self.channels)).zip(&self.place);
        for ((to, from), &i) in points {
            let (seen, added) = to.split_at_mut(self.channels);
            seen.copy_from_slice(from);
            more(i as usize, added);
        }
        (self.data, self.channels) = (data, channels);
    }

    /// One point at offset `i`: `along` to the points on its axis, `across` to the columns beside it.
    fn point(
        &mut self,
        k: usize,
        i: usize,
        along: [isize; 4],
        across: [isize; 5],
        step: f64,
        values: &[f64],
        codes: &[i16],
    ) {
        let at = |o: isize| i.wrapping_add_signed(o);
        let mut v = [0.0f64; AROUND];
        for (c, &side) in across.iter().enumerate() {
            for (j, &o) in along.iter().enumerate() {
                v[c * 4 + j] = values[at(o + side)];
            }
        }
        let middle = (9.0 * (v[1] + v[2]) - (v[0] + v[3])) * 0.0625;
        let bend = (v[0] + v[3]) - (v[1] + v[2]);
        let mut sum = 0.0;
        for z in &mut v {
            *z -= middle;
            sum += z.abs();
        }
        let amplitude = sum * 0.0625 + 0.5 * step;
        if !amplitude.is_finite() {
            return;
        }
        let inverse = UNIT / amplitude;
        let out = &mut self.data[k * CHANNELS..][..CHANNELS];
        for (o, z) in out.iter_mut().zip(v) {
            *o = fixed(z * inverse);
        }
        let code = |o: isize| u64::from(codes[at(o)].unsigned_abs());
        let parents = code(along[1]) + code(along[2]);
        let beside: u64 = across[1..].iter().map(|&s| code(along[1] + s) + code(along[2] + s)).sum();
        let log = |v: i32| v.clamp(-LIMIT, LIMIT) as i16;
        out[AROUND] = log(lg(step) - lg(amplitude));
        out[AROUND + 1] = log(16 * log_class(16 * parents) as i32);
        out[AROUND + 2] = log(lg(bend.abs()) - lg(amplitude));
        out[AROUND + 3] = log(16 * log_class(16 * beside) as i32);
        self.amplitude[k] = amplitude;
    }
}
