//! How effort `fast` chooses: a grid that keeps the bound, and a predictor by what coding a part would take.
use crate::base::Geometry;
use crate::base::tabled::{LARGEST, Parameters, Predictor, write::Codes};
use crate::chunk::ChunkBound;
use crate::fast::Field;
use crate::grid::{self, Float, Grid};
use crate::lattice::{packed, spacing, ulp};
use crate::scratch::{give, take};

/// Chunks of fewer points go to the bases that adapt.
pub const SMALLEST: usize = 1 << 12;
/// Points on which predictors are tried, about.
const PART: usize = 1 << 13;

/// What was chosen, and what came of it.
pub struct Step {
    pub grid: Grid,
    pub parameters: Parameters,
    /// The numbers that decoding will give.
    pub numbers: Vec<i32>,
    pub codes: Codes,
}

/// A grid, its step, and whether all values sit on it.
struct Scale {
    grid: Grid,
    step: u32,
}

/// A float of 32 bits not above `v`, so that it takes few bytes; `v` itself where there is none.
fn short(v: f64) -> f64 {
    let s = v as f32;
    let s = if f64::from(s) > v { s.next_down() } else { s };
    if s.is_normal() { f64::from(s) } else { v }
}

/// Where a grid best has a point: at a value that comes again and again, such as zero, else in the middle.
fn origin<T: Float>(f: &Field<'_, T>) -> f64 {
    const SAMPLES: usize = 1 << 10;
    let stride = (f.x.len() / SAMPLES).max(1) | 1;
    let valid = |i: &usize| f.mask.is_none_or(|m| m[*i] == 0);
    let mut all: Vec<f64> = (0..f.x.len()).step_by(stride).filter(valid).map(|i| f.x[i].wide()).collect();
    all.sort_by(f64::total_cmp);
    let often = all.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).filter(|run| run.len() * 32 >= all.len());
    let middle = 0.5 * f.lo + 0.5 * f.hi;
    match often.and_then(|run| run.first()) {
        Some(&v) => v,
        None if f64::from(middle as f32).is_finite() => f64::from(middle as f32),
        None => middle,
    }
}

/// The coarsest grid whose steps of `2^k` units keep errors within `room`, which is positive.
fn scale(lo: f64, hi: f64, offset: f64, room: f64) -> Option<Scale> {
    for step in [256u32, 64, 16] {
        let unit = short(2.0 * room / f64::from(step + 1) * (1.0 - 1e-9));
        if unit.is_normal() && ((hi - offset).max(offset - lo) / unit) < LARGEST {
            return Some(Scale { grid: Grid { offset, unit }, step });
        }
    }
    None
}

/// The lattice that values sit on, if there is one finer than which nothing need be told.
fn lattice<T: Float>(f: &Field<'_, T>, e: f64) -> Option<Scale> {
    const SAMPLES: usize = 1 << 10;
    let valid = |i: &usize| f.mask.is_none_or(|m| m[*i] == 0);
    let stride = (f.x.len() / SAMPLES).max(1);
    let middle = f.x.len() / 2;
    let places = (0..f.x.len()).step_by(stride).chain(middle..(middle + SAMPLES).min(f.x.len()));
    let sample: Vec<f64> = places.filter(valid).map(|i| f.x[i].wide()).collect();
    let l = packed(T::DTYPE, &sample, f.lo, f.hi, e)
        .filter(|l| e < 16.0 * l.scale)
        .or_else(|| spacing(T::DTYPE, &sample, f.lo, f.hi, e).filter(|l| l.exact))?;
    let far = ((f.lo - l.offset) / l.scale).abs().max(((f.hi - l.offset) / l.scale).abs());
    // Values may sit beside a wide grid, as `packed` says.
    let loose = if 4.0 * e < l.scale { 0.5 * e } else { 0.0 };
    let tolerance = (2.0 * ulp(T::DTYPE, f.lo.abs().max(f.hi.abs()))).max(loose);
    let on = |x: f64| (l.value(((x - l.offset) / l.scale).round()) - x).abs() <= tolerance;
    let steps = 2.0 * (e / l.scale).floor() + 1.0;
    if far >= LARGEST || steps >= LARGEST || !(0..f.x.len()).all(|i| !valid(&i) || on(f.x[i].wide())) {
        return None;
    }
    Some(Scale { grid: Grid { offset: l.offset, unit: l.scale }, step: steps as u32 })
}

/// Numbers on the grid; masked points have that of the valid one before.
fn numbers<T: Float>(x: &[T], mask: Option<&[u8]>, grid: &Grid) -> Vec<i32> {
    let mut k = grid::numbers(x, *grid);
    if let Some(mask) = mask {
        let mut last = mask.iter().position(|&m| m == 0).map_or(0, |i| k[i]);
        for (k, &m) in k.iter_mut().zip(mask) {
            last = if m != 0 { last } else { *k };
            *k = last;
        }
    }
    k
}

/// A part of a chunk to try things on.
struct Part<T> {
    x: Vec<T>,
    mask: Option<Vec<u8>>,
    g: Geometry,
}

/// Boxes of a chunk, whole along short axes, the liveliest first.
fn parts<T: Float>(f: &Field<'_, T>) -> Vec<Part<T>> {
    let mut n = f.g.n;
    while n.iter().product::<usize>() > PART {
        let a = (0..4).max_by_key(|&a| n[a]).unwrap_or(3);
        n[a] = n[a].div_ceil(2);
    }
    let g = Geometry::of(n);
    let room: [usize; 4] = std::array::from_fn(|a| f.g.n[a] - n[a]);
    // The middle, and four places towards the corners.
    let starts = [[2, 2, 2, 2], [1, 1, 1, 1], [3, 3, 1, 3], [1, 3, 3, 1], [3, 1, 3, 3]];
    let cut = |q: [usize; 4]| {
        let start: [usize; 4] = std::array::from_fn(|a| room[a] * q[a] / 4);
        let (mut x, mut mask) = (Vec::with_capacity(g.len()), vec![]);
        for a in start[0]..start[0] + n[0] {
            for b in start[1]..start[1] + n[1] {
                for y in start[2]..start[2] + n[2] {
                    let i = a * f.g.stride[0] + b * f.g.stride[1] + y * f.g.stride[2] + start[3];
                    x.extend_from_slice(&f.x[i..i + n[3]]);
                    if let Some(m) = f.mask {
                        mask.extend_from_slice(&m[i..i + n[3]]);
                    }
                }
            }
        }
        Part { x, mask: f.mask.map(|_| mask), g }
    };
    let rough = |p: &Part<T>| -> f64 {
        let d = p.x.windows(2).map(|w| (w[1].wide() - w[0].wide()).abs());
        d.filter(|d| d.is_finite()).fold(0.0, |s, d| s + d.min(f.hi - f.lo))
    };
    if g == f.g {
        return vec![cut(starts[0])];
    }
    let mut all: Vec<(f64, Part<T>)> = starts.map(cut).into_iter().map(|p| (rough(&p), p)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().map(|p| p.1).collect()
}

/// The predictor that codes a part in the fewest bytes.
fn predictor<T: Float>(p: &Part<T>, scale: &Scale) -> (Predictor, f64) {
    let k = numbers(&p.x, p.mask.as_deref(), &scale.grid);
    let axes: Vec<u8> = (0..4u8).filter(|&a| p.g.n[usize::from(a)] > 1).collect();
    let pack = |axes: &[u8]| axes.iter().enumerate().fold(0u8, |o, (k, a)| o | a << (2 * k));
    let with = |axes: &[u8], schedule: u8, linear: bool| Predictor::Interpolation {
        order: pack(axes),
        count: axes.len() as u8,
        schedule,
        linear,
    };
    let mut best = (with(&axes, 2, false), f64::INFINITY);
    let mut attempt = |predictor: Predictor| {
        let mut v = take(k.len());
        v.copy_from_slice(&k);
        let p = Codes::of(&p.g, &Parameters { predictor, step: scale.step }, &mut v, p.mask.as_deref()).cost();
        give(v);
        if p < best.1 {
            best = (predictor, p);
            return true;
        }
        false
    };
    let mut order = axes.clone();
    let mut schedule = 2;
    attempt(with(&order, schedule, false));
    for s in [0, 4] {
        if attempt(with(&order, s, false)) {
            schedule = s;
        }
    }
    for &skip in axes.iter().take(axes.len().saturating_sub(1)) {
        let fewer: Vec<u8> = order.iter().copied().filter(|&a| a != skip).collect();
        if attempt(with(&fewer, schedule, false)) {
            order = fewer;
        }
    }
    if order.len() > 1 {
        let reversed: Vec<u8> = order.iter().rev().copied().collect();
        if attempt(with(&reversed, schedule, false)) {
            order = reversed;
        }
    }
    attempt(with(&order, schedule, true));
    for axes in 1..=axes.len().min(3) as u8 {
        attempt(Predictor::Lorenzo(axes));
    }
    best
}

/// The choice for a chunk; `None` where another base should have it.
pub fn choose<T: Float>(f: &Field<'_, T>) -> Option<Step> {
    let (ChunkBound::Abs(e) | ChunkBound::Rmse(e)) = f.bound else { return None };
    let parts = parts(f);
    let part = parts.first()?;
    let run = |scale: &Scale, predictor: Predictor| {
        let parameters = Parameters { predictor, step: scale.step };
        let mut numbers = numbers(f.x, f.mask, &scale.grid);
        let codes = Codes::of(&f.g, &parameters, &mut numbers, f.mask);
        Step { grid: scale.grid, parameters, numbers, codes }
    };
    let origin = origin(f);
    let lattice = lattice(f, e);
    if let ChunkBound::Rmse(_) = f.bound {
        // Steps so fine that nothing between the lattice's points is needed.
        if let Some(l) = lattice.filter(|l| e < 0.3 * l.grid.unit) {
            let l = Scale { step: 1, ..l };
            return Some(run(&l, predictor(part, &l).0));
        }
        let predicted = predictor(part, &scale(f.lo, f.hi, origin, 1.7 * e)?).0;
        return root_mean_square(f, &parts, predicted, origin, e, |scale| run(scale, predicted));
    }
    let room = e - 0.5 * ulp(T::DTYPE, f.lo.abs().max(f.hi.abs()));
    let scale = match lattice {
        Some(l) => l,
        None if room > 0.0 => scale(f.lo, f.hi, origin, room)?,
        None => return None,
    };
    let (predictor, _) = predictor(part, &scale);
    Some(run(&scale, predictor))
}

/// Root mean squared error over some boxes of a chunk, of a step.
fn sampled<T: Float>(f: &Field<'_, T>, parts: &[Part<T>], predictor: Predictor, origin: f64, step: f64) -> Option<f64> {
    let scale = scale(f.lo, f.hi, origin, 0.5 * step)?;
    let parameters = Parameters { predictor, step: scale.step };
    let (mut squares, mut valid) = (0.0, 0);
    for p in parts {
        let mut k = numbers(&p.x, p.mask.as_deref(), &scale.grid);
        Codes::of(&p.g, &parameters, &mut k, p.mask.as_deref()).drop();
        squares += grid::errors(&p.x, p.mask.as_deref(), &k, scale.grid, f64::MAX).squares;
        valid += p.mask.as_ref().map_or(p.x.len(), |m| m.iter().filter(|&&m| m == 0).count());
        give(k);
    }
    (valid > 0 && squares > 0.0).then(|| (squares / valid as f64).sqrt())
}

/// The power of the step that errors grow with, from two steps and their errors.
fn power(a: (f64, f64), b: (f64, f64)) -> f64 {
    let power = (b.1 / a.1).ln() / (b.0 / a.0).ln();
    if power.is_finite() { power.clamp(0.3, 1.2) } else { 1.0 }
}

/// The coarsest step found in a few runs that keeps a root mean squared error.
fn root_mean_square<T: Float>(
    f: &Field<'_, T>,
    parts: &[Part<T>],
    predictor: Predictor,
    origin: f64,
    e: f64,
    run: impl Fn(&Scale) -> Step,
) -> Option<Step> {
    // Where to start, and how errors grow: from boxes, which are cheap.
    let (mut step, mut grows, mut last) = (3.4 * e, 0.9, None);
    for _ in 0..3 {
        let Some(rmse) = sampled(f, parts, predictor, origin, step) else { break };
        grows = last.map_or(grows, |last| power(last, (step, rmse)));
        last = Some((step, rmse));
        if (rmse / e - 1.0).abs() < 0.01 {
            break;
        }
        step *= (e / rmse).powf(1.0 / grows).clamp(0.25, 4.0);
    }
    let (mut keeps, mut breaks, mut last): (Option<Step>, f64, Option<(f64, f64)>) = (None, f64::INFINITY, None);
    for tried in 0..9 {
        let done = run(&scale(f.lo, f.hi, origin, 0.5 * step)?);
        let squares = grid::errors(f.x, f.mask, &done.numbers, done.grid, f64::MAX).squares;
        let rmse = (squares / f.valid as f64).sqrt();
        if rmse <= e {
            keeps = Some(done);
        } else {
            breaks = step.min(breaks);
        }
        if keeps.is_some() && (rmse > (0.975 - 0.025 * f64::from(tried)) * e || tried >= 2) {
            break;
        }
        grows = last.map_or(grows, |last| power(last, (step, rmse)));
        last = Some((step, rmse));
        // A little less than what just keeps the bound, and less each time.
        let aim = 0.992 - 0.01 * f64::from(tried);
        step = (step * (aim * e / rmse.max(0.05 * e)).powf(1.0 / grows)).min(breaks * 0.995);
    }
    keeps
}
