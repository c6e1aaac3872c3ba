//! Integer networks with every kernel that runs here: `cargo bench -p scicodec-bench --bench network [-- PART OF A NAME]`.
//!
//! Billions of multiplications a second of one core, edges counted as whole, by the processor time of the thread, best of
//! several; and the share of the first case's speed. The cases named `bare` are one convolution over tensors that fit into
//! a cache; `network` is what a predictor looks like, over large and small lattices.
#![allow(clippy::print_stdout)]
use rustix::time::{ClockId, clock_gettime};
use scicodec::network::{Convolution, Graph, Kernel, Network, Operation, Requantise, Scratch, Span, Window};
use scicodec_bench::Result;
use std::hint::black_box;

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

fn depthwise(channels: usize, kernel: [u8; 3]) -> Operation {
    Operation::Depthwise(convolution(0, 1, channels, Window::centred(kernel), SPAN))
}

/// Processor time of this thread, in seconds.
fn now() -> f64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// Seconds of one run, the best of many.
fn seconds(network: &Network, input: &[i16], shape: [usize; 4], scratch: &mut Scratch) -> Result<f64> {
    let mut best = f64::INFINITY;
    let mut repeats = 1;
    let end = now() + 0.6;
    while now() < end {
        let start = now();
        for _ in 0..repeats {
            black_box(network.run(black_box(input), shape, 0, scratch)?);
        }
        let took = now() - start;
        best = best.min(took / f64::from(repeats));
        if took < 2e-3 {
            repeats *= 2;
        }
    }
    Ok(best)
}

fn main() -> Result<()> {
    let part = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let span = SPAN;
    let add = Operation::Add { sources: [0, 0], factors: [1, 1], shift: 0, span };
    let cases = [
        ("bare 3x3 32-32", graph(32, vec![full(0, 32, 32, [1, 3, 3], SPAN)]), [1, 1, 96, 96]),
        ("bare 3x3 24-24", graph(24, vec![full(0, 24, 24, [1, 3, 3], SPAN)]), [1, 1, 96, 96]),
        ("bare 1x1 24-48", graph(24, vec![full(0, 24, 48, [1; 3], SPAN)]), [1, 1, 32, 32]),
        ("bare 1x1 48-24", graph(48, vec![full(0, 48, 24, [1; 3], SPAN)]), [1, 1, 32, 32]),
        ("bare depthwise 3x3 24", graph(24, vec![depthwise(24, [1, 3, 3])]), [1, 1, 32, 32]),
        ("bare depthwise 3x3x3 24", graph(24, vec![depthwise(24, [3, 3, 3])]), [1, 8, 16, 16]),
        ("bare add 24", graph(24, vec![add]), [1, 1, 32, 32]),
        ("network 2-D 24", predictor(24, [1, 3, 3]), [1, 1, 512, 512]),
        ("network 2-D 32", predictor(32, [1, 3, 3]), [1, 1, 512, 512]),
        ("network 3-D 24", predictor(24, [3, 3, 3]), [1, 64, 64, 64]),
        ("network 3-D 32", predictor(32, [3, 3, 3]), [1, 64, 64, 64]),
        ("network 2-D 24, 8 x 8", predictor(24, [1, 3, 3]), [1, 1, 8, 8]),
        ("network 3-D 24, 4 x 4 x 4", predictor(24, [3, 3, 3]), [1, 4, 4, 4]),
        ("network 3-D 24, 17 x 23 x 9", predictor(24, [3, 3, 3]), [1, 17, 23, 9]),
    ];
    for kernel in Kernel::available() {
        let mut bare = None;
        for (name, graph, shape) in cases.iter().filter(|c| c.0.contains(&part)) {
            let points: usize = shape.iter().product();
            let input: Vec<i16> = weights(points * graph.channels).iter().map(|w| w * 20).collect();
            let mut scratch = Scratch::default();
            let network = Network::new(graph.clone(), kernel)?;
            let took = seconds(&network, &input, *shape, &mut scratch)?;
            let speed = network.multiplications_per_point() as f64 * points as f64 / took * 1e-9;
            let share = 100.0 * speed / *bare.get_or_insert(speed);
            let each = took / points as f64 * 1e9;
            println!("{:7} {name:30} {speed:6.1} GMAC/s {share:4.0} %  {each:7.1} ns a point", kernel.name());
        }
    }
    Ok(())
}
