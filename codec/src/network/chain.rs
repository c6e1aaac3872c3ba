//! Runs a small network for one point at a time, where a point's input depends on what came of the point before.
use super::check::{self, Checked};
use super::graph::{Convolution, Operation, Window};
use super::kernel::points::{self, End, Layer, PackedChain, SAID, WIDTH};
use super::kernel::{self, Line, Taps};
use super::prepared::{Network, Prepared};
use crate::Error;

/// Most channels of a layer.
const WIDEST: usize = 128;

/// A network that is a chain of point convolutions of one condition, each reading what the one before makes. Of its
/// channels, `L` pairs are those that come late; the others are known ahead, for many points at a time.
pub struct Chain<const L: usize> {
    network: Network,
    /// Channels that come late, two by two; of the last pair the second may be lacking.
    late: Vec<usize>,
    /// The others, in order.
    known: Vec<usize>,
    /// What it is run by, if its layers are narrow.
    packed: Option<(points::Checked, PackedChain)>,
}

/// Sums of the first layer of some points over what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Sums(Vec<[i32; WIDTH]>);

/// A layer's values, with room to be read in pairs and written eight at a time.
type Values = [i16; WIDEST];

impl<const L: usize> Chain<L> {
    /// Errors: [`Error::Unsupported`] for any other network, and where there are not as many channels as are to come late.
    pub fn new(network: &Network, late: &[usize]) -> Result<Chain<L>, Error> {
        let g = network.graph();
        let point = |(k, o): (usize, &Operation)| {
            matches!(o, Operation::Convolution(c)
                if c.source == k && c.window == Window::POINT && c.channels <= WIDEST)
        };
        let chain = g.conditions == 1 && g.channels <= WIDEST && g.operations.iter().enumerate().all(point);
        if !chain || late.len().div_ceil(2) != L || late.iter().any(|&c| c >= g.channels) {
            return Err(Error::Unsupported { feature: format!("network {:?} for single points", g.name) });
        }
        let (late, known) = (late.to_vec(), (0..g.channels).filter(|c| !late.contains(c)).collect());
        let mut chain = Chain { network: network.clone(), late, known, packed: None };
        chain.packed = chain.pack().map(|packed| (points::Checked::new(network.kernel), packed));
        Ok(chain)
    }

    /// For kernels of single points, if layers are narrow enough.
    fn pack(&self) -> Option<PackedChain> {
        let mut layers = vec![];
        for o in &self.network.graph().operations {
            let Operation::Convolution(c) = o else { return None };
            layers.push(c);
        }
        let (last, hidden) = layers.split_last()?;
        let (first, middle) = hidden.split_first()?;
        if last.channels != SAID || hidden.iter().any(|c| c.channels > WIDTH) {
            return None;
        }
        let inputs = self.network.graph().channels;
        let inner: Vec<usize> = (0..WIDTH).collect();
        let middle = middle.iter().zip(hidden);
        let mut rows = [[0; WIDTH]; SAID];
        let width = hidden.last()?.channels;
        for (row, w) in rows.iter_mut().zip(last.weights.chunks_exact(width)) {
            row[..width].copy_from_slice(w);
        }
        Some(PackedChain {
            ahead: pairs(first, inputs, &self.known),
            first: Layer { weights: pairs(first, inputs, &self.late), end: ends(first) },
            middle: middle
                .map(|(c, before)| Layer { weights: pairs(c, before.channels, &inner), end: ends(c) })
                .collect(),
            last: rows,
            end: ends(last),
        })
    }

    /// Channels that are known ahead, in the order of their numbers.
    pub fn known(&self) -> &[usize] {
        &self.known
    }

    /// Values from a point to the next in what is given ahead.
    pub fn step(&self) -> usize {
        self.known.len().next_multiple_of(2)
    }

    /// Takes the channels that are known of some points: [`Chain::step`] values for each. Values outside of the
    /// input's span become its ends.
    pub fn look(&self, known: &mut [i16], sums: &mut Sums) {
        let span = self.network.checked.tensors[0].span;
        known.iter_mut().for_each(|v| *v = (*v).clamp(span.low, span.high));
        if let Some((_, packed)) = &self.packed {
            // Every sum is written below.
            let Sums(sums) = sums;
            sums.resize(known.len() / self.step(), [0; WIDTH]);
            points::ahead(self.network.kernel, known, self.step(), packed, sums);
        }
    }

    /// What the network makes of point `k` of those that were looked at, and of its channels that came late.
    #[inline]
    pub fn run<const N: usize>(&self, known: &[i16], sums: &Sums, k: usize, late: &[[i16; 2]; L]) -> [i16; N] {
        let span = self.network.checked.tensors[0].span;
        let late = late.map(|pair| pair.map(|v| v.clamp(span.low, span.high)));
        if let Some((kernel, packed)) = &self.packed {
            let said = points::say(*kernel, &sums.0[k], &late, packed);
            return std::array::from_fn(|k| said.get(k).copied().unwrap_or(0));
        }
        self.layers(&known[k * self.step()..][..self.known.len()], late.as_flattened())
    }

    /// The same layer by layer, whatever their widths.
    fn layers<const N: usize>(&self, known: &[i16], late: &[i16]) -> [i16; N] {
        let Checked { tensors, .. } = &self.network.checked;
        let mut x: Values = [0; WIDEST];
        self.known.iter().zip(known).for_each(|(&c, &v)| x[c] = v);
        self.late.iter().zip(late).for_each(|(&c, &v)| x[c] = v);
        let mut y: Values = [0; WIDEST];
        let taps = Taps { starts: &[0], numbers: &[0] };
        for (prepared, tensor) in self.network.prepared.iter().zip(&tensors[1..]) {
            if let Prepared::Dense(weights, sums) = prepared {
                let out_step = tensor.channels.next_multiple_of(8);
                let mut line = Line { input: &x, step: WIDEST, output: &mut y[..out_step], out_step, points: 1 };
                kernel::dense(self.network.kernel, &mut line, &taps, weights, &sums.finish(0));
                // Lanes beyond the last channel hold the clamped 0, which may not be 0; their weights are.
                std::mem::swap(&mut x, &mut y);
            }
        }
        std::array::from_fn(|k| x[k])
    }
}

/// Weights of these input channels of a layer, two by two.
fn pairs(c: &Convolution, inputs: usize, of: &[usize]) -> Vec<[i16; 2 * WIDTH]> {
    let pair = |pair: &[usize]| {
        let weight = |o: usize, k: usize| match pair.get(k) {
            Some(&i) if o < c.channels && i < inputs => c.weights[o * inputs + i],
            _ => 0,
        };
        std::array::from_fn(|at| weight(at / 2, at % 2))
    };
    of.chunks(2).map(pair).collect()
}

/// How sums of a layer start and end.
fn ends<const N: usize>(c: &Convolution) -> End<N> {
    let r = &c.requantise;
    let half = if r.multipliers.is_empty() { check::half(r.shift) as i32 } else { 0 };
    let multiplier = |k: usize| r.multipliers.get(k).copied().unwrap_or(0);
    End {
        start: std::array::from_fn(|k| c.bias.get(k).map_or(0, |b| b + half)),
        multipliers: (!r.multipliers.is_empty()).then(|| std::array::from_fn(multiplier)),
        shift: r.shift.into(),
        low: r.span.low,
        high: r.span.high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Convolution, Graph, Kernel, Requantise, Scratch, Span};

    /// A chain with weights that look random.
    fn graph(widths: &[usize]) -> Graph {
        let mut seed = 7u32;
        let mut weight = move || {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            (seed >> 20) as i16 - 2048
        };
        let layer = |(k, w): (usize, &[usize])| {
            Operation::Convolution(Convolution {
                source: k,
                channels: w[1],
                window: Window::POINT,
                weights: (0..w[0] * w[1]).map(|_| weight()).collect(),
                bias: (0..w[1]).map(|k| 1000 * k as i32 - 3000).collect(),
                requantise: Requantise { multipliers: vec![], shift: 12, span: Span { low: -500, high: 2047 } },
            })
        };
        Graph {
            name: "points".into(),
            channels: widths[0],
            span: Span { low: -2047, high: 2047 },
            conditions: 1,
            operations: widths.windows(2).enumerate().map(layer).collect(),
        }
    }

    #[test]
    fn a_chain_says_what_the_network_says_with_every_kernel() -> Result<(), Error> {
        for (widths, multiplied) in
            [(&[5, 2][..], false), (&[45, 33, 20, 2], false), (&[128, 128, 7, 2], true)].into_iter().chain(
                [false, true]
                    .into_iter()
                    .flat_map(|m| [(&[44, 32, 32, 2][..], m), (&[7, 9, 2], m), (&[9, 3, 31, 30, 2], m)]),
            )
        {
            let mut g = graph(widths);
            for o in g.operations.iter_mut().filter(|_| multiplied) {
                let Operation::Convolution(c) = o else { continue };
                c.requantise.multipliers = (0..c.channels).map(|k| 90_000 + 1000 * k as i32).collect();
                c.requantise.shift = 29;
            }
            let network = Network::new(g, Kernel::Scalar)?;
            let (points, n) = (11, widths[0]);
            // Some are outside of the span, and become its ends.
            let input: Vec<i16> = (0..points * n).map(|k| (k * 997 % 4297) as i16 - 2148).collect();
            let inside: Vec<i16> = input.iter().map(|v| (*v).clamp(-2047, 2047)).collect();
            let mut scratch = Scratch::default();
            let expected = network.run(&inside, [1, 1, 1, points], 0, &mut scratch)?.to_vec();
            let late = [n - 1, 0, 3];
            for kernel in Kernel::available() {
                let chain = Chain::<2>::new(&network.with_kernel(kernel)?, &late)?;
                let mut known = vec![0; points * chain.step()];
                for (known, x) in known.chunks_exact_mut(chain.step()).zip(input.chunks_exact(n)) {
                    known.iter_mut().zip(chain.known()).for_each(|(to, &c)| *to = x[c]);
                }
                let mut sums = Sums::default();
                chain.look(&mut known, &mut sums);
                for k in 0..points {
                    let x = &input[k * n..][..n];
                    let late = [[x[late[0]], x[late[1]]], [x[late[2]], 77]];
                    let said = chain.run::<2>(&known, &sums, k, &late);
                    assert_eq!(said, expected[2 * k..][..2], "{kernel:?} {widths:?} {multiplied} {k}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn other_networks_are_refused() -> Result<(), Error> {
        let mut g = graph(&[4, 8, 2]);
        if let Operation::Convolution(c) = &mut g.operations[1] {
            c.source = 0;
            c.weights.truncate(8);
        }
        assert!(Chain::<1>::new(&Network::new(g, Kernel::Scalar)?, &[0]).is_err());
        Ok(())
    }
}
