//! A model with latents, put together by hand: the default one's networks guide with latents, and those that guide without
//! are spoiled, so that latents are worth their bits.
#[path = "spoiled.rs"]
pub mod spoiled;
use scicodec::learned::{LATENT_NETWORKS, LatentTables, builtin};
use scicodec::network::{Convolution, Graph, Operation, Requantise, Span, Window};
use scicodec::{Error, LoadedModel};
use spoiled::model_of;
use std::sync::Arc;

/// Channels of latents, of hyper-latents, of what these say, and of features.
const SIZES: [usize; 4] = [2, 1, 1, 2];
const GAINS: usize = 3;
const SEEN: Span = Span { low: -1023, high: 1023 };

/// Numbers from −3 to 3, always the same.
fn weights(count: usize, seed: u32) -> Vec<i16> {
    (0..count as u32)
        .map(|k| ((k + 1).wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 13) as i16 % 7 - 3)
        .collect()
}

fn window(kernel: [u8; 3], stride: [u8; 3], before: [u8; 3], after: [u8; 3]) -> Window {
    Window { kernel, stride, before, after }
}

fn graph(k: usize, channels: [usize; 2], conditions: usize, window: Window, shift: u8) -> Graph {
    let [from, to] = channels;
    let taps = window.kernel.iter().map(|k| usize::from(*k)).product::<usize>();
    let weights = weights(to * from * taps, k as u32);
    let bias = (0..conditions * to).map(|b| (b as i32 * 5 % 7 - 3) << shift >> 2).collect();
    let requantise = Requantise { multipliers: vec![], shift, span: SEEN };
    let one = Operation::Convolution(Convolution { source: 0, channels: to, window, weights, bias, requantise });
    Graph { name: LATENT_NETWORKS[k].into(), channels: from, span: SEEN, conditions, operations: vec![one] }
}

/// The tables of the model.
pub fn tables() -> LatentTables {
    LatentTables {
        channels: SIZES[0],
        hyper: SIZES[1],
        turns: 2,
        worth: vec![900, 1100, 1300, 1000, 1200, 1400],
        shift: 3,
        scales: (1..4u16).map(|k| std::array::from_fn(|i| 30000 / (1 + i as u16 * 4 / k))).collect(),
        priors: vec![
            std::array::from_fn(|i| if i < 8 { 65535 - 900 * i as u16 } else { 7000 / (i as u16 - 6) });
            GAINS
        ],
    }
}

/// The networks by name.
pub fn graphs() -> Result<Vec<Graph>, Error> {
    let [c, h, said, features] = SIZES;
    let around = Window::centred([1, 3, 3]);
    let mut hyper = graph(2, [h, 4 * said], 1, Window::POINT, 4);
    hyper.operations.push(Operation::Shuffle { source: 1, factors: [1, 2, 2] });
    let mut all = vec![
        graph(0, [4, c], GAINS, window([4, 8, 8], [4, 8, 8], [0; 3], [3, 7, 7]), 8),
        graph(1, [c, h], 1, window([1, 2, 2], [1, 2, 2], [0; 3], [0, 1, 1]), 0),
        hyper,
        graph(3, [said + c, 2 * c], GAINS * 2, around, 6),
        graph(4, [c, features], GAINS, around, 2),
    ];
    for network in builtin(1)?.model().networks() {
        let mut graph = network.graph().clone();
        let trunk = graph.name == "passes";
        graph.name = LATENT_NETWORKS[if trunk { 5 } else { 6 }].into();
        if trunk {
            let Some(Operation::Convolution(stem)) = graph.operations.first_mut() else { unreachable!() };
            let rows = stem.weights.chunks_exact(graph.channels).enumerate();
            stem.weights = rows.flat_map(|(k, row)| [row, &[(k % 3) as i16, -((k % 2) as i16)]].concat()).collect();
            graph.channels += features;
        }
        all.push(graph);
    }
    Ok(all)
}

/// The model, ready.
pub fn latent_model() -> Result<Arc<LoadedModel>, Error> {
    let model = model_of(&tables(), graphs()?)?;
    // What it stands on is not told: no chunk is to be coded by that instead.
    Ok(Arc::new(LoadedModel::new(model)?))
}
