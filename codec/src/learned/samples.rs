//! Training samples: passes of interpolation as the encoder meets them, with what a network should have said.
use super::causal::CAUSAL;
use super::coefficients::CoefficientSample;
use super::features::Features;
use super::guide::Guide;
use super::predictor::Predictor;
use crate::Error;
use crate::base::interpolation::{Parameters, Run};
use crate::base::quantiser::Quantiser;
use crate::base::{Geometry, wavelet};
use crate::chunk::ChunkRequest;
use crate::entropy::{CostCounter, Left, Mixture, ResidualCoder, Silence, Start};
use crate::prepare::Prepared;
use crate::select_target::target;

/// One pass: what a network sees, and what it should have said. Lattices have the axes [B, T2, T1, A], A that of the
/// pass; all vectors are in that order.
pub struct PassSample {
    /// Extents.
    pub shape: [usize; 4],
    /// Channels of every point, channels last, fixed-point numbers with [`super::UNIT`] for 1.
    pub features: Vec<i16>,
    /// Number of the level and of the kind of transverse axes, below [`super::CONDITIONS`].
    pub condition: usize,
    /// Causal channels of every point, channels last; 0 where the weight is 0.
    pub causal: Vec<i16>,
    /// What interpolation with fitted weights leaves, in units of the local amplitude.
    pub target: Vec<f32>,
    /// Half the step of quantisation, in units of the local amplitude.
    pub half: Vec<f32>,
    /// Offset of every point in the field.
    pub place: Vec<u32>,
    /// 1, or 0 where nothing is to be said: masked points, rows of zeros, points with a neighbour on one side only.
    pub weight: Vec<f32>,
}

/// How the encoder is run to make samples.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Half the step of the finest level: the absolute error bound.
    pub bound: f64,
    /// Schedule of steps over levels, in sixteenths (SPEC §8.2).
    pub alpha: u8,
    /// See `alpha`.
    pub beta: u8,
    /// The axes in reverse order of refinement.
    pub reversed: bool,
    /// The finest levels whose predictions are corrected by fitted weights.
    pub fitted: u8,
    /// Levels from which samples are wanted, finest first.
    pub levels: u32,
}

/// Writes down what a network should have said.
#[derive(Default)]
pub struct Recorder(Vec<PassSample>);

impl Recorder {
    pub(super) fn enter(&mut self, f: &Features, place: Vec<u32>) {
        let n = f.amplitude.len();
        self.0.push(PassSample {
            shape: f.shape,
            features: f.data.clone(),
            condition: f.condition,
            causal: vec![0; n * CAUSAL],
            target: vec![0.0; n],
            half: vec![1.0; n],
            weight: vec![0.0; n],
            place,
        });
    }

    pub(super) fn point(&mut self, k: usize, causal: &[i16; CAUSAL], target: f64, half: f64) {
        if let Some(s) = self.0.last_mut() {
            s.causal[k * CAUSAL..][..CAUSAL].copy_from_slice(causal);
            (s.target[k], s.half[k], s.weight[k]) = (target as f32, half as f32, 1.0);
        }
    }
}

/// Samples of all passes over a field of this shape (slowest axis first); masked points are left out. Values are
/// changed into what decoding would give. With a predictor, codes are those that its corrections leave: what its head
/// sees in coding.
pub fn samples(
    shape: &[usize],
    values: &mut [f64],
    mask: Option<&[bool]>,
    setting: &Setting,
    predictor: Option<&Predictor>,
) -> Vec<PassSample> {
    let g = Geometry::new(shape);
    let mut order: Vec<u8> = (0..4u8).filter(|&a| g.n[a as usize] > 1).collect();
    if setting.reversed {
        order.reverse();
    }
    let fitted = setting.fitted;
    let p = Parameters { order, alpha: setting.alpha, beta: setting.beta, linear: false, fitted };
    let mut recorder = Recorder::default();
    let guide = Guide::recording(&mut recorder, predictor, g.len(), setting.levels);
    let quantiser = Quantiser::real(2.0 * setting.bound);
    Run::<ResidualCoder<1>>::new(g, &p, quantiser, values, mask).guided(guide).run(&mut Silence);
    recorder.0
}

/// What a network would be asked about the coefficients of the wavelet that suits a chunk of floats best, and about how many
/// bytes they take without; none where no wavelet keeps the bound.
///
/// Errors: those of [`crate::encode_chunk`].
pub fn coefficient_samples(req: &ChunkRequest<'_>) -> Result<Option<(Vec<CoefficientSample>, f64)>, Error> {
    let x = Prepared::new(req)?;
    let Some(target) = target(&x) else { return Ok(None) };
    let mask = x.special.as_deref();
    let rival = f64::INFINITY;
    let on = wavelet::Ground { part: false, thin: false, rival, effort: x.effort, start: Start::default() };
    let Some(found) = wavelet::choose(x.g, &x.numbers, mask, target, on).into_iter().next() else { return Ok(None) };
    let samples = Left::default();
    let start = Start { samples: Some(&samples), ..Start::default() };
    let (mut c, mut values) = (CostCounter::default(), x.numbers.clone());
    wavelet::code::<_, Mixture<4, true>>(&mut c, x.g, &found.parameters, &mut values, mask, &start);
    Ok(Some((samples.into_inner(), c.bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::{CHANNELS, CONDITIONS};

    #[test]
    fn samples_cover_every_new_point_once() {
        let shape = [9, 14, 11];
        let field: Vec<f64> = (0..shape.iter().product()).map(|i: usize| (i as f64 * 0.37).sin()).collect();
        let setting = Setting { bound: 1e-3, alpha: 20, beta: 32, reversed: false, fitted: 2, levels: 9 };
        let mut values = field.clone();
        let all = samples(&shape, &mut values, None, &setting, None);
        let points: usize = all.iter().map(|s| s.shape.iter().product::<usize>()).sum();
        assert_eq!(points, field.len() - 1, "all but the anchor");
        for s in &all {
            let n = s.shape.iter().product::<usize>();
            assert_eq!((s.features.len(), s.causal.len()), (n * CHANNELS, n * CAUSAL));
            assert_eq!((s.target.len(), s.half.len(), s.weight.len()), (n, n, n));
            assert!(s.condition < CONDITIONS);
        }
        assert!(field.iter().zip(&values).all(|(a, b)| (a - b).abs() <= 1e-3), "values are what decoding gives");
    }

    #[test]
    fn a_linear_field_asks_for_no_correction() {
        let mut values: Vec<f64> = (0..400).map(|i| f64::from(i / 20 * 2 + i % 20)).collect();
        let setting = Setting { bound: 1e-6, alpha: 16, beta: 16, reversed: true, fitted: 0, levels: 4 };
        for s in samples(&[20, 20], &mut values, None, &setting, None) {
            assert!(s.target.iter().all(|t| t.abs() < 1e-3), "{:?}", s.target);
        }
    }
}
