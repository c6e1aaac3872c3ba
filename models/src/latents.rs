//! Latents in training: from a whole crop to what latents say of the points of a window, and the bits that they take.
//!
//! Quantisation is rounding whose gradient passes; where bits are counted, uniform noise of the same width stands for it.
use crate::{
    loss,
    network::{ACTIVATION_LIMIT, Guidance, Spatial, uniform},
};
use burn::{
    module::{Module, Param},
    tensor::{Device, Int, Tensor, TensorData, activation::relu, module::conv3d, ops::ConvOptions},
};
use scicodec::learned::{INPUTS, LatentLattice, UNIT, gain_of, latent_inputs};
use serde::{Deserialize, Serialize};

/// Gains: one for each two octaves of range ÷ step.
pub const GAINS: usize = 8;
/// log2 of what one of a latent is worth at first.
const FIRST_WORTH: f32 = -1.0;
/// Channels that hyper-latents say of a latent's point.
pub const SAID: usize = 8;
/// What networks are given, and say of features, lies within ± this.
const SEEN_LIMIT: f64 = 1023.0 / UNIT;
/// log2 of the least scale that tables have, and octaves from the least to the greatest.
pub const LEAST_SCALE: f64 = -4.0;
/// See [`LEAST_SCALE`].
pub const SCALE_OCTAVES: f64 = 7.75;

/// The shape of the networks of latents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatentConfig {
    /// Channels of latents.
    pub channels: usize,
    /// Channels of hyper-latents; 0 for none.
    pub hyper: usize,
    /// Whether odd points of the lattice are coded with the even ones known.
    pub context: bool,
    /// Channels that the guiding network sees.
    pub features: usize,
    /// Channels between layers.
    pub width: usize,
    /// Which axes the convolutions of the analysis cover.
    pub spatial: Spatial,
    /// Steps until bits of latents count in full.
    pub ramp_steps: u64,
}

impl Default for LatentConfig {
    fn default() -> Self {
        LatentConfig {
            channels: 4,
            hyper: 2,
            context: true,
            features: 8,
            width: 16,
            spatial: Spatial::Alternating,
            ramp_steps: 300,
        }
    }
}

/// What latents are made from: a whole crop.
pub struct Whole {
    lattice: LatentLattice,
    inputs: Vec<i16>,
    /// Number of the gain.
    pub gain: usize,
    /// What all passes cost without a network, in bits.
    pub plain_bits: f32,
}

impl Whole {
    /// Of a crop that is encoded with this step.
    pub fn new(shape: &[usize], values: &[f64], mask: Option<&[bool]>, range: f64, step: f64) -> Whole {
        let inputs = latent_inputs(shape, values, mask, step);
        Whole { lattice: LatentLattice::new(shape), inputs, gain: gain_of(range, step, GAINS), plain_bits: 0.0 }
    }
}

/// A convolution, its padding half the kernel.
#[derive(Module, Debug)]
pub struct Layer {
    /// `[out, in · taps]`, taps in C order.
    pub weight: Param<Tensor<2>>,
    /// `[conditions, out]`
    pub bias: Param<Tensor<2>>,
    /// Extents of the kernel and strides, along z, y and x.
    #[module(skip)]
    pub kernel: [usize; 3],
    /// See `kernel`.
    #[module(skip)]
    pub stride: [usize; 3],
}

impl Layer {
    fn new(
        [from, to, conditions]: [usize; 3],
        kernel: [usize; 3],
        stride: [usize; 3],
        size: f64,
        rng: &mut fastrand::Rng,
        device: &Device,
    ) -> Layer {
        let taps = from * kernel.iter().product::<usize>();
        let weight = uniform([to, taps], size * (6.0 / taps as f64).sqrt(), rng, device);
        Layer { weight, bias: uniform([conditions, to], 0.05, rng, device), kernel, stride }
    }

    fn forward(&self, x: Tensor<5>, condition: usize) -> Tensor<5> {
        let ([to, _], [kz, ky, kx]) = (self.weight.dims(), self.kernel);
        let from = x.dims()[1];
        let w = self.weight.val().reshape([to, from, kz, ky, kx]);
        let b = self.bias.val().slice_dim(0, condition..condition + 1).reshape([to]);
        conv3d(x, w, Some(b), ConvOptions::new(self.stride, self.kernel.map(|k| k / 2), [1, 1, 1], 1))
    }
}

/// The networks.
#[derive(Module, Debug)]
pub struct LatentNetwork {
    /// From a crop to latents.
    pub analysis: Vec<Layer>,
    /// From latents to hyper-latents; empty without these.
    pub hyper_analysis: Vec<Layer>,
    /// From hyper-latents to what they say of latents.
    pub hyper: Vec<Layer>,
    /// From that and known latents to mean and scale.
    pub entropy: Vec<Layer>,
    /// From latents to what the guiding network sees.
    pub features: Vec<Layer>,
    /// `[width of the guiding network, features]`: how it sees them. Zero at first.
    pub told: Param<Tensor<2>>,
    /// `[GAINS, channels]`: log2 of what one of a latent is worth.
    pub worth: Param<Tensor<2>>,
    /// `[GAINS, hyper]`: means of hyper-latents, and log2 of their scales.
    pub prior_mean: Param<Tensor<2>>,
    /// See `prior_mean`.
    pub prior_scale: Param<Tensor<2>>,
    /// Turns in which latents are coded.
    #[module(skip)]
    pub turns: usize,
}

/// Latents of a crop.
pub struct Told {
    /// `[features, places of the lattice]`
    features: Tensor<2>,
    /// What latents and hyper-latents take, in bits.
    pub bits: Tensor<1>,
}

impl LatentNetwork {
    /// New networks for a guiding one of this width.
    pub fn new(config: &LatentConfig, guide: usize, rng: &mut fastrand::Rng, device: &Device) -> LatentNetwork {
        let (c, h, w) = (config.channels, config.hyper, config.width);
        let deep = |k: usize| match config.spatial {
            Spatial::Planes => 1,
            Spatial::Volumes => 3,
            Spatial::Alternating => 1 + 2 * (k % 2),
        };
        let mut layer = |sizes: [usize; 3], depth: usize, stride: [usize; 3], size: f64| {
            Layer::new(sizes, [depth, 3, 3], stride, size, rng, device)
        };
        let analysis = vec![
            layer([INPUTS, w / 2, GAINS], deep(0), [1, 2, 2], 1.0),
            layer([w / 2, w, 1], deep(1), [2, 2, 2], 1.0),
            layer([w, w, 1], deep(2), [1, 2, 2], 1.0),
            layer([w, c, 1], deep(3), [2, 1, 1], 1.0),
        ];
        let with = h > 0;
        let both = |layers: [Layer; 2]| if with { layers.into_iter().collect() } else { vec![] };
        let hyper_analysis = both([layer([c, w, 1], 1, [1, 2, 2], 1.0), layer([w, h.max(1), 1], 1, [1; 3], 1.0)]);
        let hyper = both([layer([h.max(1), w, 1], 1, [1; 3], 1.0), layer([w, 4 * SAID, 1], 1, [1; 3], 0.5)]);
        let said = if with { SAID } else { 0 };
        let turns = 1 + usize::from(config.context);
        let entropy = vec![layer([said + c, w, GAINS * turns], 1, [1; 3], 1.0), layer([w, 2 * c, 1], 1, [1; 3], 0.2)];
        let features =
            vec![layer([c, w, GAINS], deep(0), [1; 3], 1.0), layer([w, config.features, 1], deep(1), [1; 3], 1.0)];
        LatentNetwork {
            analysis,
            hyper_analysis,
            hyper,
            entropy,
            features,
            told: uniform([guide, config.features], 0.0, rng, device),
            worth: Param::from_data(TensorData::new(vec![FIRST_WORTH; GAINS * c], [GAINS, c]), device),
            prior_mean: uniform([GAINS, h.max(1)], 0.0, rng, device),
            prior_scale: uniform([GAINS, h.max(1)], 0.1, rng, device),
            turns,
        }
    }

    /// Latents of a crop: their features and their bits. `noise` gives numbers from 0 to 1; without it latents are integers.
    pub fn encode(&self, whole: &Whole, noise: Option<&mut fastrand::Rng>, device: &Device) -> Told {
        let gain = whole.gain;
        let mut noise = noise;
        let mut x = channels_first(&whole.inputs, whole.lattice.chunk, INPUTS, device);
        for (k, layer) in self.analysis.iter().enumerate() {
            x = layer.forward(x, if k == 0 { gain } else { 0 });
            x = limited(if k < 3 { relu(x) } else { x }, ACTIVATION_LIMIT);
        }
        let [b, c, z, y, w] = x.dims();
        let worth = self.worth.val().slice_dim(0, gain..gain + 1).reshape([1, c, 1, 1, 1]);
        let worth = worth.mul_scalar(std::f64::consts::LN_2).exp();
        let latents = x / worth.clone();
        let whole_latents = rounded(latents.clone());
        let seen = limited(whole_latents.clone() * worth, SEEN_LIMIT);
        let counted = perturbed(latents, &whole_latents, &mut noise, device);
        let mut bits: Option<Tensor<1>> = None;
        let mut inputs = vec![];
        if let ([first, second], [up, out]) = (&self.hyper_analysis[..], &self.hyper[..]) {
            let h = limited(relu(first.forward(seen.clone(), 0)), ACTIVATION_LIMIT);
            let h = limited(second.forward(h, 0), ACTIVATION_LIMIT);
            let whole_hyper = rounded(h.clone());
            let counted = perturbed(h, &whole_hyper, &mut noise, device);
            let dims = counted.dims();
            let of =
                |p: &Param<Tensor<2>>| p.val().slice_dim(0, gain..gain + 1).reshape([1, dims[1], 1, 1, 1]).expand(dims);
            bits = Some(interval_bits(of(&self.prior_mean), of(&self.prior_scale), counted));
            let said = limited(relu(up.forward(whole_hyper.mul_scalar(0.5), 0)), ACTIVATION_LIMIT);
            let said = limited(out.forward(said, 0), SEEN_LIMIT);
            inputs.push(shuffled(said).slice([0..b, 0..SAID, 0..z, 0..y, 0..w]));
        }
        let even = checkerboard([b, z, y, w], device);
        let mut guessed: Option<Tensor<5>> = None;
        for turn in 0..self.turns {
            let known = if turn == 0 { seen.zeros_like() } else { seen.clone() * even.clone() };
            let mut all = inputs.clone();
            all.push(known);
            let t = self.entropy[0].forward(Tensor::cat(all, 1), gain * self.turns + turn);
            let out = self.entropy[1].forward(limited(relu(t), ACTIVATION_LIMIT), 0);
            guessed = Some(match guessed {
                None => out,
                Some(first) => first * even.clone() + out * (even.clone().neg().add_scalar(1.0)),
            });
        }
        if let Some(g) = guessed {
            let mean = g.clone().slice([0..b, 0..c]);
            let taken = interval_bits(mean, g.slice([0..b, c..2 * c]), counted);
            bits = Some(bits.map_or(taken.clone(), |h| h + taken));
        }
        let t = limited(relu(self.features[0].forward(seen, gain)), ACTIVATION_LIMIT);
        let t = limited(self.features[1].forward(t, 0), SEEN_LIMIT);
        let f = t.dims()[1];
        let bits = bits.unwrap_or_else(|| Tensor::zeros([1], device));
        Told { features: t.swap_dims(0, 1).reshape([f, b * z * y * w]), bits }
    }
}

impl Told {
    /// What is told of these points of the crop: `[boxes, features, points of a box]`.
    pub fn at(&self, whole: &Whole, places: &[u32], boxes: usize, device: &Device) -> Tensor<3> {
        let (n, f) = (places.len(), self.features.dims()[0]);
        let (mut at, mut weights) = (vec![0i32; 8 * n], vec![0f32; 8 * n]);
        for (k, place) in places.iter().enumerate() {
            for (j, (there, weight)) in whole.lattice.around(*place as usize).into_iter().enumerate() {
                (at[j * n + k], weights[j * n + k]) = (there as i32, weight as f32 / 256.0);
            }
        }
        let at: Tensor<1, Int> = Tensor::from_data(TensorData::new(at, [8 * n]), device);
        let weights: Tensor<3> = Tensor::from_data(TensorData::new(weights, [1, 8, n]), device);
        let near = self.features.clone().select(1, at).reshape([f, 8, n]) * weights;
        near.sum_dim(1).reshape([f, boxes, n / boxes]).swap_dims(0, 1)
    }
}

/// Bits of integers' intervals, of a logistic distribution: their sum.
fn interval_bits(mean: Tensor<5>, scale: Tensor<5>, value: Tensor<5>) -> Tensor<1> {
    let n = value.dims().iter().product::<usize>();
    let flat = |t: Tensor<5>| t.reshape([n]);
    let scale = flat(scale).clamp(LEAST_SCALE, LEAST_SCALE + SCALE_OCTAVES);
    let value = flat(value);
    let half = value.ones_like().mul_scalar(0.5);
    loss::bits(Guidance { correction: flat(mean), scale }, value, half).sum()
}

/// Rounds; the gradient passes.
fn rounded(x: Tensor<5>) -> Tensor<5> {
    let exact = x.clone().detach();
    x + (exact.clone().round() - exact)
}

/// With noise of the width of rounding, or what is given as rounded.
fn perturbed(x: Tensor<5>, rounded: &Tensor<5>, noise: &mut Option<&mut fastrand::Rng>, device: &Device) -> Tensor<5> {
    let Some(rng) = noise else { return rounded.clone() };
    let dims = x.dims();
    let numbers: Vec<f32> = (0..dims.iter().product()).map(|_| rng.f32() - 0.5).collect();
    x + Tensor::from_data(TensorData::new(numbers, dims), device)
}

fn limited(x: Tensor<5>, limit: f64) -> Tensor<5> {
    let exact = x.clone().detach();
    x + (exact.clone().clamp(-limit, limit) - exact)
}

/// Four channels become a square of points.
fn shuffled(x: Tensor<5>) -> Tensor<5> {
    let [b, c, z, y, w] = x.dims();
    let x: Tensor<7> = x.reshape([b, c / 4, 2, 2, z, y, w]);
    x.permute([0, 1, 4, 5, 2, 6, 3]).reshape([b, c / 4, z, 2 * y, 2 * w])
}

/// 1 where the sum of the indices of z, y and x is even, else 0.
fn checkerboard([b, z, y, x]: [usize; 4], device: &Device) -> Tensor<5> {
    let at = |i: usize| i % x + i / x % y + i / (x * y) % z;
    let numbers: Vec<f32> = (0..b * z * y * x).map(|i| 1.0 - (at(i) % 2) as f32).collect();
    Tensor::from_data(TensorData::new(numbers, [b, 1, z, y, x]), device)
}

/// From channels last to channels first, in units of 1.
fn channels_first(numbers: &[i16], shape: [usize; 4], channels: usize, device: &Device) -> Tensor<5> {
    let [b, z, y, x] = shape;
    let numbers: Vec<f32> = numbers.iter().map(|v| f32::from(*v) / UNIT as f32).collect();
    Tensor::<5>::from_data(TensorData::new(numbers, [b, z, y, x, channels]), device).permute([0, 4, 1, 2, 3])
}
