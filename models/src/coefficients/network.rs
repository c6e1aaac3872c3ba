//! The network: layers that see one coefficient at a time, with ReLUs between them.
use crate::network::{between, uniform};
use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, TensorData, activation::relu},
};
use scicodec::learned::COEFFICIENT_CHANNELS;

/// Inputs: so many of them are one.
pub const INPUT_UNIT: f64 = 128.0;
/// Channels between layers.
const WIDTH: usize = 32;
/// Rows of the table: the indices of expected magnitudes.
pub const ROWS: usize = 16;
/// Classes of magnitudes that are not 0.
pub const CLASSES: usize = 14;
/// What a new network says everywhere: logit of a 0, and index of the magnitude.
const FIRST: [f32; 2] = [1.0, 3.0];

/// All channels from all channels.
#[derive(Module, Debug)]
pub struct Layer {
    /// `[out, in]`
    pub weights: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

/// The network, and what its indices stand for while it learns: in files, coders that adapt stand in for the table.
#[derive(Module, Debug)]
pub struct Network {
    /// The first sees the inputs, the last says two numbers.
    pub layers: Vec<Layer>,
    /// `[ROWS, CLASSES]`: logits of classes, given that a coefficient is not 0.
    pub table: Param<Tensor<2>>,
}

impl Network {
    /// A new network, which says the same of every coefficient.
    pub fn new(rng: &mut fastrand::Rng, device: &Device) -> Network {
        let mut layer = |inputs: usize, outputs: usize, spread: f64| Layer {
            weights: uniform([outputs, inputs], spread * (6.0 / inputs as f64).sqrt(), rng, device),
            bias: uniform([outputs], 0.1, rng, device),
        };
        let mut layers = vec![layer(COEFFICIENT_CHANNELS, WIDTH, 1.0), layer(WIDTH, WIDTH, 1.0), layer(WIDTH, 2, 0.0)];
        layers[2].bias = Param::from_data(TensorData::new(FIRST.to_vec(), [2]), device);
        let start = |row: usize, class: usize| -(class as f32) / ((row as f32 / 3.0 - 1.0).exp2() + 0.3);
        let table: Vec<f32> = (0..ROWS).flat_map(|row| (0..CLASSES).map(move |class| start(row, class))).collect();
        Network { layers, table: Param::from_data(TensorData::new(table, [ROWS, CLASSES]), device) }
    }

    /// `[points, COEFFICIENT_CHANNELS]` in units of 1 to `[points, 2]`: logit of a 0, and index of the magnitude.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(inputs, |x, (k, layer)| {
            let y = x.matmul(layer.weights.val().transpose()) + layer.bias.val().unsqueeze::<2>();
            if k < last { between(relu(y)) } else { y }
        })
    }
}

/// Inputs as the codec gives them, as a tensor in units of 1.
pub fn tensor(inputs: &[i16], device: &Device) -> Tensor<2> {
    let numbers: Vec<f32> = inputs.iter().map(|v| f32::from(*v) / INPUT_UNIT as f32).collect();
    Tensor::from_data(TensorData::new(numbers, [inputs.len() / COEFFICIENT_CHANNELS, COEFFICIENT_CHANNELS]), device)
}
