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
    /// From weights \[out, tap, in\].
    pub(crate) fn new(kernel: Kernel, weights: &[i16], out: usize, taps: usize, input: usize) -> PackedDense {
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
        PackedDense { kernel, taps, pairs, blocks, data }
    }
}

/// Weights of a depthwise convolution, for some of its taps.
///
/// Scalar and NEON read \[tap, channel\]. AVX2 and AVX-512 run over the values of a line without regard to where a point
/// ends, 16 or 32 **lanes** at a time, from some multiple of 8: a lane's channel is its number modulo the channels. For each
/// first channel that is a multiple of 8, for each pair of taps, there are the two taps' weights of a lane beside each other,
/// in the order in which unpacking leaves the lanes: see [`unpacked`].
#[derive(Clone, Debug)]
pub(crate) struct PackedDepthwise {
    pub kernel: Kernel,
    pub taps: usize,
    pub channels: usize,
    pub data: Vec<i16>,
}

/// Lanes that a kernel takes at once in depthwise convolutions.
pub(super) fn lanes(kernel: Kernel) -> usize {
    match kernel {
        Kernel::Avx512 => 32,
        Kernel::Avx2 => 16,
        _ => 0,
    }
}

/// After how many lanes the same channels come again at the start of a kernel's vector.
#[cfg(target_arch = "x86_64")]
pub(super) fn period(kernel: Kernel, channels: usize) -> usize {
    let (mut lanes, eighths) = (lanes(kernel), channels / 8);
    let vector = lanes;
    while lanes / 8 % eighths != 0 {
        lanes += vector;
    }
    lanes
}

/// The lanes in the order in which unpacking the low halves, then the high halves, of 128-bit parts leaves them.
fn unpacked(lanes: usize) -> impl Iterator<Item = usize> {
    (0..2).flat_map(move |half| (0..lanes / 8).flat_map(move |part| (0..4).map(move |i| part * 8 + half * 4 + i)))
}

/// For each first channel, values by channel in the order of lanes; nothing for kernels without such an order.
pub(crate) fn by_lane(kernel: Kernel, values: &[i32]) -> Vec<i32> {
    let n = values.len();
    let first = (0..n).step_by(8);
    first.flat_map(|f| unpacked(lanes(kernel)).map(move |lane| values[(f + lane) % n])).collect()
}

impl PackedDepthwise {
    /// Takes the weights \[tap, channel\] of the taps in `numbers`; from `channels` on up to the next multiple of 8 they
    /// are 0.
    pub(crate) fn new(kernel: Kernel, weights: &[i16], channels: usize, numbers: &[usize]) -> PackedDepthwise {
        let (taps, padded) = (numbers.len(), channels.next_multiple_of(8));
        let weight = |tap: usize, c: usize| {
            let number = numbers.get(tap).filter(|_| c < channels);
            number.map_or(0, |n| weights[n * channels + c])
        };
        let mut data = Vec::new();
        if lanes(kernel) == 0 {
            (0..taps).for_each(|tap| data.extend((0..padded).map(|c| weight(tap, c))));
        } else {
            for first in (0..padded).step_by(8) {
                for pair in 0..taps.div_ceil(2) {
                    for lane in unpacked(lanes(kernel)) {
                        let c = (first + lane) % padded;
                        data.extend([weight(2 * pair, c), weight(2 * pair + 1, c)]);
                    }
                }
            }
        }
        PackedDepthwise { kernel, taps, channels: padded, data }
    }
}
