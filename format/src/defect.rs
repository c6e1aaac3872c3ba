//! The ways in which bytes can lie, one variant each.

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The first bytes are not ours.
    #[error("not a .scz file: the first bytes are wrong")]
    HeadMagic,
    /// The first bytes are ours after a transfer that changed line ends or dropped the eighth bit.
    #[error("the first bytes are those of a .scz file damaged by a text-mode transfer")]
    TextDamage,
    /// A bit that must be zero is set.
    #[error("reserved bits {bits:#x} are set in the {of}")]
    ReservedBits {
        /// Which flags.
        of: &'static str,
        /// The bits that should be zero.
        bits: u8,
    },
    /// A varint is longer than it need be, or does not fit 64 bits.
    #[error("a varint is not in its shortest form or exceeds 64 bits")]
    Varint,
    /// Text that is not UTF-8.
    #[error("the {0} is not UTF-8")]
    Text(&'static str),
    /// No such dtype.
    #[error("unknown dtype code {0}")]
    DType(u8),
    /// More than six axes.
    #[error("rank {0} is over 6")]
    Rank(u8),
    /// The number of elements overflows.
    #[error("the shape {0:?} has more than 2^63 bytes")]
    ShapeOverflow(Vec<u64>),
    /// No such bound, or a value that no bound can have.
    #[error("not an error bound: {0}")]
    Bound(&'static str),
    /// A checksum does not match.
    #[error("the checksum of the {of} is {found:#010x}, stored is {stored:#010x}")]
    Checksum {
        /// What was summed.
        of: &'static str,
        /// The checksum in the file.
        stored: u32,
        /// That of the bytes there.
        found: u32,
    },
    /// A payload does not start with its magic.
    #[error("no chunk payload starts here")]
    PayloadMagic,
    /// Bytes after the end of a payload.
    #[error("{0} bytes follow the end of the payload")]
    TrailingBytes(u64),
    /// A record starts with no known tag.
    #[error("no record starts here (tag {0:#04x})")]
    RecordTag(u8),
    /// A record is longer than its fields.
    #[error("the {0} is longer than its fields")]
    RecordLength(&'static str),
    /// Variables are not numbered in order.
    #[error("variable {found} where {expected} is due")]
    VariableOrder {
        /// The ordinal in the file.
        found: u64,
        /// The ordinal due.
        expected: u64,
    },
    /// Two variables have one name.
    #[error("two variables are named {0:?}")]
    DuplicateName(String),
    /// An extension of something that cannot be extended so.
    #[error("an extension {0}")]
    Extension(&'static str),
    /// A model inside the file that cannot be one, or is there already.
    #[error("a model in the file {0}")]
    Model(&'static str),
    /// References of a chunk that cannot be followed.
    #[error("the references of a chunk {0}")]
    Reference(&'static str),
    /// A chunk extent of zero.
    #[error("a chunk shape has an extent of 0")]
    ChunkShape,
    /// An index that holds a chunk table of one chunk where the grid has another number.
    #[error("a record with an inline chunk table has {0} chunks, not 1")]
    InlineTable(u64),
    /// A chunk of length zero where none may be missing, or the reverse.
    #[error("a chunk is marked missing in a table that has none, or a missing chunk has properties")]
    MissingChunk,
    /// An achieved error below zero or NaN.
    #[error("an achieved error is negative or not a number")]
    AchievedError,
    /// A minimum above the maximum, or not finite.
    #[error("a chunk's minimum and maximum are no range")]
    ValueRange,
    /// Payloads and records run into the index.
    #[error("payloads and records overlap the index")]
    Overlap,
    /// The index is longer or shorter than what it describes.
    #[error("the index does not end where its last table does")]
    IndexLength,
    /// The index refers to a previous one that cannot be there.
    #[error("the previous index is said to end at {0}, which cannot be")]
    PreviousIndex(u64),
    /// No footer where a previous index should end.
    #[error("no index ends here")]
    FooterMagic,
    /// Padding that is not zero.
    #[error("padding is not zero")]
    Padding,
    /// A payload that is not what the index says is there.
    #[error("the payload's {0} differs from the index's")]
    PayloadMismatch(&'static str),
}

impl Defect {
    /// The section of SPEC that the bytes break.
    pub const fn section(&self) -> &'static str {
        use Defect::*;
        match self {
            Varint | Text(_) => "1",
            DType(_) | Rank(_) | ShapeOverflow(_) => "2",
            Bound(_) => "3",
            PayloadMagic | TrailingBytes(_) => "5",
            HeadMagic | TextDamage => "6.1",
            RecordTag(_) | RecordLength(_) | VariableOrder { .. } | DuplicateName(_) | InlineTable(_) => "6.2",
            Extension(_) => "6.3",
            ChunkShape => "6.4",
            MissingChunk | AchievedError | ValueRange => "6.5",
            Overlap | IndexLength | PreviousIndex(_) | FooterMagic | Padding | PayloadMismatch(_) => "6.6",
            Model(_) => "6.10",
            Reference(_) => "6.12",
            ReservedBits { .. } => "1",
            Checksum { .. } => "1",
        }
    }
}
