//! Runs a small network of point convolutions for one point at a time.
use crate::Error;
use crate::network::{Network, Operation, Window};

/// Most channels of a layer.
const WIDEST: usize = 128;

struct Layer {
    /// Inputs, rounded up to whole registers: weights beyond the true ones are 0.
    inputs: usize,
    outputs: usize,
    /// \[out, in\].
    weights: Vec<i16>,
    bias: Vec<i32>,
    shift: u32,
    low: i32,
    high: i32,
}

/// A chain of point convolutions without multipliers; its last layer has two channels.
pub struct Head {
    layers: Vec<Layer>,
}

impl Head {
    /// Of a network with so many channels.
    ///
    /// Errors: [`Error::Unsupported`] for anything but such a chain.
    pub fn new(network: &Network, channels: usize) -> Result<Head, Error> {
        let g = network.graph();
        let wrong = || Error::Unsupported { feature: format!("network {:?}", g.name) };
        let mut layers = Vec::new();
        let mut have = channels;
        for (k, operation) in g.operations.iter().enumerate() {
            let Operation::Convolution(c) = operation else { return Err(wrong()) };
            let r = &c.requantise;
            if c.source != k || c.window != Window::POINT || !r.multipliers.is_empty() || have.max(c.channels) > WIDEST
            {
                return Err(wrong());
            }
            let inputs = have.next_multiple_of(8);
            let mut weights = vec![0; inputs * c.channels];
            for (row, w) in weights.chunks_exact_mut(inputs).zip(c.weights.chunks_exact(have)) {
                row[..have].copy_from_slice(w);
            }
            let (low, high) = (i32::from(r.span.low), i32::from(r.span.high));
            let bias = c.bias[..c.channels].to_vec();
            layers.push(Layer { inputs, outputs: c.channels, weights, bias, shift: u32::from(r.shift), low, high });
            have = c.channels;
        }
        if g.channels != channels || g.conditions != 1 || have != 2 {
            return Err(wrong());
        }
        Ok(Head { layers })
    }

    /// What the network says of the channels of `a` and then `b`.
    #[inline]
    pub fn run(&self, a: &[i16], b: &[i16]) -> [i16; 2] {
        let mut x = [0i16; WIDEST];
        x[..a.len()].copy_from_slice(a);
        x[a.len()..][..b.len()].copy_from_slice(b);
        for l in &self.layers {
            let mut y = [0i16; WIDEST];
            let half = (1i32 << l.shift) >> 1;
            for ((y, w), bias) in y[..l.outputs].iter_mut().zip(l.weights.chunks_exact(l.inputs)).zip(&l.bias) {
                // No sum overflows: the model's reader has proven it.
                let sum: i32 = x[..l.inputs].iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w)).sum();
                *y = ((sum + bias + half) >> l.shift).clamp(l.low, l.high) as i16;
            }
            x = y;
        }
        [x[0], x[1]]
    }
}
