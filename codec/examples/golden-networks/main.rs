//! Writes a golden model and a table of what its networks make: once; later readers must get the same bits for ever.
//!
//! `cargo run --release -p scicodec --example golden-networks -- testdata/golden/2/networks.scm 1` draws small networks from
//! the seed until every operation and every flag is there, and adds lines to `networks.tsv` beside the file.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic)]
#[path = "../../tests/network/random.rs"]
mod random;
#[path = "../../tests/network/scattered.rs"]
mod scattered;
use random::Random;
use scicodec::network::{Convolution, Graph, Kernel, ModelBuilder, Network, Operation, Scratch};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

const SHAPE: [usize; 4] = [2, 2, 3, 5];
/// Weights and table entries of one network, at most.
const SIZE: usize = 3000;

/// What a network has in it that a reader could get wrong.
fn features(graph: &Graph) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for operation in &graph.operations {
        let text = format!("{operation:?}");
        let name = text.split([' ', '(']).next().unwrap().to_owned();
        if let Operation::Convolution(c) | Operation::Depthwise(c) = operation {
            let narrow = c.weights.iter().all(|w| i8::try_from(*w).is_ok());
            all.insert(format!("{name}, narrow weights: {narrow}"));
            all.insert(format!("{name}, multipliers: {}", !c.requantise.multipliers.is_empty()));
            all.insert(format!("{name}, by condition: {}", c.bias.len() > c.channels));
            all.insert(format!("{name}, strides: {}", c.window.stride != [1; 3]));
        }
        all.insert(name);
    }
    all
}

fn size(graph: &Graph) -> usize {
    let of = |o: &Operation| match o {
        Operation::Convolution(Convolution { weights, .. }) | Operation::Depthwise(Convolution { weights, .. }) => {
            weights.len()
        }
        Operation::Table { values, .. } => values.len(),
        _ => 0,
    };
    graph.operations.iter().map(of).sum()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: golden-networks FILE.scm SEED";
    let path = std::env::args().nth(1).ok_or(usage)?;
    let path = Path::new(&path);
    let mut random = Random(std::env::args().nth(2).ok_or(usage)?.parse()?);
    if path.exists() {
        return Err(format!("{} is there already", path.display()).into());
    }
    let mut scratch = Scratch::default();
    let mut builder = ModelBuilder::new("golden").section(*b"some", b"to be ignored")?;
    let mut covered = BTreeSet::new();
    let mut networks = 0;
    for _ in 0..200_000 {
        let mut graph = random.graph();
        graph.name = format!("network {networks}");
        if size(&graph) > SIZE || features(&graph).is_subset(&covered) {
            continue;
        }
        let Ok(network) = Network::new(graph.clone(), Kernel::Scalar) else { continue };
        let input = scattered::input(&network, SHAPE);
        let Ok(out) = network.run(&input, SHAPE, 0, &mut scratch) else { continue };
        // An output of few values would show little.
        if out.iter().collect::<BTreeSet<_>>().len() < 10 {
            continue;
        }
        covered.extend(features(&graph));
        builder = builder.network(graph)?;
        networks += 1;
    }
    let model = builder.build()?;
    let table_path = path.with_file_name("networks.tsv");
    let head = "file\tnetwork\tshape\tcondition\tsha256\n";
    let mut table = std::fs::read_to_string(&table_path).unwrap_or_else(|_| head.into());
    let file = path.file_name().ok_or(usage)?.to_string_lossy();
    for network in model.networks() {
        for condition in BTreeSet::from([0, network.graph().conditions - 1]) {
            let out = network.run(&scattered::input(network, SHAPE), SHAPE, condition, &mut scratch)?;
            let digest = scattered::digest(out);
            writeln!(
                table,
                "{file}\t{}\t{}\t{condition}\t{digest}",
                network.name(),
                SHAPE.map(|n| n.to_string()).join(",")
            )?;
        }
    }
    std::fs::write(path, model.write())?;
    std::fs::write(table_path, table)?;
    println!("{networks} networks with {covered:#?}");
    Ok(())
}
