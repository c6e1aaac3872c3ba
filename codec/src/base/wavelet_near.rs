//! Wavelets next to one that is known, for a search by true coded size.
use super::Geometry;
use super::wavelet::{Parameters, depth, storable};
use super::wavelet_guess::guess;
use super::wavelet_search::{LAMBDA, Layout, MIRRORED, Search, Shape, Target, near};
use super::wavelet_transform::Edge;
use std::sync::Arc;

/// What differs between neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    shape: Shape,
    step: f64,
    lambda: f64,
}

/// Multiples of the step, and of what a bit is worth, to the next ones.
const STEPS: [f64; 2] = [0.8, 1.25];
const LAMBDAS: [f64; 2] = [0.72, 1.38];
/// What a slope may be, in multiples of all bytes.
const SLOPES: [f64; 2] = [0.5, 3.0];
/// What a bit may be worth, in squared steps.
const WORTHS: std::ops::Range<f64> = 0.04..0.3;

/// Kinds of neighbours.
pub const KINDS: usize = 6;

/// A chunk whose wavelets are compared.
pub struct Near<'a> {
    search: Search<'a>,
    target: Target,
}

/// What is known of a spot.
pub struct Known {
    spot: Spot,
    layout: Arc<Layout>,
    /// What was guessed of its coefficients, of the integers that they make, and what it costs.
    guess: f64,
    bits: f64,
    cost: f64,
}

/// Where another shape is guessed to take more than so many times the bits of the cheapest, it is not coded: where
/// coefficients are guessed, of many bytes and of few, and where they are quantised. Of next to none nothing can be guessed.
const GUESSED: [(f64, f64); 2] = [(8192.0, 1.08), (2048.0, 1.3)];
const QUANTISED: f64 = 1.06;

impl<'a> Near<'a> {
    /// None where there is nothing to transform.
    pub fn new(g: Geometry, values: &'a [f64], mask: Option<&'a [bool]>, target: Target) -> Option<Self> {
        Some(Near { search: Search::new(g, values, mask)?, target })
    }

    /// Where these parameters are.
    pub fn spot(p: &Parameters) -> Spot {
        Spot { shape: p.shape(), step: p.scalar, lambda: p.lambda }
    }

    /// Where a search begins that knows nothing: all axes as deep as they go.
    pub fn everywhere(&self) -> Spot {
        let step = match self.target {
            Target::MaxError(e) => 2.8 * e,
            Target::Rmse(e) => 3.5 * e,
        };
        Spot { shape: (self.search.g.n.map(depth), 0, MIRRORED), step, lambda: LAMBDA }
    }

    fn layout(&self, shape: Shape) -> Arc<Layout> {
        Arc::new(self.search.layout(shape))
    }

    /// What is spent there, of bytes and of the mean error, by `weigh`; infinite where that is not worth finding out, held
    /// against the cheapest that is known.
    pub fn cost(&self, spot: &Spot, best: Option<&Known>, weigh: impl Fn(f64, f64) -> f64) -> (f64, Option<Known>) {
        const HOPELESS: (f64, Option<Known>) = (f64::INFINITY, None);
        let layout = match best {
            Some(best) if best.spot.shape == spot.shape => best.layout.clone(),
            _ => self.layout(spot.shape),
        };
        let guess = guess(&self.search.g, &layout.bands, &layout.coef, spot.step);
        let alike = |best: &&Known| best.spot.step == spot.step && best.spot.lambda == spot.lambda;
        let limits = |best: &Known| {
            let guessed = GUESSED.iter().find(|g| best.cost > g.0)?;
            Some((guessed.1 * best.guess, QUANTISED * best.bits))
        };
        let limits = best.filter(alike).and_then(limits);
        let (guesses, bits) = limits.unwrap_or((f64::INFINITY, f64::INFINITY));
        if guess > guesses {
            return HOPELESS;
        }
        let Some((p, taken)) = self.quantised(spot, &layout).filter(|q| q.1 <= bits) else { return HOPELESS };
        let (bytes, rmse) = self.search.price(&p);
        let cost = weigh(bytes, rmse);
        (cost, Some(Known { spot: *spot, layout, guess, bits: taken, cost }))
    }

    /// Parameters and quantised coefficients, and about what these take in bits; none where they are too large.
    fn quantised(&self, spot: &Spot, l: &Layout) -> Option<(Parameters, f64)> {
        let mut p = self.search.parameters(l, spot.step, spot.lambda);
        if let Target::MaxError(e) = self.target {
            p.correction = storable(2.0 * near(e));
        }
        let q = self.search.quantise(l, &mut p);
        let (fits, bits) = (!q.overflow, q.bits);
        Search::keep(&mut p, q);
        fits.then_some((p, bits))
    }

    fn at(&self, spot: &Spot) -> Option<Parameters> {
        self.quantised(spot, &self.layout(spot.shape)).map(|q| q.0)
    }

    /// The same with the step that just reaches the target, where that is a root mean squared error; by a trellis where that
    /// takes less.
    pub fn fitted(&self, spot: &Spot) -> Option<Parameters> {
        let (l, s) = (self.layout(spot.shape), &self.search);
        let Target::Rmse(e) = self.target else {
            return self.quantised(spot, &l).map(|q| q.0);
        };
        let plain = s.for_rmse(&l, near(e), spot.step, spot.lambda)?;
        let woven = s.woven(&l, &plain, e, None);
        let smaller = woven.filter(|woven| s.price(woven).0 < s.price(&plain).0);
        Some(smaller.unwrap_or(plain))
    }

    /// Bytes that one more in the logarithm of the root of the mean squared error saves there.
    pub fn slope(&self, spot: &Spot) -> Option<f64> {
        let [(bytes, error), (more, less)] = [1.0, STEPS[0]].map(|m| {
            let p = self.at(&Spot { step: m * spot.step, ..*spot });
            p.map_or((f64::NAN, f64::NAN), |p| self.search.price(&p))
        });
        let slope = (more - bytes) / (error / less).ln();
        slope.is_finite().then(|| slope.clamp(SLOPES[0] * bytes, SLOPES[1] * bytes))
    }

    /// The neighbours of one kind: other axes, steps, what a bit is worth, another order, other depths, other edges: what
    /// promises most for a try first.
    pub fn neighbours(&self, kind: usize, spot: &Spot) -> Vec<Spot> {
        let (levels, first, edges) = spot.shape;
        let full = self.search.g.n.map(depth);
        let on: Vec<usize> = (0..4).filter(|&a| levels[a] > 0).collect();
        let most = levels.into_iter().max().unwrap_or(0);
        let mut shapes: Vec<Shape> = Vec::new();
        match kind {
            0 => {
                for a in (0..4).filter(|&a| full[a] > 0) {
                    let mut other = levels;
                    other[a] = if levels[a] > 0 { 0 } else { full[a].min(most) };
                    if other != [0; 4] {
                        shapes.push((other, first & !(8 >> a), edges));
                    }
                    if levels[a] == 0 {
                        shapes.push((other, first | 8 >> a, edges));
                    }
                }
            }
            3 if on.len() > 1 => shapes.extend(on.iter().map(|&a| (levels, first ^ 8 >> a, edges))),
            4 => {
                let capped = |k: u8| std::array::from_fn(|a| if levels[a] > 0 { full[a].min(k) } else { 0 });
                shapes.extend((most.saturating_sub(2).max(1)..=most + 2).map(|k| (capped(k), first, edges)));
            }
            5 => {
                for &a in &on {
                    for edge in [Edge::Mirrored, Edge::Periodic, Edge::Straight].into_iter().filter(|&e| e != edges[a])
                    {
                        let mut other = edges;
                        other[a] = edge;
                        shapes.push((levels, first, other));
                    }
                }
            }
            _ => {}
        }
        let mut spots: Vec<Spot> = shapes.into_iter().map(|shape| Spot { shape, ..*spot }).collect();
        match (kind, self.target) {
            (1, Target::MaxError(_)) => spots.extend(STEPS.map(|m| Spot { step: m * spot.step, ..*spot })),
            (2, _) => {
                let worths = LAMBDAS.map(|m| m * spot.lambda).into_iter().filter(|l| WORTHS.contains(l));
                spots.extend(worths.map(|lambda| Spot { lambda, ..*spot }));
            }
            _ => {}
        }
        spots
    }
}
