//! A network that has been checked and is ready to run.
use super::check::{self, Checked};
use super::error::Refusal;
use super::graph::{Convolution, Graph, Operation, Span};
use super::kernel::{self, Finish, Kernel, PackedDense};
use super::limits::ModelLimits;
use super::plan::{self, Plan};
use crate::Error;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an operation needs beside its definition.
#[derive(Clone, Debug)]
pub(super) enum Prepared {
    Dense(PackedDense, Sums),
    Depthwise(Sums),
    Other,
}

/// Where the sums of a convolution start and how they end.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    /// One or as many as conditions, each with channels rounded up to a multiple of 8.
    starts: Vec<Vec<i32>>,
    multipliers: Option<Vec<i32>>,
    /// The same for depthwise convolutions, by lane.
    lane_starts: Vec<Vec<i32>>,
    lane_multipliers: Vec<i32>,
    shift: u32,
    span: Span,
}

impl Sums {
    fn new(c: &Convolution, kernel: Kernel) -> Sums {
        let padded = c.channels.next_multiple_of(8);
        let r = &c.requantise;
        // Without multipliers the rounding is a part of the start, which the proof allows for.
        let half = if r.multipliers.is_empty() { check::half(r.shift) as i32 } else { 0 };
        let start = |bias: &[i32]| {
            let mut start: Vec<i32> = bias.iter().map(|b| b + half).collect();
            start.resize(padded, 0);
            start
        };
        let multipliers = (!r.multipliers.is_empty()).then(|| {
            let mut all = r.multipliers.clone();
            all.resize(padded, 0);
            all
        });
        let starts: Vec<_> = c.bias.chunks(c.channels).map(start).collect();
        let lane_starts = starts.iter().map(|s| kernel::by_lane(kernel, s)).collect();
        let lane_multipliers = multipliers.as_ref().map_or(vec![], |m| kernel::by_lane(kernel, m));
        Sums { starts, multipliers, lane_starts, lane_multipliers, shift: r.shift.into(), span: r.span }
    }

    pub(super) fn finish(&self, condition: usize) -> Finish<'_> {
        let condition = if self.starts.len() == 1 { 0 } else { condition };
        Finish {
            start: &self.starts[condition],
            multipliers: self.multipliers.as_deref(),
            lane_start: &self.lane_starts[condition],
            lane_multipliers: &self.lane_multipliers,
            shift: self.shift,
            low: self.span.low,
            high: self.span.high,
        }
    }
}

/// An integer network, checked and prepared for one kind of processor. It is immutable: threads can share it, each
/// with a [`super::Scratch`] of its own.
#[derive(Clone, Debug)]
pub struct Network {
    pub(super) graph: Graph,
    pub(super) checked: Checked,
    pub(super) plan: Plan,
    pub(super) prepared: Vec<Prepared>,
    pub(super) kernel: Kernel,
    /// Tells apart whose packed weights a scratch holds.
    pub(super) serial: u64,
}

impl Network {
    /// Checks a network and prepares it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with the rule of SPEC §9 that it breaks, such as a sum that could overflow, or if the
    /// kernel cannot run here; [`Error::Limit`] beyond the default limits.
    pub fn new(graph: Graph, kernel: Kernel) -> Result<Network, Error> {
        Network::prepare(graph, kernel, &ModelLimits::default()).map_err(Refusal::of_caller)
    }

    pub(super) fn prepare(graph: Graph, kernel: Kernel, limits: &ModelLimits) -> Result<Network, Refusal> {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let checked = check::check(&graph, limits)?;
        if !kernel.runs_here() {
            return Err(Refusal::Unsupported(format!("networks on {} here", kernel.name())));
        }
        let plan = Plan::new(&graph, &checked);
        let prepare = |o: &Operation| prepare(o, &checked, kernel);
        let prepared = graph.operations.iter().map(prepare).collect();
        Ok(Network { graph, checked, plan, prepared, kernel, serial })
    }

    /// The same network for another kind of instructions, with the same results.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if they cannot run here.
    pub fn with_kernel(&self, kernel: Kernel) -> Result<Network, Error> {
        let limits = ModelLimits { multiplications_per_point: u64::MAX, ..ModelLimits::default() };
        Network::prepare(self.graph.clone(), kernel, &limits).map_err(Refusal::of_caller)
    }

    /// What the network is made of.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What it is asked for by.
    pub fn name(&self) -> &str {
        &self.graph.name
    }

    /// Channels of the output.
    pub fn output_channels(&self) -> usize {
        self.checked.tensors[self.graph.operations.len()].channels
    }

    /// Values that the output may hold.
    pub fn output_span(&self) -> Span {
        self.checked.tensors[self.graph.operations.len()].span
    }

    /// Extents \[b, z, y, x\] of the output for an input of extents `shape`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a window does not fit into what it moves over.
    pub fn output_shape(&self, shape: [usize; 4]) -> Result<[usize; 4], Error> {
        let lattice = self.checked.tensors[self.graph.operations.len()].lattice;
        plan::extents(&self.checked, shape).map(|all| all[lattice]).ok_or_else(|| super::run::too_small(shape))
    }

    /// Multiplications for each point of the input, rounded up; edges count as whole.
    pub fn multiplications_per_point(&self) -> u64 {
        self.checked.multiplications
    }
}

fn prepare(operation: &Operation, checked: &Checked, kernel: Kernel) -> Prepared {
    match operation {
        Operation::Convolution(c) => {
            let input = checked.tensors[c.source].channels;
            let packed = PackedDense::new(kernel, &c.weights, c.channels, c.window.taps(), input);
            Prepared::Dense(packed, Sums::new(c, kernel))
        }
        Operation::Depthwise(c) => Prepared::Depthwise(Sums::new(c, kernel)),
        _ => Prepared::Other,
    }
}
