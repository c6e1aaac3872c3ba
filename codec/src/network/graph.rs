//! What a network is made of (SPEC §9.3): operations in order, each making one tensor from earlier ones.

/// Values that a tensor may hold, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Least value.
    pub low: i16,
    /// Greatest value.
    pub high: i16,
}

impl Span {
    /// Greatest magnitude of a value in the span.
    pub fn magnitude(self) -> i64 {
        i64::from(self.low).abs().max(i64::from(self.high).abs())
    }

    /// Number of values in the span.
    pub fn count(self) -> usize {
        (i32::from(self.high) - i32::from(self.low) + 1).max(0) as usize
    }
}

/// How the points of a convolution's result look at its source; axes are (z, y, x), beyond the edge everything is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extents of the kernel.
    pub kernel: [u8; 3],
    /// Steps between the windows of neighbouring results.
    pub stride: [u8; 3],
    /// Zeros in front of the source.
    pub before: [u8; 3],
    /// Zeros behind the source.
    pub after: [u8; 3],
}

impl Window {
    /// One point alone.
    pub const POINT: Window = Window { kernel: [1; 3], stride: [1; 3], before: [0; 3], after: [0; 3] };

    /// A kernel of odd extents around the point, the result as large as the source.
    pub fn centred(kernel: [u8; 3]) -> Window {
        let half = kernel.map(|k| k / 2);
        Window { kernel, stride: [1; 3], before: half, after: half }
    }

    /// Whether the result is of the source's extents.
    pub(super) fn keeps_lattice(&self) -> bool {
        (0..3).all(|a| {
            self.stride[a] == 1 && u32::from(self.before[a]) + u32::from(self.after[a]) + 1 == u32::from(self.kernel[a])
        })
    }

    /// Number of points under the kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel.iter().map(|&k| usize::from(k)).product()
    }
}

/// From a 32-bit sum to a value: `clamp((sum·multiplier + 2^(shift − 1)) >> shift)`, the added half being 0 for shift 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requantise {
    /// One for each channel, or none at all, which means 1 and is much the faster: fold scales into the weights.
    pub multipliers: Vec<i32>,
    /// 0 to 30 without multipliers, 1 to 32 with.
    pub shift: u8,
    /// Where the result is clamped to. A low end of 0 is a ReLU.
    pub span: Span,
}

/// A convolution of all channels, or of each channel with itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Tensor that it reads.
    pub source: usize,
    /// Channels of the result; those of the source if depthwise.
    pub channels: usize,
    /// Kernel, stride and padding.
    pub window: Window,
    /// Full: \[out, z, y, x, in\]. Depthwise: \[z, y, x, channel\].
    pub weights: Vec<i16>,
    /// \[channel\] for all conditions, or \[condition, channel\].
    pub bias: Vec<i32>,
    /// How sums become values.
    pub requantise: Requantise,
}

/// One step of a network. Tensor 0 is the input, tensor k + 1 what operation k makes; sources come earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Every output channel sums over all input channels.
    Convolution(Convolution),
    /// Every channel by itself.
    Depthwise(Convolution),
    /// Replaces every value by `values[value − low]`, low and the number of values being those of the source's span.
    Table {
        /// Tensor that it reads.
        source: usize,
        /// One for each value of the source's span.
        values: Vec<i16>,
    },
    /// `clamp((a·factors[0] + b·factors[1] + 2^(shift − 1)) >> shift)` of two tensors of the same channels and lattice.
    Add {
        /// Tensors that it reads.
        sources: [usize; 2],
        /// What they are multiplied by.
        factors: [i16; 2],
        /// 0 to 30.
        shift: u8,
        /// Where the result is clamped to.
        span: Span,
    },
    /// `clamp((a·gate + 2^(shift − 1)) >> shift)`. The gate has one value for each channel (a tensor made from
    /// [`Operation::Mean`]) or one for each point (a tensor of one channel).
    Scale {
        /// Tensor that it reads.
        source: usize,
        /// Tensor of the factors.
        gate: usize,
        /// 0 to 30.
        shift: u8,
        /// Where the result is clamped to.
        span: Span,
    },
    /// Mean of each channel over z, y and x, to the nearest integer, halves up.
    Mean {
        /// Tensor that it reads.
        source: usize,
    },
    /// Two channels: the mean over the channels, to the nearest integer, halves up, and the greatest.
    Summary {
        /// Tensor that it reads.
        source: usize,
    },
    /// Every point becomes a box of copies of itself.
    Repeat {
        /// Tensor that it reads.
        source: usize,
        /// Extents of the box along z, y, x.
        factors: [u8; 3],
    },
    /// Every point becomes a box of zeros with itself in the first corner: a convolution after it is a transposed one.
    Spread {
        /// Tensor that it reads.
        source: usize,
        /// Extents of the box along z, y, x.
        factors: [u8; 3],
    },
    /// Channels become points: channel `((c·fz + dz)·fy + dy)·fx + dx` becomes channel c at (dz, dy, dx) in the box.
    Shuffle {
        /// Tensor that it reads.
        source: usize,
        /// Extents of the box along z, y, x.
        factors: [u8; 3],
    },
}

/// All that defines a network, unchecked: [`super::Network::new`] checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// What the network is asked for by.
    pub name: String,
    /// Channels of the input.
    pub channels: usize,
    /// Values that the input may hold.
    pub span: Span,
    /// Number of conditions to choose from; at least 1.
    pub conditions: usize,
    /// At least one; the last makes the output.
    pub operations: Vec<Operation>,
}
