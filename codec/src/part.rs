//! What a region needs of a chunk.
use crate::base::tabled::Wanted;
use scicodec_format::BoxRegion;

/// A box in a chunk, not empty and not all of it.
pub(crate) struct Part {
    shape: Vec<usize>,
    start: Vec<usize>,
    extent: Vec<usize>,
}

impl Part {
    /// Of a chunk that lies at `chunk`, what lies in `wanted`; `None` where that is all of it, or nothing.
    pub fn of(chunk: &BoxRegion, wanted: &BoxRegion) -> Option<Part> {
        let own = |a: usize| wanted.start[a].saturating_sub(chunk.start[a]) as usize;
        let start: Vec<usize> = (0..chunk.start.len()).map(own).collect();
        let shape: Vec<usize> = chunk.extent.iter().map(|&n| n as usize).collect();
        let extent: Vec<usize> = wanted.extent.iter().map(|&n| n as usize).collect();
        let within = (0..shape.len()).all(|a| extent[a] > 0 && start[a] + extent[a] <= shape[a]);
        (within && extent != shape).then_some(Part { shape, start, extent })
    }

    /// Elements of the part.
    pub fn len(&self) -> usize {
        self.extent.iter().product()
    }

    /// Ranges of a chunk's geometry that hold it: the first one may stand for several axes, and be of more than is wanted.
    pub fn wanted(&self) -> Wanted {
        let lead = self.shape.len().saturating_sub(3);
        let (mut first, mut last) = (0, 0);
        for a in 0..lead {
            first = first * self.shape[a] + self.start[a];
            last = last * self.shape[a] + self.start[a] + self.extent[a] - 1;
        }
        let missing = 3 - (self.shape.len() - lead);
        std::array::from_fn(|k| match k {
            0 => first..last + 1,
            k if k <= missing => 0..1,
            k => {
                let a = lead + k - 1 - missing;
                self.start[a]..self.start[a] + self.extent[a]
            }
        })
    }

    /// The part of an array of the chunk's shape, each element of which is `size` long.
    pub fn cut<T: Copy>(&self, all: &[T], size: usize) -> Vec<T> {
        let mut out = Vec::with_capacity(self.len() * size);
        let inner = self.shape.len() - 1;
        let run = self.extent[inner];
        let mut index = self.start.clone();
        loop {
            let at = index.iter().zip(&self.shape).fold(0, |at, (&i, &n)| at * n + i);
            out.extend_from_slice(&all[at * size..(at + run) * size]);
            let Some(axis) = (0..inner).rev().find(|&a| index[a] + 1 < self.start[a] + self.extent[a]) else {
                return out;
            };
            index[axis] += 1;
            index[axis + 1..].copy_from_slice(&self.start[axis + 1..]);
        }
    }

    /// Where an element of the chunk is in the part, if it is in it.
    pub fn place(&self, element: usize) -> Option<usize> {
        let (mut rest, mut place, mut stride) = (element, 0, 1);
        for a in (0..self.shape.len()).rev() {
            let i = (rest % self.shape[a]).checked_sub(self.start[a]).filter(|&i| i < self.extent[a])?;
            rest /= self.shape[a];
            place += i * stride;
            stride *= self.extent[a];
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_where_their_elements_are() {
        let part = |chunk: [&[u64]; 2], wanted: [&[u64]; 2]| {
            let place = |b: [&[u64]; 2]| BoxRegion { start: b[0].to_vec(), extent: b[1].to_vec() };
            Part::of(&place(chunk), &place(wanted))
        };
        assert!(part([&[], &[]], [&[], &[]]).is_none());
        assert!(part([&[4], &[3]], [&[4], &[3]]).is_none());
        assert!(part([&[4], &[3]], [&[5], &[0]]).is_none());
        for (shape, start, extent) in [
            (&[7][..], &[2][..], &[4][..]),
            (&[3, 5], &[0, 4], &[3, 1]),
            (&[2, 3, 4, 5, 6], &[1, 0, 2, 3, 1], &[1, 2, 2, 1, 4]),
        ] {
            let p = part([&vec![0; shape.len()], shape], [start, extent]).unwrap();
            let all: Vec<usize> = (0..shape.iter().product::<u64>() as usize).collect();
            let cut = p.cut(&all, 1);
            assert_eq!(cut.len(), p.len());
            let places: Vec<usize> = all.iter().copied().filter(|&i| p.place(i).is_some()).collect();
            assert_eq!(cut, places);
            assert!(cut.iter().enumerate().all(|(k, &i)| p.place(i) == Some(k)));
            let g = crate::base::Geometry::new(&shape.iter().map(|&n| n as usize).collect::<Vec<_>>());
            let w = p.wanted();
            for i in cut {
                let index: [usize; 4] = std::array::from_fn(|a| i / g.stride[a] % g.n[a]);
                assert!((0..4).all(|a| w[a].contains(&index[a])), "{index:?} {w:?}");
            }
        }
    }
}
