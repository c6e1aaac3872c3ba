//! Depthwise convolution of 3×3 or 3×3×3 taps, with gradients that do not take longer than the convolution.
//!
//! burn's own gradient for the weights of a convolution in groups runs one convolution per group, each with a kernel the size of
//! the field. So the weights' gradient goes another way: the neighbourhoods are laid side by side, and the convolution is one
//! product of matrices.
use burn::tensor::{Tensor, module::conv3d, ops::ConvOptions};

/// `x`: `[B, C, T2, T1, A]`; `w`: `[C, 9]` over (T1, A), or `[C, 27]` over (T2, T1, A). Zeros beyond the edges.
pub fn depthwise(x: Tensor<5>, w: Tensor<2>) -> Tensor<5> {
    let [b, c, t2, t1, a] = x.dims();
    let taps = w.dims()[1];
    let depth = if taps == 27 && t2 > 1 { 3 } else { 1 };
    // Along an axis of one point, only the middle taps meet anything but zeros.
    let w = if taps == 27 && t2 == 1 { w.slice([0..c, 9..18]) } else { w };
    let taps = 9 * depth;
    if !x.is_autodiff() {
        return convolved(x, w);
    }
    let seen = x.clone().inner().pad([(depth / 2, depth / 2), (1, 1), (1, 1)], 0.0);
    let mut beside = Vec::with_capacity(taps);
    for z in 0..depth {
        for y in 0..3 {
            for k in 0..3 {
                beside.push(seen.clone().slice([0..b, 0..c, z..z + t2, y..y + t1, k..k + a]).reshape([
                    b,
                    c,
                    1,
                    t2 * t1 * a,
                ]));
            }
        }
    }
    let by_weights = w
        .clone()
        .reshape([1, c, 1, taps])
        .matmul(Tensor::from_inner(Tensor::cat(beside, 2)))
        .reshape([b, c, t2, t1, a]);
    // Zero, but with the gradient with respect to x.
    let by_values = convolved(x, w.detach());
    by_weights + (by_values.clone() - by_values.detach())
}

fn convolved(x: Tensor<5>, w: Tensor<2>) -> Tensor<5> {
    let [c, taps] = w.dims();
    let depth = taps / 9;
    conv3d(x, w.reshape([c, 1, depth, 3, 3]), None, ConvOptions::new([1, 1, 1], [depth / 2, 1, 1], [1, 1, 1], c))
}
