//! Points that are what a neighbour is, each told so by a bit (SPEC §8.3): fields that were drawn larger from coarser ones,
//! that stand still, or that are made of pieces.
use super::Geometry;
use crate::entropy::{BitCoder, Counter};

/// Neighbours that a point may be like: those one before along axes 3, 2, 1 and 0.
const NEIGHBOURS: usize = 4;
/// Contexts of each: which neighbours the first three of them are like themselves.
const CONTEXTS: usize = 1 << (3 * NEIGHBOURS);
/// Bits seen from which on a counter forgets.
const LIMIT: u32 = 255;

/// The neighbours of a point that are there and not masked, by their indices.
pub type Around = [Option<usize>; NEIGHBOURS];

/// Around point `i`, which has the index `x` in its row and `at` on the axes before.
#[inline]
pub fn around(g: &Geometry, at: [usize; 3], x: usize, i: usize, mask: Option<&[bool]>) -> Around {
    let there = [x > 0, at[2] > 0, at[1] > 0, at[0] > 0];
    std::array::from_fn(|k| there[k].then(|| i - g.stride[3 - k]).filter(|&j| !mask.is_some_and(|m| m[j])))
}

/// What is known of copies on the way through a chunk.
pub struct Copies {
    /// Which of its neighbours a point is like, a bit each.
    alike: Vec<u8>,
    counters: Vec<Counter>,
    /// Encoder only: the values to code.
    originals: Vec<f64>,
}

impl Copies {
    /// Of a chunk of so many points; a decoder has no originals.
    pub fn new(len: usize, originals: Vec<f64>) -> Copies {
        Copies { alike: vec![0; len], counters: vec![Counter::NEW; NEIGHBOURS * CONTEXTS], originals }
    }

    /// Codes (or decodes) which neighbour point `i` is a copy of.
    #[inline(always)]
    pub fn code<C: BitCoder>(&mut self, c: &mut C, around: &Around, values: &[f64], i: usize) -> Option<usize> {
        let alike = |k: usize| around[k].map_or(0, |j| usize::from(self.alike[j]) << (NEIGHBOURS * k));
        let context = alike(0) | alike(1) | alike(2);
        for (k, j) in around.iter().enumerate() {
            let Some(j) = *j else { continue };
            // It is not what was turned down before.
            if around[..k].iter().flatten().any(|&before| values[before] == values[j]) {
                continue;
            }
            let counter = &mut self.counters[CONTEXTS * k + context];
            let copy = c.bit(!C::DECODING && self.originals[j] == self.originals[i], counter.p16());
            counter.update(copy, LIMIT);
            if copy {
                return Some(j);
            }
        }
        None
    }

    /// Keeps which neighbours point `i` turned out to be like.
    #[inline(always)]
    pub fn keep(&mut self, around: &Around, values: &[f64], i: usize) {
        let like = |j: &Option<usize>| j.is_some_and(|j| values[j] == values[i]);
        self.alike[i] = around.iter().enumerate().map(|(k, j)| u8::from(like(j)) << k).sum();
    }
}
