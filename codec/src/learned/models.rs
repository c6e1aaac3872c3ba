//! Models that guide: those that ship with the program (SPEC §8.8.5), and others that are read from files.
use super::predictor::Predictor;
use crate::Error;
use crate::entropy::Priors;
use crate::network::{Model, ModelId, ModelLimits};
use crate::options::ModelChoice;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// What a chunk names a model by: its place in the list of SPEC §8.8.5, from 1. 0 stands for the model that the chunk's
/// payload names.
pub type ModelNumber = u8;

/// The model that encoding asks unless it is told otherwise.
pub const DEFAULT: ModelNumber = 2;
/// The number of a model that the payload names.
pub(crate) const NAMED: ModelNumber = 0;

/// Files and cards of the models that ship, by number.
static FILES: [(&[u8], &str); 2] = [
    (
        include_bytes!("../../../weights/01dc36da26d4ac18/weights.scm"),
        include_str!("../../../weights/01dc36da26d4ac18/card.md"),
    ),
    (
        include_bytes!("../../../weights/453728542d80e049/weights.scm"),
        include_str!("../../../weights/453728542d80e049/card.md"),
    ),
];

static MODELS: LazyLock<Vec<Result<Arc<LoadedModel>, String>>> = LazyLock::new(|| {
    let read = |(bytes, _): &(&[u8], &str)| LoadedModel::read(bytes).map(Arc::new).map_err(|e| e.to_string());
    FILES.iter().map(read).collect()
});

/// A model that has been read, checked, and found fit to guide chunks. Threads share it.
pub struct LoadedModel {
    model: Model,
    predictor: Predictor,
}

impl LoadedModel {
    /// Reads the bytes of a model's file.
    ///
    /// Errors: those of [`Model::read`]; [`Error::Unsupported`] if it is for something else than what chunks ask models.
    pub fn read(bytes: &[u8]) -> Result<LoadedModel, Error> {
        LoadedModel::new(Model::read(bytes, &ModelLimits::default())?)
    }

    /// Of a model that has been read. Errors: [`Error::Unsupported`] as above.
    pub fn new(model: Model) -> Result<LoadedModel, Error> {
        Ok(LoadedModel { predictor: Predictor::new(&model)?, model })
    }

    /// What names it.
    pub fn id(&self) -> ModelId {
        self.model.id()
    }

    /// All that its file says.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// States that coders start from, if it has some.
    pub fn priors(&self) -> Option<&Priors> {
        self.model.priors()
    }

    /// The part that guides.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }
}

impl fmt::Debug for LoadedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoadedModel({:#})", self.id())
    }
}

impl PartialEq for LoadedModel {
    fn eq(&self, other: &LoadedModel) -> bool {
        self.id() == other.id()
    }
}

impl Eq for LoadedModel {}

/// The model of this number.
///
/// Errors: [`Error::Unsupported`] if this version has none, or if it cannot be run here, as when the environment asks for
/// instructions that the processor has not.
pub fn builtin(number: ModelNumber) -> Result<&'static Arc<LoadedModel>, Error> {
    match MODELS.get(usize::from(number).wrapping_sub(1)) {
        Some(Ok(model)) => Ok(model),
        Some(Err(e)) => Err(Error::Unsupported { feature: format!("model {number}: {e}") }),
        None => Err(Error::Unsupported { feature: format!("model number {number}: a later version may have it") }),
    }
}

/// The models that ship with the program, with the cards that tell of them, in the order of their numbers.
pub fn shipped() -> impl Iterator<Item = (&'static Arc<LoadedModel>, &'static str)> {
    MODELS.iter().zip(&FILES).filter_map(|(m, (_, card))| Some((m.as_ref().ok()?, *card)))
}

/// The model that guides a chunk, and how the chunk names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Guiding {
    /// By number.
    Shipped(ModelNumber),
    /// By the digest in its payload.
    Named(Arc<LoadedModel>),
}

impl Guiding {
    /// The one that was chosen, if any.
    pub fn of(choice: &ModelChoice) -> Option<Guiding> {
        match choice {
            ModelChoice::None => None,
            ModelChoice::Default => Some(Guiding::Shipped(DEFAULT)),
            ModelChoice::Given(model) => {
                let number = (1..=FILES.len() as u8).find(|&n| builtin(n).is_ok_and(|m| m.id() == model.id()));
                Some(number.map_or_else(|| Guiding::Named(model.clone()), Guiding::Shipped))
            }
        }
    }

    /// The one of this number in a chunk whose payload names `named`. Errors: those of [`builtin`], and `Corrupt` where
    /// the one asks for what the other does not name, or the reverse.
    pub fn read(number: ModelNumber, named: Option<&Arc<LoadedModel>>) -> Result<Guiding, Error> {
        let guiding = match (number, named) {
            (NAMED, Some(model)) => Guiding::Named(model.clone()),
            (NAMED, None) => return unasked("asks for the model that its payload names, which names none"),
            (_, Some(_)) => return unasked("does not ask for the model that its payload names"),
            (_, None) => Guiding::Shipped(number),
        };
        guiding.model().map(|_| ())?;
        Ok(guiding)
    }

    /// How the chunk's body names it.
    pub fn number(&self) -> ModelNumber {
        match self {
            Guiding::Shipped(number) => *number,
            Guiding::Named(_) => NAMED,
        }
    }

    /// What the payload must name.
    pub fn named(&self) -> Option<ModelId> {
        match self {
            Guiding::Shipped(_) => None,
            Guiding::Named(model) => Some(model.id()),
        }
    }

    /// Errors: those of [`builtin`].
    pub fn model(&self) -> Result<&Arc<LoadedModel>, Error> {
        match self {
            Guiding::Shipped(number) => builtin(*number),
            Guiding::Named(model) => Ok(model),
        }
    }
}

/// The error of a chunk and a payload that disagree on the model.
pub(crate) fn unasked<T>(how: &str) -> Result<T, Error> {
    Err(Error::Corrupt { what: format!("a chunk {how}"), section: "8.8.5" })
}
