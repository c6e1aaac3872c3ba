//! Checks a network before anything is computed with it: shapes chain, and no 32-bit sum can overflow (SPEC §9.3, §9.4).
use super::error::{Refusal, within, wrong};
use super::graph::{Convolution, Graph, Operation, Requantise, Span, Window};
use super::limits::ModelLimits;

/// Extents of a kernel, exclusive.
pub(super) const KERNEL_EXTENT: u8 = 8;

/// How the points of a tensor follow from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lattice {
    /// Those of the input.
    Input,
    /// Those of a convolution that does not keep them.
    Windowed(usize, Window),
    /// Each replaced by a box.
    Expanded(usize, [u8; 3]),
    /// One for each b.
    Pooled,
}

/// What is known of a tensor for all inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tensor {
    pub channels: usize,
    pub span: Span,
    /// Place in [`Checked::lattices`].
    pub lattice: usize,
}

/// What checking found out.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub tensors: Vec<Tensor>,
    pub lattices: Vec<Lattice>,
    /// Multiplications for each point of the input, rounded up.
    pub multiplications: u64,
}

struct Checker<'a> {
    graph: &'a Graph,
    limits: &'a ModelLimits,
    tensors: Vec<Tensor>,
    lattices: Vec<Lattice>,
    /// Points of each lattice for each point of the input, as a fraction.
    sizes: Vec<(u64, u64)>,
    multiplications: u64,
}

/// Checks everything about a network.
pub(super) fn check(graph: &Graph, limits: &ModelLimits) -> Result<Checked, Refusal> {
    span(graph.span)?;
    if graph.channels == 0 || graph.operations.is_empty() || graph.conditions == 0 {
        return wrong("9.2", "a network without channels, conditions or operations");
    }
    within("channels of a network's input", graph.channels as u64, limits.channels)?;
    within("operations of a network", graph.operations.len() as u64, limits.operations)?;
    let input = Tensor { channels: graph.channels, span: graph.span, lattice: 0 };
    let mut checker = Checker {
        graph,
        limits,
        tensors: vec![input],
        lattices: vec![Lattice::Input],
        sizes: vec![(1, 1)],
        multiplications: 0,
    };
    for operation in &graph.operations {
        let tensor = checker.operation(operation)?;
        within("channels of a tensor", tensor.channels as u64, limits.channels)?;
        checker.tensors.push(tensor);
    }
    let Checker { tensors, lattices, multiplications, .. } = checker;
    Ok(Checked { tensors, lattices, multiplications })
}

impl Checker<'_> {
    fn operation(&mut self, operation: &Operation) -> Result<Tensor, Refusal> {
        match operation {
            Operation::Convolution(c) => self.convolution(c, false),
            Operation::Depthwise(c) => self.convolution(c, true),
            Operation::Table { source, values } => {
                let t = self.tensor(*source)?;
                if values.len() != t.span.count() {
                    return wrong("9.3", format!("a table of {} values for {}", values.len(), t.span.count()));
                }
                let low = values.iter().copied().min().unwrap_or(0);
                let high = values.iter().copied().max().unwrap_or(0);
                Ok(Tensor { span: Span { low, high }, ..t })
            }
            Operation::Add { sources, factors, shift, span: to } => {
                let (a, b) = (self.tensor(sources[0])?, self.tensor(sources[1])?);
                if a.channels != b.channels || a.lattice != b.lattice {
                    return wrong("9.3", "a sum of tensors of different shapes");
                }
                let [fa, fb] = factors.map(|f| i64::from(f).abs());
                fits(fa * a.span.magnitude() + fb * b.span.magnitude(), *shift)?;
                Ok(Tensor { span: span(*to)?, ..a })
            }
            Operation::Scale { source, gate, shift, span: to } => {
                let (a, g) = (self.tensor(*source)?, self.tensor(*gate)?);
                let by_channel = self.lattices[g.lattice] == Lattice::Pooled && g.channels == a.channels;
                if !(by_channel || g.lattice == a.lattice && g.channels == 1) {
                    return wrong("9.3", "a gate that has neither one value a channel nor one a point");
                }
                fits(a.span.magnitude() * g.span.magnitude(), *shift)?;
                Ok(Tensor { span: span(*to)?, ..a })
            }
            Operation::Mean { source } => {
                let t = self.tensor(*source)?;
                Ok(Tensor { lattice: self.lattice(Lattice::Pooled, (1, 1))?, ..t })
            }
            Operation::Summary { source } => Ok(Tensor { channels: 2, ..self.tensor(*source)? }),
            Operation::Repeat { source, factors } => self.expand(*source, *factors, 1),
            Operation::Spread { source, factors } => {
                let t = self.expand(*source, *factors, 1)?;
                let to = Span { low: t.span.low.min(0), high: t.span.high.max(0) };
                Ok(Tensor { span: to, ..t })
            }
            Operation::Shuffle { source, factors } => {
                self.expand(*source, *factors, factors.iter().map(|&f| usize::from(f)).product())
            }
        }
    }

    fn tensor(&self, at: usize) -> Result<Tensor, Refusal> {
        let Some(&t) = self.tensors.get(at) else {
            return wrong("9.3", format!("operation {} reads tensor {at}", self.tensors.len() - 1));
        };
        Ok(t)
    }

    fn lattice(&mut self, lattice: Lattice, size: (u64, u64)) -> Result<usize, Refusal> {
        if let Some(at) = self.lattices.iter().position(|l| *l == lattice) {
            return Ok(at);
        }
        within("points of a tensor for each of the input", size.0.div_ceil(size.1), self.limits.points_per_point)?;
        self.lattices.push(lattice);
        self.sizes.push(size);
        Ok(self.lattices.len() - 1)
    }

    fn expand(&mut self, source: usize, factors: [u8; 3], channels_in_box: usize) -> Result<Tensor, Refusal> {
        let t = self.tensor(source)?;
        if factors.contains(&0) || t.channels % channels_in_box != 0 {
            return wrong("9.3", format!("factors {factors:?} for {} channels", t.channels));
        }
        if self.lattices[t.lattice] == Lattice::Pooled {
            return wrong("9.3", "an expanded mean");
        }
        let volume: u64 = factors.iter().map(|&f| u64::from(f)).product();
        let (up, down) = self.sizes[t.lattice];
        let lattice = self.lattice(Lattice::Expanded(t.lattice, factors), (up.saturating_mul(volume), down))?;
        Ok(Tensor { channels: t.channels / channels_in_box, lattice, ..t })
    }

    fn convolution(&mut self, c: &Convolution, depthwise: bool) -> Result<Tensor, Refusal> {
        let t = self.tensor(c.source)?;
        let w = &c.window;
        for a in 0..3 {
            let padding = w.before[a].max(w.after[a]);
            if w.kernel[a] == 0 || w.kernel[a] > KERNEL_EXTENT || w.stride[a] == 0 || padding >= w.kernel[a] {
                return wrong("9.3", format!("a window of {w:?}"));
            }
        }
        if c.channels == 0 || depthwise && c.channels != t.channels {
            return wrong("9.3", format!("a convolution from {} to {} channels", t.channels, c.channels));
        }
        within("channels of a tensor", c.channels as u64, self.limits.channels)?;
        let per_channel = if depthwise { w.taps() } else { w.taps() * t.channels };
        if c.weights.len() as u64 != per_channel as u64 * c.channels as u64 {
            return wrong("9.3", format!("{} weights for {} channels", c.weights.len(), c.channels));
        }
        let conditional = (c.channels as u64).saturating_mul(self.graph.conditions as u64);
        if c.bias.len() != c.channels && c.bias.len() as u64 != conditional {
            return wrong("9.3", format!("{} biases for {} channels", c.bias.len(), c.channels));
        }
        let stride: u64 = w.stride.iter().map(|&s| u64::from(s)).product();
        let (up, down) = self.sizes[t.lattice];
        let (lattice, size) = if w.keeps_lattice() {
            (t.lattice, (up, down))
        } else if self.lattices[t.lattice] == Lattice::Pooled {
            return wrong("9.3", "a window over means");
        } else {
            let size = (up, down.saturating_mul(stride));
            (self.lattice(Lattice::Windowed(t.lattice, *w), size)?, size)
        };
        let products = u128::from(size.0) * (c.weights.len() as u128);
        let products = products.div_ceil(u128::from(size.1));
        self.multiplications = self.multiplications.saturating_add(u64::try_from(products).unwrap_or(u64::MAX));
        within(
            "multiplications for each point of a network's input",
            self.multiplications,
            self.limits.multiplications_per_point,
        )?;
        sums(c, depthwise, t)?;
        Ok(Tensor { channels: c.channels, span: span(c.requantise.span)?, lattice })
    }
}

fn span(s: Span) -> Result<Span, Refusal> {
    if s.low > s.high { wrong("9.2", format!("values from {} to {}", s.low, s.high)) } else { Ok(s) }
}

/// What is added before shifting.
pub(super) fn half(shift: u8) -> i64 {
    if shift == 0 { 0 } else { 1 << (shift - 1) }
}

/// A sum of this magnitude is shifted in 32 bits.
fn fits(magnitude: i64, shift: u8) -> Result<(), Refusal> {
    if shift > 30 {
        return wrong("9.4", format!("a shift of {shift}, expected at most 30"));
    }
    if magnitude + half(shift) >= 1 << 31 {
        return wrong("9.4", format!("a sum of up to {magnitude} overflows"));
    }
    Ok(())
}

/// Proves for each channel that its sum fits, whatever the source holds and in whatever order it is summed.
fn sums(c: &Convolution, depthwise: bool, source: Tensor) -> Result<(), Refusal> {
    let Requantise { multipliers, shift, .. } = &c.requantise;
    if !multipliers.is_empty() && multipliers.len() != c.channels {
        return wrong("9.3", format!("{} multipliers for {} channels", multipliers.len(), c.channels));
    }
    if !multipliers.is_empty() && !(1..=32).contains(shift) {
        return wrong("9.4", format!("a shift of {shift}, expected 1 to 32"));
    }
    let per_channel = c.weights.len() / c.channels;
    for channel in 0..c.channels {
        let l1: i64 = if depthwise {
            c.weights[channel..].iter().step_by(c.channels).map(|w| i64::from(*w).abs()).sum()
        } else {
            c.weights[channel * per_channel..][..per_channel].iter().map(|w| i64::from(*w).abs()).sum()
        };
        let bias = c.bias[channel..].iter().step_by(c.channels).map(|b| i64::from(*b).abs()).max().unwrap_or(0);
        // At most 2^15 · 2^15 · weights + 2^31, and weights are far below 2^30.
        let magnitude = l1 * source.span.magnitude() + bias;
        match multipliers.get(channel) {
            None => fits(magnitude, *shift)?,
            Some(&m) => {
                if m < 0 {
                    return wrong("9.4", format!("a multiplier of {m}"));
                }
                let scaled = (magnitude.min(1 << 31) * i64::from(m) + half(*shift)) >> shift;
                if magnitude >= 1 << 31 || scaled >= 1 << 31 {
                    return wrong("9.4", format!("a sum of up to {magnitude} overflows"));
                }
            }
        }
    }
    Ok(())
}
