//! Where the bands of the wavelet transform lie, and in which order they are coded (SPEC §8.4.2).
use super::Geometry;
use super::wavelet_transform::{HIGH, LOW, extents, split};

/// One band: a box of coefficients.
#[derive(Clone, Debug)]
pub struct Band {
    /// Level, 1 the finest; the low band has the deepest level + 1.
    pub level: u8,
    /// Bit 3 - a tells that axis a holds high coefficients; 0 for the low band.
    pub orientation: u8,
    /// First element of the box.
    pub offset: usize,
    /// Extents of the box.
    pub n: [usize; 4],
    /// The step of the band is this times the step of the chunk.
    pub weight: f64,
    /// The band of the next coarser level with the same orientation, if there is one.
    pub parent: Option<Parent>,
    /// Every index along an axis stands for two to the power of this values.
    pub scale: [u32; 4],
    /// The first band of its group: those that lie in the same places.
    pub first: bool,
}

/// Where the parent of a coefficient is.
#[derive(Clone, Debug)]
pub struct Parent {
    /// First element of the parent's box.
    pub offset: usize,
    /// Extents of the parent's box.
    pub n: [usize; 4],
    /// An index of the child shifted right by this gives the parent's.
    pub shift: [u32; 4],
}

impl Band {
    /// The first elements of its rows along the last axis, in C order.
    pub fn rows(&self, g: &Geometry) -> impl Iterator<Item = usize> {
        let ([n0, n1, n2, _], offset, stride) = (self.n, self.offset, g.stride);
        let rows = (0..n0).flat_map(move |a| (0..n1).flat_map(move |b| (0..n2).map(move |y| [a, b, y])));
        rows.map(move |[a, b, y]| offset + a * stride[0] + b * stride[1] + y * stride[2])
    }
}

fn offset_of(g: &Geometry, low: [usize; 4], orientation: u8) -> usize {
    (0..4).map(|a| if orientation >> (3 - a) & 1 == 1 { low[a] * g.stride[a] } else { 0 }).sum()
}

fn weight_of(levels: [u8; 4], level: u8, orientation: u8) -> f64 {
    let mut w = 1.0;
    for a in 0..4 {
        let l = usize::from(level.min(levels[a]));
        if l > 0 {
            w *= if orientation >> (3 - a) & 1 == 1 { HIGH[l - 1] } else { LOW[l - 1] };
        }
    }
    w
}

/// What one axis holds at one scale, of those axes that go first: from where, how many, and of what kind.
#[derive(Clone, Copy)]
struct Stretch {
    start: usize,
    len: usize,
    weight: f64,
    scale: u8,
}

/// The stretches of an axis, coarse to fine.
fn stretches(n: usize, deep: u8) -> Vec<Stretch> {
    let mut all = Vec::new();
    let mut n = n;
    for l in 0..deep {
        let low = n.div_ceil(2);
        if n > low {
            all.push(Stretch { start: low, len: n - low, weight: HIGH[usize::from(l)], scale: l + 1 });
        }
        n = low;
    }
    let weight = if deep > 0 { LOW[usize::from(deep) - 1] } else { 1.0 };
    all.push(Stretch { start: 0, len: n, weight, scale: deep });
    all.reverse();
    all
}

/// One stretch of every axis that goes first, and the stretch before it.
#[derive(Clone, Default)]
struct Place(Vec<(usize, Stretch, Option<Stretch>)>);

impl Place {
    /// All combinations, the first axis slowest.
    fn all(g: &Geometry, levels: [u8; 4], first: u8) -> Vec<Place> {
        let mut places = vec![Place::default()];
        for axis in (0..4).filter(|&a| first >> (3 - a) & 1 == 1) {
            let all = stretches(g.n[axis], levels[axis]);
            places = places
                .iter()
                .flat_map(|p| {
                    all.iter().enumerate().map(|(k, s)| {
                        let mut p = p.clone();
                        // The lowest two are of one scale, but of different kinds.
                        let before = if k > 1 { Some(all[k - 1]) } else { None };
                        p.0.push((axis, *s, before));
                        p
                    })
                })
                .collect();
        }
        places
    }

    /// Restricts a band, and its parent, to this place.
    fn restrict(&self, g: &Geometry, mut band: Band) -> Band {
        for (axis, s, _) in &self.0 {
            band.offset += s.start * g.stride[*axis];
            band.n[*axis] = s.len;
            band.weight *= s.weight;
            band.scale[*axis] = u32::from(s.scale);
            if let Some(p) = &mut band.parent {
                p.offset += s.start * g.stride[*axis];
                p.n[*axis] = s.len;
            }
        }
        if band.parent.is_none()
            && let Some((axis, s, Some(before))) = self.0.iter().rev().find(|p| p.2.is_some())
        {
            // The same place in the next coarser stretch of the fastest axis that has one.
            let mut n = band.n;
            n[*axis] = before.len;
            let mut shift = [0; 4];
            shift[*axis] = u32::from(before.scale - s.scale);
            let offset = band.offset - s.start * g.stride[*axis] + before.start * g.stride[*axis];
            band.parent = Some(Parent { offset, n, shift });
        }
        band
    }
}

/// All bands in coding order: the low band, then level by level, in each the bands of fewest high axes first.
pub fn bands(g: &Geometry, levels: [u8; 4], first: u8) -> Vec<Band> {
    let places = Place::all(g, levels, first);
    let levels = split(levels, first);
    let deepest = levels.into_iter().max().unwrap_or(0);
    let mut all = Vec::new();
    for place in &places {
        let band = Band {
            level: deepest + 1,
            orientation: 0,
            offset: 0,
            n: extents(g, levels, deepest + 1),
            weight: weight_of(levels, deepest, 0),
            parent: None,
            first: true,
            scale: std::array::from_fn(|a| u32::from(levels[a])),
        };
        all.push(place.restrict(g, band));
    }
    let mut order: Vec<u8> = (1..16).collect();
    order.sort_by_key(|o| (o.count_ones(), *o));
    for level in (1..=deepest).rev() {
        let m = extents(g, levels, level);
        let low = extents(g, levels, level + 1);
        let lower = extents(g, levels, level + 2);
        let splits = |l: u8, a: usize| levels[a] >= l;
        for place in &places {
            let mut is_first = true;
            for &o in &order {
                let high = |a: usize| o >> (3 - a) & 1 == 1;
                if (0..4).any(|a| high(a) && (!splits(level, a) || m[a] < 2)) {
                    continue;
                }
                let n: [usize; 4] = std::array::from_fn(|a| if high(a) { m[a] - low[a] } else { low[a] });
                let po = (0..4).filter(|&a| splits(level + 1, a) && low[a] >= 2).fold(0, |k, a| k | (o & (8 >> a)));
                let parent = (po != 0).then(|| Parent {
                    offset: offset_of(g, lower, po),
                    n: std::array::from_fn(|a| if po >> (3 - a) & 1 == 1 { low[a] - lower[a] } else { lower[a] }),
                    shift: std::array::from_fn(|a| u32::from(splits(level + 1, a))),
                });
                let band = Band {
                    level,
                    orientation: o,
                    offset: offset_of(g, low, o),
                    n,
                    weight: weight_of(levels, level, o),
                    parent,
                    first: is_first,
                    scale: std::array::from_fn(|a| u32::from(levels[a].min(level))),
                };
                all.push(place.restrict(g, band));
                is_first = false;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_tile_the_chunk() {
        for shape in [vec![7, 9, 3, 16], vec![1, 1], vec![5], vec![20, 1, 2], vec![2, 33]] {
            let g = Geometry::new(&shape);
            for levels in [[0, 0, 0, 0], [1, 2, 3, 4], [0, 0, 5, 5], [5, 5, 5, 5]] {
                let mut seen = vec![0; g.len()];
                for b in (0..16).flat_map(|first| bands(&g, levels, first)) {
                    b.rows(&g).for_each(|i| seen[i..i + b.n[3]].iter_mut().for_each(|k| *k += 1));
                }
                assert!(seen.iter().all(|&k| k == 16), "{shape:?} {levels:?}");
            }
        }
    }
}
