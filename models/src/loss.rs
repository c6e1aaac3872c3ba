//! The loss: bits of a coder that takes values for logistic around the corrected prediction.
use crate::network::Guidance;
use burn::tensor::{Tensor, activation::softplus};

/// Bits that a value costs at most: beyond, the real coder's cost grows slowly, and so single values do not steer the training.
const MOST_BITS: f64 = 30.0;
/// Smallest and largest log2 of a scale.
pub const SCALES: (f64, f64) = (-14.0, 6.0);

/// Bits of every value, of which `target` and `half` (as in a sample) are given: `[points]`.
pub fn bits(guidance: Guidance, target: Tensor<1>, half: Tensor<1>) -> Tensor<1> {
    let per_scale = (guidance.scale.clamp(SCALES.0, SCALES.1) * (-std::f64::consts::LN_2)).exp();
    let u = ((target - guidance.correction) * per_scale.clone()).abs();
    let w = (half * per_scale).clamp_min(1e-5);
    // The mass of the interval is (1 − e^{−2w}) / ((1 + e^{u−w})(1 + e^{−u−w})).
    let inside = w.clone().mul_scalar(-2.0).exp().neg().add_scalar(1.0).clamp_min(1e-7).log();
    let nats = softplus(u.clone() - w.clone(), 1.0) + softplus((u + w).neg(), 1.0) - inside;
    nats.mul_scalar(std::f64::consts::LOG2_E).clamp(0.0, MOST_BITS)
}
