//! What a bound leaves for errors of quantisation.
use crate::base::wavelet;
use crate::bytes::storable;
use crate::chunk::ChunkBound;
use crate::lattice::ulp;
use crate::prepare::Prepared;

/// The share of a bound on the root mean squared error that wavelets aim at.
pub const CLOSE: f64 = 1.0 - 1e-7;

/// What is left of a bound for errors: half a unit in the last place is for the rounding to the output type.
pub fn room(x: &Prepared, bound: f64) -> f64 {
    bound - 0.5 * ulp(x.dtype, x.lo.abs().max(x.hi.abs()))
}

/// The step whose errors stay within this.
pub fn step_within(room: f64) -> f64 {
    storable(2.0 * room * (1.0 - 1e-12))
}

/// What a wavelet must reach; none where the bound is none of wavelets.
pub fn target(x: &Prepared) -> Option<wavelet::Target> {
    match x.bound {
        ChunkBound::Abs(e) if x.dtype.is_float() && room(x, e) > 0.0 => Some(wavelet::Target::MaxError(room(x, e))),
        ChunkBound::Rmse(e) if e > 0.0 => Some(wavelet::Target::Rmse(e * CLOSE)),
        _ => None,
    }
}
