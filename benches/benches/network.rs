//! Integer networks with every kernel that runs here: `cargo bench -p scicodec-bench --bench network [-- PART OF A NAME]`.
//!
//! Billions of multiplications a second of one core, edges counted as whole, by the processor time of the thread, best of
//! several; and the share of the first case's speed. The cases named `bare` are one convolution over tensors that fit into
//! a cache; `network` is what a predictor looks like, over large and small lattices.
#![allow(clippy::print_stdout)]
use scicodec::network::{Kernel, Network, Operation, Scratch};
use scicodec_bench::Result;
use scicodec_bench::networks::{SPAN, depthwise, full, graph, predictor, seconds, weights};

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
