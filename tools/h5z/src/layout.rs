//! What libhdf5 knows of a dataset, as the words that the plugin puts behind the user's (SPEC §10.2).
use scicodec::{DType, Error, format::byte_count};

/// Element type, byte order, chunk shape and fill value of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Element type.
    pub dtype: DType,
    /// Whether elements are big-endian in the file.
    pub big_endian: bool,
    /// Extents of a chunk, slowest axis first.
    pub shape: Vec<u32>,
    /// Bits of the fill value, if the dataset has one.
    pub fill: Option<u64>,
}

/// HDF5's own limit.
const MAX_RANK: u32 = 32;

impl Layout {
    /// Appends the layout's words.
    pub fn put(&self, values: &mut Vec<u32>) {
        let kind = self.dtype as u32 | u32::from(self.big_endian) << 8 | u32::from(self.fill.is_some()) << 16;
        values.extend([kind, self.shape.len() as u32]);
        values.extend(&self.shape);
        if let Some(fill) = self.fill {
            values.extend([fill as u32, (fill >> 32) as u32]);
        }
    }

    /// The layout in the words of a dataset that follow the user's. Errors: `InvalidArgument`.
    pub fn from_values(values: &[u32]) -> Result<Layout, Error> {
        let wrong = || Error::InvalidArgument("the filter's parameters do not tell the dataset's layout".into());
        let [kind, rank, rest @ ..] = values else { return Err(wrong()) };
        let [dtype, big, filled, zero] = kind.to_le_bytes();
        let dtype = DType::from_code(dtype).ok_or_else(wrong)?;
        if *rank == 0 || *rank > MAX_RANK || big > 1 || filled > 1 || zero != 0 {
            return Err(wrong());
        }
        let (shape, rest) = rest.split_at_checked(*rank as usize).ok_or_else(wrong)?;
        let fill = match (filled, rest) {
            (0, []) => None,
            (1, &[low, high]) => Some(u64::from(high) << 32 | u64::from(low)),
            _ => return Err(wrong()),
        };
        Ok(Layout { dtype, big_endian: big == 1, shape: shape.to_vec(), fill })
    }

    /// Bytes of a chunk, decoded.
    pub fn chunk_bytes(&self) -> Option<u64> {
        byte_count(self.dtype, &self.shape.iter().map(|&n| n.into()).collect::<Vec<u64>>())
    }

    /// The chunk's shape as it is encoded: axes of one index say nothing, and six axes are the most that there can be.
    pub(crate) fn coded_shape(&self) -> Vec<u64> {
        let mut shape: Vec<u64> = self.shape.iter().map(|&n| n.into()).filter(|&n| n != 1).collect();
        while shape.len() > scicodec::format::MAX_RANK {
            shape[1] = shape[1].saturating_mul(shape[0]);
            shape.remove(0);
        }
        shape
    }
}
