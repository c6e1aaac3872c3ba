//! From the trained network to the integer one that is run in encoding and decoding.
use super::network::{INPUT_UNIT, Network};
use crate::{
    Error,
    export::{Rounding, inner, rows},
    parameters::values,
};
use scicodec::{
    learned::{COEFFICIENT_CHANNELS, COEFFICIENT_NETWORK},
    network::{Graph, Span, Window},
};

/// Largest input.
const INPUT_LIMIT: i16 = 512;
/// Largest output: 64 indices of a logit, in sixteenths.
const OUTPUT_LIMIT: i16 = 1023;
/// Units of the output: sixteenths of an index, of which four are a logit of 1.
pub const UNITS: [f64; 2] = [64.0, 16.0];
/// The logit whose index is 0.
pub const LEAST_LOGIT: f32 = -8.0;

/// The integer network: what is known of a coefficient in, the index of the logit of a 0 and that of a magnitude out, both in
/// sixteenths.
///
/// Errors: `InvalidArgument` where weights are too large or not finite.
pub fn graph(network: &Network) -> Result<Graph, Error> {
    let last = network.layers.len() - 1;
    let mut operations = Vec::with_capacity(network.layers.len());
    for (k, layer) in network.layers.iter().enumerate() {
        let seen = layer.weights.dims()[1];
        let between = inner(k, Window::POINT, rows(values(layer.weights.val()), seen), values(layer.bias.val()), 0);
        let mut rounding = match k {
            0 => Rounding { from: INPUT_UNIT, largest: INPUT_LIMIT, ..between },
            _ => between,
        };
        if k == last {
            rounding.bias[0] -= LEAST_LOGIT;
            rounding.to = UNITS.to_vec();
            rounding.span = Span { low: 0, high: OUTPUT_LIMIT };
        }
        operations.push(rounding.full()?);
    }
    Ok(Graph {
        name: COEFFICIENT_NETWORK.into(),
        channels: COEFFICIENT_CHANNELS,
        span: Span { low: 0, high: INPUT_LIMIT },
        conditions: 1,
        operations,
    })
}

/// Logit and index as coders are told them: in quarters and in whole numbers.
pub fn heard(said: [i16; 2]) -> [f32; 2] {
    let index = |v: i16, most: i16| f32::from(((v + 8) >> 4).clamp(0, most));
    [index(said[0], 63) / 4.0 + LEAST_LOGIT, index(said[1], 15)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{coefficients::network::tensor, network::uniform, parameters};
    use scicodec::network::{Kernel, Network as IntegerNetwork, Scratch};

    /// A network whose last layer says something.
    fn network(seed: u64) -> Network {
        let device = crate::device("flex").unwrap();
        let rng = &mut fastrand::Rng::with_seed(seed);
        let mut network = Network::new(rng, &device);
        network.layers[2].weights = uniform([2, 32], 1.5, rng, &device);
        network
    }

    #[test]
    fn the_integer_network_says_what_the_float_one_says() {
        let device = crate::device("flex").unwrap();
        let mut rng = fastrand::Rng::with_seed(9);
        let points = 4000;
        for seed in 1..4 {
            let network = network(seed);
            let integers = IntegerNetwork::new(graph(&network).unwrap(), Kernel::choose().unwrap()).unwrap();
            let inputs: Vec<i16> =
                (0..points * COEFFICIENT_CHANNELS).map(|_| rng.i16(0..=512) >> rng.u32(0..8)).collect();
            let floats = values(network.forward(tensor(&inputs, &device)));
            let mut scratch = Scratch::default();
            let said = integers.run(&inputs, [1, 1, 1, points], 0, &mut scratch).unwrap();
            let mut near = 0;
            for (float, said) in floats.as_chunks::<2>().0.iter().zip(said.as_chunks::<2>().0) {
                let expected = [(float[0] - LEAST_LOGIT) * UNITS[0] as f32, float[1] * UNITS[1] as f32];
                for (e, s) in expected.map(|e| e.clamp(0.0, OUTPUT_LIMIT.into())).into_iter().zip(said) {
                    let apart = (e - f32::from(*s)).abs();
                    assert!(apart < 4.0, "{e} {s}");
                    near += usize::from(apart <= 1.0);
                }
            }
            assert!(near > 2 * points * 19 / 20, "{near} of {}", 2 * points);
        }
    }

    #[test]
    fn coders_are_told_of_logits_from_one_end_to_the_other() {
        assert_eq!(heard([512, 160]), [0.0, 10.0]);
        assert_eq!(heard([0, 7]), [-8.0, 0.0]);
        assert_eq!(heard([1023, 1023]), [7.75, 15.0]);
    }

    #[test]
    fn weights_that_no_integers_hold_are_refused() {
        let network = network(1);
        let mut numbers = parameters::read(&network);
        numbers[0][0] = f32::NAN;
        assert!(graph(&parameters::replaced(network, &numbers)).is_err());
    }
}
