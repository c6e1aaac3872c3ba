//! Runs a small network for one point at a time, where a point's input depends on what came of the point before.
use super::check::Checked;
use super::graph::{Operation, Window};
use super::kernel::{self, Line, Taps};
use super::prepared::{Network, Prepared};
use crate::Error;

/// Most channels of a layer.
pub const WIDEST: usize = 128;

/// A network that is a chain of point convolutions of one condition, each reading what the one before makes.
pub struct Chain(Network);

/// A layer's values, with room to be read in pairs and written eight at a time.
type Values = [i16; WIDEST];

impl Chain {
    /// Errors: [`Error::Unsupported`] for any other network.
    pub fn new(network: &Network) -> Result<Chain, Error> {
        let g = network.graph();
        let point = |(k, o): (usize, &Operation)| {
            matches!(o, Operation::Convolution(c)
                if c.source == k && c.window == Window::POINT && c.channels <= WIDEST)
        };
        if g.conditions != 1 || g.channels > WIDEST || !g.operations.iter().enumerate().all(point) {
            return Err(Error::Unsupported { feature: format!("network {:?} for single points", g.name) });
        }
        Ok(Chain(network.clone()))
    }

    /// What the network makes of one point, whose channels are those of `parts`, one after another. Channels that are
    /// lacking are 0; what is outside of the input's span is limited to it.
    #[inline]
    pub fn run<const N: usize>(&self, parts: &[&[i16]]) -> [i16; N] {
        let Checked { tensors, .. } = &self.0.checked;
        let span = tensors[0].span;
        let mut x: Values = [0; WIDEST];
        let channels = x[..tensors[0].channels].iter_mut();
        for (x, &v) in channels.zip(parts.iter().copied().flatten()) {
            *x = v.clamp(span.low, span.high);
        }
        let mut y: Values = [0; WIDEST];
        let taps = Taps { starts: &[0], numbers: &[0] };
        for (prepared, tensor) in self.0.prepared.iter().zip(&tensors[1..]) {
            if let Prepared::Dense(weights, sums) = prepared {
                let out_step = tensor.channels.next_multiple_of(8);
                let mut line = Line { input: &x, step: WIDEST, output: &mut y[..out_step], out_step, points: 1 };
                kernel::dense(self.0.kernel, &mut line, &taps, weights, &sums.finish(0));
                // Lanes beyond the last channel hold the clamped 0, which may not be 0; their weights are.
                std::mem::swap(&mut x, &mut y);
            }
        }
        std::array::from_fn(|k| x[k])
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
        for widths in [&[1, 2][..], &[45, 33, 20, 2], &[128, 128, 7, 2]] {
            let network = Network::new(graph(widths), Kernel::Scalar)?;
            let input: Vec<i16> = (0..widths[0]).map(|k| (k * 997 % 2047) as i16).collect();
            let mut scratch = Scratch::default();
            let expected = network.run(&input, [1; 4], 0, &mut scratch)?.to_vec();
            for kernel in Kernel::available() {
                let chain = Chain::new(&network.with_kernel(kernel)?)?;
                let (a, b) = input.split_at(widths[0] / 2);
                assert_eq!(chain.run::<2>(&[a, b]).to_vec(), expected, "{kernel:?} {widths:?}");
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
        assert!(Chain::new(&Network::new(g, Kernel::Scalar)?).is_err());
        Ok(())
    }
}
