//! How near to the best plan on parts of a chunk another must be to be coded whole: as near as such a one was ever found to
//! be the smaller one there.
use crate::chunk::ChunkBound;
use crate::contest::VERY_LITTLE;
use crate::plan::Base;

/// What parts tell of a chunk.
pub struct Told {
    pub bound: ChunkBound,
    /// What the best plan needs on the whole.
    pub bytes: f64,
    /// They differ so much that they say little of it.
    pub uneven: bool,
}

/// Multiples of the least: of kinds that parts tell apart badly, of all others, of those that wavelets hardly ever lose
/// against, and that a decomposition does not, whose cost on the whole is known.
const FAR: f64 = 1.6;
const WIDE: f64 = 1.35;
const NEAR: f64 = 1.1;
const NEARER: f64 = 1.06;
const NEXT: f64 = 1.03;
const NONE: f64 = 1.0;

/// Multiple of the best's bytes on parts up to which another is coded whole.
pub fn near(told: &Told, best: &Base, other: &Base) -> f64 {
    let sparse = told.bytes < VERY_LITTLE as f64;
    match (best, other, told.bound) {
        (Base::Wavelet(_), Base::Raster { .. }, _) => NEXT,
        (Base::Tucker(_), Base::Interpolation { .. } | Base::Raster { .. }, _) if sparse => NONE,
        (Base::Tucker(_), ..) if sparse => WIDE,
        (Base::Tucker(_), ..) => NEAR,
        // What Lorenzo's prediction hands on of errors, a part does not show.
        (Base::Raster { .. }, _, ChunkBound::Rmse(_)) if told.bytes < (4 * VERY_LITTLE) as f64 => FAR,
        _ if sparse || told.uneven => WIDE,
        (Base::Wavelet(_), ..) => NEARER,
        _ => NEAR,
    }
}
