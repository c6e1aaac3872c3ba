//! The search for a wavelet's shape where it must be short: many shapes by a guess, the likeliest by quantising.
use super::wavelet::Parameters;
use super::wavelet_guess::{distortion, guess};
use super::wavelet_search::{Ground, Layout, MIRRORED, Search, Shape, Target};
use super::wavelet_transform::Edge;
use crate::ordered::each;

/// Shapes that are quantised, to find the one that is coded; and where there is so little to tell, in bytes for each
/// value, that guesses say little of it: all of these are coded.
const LIKELIEST: usize = 2;
const LIKELIEST_OF_FEW: usize = 4;
const FEW_BYTES: f64 = 1.0 / 40.0;
/// Bits above this multiple of what the best other base needs leave no hope.
const HOPE: f64 = 1.3;
/// Bytes whose difference tells nothing yet.
const SMALL: f64 = 200.0;
/// Steps that guesses are made with, in multiples of the largest error and of the root of the mean squared one.
const GUESSED: (f64, f64) = (2.5, 4.0);

/// What the tries for a root mean squared error aim at, in shares of it squared, and how many there may be at most; from
/// `FEW` on any that keeps it will do, and before that one that uses `ENOUGH` of it.
const AIM: [f64; 4] = [0.99, 0.985, 0.97, 0.9];
const TRIES: usize = 8;
const FEW: usize = 3;
const ENOUGH: f64 = 0.965;
/// What errors usually are of those that are guessed.
const USUAL: f64 = 1.1;

/// The step that usually is best for a bound on every error, in multiples of it, where a value takes so many bits.
fn usual_ratio(bits: f64) -> f64 {
    match bits {
        _ if bits < 0.05 => 6.6,
        _ if bits < 0.15 => 5.0,
        _ if bits < 0.3 => 3.7,
        _ if bits < 0.7 => 2.8,
        _ => 2.1,
    }
}

impl Search<'_> {
    /// The likeliest axes to transform, orders and edges, with steps, best first; none where others are far better.
    pub(super) fn quick_shapes(&self, target: Target, lambda: f64, ground: Ground<'_>) -> Vec<(Shape, f64)> {
        let step = match target {
            Target::Rmse(e) => GUESSED.1 * e,
            Target::MaxError(e) => GUESSED.0 * e,
        };
        let mut all: Vec<(f64, Shape)> = Vec::new();
        let attempt = |all: &mut Vec<(f64, Shape)>, shapes: Vec<Shape>| {
            let mut new: Vec<Shape> = Vec::new();
            for shape in shapes {
                if !new.contains(&shape) && !all.iter().any(|s| s.1 == shape) {
                    new.push(shape);
                }
            }
            all.extend(each(new, |shape| {
                let l = self.layout(shape);
                (guess(&self.g, &l.bands, &l.coef, step), shape)
            }));
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
        };
        let full = (self.g.n.map(super::wavelet::depth), 0, MIRRORED);
        attempt(&mut all, vec![full]);
        // Ever from the best so far: axes left out, axes that go first, then how lines go on.
        for turn in 0..4 {
            let (levels, first, edges) = all[0].1;
            let on: Vec<usize> = (0..4).filter(|&a| levels[a] > 0).collect();
            let mut shapes = Vec::new();
            for &a in &on {
                match turn {
                    0 | 2 if on.len() > 1 => shapes.push((levels, first ^ 8 >> a, edges)),
                    1 => {
                        let mut fewer = levels;
                        fewer[a] = 0;
                        shapes.push((fewer, first & !(8 >> a), edges));
                    }
                    3 => {
                        for edge in [Edge::Periodic, Edge::Straight] {
                            let mut other = edges;
                            other[a] = edge;
                            shapes.push((levels, first, other));
                        }
                    }
                    _ => {}
                }
            }
            attempt(&mut all, shapes);
        }
        // Then how deep they go.
        let (levels, first, edges) = all[0].1;
        let deepest = levels.into_iter().max().unwrap_or(0);
        let depths = deepest.saturating_sub(2).max(2)..deepest;
        attempt(&mut all, depths.map(|most| (levels.map(|l| l.min(most)), first, edges)).collect());
        let few = ground.thin || ground.rival < FEW_BYTES * self.g.len() as f64;
        let few = few || ground.leisurely(&self.g);
        let (judges, codes) = if few { (LIKELIEST_OF_FEW, LIKELIEST_OF_FEW) } else { (LIKELIEST, 1) };
        let mut judged: Vec<(f64, Shape, f64)> = Vec::new();
        for &(_, shape) in all.iter().take(judges) {
            let (bits, step) = match target {
                Target::Rmse(e) => self.quick_judge(shape, e, step, lambda),
                Target::MaxError(e) => {
                    let bits = self.judge(shape, target, step, lambda).0;
                    (bits, e * usual_ratio(bits / self.g.len() as f64))
                }
            };
            judged.push((bits, shape, step));
            if !few && bits > HOPE * 8.0 * (ground.rival + SMALL) {
                break;
            }
        }
        judged.sort_by(|a, b| a.0.total_cmp(&b.0));
        judged.retain(|j| j.0 <= HOPE * 8.0 * (ground.rival + SMALL));
        judged.into_iter().take(codes).map(|j| (j.1, j.2)).collect()
    }

    /// About how many bits a shape needs for a root mean squared error, and the step.
    fn quick_judge(&self, shape: Shape, rmse: f64, step: f64, lambda: f64) -> (f64, f64) {
        let l = self.layout(shape);
        let goal = rmse * rmse * self.valid;
        let step = self.guessed_step(&l, step, goal / USUAL);
        let mut p = self.parameters(&l, step, lambda);
        let q = self.quantise(&l, &mut p);
        if q.overflow {
            return (f64::INFINITY, step);
        }
        // What is left of the difference, at 6 dB a bit of every nonzero coefficient or so.
        let more = (self.errors(&l, &p, &q).0.max(1e-300) / goal).ln();
        (q.bits + 0.72 * q.nonzero.max(1.0) * more, p.step)
    }

    /// Parameters that reach a root mean squared error in as few tries as may be.
    pub(super) fn soon_for_rmse(&self, l: &Layout, rmse: f64, step: f64, lambda: f64) -> Option<Parameters> {
        let target = rmse * rmse * self.valid;
        let mut step = step;
        // The error that is reached over the one that is guessed.
        let mut gain: Option<f64> = None;
        let mut best: Option<Parameters> = None;
        for round in 0..TRIES {
            if round > 0 || best.is_none() {
                step = self.guessed_step(l, step, AIM[round.min(AIM.len() - 1)] * target / gain.unwrap_or(USUAL));
            }
            let mut p = self.parameters(l, step, lambda);
            let q = self.quantise(l, &mut p);
            if q.overflow {
                return None;
            }
            let reached = self.errors(l, &p, &q).0;
            gain = Some(reached / distortion(&self.g, &l.bands, &l.coef, p.step)).filter(|g| g.is_normal());
            if reached <= target && best.as_ref().is_none_or(|b| p.step > b.step) {
                Self::keep(&mut p, q);
                best = Some(p);
            }
            if reached <= target && (reached >= ENOUGH * target || round + 1 >= FEW) {
                break;
            }
            if gain.is_none() {
                break;
            }
        }
        best
    }

    /// The step at which coefficients make this error, by a guess.
    fn guessed_step(&self, l: &Layout, start: f64, target: f64) -> f64 {
        let mut step = start;
        let (mut below, mut above) = (0.0, f64::INFINITY);
        for _ in 0..12 {
            let d = distortion(&self.g, &l.bands, &l.coef, step);
            if (d / target - 1.0).abs() < 2e-3 {
                break;
            }
            if d < target {
                below = step
            } else {
                above = step
            }
            let next = step * (target / d.max(1e-9 * target)).powf(0.6).clamp(0.25, 4.0);
            step = if next > below && next < above { next } else { 0.5 * (below + above.min(4.0 * below)) };
        }
        step
    }
}
