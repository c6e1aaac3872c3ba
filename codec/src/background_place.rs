//! Where in a background a chunk lies: where the variable's extents say so, else where it is most like it.
use crate::base::Geometry;
use crate::learned::Background;
use crate::prepare::Prepared;

/// Where a chunk lies in its variable, and the variable's extents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Origin {
    start: [usize; 4],
    whole: [usize; 4],
}

impl Origin {
    /// Of a chunk that starts here in a variable of this shape; none where axes had to be merged.
    pub fn new(start: &[u64], shape: &[u64]) -> Option<Origin> {
        let missing = 4usize.checked_sub(shape.len())?;
        let four =
            |v: &[u64], none: usize| std::array::from_fn(|a| a.checked_sub(missing).map_or(none, |a| v[a] as usize));
        Some(Origin { start: four(start, 0), whole: four(shape, 1) })
    }
}

/// Points of the coarsest lattice along an axis, at most, by the number of axes along which there is something to find.
const COARSE: [usize; 5] = [0, 64, 32, 12, 6];
/// Lattices of fewer points along an axis are not made coarser along it.
const FINE: usize = 8;
/// So many of the best places go on to the next finer lattice.
const KEPT: usize = 3;
/// One of so many points of a chunk, along each axis, must lie in a background.
const HELD: usize = 2;
/// Points held against others for the first places, at most: beyond that it would take too long to look everywhere.
const MOST_LOOKED_AT: usize = 1 << 30;

/// Where in a background a chunk's first point lies.
pub fn place(x: &Prepared, background: &Background) -> [i64; 4] {
    let n = background.geometry().n;
    let axes: Vec<usize> = (0..4).filter(|&a| n[a] > 1).collect();
    if let Some(o) = x.origin.filter(|o| axes.iter().all(|&a| o.whole[a] == n[a])) {
        return std::array::from_fn(|a| if n[a] > 1 { o.start[a] as i64 } else { 0 });
    }
    if axes.iter().all(|&a| x.g.n[a] == n[a]) {
        return [0; 4];
    }
    let flat: [usize; 4] = std::array::from_fn(|a| if n[a] > 1 { x.g.n[a] } else { 1 });
    let own = Lattice { n: flat, values: flattened(&x.numbers, &x.g, flat) };
    // Ever coarser ones, each with the axes along which it is.
    let mut levels = vec![(own, Lattice { n, values: background.values().to_vec() }, vec![])];
    while let Some((own, other, _)) = levels.last() {
        let long = |a: usize| own.n[a].max(other.n[a]) > COARSE[axes.len()] && own.n[a].min(other.n[a]) >= FINE;
        let halved: Vec<usize> = axes.iter().copied().filter(|&a| long(a)).collect();
        if halved.is_empty() {
            break;
        }
        levels.push((own.halved(&halved), other.halved(&halved), halved));
    }
    let mut best: Vec<[i64; 4]> = vec![];
    for (k, (own, other, _)) in levels.iter().enumerate().rev() {
        let among = match levels.get(k + 1) {
            None => everywhere(own, other),
            Some((_, _, halved)) => {
                let finer =
                    |at: &[i64; 4]| std::array::from_fn(|a| if halved.contains(&a) { 2 * at[a] } else { at[a] });
                let mut near: Vec<[i64; 4]> = best.iter().flat_map(|at| beside(finer(at), halved)).collect();
                near.sort_unstable();
                near.dedup();
                near
            }
        };
        let mut told: Vec<(f64, [i64; 4])> = among.into_iter().map(|at| (own.alike(other, at), at)).collect();
        told.sort_by(|a, b| b.0.total_cmp(&a.0));
        best = told.into_iter().take(KEPT).map(|t| t.1).collect();
    }
    best.first().copied().unwrap_or([0; 4])
}

/// Values on a lattice.
struct Lattice {
    n: [usize; 4],
    values: Vec<f64>,
}

impl Lattice {
    /// Means of pairs along these axes; a last one without another is left out.
    fn halved(&self, axes: &[usize]) -> Lattice {
        let n: [usize; 4] = std::array::from_fn(|a| if axes.contains(&a) { self.n[a] / 2 } else { self.n[a] });
        let mut sums = vec![0.0; n.iter().product()];
        let (from, to) = (Geometry::of(self.n), Geometry::of(n));
        for (i, v) in self.values.iter().enumerate() {
            let at: [usize; 4] =
                std::array::from_fn(|a| i / from.stride[a] % from.n[a] / if axes.contains(&a) { 2 } else { 1 });
            if (0..4).all(|a| at[a] < n[a]) {
                sums[(0..4).map(|a| at[a] * to.stride[a]).sum::<usize>()] += v;
            }
        }
        Lattice { n, values: sums }
    }

    /// How much of what these values vary another lattice explains, if the first of them lies at `at` in it: the squared
    /// correlation where both are, times the share of points where both are.
    fn alike(&self, other: &Lattice, at: [i64; 4]) -> f64 {
        let from: [i64; 4] = at.map(|i| (-i).max(0));
        let to: [i64; 4] = std::array::from_fn(|a| (other.n[a] as i64 - at[a]).min(self.n[a] as i64));
        if (0..4).any(|a| (to[a] - from[a]) * (HELD as i64) < self.n[a] as i64) {
            return f64::NEG_INFINITY;
        }
        let (own, beside) = (Geometry::of(self.n), Geometry::of(other.n));
        let run = (to[3] - from[3]) as usize;
        let [mut count, mut sx, mut sy, mut xx, mut yy, mut xy] = [0.0; 6];
        for a in from[0]..to[0] {
            for b in from[1]..to[1] {
                for y in from[2]..to[2] {
                    let first = [a, b, y, from[3]];
                    let offset = |g: &Geometry, at: [i64; 4]| {
                        (0..4).map(|k| (first[k] + at[k]) as usize * g.stride[k]).sum::<usize>()
                    };
                    let (i, j) = (offset(&own, [0; 4]), offset(&beside, at));
                    for (x, y) in self.values[i..i + run].iter().zip(&other.values[j..j + run]) {
                        sx += x;
                        sy += y;
                        xx += x * x;
                        yy += y * y;
                        xy += x * y;
                    }
                    count += run as f64;
                }
            }
        }
        let (cov, vx, vy) = (xy - sx * sy / count, xx - sx * sx / count, yy - sy * sy / count);
        let explained = if cov > 0.0 { cov * cov / (vx * vy) } else { 0.0 };
        if explained.is_finite() { explained * count / self.values.len() as f64 } else { 0.0 }
    }
}

/// Means over the axes along which a background does not change.
fn flattened(values: &[f64], g: &Geometry, n: [usize; 4]) -> Vec<f64> {
    let to = Geometry::of(n);
    let mut sums = vec![0.0; to.len()];
    for (i, v) in values.iter().enumerate() {
        let at = |a: usize| if n[a] > 1 { i / g.stride[a] % g.n[a] } else { 0 };
        sums[(0..4).map(|a| at(a) * to.stride[a]).sum::<usize>()] += v;
    }
    sums
}

/// All places where enough of one lattice lies in another; the first one alone where they are too many.
fn everywhere(own: &Lattice, other: &Lattice) -> Vec<[i64; 4]> {
    let range = |a: usize| {
        let out = (own.n[a] - own.n[a].div_ceil(HELD)) as i64;
        if other.n[a] > 1 { -out..other.n[a] as i64 - own.n[a] as i64 + out + 1 } else { 0..1 }
    };
    let places = (0..4).map(|a| range(a).count()).try_fold(own.values.len(), usize::checked_mul);
    if places.is_none_or(|looked_at| looked_at > MOST_LOOKED_AT) {
        return vec![[0; 4]];
    }
    let mut all = vec![];
    for a in range(0) {
        for b in range(1) {
            for y in range(2) {
                all.extend(range(3).map(|x| [a, b, y, x]));
            }
        }
    }
    all
}

/// This place and those around it.
fn beside(at: [i64; 4], axes: &[usize]) -> Vec<[i64; 4]> {
    let mut all = vec![at];
    for &a in axes {
        let more: Vec<[i64; 4]> = all
            .iter()
            .flat_map(|at| {
                [-1, 1].map(|d| {
                    let mut at = *at;
                    at[a] += d;
                    at
                })
            })
            .collect();
        all.extend(more);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{ChunkBound, ChunkRequest, Effort};
    use crate::learned::CodedBackground;
    use crate::options::ModelChoice;
    use scicodec_format::DType;

    fn ground(y: i64, x: i64) -> f32 {
        let (y, x) = (y as f32, x as f32);
        // Waves that are ever shorter: no place is like another.
        (y * y / 400.0 + x / 11.0).sin() + (x * x / 700.0 - y / 9.0).cos()
    }

    fn field(from: [i64; 2], n: [i64; 2]) -> Vec<f32> {
        (0..n[0] * n[1]).map(|i| ground(from[0] + i / n[1], from[1] + i % n[1])).collect()
    }

    #[test]
    fn a_few_levels_of_a_large_field_are_looked_for_no_longer_than_they_are_worth() {
        // Three levels that nothing makes coarser, of a grid that a chunk is a small part of.
        let level = |z: i64| field([100 * z, 0], [120, 600]);
        let values: Vec<f32> = (0..3).flat_map(level).collect();
        let coded = CodedBackground::new(&[3, 120, 600], &values, 1e-2).unwrap();
        let backgrounds = crate::learned::read_backgrounds(&crate::learned::write_backgrounds(&[coded])).unwrap();
        let data: Vec<u8> =
            (0..3).flat_map(|z| field([100 * z + 40, 300], [24, 90])).flat_map(f32::to_ne_bytes).collect();
        let (bound, fill, effort, model) = (ChunkBound::Abs(0.01), None, Effort::Default, ModelChoice::None);
        let shape = [3, 24, 90];
        let req = ChunkRequest { dtype: DType::F32, shape: &shape, data: &data, bound, fill, effort, model };
        // Along the last axis its waves are shorter than what is left of them on coarse lattices.
        assert_eq!(place(&Prepared::new(&req).unwrap(), &backgrounds[0])[..3], [0, 0, 40]);
    }

    #[test]
    fn a_chunk_is_found_in_its_background_wherever_it_lies() {
        let coded = CodedBackground::new(&[90, 120], &field([0, 0], [90, 120]), 1e-3).unwrap();
        let backgrounds = crate::learned::read_backgrounds(&crate::learned::write_backgrounds(&[coded])).unwrap();
        // The last one is not within it: a place that holds one row more may be as good.
        let within =
            [([20, 33], [40, 50], 0), ([0, 70], [90, 50], 0), ([31, 1], [17, 100], 0), ([60, -9], [40, 60], 1)];
        for (from, n, off) in within {
            // Three steps along an axis that the background has not.
            let values = field(from, n);
            let data: Vec<u8> =
                [&values[..], &values[..], &values[..]].concat().iter().flat_map(|v| v.to_ne_bytes()).collect();
            let shape = [3, n[0] as usize, n[1] as usize];
            let (bound, fill, effort, model) = (ChunkBound::Abs(0.01), None, Effort::Default, ModelChoice::None);
            let req = ChunkRequest { dtype: DType::F32, shape: &shape, data: &data, bound, fill, effort, model };
            let mut x = Prepared::new(&req).unwrap();
            let at = place(&x, &backgrounds[0]);
            let exact = [0, 0, from[0], from[1]];
            assert!(at.iter().zip(exact).all(|(a, b)| (a - b).abs() <= off), "{at:?} {exact:?}");
            // What is known needs no search.
            x.origin = Origin::new(&[5, 2, 3], &[9, 90, 120]);
            assert_eq!(place(&x, &backgrounds[0]), [0, 0, 2, 3]);
        }
    }
}
