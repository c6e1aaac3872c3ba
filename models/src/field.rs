//! Training fields and the random crops that are taken from them.
use crate::Error;
use scicodec::{Source, numbers};
use std::sync::Arc;

/// A field to learn from.
#[derive(Clone)]
pub struct TrainingField {
    /// Its name. What stands before the first `__` names its family: families are held out as a whole.
    pub name: String,
    /// Its elements, of any shape.
    pub source: Arc<dyn Source + Send>,
}

/// Part of a field as numbers, and where it holds none (NaN, ±Inf). The shape is slowest axis first, of one to four axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// Extents.
    pub shape: Vec<usize>,
    /// Numbers in C order; 0 where there is none.
    pub values: Vec<f64>,
    /// Where there is no number; empty where there is one everywhere.
    pub mask: Vec<bool>,
}

impl TrainingField {
    /// The family of the field.
    pub fn family(&self) -> &str {
        self.name.split("__").next().unwrap_or_default()
    }

    /// A random crop of about `points` points: short axes whole, now and then only every second or third point, axes in
    /// any order and direction, the values with either sign.
    pub fn crop(&self, points: usize, rng: &mut fastrand::Rng) -> Result<Crop, Error> {
        let whole: Vec<usize> = self.source.shape().iter().map(|&n| n as usize).collect();
        let stride = if rng.u32(..10) < 7 { 1 } else { rng.usize(2..4) };
        let strides: Vec<usize> = whole.iter().map(|&n| if n >= 48 { stride } else { 1 }).collect();
        let mut extent: Vec<usize> = whole.iter().zip(&strides).map(|(n, s)| n.div_ceil(*s)).collect();
        while extent.iter().product::<usize>() > points {
            // The longest axis gives way, in a random measure: crops are of many proportions.
            let Some(longest) = (0..extent.len()).max_by_key(|&a| extent[a]) else { break };
            extent[longest] = (extent[longest] as f64 * (0.6 + 0.38 * rng.f64())) as usize;
        }
        let mut start = vec![0u64; whole.len()];
        let mut size = vec![0u64; whole.len()];
        for a in 0..whole.len() {
            let covered = (extent[a].max(1) - 1) * strides[a] + 1;
            size[a] = covered.min(whole[a]) as u64;
            start[a] = rng.u64(0..=whole[a] as u64 - size[a]);
        }
        let dtype = self.source.dtype();
        let mut bytes = vec![0u8; size.iter().product::<u64>() as usize * dtype.size()];
        self.source.read(&start, &size, &mut bytes)?;
        let size: Vec<usize> = size.iter().map(|&n| n as usize).collect();
        Ok(rearranged(&numbers(dtype, &bytes), &size, &strides, rng))
    }
}

/// Every `strides`-th point of a box, its axes in random order and direction.
fn rearranged(values: &[f64], size: &[usize], strides: &[usize], rng: &mut fastrand::Rng) -> Crop {
    let mut step = vec![1usize; size.len()];
    for a in (1..size.len()).rev() {
        step[a - 1] = step[a] * size[a];
    }
    // Axes as extent and signed step, those of one point left out, the slowest ones merged where there are more than four.
    let mut first = 0isize;
    let mut axes: Vec<(usize, isize)> = Vec::new();
    for a in 0..size.len() {
        let (n, s) = (size[a].div_ceil(strides[a]), (step[a] * strides[a]) as isize);
        if n == 1 {
            continue;
        }
        let flip = rng.bool();
        first += if flip { (n as isize - 1) * s } else { 0 };
        axes.push((n, if flip { -s } else { s }));
    }
    if rng.bool() {
        rng.shuffle(&mut axes);
    }
    let sign = if rng.bool() { 1.0 } else { -1.0 };
    let mut out = Vec::with_capacity(axes.iter().map(|a| a.0).product());
    walk(&axes, first, &mut |i| out.push(sign * values[i as usize]));
    let mut shape: Vec<usize> = axes.iter().map(|a| a.0).collect();
    while shape.len() > 4 {
        let n = shape.remove(0);
        shape[0] *= n;
    }
    if shape.is_empty() {
        shape.push(1);
    }
    let mask: Vec<bool> = out.iter().map(|v| !v.is_finite()).collect();
    let masked = mask.contains(&true);
    for (v, m) in out.iter_mut().zip(&mask) {
        if *m {
            *v = 0.0;
        }
    }
    Crop { shape, values: out, mask: if masked { mask } else { Vec::new() } }
}

fn walk(axes: &[(usize, isize)], at: isize, f: &mut impl FnMut(isize)) {
    match axes.split_first() {
        None => f(at),
        Some((&(n, step), rest)) => (0..n as isize).for_each(|k| walk(rest, at + k * step, f)),
    }
}

impl Crop {
    /// Largest less smallest number; 0 where there is none.
    pub fn range(&self) -> f64 {
        let known = self.values.iter().enumerate().filter(|(i, _)| self.mask.is_empty() || !self.mask[*i]);
        let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (_, v)| (l.min(*v), h.max(*v)));
        if high > low { high - low } else { 0.0 }
    }

    /// Makes another field of it: through a random curve (as those that make densities of logarithms, fronts of waves, kinks
    /// of zeros), or with noise. There are more kinds of fields than there are to learn from.
    pub fn bend(&mut self, rng: &mut fastrand::Rng) {
        let counts: Vec<bool> = (0..self.values.len()).map(|i| self.mask.is_empty() || !self.mask[i]).collect();
        let mean_of = |f: &dyn Fn(f64) -> f64| {
            let (mut sum, mut count) = (0.0, 0.0);
            for (v, _) in self.values.iter().zip(&counts).filter(|(_, c)| **c) {
                sum += f(*v);
                count += 1.0;
            }
            sum / f64::max(count, 1.0)
        };
        let mean = mean_of(&|v| v);
        let deviation = mean_of(&|v| (v - mean) * (v - mean)).sqrt();
        if !(deviation > 0.0 && deviation.is_finite()) {
            return;
        }
        let strength = 0.3 * 10f64.powf(rng.f64());
        let about = rng.f64() - 0.5;
        let noise = 10f64.powf(-4.0 + 3.0 * rng.f64());
        let kind = rng.u32(..5);
        for (v, _) in self.values.iter_mut().zip(&counts).filter(|(_, c)| **c) {
            let z = (*v - mean) / deviation;
            *v = match kind {
                0 => (strength.min(1.5) * z.clamp(-12.0, 12.0)).exp(),
                1 => (strength * (z - about)).tanh(),
                2 => z * z.abs().powf(strength.min(1.5)),
                3 => (z - about).abs(),
                // A sum of uniform numbers is near enough to a normal one.
                _ => z + noise * (0..4).map(|_| 2.0 * rng.f64() - 1.0).sum::<f64>(),
            };
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use scicodec::DType;

    /// A smooth field of this shape with some noise, as a source.
    pub(crate) fn field(name: &str, shape: &[u64], seed: u64) -> TrainingField {
        struct Owned(Vec<u64>, Vec<u8>);
        impl Source for Owned {
            fn dtype(&self) -> DType {
                DType::F32
            }
            fn shape(&self) -> &[u64] {
                &self.0
            }
            fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
                scicodec::SliceSource::new(DType::F32, &self.0, &self.1)?.read(start, extent, out)
            }
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        let fast = *shape.last().unwrap();
        let (a, b) = (rng.f64() * 0.2 + 0.1, rng.f64() * 0.3 + 0.1);
        let bytes = (0..shape.iter().product::<u64>())
            .flat_map(|i| {
                let (x, y) = ((i % fast) as f64, (i / fast) as f64);
                let v = (a * x + 0.1 * y).sin() + (b * y - 0.05 * x).cos() + 0.02 * rng.f64();
                (v as f32).to_ne_bytes()
            })
            .collect();
        TrainingField { name: name.into(), source: Arc::new(Owned(shape.to_vec(), bytes)) }
    }

    #[test]
    fn crops_have_about_the_size_asked_for_and_only_values_of_the_field() {
        let f = field("a__b", &[30, 100, 120], 1);
        let mut bytes = vec![0; 30 * 100 * 120 * 4];
        f.source.read(&[0; 3], &[30, 100, 120], &mut bytes).unwrap();
        let all: std::collections::HashSet<u64> =
            numbers(DType::F32, &bytes).iter().flat_map(|v| [v.to_bits(), (-v).to_bits()]).collect();
        for seed in 0..20 {
            let c = f.crop(5000, &mut fastrand::Rng::with_seed(seed)).unwrap();
            assert_eq!(c.shape.iter().product::<usize>(), c.values.len());
            assert!((500..=5000).contains(&c.values.len()), "{:?}", c.shape);
            assert!(c.values.iter().all(|v| all.contains(&v.to_bits())));
            assert_eq!(c, f.crop(5000, &mut fastrand::Rng::with_seed(seed)).unwrap(), "same seed, same crop");
        }
    }

    #[test]
    fn bent_crops_are_other_fields_without_a_hole() {
        let f = field("a__b", &[30, 40], 1);
        for seed in 0..40 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut crop = f.crop(900, &mut rng).unwrap();
            crop.mask = (0..crop.values.len()).map(|i| i % 7 == 0).collect();
            let before = crop.clone();
            crop.bend(&mut rng);
            assert_eq!((&crop.shape, &crop.mask), (&before.shape, &before.mask));
            assert!(crop.range() > 0.0 && crop.range().is_finite());
            for (i, (a, b)) in crop.values.iter().zip(&before.values).enumerate() {
                assert!(a.is_finite() && (!crop.mask[i] || a == b), "{i}: {b} -> {a}");
            }
            assert_ne!(crop.values, before.values);
        }
    }
}
