//! Every chunk as a 4-D array.

/// Extents and strides of a chunk seen as a 4-D array, slowest axis first; leading axes are merged, missing ones are 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Extents.
    pub n: [usize; 4],
    /// Strides, in elements.
    pub stride: [usize; 4],
}

impl Geometry {
    /// From a shape of any rank.
    pub fn new(shape: &[usize]) -> Geometry {
        let mut n = [1usize; 4];
        let lead = shape.len().saturating_sub(3);
        for (i, &e) in shape.iter().enumerate() {
            if i < lead {
                n[0] *= e;
            } else {
                n[4 + i - shape.len()] = e;
            }
        }
        Geometry::of(n)
    }

    /// Of these extents.
    pub fn of(n: [usize; 4]) -> Geometry {
        Geometry { n, stride: [n[1] * n[2] * n[3], n[2] * n[3], n[3], 1] }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.n[0] * self.stride[0]
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
