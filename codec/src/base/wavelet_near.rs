//! Wavelets next to one that is known, for a search by true coded size.
use super::Geometry;
use super::wavelet::{Parameters, depth, storable};
use super::wavelet_search::{LAMBDA, Layout, MIRRORED, Search, Shape, Target};
use super::wavelet_transform::Edge;
use std::cell::RefCell;
use std::rc::Rc;

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
/// What a bit may be worth, in squared steps.
const WORTHS: std::ops::Range<f64> = 0.04..0.3;

/// Kinds of neighbours.
pub const KINDS: usize = 6;

/// A chunk whose wavelets are compared.
pub struct Near<'a> {
    search: Search<'a>,
    target: Target,
    /// The last one: neighbours often differ in steps alone.
    layout: RefCell<Option<(Shape, Rc<Layout>)>>,
}

impl<'a> Near<'a> {
    /// None where there is nothing to transform.
    pub fn new(g: Geometry, values: &'a [f64], mask: Option<&'a [bool]>, target: Target) -> Option<Self> {
        Some(Near { search: Search::new(g, values, mask)?, target, layout: RefCell::default() })
    }

    /// Where these parameters are.
    pub fn spot(p: &Parameters) -> Spot {
        Spot { shape: (p.levels, p.first, p.edges), step: p.step, lambda: p.lambda }
    }

    /// Where a search begins that knows nothing: all axes as deep as they go.
    pub fn everywhere(&self) -> Spot {
        let step = match self.target {
            Target::MaxError(e) => 2.8 * e,
            Target::Rmse(e) => 3.5 * e,
        };
        Spot { shape: (self.search.g.n.map(depth), 0, MIRRORED), step, lambda: LAMBDA }
    }

    fn layout(&self, shape: Shape) -> Rc<Layout> {
        let last = self.layout.take().filter(|last| last.0 == shape);
        let last = last.unwrap_or_else(|| (shape, Rc::new(self.search.layout(shape))));
        let layout = last.1.clone();
        self.layout.replace(Some(last));
        layout
    }

    /// Parameters and quantised coefficients there; none where these are too large.
    pub fn at(&self, spot: &Spot) -> Option<Parameters> {
        let l = self.layout(spot.shape);
        let mut p = self.search.parameters(&l, spot.step, spot.lambda);
        if let Target::MaxError(e) = self.target {
            p.correction = storable(2.0 * e * (1.0 - 1e-9));
        }
        let q = self.search.quantise(&l, &mut p);
        let fits = !q.overflow;
        Search::keep(&mut p, q);
        fits.then_some(p)
    }

    /// The same with the step that just reaches the target, where that is a root mean squared error.
    pub fn fitted(&self, spot: &Spot) -> Option<Parameters> {
        match self.target {
            Target::MaxError(_) => self.at(spot),
            Target::Rmse(e) => {
                let l = self.layout(spot.shape);
                self.search.for_rmse(&l, e * (1.0 - 1e-9), spot.step, spot.lambda)
            }
        }
    }

    /// The neighbours of one kind: other axes, another order, other edges, other depths, steps, and what a bit is worth.
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
            1 if on.len() > 1 => shapes.extend(on.iter().map(|&a| (levels, first ^ 8 >> a, edges))),
            2 => {
                for &a in &on {
                    for edge in [Edge::Mirrored, Edge::Periodic, Edge::Straight].into_iter().filter(|&e| e != edges[a])
                    {
                        let mut other = edges;
                        other[a] = edge;
                        shapes.push((levels, first, other));
                    }
                }
            }
            3 => {
                let capped = |k: u8| std::array::from_fn(|a| if levels[a] > 0 { full[a].min(k) } else { 0 });
                shapes.extend((most.saturating_sub(2).max(1)..=most + 2).map(|k| (capped(k), first, edges)));
            }
            _ => {}
        }
        let mut spots: Vec<Spot> = shapes.into_iter().map(|shape| Spot { shape, ..*spot }).collect();
        match (kind, self.target) {
            (4, Target::MaxError(_)) => spots.extend(STEPS.map(|m| Spot { step: m * spot.step, ..*spot })),
            (5, _) => {
                let worths = LAMBDAS.map(|m| m * spot.lambda).into_iter().filter(|l| WORTHS.contains(l));
                spots.extend(worths.map(|lambda| Spot { lambda, ..*spot }));
            }
            _ => {}
        }
        spots
    }
}
