//! A second executor: direct formulas over 64-bit integers, one value at a time, nothing packed, fused or tiled.
use scicodec::network::{Convolution, Graph, Operation, Span};

/// Extents b, z, y, x, then channels, and the values in that order.
#[derive(Clone)]
pub struct Tensor {
    pub shape: [usize; 5],
    pub values: Vec<i64>,
}

impl Tensor {
    fn make(shape: [usize; 5], value: impl Fn([usize; 5]) -> i64) -> Tensor {
        let [nb, nz, ny, nx, nc] = shape;
        let mut values = Vec::new();
        for b in 0..nb {
            for z in 0..nz {
                for y in 0..ny {
                    for x in 0..nx {
                        values.extend((0..nc).map(|c| value([b, z, y, x, c])));
                    }
                }
            }
        }
        Tensor { shape, values }
    }

    fn at(&self, i: [usize; 5]) -> i64 {
        let offset = (0..5).fold(0, |o, a| o * self.shape[a] + i[a]);
        self.values[offset]
    }

    /// 0 outside.
    fn padded(&self, b: usize, place: [i64; 3], c: usize) -> i64 {
        for a in 0..3 {
            if place[a] < 0 || place[a] >= self.shape[a + 1] as i64 {
                return 0;
            }
        }
        self.at([b, place[0] as usize, place[1] as usize, place[2] as usize, c])
    }
}

fn shifted(sum: i64, multiplier: i64, shift: u8, span: Span) -> i64 {
    assert!(sum.abs() < 1 << 31, "the proof was wrong");
    let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
    (sum * multiplier + half).div_euclid(1 << shift).clamp(span.low.into(), span.high.into())
}

fn convolution(t: &Tensor, c: &Convolution, depthwise: bool, condition: usize) -> Tensor {
    let [b, .., inputs] = t.shape;
    let [k, s, before, after] =
        [c.window.kernel, c.window.stride, c.window.before, c.window.after].map(|v| v.map(i64::from));
    let n = |a: usize| ((t.shape[a + 1] as i64 + before[a] + after[a] - k[a]) / s[a] + 1) as usize;
    Tensor::make([b, n(0), n(1), n(2), c.channels], |[b, z, y, x, out]| {
        let conditional = c.bias.len() > c.channels;
        let mut sum = i64::from(c.bias[if conditional { condition * c.channels + out } else { out }]);
        for dz in 0..k[0] {
            for dy in 0..k[1] {
                for dx in 0..k[2] {
                    let place = [
                        z as i64 * s[0] + dz - before[0],
                        y as i64 * s[1] + dy - before[1],
                        x as i64 * s[2] + dx - before[2],
                    ];
                    let tap = ((dz * k[1] + dy) * k[2] + dx) as usize;
                    if depthwise {
                        sum += t.padded(b, place, out) * i64::from(c.weights[tap * c.channels + out]);
                        continue;
                    }
                    for i in 0..inputs {
                        let taps = (k[0] * k[1] * k[2]) as usize;
                        sum += t.padded(b, place, i) * i64::from(c.weights[(out * taps + tap) * inputs + i]);
                    }
                }
            }
        }
        let multiplier = c.requantise.multipliers.get(out).copied().unwrap_or(1);
        shifted(sum, multiplier.into(), c.requantise.shift, c.requantise.span)
    })
}

/// ⌊sum / count + 1/2⌋.
fn mean(sum: i64, count: i64) -> i64 {
    (2 * sum + count).div_euclid(2 * count)
}

fn expand(t: &Tensor, factors: [u8; 3], value: impl Fn([usize; 5], [usize; 3]) -> i64, channels: usize) -> Tensor {
    let f = factors.map(usize::from);
    let [b, z, y, x, _] = t.shape;
    Tensor::make([b, z * f[0], y * f[1], x * f[2], channels], |[b, z, y, x, c]| {
        value([b, z / f[0], y / f[1], x / f[2], c], [z % f[0], y % f[1], x % f[2]])
    })
}

/// The output of a network.
pub fn run(graph: &Graph, input: &[i16], shape: [usize; 4], condition: usize) -> Tensor {
    let [b, z, y, x] = shape;
    let values = input.iter().map(|v| i64::from(*v)).collect();
    let mut tensors = vec![Tensor { shape: [b, z, y, x, graph.channels], values }];
    let mut lows = vec![i64::from(graph.span.low)];
    for operation in &graph.operations {
        let (tensor, low) = match operation {
            Operation::Convolution(c) => {
                (convolution(&tensors[c.source], c, false, condition), c.requantise.span.low.into())
            }
            Operation::Depthwise(c) => {
                (convolution(&tensors[c.source], c, true, condition), c.requantise.span.low.into())
            }
            Operation::Table { source, values } => {
                let t = &tensors[*source];
                let table = |v: i64| i64::from(values[(v - lows[*source]) as usize]);
                (Tensor::make(t.shape, |i| table(t.at(i))), i64::from(*values.iter().min().unwrap()))
            }
            Operation::Add { sources: [a, b], factors, shift, span } => {
                let (ta, tb) = (&tensors[*a], &tensors[*b]);
                let sum = |i| ta.at(i) * i64::from(factors[0]) + tb.at(i) * i64::from(factors[1]);
                (Tensor::make(ta.shape, |i| shifted(sum(i), 1, *shift, *span)), span.low.into())
            }
            Operation::Scale { source, gate, shift, span } => {
                let (t, g) = (&tensors[*source], &tensors[*gate]);
                let factor = |[b, z, y, x, c]: [usize; 5]| match g.shape {
                    [_, 1, 1, 1, n] if n == t.shape[4] => g.at([b, 0, 0, 0, c]),
                    _ => g.at([b, z, y, x, 0]),
                };
                (Tensor::make(t.shape, |i| shifted(t.at(i) * factor(i), 1, *shift, *span)), span.low.into())
            }
            Operation::Mean { source } => {
                let t = &tensors[*source];
                let [nb, nz, ny, nx, nc] = t.shape;
                let of = |b: usize, c: usize| {
                    let points = (0..nz * ny * nx).map(|i| t.at([b, i / (ny * nx), i / nx % ny, i % nx, c]));
                    mean(points.sum(), (nz * ny * nx) as i64)
                };
                (Tensor::make([nb, 1, 1, 1, nc], |[b, .., c]| of(b, c)), lows[*source])
            }
            Operation::Summary { source } => {
                let t = &tensors[*source];
                let [nb, nz, ny, nx, nc] = t.shape;
                let of = |[b, z, y, x, c]: [usize; 5]| {
                    let channels = (0..nc).map(|c| t.at([b, z, y, x, c]));
                    if c == 0 { mean(channels.sum(), nc as i64) } else { channels.max().unwrap() }
                };
                (Tensor::make([nb, nz, ny, nx, 2], of), lows[*source])
            }
            Operation::Repeat { source, factors } => {
                let t = &tensors[*source];
                (expand(t, *factors, |i, _| t.at(i), t.shape[4]), lows[*source])
            }
            Operation::Spread { source, factors } => {
                let t = &tensors[*source];
                let value = |i, inner| if inner == [0; 3] { t.at(i) } else { 0 };
                (expand(t, *factors, value, t.shape[4]), lows[*source].min(0))
            }
            Operation::Shuffle { source, factors } => {
                let t = &tensors[*source];
                let f = factors.map(usize::from);
                let value = |[b, z, y, x, c]: [usize; 5], [dz, dy, dx]: [usize; 3]| {
                    t.at([b, z, y, x, ((c * f[0] + dz) * f[1] + dy) * f[2] + dx])
                };
                (expand(t, *factors, value, t.shape[4] / (f[0] * f[1] * f[2])), lows[*source])
            }
            other => panic!("{other:?}"),
        };
        tensors.push(tensor);
        lows.push(low);
    }
    tensors.pop().unwrap()
}
