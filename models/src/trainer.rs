//! Training: steps on windows of passes, with a guard against numbers that are not finite.
use crate::{
    Error,
    checkpoint::{Best, Checkpoint, Standing},
    config::Config,
    item::LEAST_BITS,
    loss,
    network::{Block, Network},
    parameters,
    pool::{Window, generator},
    tensors::Inputs,
    weights,
};
use burn::{
    grad_clipping::GradientClippingConfig,
    module::Module,
    optim::{AdamWConfig, GradientsParams, ModuleOptimizer, OptimizerRecord},
    store::ModuleRecord,
    tensor::{Bytes, Device, Tensor},
};

use std::path::Path;

/// Steps in a row that may be skipped before the last good weights are restored, and how often that may be in a run.
const SKIPS: u32 = 8;
const RESTORES: u32 = 4;

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Until {
    /// After this many steps.
    Steps(u64),
    /// After this many minutes of training, earlier parts of the run counted in.
    Minutes(f64),
}

/// What a step did.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Bits with the network as a part of those without, the mean over windows.
    pub loss: f64,
    /// Norm of the gradient before it was clipped.
    pub norm: f64,
    /// Learning rate.
    pub rate: f64,
    /// Whether the step was taken: not where something was not finite.
    pub taken: bool,
}

/// A network in training.
pub struct Trainer {
    /// Where it stands.
    pub standing: Standing,
    device: Device,
    network: Network,
    optimiser: ModuleOptimizer,
    average: Vec<Vec<f32>>,
    /// The average at the best validation.
    best: Option<Vec<Vec<f32>>>,
    skips: u32,
    restores: u32,
    good: Option<Checkpoint>,
}

impl Trainer {
    /// A new network. `device_name` is what [`crate::device`] takes.
    pub fn new(config: &Config, device_name: &str, seed: u64) -> Result<Trainer, Error> {
        config.check()?;
        let device = crate::device(device_name)?.autodiff();
        let network = Network::new(&config.network, &mut generator(seed, 0, 0), &device);
        let average = parameters::read(&network);
        let standing = Standing {
            step: 0,
            seconds: 0.0,
            seed,
            device: device_name.into(),
            windows: 0,
            skipped: 0,
            loss: None,
            best: None,
            lineage: vec![],
            config: config.clone(),
        };
        Ok(Trainer {
            standing,
            device,
            network,
            optimiser: optimiser(config),
            average,
            best: None,
            skips: 0,
            restores: 0,
            good: None,
        })
    }

    /// The network that a checkpoint holds, ready to go on.
    pub fn resume(checkpoint: &Checkpoint, device_name: &str) -> Result<Trainer, Error> {
        let mut t = Trainer::new(&checkpoint.standing.config, device_name, checkpoint.standing.seed)?;
        t.restore(checkpoint)?;
        if !checkpoint.best.is_empty() {
            t.best = Some(numbers_like(&t.average, &checkpoint.best)?);
        }
        t.standing.device = device_name.into();
        Ok(t)
    }

    /// The same run, with float weights from a file. What its network has more than the file's, latents or last blocks, is
    /// added to it: such blocks change nothing at first.
    pub fn starting_from(mut self, path: &Path) -> Result<Trainer, Error> {
        let new = self.network.clone();
        self.network = weights::read_floats(self.network, path).or_else(|not_these| {
            let mut fewer = Network { latents: None, ..new.clone() };
            while !fewer.blocks.is_empty() {
                if let Ok(mut read) = weights::read_floats(fewer.clone(), path) {
                    let added = new.blocks[read.blocks.len()..].iter().cloned().map(Block::silent);
                    read.blocks.extend(added);
                    return Ok(Network { latents: new.latents, ..read });
                }
                fewer.blocks.pop();
            }
            Err(not_these)
        })?;
        self.average = parameters::read(&self.network);
        Ok(self)
    }

    fn restore(&mut self, c: &Checkpoint) -> Result<(), Error> {
        let corrupt = |what: String| Error::Corrupt { path: "checkpoint".into(), what };
        let bytes = |b: &[u8]| Bytes::from_bytes_vec(b.to_vec());
        let record = ModuleRecord::from_bytes(bytes(&c.network)).map_err(|e| corrupt(format!("{e:?}")))?;
        let network = self.network.clone().try_load_record(record).map_err(|e| corrupt(format!("{e:?}")))?;
        let record = OptimizerRecord::from_bytes(bytes(&c.optimiser)).map_err(|e| corrupt(format!("{e:?}")))?;
        self.average = numbers_like(&self.average, &c.average)?;
        self.network = network;
        self.optimiser = optimiser(&c.standing.config).load_record(record);
        self.standing = c.standing.clone();
        Ok(())
    }

    /// All that is needed to go on from here.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let failed = |e: burn::store::RecordError| Error::InvalidArgument(format!("cannot record the run: {e:?}"));
        Ok(Checkpoint {
            standing: self.standing.clone(),
            network: self.network.clone().into_record().into_bytes().map_err(failed)?.to_vec(),
            optimiser: self.optimiser.to_record().into_bytes().map_err(failed)?.to_vec(),
            average: bytes_of(&self.average),
            best: self.best.as_ref().map_or(vec![], |b| bytes_of(b)),
        })
    }

    /// The averaged network, without gradients: what is validated.
    pub fn averaged(&self) -> Network {
        parameters::replaced(self.network.valid(), &self.average)
    }

    /// The averaged network at the best validation, or as it is before the first: what is exported.
    pub fn best(&self) -> Network {
        parameters::replaced(self.network.valid(), self.best.as_ref().unwrap_or(&self.average))
    }

    /// Takes note of a validation: the averaged network is kept if none gained more in files, or as much with fewer bits.
    pub fn validated(&mut self, gain: f64, bits: f64) {
        let better = |b: Best| gain > b.gain || gain == b.gain && bits < b.bits;
        if gain.is_finite() && bits.is_finite() && self.standing.best.is_none_or(better) {
            self.standing.best = Some(Best { step: self.standing.step, gain, bits });
            self.best = Some(self.average.clone());
        }
    }

    /// How far the run has come, 0 to 1.
    pub fn progress(&self, until: Until) -> f64 {
        let part = match until {
            Until::Steps(n) if self.standing.step >= n => 1.0,
            Until::Steps(n) => self.standing.step as f64 / n.max(1) as f64,
            Until::Minutes(m) => self.standing.seconds / (60.0 * m).max(1e-9),
        };
        part.min(1.0)
    }

    /// Learns from some windows. Errors: `Diverged` where no step can be taken any more.
    pub fn step(&mut self, windows: &[Window], progress: f64) -> Result<Step, Error> {
        let c = &self.standing.config.training;
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        let warm = ((self.standing.step + 1) as f64 / c.warmup_steps.max(1) as f64).min(1.0);
        let rate = c.learning_rate * warm * (c.last_rate + (1.0 - c.last_rate) * cosine);
        let average = c.average;
        let mut sum: Option<Tensor<1>> = None;
        for (k, w) in windows.iter().enumerate() {
            let weights = w.sample.weight.iter().sum::<f32>();
            if weights > 0.0 {
                let inputs = Inputs::new(&w.sample, &self.device);
                let mut told = None;
                let mut extra = None;
                if let (Some(latents), Some(c)) = (&self.network.latents, &self.standing.config.network.latents) {
                    let mut noise = generator(self.standing.seed, 17, self.standing.step * 64 + k as u64);
                    let all = latents.encode(&w.whole, Some(&mut noise), &self.device);
                    told = Some(all.at(&w.whole, &w.sample.place, w.sample.shape[0], &self.device));
                    // A window stands for its share of the crop, and all shares together bear the latents.
                    let share = (self.standing.step as f64 / c.ramp_steps.max(1) as f64).min(1.0);
                    extra = Some(all.bits.mul_scalar(share / f64::from(w.whole.plain_bits) / windows.len() as f64));
                }
                let guidance = self.network.forward(inputs.features, inputs.causal, w.sample.condition, told);
                let bits = loss::bits(guidance, inputs.target, inputs.half);
                let part = weights * (w.plain_bits + LEAST_BITS) * windows.len() as f32;
                let mut relative = (bits * inputs.weight).sum().div_scalar(part);
                if let Some(extra) = extra {
                    relative = relative + extra;
                }
                sum = Some(match sum {
                    None => relative,
                    Some(s) => s + relative,
                });
            }
        }
        self.standing.step += 1;
        let Some(sum) = sum else { return Ok(Step { loss: 0.0, norm: 0.0, rate, taken: false }) };
        let loss = f64::from(sum.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(sum.backward(), &self.network);
        let norm = parameters::norm(&self.network, &gradients);
        let taken = loss.is_finite() && norm.is_finite();
        if taken {
            self.network = self.optimiser.step(rate, self.network.clone(), gradients);
            // At first the average follows quickly: it forgets the random start.
            let keep = average.min((1.0 + self.standing.step as f64) / (10.0 + self.standing.step as f64));
            parameters::average(&mut self.average, &parameters::read(&self.network), keep);
            self.standing.windows += windows.len() as u64;
            self.skips = 0;
        } else {
            self.skip()?;
        }
        Ok(Step { loss, norm, rate, taken })
    }

    /// Marks the present weights as good: what a diverging run goes back to.
    pub fn mark(&mut self) -> Result<(), Error> {
        self.good = Some(self.checkpoint()?);
        Ok(())
    }

    fn skip(&mut self) -> Result<(), Error> {
        self.standing.skipped += 1;
        self.skips += 1;
        if self.skips < SKIPS {
            return Ok(());
        }
        let diverged = Error::Diverged { step: self.standing.step, restores: self.restores };
        let Some(good) = self.good.take().filter(|_| self.restores < RESTORES) else { return Err(diverged) };
        let now = self.standing.clone();
        self.restore(&good)?;
        // Steps go on counting: the windows that broke it do not come again.
        self.standing = now;
        self.good = Some(good);
        self.restores += 1;
        self.skips = 0;
        Ok(())
    }
}

fn bytes_of(parameters: &[Vec<f32>]) -> Vec<u8> {
    parameters.iter().flatten().flat_map(|v| v.to_le_bytes()).collect()
}

/// Parameters of the sizes of others, from bytes.
fn numbers_like(sizes: &[Vec<f32>], bytes: &[u8]) -> Result<Vec<Vec<f32>>, Error> {
    let wrong = || Error::Corrupt { path: "checkpoint".into(), what: "weights of another network".into() };
    let mut left = bytes.as_chunks::<4>().0;
    let mut take = |n: usize| {
        let (head, tail) = left.split_at_checked(n)?;
        left = tail;
        Some(head.iter().map(|b| f32::from_le_bytes(*b)).collect())
    };
    sizes.iter().map(|s| take(s.len()).ok_or_else(wrong)).collect()
}

fn optimiser(config: &Config) -> ModuleOptimizer {
    let t = &config.training;
    AdamWConfig::new()
        .with_weight_decay(t.weight_decay)
        .with_beta_2(0.99)
        .with_epsilon(1e-8)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(t.clip)))
        .init()
}

#[cfg(test)]
#[path = "trainer_tests.rs"]
mod tests;
