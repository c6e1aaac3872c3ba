//! What a coefficient costs when it is coded as the network says.
use super::{
    network::{CLASSES, Network, ROWS, tensor},
    samples::{Batch, Samples},
};
use crate::parameters::values;
use burn::tensor::{
    Device, Tensor, TensorData,
    activation::{softmax, softplus},
};
use scicodec::learned::COEFFICIENT_CHANNELS;

/// Least probability of a class that is counted with.
const LEAST: f32 = 1e-9;
/// Samples that are run at a time where nothing is learned.
const AT_A_TIME: usize = 1 << 15;

/// The class of a magnitude that is not 0, from 0: 1, 2 and 3 have their own, then there are two for each octave.
fn class(magnitude: u16) -> usize {
    let class = match magnitude {
        0..4 => usize::from(magnitude),
        m => {
            let top = m.ilog2();
            2 * top as usize + usize::from(m >> (top - 1) & 1)
        }
    };
    class.clamp(1, CLASSES) - 1
}

/// Bits that are told whatever the network says: the sign, and where in its class a magnitude is.
fn told(magnitude: u16) -> f32 {
    match magnitude {
        0 => 0.0,
        1..4 => 1.0,
        // In the last class the octave is told too.
        m => m.ilog2() as f32 + 2.0 * m.ilog2().saturating_sub(CLASSES as u32 / 2) as f32,
    }
}

/// Mean over a batch of what samples cost, as parts of what their chunks do: `[1]`.
pub fn relative_bits(network: &Network, batch: &Batch, device: &Device) -> Tensor<1> {
    let n = batch.magnitudes.len();
    let out = network.forward(tensor(&batch.inputs, device));
    let column = |k: usize| out.clone().slice([0..n, k..k + 1]);
    let flat = |v: Vec<f32>| Tensor::<2>::from_data(TensorData::new(v, [n, 1]), device);
    let mut classes = vec![0f32; n * CLASSES];
    for (row, m) in classes.chunks_exact_mut(CLASSES).zip(&batch.magnitudes).filter(|(_, m)| **m > 0) {
        row[class(*m)] = 1.0;
    }
    let classes = Tensor::<2>::from_data(TensorData::new(classes, [n, CLASSES]), device);
    let each = |f: fn(&u16) -> f32| flat(batch.magnitudes.iter().map(f).collect());
    // Between two rows of the table, probabilities are interpolated.
    let indices: Vec<f32> = (0..ROWS).map(|k| k as f32).collect();
    let indices = Tensor::<2>::from_data(TensorData::new(indices, [1, ROWS]), device);
    let near = (column(1).clamp(0.0, (ROWS - 1) as f64) - indices).abs().neg().add_scalar(1.0).clamp_min(0.0);
    let likely = near.matmul(softmax(network.table.val(), 1));
    // A 0 has no class, and costs nothing for it.
    let class = (likely * classes).sum_dim(1).clamp_min(LEAST).log() * each(|m| f32::from(*m > 0));
    let nats = softplus(column(0) * each(|m| if *m == 0 { -1.0 } else { 1.0 }), 1.0) - class;
    let bits = nats.mul_scalar(std::f64::consts::LOG2_E) + each(|m| told(*m));
    (bits * flat(batch.weights.clone())).mean()
}

/// What samples cost as parts of what their chunks do, the mean over chunks, given logit and index of each sample.
pub fn score(samples: &Samples, said: impl Iterator<Item = [f32; 2]>, table: &[Vec<f32>]) -> f64 {
    let each = samples.magnitudes.iter().zip(&samples.weights).zip(said);
    let bits = each.map(|((m, weight), [logit, index])| {
        let mut nats = softplus_of(if *m == 0 { -logit } else { logit });
        if *m > 0 {
            let index = index.clamp(0.0, (ROWS - 1) as f32);
            let row = (index as usize).min(ROWS - 2);
            let part = index - row as f32;
            let likely = table[row][class(*m)] * (1.0 - part) + table[row + 1][class(*m)] * part;
            nats -= likely.max(LEAST).ln();
        }
        f64::from((nats * std::f32::consts::LOG2_E + told(*m)) * weight)
    });
    bits.sum::<f64>() / samples.chunks.max(1) as f64
}

/// What a network says of samples: logit and index of each.
pub fn said(network: &Network, samples: &Samples, device: &Device) -> Vec<[f32; 2]> {
    let some = samples.inputs.chunks(AT_A_TIME * COEFFICIENT_CHANNELS);
    some.flat_map(|inputs| values(network.forward(tensor(inputs, device))).as_chunks::<2>().0.to_vec()).collect()
}

/// The rows of its table, as probabilities.
pub fn table(network: &Network) -> Vec<Vec<f32>> {
    values(softmax(network.table.val(), 1)).chunks_exact(CLASSES).map(<[f32]>::to_vec).collect()
}

fn softplus_of(v: f32) -> f32 {
    v.max(0.0) + (-v.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_what_is_told_beside_them_name_every_magnitude() {
        let expected =
            [(1, 0), (2, 1), (3, 2), (4, 3), (5, 3), (6, 4), (8, 5), (15, 6), (127, 12), (128, 13), (9999, 13)];
        for (magnitude, of) in expected {
            assert_eq!(class(magnitude), of, "{magnitude}");
        }
        // As many magnitudes in a class as its bits can tell, the sign apart.
        for of in 0..CLASSES - 1 {
            let all: Vec<u16> = (1..128).filter(|m| class(*m) == of).collect();
            assert_eq!(all.len() as f32, (told(all[0]) - 1.0).exp2(), "{of}");
        }
    }

    #[test]
    fn what_is_learned_from_is_what_is_reported() {
        let device = crate::device("flex").unwrap();
        let mut rng = fastrand::Rng::with_seed(5);
        let mut network = Network::new(&mut rng, &device);
        network.layers[2].weights = crate::network::uniform([2, 32], 2.0, &mut rng, &device);
        let count = 500;
        let samples = Samples {
            inputs: (0..count * COEFFICIENT_CHANNELS).map(|_| rng.i16(0..=512)).collect(),
            magnitudes: (0..count).map(|_| rng.u16(0..6) * rng.u16(0..60)).collect(),
            weights: vec![0.5; count],
            chunks: 1,
        };
        let batch =
            Batch { inputs: samples.inputs.clone(), magnitudes: samples.magnitudes.clone(), weights: vec![0.5; count] };
        let learned = f64::from(relative_bits(&network, &batch, &device).into_scalar::<f32>()) * count as f64;
        let said = said(&network, &samples, &device);
        let reported = score(&samples, said.into_iter(), &table(&network));
        assert!((learned / reported - 1.0).abs() < 1e-3, "{learned} {reported}");
    }
}
