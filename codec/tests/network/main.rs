//! Integer networks: every kernel equals direct formulas to the bit, and what could overflow is refused.
#![allow(clippy::unwrap_used, clippy::panic)]
mod golden;
mod model;
mod oracle;
mod random;
mod scattered;
use random::Random;
use scicodec::Error;
use scicodec::network::{Convolution, Graph, Kernel, Network, Operation, Requantise, Scratch, Span, Window};

/// Runs a network with every kernel, compares with the oracle, and tells whether it could run.
fn agrees(graph: &Graph, shape: [usize; 4], input: &[i16], scratch: &mut Scratch) -> bool {
    let Ok(network) = Network::new(graph.clone(), Kernel::Scalar) else { return false };
    if network.scratch_bytes(shape).is_err() {
        return false;
    }
    for condition in 0..graph.conditions.min(2) {
        let expected = oracle::run(graph, input, shape, condition);
        for kernel in Kernel::available() {
            let network = network.with_kernel(kernel).unwrap();
            let found = network.run(input, shape, condition, scratch).unwrap();
            assert_eq!(network.output_shape(shape).unwrap(), expected.shape[..4], "{graph:?}");
            assert_eq!(network.output_channels(), expected.shape[4]);
            let same = found.len() == expected.values.len()
                && found.iter().zip(&expected.values).all(|(a, b)| i64::from(*a) == *b);
            assert!(same, "{} differs: shape {shape:?} condition {condition} {graph:?}", kernel.name());
        }
    }
    true
}

#[test]
fn every_kernel_equals_the_oracle() {
    let mut random = Random(1);
    let mut scratch = Scratch::default();
    let mut ran = 0;
    for _ in 0..1500 {
        let graph = random.graph();
        let wide = random.pick(&[1, 2, 3, 5, 9, 14, 31, 40]);
        let shape = [1 + random.below(2) as usize, random.pick(&[1, 1, 2, 3]), random.pick(&[1, 2, 4, 6]), wide];
        let input = random.values(graph.span, shape.iter().product::<usize>() * graph.channels);
        ran += usize::from(agrees(&graph, shape, &input, &mut scratch));
    }
    assert!(ran > 500, "only {ran} of the networks drawn could run");
}

fn pointwise(source: usize, channels: usize, weights: Vec<i16>, bias: i32, shift: u8) -> Operation {
    let span = Span { low: -2047, high: 2047 };
    let requantise = Requantise { multipliers: vec![], shift, span };
    let bias = vec![bias; channels];
    Operation::Convolution(Convolution { source, channels, window: Window::POINT, weights, bias, requantise })
}

fn graph(channels: usize, span: Span, operations: Vec<Operation>) -> Graph {
    Graph { name: String::new(), channels, span, conditions: 1, operations }
}

/// Lattices wider than a tile, so that segments, their last points and their margins are all met.
#[test]
fn wide_rows_equal_the_oracle() {
    let mut random = Random(2);
    let span = Span { low: -2047, high: 2047 };
    let mut scratch = Scratch::default();
    for (width, kernel) in [(700, [1, 3, 3]), (1000, [3, 3, 3]), (331, [1, 1, 5])] {
        let window = Window::centred(kernel);
        let taps: usize = kernel.iter().map(|&k| usize::from(k)).product();
        let requantise = Requantise { multipliers: vec![], shift: 10, span };
        let depthwise = Operation::Depthwise(Convolution {
            source: 1,
            channels: 24,
            window,
            weights: random.values(Span { low: -500, high: 500 }, 24 * taps),
            bias: vec![77; 24],
            requantise,
        });
        let small = Span { low: -900, high: 900 };
        let operations = vec![
            pointwise(0, 24, random.values(small, 22 * 24), 5, 9),
            depthwise,
            pointwise(2, 48, random.values(small, 24 * 48), -5, 9),
            pointwise(3, 24, random.values(small, 48 * 24), 5, 9),
            Operation::Add { sources: [1, 4], factors: [3, 2], shift: 2, span },
            Operation::Mean { source: 5 },
            Operation::Scale { source: 5, gate: 6, shift: 7, span },
            pointwise(7, 2, random.values(small, 48), 5, 9),
        ];
        let graph = graph(22, span, operations);
        let shape = [2, 2, 2, width];
        let input = random.values(span, 8 * width * 22);
        assert!(agrees(&graph, shape, &input, &mut scratch));
    }
}

/// The greatest sums that the proof lets through come out right, and one more is refused.
#[test]
fn sums_at_the_edge_of_overflow() {
    let span = Span { low: -32768, high: 32767 };
    let n = 2;
    // 2 · 32768 · 32767 leaves 65,535 for bias and rounding.
    let weights = vec![-32767i16; n];
    let edge = |bias: i32| graph(n, span, vec![pointwise(0, 1, weights.clone(), bias, 16)]);
    let mut scratch = Scratch::default();
    let input = [-32768; 2];
    assert!(agrees(&edge(32767), [1, 1, 1, 1], &input, &mut scratch));
    let refused = Network::new(edge(32768), Kernel::Scalar).unwrap_err();
    assert!(matches!(refused, Error::InvalidArgument(what) if what.contains("§9.4")));
    // Both factors at their least would overflow a pair of products.
    let weights = vec![-32768i16; 2];
    assert!(Network::new(graph(2, span, vec![pointwise(0, 1, weights, 0, 16)]), Kernel::Scalar).is_err());
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let span = Span { low: -10, high: 10 };
    let network = Network::new(graph(1, span, vec![pointwise(0, 1, vec![1], 0, 0)]), Kernel::Scalar).unwrap();
    let mut scratch = Scratch::default();
    assert!(network.run(&[11], [1, 1, 1, 1], 0, &mut scratch).is_err());
    assert!(network.run(&[1, 2], [1, 1, 1, 1], 0, &mut scratch).is_err());
    assert!(network.run(&[1], [1, 1, 1, 1], 1, &mut scratch).is_err());
    assert!(network.run(&[], [1, usize::MAX, 2, 1], 0, &mut scratch).is_err());
    assert_eq!(network.run(&[], [1, 0, 2, 1], 0, &mut scratch).unwrap(), []);
    let mut small = Scratch::with_limit(8);
    assert!(matches!(network.run(&[1; 9], [1, 1, 1, 9], 0, &mut small), Err(Error::Limit { .. })));
}
