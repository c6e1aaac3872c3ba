//! Models that guide: those that ship with the program (SPEC §8.8.5), and others that are read from files.
use super::coefficients::Coefficients;
use super::latents::Latents;
use super::predictor::Predictor;
use crate::Error;
use crate::bytes::Bytes;
use crate::entropy::{Priors, Start};
use crate::network::{Model, ModelId, ModelLimits};
use crate::options::ModelChoice;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// What a chunk names a model by: its place in the list of SPEC §8.8.5, from 1. 0 stands for the model that the chunk's
/// payload names.
pub type ModelNumber = u8;

/// The model that encoding asks unless it is told otherwise.
pub const DEFAULT: ModelNumber = 5;
/// The number of a model that the payload names.
pub(crate) const NAMED: ModelNumber = 0;
/// The number of a model that lies in the file, named by the first bytes of its digest, which follow.
pub(crate) const INSIDE: ModelNumber = 255;
/// The same, named by one byte.
pub(crate) const SHORTLY_INSIDE: ModelNumber = 254;
/// How many bytes follow either. Only the shorter form is written.
const FIRST_BYTES: [usize; 2] = [4, 1];

/// Files and cards of the models that ship, by number.
static FILES: [(&[u8], &str); 5] = [
    (
        include_bytes!("../../../weights/01dc36da26d4ac18/weights.scm"),
        include_str!("../../../weights/01dc36da26d4ac18/card.md"),
    ),
    (
        include_bytes!("../../../weights/453728542d80e049/weights.scm"),
        include_str!("../../../weights/453728542d80e049/card.md"),
    ),
    (
        include_bytes!("../../../weights/08beb50861073403/weights.scm"),
        include_str!("../../../weights/08beb50861073403/card.md"),
    ),
    (
        include_bytes!("../../../weights/534ffe3fbcd9cbab/weights.scm"),
        include_str!("../../../weights/534ffe3fbcd9cbab/card.md"),
    ),
    (
        include_bytes!("../../../weights/f3b700530bd74d02/weights.scm"),
        include_str!("../../../weights/f3b700530bd74d02/card.md"),
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
    latents: Option<Latents>,
    coefficients: Option<Coefficients>,
    /// The model that it stands on, where its file was read.
    parent: Option<Arc<LoadedModel>>,
}

impl LoadedModel {
    /// Reads the bytes of a model's file. It may stand on a model that ships with the program.
    ///
    /// Errors: those of [`Model::read`]; [`Error::Unsupported`] if it is for something else than what chunks ask models.
    pub fn read(bytes: &[u8]) -> Result<LoadedModel, Error> {
        let missing = |id: ModelId| Err(Error::ModelMissing { id: format!("{id:#}") });
        LoadedModel::read_on(bytes, &|id| find_shipped(id).map_or_else(|| missing(id), Ok))
    }

    /// The same of a model that may stand on any other one, which `find` gives; [`crate::Models::read`] looks where models
    /// are kept.
    ///
    /// Errors: as above, and those of [`Model::read_on`].
    pub fn read_on(
        bytes: &[u8],
        find: &dyn Fn(ModelId) -> Result<Arc<LoadedModel>, Error>,
    ) -> Result<LoadedModel, Error> {
        let found = RefCell::new(None);
        let model = Model::read_on(bytes, &ModelLimits::default(), &|id| {
            let parent = find(id)?;
            let model = parent.model.clone();
            found.replace(Some(parent));
            Ok(model)
        })?;
        Ok(LoadedModel { parent: found.into_inner(), ..LoadedModel::new(model)? })
    }

    /// Of a model that has been read. Errors: [`Error::Unsupported`] as above.
    pub fn new(model: Model) -> Result<LoadedModel, Error> {
        let (predictor, latents) = (Predictor::new(&model)?, Latents::new(&model)?);
        let coefficients = Coefficients::new(&model)?;
        Ok(LoadedModel { predictor, latents, coefficients, model, parent: None })
    }

    /// Of a model that stands on this parent. Errors: as of [`LoadedModel::new`].
    pub fn on(model: Model, parent: &Arc<LoadedModel>) -> Result<LoadedModel, Error> {
        Ok(LoadedModel { parent: Some(parent.clone()), ..LoadedModel::new(model)? })
    }

    /// The files that must be at hand wherever this model is to be read, but for those that ship: its own, and those of the
    /// models that it stands on, the last one first.
    pub fn files(&self) -> Vec<Vec<u8>> {
        let mut files = self.parent.as_ref().filter(|p| find_shipped(p.id()).is_none()).map_or(vec![], |p| p.files());
        files.push(self.model.write());
        files
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

    /// What coders of integers start from.
    pub(crate) fn start(&self) -> Start<'_> {
        Start { priors: self.priors(), coefficients: self.coefficients.as_ref(), ..Start::default() }
    }

    /// Its latents, if it has some.
    pub fn latents(&self) -> Option<&Latents> {
        self.latents.as_ref()
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

/// The one of this digest.
pub(crate) fn find_shipped(id: ModelId) -> Option<Arc<LoadedModel>> {
    shipped().map(|(m, _)| m).find(|m| m.id() == id).cloned()
}

/// The model that a chosen one stands on, if that ships: chunks name it in a byte.
pub(crate) fn parent_that_ships(choice: &ModelChoice) -> Option<Arc<LoadedModel>> {
    let guiding = Guiding::of(choice)?;
    let parent = guiding.model().ok()?.parent.clone()?;
    find_shipped(parent.id())
}

/// The model that guides a chunk, and how the chunk names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Guiding {
    /// By number.
    Shipped(ModelNumber),
    /// By the digest in its payload.
    Named(Arc<LoadedModel>),
    /// By the first byte of its digest: it lies in the file, and none before it has the same.
    Inside(Arc<LoadedModel>),
}

/// Gives the first model in a file whose digest begins with these bytes.
type FindInside<'a> = &'a dyn Fn(&[u8]) -> Result<Arc<LoadedModel>, Error>;

/// What a chunk is decoded with besides the program.
#[derive(Clone, Copy)]
pub(crate) enum AtHand<'a> {
    /// Nothing: the chunk is alone.
    Nothing,
    /// The model that its payload names.
    Named(&'a Arc<LoadedModel>),
    /// The models in its file, by the first bytes of their digests.
    File(FindInside<'a>),
}

impl Guiding {
    /// The one that was chosen, if any.
    pub fn of(choice: &ModelChoice) -> Option<Guiding> {
        match choice {
            ModelChoice::None => None,
            ModelChoice::Default => Some(Guiding::Shipped(DEFAULT)),
            ModelChoice::Given(model) => Some(number_of(model).unwrap_or_else(|| Guiding::Named(model.clone()))),
            ModelChoice::Inside(model) => Some(number_of(model).unwrap_or_else(|| Guiding::Inside(model.clone()))),
        }
    }

    /// The one of this number. Bytes that name it may follow; errors: those of [`builtin`], and `Corrupt` where the chunk
    /// asks for what its payload does not name, or the reverse.
    pub fn read(number: ModelNumber, b: &mut Bytes<'_>, at_hand: AtHand<'_>) -> Result<Guiding, Error> {
        let guiding = match (number, at_hand) {
            (NAMED, AtHand::Named(model)) => Guiding::Named(model.clone()),
            (NAMED, _) => return unasked("asks for the model that its payload names, which names none"),
            (_, AtHand::Named(_)) => return unasked("does not ask for the model that its payload names"),
            (INSIDE | SHORTLY_INSIDE, at_hand) => {
                let first = b.take(FIRST_BYTES[usize::from(number == SHORTLY_INSIDE)])?;
                match at_hand {
                    AtHand::File(find) => Guiding::Inside(find(first)?),
                    _ => return unasked("asks for a model in its file, and is not in one"),
                }
            }
            (_, _) => Guiding::Shipped(number),
        };
        guiding.model().map(|_| ())?;
        Ok(guiding)
    }

    /// Appends how the chunk's body names it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Guiding::Shipped(number) => out.push(*number),
            Guiding::Named(_) => out.push(NAMED),
            Guiding::Inside(model) => {
                out.extend([SHORTLY_INSIDE, model.id().0[0]]);
            }
        }
    }

    /// What the payload must name.
    pub fn named(&self) -> Option<ModelId> {
        match self {
            Guiding::Shipped(_) | Guiding::Inside(_) => None,
            Guiding::Named(model) => Some(model.id()),
        }
    }

    /// Errors: those of [`builtin`].
    pub fn model(&self) -> Result<&Arc<LoadedModel>, Error> {
        match self {
            Guiding::Shipped(number) => builtin(*number),
            Guiding::Named(model) | Guiding::Inside(model) => Ok(model),
        }
    }
}

/// How chunks name a model that ships.
fn number_of(model: &LoadedModel) -> Option<Guiding> {
    let number = (1..=FILES.len() as u8).find(|&n| builtin(n).is_ok_and(|m| m.id() == model.id()));
    number.map(Guiding::Shipped)
}

/// The error of a chunk and a payload that disagree on the model.
pub(crate) fn unasked<T>(how: &str) -> Result<T, Error> {
    Err(Error::Corrupt { what: format!("a chunk {how}"), section: "8.8.5" })
}
