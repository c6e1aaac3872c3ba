//! Fields to learn from, and smaller fields made of them.
use scicodec::{DType, Error, Source};

/// Most values of a chunk to learn from.
const MOST: u64 = 1 << 18;
/// Most chunks taken from one field.
const PIECES: usize = 3;
/// Sizes of what is cut out of a field: many files are smaller than those at hand.
const CUTS: [u64; 3] = [1 << 16, 1 << 14, 1 << 17];
/// Axes shorter than this are not thinned.
const LONG: u64 = 64;

/// A field of 32- or 64-bit floats, shape slowest axis first, elements in C order and the machine's byte order.
#[derive(Clone, Debug)]
pub struct Array {
    /// Type of the elements.
    pub dtype: DType,
    /// Extents.
    pub shape: Vec<usize>,
    /// Elements.
    pub data: Vec<u8>,
}

impl Array {
    fn values(&self) -> impl Iterator<Item = f64> {
        let size = self.dtype.size();
        self.data.chunks_exact(size).map(move |v| match v {
            [a, b, c, d] => f64::from(f32::from_ne_bytes([*a, *b, *c, *d])),
            _ => v.try_into().map_or(f64::NAN, f64::from_ne_bytes),
        })
    }

    /// Maximum less minimum of the finite values; 0 if there are none.
    pub fn range(&self) -> f64 {
        let ends = self
            .values()
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if ends.1 > ends.0 { ends.1 - ends.0 } else { 0.0 }
    }

    /// Every second element along the axes that are marked.
    fn thinned(&self, marked: &[bool]) -> Array {
        let step: Vec<usize> = marked.iter().map(|&m| if m { 2 } else { 1 }).collect();
        let shape: Vec<usize> = self.shape.iter().zip(&step).map(|(n, s)| n.div_ceil(*s)).collect();
        self.picked(shape, |at| at.iter().zip(&step).zip(&self.shape).fold(0, |i, ((k, s), n)| i * n + k * s))
    }

    /// With the last two axes exchanged.
    fn turned(&self) -> Array {
        let (mut shape, last) = (self.shape.clone(), self.shape.len() - 1);
        shape.swap(last - 1, last);
        self.picked(shape, |at| {
            let mut from = at.to_vec();
            from.swap(last - 1, last);
            from.iter().zip(&self.shape).fold(0, |i, (k, n)| i * n + k)
        })
    }

    /// An array of this shape whose elements are found at `from`.
    fn picked(&self, shape: Vec<usize>, from: impl Fn(&[usize]) -> usize) -> Array {
        let size = self.dtype.size();
        let mut data = Vec::with_capacity(shape.iter().product::<usize>() * size);
        let mut at = vec![0; shape.len()];
        for _ in 0..shape.iter().product() {
            data.extend_from_slice(&self.data[from(&at) * size..][..size]);
            for a in (0..shape.len()).rev() {
                at[a] += 1;
                if at[a] < shape[a] {
                    break;
                }
                at[a] = 0;
            }
        }
        Array { dtype: self.dtype, shape, data }
    }
}

/// A field in chunks, and smaller fields cut out of it at random, thinned and turned. None, if it does not hold floats.
///
/// # Errors
/// Those of reading the field.
pub fn variations(field: &dyn Source, seed: u64) -> Result<Vec<Array>, Error> {
    let (shape, mut out) = (field.shape().to_vec(), Vec::new());
    if !matches!(field.dtype(), DType::F32 | DType::F64) || shape.is_empty() || shape.contains(&0) {
        return Ok(out);
    }
    let piece = cut(&shape, MOST);
    let counts: Vec<u64> = shape.iter().zip(&piece).map(|(n, p)| n.div_ceil(*p)).collect();
    let all: u64 = counts.iter().product();
    for k in (0..all).step_by((all as usize).div_ceil(PIECES)) {
        let mut left = k;
        let mut start = vec![0; shape.len()];
        for a in (0..shape.len()).rev() {
            start[a] = left % counts[a] * piece[a];
            left /= counts[a];
        }
        let extent: Vec<u64> = (0..shape.len()).map(|a| piece[a].min(shape[a] - start[a])).collect();
        out.push(read(field, &start, &extent)?);
    }
    let mut random = fastrand::Rng::with_seed(seed);
    for (k, most) in CUTS.into_iter().enumerate() {
        let thin: Vec<bool> = shape.iter().map(|&n| k > 0 && n >= LONG && random.bool()).collect();
        // Twice as long where it is thinned.
        let room: Vec<u64> = shape.iter().zip(&thin).map(|(n, &t)| if t { n / 2 } else { *n }).collect();
        let small = cut(&room, most);
        let extent: Vec<u64> = small.iter().zip(&thin).map(|(n, &t)| if t { 2 * n } else { *n }).collect();
        let start: Vec<u64> = shape.iter().zip(&extent).map(|(n, e)| random.u64(0..=n - e)).collect();
        let turn = shape.len() > 1 && random.u8(0..3) == 0;
        if small == shape {
            continue;
        }
        let thinned = read(field, &start, &extent)?.thinned(&thin);
        out.push(if turn { thinned.turned() } else { thinned });
    }
    Ok(out)
}

/// Half as long along the longest axis, until there are no more values than wanted.
fn cut(shape: &[u64], most: u64) -> Vec<u64> {
    let mut n = shape.to_vec();
    while n.iter().product::<u64>() > most {
        if let Some(longest) = n.iter_mut().max() {
            *longest = longest.div_ceil(2);
        }
    }
    n
}

fn read(field: &dyn Source, start: &[u64], extent: &[u64]) -> Result<Array, Error> {
    let shape: Vec<usize> = extent.iter().map(|&n| n as usize).collect();
    let mut data = vec![0; shape.iter().product::<usize>() * field.dtype().size()];
    field.read(start, extent, &mut data)?;
    Ok(Array { dtype: field.dtype(), shape, data })
}
