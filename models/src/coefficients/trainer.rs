//! Steps on batches of samples, with a guard against numbers that are not finite.
use super::{
    loss,
    network::Network,
    samples::{Batch, Drawer, Samples},
};
use crate::{Error, parameters, pool::generator};
use burn::{
    grad_clipping::GradientClippingConfig,
    module::Module,
    optim::{AdamWConfig, GradientsParams, ModuleOptimizer},
    tensor::Device,
};

/// Learning rate at the beginning; it falls along half a cosine to 0.
const RATE: f64 = 3e-3;
/// Steps over which it rises.
const WARM: f64 = 50.0;
/// Samples of a step.
pub const BATCH: usize = 8192;
/// Largest Euclidean norm of a parameter's gradient.
const CLIP: f32 = 1.0;
/// Steps in a row that may be skipped.
const SKIPS: u32 = 8;

/// A network in training.
pub struct Trainer {
    device: Device,
    network: Network,
    optimiser: ModuleOptimizer,
    seed: u64,
    /// Steps done.
    pub step: u64,
    skips: u32,
}

impl Trainer {
    /// A new network. Errors: `NoDevice`.
    pub fn new(device_name: &str, seed: u64) -> Result<Trainer, Error> {
        let device = crate::device(device_name)?.autodiff();
        let network = Network::new(&mut generator(seed, 31, 0), &device);
        let clip = Some(GradientClippingConfig::Norm(CLIP));
        let optimiser = AdamWConfig::new().with_weight_decay(0.0).with_epsilon(1e-8).with_grad_clipping(clip).init();
        Ok(Trainer { device, network, optimiser, seed, step: 0, skips: 0 })
    }

    /// Learns from some samples; `of` are the steps of the whole run. What a bit was of a chunk's, or none where something was not
    /// finite, and the step was not taken. Errors: `Diverged` where no step can be taken any more.
    pub fn step(&mut self, drawer: &Drawer, of: u64) -> Result<Option<f64>, Error> {
        let batch = drawer.batch(BATCH, self.seed, self.step);
        self.learn(&batch, of)
    }

    fn learn(&mut self, batch: &Batch, of: u64) -> Result<Option<f64>, Error> {
        let progress = self.step as f64 / of.max(1) as f64;
        let warm = ((self.step + 1) as f64 / WARM).min(1.0);
        let rate = RATE * warm * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        self.step += 1;
        let sum = loss::relative_bits(&self.network, batch, &self.device);
        let loss = f64::from(sum.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(sum.backward(), &self.network);
        if loss.is_finite() && parameters::norm(&self.network, &gradients).is_finite() {
            self.network = self.optimiser.step(rate, self.network.clone(), gradients);
            self.skips = 0;
            return Ok(Some(loss));
        }
        self.skips += 1;
        if self.skips >= SKIPS { Err(Error::Diverged { step: self.step, restores: 0 }) } else { Ok(None) }
    }

    /// The network as it is, without gradients.
    pub fn network(&self) -> Network {
        self.network.valid()
    }

    /// What samples cost, as parts of what their chunks do.
    pub fn score(&self, samples: &Samples) -> f64 {
        let network = self.network();
        let device = self.device.clone().inner();
        let said = loss::said(&network, samples, &device);
        loss::score(samples, said.into_iter(), &loss::table(&network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coefficients::samples::Piece;
    use crate::field::tests::field;
    use scicodec::DType;

    fn samples() -> Samples {
        let shape = [96usize, 100];
        let source = field("a__x", &shape.map(|n| n as u64), 1).source;
        let mut data = vec![0; 4 * shape.iter().product::<usize>()];
        source.read(&[0, 0], &shape.map(|n| n as u64), &mut data).unwrap();
        let piece = Piece { name: "a__x".into(), dtype: DType::F32, shape: shape.to_vec(), data };
        let mut samples = Samples::default();
        for bound in [1, 4] {
            samples.add(Samples::of(&piece, bound, 5000, &mut fastrand::Rng::with_seed(1)).unwrap());
        }
        samples
    }

    #[test]
    fn a_few_steps_lower_the_loss() {
        let samples = samples();
        assert!(samples.chunks > 0);
        let mut t = Trainer::new("flex", 3).unwrap();
        let before = t.score(&samples);
        let drawer = Drawer::new(&samples);
        for _ in 0..60 {
            t.step(&drawer, 1000).unwrap();
        }
        let after = t.score(&samples);
        assert!(after < 0.95 * before, "{before} {after}");
    }

    #[test]
    fn batches_that_are_not_finite_are_skipped_and_a_run_of_them_is_an_error() {
        let samples = samples();
        let mut t = Trainer::new("flex", 3).unwrap();
        let mut batch = Drawer::new(&samples).batch(100, 1, 0);
        batch.weights.fill(f32::NAN);
        let before = parameters::read(&t.network);
        assert!(t.learn(&batch, 10).unwrap().is_none());
        assert_eq!(parameters::read(&t.network), before);
        let end = (0..100).find_map(|_| t.learn(&batch, 10).err());
        assert!(matches!(end, Some(Error::Diverged { .. })), "{end:?}");
    }
}
