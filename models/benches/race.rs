//! Integer networks against the same networks of binary32 through libtorch, by turns on one core:
//! `OMP_NUM_THREADS=1 cargo bench -p scicodec-models --features tch --bench race`, a Markdown table on stdout.
//!
//! Each figure is the best of its turns, by the processor time of the thread. libtorch runs convolutions over planes as such, and gets
//! its tensors in the order that it takes, \[b, channel, y, x\]; it clamps nothing but ReLUs.
#![allow(clippy::print_stdout)]
use burn::tensor::{
    Device, Tensor, TensorData,
    activation::relu,
    module::{conv2d, conv3d},
    ops::ConvOptions,
};
use scicodec::network::{Convolution, Graph, Kernel, Network, Operation, Scratch};
use scicodec_bench::networks::{now, predictor, seconds, weights};
use scicodec_bench::{Result, machine};
use scicodec_models::device;
use std::hint::black_box;

const TURNS: usize = 3;

/// A convolution's weights, \[out, in, z, y, x\], and bias.
struct Layer {
    weights: Tensor<5>,
    bias: Tensor<1>,
    groups: usize,
    half: [usize; 3],
}

fn layer(c: &Convolution, inputs: usize, depthwise: bool, device: &Device) -> Layer {
    let kernel = c.window.kernel.map(usize::from);
    let [z, y, x] = kernel;
    let floats: Vec<f32> = c.weights.iter().map(|&w| f32::from(w) / 512.0).collect();
    let weights = match depthwise {
        true => {
            Tensor::<5>::from_data(TensorData::new(floats, [z, y, x, c.channels, 1]), device).permute([3, 4, 0, 1, 2])
        }
        false => Tensor::<5>::from_data(TensorData::new(floats, [c.channels, z, y, x, inputs]), device)
            .permute([0, 4, 1, 2, 3]),
    };
    // Through memory, so that strides are those of new tensors.
    let weights = Tensor::from_data(weights.into_data(), device);
    let bias = c.bias.iter().map(|&b| b as f32 / 512.0).collect::<Vec<f32>>();
    let bias = Tensor::from_data(TensorData::new(bias, [c.channels]), device);
    Layer { weights, bias, groups: if depthwise { c.channels } else { 1 }, half: kernel.map(|k| k / 2) }
}

/// The layers of a graph's convolutions, in order; none for what else it does.
fn layers(graph: &Graph, device: &Device) -> Vec<Option<Layer>> {
    let mut channels = vec![graph.channels];
    graph
        .operations
        .iter()
        .map(|operation| {
            let made = match operation {
                Operation::Convolution(c) => Some((layer(c, channels[c.source], false, device), c.channels)),
                Operation::Depthwise(c) => Some((layer(c, 1, true, device), c.channels)),
                _ => None,
            };
            channels.push(made.as_ref().map_or(channels[channels.len() - 1], |m| m.1));
            made.map(|m| m.0)
        })
        .collect()
}

fn floats(graph: &Graph, layers: &[Option<Layer>], input: &Tensor<5>) -> Tensor<5> {
    let mut all = vec![input.clone()];
    for (operation, layer) in graph.operations.iter().zip(layers) {
        let made = match (operation, layer) {
            (Operation::Convolution(c) | Operation::Depthwise(c), Some(l)) => {
                let sums = convolved(&all[c.source], l);
                if c.requantise.span.low == 0 { relu(sums) } else { sums }
            }
            (Operation::Add { sources: [a, b], .. }, _) => all[*a].clone() + all[*b].clone(),
            _ => continue,
        };
        all.push(made);
    }
    all.swap_remove(all.len() - 1)
}

fn convolved(x: &Tensor<5>, l: &Layer) -> Tensor<5> {
    let (x, w, bias) = (x.clone(), l.weights.clone(), Some(l.bias.clone()));
    if x.dims()[2] > 1 {
        return conv3d(x, w, bias, ConvOptions::new([1; 3], l.half, [1; 3], l.groups));
    }
    let [_, h1, h2] = l.half;
    let plane = conv2d(
        x.squeeze_dim::<4>(2),
        w.squeeze_dim::<4>(2),
        bias,
        ConvOptions::new([1; 2], [h1, h2], [1; 2], l.groups),
    );
    plane.unsqueeze_dim::<5>(2)
}

fn main() -> Result<()> {
    if std::env::var("OMP_NUM_THREADS").as_deref() != Ok("1") {
        return Err("OMP_NUM_THREADS=1 holds libtorch to one core".into());
    }
    let device = device("cpu")?;
    let kernel = Kernel::choose()?;
    println!("# Integer networks and libtorch\n");
    println!("{}", machine::describe("OMP_NUM_THREADS=1 cargo bench -p scicodec-models --features tch --bench race"));
    println!("One core, by turns, the best of {TURNS}; {} kernels.\n", kernel.name());
    println!("| network | integers, GMAC/s | libtorch binary32, GMAC/s | ÷ |\n|---|---|---|---|");
    let cases = [
        ("2-D 24", predictor(24, [1, 3, 3]), [1, 1, 512, 512]),
        ("2-D 32", predictor(32, [1, 3, 3]), [1, 1, 512, 512]),
        ("3-D 24", predictor(24, [3, 3, 3]), [1, 64, 64, 64]),
        ("3-D 32", predictor(32, [3, 3, 3]), [1, 64, 64, 64]),
    ];
    for (name, graph, shape) in cases {
        let points: usize = shape.iter().product();
        let input: Vec<i16> = weights(points * graph.channels).iter().map(|w| w * 20).collect();
        let network = Network::new(graph.clone(), kernel)?;
        let layers = layers(&graph, &device);
        let [b, z, y, x] = shape;
        let as_floats: Vec<f32> = input.iter().map(|&v| f32::from(v) / 128.0).collect();
        let tensor = Tensor::<5>::from_data(TensorData::new(as_floats, [b, graph.channels, z, y, x]), &device);
        let mut scratch = Scratch::default();
        let mut best = [f64::INFINITY; 2];
        for _ in 0..TURNS {
            best[0] = best[0].min(seconds(&network, &input, shape, &mut scratch)?);
            for _ in 0..5 {
                let begun = now();
                black_box(floats(&graph, &layers, black_box(&tensor)));
                best[1] = best[1].min(now() - begun);
            }
        }
        let work = network.multiplications_per_point() as f64 * points as f64 * 1e-9;
        println!("| {name} | {:.1} | {:.1} | {:.2} |", work / best[0], work / best[1], best[1] / best[0]);
    }
    Ok(())
}
