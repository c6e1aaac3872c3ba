//! Golden models give the outputs that they were written with.
use crate::scattered::{digest, input};
use scicodec::network::{Kernel, Model, ModelLimits, Scratch};
use std::path::Path;

#[test]
fn golden_networks_give_the_same_bits_with_every_kernel() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/golden");
    let mut seen = 0;
    for folder in std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()) {
        let Ok(table) = std::fs::read_to_string(folder.join("networks.tsv")) else { continue };
        for line in table.lines().skip(1) {
            let [file, name, shape, condition, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line:?}")
            };
            let shape: Vec<usize> = shape.split(',').map(|n| n.parse().unwrap()).collect();
            let shape: [usize; 4] = shape.try_into().unwrap();
            let bytes = std::fs::read(folder.join(file)).unwrap();
            for kernel in Kernel::available() {
                let model = Model::read_for(&bytes, &ModelLimits::default(), kernel).unwrap();
                let network = model.network(name).unwrap();
                let mut scratch = Scratch::default();
                let condition = condition.parse().unwrap();
                let out = network.run(&input(network, shape), shape, condition, &mut scratch).unwrap();
                assert_eq!(digest(out), expected, "{file} {name} {}", kernel.name());
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} golden networks");
}
