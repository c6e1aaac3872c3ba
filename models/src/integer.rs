//! Integer networks through burn: a second executor, on whatever devices burn has, equal to the codec's own to the bit.
//!
//! Convolutions are of whole numbers in binary64. Every sum is below 2³¹ (SPEC §9.4), so that it is exact in any order, and rounding
//! takes away what a transform in place of the sum might leave. All else is in 64-bit integers.
use burn::tensor::{DType, Device, FloatDType, Int, IntDType, Tensor, TensorData, module::conv3d, ops::ConvOptions};
use scicodec::network::{Convolution, Network, Operation, Span};

/// Values as \[b, channel, z, y, x\], and the least that the network's graph lets them be.
#[derive(Clone)]
struct Values {
    tensor: Tensor<5, Int>,
    low: i64,
}

/// Runs a network as [`Network::run`] does: `input` is \[b, z, y, x, channel\] of extents `shape`, and so is the result, of
/// [`Network::output_shape`] and [`Network::output_channels`].
///
/// # Errors
/// Those of [`Network::run`] that shape, length and condition bring; [`crate::Error::InvalidArgument`] where the device
/// fails, or an operation is one that this does not know.
pub fn run_integers(
    network: &Network,
    input: &[i16],
    shape: [usize; 4],
    condition: usize,
    device: &Device,
) -> Result<Vec<i16>, crate::Error> {
    let graph = network.graph();
    network.output_shape(shape)?;
    let [b, z, y, x] = shape;
    if input.len() != b * z * y * x * graph.channels || condition >= graph.conditions {
        let what = format!("{} values for shape {shape:?}, condition {condition}", input.len());
        return Err(crate::Error::InvalidArgument(format!("a network's input of {what}")));
    }
    let wide: Vec<i64> = input.iter().map(|&v| v.into()).collect();
    let tensor = integers(wide, [b, z, y, x, graph.channels], device).permute([0, 4, 1, 2, 3]);
    let mut all = vec![Values { tensor, low: graph.span.low.into() }];
    for operation in &graph.operations {
        all.push(made(operation, &all, condition, device)?);
    }
    let last = all.pop().map(|v| v.tensor.permute([0, 2, 3, 4, 1]).into_data());
    let wide = last.and_then(|data| data.convert_dtype(DType::I64).try_into_vec::<i64>().ok());
    let Some(wide) = wide else { return Err(crate::Error::InvalidArgument("a device gave no integers".into())) };
    // Within the spans of the graph.
    Ok(wide.into_iter().map(|v| v as i16).collect())
}

fn integers<const D: usize>(values: Vec<i64>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::I64))
}

fn made(operation: &Operation, all: &[Values], condition: usize, device: &Device) -> Result<Values, crate::Error> {
    let of = |k: &usize| all[*k].tensor.clone();
    let low = |span: &Span| i64::from(span.low);
    Ok(match operation {
        Operation::Convolution(c) | Operation::Depthwise(c) => {
            let depthwise = matches!(operation, Operation::Depthwise(_));
            Values { tensor: convolution(of(&c.source), c, depthwise, condition, device), low: low(&c.requantise.span) }
        }
        Operation::Table { source, values } => {
            let wide: Vec<i64> = values.iter().map(|&v| v.into()).collect();
            let t = of(source);
            let (shape, n) = (t.dims(), t.shape().num_elements());
            let at = t.sub_scalar(all[*source].low).reshape([n]);
            let least = wide.iter().copied().min().unwrap_or(0);
            let table = integers(wide, [values.len()], device);
            Values { tensor: table.select(0, at).reshape(shape), low: least }
        }
        Operation::Add { sources: [a, b], factors, shift, span } => {
            let [fa, fb] = factors.map(i64::from);
            let sum = of(a).mul_scalar(fa) + of(b).mul_scalar(fb);
            Values { tensor: shifted(sum, *shift, *span), low: low(span) }
        }
        Operation::Scale { source, gate, shift, span } => {
            let t = of(source);
            let gates = of(gate).expand(t.dims());
            Values { tensor: shifted(t * gates, *shift, *span), low: low(span) }
        }
        Operation::Mean { source } => {
            let t = of(source);
            let [.., z, y, x] = t.dims();
            let sum = t.sum_dim(2).sum_dim(3).sum_dim(4);
            Values { tensor: mean(sum, (z * y * x) as i64), low: all[*source].low }
        }
        Operation::Summary { source } => {
            let t = of(source);
            let channels = t.dims()[1] as i64;
            let tensor = Tensor::cat(vec![mean(t.clone().sum_dim(1), channels), t.max_dim(1)], 1);
            Values { tensor, low: all[*source].low }
        }
        Operation::Repeat { source, factors } => {
            Values { tensor: repeated(of(source), factors.map(usize::from)), low: all[*source].low }
        }
        Operation::Spread { source, factors } => {
            let f = factors.map(usize::from);
            let t = repeated(of(source), f);
            let [.., z, y, x] = t.dims();
            let place = |i: usize| [i / (x * y), i / x % y, i % x];
            let first = |i: usize| place(i).iter().zip(f).all(|(p, f)| p.is_multiple_of(f));
            let mask = (0..z * y * x).map(|i| i64::from(first(i))).collect();
            let mask = integers(mask, [1, 1, z, y, x], device).expand(t.dims());
            Values { tensor: t * mask, low: all[*source].low.min(0) }
        }
        Operation::Shuffle { source, factors } => {
            let f = factors.map(usize::from);
            let t = of(source);
            let [b, c, z, y, x] = t.dims();
            let n = c / (f[0] * f[1] * f[2]);
            let boxes = t.reshape([b, n, f[0], f[1], f[2], z, y, x]).permute([0, 1, 5, 2, 6, 3, 7, 4]);
            Values { tensor: boxes.reshape([b, n, z * f[0], y * f[1], x * f[2]]), low: all[*source].low }
        }
        other => return Err(crate::Error::InvalidArgument(format!("no second executor for {other:?}"))),
    })
}

fn convolution(
    t: Tensor<5, Int>,
    c: &Convolution,
    depthwise: bool,
    condition: usize,
    device: &Device,
) -> Tensor<5, Int> {
    let [kz, ky, kx] = c.window.kernel.map(usize::from);
    let inputs = t.dims()[1];
    let wide: Vec<f64> = c.weights.iter().map(|&w| w.into()).collect();
    let weights = |shape: [usize; 5]| -> Tensor<5> {
        Tensor::from_data(TensorData::new(wide.clone(), shape), (device, DType::F64))
    };
    let (weights, groups) = if depthwise {
        (weights([kz, ky, kx, c.channels, 1]).permute([3, 4, 0, 1, 2]), c.channels)
    } else {
        (weights([c.channels, kz, ky, kx, inputs]).permute([0, 4, 1, 2, 3]), 1)
    };
    let [z, y, x] = [0, 1, 2].map(|a| (usize::from(c.window.before[a]), usize::from(c.window.after[a])));
    let floats = t.pad([z, y, x], 0).cast(FloatDType::F64);
    let options = ConvOptions::new(c.window.stride.map(usize::from), [0; 3], [1; 3], groups);
    let sums = conv3d(floats, weights, None, options).round().cast(IntDType::I64);
    let first = if c.bias.len() > c.channels { condition * c.channels } else { 0 };
    let bias = c.bias[first..first + c.channels].iter().map(|&v| v.into()).collect();
    let dims = sums.dims();
    let by_channel = |v: Vec<i64>| integers(v, [1, c.channels, 1, 1, 1], device).expand(dims);
    let sums = sums + by_channel(bias);
    let multipliers = &c.requantise.multipliers;
    let sums = match multipliers.is_empty() {
        true => sums,
        false => sums * by_channel(multipliers.iter().map(|&m| m.into()).collect()),
    };
    shifted(sums, c.requantise.shift, c.requantise.span)
}

/// Half up, into a span.
fn shifted(sums: Tensor<5, Int>, shift: u8, span: Span) -> Tensor<5, Int> {
    let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
    sums.add_scalar(half).bitwise_right_shift_scalar(i64::from(shift)).clamp(i64::from(span.low), i64::from(span.high))
}

/// To the nearest integer, halves up.
fn mean(sum: Tensor<5, Int>, count: i64) -> Tensor<5, Int> {
    let twice = sum.mul_scalar(2).add_scalar(count);
    // What remains has the divisor's sign, so that the division is of a multiple.
    let rest = twice.clone().remainder_scalar(2 * count);
    (twice - rest).div_scalar(2 * count)
}

/// Every point as a box of itself.
fn repeated(t: Tensor<5, Int>, f: [usize; 3]) -> Tensor<5, Int> {
    let [b, c, z, y, x] = t.dims();
    let boxes = t.reshape([b, c, z, 1, y, 1, x, 1]).expand([b, c, z, f[0], y, f[1], x, f[2]]);
    boxes.reshape([b, c, z * f[0], y * f[1], x * f[2]])
}
