//! Golden models give the outputs that they were written with.
use scicodec::network::{Kernel, Model, ModelLimits, Network, Scratch};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The input that golden outputs were made from: `low + ((i·2654435761 mod 2^32) >> 7) mod count` at offset i.
pub fn input(network: &Network, shape: [usize; 4]) -> Vec<i16> {
    let span = network.graph().span;
    let n = shape.iter().product::<usize>() * network.graph().channels;
    let scattered = (0..n as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 7);
    scattered.map(|v| (i32::from(span.low) + (v % span.count() as u32) as i32) as i16).collect()
}

/// SHA-256 of an output's values, little-endian.
pub fn digest(values: &[i16]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

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
