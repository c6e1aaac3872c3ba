//! What goes into a simulation and what comes out.

/// What to simulate: the seed that the parameters are drawn from, and how much to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Parameters and initial state are drawn from it, apart for each kind.
    pub seed: u64,
    /// Extents of the grid, slowest axis first: y, x or z, y, x.
    pub grid: Vec<usize>,
    /// How many states are recorded, at equal intervals.
    pub frames: usize,
}

/// One recorded quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name, like `vorticity`.
    pub name: &'static str,
    /// Its unit in those of the module that made it; `1` has none.
    pub units: &'static str,
    /// Frames, then the extents of the grid, slowest axis first.
    pub shape: Vec<usize>,
    /// The values in C order.
    pub values: Vec<f32>,
}
