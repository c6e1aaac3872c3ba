//! The second look at a chunk before it is written: decoded bytes against the original, by nothing but the definitions
//! of SPEC §3. It shares no code with the coders that it checks.
use crate::element::{Element, elements, with_element};
use crate::simd::{Kernel, widest};
use crate::{ChunkBound, Error};
use scicodec_format::DType;
use std::marker::PhantomData;

/// What was reached, measured on decoded bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reached {
    /// max |x - x̂|.
    pub max_error: f64,
    /// max |x - x̂| / |x| over nonzero x; only told of pointwise relative bounds.
    pub max_pw_rel: f64,
    /// Σ (x - x̂)².
    pub squares: f64,
    /// Number of finite, unmasked values.
    pub valid: u64,
}

/// Compares a chunk with what it decodes to. Errors: `BoundNotMet`.
pub(crate) fn check_chunk(
    dtype: DType,
    original: &[u8],
    decoded: &[u8],
    bound: ChunkBound,
    fill: Option<u64>,
) -> Result<Reached, Error> {
    if original.len() != decoded.len() {
        return Err(Error::Corrupt { what: format!("a chunk decoded to {} bytes", decoded.len()), section: "4" });
    }
    with_element!(dtype, check, (original, decoded, bound, fill))
}

fn check<T: Element>(original: &[u8], decoded: &[u8], bound: ChunkBound, fill: Option<u64>) -> Result<Reached, Error> {
    let mut reached = Reached::default();
    let (mut squares, mut max) = ([0.0; LANES], [0.0f64; LANES]);
    for (x, y) in original.chunks(BLOCK * T::SIZE).zip(decoded.chunks(BLOCK * T::SIZE)) {
        let n = x.len() / T::SIZE;
        let (mut got, mut asked, mut valid) = ([0.0; BLOCK], [0.0; BLOCK], [false; BLOCK]);
        let (got, asked, valid) = (&mut got[..n], &mut asked[..n], &mut valid[..n]);
        let met = widest(Compare::<T> { x, y, bound, fill, got, asked, valid, element: PhantomData });
        if !met {
            let wrong = got.iter().zip(asked.iter()).find(|(g, a)| g.is_nan() || g > a);
            let (got, asked) = wrong.map_or((f64::NAN, f64::NAN), |(&g, &a)| (g, a));
            return Err(Error::BoundNotMet { asked, got });
        }
        // What is masked has an error of nothing by now.
        reached.valid += valid.iter().map(|&v| u64::from(v)).sum::<u64>();
        let (lanes, rest) = got.as_chunks::<LANES>();
        for e in lanes {
            for k in 0..LANES {
                max[k] = if e[k] > max[k] { e[k] } else { max[k] };
                squares[k] += e[k] * e[k];
            }
        }
        for (k, e) in rest.iter().enumerate() {
            max[k] = max[k].max(*e);
            squares[k] += e * e;
        }
        if matches!(bound, ChunkBound::PwRel(_)) {
            let relative = elements::<T>(x).zip(got.iter()).map(|(x, e)| (x.value(), e)).filter(|(x, _)| *x != 0.0);
            reached.max_pw_rel =
                relative.map(|(x, e)| e / x.abs()).filter(|r| r.is_finite()).fold(reached.max_pw_rel, f64::max);
        }
    }
    reached.squares = squares.iter().sum();
    reached.max_error = max.into_iter().fold(0.0, f64::max);
    if let ChunkBound::Rmse(e) = bound
        && reached.valid > 0
    {
        let rmse = (reached.squares / reached.valid as f64).sqrt();
        if rmse.is_nan() || rmse > e * (1.0 + 1e-12) {
            return Err(Error::BoundNotMet { asked: e, got: rmse });
        }
    }
    Ok(reached)
}

/// Elements looked at together.
const BLOCK: usize = 512;
/// Sums that run side by side.
const LANES: usize = 8;

/// Errors of a block of elements, and what is asked of each.
struct Compare<'a, T> {
    x: &'a [u8],
    y: &'a [u8],
    bound: ChunkBound,
    fill: Option<u64>,
    got: &'a mut [f64],
    asked: &'a mut [f64],
    valid: &'a mut [bool],
    element: PhantomData<T>,
}

impl<T: Element> Compare<'_, T> {
    /// Whether all errors are met. One loop per kind of bound, so that none looks at the kind inside.
    #[inline(always)]
    fn each(self, limit: impl Fn(f64) -> f64, error: impl Fn(T, T) -> f64) -> bool {
        let (filled, fill) = (self.fill.is_some(), self.fill.unwrap_or(0));
        let mut met = true;
        let out = self.got.iter_mut().zip(self.asked).zip(self.valid);
        let both = self.x.chunks_exact(T::SIZE).zip(self.y.chunks_exact(T::SIZE));
        for ((x, y), ((got, asked), valid)) in both.zip(out) {
            let (x, y) = (T::load(x), T::load(y));
            let masked = !x.finite() | (filled & (fill == x.bits()));
            *got = if masked { exact(x, y) } else { error(x, y) };
            *asked = if masked { 0.0 } else { limit(x.value()) };
            *valid = !masked;
            // Not `got > asked`: a NaN is no error that is met.
            met &= *got <= *asked;
        }
        met
    }
}

/// What has to keep its bits has an error of nothing or of everything.
#[inline(always)]
fn exact<T: Element>(x: T, y: T) -> f64 {
    if x.bits() == y.bits() { 0.0 } else { f64::INFINITY }
}

impl<T: Element> Kernel for Compare<'_, T> {
    type Out = bool;
    #[inline(always)]
    fn run(self) -> bool {
        let distance = |x: T, y: T| x.distance(y);
        match self.bound {
            ChunkBound::Lossless => self.each(|_| 0.0, exact),
            ChunkBound::Abs(e) => self.each(|_| e, distance),
            ChunkBound::PwRel(e) => self.each(|x| (e * x.abs()).min(f64::MAX), distance),
            ChunkBound::Rmse(_) => self.each(|_| f64::MAX, distance),
        }
    }
}

/// The least f32 that is not below a nonnegative double.
pub(crate) fn round_up(error: f64) -> f32 {
    let near = error as f32;
    if f64::from(near) < error { near.next_up() } else { near }
}
