//! What stands for a large chunk where choices are tried: boxes of it, or every so many of its values.
use crate::base::Geometry;
use crate::chunk::Effort;
use crate::prepare::Prepared;

/// Values up to which a chunk is small: it is tried whole, and its steps are fitted closely; and the values of the parts on which
/// choices are tried above that.
pub fn tried(effort: Effort, hinted: bool) -> (usize, usize) {
    match effort {
        Effort::Fast => (1 << 16, 1 << 14),
        Effort::Default => (1 << 16, 1 << 15),
        Effort::Max if hinted => (1 << 16, 1 << 15),
        Effort::Max => (1 << 19, 1 << 15),
    }
}

/// The liveliest of some boxes of up to `limit` values, whole along short axes; none where that is everything.
pub fn liveliest(x: &Prepared, limit: usize) -> Option<Prepared> {
    let all = boxes(x, limit)?;
    all.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|b| b.1)
}

/// The liveliest of some boxes, and the one that is most like all of them on average.
pub fn two(x: &Prepared, limit: usize) -> (Option<Prepared>, Option<Prepared>) {
    let Some(mut all) = boxes(x, limit) else { return (None, None) };
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mean = all.iter().map(|b| b.0).sum::<f64>() / all.len() as f64;
    let far = |b: &(f64, Prepared)| (b.0 / mean).ln().abs();
    let k = (1..all.len()).min_by(|&a, &b| far(&all[a]).total_cmp(&far(&all[b])));
    let second = k.map(|k| all.swap_remove(k).1);
    (all.into_iter().next().map(|b| b.1), second)
}

/// Some boxes of up to `limit` values, whole along short axes, and how lively they are; none where that is everything.
pub fn boxes(x: &Prepared, limit: usize) -> Option<Vec<(f64, Prepared)>> {
    let mut n = x.g.n;
    if x.g.len() <= limit {
        return None;
    }
    while n.iter().product::<usize>() > limit {
        let a = (0..4).max_by_key(|&a| n[a]).unwrap_or(3);
        n[a] = n[a].div_ceil(2);
    }
    let room: [usize; 4] = std::array::from_fn(|a| x.g.n[a] - n[a]);
    // The middle, and four places towards the corners.
    let starts = [[2, 2, 2, 2], [1, 1, 1, 1], [3, 3, 1, 3], [1, 3, 3, 1], [3, 1, 3, 3]];
    let parts = starts.map(|q| x.crop(std::array::from_fn(|a| room[a] * q[a] / 4), n));
    Some(parts.into_iter().map(|p| (roughness(&p), p)).collect())
}

/// How far values are apart, along each axis, of which a chunk has about `limit`.
pub fn every(g: &Geometry, limit: usize) -> [usize; 4] {
    let mut every = [1; 4];
    let left = |every: [usize; 4]| -> [usize; 4] { std::array::from_fn(|a| g.n[a].div_ceil(every[a])) };
    while left(every).iter().product::<usize>() > limit {
        let n = left(every);
        every[(0..4).max_by_key(|&a| n[a]).unwrap_or(3)] *= 2;
    }
    every
}

/// Sum of differences of neighbours in rows, over unmasked values.
pub fn roughness(x: &Prepared) -> f64 {
    let v = &x.numbers;
    let valid = |i: usize| !x.special.as_ref().is_some_and(|s| s[i]);
    (1..v.len()).filter(|&i| valid(i) && valid(i - 1)).map(|i| (v[i] - v[i - 1]).abs()).sum()
}
