//! Where models are looked for that data name by their digests: at hand, installed in the user's folder, or shipped.
use crate::Error;
use crate::learned::{LoadedModel, shipped};
use crate::network::ModelId;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

/// The environment variable that names the folder of installed models.
pub const MODELS_VARIABLE: &str = "SCICODEC_MODELS";
/// Models that one may stand on, and itself.
const DEPTH: u64 = 8;
/// What the names of models' files end in.
const EXTENSION: &str = "scm";

/// The folder of installed models: `$SCICODEC_MODELS`, or `scicodec/models` in the user's data folder (on Linux
/// `$XDG_DATA_HOME` or `~/.local/share`). It need not be there.
pub fn models_folder() -> Option<PathBuf> {
    match std::env::var_os(MODELS_VARIABLE) {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => dirs::data_dir().map(|d| d.join("scicodec").join("models")),
    }
}

/// A collection of models that chunks may name. Lookups that succeed are remembered; threads share it.
#[derive(Debug, Default)]
pub struct Models {
    folder: Option<PathBuf>,
    /// Given by the caller, for files that name them.
    given: Vec<Arc<LoadedModel>>,
    found: Mutex<Vec<Arc<LoadedModel>>>,
}

impl Models {
    /// The shipped models and those in a folder; a file there is named by the digest in hexadecimal, then `.scm`.
    pub fn in_folder(folder: Option<PathBuf>) -> Models {
        Models { folder, ..Models::default() }
    }

    /// The shipped models and those in [`models_folder`].
    pub fn installed() -> Models {
        Models::in_folder(models_folder())
    }

    /// Adds one.
    pub fn add(&mut self, model: Arc<LoadedModel>) {
        self.given.push(model);
    }

    /// The model of this digest. `inside` gives its bytes where they come with the data. A model that stands on others finds
    /// them in the same way, but not in the data.
    ///
    /// Errors: [`Error::ModelMissing`], which says how to get it; [`Error::ModelMismatch`] where one was given and it is
    /// another, or an installed file does not hold what its name says; those of [`LoadedModel::read`].
    pub fn find(&self, id: ModelId, inside: Option<&[u8]>) -> Result<Arc<LoadedModel>, Error> {
        self.find_among(id, &|wanted| inside.filter(|_| wanted == id), 0)
    }

    /// A model from the bytes of its file; those that it stands on are found as by [`Models::find`].
    ///
    /// Errors: as of [`Models::find`].
    pub fn read(&self, bytes: &[u8]) -> Result<LoadedModel, Error> {
        LoadedModel::read_on(bytes, &|parent| self.find_among(parent, &|_| None, 1))
    }

    /// As [`Models::find`], with the models that come with the data; `depth` models stand on this one.
    pub(crate) fn find_among<'a>(
        &self,
        id: ModelId,
        inside: &dyn Fn(ModelId) -> Option<&'a [u8]>,
        depth: u64,
    ) -> Result<Arc<LoadedModel>, Error> {
        if let Some(model) = self.known(id) {
            return Ok(model);
        }
        if depth >= DEPTH {
            return Err(Error::Limit { what: "models that stand on one another", limit: DEPTH, asked: depth + 1 });
        }
        let bytes = inside(id);
        let installed = match bytes {
            Some(_) => None,
            None => self.folder.as_ref().map(|f| f.join(file_name(id))),
        };
        let read = |bytes: &[u8]| LoadedModel::read_on(bytes, &|parent| self.find_among(parent, inside, depth + 1));
        let model = match (bytes, installed) {
            (Some(bytes), _) => read(bytes)?,
            (None, Some(path)) if path.is_file() => read(&fs::read(path)?)?,
            _ => {
                return Err(match self.given.first() {
                    Some(other) if depth == 0 => mismatch(id, other.id()),
                    _ => Error::ModelMissing { id: format!("{id:#}") },
                });
            }
        };
        if model.id() != id {
            return Err(mismatch(id, model.id()));
        }
        let model = Arc::new(model);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push(model.clone());
        Ok(model)
    }

    /// The model of this digest, if it need not be read.
    fn known(&self, id: ModelId) -> Option<Arc<LoadedModel>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.given.iter().chain(found.iter()).chain(shipped().map(|(m, _)| m));
        known.into_iter().find(|m| m.id() == id).cloned()
    }

    /// The digests of the models in the folder, sorted; files whose names are no digests are passed over.
    ///
    /// Errors: `Io` where the folder is there and cannot be read.
    pub fn list(&self) -> Result<Vec<ModelId>, Error> {
        let entries = match self.folder.as_deref().map(fs::read_dir) {
            None => return Ok(vec![]),
            Some(Err(e)) if e.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Some(entries) => entries?,
        };
        let mut ids = vec![];
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|s| s.to_str());
            if path.extension().is_some_and(|e| e == EXTENSION) {
                ids.extend(stem.and_then(ModelId::parse));
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Puts a model into the folder, under the name that its digest gives it; the folder is made if need be.
    ///
    /// Errors: `Io`; `InvalidArgument` where there is no folder.
    pub fn install(&self, model: &LoadedModel) -> Result<PathBuf, Error> {
        let none = || Error::InvalidArgument(format!("no folder for models: set {MODELS_VARIABLE}"));
        let folder = self.folder.as_deref().ok_or_else(none)?;
        fs::create_dir_all(folder)?;
        let path = folder.join(file_name(model.id()));
        write_whole(&path, &model.model().write())?;
        Ok(path)
    }
}

/// A new file, or none: written beside its place and renamed.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (mut file, temporary) = crate::encode::temporary_beside(path)?;
    let written = io::Write::write_all(&mut file, bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    Ok(written?)
}

fn file_name(id: ModelId) -> String {
    format!("{id:#}.{EXTENSION}")
}

fn mismatch(wanted: ModelId, given: ModelId) -> Error {
    Error::ModelMismatch { wanted: format!("{wanted:#}"), given: format!("{given:#}") }
}
