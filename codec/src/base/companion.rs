//! Other fields at the same places, decoded before: what interpolation learns from them, and what of them a wavelet need not
//! code (SPEC §8.10).
use super::Geometry;
use super::contexts::Told;
use super::interpolation::{Pass, local};
use super::quantiser::Quantiser;
use crate::Error;
use crate::bytes::Bytes;
use crate::entropy::{BitCoder, Counter};
use crate::plan::{Base, Map, Plan};

/// Another field over the same points, scaled to differ along itself about as much as the one to code.
#[derive(Clone, Debug)]
pub struct Companion {
    /// Its values, those of missing points taken from beside them.
    pub values: Vec<f64>,
    /// Points where it says nothing.
    pub missing: Option<Vec<bool>>,
}

/// How a chunk looks at its companions.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// Which of those that are offered, and the power of two that scales each.
    pub chosen: Vec<(usize, i16)>,
    /// What is made of them.
    pub way: Way,
}

/// What a base makes of companions.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// Interpolation corrects its predictions by what companions' own miss.
    Corrected {
        /// Index of the damping of slopes.
        damping: u8,
        /// The finest levels where fitted weights multiply distances, too.
        told: u8,
    },
    /// A wavelet codes what a weighted sum of companions leaves: a weight for each, in units of 2^-14.
    LeftOut(Vec<i16>),
}

/// The unit of weights of companions that are left out.
pub const WEIGHT_UNIT: f64 = 1.0 / 16384.0;

/// Dampings, in squared steps.
pub const DAMPINGS: [f64; 4] = [0.25, 1.0, 0.0625, 4.0];
/// What a slope is at most.
const STEEPEST: f64 = 4.0;
/// Places where a companion's distances have weights: the point itself, and one step back and forth along every axis.
pub const BESIDE: usize = 9;
/// Points before one whose errors tell the slope.
const BEFORE: usize = 7;

impl Beside {
    /// Appends what decoders must know.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(match self.way {
            Way::Corrected { damping, told } => damping | told << 2,
            Way::LeftOut(_) => 0,
        });
        for (k, (_, exponent)) in self.chosen.iter().enumerate() {
            out.extend_from_slice(&exponent.to_le_bytes());
            if let Way::LeftOut(weights) = &self.way {
                out.extend_from_slice(&weights.get(k).copied().unwrap_or(0).to_le_bytes());
            }
        }
    }

    /// Reads what `write` wrote of so many companions, all that there are; of a base that leaves them out or corrects by
    /// them.
    pub fn read(b: &mut Bytes<'_>, companions: usize, left_out: bool) -> Result<Beside, Error> {
        let kind = b.byte()?;
        if kind > if left_out { 0 } else { 31 } || companions == 0 {
            let what = format!("kind {kind} of looking at {companions} companions");
            return Err(Error::Corrupt { what, section: "8.10" });
        }
        let mut int16 = || b.take(2).map(|e| i16::from_le_bytes([e[0], e[1]]));
        let (mut chosen, mut weights) = (Vec::new(), Vec::new());
        for k in 0..companions {
            chosen.push((k, int16()?));
            if left_out {
                weights.push(int16()?);
            }
        }
        let way = if left_out { Way::LeftOut(weights) } else { Way::Corrected { damping: kind & 3, told: kind >> 2 } };
        Ok(Beside { chosen, way })
    }

    /// Adds `sign` times the weighted sum of the companions to numbers, if that is what is made of them.
    pub fn shift(&self, numbers: &mut [f64], companions: &[Companion], sign: f64) {
        let Way::LeftOut(weights) = &self.way else { return };
        for (c, &w) in companions.iter().zip(weights) {
            let w = sign * (f64::from(w) * WEIGHT_UNIT);
            for (v, c) in numbers.iter_mut().zip(&c.values) {
                *v += w * c;
            }
        }
    }
}

/// Whether a plan can be changed to one that looks at companions.
pub(crate) fn takes(plan: &Plan) -> bool {
    match plan.base {
        Base::Interpolation { .. } | Base::Learned { latents: None, .. } => plan.map != Map::Logarithm,
        Base::Wavelet(_) => plan.map == Map::Plain,
        _ => false,
    }
}

/// What companions say to one run of interpolation.
pub struct Aside<'a> {
    companions: &'a [Companion],
    damping: f64,
    /// How far each companion is from its own plain interpolation, at the points of passes so far.
    distances: Vec<Vec<f64>>,
    /// What predictions with fitted weights alone miss.
    missed: Vec<f64>,
    /// Fitted weights of each companion's distances in this pass; none if there are none.
    weights: Vec<[f64; BESIDE]>,
    /// Whether weights are not 0: at the point itself, beside it.
    some: [Counter; 2],
    told: u8,
}

impl<'a> Aside<'a> {
    /// Of a chunk of so many points; none if companions are left out instead.
    pub fn new(companions: &'a [Companion], beside: &Beside, points: usize) -> Option<Aside<'a>> {
        let Way::Corrected { damping, told } = beside.way else { return None };
        Some(Aside {
            companions,
            damping: DAMPINGS[usize::from(damping) % DAMPINGS.len()],
            distances: vec![vec![0.0; points]; companions.len()],
            missed: vec![0.0; points],
            weights: Vec::new(),
            some: [Counter::NEW; 2],
            told,
        })
    }

    /// Starts a pass.
    pub fn enter(&mut self, g: &Geometry, pass: &Pass, linear: bool, mask: Option<&[bool]>) {
        for (companion, d) in self.companions.iter().zip(&mut self.distances) {
            pass.each(g, 1, |at, i| {
                let gone = companion.missing.as_ref().is_some_and(|m| m[i]) || mask.is_some_and(|m| m[i]);
                d[i] =
                    if gone { 0.0 } else { companion.values[i] - local(&companion.values, g, pass, linear, &at, i).p };
            });
        }
    }

    /// Whether distances have fitted weights at a level.
    pub fn fits(&self, level: u32) -> bool {
        level <= u32::from(self.told)
    }

    /// How many companions there are.
    pub fn count(&self) -> usize {
        self.distances.len()
    }

    /// Codes the weights of a pass, those that an encoder fitted; of a pass without, none are given and none coded.
    pub fn weigh<C: BitCoder>(&mut self, c: &mut C, g: &Geometry, pass: &Pass, fitted: Option<Vec<[f64; BESIDE]>>) {
        self.weights = fitted.unwrap_or_default();
        for w in &mut self.weights {
            for (k, w) in w.iter_mut().enumerate() {
                let axis = 3 - k.saturating_sub(1) / 2;
                if k > 0 && g.n[axis] <= pass.step[axis] {
                    *w = 0.0;
                    continue;
                }
                let q = (*w * 32.0).round().clamp(-128.0, 127.0) as i32;
                let some = &mut self.some[k.min(1)];
                let nonzero = c.bit(q != 0, some.p16());
                some.update(nonzero, 30);
                let q = if nonzero { c.raw((q + 128) as u32, 8) as i32 - 128 } else { 0 };
                *w = f64::from(q) * 0.03125;
            }
        }
    }

    /// A companion's distance at a point, then one step of the pass back and forth along every axis, the last one first; 0
    /// beyond the pass.
    #[inline]
    pub fn around(&self, k: usize, g: &Geometry, pass: &Pass, at: &[usize; 4], i: usize) -> [f64; BESIDE] {
        let d = &self.distances[k];
        let mut f = [0.0; BESIDE];
        f[0] = d[i];
        for a in 0..4 {
            let (t, n) = (pass.step[a], 2 * (3 - a));
            if at[a] >= pass.start[a] + t {
                f[1 + n] = d[i - t * g.stride[a]];
            }
            if at[a] + t < g.n[a] {
                f[2 + n] = d[i + t * g.stride[a]];
            }
        }
        f
    }

    /// Adds the weighted distances to the predictions of a row.
    #[inline]
    pub fn add(&self, g: &Geometry, pass: &Pass, at: [usize; 3], first: usize, p: &mut [f64]) {
        for (c, w) in self.weights.iter().enumerate() {
            for (k, p) in p.iter_mut().enumerate() {
                let (i, x) = (first + k * pass.step[3], pass.start[3] + k * pass.step[3]);
                let f = self.around(c, g, pass, &[at[0], at[1], at[2], x], i);
                for j in 0..BESIDE {
                    *p += w[j] * f[j];
                }
            }
        }
    }

    /// Contexts of the point at offset `i`.
    #[inline]
    pub fn told(&self, i: usize, quant: &Quantiser) -> Told {
        let own: f64 = self.distances.iter().map(|d| d[i].abs()).sum();
        let lean = self.distances[0][i];
        Told { own: quant.fine(own), lean: if lean > 0.0 { 2 } else { u8::from(lean >= 0.0) } }
    }

    /// What is to be added to the prediction of a point: each companion's distance, times the slope by which what was
    /// missed before follows that distance.
    #[inline]
    pub fn correction(&self, g: &Geometry, pass: &Pass, at: [usize; 4], i: usize, step: f64) -> f64 {
        let o: [usize; 4] = std::array::from_fn(|a| pass.step[a] * g.stride[a]);
        let has: [bool; 4] = std::array::from_fn(|a| at[a] >= pass.start[a] + pass.step[a]);
        let right = at[3] + pass.step[3] < g.n[3];
        let back: [(bool, usize); BEFORE] = [
            (has[3], o[3]),
            (at[3] >= pass.start[3] + 2 * pass.step[3], 2 * o[3]),
            (has[2], o[2]),
            (has[2] && has[3], o[2] + o[3]),
            (has[2] && right, o[2].wrapping_sub(o[3])),
            (has[1], o[1]),
            (has[0], o[0]),
        ];
        let mut missed = back.map(|(ok, o)| if ok { self.missed[i.wrapping_sub(o)] } else { 0.0 });
        let mut sum = 0.0;
        for d in &self.distances {
            let near = back.map(|(ok, o)| if ok { d[i.wrapping_sub(o)] } else { 0.0 });
            let (mut xy, mut xx) = (0.0, step * step * self.damping);
            for k in 0..BEFORE {
                xy += missed[k] * near[k];
                xx += near[k] * near[k];
            }
            let slope = xy / xx;
            let slope = if slope.is_nan() { 0.0 } else { slope.clamp(-STEEPEST, STEEPEST) };
            for k in 0..BEFORE {
                missed[k] -= slope * near[k];
            }
            sum += slope * d[i];
        }
        sum
    }

    /// Takes note of what the prediction without companions missed.
    #[inline]
    pub fn learn(&mut self, i: usize, missed: f64) {
        self.missed[i] = missed;
    }
}
