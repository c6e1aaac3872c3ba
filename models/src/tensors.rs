//! Samples as tensors.
use burn::tensor::{Device, Tensor, TensorData};
use scicodec::learned::{CAUSAL, CHANNELS, PassSample, UNIT};

/// The tensors of one sample.
pub struct Inputs {
    /// `[B, CHANNELS, T2, T1, A]`, in units of 1.
    pub features: Tensor<5>,
    /// `[B, CAUSAL, points of a box]`, in units of 1.
    pub causal: Tensor<3>,
    /// `[points]`
    pub target: Tensor<1>,
    /// `[points]`
    pub half: Tensor<1>,
    /// `[points]`
    pub weight: Tensor<1>,
}

impl Inputs {
    /// Copies a sample to a device; nothing of it asks for gradients.
    pub fn new(s: &PassSample, device: &Device) -> Inputs {
        let [b, t2, t1, a] = s.shape;
        let points = t2 * t1 * a;
        let (features, causal) = (first(&s.features, points, CHANNELS), first(&s.causal, points, CAUSAL));
        let flat = |v: &[f32]| Tensor::from_data(TensorData::new(v.to_vec(), [v.len()]), device);
        Inputs {
            features: Tensor::from_data(TensorData::new(features, [b, CHANNELS, t2, t1, a]), device),
            causal: Tensor::from_data(TensorData::new(causal, [b, CAUSAL, points]), device),
            target: flat(&s.target),
            half: flat(&s.half),
            weight: flat(&s.weight),
        }
    }
}

/// From channels last to channels first, in boxes of `points` points.
fn first(numbers: &[i16], points: usize, channels: usize) -> Vec<f32> {
    let mut out = vec![0f32; numbers.len()];
    let boxes = numbers.chunks_exact(points * channels).zip(out.chunks_exact_mut(points * channels));
    for (from, to) in boxes {
        for (i, point) in from.chunks_exact(channels).enumerate() {
            for (c, v) in point.iter().enumerate() {
                to[c * points + i] = f32::from(*v) * (1.0 / UNIT as f32);
            }
        }
    }
    out
}
