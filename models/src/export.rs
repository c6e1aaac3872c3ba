//! From a trained network to the two integer networks that are run in encoding and decoding (SPEC §9).
//!
//! Nothing has to be learned anew for it: between layers, numbers are integers in units of 1/1024 where 32-bit sums leave room
//! for it, and weights are rounded to the finest power of two for which no sum can overflow.
use crate::{
    Error, export_latents,
    network::{ACTIVATION_LIMIT, Block, Head, Network},
    parameters::values,
};
use scicodec::{
    learned::{CAUSAL, CHANNELS, CONDITIONS, PassSample, UNIT},
    network::{
        Convolution, Graph, Kernel, Model, ModelBuilder, Network as IntegerNetwork, Operation, Requantise, Scratch,
        Span, Window,
    },
};

/// Numbers between layers: so many of them are one.
pub const INNER_UNIT: i32 = 1024;
/// Largest magnitude of a number between layers.
pub const INNER: i16 = (ACTIVATION_LIMIT * INNER_UNIT as f64) as i16 - 1;
/// Largest magnitude of an integer weight, and most bits after its point.
const WEIGHT_LIMIT: f64 = 16383.0;
const MOST_BITS: i32 = 14;
/// Units of the output: 256 of the correction are one local amplitude, four of the scale are one octave.
pub const CORRECTION_UNIT: f64 = 256.0;
/// See [`CORRECTION_UNIT`].
pub const SCALE_UNIT: f64 = 4.0;
/// Largest magnitude of an output.
const OUTPUT_LIMIT: i16 = 2047;
/// Largest magnitude of a feature.
pub const FEATURE_LIMIT: i16 = 1023;

/// What the integer networks are asked for by: the trunk, which runs once for a pass, and the head, which runs point after
/// point.
pub const NETWORK_NAMES: [&str; 2] = ["passes", "points"];

/// A convolution's integers: weights for each output channel, biases, and how sums become values.
struct Rounded(Vec<Vec<i16>>, Vec<i32>, Requantise);

/// One convolution before it is made of integers.
pub struct Rounding {
    pub source: usize,
    pub channels: usize,
    pub window: Window,
    /// For each output channel, its weights in the order of the graph for that channel.
    pub weights: Vec<Vec<f32>>,
    /// One for each channel, or for each condition and channel.
    pub bias: Vec<f32>,
    /// Units of the source and of every output channel, and the largest magnitude of a value of the source.
    pub from: f64,
    pub to: Vec<f64>,
    pub largest: i16,
    pub span: Span,
}

impl Rounding {
    /// Rounds to the finest power of two for which no sum can overflow.
    fn convolution(&self) -> Result<Rounded, Error> {
        // A sum is in units of from·2^bits; shifted by `shift` it is in those of channel 0. Other channels have their
        // weights scaled by the ratio of units.
        let unit = self.to[0];
        let ratio: Vec<f64> = self.to.iter().map(|t| t / unit).collect();
        for bits in (0..=MOST_BITS).rev() {
            let one = f64::from(bits).exp2();
            let shift = (self.from * one / unit).log2();
            if !(0.0..=30.0).contains(&shift) || shift.fract() != 0.0 {
                continue;
            }
            let round = |v: f64| v.round_ties_even();
            let weights: Vec<Vec<f64>> = self
                .weights
                .iter()
                .zip(&ratio)
                .map(|(w, r)| w.iter().map(|v| round(f64::from(*v) * one * r)).collect())
                .collect();
            let bias: Vec<f64> = self
                .bias
                .iter()
                .enumerate()
                .map(|(k, v)| round(f64::from(*v) * self.from * one * ratio[k % self.channels]))
                .collect();
            let half = (shift - 1.0).exp2();
            let worst = (0..self.channels).all(|c| {
                let sum: f64 = weights[c].iter().map(|w| w.abs() * f64::from(self.largest)).sum();
                let bias = bias.iter().skip(c).step_by(self.channels).fold(0.0, |m: f64, b| m.max(b.abs()));
                sum + bias + half < f64::from(i32::MAX)
            });
            if worst && weights.iter().flatten().all(|w| w.abs() <= WEIGHT_LIMIT) {
                return Ok(Rounded(
                    weights.iter().map(|c| c.iter().map(|w| *w as i16).collect()).collect(),
                    bias.iter().map(|b| *b as i32).collect(),
                    Requantise { multipliers: vec![], shift: shift as u8, span: self.span },
                ));
            }
        }
        Err(Error::InvalidArgument("the weights of a layer are too large for integers, or not finite".into()))
    }

    /// All channels from all channels.
    pub fn full(&self) -> Result<Operation, Error> {
        let Rounded(weights, bias, requantise) = self.convolution()?;
        let weights = weights.concat();
        let (source, channels, window) = (self.source, self.channels, self.window);
        Ok(Operation::Convolution(Convolution { source, channels, window, weights, bias, requantise }))
    }

    /// Each channel by itself: the graph has the channel as the fastest axis of the weights.
    fn depthwise(&self) -> Result<Operation, Error> {
        let Rounded(rows, bias, requantise) = self.convolution()?;
        let taps = rows.first().map_or(0, Vec::len);
        let weights = (0..taps).flat_map(|t| rows.iter().map(move |r| r[t])).collect();
        let (source, channels, window) = (self.source, self.channels, self.window);
        Ok(Operation::Depthwise(Convolution { source, channels, window, weights, bias, requantise }))
    }
}

/// Flat weights, so many for each output channel.
pub fn rows(flat: Vec<f32>, each: usize) -> Vec<Vec<f32>> {
    flat.chunks_exact(each).map(<[f32]>::to_vec).collect()
}

/// A layer between layers, of a source in units of 1/1024.
pub fn inner(source: usize, window: Window, weights: Vec<Vec<f32>>, bias: Vec<f32>, low: i16) -> Rounding {
    let channels = weights.len();
    let unit = f64::from(INNER_UNIT);
    let span = Span { low, high: INNER };
    Rounding { source, channels, window, weights, bias, from: unit, to: vec![unit; channels], largest: INNER, span }
}

/// The integer network of the trunk: features in, `width` channels in units of 1/1024 out.
///
/// Errors: `InvalidArgument` where weights are too large or not finite.
pub fn trunk(network: &Network) -> Result<Graph, Error> {
    let mut stem = rows(values(network.stem.val()), CHANNELS);
    let width = stem.len();
    let mut more = 0;
    if let Some(latents) = &network.latents {
        more = latents.told.dims()[1];
        let told = rows(values(latents.told.val()), more);
        stem.iter_mut().zip(told).for_each(|(s, t)| s.extend(t));
    }
    let mut operations = vec![
        Rounding {
            from: UNIT,
            largest: FEATURE_LIMIT,
            bias: values(network.conditions.val()),
            ..inner(0, Window::POINT, stem, vec![], 0)
        }
        .full()?,
    ];
    for block in &network.blocks {
        push_block(&mut operations, block, width)?;
    }
    Ok(Graph {
        name: NETWORK_NAMES[0].into(),
        channels: CHANNELS + more,
        span: Span { low: -FEATURE_LIMIT, high: FEATURE_LIMIT },
        conditions: CONDITIONS,
        operations,
    })
}

/// The integer network of the head: the trunk's channels and then the causal ones in, correction and scale out.
///
/// Errors: as for [`trunk`].
pub fn head(head: &Head) -> Result<Graph, Error> {
    let seen = head.first.dims()[1];
    let mut first = rows(values(head.first.val()), seen);
    // The causal channels come in units of their own.
    let ratio = (f64::from(INNER_UNIT) / UNIT) as f32;
    first.iter_mut().flat_map(|w| w.iter_mut().skip(seen - CAUSAL)).for_each(|w| *w *= ratio);
    let second = rows(values(head.second.val()), first.len());
    let last = Rounding {
        to: vec![CORRECTION_UNIT, SCALE_UNIT],
        span: Span { low: -OUTPUT_LIMIT, high: OUTPUT_LIMIT },
        ..inner(2, Window::POINT, rows(values(head.last.val()), second.len()), values(head.last_bias.val()), 0)
    };
    Ok(Graph {
        name: NETWORK_NAMES[1].into(),
        channels: seen,
        span: Span { low: -INNER, high: INNER },
        conditions: 1,
        operations: vec![
            inner(0, Window::POINT, first, values(head.first_bias.val()), 0).full()?,
            inner(1, Window::POINT, second, values(head.second_bias.val()), 0).full()?,
            last.full()?,
        ],
    })
}

/// Both integer networks, ready to run.
pub struct Integers {
    trunk: IntegerNetwork,
    head: IntegerNetwork,
}

impl Integers {
    /// Of a trained network. Errors: as for [`trunk`].
    pub fn new(network: &Network) -> Result<Integers, Error> {
        let kernel = Kernel::choose()?;
        let trunk = IntegerNetwork::new(trunk(network)?, kernel)?;
        Ok(Integers { trunk, head: IntegerNetwork::new(head(&network.head)?, kernel)? })
    }

    /// Correction and scale of every point of a pass whose values are all known.
    pub fn run(&self, s: &PassSample, scratch: &mut Scratch) -> Result<Vec<i16>, Error> {
        let hidden = self.trunk.run(&s.features, s.shape, s.condition, scratch)?;
        let width = self.trunk.output_channels();
        let seen = hidden.chunks_exact(width).zip(s.causal.chunks_exact(CAUSAL));
        let seen: Vec<i16> = seen.flat_map(|(h, c)| h.iter().chain(c).copied()).collect();
        Ok(self.head.run(&seen, s.shape, 0, scratch)?.to_vec())
    }
}

fn push_block(operations: &mut Vec<Operation>, block: &Block, width: usize) -> Result<(), Error> {
    let input = operations.len();
    let taps = values(block.depthwise.val());
    let depth = (taps.len() / width / 9) as u8;
    let window = Window::centred([depth, 3, 3]);
    let layer = inner(input, window, rows(taps, 9 * usize::from(depth)), values(block.depthwise_bias.val()), -INNER);
    operations.push(layer.depthwise()?);
    let (w, b) = (values(block.expand.val()), values(block.expand_bias.val()));
    operations.push(inner(operations.len(), Window::POINT, rows(w, width), b, 0).full()?);
    let (w, b) = (values(block.contract.val()), values(block.contract_bias.val()));
    let inside = w.len() / width;
    operations.push(inner(operations.len(), Window::POINT, rows(w, inside), b, -INNER).full()?);
    if let (Some(w), Some(b)) = (&block.attend, &block.attend_bias) {
        let inner_result = operations.len();
        operations.push(Operation::Mean { source: inner_result });
        // The gate's argument in units of 1/64, so that a table of 1023 values holds it.
        let span = Span { low: -511, high: 511 };
        let layer = inner(operations.len(), Window::POINT, rows(values(w.val()), width), values(b.val()), 0);
        operations.push(Rounding { to: vec![GATE_UNIT; width], span, ..layer }.full()?);
        let sigmoid = |k: i16| (f64::from(1 << GATE_BITS) / (1.0 + (-f64::from(k) / GATE_UNIT).exp())).round() as i16;
        operations.push(Operation::Table { source: operations.len(), values: (-511..=511).map(sigmoid).collect() });
        let span = Span { low: -INNER, high: INNER };
        operations.push(Operation::Scale { source: inner_result, gate: operations.len(), shift: GATE_BITS, span });
    }
    let span = Span { low: -INNER, high: INNER };
    operations.push(Operation::Add { sources: [input, operations.len()], factors: [1, 1], shift: 0, span });
    Ok(())
}

/// Units of the argument of a gate, and bits after the point of a gate.
const GATE_UNIT: f64 = 64.0;
const GATE_BITS: u8 = 14;

/// The beginning of the model file of a network: whole, or standing on a parent.
pub fn builder(name: &str, network: &Network, parent: Option<&Model>) -> Result<ModelBuilder, Error> {
    match (&network.latents, parent) {
        (Some(latents), Some(parent)) => export_latents::builder(name, network, latents, parent),
        (Some(_), None) => {
            Err(Error::InvalidArgument("a network with latents needs a model to stand on (`parent`)".into()))
        }
        (None, parent) => {
            let b = parent.map_or_else(|| ModelBuilder::new(name), |p| builder_on(name, p));
            Ok(b.network(trunk(network)?)?.network(head(&network.head)?)?)
        }
    }
}

/// The beginning of a model that stands on another one.
pub fn builder_on(name: &str, parent: &Model) -> ModelBuilder {
    ModelBuilder::on(parent, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        field::tests::field,
        item::encode,
        network::{NetworkConfig, Spatial},
        parameters,
        tensors::Inputs,
    };
    use scicodec::learned::Predictor;

    /// A network whose head says something.
    fn network(config: &NetworkConfig, seed: u64) -> Network {
        let device = crate::device("flex").unwrap();
        let mut rng = fastrand::Rng::with_seed(seed);
        let network = Network::new(config, &mut rng, &device);
        let mut numbers = parameters::read(&network);
        let head = numbers.len() - 2;
        numbers[head].iter_mut().for_each(|w| *w = rng.f32() - 0.5);
        parameters::replaced(network, &numbers)
    }

    /// Largest difference of corrections and of scales that rounding to the units of the output alone would make, and what rounding
    /// inside may add.
    const TOLERANCE: [f64; 2] = [0.5 / CORRECTION_UNIT + 0.02, 0.5 / SCALE_UNIT + 0.04];

    #[test]
    fn the_integer_network_says_what_the_float_one_says() {
        let device = crate::device("flex").unwrap();
        let fields = [field("a__x", &[13, 20, 18], 1)];
        for (spatial, attention) in [(Spatial::Planes, false), (Spatial::Volumes, true), (Spatial::Alternating, true)] {
            let config = NetworkConfig { width: 12, blocks: 3, spatial, attention, ..NetworkConfig::default() };
            let network = network(&config, 5);
            let integers = Integers::new(&network).unwrap();
            let e = encode(&fields, &[0], 1 << 20, Some(1e-2), None, &mut fastrand::Rng::with_seed(1)).unwrap();
            for item in &e.items {
                let s = &item.sample;
                let inputs = Inputs::new(s, &device);
                let guidance = network.forward(inputs.features, inputs.causal, s.condition, None);
                let floats = [values(guidance.correction), values(guidance.scale)];
                let mut scratch = Scratch::default();
                let out = integers.run(s, &mut scratch).unwrap();
                for (k, unit) in [CORRECTION_UNIT, SCALE_UNIT].into_iter().enumerate() {
                    let limit = f64::from(OUTPUT_LIMIT) / unit;
                    for (f, i) in floats[k].iter().zip(out.iter().skip(k).step_by(2)) {
                        let (f, i) = (f64::from(*f).clamp(-limit, limit), f64::from(*i) / unit);
                        assert!((f - i).abs() <= TOLERANCE[k], "{spatial:?}, output {k}: {f} {i}");
                    }
                }
            }
        }
    }

    #[test]
    fn encodings_may_be_made_with_a_network() {
        let fields = [field("a__x", &[30, 41], 1)];
        let model = builder("any", &network(&NetworkConfig::default(), 3), None).unwrap().build().unwrap();
        let sampler = Predictor::new(&model).unwrap();
        let [alone, guided] = [None, Some(&sampler)].map(|sampler| {
            let e = encode(&fields, &[0], 1 << 20, Some(1e-2), sampler, &mut fastrand::Rng::with_seed(1)).unwrap();
            e.items.into_iter().map(|i| i.sample).collect::<Vec<_>>()
        });
        let codes = |all: &[PassSample]| all.iter().flat_map(|s| s.causal.clone()).collect::<Vec<_>>();
        assert_ne!(codes(&alone), codes(&guided), "the head sees codes that are left after corrections");
        assert!(guided.iter().flat_map(|s| &s.target).all(|t| t.is_finite()));
    }

    #[test]
    fn weights_that_no_integers_hold_are_refused() {
        let network = network(&NetworkConfig::default(), 1);
        let mut numbers = parameters::read(&network);
        numbers[0][0] = f32::NAN;
        assert!(trunk(&parameters::replaced(network.clone(), &numbers)).is_err());
        numbers[0][0] = 1e6;
        assert!(trunk(&parameters::replaced(network, &numbers)).is_err());
    }
}
