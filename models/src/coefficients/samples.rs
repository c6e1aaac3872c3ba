//! What is learned from: coefficients of many chunks, and what was known of each when it was coded.
use crate::{Error, pool::generator};
use scicodec::{
    ChunkBound, ChunkRequest, DType, Effort, ModelChoice,
    learned::{COEFFICIENT_CHANNELS, CoefficientSample, coefficient_samples},
    numbers,
};

type Kind = fn(f64) -> ChunkBound;

/// Bounds that chunks are coded under, as parts of the range; first those of every value, then those of the root mean square.
const BOUNDS: [(f64, Kind); 6] = [
    (1e-1, ChunkBound::Abs),
    (1e-2, ChunkBound::Abs),
    (1e-3, ChunkBound::Abs),
    (1e-2, ChunkBound::Rmse),
    (1e-3, ChunkBound::Rmse),
    (1e-4, ChunkBound::Rmse),
];
/// How many bounds there are.
pub const BOUND_COUNT: usize = BOUNDS.len();
/// Of coefficients that see nothing but zeros around them so many fewer are kept: they are alike.
const THINNED: f64 = 8.0;

/// A chunk to learn from: floats, slowest axis first, elements in C order and the machine's byte order.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its name. What stands before the first `__` names its family: families are held out as a whole.
    pub name: String,
    /// Type of the elements.
    pub dtype: DType,
    /// Extents.
    pub shape: Vec<usize>,
    /// Elements.
    pub data: Vec<u8>,
}

impl Piece {
    /// The family of the field that it was cut from.
    pub fn family(&self) -> &str {
        self.name.split("__").next().unwrap_or_default()
    }

    /// Largest less smallest number; 0 where there is none.
    fn range(&self) -> f64 {
        let known = numbers(self.dtype, &self.data).into_iter().filter(|v| v.is_finite());
        let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if high > low { high - low } else { 0.0 }
    }
}

/// Samples of many chunks.
#[derive(Default)]
pub struct Samples {
    /// [`COEFFICIENT_CHANNELS`] for every sample.
    pub inputs: Vec<i16>,
    /// What the coefficients were.
    pub magnitudes: Vec<u16>,
    /// What a bit of a sample is of the bits of its chunk: samples that are left out are stood for by others.
    pub weights: Vec<f32>,
    /// How many chunks they are of.
    pub chunks: usize,
}

impl Samples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.magnitudes.len()
    }

    /// Adds those of other chunks.
    pub fn add(&mut self, other: Samples) {
        self.inputs.extend(other.inputs);
        self.magnitudes.extend(other.magnitudes);
        self.weights.extend(other.weights);
        self.chunks += other.chunks;
    }

    /// Of one piece at bound number `bound`, about `most` of them at most; none where it is constant or has no wavelet.
    ///
    /// Errors: `Codec`.
    pub fn of(piece: &Piece, bound: usize, most: usize, rng: &mut fastrand::Rng) -> Result<Samples, Error> {
        let (relative, kind) = BOUNDS[bound % BOUND_COUNT];
        let bound = relative * piece.range();
        if !bound.is_finite() || bound <= f64::MIN_POSITIVE {
            return Ok(Samples::default());
        }
        let request = ChunkRequest {
            dtype: piece.dtype,
            shape: &piece.shape,
            data: &piece.data,
            bound: kind(bound),
            fill: None,
            effort: Effort::Default,
            model: ModelChoice::None,
        };
        let found = coefficient_samples(&request)?;
        Ok(found.map_or_else(Samples::default, |(samples, bytes)| drawn(&samples, bytes, most, rng)))
    }
}

/// A part of a chunk's samples.
fn drawn(samples: &[CoefficientSample], bytes: f64, most: usize, rng: &mut fastrand::Rng) -> Samples {
    let alike = samples.iter().filter(|s| s.nothing_around()).count() as f64;
    let part = (most as f64 / (samples.len() as f64 - alike + alike / THINNED).max(1.0)).min(1.0);
    let mut out = Samples { chunks: 1, ..Samples::default() };
    for s in samples {
        let part = if s.nothing_around() { part / THINNED } else { part };
        if rng.f64() < part {
            out.inputs.extend_from_slice(&s.inputs);
            out.magnitudes.push(s.magnitude);
            out.weights.push((1.0 / (part * 8.0 * bytes.max(1.0))) as f32);
        }
    }
    out
}

/// Some samples, as a step learns from them.
pub struct Batch {
    /// [`COEFFICIENT_CHANNELS`] for every sample.
    pub inputs: Vec<i16>,
    /// What the coefficients were.
    pub magnitudes: Vec<u16>,
    /// What a bit of a sample counts: the mean over the batch is that over chunks of bits, as a part of those of the chunk.
    pub weights: Vec<f32>,
}

/// Draws samples, of heavier ones more: the more samples there are of all chunks, the less is told twice.
pub struct Drawer<'a> {
    samples: &'a Samples,
    /// Sums of the roots of weights.
    sums: Vec<f64>,
}

impl Drawer<'_> {
    /// From these samples; there is at least one.
    pub fn new(samples: &Samples) -> Drawer<'_> {
        let add = |sum: &mut f64, w: &f32| {
            *sum += f64::from(*w).sqrt();
            Some(*sum)
        };
        Drawer { samples, sums: samples.weights.iter().scan(0.0, add).collect() }
    }

    /// The samples of step `step`.
    pub fn batch(&self, count: usize, seed: u64, step: u64) -> Batch {
        let mut rng = generator(seed, 29, step);
        let all = self.sums.last().copied().unwrap_or(0.0);
        let s = self.samples;
        let mut batch = Batch { inputs: vec![], magnitudes: vec![], weights: vec![] };
        for _ in 0..count {
            let at = rng.f64() * all;
            let k = self.sums.partition_point(|sum| *sum <= at).min(s.count() - 1);
            batch.inputs.extend_from_slice(&s.inputs[k * COEFFICIENT_CHANNELS..][..COEFFICIENT_CHANNELS]);
            batch.magnitudes.push(s.magnitudes[k]);
            // Drawn by its root, it counts by its root.
            batch.weights.push((f64::from(s.weights[k]).sqrt() * all / s.chunks.max(1) as f64) as f32);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(known: i16, magnitude: u16) -> CoefficientSample {
        CoefficientSample { inputs: [known; COEFFICIENT_CHANNELS], magnitude }
    }

    #[test]
    fn what_is_drawn_stands_for_all() {
        let all: Vec<_> = (0..40_000).map(|k| sample(i16::from(k % 4 == 0), u16::from(k % 40 == 0))).collect();
        let drawn = drawn(&all, 1000.0, 3000, &mut fastrand::Rng::with_seed(3));
        assert!((2500..3500).contains(&drawn.count()), "{}", drawn.count());
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.15;
        let share: f32 = drawn.weights.iter().sum();
        assert!(near(f64::from(share), 5.0), "40000 bits would be 5 times its bytes: {share}");
        let ones = |magnitudes: &[u16], weights: &[f32]| -> f64 {
            magnitudes.iter().zip(weights).map(|(m, w)| f64::from(*m) * f64::from(*w)).sum()
        };
        let share = ones(&drawn.magnitudes, &drawn.weights);
        assert!(near(share, 0.125), "{share}");
        let count = 100_000;
        let batch = Drawer::new(&drawn).batch(count, 1, 1);
        let again = ones(&batch.magnitudes, &batch.weights) / count as f64;
        assert!(near(again, share), "{again} of {share}");
    }
}
