//! Everything that a run of training can be told, with defaults; read from TOML.
use crate::{Error, latents::LatentConfig, network::NetworkConfig, pool::Drawing};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A run of training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The network.
    pub network: NetworkConfig,
    /// How it is trained.
    pub training: TrainingConfig,
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Learning rate after the warm-up; falls along half a cosine.
    pub learning_rate: f64,
    /// Learning rate at the end, as a part of that.
    pub last_rate: f64,
    /// Steps over which the learning rate rises.
    pub warmup_steps: u64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Largest Euclidean norm of a parameter's gradient.
    pub clip: f32,
    /// Part of the moving average of the weights that stays at each step. The average is what is validated and exported.
    pub average: f64,
    /// Windows in a step.
    pub windows: usize,
    /// Points of a window.
    pub window_points: usize,
    /// Points of a field in an encoding from which windows are drawn.
    pub crop_points: usize,
    /// Encodings that windows are drawn from at a time.
    pub encodings: usize,
    /// Steps after which the oldest encoding gives way to a new one.
    pub steps_per_encoding: u64,
    /// Part of the families of fields that is kept for validation.
    pub held_out: f64,
    /// Steps from one validation to the next.
    pub validate_every: u64,
    /// Encodings per bound in a validation.
    pub validation_encodings: usize,
    /// Points of an encoding in a validation.
    pub validation_points: usize,
    /// Parts of fields that a validation codes with the network and without: the true gain, by which the best network is kept.
    pub coded_parts: usize,
    /// Points of such a part.
    pub coded_points: usize,
    /// File of an integer model. Encodings are then made with it, so that the head sees the codes that are left in coding; without
    /// one, codes are those that are left without a network.
    pub sampler: Option<PathBuf>,
    /// File of a model that the trained one stands on: it has that one's states, and where latents are trained, its networks for
    /// chunks without. Without latents it may be left out.
    pub parent: Option<PathBuf>,
    /// Seconds from one checkpoint to the next.
    pub checkpoint_seconds: f64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            learning_rate: 3e-3,
            last_rate: 0.03,
            warmup_steps: 100,
            weight_decay: 1e-3,
            clip: 1.0,
            average: 0.998,
            windows: 4,
            window_points: 6144,
            crop_points: 1 << 16,
            encodings: 48,
            steps_per_encoding: 2,
            held_out: 0.1,
            validate_every: 500,
            validation_encodings: 12,
            validation_points: 1 << 14,
            coded_parts: 8,
            coded_points: 1 << 14,
            sampler: None,
            parent: None,
            checkpoint_seconds: 120.0,
        }
    }
}

impl TrainingConfig {
    pub(crate) fn drawing(&self) -> Drawing {
        Drawing {
            held: self.encodings,
            steps_per_encoding: self.steps_per_encoding,
            crop_points: self.crop_points,
            windows: self.windows,
            window_points: self.window_points,
        }
    }
}

impl Config {
    /// Reads a file. Errors: `Io`; `Corrupt` with what TOML's parser says, also of words that are not known.
    pub fn read(path: &Path) -> Result<Config, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let bad = |e: toml::de::Error| Error::Corrupt { path: path.display().to_string(), what: e.to_string() };
        let config: Config = toml::from_str(&text).map_err(bad)?;
        config.check()?;
        Ok(config)
    }

    /// Errors: `InvalidArgument` where a number makes no sense.
    pub fn check(&self) -> Result<(), Error> {
        let (n, t) = (&self.network, &self.training);
        let counts = [
            n.width,
            n.expansion,
            n.head[0],
            n.head[1],
            t.windows,
            t.window_points,
            t.encodings,
            t.validation_encodings,
        ];
        let longer = [
            t.steps_per_encoding,
            t.validate_every,
            t.crop_points as u64,
            t.validation_points as u64,
            t.coded_points as u64,
        ];
        let parts = [t.last_rate, t.average, t.held_out];
        let latents = n.latents.as_ref();
        let fits = |l: &LatentConfig| {
            (1..=32).contains(&l.channels)
                && l.hyper <= 32
                && (1..=64).contains(&l.features)
                && (2..=256).contains(&l.width)
        };
        let wrong = |what: &str| Err(Error::InvalidArgument(format!("configuration: {what}")));
        if counts.contains(&0) || longer.contains(&0) {
            return wrong("counts of channels, windows, points, encodings and steps must be at least 1");
        }
        if n.width * n.expansion > 1024 || n.blocks > 64 || n.head.iter().any(|c| *c > 1024) {
            return wrong("at most 64 blocks and 1024 channels in a block or in the head");
        }
        if latents.is_some_and(|l| !fits(l)) {
            return wrong(
                "latents have 1 to 32 channels, up to 32 hyper-channels, 1 to 64 features, and widths of 2 to 256",
            );
        }
        if parts.iter().any(|p| !(0.0..=1.0).contains(p)) {
            return wrong("last_rate, average and held_out lie between 0 and 1");
        }
        if !(t.learning_rate > 0.0 && t.clip > 0.0 && t.weight_decay >= 0.0 && t.checkpoint_seconds >= 0.0) {
            return wrong("learning_rate and clip must be positive, weight_decay and checkpoint_seconds not negative");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_say_little_but_nothing_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, "[network]\nwidth = 32\nspatial = \"planes\"\n").unwrap();
        let c = Config::read(&path).unwrap();
        assert_eq!((c.network.width, c.network.blocks), (32, NetworkConfig::default().blocks));
        std::fs::write(&path, "[training]\nlerning_rate = 1\n").unwrap();
        assert!(matches!(Config::read(&path), Err(Error::Corrupt { .. })));
        std::fs::write(&path, "[training]\nwindows = 0\n").unwrap();
        assert!(matches!(Config::read(&path), Err(Error::InvalidArgument(_))));
    }
}
