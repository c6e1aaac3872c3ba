//! Operations without weights.
use super::check::Lattice;
use super::graph::Operation;
use super::kernel;
use super::run::{Run, Tile, View};
use std::mem;

/// To the nearest integer, halves up.
fn mean(sum: i64, count: i64) -> i16 {
    // Between the least and the greatest of 16-bit values.
    (2 * sum + count).div_euclid(2 * count) as i16
}

impl Run<'_> {
    /// Makes a tile of tensor `k + 1` into `out` of `buffer`.
    pub(super) fn other(&mut self, operation: &Operation, k: usize, tile: &Tile, out: View, buffer: &mut [i16]) {
        let channels = self.network.checked.tensors[k + 1].channels;
        let kernel = self.network.kernel;
        let row_of = |view: View, row: usize| {
            view.start + row * view.row..view.start + row * view.row + tile.columns * view.step
        };
        match operation {
            Operation::Convolution(_) | Operation::Depthwise(_) => {}
            Operation::Table { source, values } => {
                let from = self.view(*source, tile);
                let low = i32::from(self.network.checked.tensors[*source].span.low);
                let input = self.values(*source);
                for row in 0..tile.rows {
                    let pairs = buffer[row_of(out, row)].chunks_exact_mut(out.step);
                    for (to, from) in pairs.zip(input[row_of(from, row)].chunks_exact(from.step)) {
                        for (to, from) in to[..channels].iter_mut().zip(from) {
                            *to = values[(i32::from(*from) - low) as usize];
                        }
                    }
                }
            }
            Operation::Add { sources, factors, shift, span } => {
                let views = sources.map(|s| self.view(s, tile));
                let inputs = sources.map(|s| self.values(s));
                for row in 0..tile.rows {
                    let inputs = [&inputs[0][row_of(views[0], row)], &inputs[1][row_of(views[1], row)]];
                    let to = &mut buffer[row_of(out, row)];
                    kernel::add(kernel, to, inputs, *factors, (*shift).into(), [span.low, span.high]);
                }
            }
            Operation::Scale { source, gate, shift, span } => {
                let from = self.view(*source, tile);
                let mut gates = mem::take(&mut self.scratch.gates);
                for row in 0..tile.rows {
                    self.gates(*source, *gate, tile, row, channels, &mut gates);
                    let input = &self.values(*source)[row_of(from, row)];
                    let to = &mut buffer[row_of(out, row)];
                    kernel::scale(kernel, to, input, &gates, (*shift).into(), [span.low, span.high]);
                }
                self.scratch.gates = gates;
            }
            Operation::Mean { source } => {
                for item in 0..tile.rows {
                    let to = &mut buffer[out.start + item * out.row..][..out.step];
                    self.means(*source, tile.row + item, &mut to[..channels]);
                }
            }
            Operation::Summary { source } => {
                let from = self.view(*source, tile);
                let width = self.network.checked.tensors[*source].channels;
                let input = self.values(*source);
                for row in 0..tile.rows {
                    let pairs = buffer[row_of(out, row)].chunks_exact_mut(out.step);
                    for (to, from) in pairs.zip(input[row_of(from, row)].chunks_exact(from.step)) {
                        let from = &from[..width];
                        to[0] = mean(from.iter().map(|v| i64::from(*v)).sum(), width as i64);
                        to[1] = from.iter().copied().max().unwrap_or(0);
                    }
                }
            }
            Operation::Repeat { source, factors }
            | Operation::Spread { source, factors }
            | Operation::Shuffle { source, factors } => {
                let spread = matches!(operation, Operation::Spread { .. });
                let shuffle = matches!(operation, Operation::Shuffle { .. });
                let [fz, fy, fx] = factors.map(usize::from);
                let volume = fz * fy * fx;
                let lattice = |tensor: usize| self.extents[self.network.checked.tensors[tensor].lattice];
                let (to, from) = (lattice(k + 1), lattice(*source));
                let whole = self.view(*source, &Tile { row: 0, rows: 1, column: 0, columns: from[3] });
                let input = self.values(*source);
                for row in 0..tile.rows {
                    let at = tile.row + row;
                    let (b, z, y) = (at / (to[1] * to[2]), at / to[2] % to[1], at % to[2]);
                    let source_row = (b * from[1] + z / fz) * from[2] + y / fy;
                    let points = buffer[row_of(out, row)].chunks_exact_mut(out.step);
                    for (point, x) in points.zip(tile.column..) {
                        let values = &input[whole.start + source_row * whole.row + x / fx * whole.step..];
                        let inner = (z % fz * fy + y % fy) * fx + x % fx;
                        let point = &mut point[..channels];
                        if shuffle {
                            point.iter_mut().enumerate().for_each(|(c, v)| *v = values[c * volume + inner]);
                        } else if spread && inner != 0 {
                            point.fill(0);
                        } else {
                            point.copy_from_slice(&values[..channels]);
                        }
                    }
                }
            }
        }
    }

    /// The factor of each value of a row of a tile.
    fn gates(&self, source: usize, gate: usize, tile: &Tile, row: usize, channels: usize, gates: &mut Vec<i16>) {
        let network = self.network;
        let (of_source, of_gate) = (network.checked.tensors[source], network.checked.tensors[gate]);
        let stride = channels.next_multiple_of(8);
        gates.clear();
        let by_channel = network.checked.lattices[of_gate.lattice] == Lattice::Pooled && of_gate.channels == channels;
        let same = of_gate.lattice == of_source.lattice;
        let values = self.values(gate);
        if by_channel {
            let point = if same {
                let view = self.view(gate, tile);
                view.start + row * view.row
            } else {
                let [_, z, y, _] = self.extents[of_source.lattice];
                let b = (tile.row + row) / (z * y);
                let view = self.view(gate, &Tile { row: b, rows: 1, column: 0, columns: 1 });
                view.start
            };
            for _ in 0..tile.columns {
                gates.extend_from_slice(&values[point..][..stride]);
            }
        } else {
            let view = self.view(gate, tile);
            for point in 0..tile.columns {
                let value = values[view.start + row * view.row + point * view.step];
                gates.resize(gates.len() + stride, value);
            }
        }
    }

    /// The means of all channels over an item.
    fn means(&self, source: usize, b: usize, out: &mut [i16]) {
        let [_, z, y, x] = self.extents[self.network.checked.tensors[source].lattice];
        let mut sums = vec![0i64; out.len()];
        let input = self.values(source);
        for row in b * z * y..(b + 1) * z * y {
            let view = self.view(source, &Tile { row, rows: 1, column: 0, columns: x });
            for point in input[view.start..][..x * view.step].chunks_exact(view.step) {
                sums.iter_mut().zip(point).for_each(|(sum, v)| *sum += i64::from(*v));
            }
        }
        let count = (z * y * x) as i64;
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = mean(sum, count));
    }
}
