//! Part of a variable, along its first axis.
use scicodec::{DType, Error, Source};
use std::ops::Range;

/// Steps of a source along its first axis, as a source.
pub(crate) struct View<'a> {
    of: &'a dyn Source,
    from: u64,
    shape: Vec<u64>,
}

impl<'a> View<'a> {
    pub fn new(of: &'a dyn Source, steps: Range<u64>) -> View<'a> {
        let mut shape = of.shape().to_vec();
        if let Some(first) = shape.first_mut() {
            *first = steps.end - steps.start;
        }
        View { of, from: steps.start, shape }
    }
}

impl Source for View<'_> {
    fn dtype(&self) -> DType {
        self.of.dtype()
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error> {
        let mut start = start.to_vec();
        if let Some(first) = start.first_mut() {
            *first += self.from;
        }
        self.of.read(&start, extent, out)
    }
}
