//! What can go wrong, by who is at fault.
use crate::Kind;

/// Why there are no fields.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The grid that was asked for does not suit the kind.
    #[error("{kind}: a grid of shape {got:?} was asked for; it takes {need}")]
    Shape {
        /// What was to be simulated.
        kind: Kind,
        /// The extents asked for, slowest axis first.
        got: Vec<usize>,
        /// The extents that would do.
        need: String,
    },
    /// The solver left the range of finite numbers: a fault of the solver or of its parameters.
    #[error("{kind} with seed {seed}: not finite at frame {frame}")]
    NotFinite {
        /// What was simulated.
        kind: Kind,
        /// From which seed.
        seed: u64,
        /// The first frame that holds a value that is not finite, counted from 0.
        frame: usize,
    },
    /// No kind has this name.
    #[error("{0:?} is no kind of simulation; there are {kinds}", kinds = Kind::ALL.map(Kind::name).join(", "))]
    UnknownKind(String),
}
