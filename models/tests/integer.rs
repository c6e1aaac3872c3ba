//! Integer networks come out of burn as they come out of every kernel, on the best device that the build has: libtorch with
//! feature `tch`.
#![cfg(feature = "flex")]
#![allow(clippy::unwrap_used, clippy::panic)]
#[path = "../../codec/tests/network/random.rs"]
mod random;
use random::Random;
use scicodec::network::{Kernel, Model, ModelLimits, Network, Scratch};
use scicodec_models::{device, run_integers};
use std::path::Path;

fn agrees(network: &Network, shape: [usize; 4], input: &[i16], condition: usize) {
    let device = device("cpu").unwrap();
    let expected = run_integers(network, input, shape, condition, &device).unwrap();
    let mut scratch = Scratch::default();
    for kernel in Kernel::available() {
        let network = network.with_kernel(kernel).unwrap();
        let found = network.run(input, shape, condition, &mut scratch).unwrap();
        assert!(found == expected, "{} differs: {shape:?} condition {condition} {:?}", kernel.name(), network.graph());
    }
}

#[test]
fn networks_drawn_at_random() {
    let mut random = Random(11);
    let mut ran = 0;
    for _ in 0..600 {
        let graph = random.graph();
        let wide = random.pick(&[1, 2, 3, 5, 9, 14]);
        let shape = [1 + random.below(2) as usize, random.pick(&[1, 1, 2, 3]), random.pick(&[1, 2, 4, 6]), wide];
        let input = random.values(graph.span, shape.iter().product::<usize>() * graph.channels);
        let Ok(network) = Network::new(graph, Kernel::Scalar) else { continue };
        if network.scratch_bytes(shape).is_err() {
            continue;
        }
        for condition in 0..network.graph().conditions.min(2) {
            agrees(&network, shape, &input, condition);
        }
        ran += 1;
    }
    assert!(ran > 200, "only {ran} of the networks drawn could run");
}

#[test]
fn networks_that_ship() {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights");
    let mut random = Random(12);
    let mut ran = 0;
    for folder in std::fs::read_dir(weights).unwrap().map(|f| f.unwrap().path()).filter(|f| f.is_dir()) {
        let bytes = std::fs::read(folder.join("weights.scm")).unwrap();
        let Ok(model) = Model::read(&bytes, &ModelLimits::default()) else { continue };
        for network in model.networks() {
            for shape in [[1, 1, 32, 32], [2, 8, 8, 16]] {
                let graph = network.graph();
                let n = shape.iter().product::<usize>() * graph.channels;
                let input = random.values(graph.span, n);
                let condition = random.below(graph.conditions as u64) as usize;
                if network.scratch_bytes(shape).is_ok() {
                    agrees(network, shape, &input, condition);
                    ran += 1;
                }
            }
        }
    }
    assert!(ran > 4, "only {ran} networks ran");
}
