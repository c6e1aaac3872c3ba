//! Integer networks to be timed, with weights that are the same on every run.
use crate::Result;
use rustix::time::{ClockId, clock_gettime};
use scicodec::network::{Convolution, Graph, Network, Operation, Requantise, Scratch, Span, Window};
use std::hint::black_box;

/// What values may be between layers.
pub const SPAN: Span = Span { low: -2047, high: 2047 };
/// The same after a ReLU.
pub const RELU: Span = Span { low: 0, high: 2047 };

/// Weights that are the same on every run.
pub fn weights(n: usize) -> Vec<i16> {
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

/// A convolution of all channels.
pub fn full(source: usize, from: usize, channels: usize, kernel: [u8; 3], span: Span) -> Operation {
    Operation::Convolution(convolution(source, from, channels, Window::centred(kernel), span))
}

/// A network of these operations.
pub fn graph(channels: usize, operations: Vec<Operation>) -> Graph {
    Graph { name: String::new(), channels, span: SPAN, conditions: 1, operations }
}

/// Stem, two blocks of {depthwise, widen, narrow, add}, head.
pub fn predictor(width: usize, kernel: [u8; 3]) -> Graph {
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

/// A convolution of each channel with itself.
pub fn depthwise(channels: usize, kernel: [u8; 3]) -> Operation {
    Operation::Depthwise(convolution(0, 1, channels, Window::centred(kernel), SPAN))
}

/// Processor time of this thread, in seconds.
pub fn now() -> f64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// Seconds of one run, the best of many.
pub fn seconds(network: &Network, input: &[i16], shape: [usize; 4], scratch: &mut Scratch) -> Result<f64> {
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
