//! The integer networks and tables of latents (SPEC §8.11, §9.7).
use crate::{
    Error,
    export::{self, FEATURE_LIMIT, INNER, INNER_UNIT, Rounding, builder_on},
    latents::{GAINS, LEAST_SCALE, LatentNetwork, Layer, SAID, SCALE_OCTAVES},
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
    debug_assert_eq!(l.worth.dims()[0], GAINS);
    Ok(b.network(trunk)?.network(head)?)
}
