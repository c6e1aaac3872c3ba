//! A run of training between two steps, as a file: all that is needed to go on as if it had not been interrupted.
use crate::{Error, config::Config};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// First bytes of the file. Then come five parts, each after its length as eight bytes, low byte first.
const MAGIC: &[u8; 24] = b"scicodec checkpoint  2\n\0";

/// What is said of a run besides tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Steps done.
    pub step: u64,
    /// Seconds of training done.
    pub seconds: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Device of the last part of the run.
    pub device: String,
    /// Windows learned from.
    pub windows: u64,
    /// Steps that were skipped because something was not finite.
    pub skipped: u64,
    /// Moving mean of the loss.
    pub loss: Option<f64>,
    /// The validation that went best so far.
    pub best: Option<Best>,
    /// Digests of the models whose float weights the run began with, the nearest first.
    pub lineage: Vec<String>,
    /// The configuration.
    pub config: Config,
}

/// A validation whose network is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done then.
    pub step: u64,
    /// Bytes without the network ÷ bytes with it.
    pub gain: f64,
    /// Ideal code lengths as a part of those without; decides between equal gains, as where the network is not yet asked.
    pub bits: f64,
}

/// A run between two steps.
pub struct Checkpoint {
    /// Where it stands.
    pub standing: Standing,
    /// burn's record of the network.
    pub network: Vec<u8>,
    /// burn's record of the optimiser.
    pub optimiser: Vec<u8>,
    /// The average of the weights, as low-endian 32-bit floats in the order of the network's parameters.
    pub average: Vec<u8>,
    /// The same at the best validation; empty before the first one.
    pub best: Vec<u8>,
}

impl Checkpoint {
    /// Writes the file under another name and renames it: there is always a whole one.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let standing = serde_json::to_vec(&self.standing).map_err(|e| Error::InvalidArgument(e.to_string()))?;
        let partial: PathBuf = path.with_extension("partial");
        let mut file = fs::File::create(&partial).map_err(Error::io(&partial))?;
        let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(Error::io(&partial));
        put(MAGIC)?;
        for part in [&standing, &self.network, &self.optimiser, &self.average, &self.best] {
            put(&(part.len() as u64).to_le_bytes())?;
            put(part)?;
        }
        file.sync_all().map_err(Error::io(&partial))?;
        fs::rename(&partial, path).map_err(Error::io(path))
    }

    /// Reads a file. Errors: `Io`; `Corrupt` where it is not a checkpoint of this version or has lost its end.
    pub fn read(path: &Path) -> Result<Checkpoint, Error> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let corrupt = |what: String| Error::Corrupt { path: path.display().to_string(), what };
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(|| corrupt("not a checkpoint of this version".into()))?;
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let (part, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            rest = after;
            Some(part.to_vec())
        };
        let mut parts: [Vec<u8>; 5] = Default::default();
        for p in &mut parts {
            *p = part().ok_or_else(|| corrupt("its end is missing".into()))?;
        }
        let [standing, network, optimiser, average, best] = parts;
        let standing = serde_json::from_slice(&standing).map_err(|e| corrupt(e.to_string()))?;
        Ok(Checkpoint { standing, network, optimiser, average, best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_written_and_a_cut_one_is_refused() {
        let standing = Standing {
            step: 3,
            seconds: 1.5,
            seed: 9,
            device: "cpu".into(),
            windows: 12,
            skipped: 0,
            loss: Some(0.75),
            best: Some(Best { step: 2, gain: 1.01, bits: 0.9 }),
            lineage: vec!["ab".into()],
            config: Config::default(),
        };
        let c = Checkpoint { standing, network: vec![1, 2], optimiser: vec![], average: vec![7; 8], best: vec![8; 8] };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        c.write(&path).unwrap();
        let again = Checkpoint::read(&path).unwrap();
        assert_eq!((again.standing, again.average, again.best), (c.standing, c.average, c.best));
        let bytes = fs::read(&path).unwrap();
        for n in 0..bytes.len() {
            fs::write(&path, &bytes[..n]).unwrap();
            assert!(matches!(Checkpoint::read(&path), Err(Error::Corrupt { .. })), "{n} bytes");
        }
    }
}
