//! The network that guides interpolation: for each new point a correction and a scale, in two parts.
//!
//! The trunk sees the points known before the pass: pointwise stem with a bias per condition; residual blocks of the blueprint
//! kind (depthwise convolution, pointwise ×2, ReLU, pointwise), in turn over the plane of the pass and over the volume. The
//! head sees what the trunk says of a point, and what became of the points of the pass that were coded before it: three
//! pointwise layers, the last of which starts at zero. In coding, the trunk runs once for a pass, the head point after
//! point; in training, where all is known, both run on whole windows. Between layers, numbers have the range that they
//! have in the integer networks.
use crate::{
    depthwise::depthwise,
    latents::{LatentConfig, LatentNetwork},
};
use burn::{
    module::{Module, Param},
    tensor::{
        Device, Tensor, TensorData,
        activation::{relu, sigmoid},
    },
};
use scicodec::learned::{CAUSAL, CHANNELS, CONDITIONS};
use serde::{Deserialize, Serialize};

/// Largest magnitude of a number between layers.
pub const ACTIVATION_LIMIT: f64 = 16.0;

/// Which axes the depthwise convolutions cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spatial {
    /// The axis of the pass and the faster transverse one.
    Planes,
    /// Both transverse axes too.
    Volumes,
    /// Planes in even blocks, volumes in odd ones.
    #[default]
    Alternating,
}

/// The shape of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Channels between blocks.
    pub width: usize,
    /// Residual blocks.
    pub blocks: usize,
    /// Channels inside a block, as a multiple of `width`.
    pub expansion: usize,
    /// Which axes the blocks cover.
    pub spatial: Spatial,
    /// Whether blocks weigh their channels by what the whole pass looks like.
    pub attention: bool,
    /// Channels of the two inner layers of the head.
    pub head: [usize; 2],
    /// Latents that it is told of, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latents: Option<LatentConfig>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig {
            width: 24,
            blocks: 2,
            expansion: 2,
            spatial: Spatial::Alternating,
            attention: false,
            head: [32, 32],
            latents: None,
        }
    }
}

impl NetworkConfig {
    /// Extent along the second transverse axis of the convolution of a block: 1 or 3.
    pub fn depth(&self, block: usize) -> usize {
        match self.spatial {
            Spatial::Planes => 1,
            Spatial::Volumes => 3,
            Spatial::Alternating => 1 + 2 * (block % 2),
        }
    }

    /// Multiplications per point of the trunk and of the head.
    pub fn multiplications(&self) -> [usize; 2] {
        let block = |b| 9 * self.depth(b) * self.width + 2 * self.width * self.width * self.expansion;
        let trunk = CHANNELS * self.width + (0..self.blocks).map(block).sum::<usize>();
        let [first, second] = self.head;
        [trunk, (self.width + CAUSAL) * first + first * second + 2 * second]
    }
}

/// One residual block.
#[derive(Module, Debug)]
pub struct Block {
    /// `[width, taps]`, taps in C order of [T2, T1, A].
    pub depthwise: Param<Tensor<2>>,
    /// `[width]`
    pub depthwise_bias: Param<Tensor<1>>,
    /// `[expansion · width, width]`
    pub expand: Param<Tensor<2>>,
    /// `[expansion · width]`
    pub expand_bias: Param<Tensor<1>>,
    /// `[width, expansion · width]`
    pub contract: Param<Tensor<2>>,
    /// `[width]`
    pub contract_bias: Param<Tensor<1>>,
    /// `[width, width]`, of the channel attention, where there is one.
    pub attend: Option<Param<Tensor<2>>>,
    /// `[width]`
    pub attend_bias: Option<Param<Tensor<1>>>,
}

/// The network.
#[derive(Module, Debug)]
pub struct Network {
    /// `[width, CHANNELS]`
    pub stem: Param<Tensor<2>>,
    /// `[CONDITIONS, width]`
    pub conditions: Param<Tensor<2>>,
    /// Residual blocks.
    pub blocks: Vec<Block>,
    /// The head.
    pub head: Head,
    /// Latents, where there are some.
    pub latents: Option<LatentNetwork>,
}

/// The part that sees the points before.
#[derive(Module, Debug)]
pub struct Head {
    /// `[head[0], width + CAUSAL]`
    pub first: Param<Tensor<2>>,
    /// `[head[0]]`
    pub first_bias: Param<Tensor<1>>,
    /// `[head[1], head[0]]`
    pub second: Param<Tensor<2>>,
    /// `[head[1]]`
    pub second_bias: Param<Tensor<1>>,
    /// `[2, head[1]]`: correction, log2 of the scale.
    pub last: Param<Tensor<2>>,
    /// `[2]`
    pub last_bias: Param<Tensor<1>>,
}

/// What the network says of every point of a pass: `[points]` each, in the order of the sample.
pub struct Guidance {
    /// Correction of the prediction, in units of the local amplitude.
    pub correction: Tensor<1>,
    /// log2 of the scale of what is left, in the same units.
    pub scale: Tensor<1>,
}

/// Random numbers within ± a bound.
pub fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f64,
    rng: &mut fastrand::Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let data: Vec<f32> = (0..shape.iter().product()).map(|_| (bound * (2.0 * rng.f64() - 1.0)) as f32).collect();
    Param::from_data(TensorData::new(data, shape), device)
}

/// log2 of the scale that a new network says everywhere.
const FIRST_SCALE: f32 = -3.0;

impl Network {
    /// A new network: its correction is zero, so that it *is* interpolation.
    pub fn new(config: &NetworkConfig, rng: &mut fastrand::Rng, device: &Device) -> Network {
        let (w, e) = (config.width, config.width * config.expansion);
        let blocks = (0..config.blocks)
            .map(|b| {
                let taps = 9 * config.depth(b);
                Block {
                    depthwise: uniform([w, taps], (3.0 / taps as f64).sqrt(), rng, device),
                    depthwise_bias: uniform([w], 0.0, rng, device),
                    expand: uniform([e, w], (6.0 / w as f64).sqrt(), rng, device),
                    expand_bias: uniform([e], 0.1, rng, device),
                    contract: uniform([w, e], 0.5 * (3.0 / e as f64).sqrt(), rng, device),
                    contract_bias: uniform([w], 0.0, rng, device),
                    attend: config.attention.then(|| uniform([w, w], 0.5 / (w as f64).sqrt(), rng, device)),
                    attend_bias: config.attention.then(|| uniform([w], 0.0, rng, device)),
                }
            })
            .collect();
        Network {
            stem: uniform([w, CHANNELS], (6.0 / CHANNELS as f64).sqrt() * 0.5, rng, device),
            conditions: uniform([CONDITIONS, w], 0.2, rng, device),
            blocks,
            head: Head::new(w, config.head, rng, device),
            latents: config.latents.as_ref().map(|l| LatentNetwork::new(l, w, rng, device)),
        }
    }

    /// Runs both parts over a pass. `features`: `[B, CHANNELS, T2, T1, A]`, `causal`: `[B, CAUSAL, points]`, in units of 1; `told`:
    /// what latents say, `[B, features, points]`.
    pub fn forward(
        &self,
        features: Tensor<5>,
        causal: Tensor<3>,
        condition: usize,
        told: Option<Tensor<3>>,
    ) -> Guidance {
        let [b, _, t2, t1, a] = features.dims();
        let lattice = [t2, t1, a];
        let points = t2 * t1 * a;
        let width = self.stem.dims()[0];
        let bias = self.conditions.val().slice_dim(0, condition..condition + 1).reshape([width]);
        let mut x = pointwise(features.reshape([b, CHANNELS, points]), self.stem.val(), bias);
        if let (Some(latents), Some(told)) = (&self.latents, told) {
            x = x + latents.told.val().unsqueeze::<3>().matmul(told);
        }
        let mut x = between(relu(x));
        for block in &self.blocks {
            x = block.forward(x, lattice);
        }
        self.head.forward(x, causal)
    }
}

impl Head {
    fn new(width: usize, inner: [usize; 2], rng: &mut fastrand::Rng, device: &Device) -> Head {
        let [first, second] = inner;
        let seen = width + CAUSAL;
        Head {
            first: uniform([first, seen], (3.0 / seen as f64).sqrt(), rng, device),
            first_bias: uniform([first], 0.2, rng, device),
            second: uniform([second, first], (6.0 / first as f64).sqrt(), rng, device),
            second_bias: uniform([second], 0.1, rng, device),
            last: uniform([2, second], 0.0, rng, device),
            last_bias: Param::from_data(TensorData::new(vec![0.0, FIRST_SCALE], [2]), device),
        }
    }

    /// `trunk`: `[B, width, points]`, `causal`: `[B, CAUSAL, points]`.
    fn forward(&self, trunk: Tensor<3>, causal: Tensor<3>) -> Guidance {
        let [b, _, points] = trunk.dims();
        let x = Tensor::cat(vec![trunk, causal], 1);
        let x = between(relu(pointwise(x, self.first.val(), self.first_bias.val())));
        let x = between(relu(pointwise(x, self.second.val(), self.second_bias.val())));
        let out = pointwise(x, self.last.val(), self.last_bias.val());
        let part = |k: usize| out.clone().slice([0..b, k..k + 1, 0..points]).reshape([b * points]);
        Guidance { correction: part(0), scale: part(1) }
    }
}

impl Block {
    /// The block, adding nothing to what it is given until it has learned to.
    pub fn silent(self) -> Block {
        let (shape, device) = (self.contract.val().dims(), self.contract.val().device());
        // Made anew: a parameter that is mapped to other numbers is no longer trained.
        Block { contract: Param::from_data(TensorData::zeros::<f32, _>(shape), &device), ..self }
    }

    /// `[B, width, points]` to the same.
    fn forward(&self, x: Tensor<3>, lattice: [usize; 3]) -> Tensor<3> {
        let [b, w, points] = x.dims();
        let [t2, t1, a] = lattice;
        let y = depthwise(x.clone().reshape([b, w, t2, t1, a]), self.depthwise.val());
        let y = y.reshape([b, w, points]) + self.depthwise_bias.val().reshape([1, w, 1]);
        let y = pointwise(between(y), self.expand.val(), self.expand_bias.val());
        let y = pointwise(between(relu(y)), self.contract.val(), self.contract_bias.val());
        let mut y = between(y);
        if let (Some(attend), Some(bias)) = (&self.attend, &self.attend_bias) {
            let mean = between(y.clone().mean_dim(2));
            let gate = sigmoid(pointwise(mean, attend.val(), bias.val()));
            y = between(y * gate);
        }
        between(x + y)
    }
}

/// `[B, in, points]` to `[B, out, points]`.
fn pointwise(x: Tensor<3>, w: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    let out = bias.dims()[0];
    w.unsqueeze::<3>().matmul(x) + bias.reshape([1, out, 1])
}

/// Numbers between layers have the range that they have in the integer network. Few ever leave it: their gradients pass.
pub fn between<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let exact = x.clone().inner();
    let within = exact.clone().clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT);
    if x.is_autodiff() { x + Tensor::from_inner(within - exact) } else { within }
}
