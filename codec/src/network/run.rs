//! Running a network, group by group, tile by tile.
use super::check::Lattice;
use super::graph::{Operation, Window};
use super::kernel::{self, Line, PackedDepthwise, Taps};
use super::plan::{self, Group, Home};
use super::prepared::{Network, Prepared};
use crate::Error;
use std::mem;

/// Working memory of networks, to be used again and again by one thread.
#[derive(Debug)]
pub struct Scratch {
    /// Most bytes that it may grow to.
    limit: u64,
    /// Whole tensors, then tiles, as the plan counts them.
    buffers: Vec<Vec<i16>>,
    output: Vec<i16>,
    pub(super) gates: Vec<i16>,
    starts: Vec<usize>,
    numbers: Vec<usize>,
    /// Whose packed weights follow.
    serial: u64,
    /// Of each depthwise operation, for the rows of its window that a mask tells: its weights.
    depthwise: Vec<Vec<(u64, PackedDepthwise)>>,
}

impl Default for Scratch {
    /// Of at most 4 GiB.
    fn default() -> Scratch {
        Scratch::with_limit(1 << 32)
    }
}

impl Scratch {
    /// Of at most this many bytes.
    pub fn with_limit(bytes: u64) -> Scratch {
        Scratch {
            limit: bytes,
            buffers: vec![],
            output: vec![],
            gates: vec![],
            starts: vec![],
            numbers: vec![],
            serial: 0,
            depthwise: vec![],
        }
    }

    /// Gives the output of the last run, and takes a buffer for that of the next.
    pub fn exchange(&mut self, other: &mut Vec<i16>) {
        mem::swap(&mut self.output, other);
    }
}

pub(super) fn too_small(shape: [usize; 4]) -> Error {
    Error::InvalidArgument(format!("a network's input of shape {shape:?} is smaller than a window, or too large"))
}

/// Points of one row-aligned box of a lattice: `rows` rows from row `row` on, `columns` points of each from `column` on.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub row: usize,
    pub rows: usize,
    pub column: usize,
    pub columns: usize,
}

/// Where a tile's points of a tensor are.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// Values from the buffer's start to the tile's first point.
    pub start: usize,
    /// Values from a row to the next.
    pub row: usize,
    /// Values from a point to the next.
    pub step: usize,
}

impl View {
    /// Whether the tile's points follow each other without a gap.
    fn joined(&self, tile: &Tile) -> bool {
        tile.rows == 1 || self.row == tile.columns * self.step
    }
}

/// What one run works with.
pub(super) struct Run<'a> {
    pub network: &'a Network,
    pub input: &'a [i16],
    pub extents: Vec<[usize; 4]>,
    pub condition: usize,
    pub scratch: &'a mut Scratch,
}

impl Network {
    /// Runs the network on one thread.
    ///
    /// `input` is \[b, z, y, x, channel\] of extents `shape` and of the graph's channels, with values in its span. The
    /// result is likewise, of [`Network::output_shape`] and [`Network::output_channels`]. Items b do not see each other.
    /// The result is the same bits on every processor.
    ///
    /// Memory is that of [`Network::scratch_bytes`]; speed does not depend on values.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if shape, length, condition or values do not fit; [`Error::Limit`] if the scratch
    /// would grow beyond its limit.
    pub fn run<'s>(
        &self,
        input: &[i16],
        shape: [usize; 4],
        condition: usize,
        scratch: &'s mut Scratch,
    ) -> Result<&'s [i16], Error> {
        let values = shape.iter().chain([&self.graph.channels]).try_fold(1usize, |n, e| n.checked_mul(*e));
        if values != Some(input.len()) || condition >= self.graph.conditions {
            let what = format!("{} values for shape {shape:?}, condition {condition}", input.len());
            return Err(Error::InvalidArgument(format!("a network's input of {what}")));
        }
        let span = self.graph.span;
        let out = input.iter().fold(false, |out, v| out | (*v < span.low) | (*v > span.high));
        if out {
            return Err(Error::InvalidArgument(format!("a network's input outside of {} to {}", span.low, span.high)));
        }
        if input.is_empty() {
            scratch.output.clear();
            return Ok(&scratch.output);
        }
        let extents = plan::extents(&self.checked, shape).ok_or_else(|| too_small(shape))?;
        let lengths = self.lengths(&extents).ok_or_else(|| too_small(shape))?;
        let asked = lengths.iter().fold(0u64, |sum, n| sum.saturating_add(*n as u64)).saturating_mul(2);
        if asked > scratch.limit {
            return Err(Error::Limit { what: "bytes of a network's tensors", limit: scratch.limit, asked });
        }
        let buffers = lengths.len() - 1;
        scratch.buffers.resize_with(scratch.buffers.len().max(buffers), Vec::new);
        for (buffer, &length) in scratch.buffers.iter_mut().zip(&lengths) {
            if buffer.len() < length {
                buffer.resize(length, 0);
            }
        }
        scratch.output.resize(lengths[buffers], 0);
        if scratch.serial != self.serial {
            scratch.serial = self.serial;
            scratch.depthwise.clear();
            scratch.depthwise.resize_with(self.prepared.len(), Vec::new);
        }
        let mut run = Run { network: self, input, extents, condition, scratch };
        run.import();
        for group in &self.plan.groups {
            run.group(group);
        }
        Ok(&scratch.output)
    }

    /// Bytes of working memory for an input of extents `shape`, the output included.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a window does not fit into what it moves over.
    pub fn scratch_bytes(&self, shape: [usize; 4]) -> Result<u64, Error> {
        let extents = plan::extents(&self.checked, shape).ok_or_else(|| too_small(shape))?;
        let lengths = self.lengths(&extents).ok_or_else(|| too_small(shape))?;
        Ok(lengths.iter().fold(0u64, |sum, n| sum.saturating_add(*n as u64)).saturating_mul(2))
    }

    /// Values of every buffer, the output last.
    fn lengths(&self, extents: &[[usize; 4]]) -> Option<Vec<usize>> {
        let plan = &self.plan;
        let mut all = vec![0; plan.whole + plan.tiles + 1];
        for (tensor, place) in self.checked.tensors.iter().zip(&plan.places) {
            if let Home::Whole(slot) = place.home {
                let [b, z, y, x] = extents[tensor.lattice];
                let row = x.checked_add(place.left + place.right)?.checked_mul(place.stride)?;
                all[slot] = all[slot].max(row.checked_mul(b.checked_mul(z)?.checked_mul(y)?)?);
            }
        }
        for group in &plan.groups {
            for tensor in group.operations.start + 1..group.operations.end + 1 {
                if let Home::Tile(slot) = plan.places[tensor].home {
                    let slot = &mut all[plan.whole + slot];
                    *slot = (*slot).max(group.tile * plan.places[tensor].stride);
                }
            }
        }
        let last = self.checked.tensors.len() - 1;
        let points = extents[self.checked.tensors[last].lattice].iter().product::<usize>();
        let channels = self.checked.tensors[last].channels;
        all[plan.whole + plan.tiles] = points.checked_mul(channels)?;
        Some(all)
    }
}

impl Run<'_> {
    /// Points of a tensor's whole rows, and of its padded rows in front of the first point, in values.
    pub(super) fn view(&self, tensor: usize, tile: &Tile) -> View {
        let place = self.network.plan.places[tensor];
        let extent = self.extents[self.network.checked.tensors[tensor].lattice][3];
        let step = place.stride;
        match place.home {
            Home::Input => View { start: (tile.row * extent + tile.column) * step, row: extent * step, step },
            Home::Whole(_) => {
                let row = (place.left + extent + place.right) * step;
                View { start: tile.row * row + (place.left + tile.column) * step, row, step }
            }
            Home::Tile(_) => View { start: 0, row: tile.columns * step, step },
        }
    }

    fn buffer_number(&self, tensor: usize) -> Option<usize> {
        match self.network.plan.places[tensor].home {
            Home::Input => None,
            Home::Whole(slot) => Some(slot),
            Home::Tile(slot) => Some(self.network.plan.whole + slot),
        }
    }

    pub(super) fn values(&self, tensor: usize) -> &[i16] {
        self.buffer_number(tensor).map_or(self.input, |n| &self.scratch.buffers[n])
    }

    /// Copies the input to where it is read, if it cannot be read in place.
    fn import(&mut self) {
        let place = self.network.plan.places[0];
        let Some(number) = self.buffer_number(0) else { return };
        let channels = self.network.graph.channels;
        let [b, z, y, x] = self.extents[0];
        self.clear_margins(0);
        let view = self.view(0, &Tile { row: 0, rows: 1, column: 0, columns: x });
        let buffer = &mut self.scratch.buffers[number];
        for (row, values) in self.input.chunks_exact(x * channels).enumerate().take(b * z * y) {
            let out = &mut buffer[view.start + row * view.row..][..x * place.stride];
            for (out, values) in out.chunks_exact_mut(place.stride).zip(values.chunks_exact(channels)) {
                out[..channels].copy_from_slice(values);
                // Never used but with a weight of 0; cleared so that nothing depends on what was here.
                out[channels..].fill(0);
            }
        }
    }

    /// Zeros before and behind each row of a whole tensor.
    fn clear_margins(&mut self, tensor: usize) {
        let place = self.network.plan.places[tensor];
        let (Home::Whole(slot), true) = (place.home, place.left + place.right > 0) else { return };
        let [b, z, y, x] = self.extents[self.network.checked.tensors[tensor].lattice];
        let row = (place.left + x + place.right) * place.stride;
        let buffer = &mut self.scratch.buffers[slot];
        for row in buffer.chunks_exact_mut(row).take(b * z * y) {
            row[..place.left * place.stride].fill(0);
            row[(place.left + x) * place.stride..].fill(0);
        }
    }

    fn group(&mut self, group: &Group) {
        for tensor in group.operations.start + 1..group.operations.end + 1 {
            self.clear_margins(tensor);
        }
        let [b, z, y, x] = self.extents[group.lattice];
        let rows = b * z * y;
        let (height, width) = if x > group.tile {
            // Segments of about the same width, a multiple of what kernels take at once.
            (1, x.div_ceil(x.div_ceil(group.tile)).next_multiple_of(12).min(group.tile))
        } else {
            (group.tile / x, x)
        };
        let mut row = 0;
        while row < rows {
            let rows = height.min(rows - row);
            let mut column = 0;
            while column < x {
                let tile = Tile { row, rows, column, columns: width.min(x - column) };
                for k in group.operations.clone() {
                    self.operation(k, &tile);
                }
                if group.operations.end == self.network.graph.operations.len() {
                    self.export(&tile);
                }
                column += width;
            }
            row += rows;
        }
    }

    /// Copies the channels of the last tensor's tile to the output.
    fn export(&mut self, tile: &Tile) {
        let tensor = self.network.graph.operations.len();
        let channels = self.network.checked.tensors[tensor].channels;
        let extent = self.extents[self.network.checked.tensors[tensor].lattice][3];
        let view = self.view(tensor, tile);
        let mut output = mem::take(&mut self.scratch.output);
        let values = self.values(tensor);
        for row in 0..tile.rows {
            let to = ((tile.row + row) * extent + tile.column) * channels;
            let to = &mut output[to..][..tile.columns * channels];
            let from = &values[view.start + row * view.row..][..tile.columns * view.step];
            match channels {
                // The compiler makes no calls of copies whose size it knows.
                1 => to.iter_mut().zip(from.chunks_exact(view.step)).for_each(|(to, from)| *to = from[0]),
                2 => {
                    let pairs = to.chunks_exact_mut(2).zip(from.chunks_exact(view.step));
                    pairs.for_each(|(to, from)| to.copy_from_slice(&from[..2]));
                }
                n if n == view.step => to.copy_from_slice(from),
                n => {
                    let points = to.chunks_exact_mut(n).zip(from.chunks_exact(view.step));
                    points.for_each(|(to, from)| to.copy_from_slice(&from[..n]));
                }
            }
        }
        self.scratch.output = output;
    }

    /// Makes a tile of the tensor of operation `k`.
    fn operation(&mut self, k: usize, tile: &Tile) {
        let network = self.network;
        let out = self.view(k + 1, tile);
        let Some(number) = self.buffer_number(k + 1) else { return };
        let mut buffer = mem::take(&mut self.scratch.buffers[number]);
        match (&network.graph.operations[k], &network.prepared[k]) {
            (Operation::Convolution(c), Prepared::Dense(weights, sums)) => {
                let finish = sums.finish(self.condition);
                self.lines(c.source, &c.window, tile, out, &mut buffer, |line, starts, numbers, _| {
                    let taps = Taps { starts, numbers };
                    kernel::dense(network.kernel, line, &taps, weights, &finish);
                });
            }
            (Operation::Depthwise(c), Prepared::Depthwise(sums)) => {
                let finish = sums.finish(self.condition);
                let mut packed = mem::take(&mut self.scratch.depthwise[k]);
                self.lines(c.source, &c.window, tile, out, &mut buffer, |line, starts, numbers, mask| {
                    let at = packed.iter().position(|p| p.0 == mask).unwrap_or_else(|| {
                        packed.push((mask, PackedDepthwise::new(network.kernel, &c.weights, c.channels, numbers)));
                        packed.len() - 1
                    });
                    kernel::depthwise(network.kernel, line, starts, &packed[at].1, &finish);
                });
                self.scratch.depthwise[k] = packed;
            }
            (operation, _) => self.other(operation, k, tile, out, &mut buffer),
        }
        self.scratch.buffers[number] = buffer;
    }

    /// Calls `line` with every stretch of points that a convolution can take at once: the line, where its taps begin,
    /// their numbers, and which rows of the window they are.
    fn lines(
        &mut self,
        source: usize,
        window: &Window,
        tile: &Tile,
        out: View,
        output: &mut [i16],
        mut line: impl FnMut(&mut Line, &[usize], &[usize], u64),
    ) {
        if *window == Window::POINT {
            let from = self.view(source, tile);
            let input = self.values(source);
            let joined = from.joined(tile) && out.joined(tile);
            let (rows, points) = if joined { (1, tile.rows * tile.columns) } else { (tile.rows, tile.columns) };
            for row in 0..rows {
                let output = &mut output[out.start + row * out.row..][..points * out.step];
                let start = [from.start + row * from.row];
                line(&mut Line { input, step: from.step, output, out_step: out.step, points }, &start, &[0], 1);
            }
            return;
        }
        let (mut starts, mut numbers) = (mem::take(&mut self.scratch.starts), mem::take(&mut self.scratch.numbers));
        let network = self.network;
        let place = network.plan.places[source];
        let [_, depth, height, width] = self.extents[network.checked.tensors[source].lattice];
        let row_values = (place.left + width + place.right) * place.stride;
        let to = self.extents[self.out_lattice(source, window)];
        let [kz, ky, kx] = window.kernel.map(usize::from);
        let [bz, by, bx] = window.before.map(usize::from);
        let [sz, sy, sx] = window.stride.map(usize::from);
        let input = self.values(source);
        for row in 0..tile.rows {
            let at = tile.row + row;
            let (b, z, y) = (at / (to[1] * to[2]), at / to[2] % to[1], at % to[2]);
            starts.clear();
            numbers.clear();
            let mut mask = 0u64;
            let inside = |at: usize, before: usize, extent: usize| at.checked_sub(before).filter(|i| *i < extent);
            for dz in 0..kz {
                let Some(z) = inside(z * sz + dz, bz, depth) else { continue };
                for dy in 0..ky {
                    let Some(y) = inside(y * sy + dy, by, height) else { continue };
                    mask |= 1 << (dz * ky + dy);
                    // The margin is as wide as any window needs: nothing is before it.
                    let first = ((b * depth + z) * height + y) * row_values;
                    for dx in 0..kx {
                        let column = place.left - bx + tile.column * sx + dx;
                        starts.push(first + column * place.stride);
                        numbers.push((dz * ky + dy) * kx + dx);
                    }
                }
            }
            let output = &mut output[out.start + row * out.row..][..tile.columns * out.step];
            let step = place.stride * sx;
            let points = tile.columns;
            line(&mut Line { input, step, output, out_step: out.step, points }, &starts, &numbers, mask);
        }
        (self.scratch.starts, self.scratch.numbers) = (starts, numbers);
    }

    /// The lattice of a convolution's result.
    fn out_lattice(&self, source: usize, window: &Window) -> usize {
        let from = self.network.checked.tensors[source].lattice;
        if window.keeps_lattice() {
            return from;
        }
        let wanted = Lattice::Windowed(from, *window);
        self.network.checked.lattices.iter().position(|l| *l == wanted).unwrap_or(from)
    }
}
