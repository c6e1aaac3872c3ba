//! What training steps are made of: windows of passes, chosen so that every field and bound counts alike.
use crate::{Error, field::TrainingField, latents::Whole};
use scicodec::learned::{CAUSAL, CHANNELS, PassSample, Predictor, Setting, samples};
use std::sync::Arc;

/// Schedules of steps over levels (SPEC §8.2), in sixteenths.
const SCHEDULES: [(u8, u8); 8] = [(16, 16), (18, 24), (20, 32), (24, 48), (24, 64), (28, 96), (32, 64), (32, 128)];
/// Finest levels whose predictions are corrected by fitted weights before the network speaks.
const FITTED: [u8; 4] = [0, 2, 4, 4];
/// Levels that are learned from, finest first.
const LEVELS: u32 = 5;
/// Fields with no passes worth learning from are passed over so often before it is an error.
const TRIES: u32 = 200;

/// Added to what a value of a pass costs without a network, in bits, before the loss is divided by it: passes that cost next to
/// nothing do not steer the training.
pub const LEAST_BITS: f32 = 0.05;

/// One pass of one encoding, and what it costs without a network.
pub struct Item {
    /// The pass.
    pub sample: PassSample,
    /// Bits per value when nothing is corrected and one scale serves the whole pass: the best such scale.
    pub plain_bits: f32,
    /// Values that count.
    pub values: usize,
}

/// All passes of one encoding of one crop at one bound.
pub struct Encoding {
    /// The passes.
    pub items: Vec<Item>,
    /// The crop, as latents are made from it.
    pub whole: Arc<Whole>,
}

impl Encoding {
    /// A pass drawn by its share of the bits.
    pub fn draw(&self, rng: &mut fastrand::Rng) -> &Item {
        let cost = |i: &Item| f64::from(i.plain_bits) * i.values as f64;
        let mut left = rng.f64() * self.items.iter().map(cost).sum::<f64>();
        for item in &self.items {
            left -= cost(item);
            if left <= 0.0 {
                return item;
            }
        }
        &self.items[self.items.len() - 1]
    }
}

/// Crops that are made into other fields before they are learned from, as a part of all.
const BENT: f64 = 0.3;

/// A random bound relative to the range: 0.16 to 1e-5, loose ones more often, where networks have more to say.
fn random_bound(rng: &mut fastrand::Rng) -> f64 {
    let exponent = if rng.u32(..4) < 3 { -0.8 - 2.7 * rng.f64() } else { -3.5 - 1.5 * rng.f64() };
    10f64.powf(exponent)
}

/// Encodes a random crop of one of `fields` (by number) at a random bound, or at `relative`. With a `sampler`, codes are
/// those that its corrections leave.
pub fn encode(
    fields: &[TrainingField],
    among: &[usize],
    points: usize,
    relative: Option<f64>,
    sampler: Option<&Predictor>,
    rng: &mut fastrand::Rng,
) -> Result<Encoding, Error> {
    for _ in 0..TRIES {
        let field = among[rng.usize(..among.len())];
        let mut crop = fields[field].crop(points, rng)?;
        // What a network is judged by are fields as they are.
        if relative.is_none() && rng.f64() < BENT {
            crop.bend(rng);
        }
        let relative = relative.unwrap_or_else(|| random_bound(rng));
        let (alpha, beta) = SCHEDULES[rng.usize(..SCHEDULES.len())];
        let bound = relative * crop.range();
        if bound.is_nan() || bound <= f64::MIN_POSITIVE {
            continue;
        }
        let fitted = FITTED[rng.usize(..FITTED.len())];
        let setting = Setting { bound, alpha, beta, reversed: rng.bool(), fitted, levels: LEVELS };
        let mask = (!crop.mask.is_empty()).then_some(crop.mask.as_slice());
        let step = 2.0 * bound;
        let mut whole = Whole::new(&crop.shape, &crop.values, mask, crop.range(), step);
        let items: Vec<Item> =
            samples(&crop.shape, &mut crop.values, mask, &setting, sampler).into_iter().filter_map(Item::new).collect();
        if items.iter().map(|i| f64::from(i.plain_bits) * i.values as f64).sum::<f64>() > 64.0 {
            whole.plain_bits = items.iter().map(Item::least_bits).sum();
            return Ok(Encoding { items, whole: Arc::new(whole) });
        }
    }
    Err(Error::InvalidArgument("the training fields are constant, or too small to learn from".into()))
}

impl Item {
    /// Bits of its values without a network, and a little more for each.
    fn least_bits(&self) -> f32 {
        (self.plain_bits + LEAST_BITS) * self.values as f32
    }

    /// `None` for a pass with next to nothing to code.
    pub fn new(sample: PassSample) -> Option<Item> {
        let values = sample.weight.iter().filter(|w| **w > 0.0).count();
        let plain_bits = plain_bits(&sample);
        (values >= 16 && plain_bits > 1e-4).then_some(Item { sample, plain_bits, values })
    }

    /// A random window of at most about `points` points, its values at cut edges without weight: they lack what the network
    /// would see beyond.
    pub fn window(&self, points: usize, rng: &mut fastrand::Rng) -> PassSample {
        const EDGE: usize = 1;
        let n = self.sample.shape;
        let mut extent = n;
        while extent.iter().product::<usize>() > points {
            let longest = (0..4).rev().max_by_key(|&a| extent[a]).unwrap_or(3);
            extent[longest] = extent[longest] * 7 / 8;
        }
        let start: [usize; 4] = std::array::from_fn(|a| rng.usize(0..=n[a] - extent[a]));
        let count = extent.iter().product();
        let mut w = PassSample {
            shape: extent,
            features: Vec::with_capacity(count * CHANNELS),
            causal: Vec::with_capacity(count * CAUSAL),
            condition: self.sample.condition,
            target: Vec::with_capacity(count),
            half: Vec::with_capacity(count),
            weight: Vec::with_capacity(count),
            place: Vec::with_capacity(count),
        };
        let inside = |a: usize, k: usize| {
            // Axis 0 is no axis of the network.
            a == 0 || (start[a] == 0 || k >= EDGE) && (start[a] + extent[a] == n[a] || k + EDGE < extent[a])
        };
        for b in 0..extent[0] {
            for y in 0..extent[1] {
                for x in 0..extent[2] {
                    let row = (((start[0] + b) * n[1] + start[1] + y) * n[2] + start[2] + x) * n[3] + start[3];
                    let of = row..row + extent[3];
                    w.features.extend_from_slice(&self.sample.features[of.start * CHANNELS..of.end * CHANNELS]);
                    w.causal.extend_from_slice(&self.sample.causal[of.start * CAUSAL..of.end * CAUSAL]);
                    w.target.extend_from_slice(&self.sample.target[of.clone()]);
                    w.half.extend_from_slice(&self.sample.half[of.clone()]);
                    w.place.extend_from_slice(&self.sample.place[of.clone()]);
                    let whole = inside(1, y) && inside(2, x);
                    let weights = self.sample.weight[of].iter().enumerate();
                    w.weight.extend(weights.map(|(k, v)| if whole && inside(3, k) { *v } else { 0.0 }));
                }
            }
        }
        w
    }
}

/// Bits per value of a pass when its values are taken for logistic, about the interpolation, all with the best one scale.
fn plain_bits(s: &PassSample) -> f32 {
    let count = s.weight.iter().filter(|w| **w > 0.0).count();
    let stride = (count / 2048).max(1);
    let known: Vec<(f32, f32)> = s
        .weight
        .iter()
        .zip(s.target.iter().zip(&s.half))
        .filter(|(w, _)| **w > 0.0)
        .map(|(_, (t, h))| (*t, *h))
        .step_by(stride)
        .collect();
    let cost = |s: f32| known.iter().map(|&(t, h)| logistic_bits(t, h, s.exp2())).sum::<f32>() / known.len() as f32;
    if known.is_empty() {
        return 0.0;
    }
    (-24..=8).map(|k| cost(k as f32 * 0.5)).fold(f32::INFINITY, f32::min)
}

/// Bits of a value `t` within ±`h`, of a logistic distribution about 0 of scale `b`; at most 30.
pub fn logistic_bits(t: f32, h: f32, b: f32) -> f32 {
    let (u, w) = (t.abs() / b, (h / b).max(1e-6));
    let softplus = |v: f32| v.max(0.0) + (-v.abs()).exp().ln_1p();
    let nats = softplus(u - w) + softplus(-u - w) - (-(-2.0 * w).exp_m1()).ln();
    (nats * std::f32::consts::LOG2_E).clamp(0.0, 30.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::tests::field;

    #[test]
    fn logistic_bits_are_those_of_the_mass_of_the_interval() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (t, h, b) in [(0.0, 0.5, 1.0), (1.3, 0.2, 0.4), (-3.0, 1.0, 0.7), (0.1, 0.001, 2.0)] {
            let mass = sigmoid((t + h) / b) - sigmoid((t - h) / b);
            let bits = logistic_bits(t as f32, h as f32, b as f32);
            assert!((f64::from(bits) + mass.log2()).abs() < 1e-2, "{t} {h} {b}: {bits} {}", -mass.log2());
        }
    }

    #[test]
    fn windows_keep_values_in_place_and_take_weight_from_cut_edges_only() {
        let fields = [field("a__b", &[40, 60], 3)];
        let mut rng = fastrand::Rng::with_seed(5);
        let e = encode(&fields, &[0], 2400, Some(1e-3), None, &mut rng).unwrap();
        let item = e.draw(&mut rng);
        let whole = item.window(usize::MAX, &mut rng);
        assert_eq!(whole.features, item.sample.features);
        assert_eq!(whole.causal, item.sample.causal);
        assert_eq!(whole.weight, item.sample.weight);
        let part = item.window(200, &mut rng);
        let n = part.shape.iter().product::<usize>();
        assert!(n <= 200 && part.features.len() == n * CHANNELS && part.target.len() == n);
        assert!(part.weight.contains(&0.0) && part.weight.contains(&1.0));
    }
}
