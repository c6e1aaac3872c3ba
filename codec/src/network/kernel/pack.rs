//! Weights in the order in which a kernel reads them.
use super::Kernel;

/// Output channels that a kernel computes together.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub lanes: usize,
    /// Where its weights begin in [`PackedDense::data`].
    pub start: usize,
}

/// Weights of a full convolution: for each block \[tap, pair of input channels, output channel, 2\], zeros where
/// channels are lacking.
#[derive(Clone, Debug)]
pub(crate) struct PackedDense {
    pub kernel: Kernel,
    pub taps: usize,
    /// Pairs of input channels.
    pub pairs: usize,
    pub blocks: Vec<Block>,
    pub data: Vec<i16>,
}

impl PackedDense {
    /// From weights \[out, tap, in\]; `None` if the kernel cannot run here.
    pub(crate) fn new(kernel: Kernel, weights: &[i16], out: usize, taps: usize, input: usize) -> Option<PackedDense> {
        if !kernel.runs_here() {
            return None;
        }
        let pairs = input.div_ceil(2);
        let (mut blocks, mut data) = (Vec::new(), Vec::new());
        let mut first = 0;
        let end = out.next_multiple_of(8);
        while first < end {
            let lanes = if kernel == Kernel::Avx512 && end - first >= 16 { 16 } else { 8 };
            blocks.push(Block { lanes, start: data.len() });
            for tap in 0..taps {
                for pair in 0..pairs {
                    for at in 0..2 * lanes {
                        let (o, i) = (first + at / 2, 2 * pair + at % 2);
                        let inside = o < out && i < input;
                        data.push(if inside { weights[(o * taps + tap) * input + i] } else { 0 });
                    }
                }
            }
            first += lanes;
        }
        Some(PackedDense { kernel, taps, pairs, blocks, data })
    }
}

/// Weights of a depthwise convolution, for some of its taps.
///
/// Scalar and NEON read \[tap, channel\]. AVX2 and AVX-512 read, for each chunk of 16 channels (and a last one of 8 if
/// they are no multiple of 16), for each pair of taps, the two taps' weights of a channel beside each other: first of the
/// channels 0–3 and 8–11 of the chunk, then of 4–7 and 12–15, which is how unpacking orders the values.
#[derive(Clone, Debug)]
pub(crate) struct PackedDepthwise {
    pub kernel: Kernel,
    pub taps: usize,
    pub channels: usize,
    pub data: Vec<i16>,
}

impl PackedDepthwise {
    /// Room for weights of a number of channels that is a multiple of 8; `None` if the kernel cannot run here.
    pub(crate) fn new(kernel: Kernel, channels: usize) -> Option<PackedDepthwise> {
        kernel.runs_here().then_some(PackedDepthwise { kernel, taps: 0, channels, data: Vec::new() })
    }

    /// Takes the weights \[tap, channel\] of the taps in `numbers`; channels from `channels` on have weights of 0.
    pub(crate) fn fill(&mut self, weights: &[i16], channels: usize, numbers: &[usize]) {
        self.taps = numbers.len();
        self.data.clear();
        let weight = |tap: usize, c: usize| {
            let number = numbers.get(tap).filter(|_| c < channels);
            number.map_or(0, |n| weights[n * channels + c])
        };
        if matches!(self.kernel, Kernel::Scalar | Kernel::Neon) {
            for tap in 0..self.taps {
                self.data.extend((0..self.channels).map(|c| weight(tap, c)));
            }
            return;
        }
        for chunk in (0..self.channels).step_by(16) {
            let groups: &[usize] = if self.channels - chunk >= 16 { &[0, 8, 4, 12] } else { &[0, 4] };
            for pair in 0..self.taps.div_ceil(2) {
                for group in groups {
                    for c in chunk + group..chunk + group + 4 {
                        self.data.extend([weight(2 * pair, c), weight(2 * pair + 1, c)]);
                    }
                }
            }
        }
    }
}
