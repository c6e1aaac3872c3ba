//! What the creator of a dataset asks for, as HDF5's `cd_values`: 32-bit words (SPEC §10.2).
use scicodec::{BoundKind, Effort, EncodeOptions, Error, ErrorBound, ModelChoice};

const VERSION: u32 = 1;

/// How chunks are to be encoded.
///
/// Bounds hold chunk by chunk. A range or number of values that a bound speaks of is that of the chunk as HDF5 stores it. What
/// every chunk keeps of `chunk_rel`, `chunk_psnr` and `chunk_nrmse`, the dataset keeps against its own range; not so of `chunk_l2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// The bound that each chunk keeps. Here `rel` means `chunk_rel`, and so on.
    pub bound: ErrorBound,
    /// How hard to try.
    pub effort: Effort,
    /// Whether the shipped model may guide prediction.
    pub model: bool,
    /// A value that stands for "no value" and is kept exactly; without it, the one that the dataset declares. `nccopy`, for
    /// one, notes `_FillValue` where no filter can see it.
    pub fill: Option<f64>,
}

impl Parameters {
    /// Default effort, with the model.
    ///
    /// Takes the forms of [`ErrorBound`], but `chunk_rel=E`, `chunk_psnr=DB`, `chunk_nrmse=E` and `chunk_l2=E` in place of those
    /// without `chunk_`: a filter sees one chunk at a time and cannot know the range of the dataset. Errors: `InvalidArgument`.
    pub fn new(bound: &str) -> Result<Parameters, Error> {
        let invalid = |what: String| Err(Error::InvalidArgument(what));
        let (of_chunk, text) = match bound.strip_prefix("chunk_") {
            Some(rest) => (true, rest),
            None => (false, bound),
        };
        let bound: ErrorBound = text.parse()?;
        let of_all = matches!(bound.kind, BoundKind::Rel | BoundKind::Psnr | BoundKind::Nrmse | BoundKind::L2);
        if of_all != of_chunk {
            return invalid(match of_chunk {
                true => format!("chunk_{bound}: {bound} holds for every value; ask for that"),
                false => format!(
                    "{bound} is about the whole dataset, of which a filter sees one chunk: ask for chunk_{bound}, or abs"
                ),
            });
        }
        if !(bound.kind == BoundKind::Lossless || bound.value.is_finite() && bound.value > 0.0) {
            return invalid(format!("an error bound must be a positive, finite number: {bound}"));
        }
        Ok(Parameters { bound, effort: Effort::Default, model: true, fill: None })
    }

    /// The words that a user gives.
    pub fn to_values(self) -> Vec<u32> {
        let effort = match self.effort {
            Effort::Fast => 1,
            Effort::Max => 2,
            _ => 0,
        };
        let choice = [self.bound.kind as u8, effort, u8::from(!self.model), u8::from(self.fill.is_some())];
        let mut values = vec![VERSION, u32::from_le_bytes(choice)];
        for number in [Some(self.bound.value), self.fill].into_iter().flatten() {
            let bits = number.to_bits();
            values.extend([bits as u32, (bits >> 32) as u32]);
        }
        values
    }

    /// The other way around, from all words of a dataset; gives also those that follow, the dataset's [`crate::Layout`].
    ///
    /// Errors: `InvalidArgument`, `Unsupported`.
    pub fn from_values(values: &[u32]) -> Result<(Parameters, &[u32]), Error> {
        let few = || {
            let what = format!("{} parameters are too few: `scicodec h5 cd-values` prints them", values.len());
            Error::InvalidArgument(what)
        };
        let unknown =
            |what: &str, n: u32| Error::Unsupported { feature: format!("{what} {n} in the filter's parameters") };
        let [version, choice, rest @ ..] = values else { return Err(few()) };
        if *version != VERSION {
            return Err(unknown("version", *version));
        }
        let [kind, effort, model, filled] = choice.to_le_bytes();
        let kind = BoundKind::from_code(kind).ok_or_else(|| unknown("kind of bound", kind.into()))?;
        let effort = match effort {
            0 => Effort::Default,
            1 => Effort::Fast,
            2 => Effort::Max,
            other => return Err(unknown("effort", other.into())),
        };
        if model > 1 || filled > 1 {
            return Err(unknown("option", *choice));
        }
        let (value, rest) = number(rest).ok_or_else(few)?;
        let (fill, rest) = match filled {
            0 => (None, rest),
            _ => number(rest).map(|(fill, rest)| (Some(fill), rest)).ok_or_else(few)?,
        };
        Ok((Parameters { bound: ErrorBound { kind, value }, effort, model: model == 0, fill }, rest))
    }

    /// As options of the codec, on one thread: the program around a filter has its own.
    pub(crate) fn options(&self) -> EncodeOptions {
        let mut options = EncodeOptions::new(self.bound);
        options.effort = self.effort;
        options.model = if self.model { ModelChoice::Default } else { ModelChoice::None };
        options.threads = 1;
        options
    }
}

/// A binary64 in two words, the low one first.
fn number(values: &[u32]) -> Option<(f64, &[u32])> {
    let [low, high, rest @ ..] = values else { return None };
    Some((f64::from_bits(u64::from(*high) << 32 | u64::from(*low)), rest))
}
