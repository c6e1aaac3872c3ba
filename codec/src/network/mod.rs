//! Integer networks, run exactly: the same bits on every processor, with no framework behind them (SPEC §9).
//!
//! A [`Model`] is a file with one or more [`Network`]s and whatever else was trained with them. A network maps a lattice
//! of points with some channels each, 16-bit integers, to another one. Whether a sum could overflow is decided once, when
//! a network is read or built, for all inputs; so sums may be made in any order, with any instructions.
//!
//! ```
//! use scicodec::network::{Convolution, Graph, Kernel, Network, Operation, Requantise, Scratch, Span, Window};
//!
//! // One channel in, one out: the mean of the two neighbours along the last axis, and nothing below 0.
//! let mean = Operation::Convolution(Convolution {
//!     source: 0,
//!     channels: 1,
//!     window: Window::centred([1, 1, 3]),
//!     weights: vec![1, 0, 1],
//!     bias: vec![0],
//!     requantise: Requantise { multipliers: vec![], shift: 1, span: Span { low: 0, high: 2047 } },
//! });
//! let span = Span { low: -2047, high: 2047 };
//! let graph = Graph { name: "mean".into(), channels: 1, span, conditions: 1, operations: vec![mean] };
//! let network = Network::new(graph, Kernel::choose()?)?;
//! // Four points: 1 × 1 × 1 × 4. Beyond the edge everything is 0, and halves are rounded up.
//! let mut scratch = Scratch::default();
//! assert_eq!(network.run(&[10, 20, 30, -90], [1, 1, 1, 4], 0, &mut scratch)?, [10, 20, 0, 15]);
//! # Ok::<(), scicodec::Error>(())
//! ```
mod about;
mod chain;
mod check;
mod error;
mod fields;
mod graph;
mod kernel;
mod limits;
mod model;
mod other;
mod plan;
mod prepared;
mod read;
mod run;
mod write;

pub use chain::{Chain, Sums};
pub use graph::{Convolution, Graph, Operation, Requantise, Span, Window};
pub use kernel::Kernel;
pub use limits::ModelLimits;
pub use model::{FindModel, Model, ModelBuilder, ModelId};
pub use prepared::Network;
pub use run::Scratch;
