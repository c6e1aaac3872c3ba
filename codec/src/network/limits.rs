//! What a reader of models is willing to do.

/// Ceilings that hold before anything is allocated or computed (SPEC §9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelLimits {
    /// Bytes of a model file.
    pub bytes: u64,
    /// Sections of a model file.
    pub sections: u64,
    /// Operations of a network.
    pub operations: u64,
    /// Channels of a tensor.
    pub channels: u64,
    /// Multiplications for each point of a network's input.
    pub multiplications_per_point: u64,
    /// Points of any tensor for each point of the input.
    pub points_per_point: u64,
}

impl Default for ModelLimits {
    fn default() -> Self {
        ModelLimits {
            bytes: 1 << 28,
            sections: 1 << 10,
            operations: 1 << 10,
            channels: 1 << 12,
            multiplications_per_point: 1 << 24,
            points_per_point: 1 << 12,
        }
    }
}
