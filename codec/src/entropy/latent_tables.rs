//! Under which distributions latents are coded, and what one is worth (SPEC §9.7).
use super::bits::SYMBOLS;
use crate::Error;

/// Largest magnitude of a number that a latent network is given.
const LIMIT: i32 = 1023;
/// Numbers of a distribution of one scale: the mass above 1/8, 2/8, …, 63/8.
pub const ABOVE: usize = 63;
/// The least symbol stands for this integer.
pub const LEAST: i32 = -8;
/// Channels of latents, and of hyper-latents, at most.
const MOST_CHANNELS: usize = 32;
/// Gains, and scales, at most.
const MOST: usize = 64;

/// The tables of a model with latents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatentTables {
    /// Channels of latents, 1 to 32.
    pub channels: usize,
    /// Channels of hyper-latents, 0 to 32.
    pub hyper: usize,
    /// Turns in which latents are coded: 1, or 2 for the even points of the lattice before the odd ones.
    pub turns: usize,
    /// What one is worth, by gain and channel, times 2^shift: `channels` each.
    pub worth: Vec<u16>,
    /// 0 to 16.
    pub shift: u8,
    /// By scale: of a symmetrical distribution, the mass above k/8 in units of 2^-16, k from 1.
    pub scales: Vec<[u16; ABOVE]>,
    /// Of hyper-latents, by gain and channel: the mass above each symbol but the last.
    pub priors: Vec<[u16; SYMBOLS - 1]>,
}

fn corrupt<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Corrupt { what: what.into(), section: "9.7" })
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b)).collect()
}

impl LatentTables {
    /// Reads the body of a section `LATE`. Errors: [`Error::Corrupt`].
    pub fn read(body: &[u8]) -> Result<LatentTables, Error> {
        let Some((&[channels, hyper, turns, gains, shift, scales], rest)) = body.split_first_chunk::<6>() else {
            return corrupt("a section LATE that ends early");
        };
        let [channels, hyper, turns, gains, scales] = [channels, hyper, turns, gains, scales].map(usize::from);
        let sizes = [gains * channels, scales * ABOVE, gains * hyper * (SYMBOLS - 1)];
        if rest.len() != 2 * sizes.iter().sum::<usize>() {
            return corrupt(format!("a section LATE of {} bytes", body.len()));
        }
        let all = numbers(rest);
        let (worth, rest) = all.split_at(sizes[0]);
        let (masses, priors) = rest.split_at(sizes[1]);
        let tables = LatentTables {
            channels,
            hyper,
            turns,
            worth: worth.to_vec(),
            shift,
            scales: masses.as_chunks().0.to_vec(),
            priors: priors.as_chunks().0.to_vec(),
        };
        tables.check()?;
        Ok(tables)
    }

    /// Errors: [`Error::Corrupt`] where the tables are not what SPEC says.
    pub fn check(&self) -> Result<(), Error> {
        let gains = self.worth.len() / self.channels.max(1);
        if !(1..=MOST_CHANNELS).contains(&self.channels) || self.hyper > MOST_CHANNELS || !(1..=2).contains(&self.turns)
        {
            return corrupt("channels or turns of latents that cannot be");
        }
        if !(1..=MOST).contains(&gains) || !(1..=MOST).contains(&self.scales.len()) || self.shift > 16 {
            return corrupt("gains, scales or a shift of latents that cannot be");
        }
        let whole = self.worth.len() == gains * self.channels && self.priors.len() == gains * self.hyper;
        if !whole || self.worth.contains(&0) {
            return corrupt("latents worth nothing");
        }
        if self.scales.iter().any(|s| s[0] > 32768 || !s.is_sorted_by(|a, b| a >= b)) {
            return corrupt("a distribution of latents that rises");
        }
        if self.priors.iter().any(|p| p[SYMBOLS - 2] == 0 || !p.is_sorted_by(|a, b| a > b)) {
            return corrupt("a distribution of hyper-latents that leaves a symbol none");
        }
        Ok(())
    }

    /// The body of a section `LATE`.
    pub fn write(&self) -> Vec<u8> {
        let mut out = [self.channels, self.hyper, self.turns, self.gains()].map(|n| n as u8).to_vec();
        out.extend([self.shift, self.scales.len() as u8]);
        let all = self.worth.iter().chain(self.scales.iter().flatten()).chain(self.priors.iter().flatten());
        out.extend(all.flat_map(|v| v.to_le_bytes()));
        out
    }

    /// Gains to choose from.
    pub fn gains(&self) -> usize {
        self.worth.len() / self.channels
    }

    /// What networks see of a latent: in units of 1/128.
    #[inline]
    pub fn value(&self, gain: usize, channel: usize, latent: i16) -> i16 {
        let worth = i32::from(self.worth[gain * self.channels + channel]);
        let half = (1 << self.shift) >> 1;
        ((i32::from(latent) * worth + half) >> self.shift).clamp(-LIMIT, LIMIT) as i16
    }

    /// The latent nearest to a number in units of 1/1024. Encoder only.
    pub fn nearest(&self, gain: usize, channel: usize, number: i16) -> i16 {
        let unit = 8 * i64::from(self.worth[gain * self.channels + channel]);
        let twice = 2 * (i64::from(number) << self.shift) + unit;
        twice.div_euclid(2 * unit).clamp(-40, 40) as i16
    }

    /// The mass above each symbol, for a mean in eighths (of which `fraction`, −4 to 3, is beyond a whole number) and a scale.
    pub fn above(&self, scale: usize, fraction: i32) -> [u16; SYMBOLS] {
        let masses = &self.scales[scale];
        let mass = |k: i32| match k {
            0 => 32768,
            k if k > 0 => u32::from(masses[k as usize - 1]),
            k => 65536 - u32::from(masses[-k as usize - 1]),
        };
        std::array::from_fn(|j| match j {
            15 => 0,
            j => {
                let edge = 8 * (j as i32 + LEAST) + 4 - fraction;
                ((15 - j) as u32 + ((mass(edge) * (65536 - 16)) >> 16)) as u16
            }
        })
    }

    /// The same of a hyper-latent.
    pub fn above_hyper(&self, gain: usize, channel: usize) -> [u16; SYMBOLS] {
        let prior = &self.priors[gain * self.hyper + channel];
        std::array::from_fn(|j| prior.get(j).copied().unwrap_or(0))
    }
}
