//! How many bits a network saves on fields it has not learned from.
use crate::{
    Error,
    export::{CORRECTION_UNIT, Integers, SCALE_UNIT},
    field::TrainingField,
    item::{Encoding, Item, encode, logistic_bits},
    loss,
    network::Network,
    pool::generator,
    tensors::Inputs,
};
use burn::tensor::Device;
use scicodec::{
    learned::{CONDITIONS, Predictor},
    network::Scratch,
};

/// Bounds, relative to the range, at which networks are validated.
pub const BOUNDS: [f64; 4] = [1e-1, 1e-2, 1e-3, 1e-4];

/// Encodings of fields kept for validation, the same for every validation of a run.
pub struct Validation {
    encodings: Vec<Vec<Encoding>>,
}

/// Bits with the network, scales and corrections, as a part of those with plain interpolation and the best single scale in
/// every pass: geometric means over encodings, one for every bound of [`BOUNDS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// By bound.
    pub parts: [f64; BOUNDS.len()],
}

impl Score {
    /// Geometric mean over bounds.
    pub fn mean(&self) -> f64 {
        (self.parts.iter().map(|p| p.ln()).sum::<f64>() / self.parts.len() as f64).exp()
    }
}

impl Validation {
    /// Encodes `count` random crops of `points` points of the fields `among` at each bound.
    pub fn new(
        fields: &[TrainingField],
        among: &[usize],
        count: usize,
        points: usize,
        sampler: Option<&Predictor>,
        seed: u64,
    ) -> Result<Validation, Error> {
        let at = |(k, bound): (usize, &f64)| {
            (0..count)
                .map(|i| {
                    // In turn, so that all fields count alike.
                    let one = [among[i % among.len()]];
                    encode(fields, &one, points, Some(*bound), sampler, &mut generator(seed, 3 + k as u64, i as u64))
                })
                .collect()
        };
        Ok(Validation { encodings: BOUNDS.iter().enumerate().map(at).collect::<Result<_, Error>>()? })
    }

    /// What a network without gradients saves.
    pub fn score(&self, network: &Network, device: &Device) -> Score {
        let score = self.by(&mut |e| Ok(bits(e, network, device)));
        score.unwrap_or(Score { parts: [f64::NAN; BOUNDS.len()] })
    }

    /// What the integer networks save, run as in encoding but over whole passes.
    pub fn integer_score(&self, networks: &Integers) -> Result<Score, Error> {
        let mut scratch = Scratch::default();
        self.by(&mut |e| e.items.iter().map(|item| integer_bits(item, networks, &mut scratch)).sum())
    }

    /// What interpolation costs with one scale for every condition, the best one for all encodings: what a network that
    /// has learned nothing but that would score.
    pub fn untrained_score(&self) -> Score {
        let mut sums = vec![[0.0f64; SCALE_STEPS]; CONDITIONS];
        for item in self.encodings.iter().flatten().flat_map(|e| &e.items) {
            for (k, sum) in sums[item.sample.condition].iter_mut().enumerate() {
                *sum += plain_cost(item, k) / f64::from(item.plain_bits.max(0.02));
            }
        }
        let best: Vec<usize> =
            sums.iter().map(|s| (0..SCALE_STEPS).min_by(|a, b| s[*a].total_cmp(&s[*b])).unwrap_or(0)).collect();
        let cost = |item: &Item| plain_cost(item, best[item.sample.condition]);
        let score = self.by(&mut |e| Ok(e.items.iter().map(cost).sum()));
        score.unwrap_or(Score { parts: [f64::NAN; BOUNDS.len()] })
    }

    /// `bits` tells the bits of an encoding with a network.
    fn by(&self, bits: &mut dyn FnMut(&Encoding) -> Result<f64, Error>) -> Result<Score, Error> {
        let mut score = Score { parts: [0.0; BOUNDS.len()] };
        for (part, encodings) in score.parts.iter_mut().zip(&self.encodings) {
            let mut logs = 0.0;
            for e in encodings {
                let with: f64 = bits(e)?;
                let without: f64 = e.items.iter().map(|item| f64::from(item.plain_bits) * item.values as f64).sum();
                logs += (with.max(1.0) / without.max(1.0)).ln();
            }
            *part = (logs / encodings.len() as f64).exp();
        }
        Ok(score)
    }
}

/// Scales that are tried for all points of a condition: half octaves up to one local amplitude.
const SCALE_STEPS: usize = 24;

/// Bits of a pass without corrections and with one scale.
fn plain_cost(item: &Item, scale: usize) -> f64 {
    let b = (-0.5 * scale as f32).exp2();
    let s = &item.sample;
    let points = s.weight.iter().zip(s.target.iter().zip(&s.half)).filter(|(w, _)| **w > 0.0);
    points.map(|(_, (t, h))| f64::from(logistic_bits(*t, *h, b))).sum()
}

/// Bits of all passes, and of the latents where the network has some.
fn bits(e: &Encoding, network: &Network, device: &Device) -> f64 {
    let told = network.latents.as_ref().map(|l| l.encode(&e.whole, None, device));
    let mut sum = told.as_ref().map_or(0.0, |t| f64::from(t.bits.clone().into_scalar::<f32>()));
    for item in &e.items {
        let inputs = Inputs::new(&item.sample, device);
        let told = told.as_ref().map(|t| t.at(&e.whole, &item.sample.place, item.sample.shape[0], device));
        let guidance = network.forward(inputs.features, inputs.causal, item.sample.condition, told);
        let bits = loss::bits(guidance, inputs.target, inputs.half) * inputs.weight;
        sum += f64::from(bits.sum().into_scalar::<f32>());
    }
    sum
}

fn integer_bits(item: &Item, networks: &Integers, scratch: &mut Scratch) -> Result<f64, Error> {
    let s = &item.sample;
    let out = networks.run(s, scratch)?;
    let points = out.as_chunks::<2>().0.iter().zip(s.target.iter().zip(&s.half)).zip(&s.weight);
    let cost = points.filter(|(_, w)| **w > 0.0).map(|(([correction, scale], (target, half)), _)| {
        let correction = f32::from(*correction) / CORRECTION_UNIT as f32;
        let scale = (f32::from(*scale) / SCALE_UNIT as f32).clamp(loss::SCALES.0 as f32, loss::SCALES.1 as f32);
        f64::from(logistic_bits(target - correction, *half, scale.exp2()))
    });
    Ok(cost.sum())
}
