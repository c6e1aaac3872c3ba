//! The integer networks and tables of latents (SPEC §8.11, §9.7).
use crate::{
    Error,
    export::{self, FEATURE_LIMIT, INNER, INNER_UNIT, Rounding, builder_on},
    latents::{LEAST_SCALE, LatentNetwork, Layer, SAID, SCALE_OCTAVES},
    network::Network,
    parameters::values,
};
use scicodec::{
    learned::{ABOVE, INPUTS, LATENT_NETWORKS, LatentTables, UNIT},
    network::{Graph, Model, ModelBuilder, Operation, Span, Window},
};

/// Units of a mean, and of the log2 of a scale.
const MEAN_UNIT: f64 = 8.0;
const SCALE_UNIT: f64 = 4.0;
/// Bits after the point of what a latent is worth.
const WORTH_BITS: u8 = 7;
/// The least symbol of a hyper-latent.
const LEAST: f64 = -8.0;
/// What networks here are given, and features, lie within ± this.
const SEEN: Span = Span { low: -FEATURE_LIMIT, high: FEATURE_LIMIT };
const ANY: Span = Span { low: -INNER, high: INNER };
const RELU: Span = Span { low: 0, high: INNER };

/// How a layer's numbers come and go.
struct Ends {
    from: f64,
    largest: i16,
    to: Vec<f64>,
    span: Span,
}

fn operation(layer: &Layer, source: usize, more_bias: &[f32], ends: Ends) -> Result<Operation, Error> {
    let ([to, inputs], taps) = (layer.weight.dims(), layer.kernel.iter().product::<usize>());
    let from = inputs / taps;
    // Channels last, as graphs have them.
    let weights = values(layer.weight.val());
    let row =
        |o: usize| -> Vec<f32> { (0..inputs).map(|k| weights[o * inputs + (k % from) * taps + k / from]).collect() };
    let bias = values(layer.bias.val()).into_iter().enumerate().map(|(k, b)| b + more_bias.get(k % to).unwrap_or(&0.0));
    let window = Window {
        kernel: layer.kernel.map(|k| k as u8),
        stride: layer.stride.map(|s| s as u8),
        before: layer.kernel.map(|k| k as u8 / 2),
        after: layer.kernel.map(|k| k as u8 / 2),
    };
    Rounding {
        source,
        channels: to,
        window,
        weights: (0..to).map(row).collect(),
        bias: bias.collect(),
        from: ends.from,
        to: ends.to,
        largest: ends.largest,
        span: ends.span,
    }
    .full()
}

/// Layers in a row: the first sees numbers in units of 1/128, between them is a ReLU.
fn graph(
    name: &str,
    channels: usize,
    layers: &[Layer],
    to: Vec<f64>,
    span: Span,
    more_bias: &[f32],
) -> Result<Graph, Error> {
    let unit = f64::from(INNER_UNIT);
    let mut operations = Vec::new();
    for (k, layer) in layers.iter().enumerate() {
        let last = k + 1 == layers.len();
        let (from, largest) = if k == 0 { (UNIT, FEATURE_LIMIT) } else { (unit, INNER) };
        let to = if last { to.clone() } else { vec![unit; layer.weight.dims()[0]] };
        let ends = Ends { from, largest, to, span: if last { span } else { RELU } };
        operations.push(operation(layer, k, if last { more_bias } else { &[] }, ends)?);
    }
    let conditions = layers.first().map_or(1, |l| l.bias.dims()[0]);
    Ok(Graph { name: name.into(), channels, span: SEEN, conditions, operations })
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The tables of trained latents.
fn tables(l: &LatentNetwork) -> LatentTables {
    let channels = l.worth.dims()[1];
    let hyper = if l.hyper.is_empty() { 0 } else { l.prior_mean.dims()[1] };
    let one = UNIT * f64::from(WORTH_BITS).exp2();
    let worth =
        values(l.worth.val()).into_iter().map(|w| (f64::from(w.exp2()) * one).round().clamp(1.0, 65535.0) as u16);
    let scales = (SCALE_OCTAVES * SCALE_UNIT) as usize + 1;
    let masses = (0..scales).map(|k| {
        let b = (LEAST_SCALE + k as f64 / SCALE_UNIT).exp2();
        std::array::from_fn::<u16, ABOVE, _>(|i| (65536.0 * sigmoid(-((i + 1) as f64) / 8.0 / b)).round() as u16)
    });
    let mut priors = Vec::new();
    if hyper > 0 {
        for (mean, scale) in values(l.prior_mean.val()).iter().zip(values(l.prior_scale.val())) {
            let b = f64::from(scale).clamp(LEAST_SCALE, LEAST_SCALE + SCALE_OCTAVES).exp2();
            priors.push(std::array::from_fn(|j| {
                let above = sigmoid(-(j as f64 + LEAST + 0.5 - f64::from(*mean)) / b);
                (14 - j) as u16 + 1 + (above * f64::from(65536 - 16)).floor() as u16
            }));
        }
    }
    LatentTables {
        channels,
        hyper,
        turns: l.turns,
        worth: worth.collect(),
        shift: WORTH_BITS,
        scales: masses.collect(),
        priors,
    }
}

/// A model that stands on another one, and has latents besides.
///
/// Errors: `InvalidArgument` where weights are too large or not finite.
pub fn builder(name: &str, network: &Network, l: &LatentNetwork, parent: &Model) -> Result<ModelBuilder, Error> {
    let unit = f64::from(INNER_UNIT);
    let channels = l.worth.dims()[1];
    let features = l.told.dims()[1];
    let tables = tables(l);
    let mut b = builder_on(name, parent).latents(&tables)?;
    b = b.network(graph(LATENT_NETWORKS[0], INPUTS, &l.analysis, vec![unit; channels], ANY, &[])?)?;
    let said = if tables.hyper > 0 { SAID } else { 0 };
    if tables.hyper > 0 {
        b = b.network(graph(LATENT_NETWORKS[1], channels, &l.hyper_analysis, vec![unit; tables.hyper], ANY, &[])?)?;
        let mut up = graph(LATENT_NETWORKS[2], tables.hyper, &l.hyper, vec![UNIT; 4 * SAID], SEEN, &[])?;
        up.operations.push(Operation::Shuffle { source: up.operations.len(), factors: [1, 2, 2] });
        b = b.network(up)?;
    }
    let to: Vec<f64> = (0..2 * channels).map(|k| if k < channels { MEAN_UNIT } else { SCALE_UNIT }).collect();
    // Scales are numbered from the least.
    let more: Vec<f32> = (0..2 * channels).map(|k| if k < channels { 0.0 } else { -LEAST_SCALE as f32 }).collect();
    b = b.network(graph(LATENT_NETWORKS[3], said + channels, &l.entropy, to, SEEN, &more)?)?;
    b = b.network(graph(LATENT_NETWORKS[4], channels, &l.features, vec![UNIT; features], SEEN, &[])?)?;
    let mut trunk = export::trunk(network)?;
    trunk.name = LATENT_NETWORKS[5].into();
    let mut head = export::head(&network.head)?;
    head.name = LATENT_NETWORKS[6].into();
    Ok(b.network(trunk)?.network(head)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        export::builder,
        latents::{LatentConfig, Whole},
        network::NetworkConfig,
        parameters,
    };
    use scicodec::learned::{Latents, builtin};

    #[test]
    fn the_integer_latents_say_what_the_float_ones_say() {
        let device = crate::device("flex").unwrap();
        for (shape, hyper, context) in
            [(vec![13, 37, 41], 2, true), (vec![50, 61], 0, false), (vec![2, 5, 30, 17], 3, false)]
        {
            let latents = Some(LatentConfig { hyper, context, ..LatentConfig::default() });
            let config = NetworkConfig { width: 8, blocks: 1, latents, ..NetworkConfig::default() };
            let mut rng = fastrand::Rng::with_seed(7);
            let network = Network::new(&config, &mut rng, &device);
            let mut numbers = parameters::read(&network);
            numbers.iter_mut().flatten().for_each(|w| *w += 0.1 * (rng.f32() - 0.5));
            let mut network = parameters::replaced(network, &numbers);
            // An untrained analysis says much, and symbols are few.
            let worth = burn::tensor::Tensor::<2>::full(network.latents.as_ref().unwrap().worth.dims(), 1.5, &device);
            network.latents.as_mut().unwrap().worth = burn::module::Param::from_tensor(worth);
            let points = shape.iter().product::<usize>();
            let wave =
                |i: usize| (i as f64 * 0.13).sin() + (i as f64 * 0.0071).cos() + 0.3 * ((i * i) as f64 * 0.37).sin();
            let values: Vec<f64> = (0..points).map(wave).collect();
            let (range, step) = (3.0, 0.05);
            let whole = Whole::new(&shape, &values, None, range, step);
            let float = network.latents.as_ref().unwrap().encode(&whole, None, &device);
            let parent = builtin(1).unwrap().model();
            let model = builder("any", &network, Some(parent)).unwrap().build().unwrap();
            let integer = Latents::new(&model).unwrap().unwrap();
            let (bytes, field) = integer.tell(&shape, &values, None, whole.gain, step);
            let bits = f64::from(float.bits.clone().into_scalar::<f32>());
            assert!((8.0 * bytes / bits - 1.0).abs() < 0.1, "{shape:?}: {bits} bits, as integers {}", 8.0 * bytes);
            // Now and then a latent is rounded otherwise: the mean tells.
            let places: Vec<u32> = (0..points as u32).step_by(7).collect();
            let said = values_of(float.at(&whole, &places, 1, &device));
            let count = field.channels();
            let (mut apart, mut size, mut seen) = (0.0, 0.0, vec![0; count]);
            for (k, place) in places.iter().enumerate() {
                field.at(*place as usize, &mut seen);
                for (c, v) in seen.iter().enumerate() {
                    let float = f64::from(said[c * places.len() + k]);
                    apart += (float - f64::from(*v) / UNIT).abs();
                    size += float.abs();
                }
            }
            assert!(apart < 0.03 * size, "{shape:?}: {apart} of {size}");
        }
    }

    fn values_of(t: burn::tensor::Tensor<3>) -> Vec<f32> {
        values(t)
    }
}
