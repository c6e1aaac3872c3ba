//! Samples as tensors.
use burn::tensor::{Device, Tensor, TensorData};
use scicodec::learned::{CHANNELS, PassSample, UNIT};

/// The tensors of one sample.
pub struct Inputs {
    /// `[B, CHANNELS, T2, T1, A]`, in units of 1.
    pub features: Tensor<5>,
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
        // From channels last to channels first.
        let mut features = vec![0f32; s.features.len()];
        for k in 0..b {
            let from = &s.features[k * points * CHANNELS..][..points * CHANNELS];
            let to = &mut features[k * points * CHANNELS..][..points * CHANNELS];
            for (i, channels) in from.chunks_exact(CHANNELS).enumerate() {
                for (c, v) in channels.iter().enumerate() {
                    to[c * points + i] = f32::from(*v) * (1.0 / UNIT as f32);
                }
            }
        }
        let flat = |v: &[f32]| Tensor::from_data(TensorData::new(v.to_vec(), [v.len()]), device);
        Inputs {
            features: Tensor::from_data(TensorData::new(features, [b, CHANNELS, t2, t1, a]), device),
            target: flat(&s.target),
            half: flat(&s.half),
            weight: flat(&s.weight),
        }
    }
}
