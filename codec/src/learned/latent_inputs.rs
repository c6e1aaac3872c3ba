//! What the network that makes latents sees of a chunk. Only the encoder asks it.
use super::features::{LIMIT, fixed, lg};
use crate::base::Geometry;

/// Channels of a point.
pub const INPUTS: usize = 4;

/// The channels of every point, channels last: its place in the chunk's range; by how much it differs, in steps, from the mean
/// of its neighbours on the fastest axis, and on the one before; and about the magnitude of these, in 1/64 octaves. Masked
/// points have zeros.
pub fn latent_inputs(shape: &[usize], values: &[f64], mask: Option<&[bool]>, step: f64) -> Vec<i16> {
    inputs(&Geometry::new(shape), values, mask, step)
}

/// The same of a chunk.
pub(super) fn inputs(g: &Geometry, values: &[f64], mask: Option<&[bool]>, step: f64) -> Vec<i16> {
    let known = |i: usize| !mask.is_some_and(|m| m[i]);
    let (low, high) = (0..values.len())
        .filter(|&i| known(i))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), i| (l.min(values[i]), h.max(values[i])));
    let (middle, by) = (0.5 * (low + high), 512.0 / (high - low).max(f64::MIN_POSITIVE));
    let inverse = 1.0 / step;
    let mut out = vec![0i16; values.len() * INPUTS];
    for (i, to) in out.chunks_exact_mut(INPUTS).enumerate() {
        if !known(i) {
            continue;
        }
        to[0] = fixed((values[i] - middle) * by);
        let mut sum = 0.25;
        for (k, a) in [3, 2].into_iter().enumerate() {
            let (stride, at) = (g.stride[a], i / g.stride[a] % g.n[a]);
            if at > 0 && at + 1 < g.n[a] && known(i - stride) && known(i + stride) {
                let bend = (values[i] - 0.5 * (values[i - stride] + values[i + stride])) * inverse;
                to[1 + k] = fixed(bend * 32.0);
                sum += bend.abs();
            }
        }
        to[3] = lg(sum).clamp(-LIMIT, LIMIT) as i16;
    }
    out
}
