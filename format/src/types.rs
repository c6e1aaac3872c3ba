//! The typed words that payload headers and the container share.
use crate::Error;
use std::{fmt, str::FromStr};

/// Element type of a field (SPEC §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum DType {
    F16 = 0,
    F32 = 1,
    F64 = 2,
    I8 = 3,
    I16 = 4,
    I32 = 5,
    I64 = 6,
    U8 = 7,
    U16 = 8,
    U32 = 9,
    U64 = 10,
}

impl DType {
    /// All types, in the order of their codes.
    pub const ALL: [DType; 11] = [
        DType::F16,
        DType::F32,
        DType::F64,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U16,
        DType::U32,
        DType::U64,
    ];

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            DType::I8 | DType::U8 => 1,
            DType::F16 | DType::I16 | DType::U16 => 2,
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 => 8,
        }
    }

    /// Whether elements are IEEE 754 floating-point numbers.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F16 | DType::F32 | DType::F64)
    }

    /// The type with this code (SPEC §2), if there is one.
    pub fn from_code(code: u8) -> Option<DType> {
        DType::ALL.get(usize::from(code)).copied()
    }

    /// The name numpy uses: `float32`, `int16`, ...
    pub const fn name(self) -> &'static str {
        match self {
            DType::F16 => "float16",
            DType::F32 => "float32",
            DType::F64 => "float64",
            DType::I8 => "int8",
            DType::I16 => "int16",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::U8 => "uint8",
            DType::U16 => "uint16",
            DType::U32 => "uint32",
            DType::U64 => "uint64",
        }
    }
}

/// What an error bound limits (SPEC §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BoundKind {
    /// Every bit is kept.
    Lossless = 0,
    /// `|x - x̂| ≤ E` for every value.
    Abs = 1,
    /// `|x - x̂| ≤ E·(max - min)` for every value; the range is that of the variable's finite, unmasked values.
    Rel = 2,
    /// `|x - x̂| ≤ E·|x|` for every value.
    PwRel = 3,
    /// `20·log10((max - min) / rmse) ≥ E`, in decibels, over the variable.
    Psnr = 4,
    /// `rmse / (max - min) ≤ E` over the variable.
    Nrmse = 5,
    /// `sqrt(Σ (x - x̂)²) ≤ E` over the variable.
    L2 = 6,
}

impl BoundKind {
    /// The kind with this code (SPEC §3), if there is one.
    pub fn from_code(code: u8) -> Option<BoundKind> {
        use BoundKind::*;
        [Lossless, Abs, Rel, PwRel, Psnr, Nrmse, L2].get(usize::from(code)).copied()
    }

    /// The name used on the command line: `abs`, `rel`, `pw_rel`, ...
    pub const fn name(self) -> &'static str {
        match self {
            BoundKind::Lossless => "lossless",
            BoundKind::Abs => "abs",
            BoundKind::Rel => "rel",
            BoundKind::PwRel => "pw_rel",
            BoundKind::Psnr => "psnr",
            BoundKind::Nrmse => "nrmse",
            BoundKind::L2 => "l2",
        }
    }
}

/// An error bound as asked for: its kind and its value (0 for `lossless`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBound {
    /// What is limited.
    pub kind: BoundKind,
    /// The limit, in the unit that the kind says.
    pub value: f64,
}

impl ErrorBound {
    /// The forms that [`ErrorBound::from_str`] takes.
    pub const FORMS: &str = "abs=E, rel=E, pw_rel=E, psnr=DB, nrmse=E, l2=E or lossless";
}

/// `abs=0.001`, `lossless`: the form that is parsed back to the same bound.
impl fmt::Display for ErrorBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            BoundKind::Lossless => f.write_str(self.kind.name()),
            kind => write!(f, "{}={}", kind.name(), self.value),
        }
    }
}

/// Reads the form alone: which values make sense, and for which dtype, is the codec's to say.
impl FromStr for ErrorBound {
    type Err = Error;

    fn from_str(s: &str) -> Result<ErrorBound, Error> {
        let invalid = |what: String| Err(Error::InvalidArgument(what));
        if s == BoundKind::Lossless.name() {
            return Ok(ErrorBound { kind: BoundKind::Lossless, value: 0.0 });
        }
        let kinds = || (1..=6).filter_map(BoundKind::from_code);
        let parts = s.split_once('=').and_then(|(kind, value)| Some((kinds().find(|k| k.name() == kind)?, value)));
        let Some((kind, value)) = parts else {
            return invalid(format!("error bound {s:?}: expected {}", ErrorBound::FORMS));
        };
        match value.trim().parse() {
            Ok(value) => Ok(ErrorBound { kind, value }),
            Err(_) => invalid(format!("error bound {s:?}: {value:?} is not a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_parsed_from_what_they_print() {
        for (kind, value) in [(BoundKind::Lossless, 0.0), (BoundKind::Rel, 1e-3), (BoundKind::Psnr, 70.5)] {
            let bound = ErrorBound { kind, value };
            assert_eq!(bound.to_string().parse::<ErrorBound>().unwrap(), bound);
        }
        for wrong in ["", "abs", "abs=", "abs=x", "chunk=1", "lossless=1"] {
            assert!(wrong.parse::<ErrorBound>().is_err(), "{wrong}");
        }
    }
}
