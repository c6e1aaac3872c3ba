//! The parameters of a network as plain numbers.
use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Tensor, TensorData},
};

struct Reader(Vec<Vec<f32>>);

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(values(param.val()));
    }
}

/// A tensor's numbers in C order.
pub fn values<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().iter::<f32>().collect()
}

/// All parameters, each in C order, in the order of the network's fields.
pub fn read<M: Module>(network: &M) -> Vec<Vec<f32>> {
    let mut reader = Reader(Vec::new());
    network.visit(&mut reader);
    reader.0
}

struct Writer<'a>(std::slice::Iter<'a, Vec<f32>>);

impl ModuleMapper for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(numbers) = self.0.next() else { return param };
        param.map(|t| {
            let (shape, device) = (t.dims(), t.device());
            Tensor::from_data(TensorData::new(numbers.clone(), shape), &device)
        })
    }
}

/// The network with other parameters, given as [`read`] gives them.
pub fn replaced<M: Module>(network: M, parameters: &[Vec<f32>]) -> M {
    network.map(&mut Writer(parameters.iter()))
}

struct Norm<'a>(&'a GradientsParams, f64);

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(g) = self.0.get::<D>(param.id) {
            self.1 += f64::from(g.square().sum().into_scalar::<f32>());
        }
    }
}

/// Euclidean norm of all gradients; NaN or infinite where one of them is.
pub fn norm<M: Module>(network: &M, gradients: &GradientsParams) -> f64 {
    let mut norm = Norm(gradients, 0.0);
    network.visit(&mut norm);
    norm.1.sqrt()
}

/// Moves an average towards the parameters of a network: `average · keep + parameters · (1 − keep)`.
pub fn average(average: &mut [Vec<f32>], parameters: &[Vec<f32>], keep: f64) {
    for (a, p) in average.iter_mut().flatten().zip(parameters.iter().flatten()) {
        *a = (f64::from(*a) * keep + f64::from(*p) * (1.0 - keep)) as f32;
    }
}
