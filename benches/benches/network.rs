//! Integer networks with every kernel that runs here: `cargo bench -p scicodec-bench --bench network`.
//!
//! Elements are multiplications, edges counted as whole, so that Gelem/s are GMAC/s. `bare` is one convolution over
//! tensors that fit into a cache; `network` is what a predictor looks like, over a large and a small lattice.
use criterion::{BenchmarkId, Criterion, Throughput};
use scicodec::network::{Convolution, Graph, Kernel, Network, Operation, Requantise, Scratch, Span, Window};
use scicodec_bench::Result;
use std::{hint::black_box, time::Duration};

const SPAN: Span = Span { low: -2047, high: 2047 };
const RELU: Span = Span { low: 0, high: 2047 };

/// Weights that are the same on every run.
fn weights(n: usize) -> Vec<i16> {
    (0..n as u32).map(|i| (i.wrapping_mul(2654435761) >> 20) as i16 % 200 - 100).collect()
}

fn convolution(source: usize, from: usize, channels: usize, window: Window, span: Span) -> Convolution {
    let taps: usize = window.kernel.iter().map(|&k| usize::from(k)).product();
    let requantise = Requantise { multipliers: vec![], shift: 9, span };
    Convolution {
        source,
        channels,
        window,
        weights: weights(from * taps * channels),
        bias: vec![3; channels],
        requantise,
    }
}

fn full(source: usize, from: usize, channels: usize, kernel: [u8; 3], span: Span) -> Operation {
    Operation::Convolution(convolution(source, from, channels, Window::centred(kernel), span))
}

fn graph(channels: usize, operations: Vec<Operation>) -> Graph {
    Graph { name: String::new(), channels, span: SPAN, conditions: 1, operations }
}

/// Stem, two blocks of {depthwise, widen, narrow, add}, head.
fn predictor(width: usize, kernel: [u8; 3]) -> Graph {
    let mut all = vec![full(0, width, width, [1; 3], RELU)];
    for _ in 0..2 {
        let from = all.len();
        all.push(Operation::Depthwise(convolution(from, 1, width, Window::centred(kernel), SPAN)));
        all.push(full(from + 1, width, 2 * width, [1; 3], RELU));
        all.push(full(from + 2, 2 * width, width, [1; 3], SPAN));
        all.push(Operation::Add { sources: [from, from + 3], factors: [1, 1], shift: 0, span: SPAN });
    }
    all.push(full(all.len(), width, 2, [1; 3], SPAN));
    graph(width, all)
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let cases = [
        ("bare 3x3 32-32", graph(32, vec![full(0, 32, 32, [1, 3, 3], SPAN)]), [1, 1, 96, 96]),
        ("bare 3x3 24-24", graph(24, vec![full(0, 24, 24, [1, 3, 3], SPAN)]), [1, 1, 96, 96]),
        ("bare 1x1 24-48", graph(24, vec![full(0, 24, 48, [1; 3], SPAN)]), [1, 1, 32, 32]),
        ("network 2-D 24", predictor(24, [1, 3, 3]), [1, 1, 512, 512]),
        ("network 2-D 32", predictor(32, [1, 3, 3]), [1, 1, 512, 512]),
        ("network 3-D 24", predictor(24, [3, 3, 3]), [1, 64, 64, 64]),
        ("network 3-D 32", predictor(32, [3, 3, 3]), [1, 64, 64, 64]),
        ("network 2-D 24 small", predictor(24, [1, 3, 3]), [1, 1, 8, 8]),
        ("network 3-D 24 small", predictor(24, [3, 3, 3]), [1, 4, 4, 4]),
    ];
    for (name, graph, shape) in cases {
        let mut group = criterion.benchmark_group(name);
        let points: usize = shape.iter().product();
        let input: Vec<i16> = weights(points * graph.channels).iter().map(|w| w * 20).collect();
        let mut scratch = Scratch::default();
        for kernel in Kernel::available() {
            let network = Network::new(graph.clone(), kernel)?;
            group.throughput(Throughput::Elements(network.multiplications_per_point() * points as u64));
            group.bench_function(BenchmarkId::from_parameter(kernel.name()), |b| {
                b.iter(|| network.run(black_box(&input), shape, 0, &mut scratch).map(|out| out[0]));
            });
        }
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}
