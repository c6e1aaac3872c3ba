//! Model files (SPEC §9.1): networks and other sections, named by a digest of their bytes.
use super::error::{Refusal, within, wrong};
use super::fields::{Fields, put_text};
use super::graph::Graph;
use super::kernel::Kernel;
use super::limits::ModelLimits;
use super::prepared::Network;
use super::{read, write};
use crate::Error;
use crate::bytes::put_varint;
use crate::entropy::{LatentTables, Priors, read_delta, write_delta};
use crate::learned::{Background, CodedBackground, read_backgrounds, write_backgrounds};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"\x89SCM\r\n\x1a\n";
const VERSION: u8 = 1;
const NETWORK: [u8; 4] = *b"NETW";
const PRIORS: [u8; 4] = *b"PRIO";
const PARENT: [u8; 4] = *b"BASE";
const DELTA: [u8; 4] = *b"DELT";
const LATENTS: [u8; 4] = *b"LATE";
const BACKGROUNDS: [u8; 4] = *b"BACK";
/// Models that one may stand on, each on the next.
const DEPTH: usize = 8;

/// Gives the model of an id, for another that stands on it.
pub type FindModel<'a> = &'a dyn Fn(ModelId) -> Result<Model, Error>;

/// Digest of a model's bytes, which names it. Shown in full by `{:#}`, by its first 16 bytes by `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(pub [u8; 32]);

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bytes = if f.alternate() { &self.0[..] } else { &self.0[..16] };
        bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl ModelId {
    /// The digest of these 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<ModelId> {
        let digits = text.as_bytes().as_chunks::<2>().0;
        let mut id = [0; 32];
        if text.len() != 2 * id.len() {
            return None;
        }
        for (byte, pair) in id.iter_mut().zip(digits) {
            let digit = |d: u8| char::from(d).to_digit(16);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some(ModelId(id))
    }
}

/// A model file that has been read and checked.
#[derive(Clone, Debug)]
pub struct Model {
    bytes: Vec<u8>,
    id: ModelId,
    name: String,
    networks: Vec<Network>,
    priors: Option<Priors>,
    latents: Option<LatentTables>,
    backgrounds: Option<Arc<[Background]>>,
    /// The models that it stands on, the nearest first.
    parents: Vec<ModelId>,
    sections: Vec<([u8; 4], Range<usize>)>,
}

impl Model {
    /// Reads a model file and prepares its networks for [`Kernel::choose`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] and [`Error::Truncated`] if the bytes are not what SPEC §9 says, [`Error::Unsupported`] if they
    /// need a later version, [`Error::Limit`] if they ask for more than `limits`, and those of [`Kernel::choose`].
    pub fn read(bytes: &[u8], limits: &ModelLimits) -> Result<Model, Error> {
        Model::read_for(bytes, limits, Kernel::choose()?)
    }

    /// The same of a model that may stand on another one, which `find` gives.
    ///
    /// # Errors
    /// As of [`Model::read`], and those of `find`; [`Error::ModelMismatch`] if it gives another model than was asked for,
    /// [`Error::Limit`] if too many models stand on one another.
    pub fn read_on(bytes: &[u8], limits: &ModelLimits, find: FindModel<'_>) -> Result<Model, Error> {
        parse(bytes, limits, Kernel::choose()?, find).map_err(Refusal::of_file)
    }

    /// The same for the kernel given.
    ///
    /// # Errors
    /// As of [`Model::read`], and [`Error::Unsupported`] if the kernel cannot run here.
    pub fn read_for(bytes: &[u8], limits: &ModelLimits, kernel: Kernel) -> Result<Model, Error> {
        parse(bytes, limits, kernel, &missing).map_err(Refusal::of_file)
    }

    /// The file: exactly the bytes that were read or built.
    pub fn write(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// What names the model.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// A name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All networks, in the order of the file.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// The network of this name.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if there is none.
    pub fn network(&self, name: &str) -> Result<&Network, Error> {
        let found = self.networks.iter().find(|n| n.name() == name);
        found.ok_or_else(|| Error::InvalidArgument(format!("model {} has no network {name:?}", self.id)))
    }

    /// Trained states of the coders of integers, if there are some.
    pub fn priors(&self) -> Option<&Priors> {
        self.priors.as_ref()
    }

    /// How latents are coded, if it has networks for them.
    pub fn latents(&self) -> Option<&LatentTables> {
        self.latents.as_ref()
    }

    /// Background fields, if it has some.
    pub fn backgrounds(&self) -> &[Background] {
        self.backgrounds.as_deref().unwrap_or_default()
    }

    /// Ids of the models that must be at hand to read this one, the nearest first: it stands on that one, and so on.
    pub fn parents(&self) -> &[ModelId] {
        &self.parents
    }

    /// The body of the optional section of this tag.
    pub fn section(&self, tag: [u8; 4]) -> Option<&[u8]> {
        self.sections.iter().find(|s| s.0 == tag).map(|s| &self.bytes[s.1.clone()])
    }
}

/// Nothing is at hand.
fn missing(id: ModelId) -> Result<Model, Error> {
    Err(Error::ModelMissing { id: format!("{id:#}") })
}

/// The model of this id, if no more stand on one another than may.
fn parent(id: ModelId, find: FindModel<'_>) -> Result<Model, Refusal> {
    let model = find(id).map_err(Refusal::Other)?;
    if model.id != id {
        let (wanted, given) = (format!("{id:#}"), format!("{:#}", model.id));
        return Err(Refusal::Other(Error::ModelMismatch { wanted, given }));
    }
    within("models that stand on one another", model.parents.len() as u64 + 2, DEPTH as u64)?;
    Ok(model)
}

fn parse(bytes: &[u8], limits: &ModelLimits, kernel: Kernel, find: FindModel<'_>) -> Result<Model, Refusal> {
    within("bytes of a model", bytes.len() as u64, limits.bytes)?;
    let mut f = Fields(bytes);
    if f.take(8)? != MAGIC {
        return wrong("9.1", "the magic is not that of a model");
    }
    let version = f.byte()?;
    if version != VERSION {
        return Err(Refusal::Unsupported(format!("model version {version}")));
    }
    let Some((content, digest)) = bytes.split_last_chunk::<32>().filter(|(c, _)| c.len() >= 9) else {
        return Err(Refusal::Truncated { what: "a model", need: 41, have: bytes.len() as u64 });
    };
    if blake3::hash(content).as_bytes() != digest {
        return wrong("9.1", "the digest at the end is not that of the bytes before it");
    }
    let mut f = Fields(&content[9..]);
    let flags = f.byte()?;
    if flags & 15 != 0 {
        return wrong("9.1", format!("reserved bits {:#x} of the head", flags & 15));
    }
    let name = f.text()?;
    let count = f.count()?;
    within("sections of a model", count as u64, limits.sections)?;
    let (mut networks, mut priors, mut sections) = (Vec::<Network>::new(), None, Vec::new());
    let (mut latents, mut backgrounds) = (None, None);
    let mut base: Option<Model> = None;
    for k in 0..count {
        let tag = f.tag()?;
        let length = f.count()?;
        let start = content.len() - f.0.len();
        let body = f.take(length as u64)?;
        if tag == NETWORK {
            let network = Network::prepare(read::graph(body, limits)?, kernel, limits)?;
            if networks.iter().any(|n| n.name() == network.name()) {
                return wrong("9.1", format!("two networks {:?}", network.name()));
            }
            networks.push(network);
        } else if tag == PRIORS {
            if priors.is_some() {
                return wrong("9.1", "two sections PRIO");
            }
            priors = Some(Priors::read(body).map_err(|e| Refusal::Wrong(e.to_string(), "9.5"))?);
        } else if tag == LATENTS {
            if latents.is_some() {
                return wrong("9.1", "two sections LATE");
            }
            latents = Some(LatentTables::read(body).map_err(|e| Refusal::Wrong(e.to_string(), "9.7"))?);
        } else if tag == BACKGROUNDS {
            if backgrounds.is_some() {
                return wrong("9.1", "two sections BACK");
            }
            backgrounds = Some(read_backgrounds(body).map_err(Refusal::Other)?.into());
        } else if tag == PARENT {
            let id = <[u8; 32]>::try_from(body).ok().filter(|_| k == 0);
            let Some(id) = id else { return wrong("9.6", "a section BASE that is not the first, or not 32 bytes") };
            base = Some(parent(ModelId(id), find)?);
        } else if tag == DELTA {
            let Some(base) = base.as_ref().filter(|_| priors.is_none()) else {
                return wrong("9.6", "a section DELT without a section BASE, or beside other states");
            };
            let old = base.priors.clone().unwrap_or_default();
            priors = Some(read_delta(&old, body).map_err(|e| Refusal::Wrong(e.to_string(), "9.6"))?);
        } else if !tag.iter().all(u8::is_ascii_alphabetic) {
            return wrong("9.1", format!("a section of tag {tag:?}"));
        } else if tag[0].is_ascii_uppercase() {
            return Err(Refusal::Unsupported(format!("section {} of a model", tag.escape_ascii())));
        } else if sections.iter().any(|(t, _)| *t == tag) {
            return wrong("9.1", format!("two sections {}", tag.escape_ascii()));
        } else {
            sections.push((tag, start..start + length));
        }
    }
    if !f.0.is_empty() {
        return wrong("9.1", format!("{} bytes after the last section", f.0.len()));
    }
    let mut parents = Vec::new();
    if let Some(base) = base {
        parents.push(base.id);
        parents.extend(base.parents);
        priors = priors.or(base.priors);
        latents = latents.or(base.latents);
        backgrounds = backgrounds.or(base.backgrounds);
        let new = |n: &Network| networks.iter().all(|m| m.name() != n.name());
        let kept: Vec<Network> = base.networks.into_iter().filter(new).collect();
        networks.extend(kept);
    }
    let (bytes, id) = (bytes.to_vec(), ModelId(*digest));
    Ok(Model { bytes, id, name, networks, priors, latents, backgrounds, parents, sections })
}

/// Puts a model together.
///
/// ```
/// use scicodec::network::{Graph, Model, ModelBuilder, ModelLimits, Operation, Span};
///
/// let span = Span { low: -100, high: 100 };
/// let graph = Graph {
///     name: "means".into(),
///     channels: 3,
///     span,
///     conditions: 1,
///     operations: vec![Operation::Mean { source: 0 }],
/// };
/// let model = ModelBuilder::new("example").network(graph)?.section(*b"note", b"any bytes")?.build()?;
/// let again = Model::read(&model.write(), &ModelLimits::default())?;
/// assert_eq!(again.id(), model.id());
/// assert_eq!(again.section(*b"note"), Some(&b"any bytes"[..]));
/// # Ok::<(), scicodec::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ModelBuilder {
    name: String,
    parent: Option<Model>,
    sections: Vec<([u8; 4], Vec<u8>)>,
}

impl ModelBuilder {
    /// A model of this name without anything in it.
    pub fn new(name: &str) -> ModelBuilder {
        ModelBuilder { name: name.into(), ..ModelBuilder::default() }
    }

    /// A model that stands on another one: it has that one's networks and states but for those that it is given.
    pub fn on(parent: &Model, name: &str) -> ModelBuilder {
        let sections = vec![(PARENT, parent.id.0.to_vec())];
        ModelBuilder { name: name.into(), parent: Some(parent.clone()), sections }
    }

    /// Adds the states that coders start from as differences to those of the model that this one stands on. They come
    /// out nearly as they are given (SPEC §9.6); of a model that stands on none they are added whole.
    pub fn priors_nearly(mut self, priors: &Priors) -> ModelBuilder {
        let Some(parent) = &self.parent else { return self.priors(priors) };
        let old = parent.priors.clone().unwrap_or_default();
        self.sections.push((DELTA, write_delta(&old, priors)));
        self
    }

    /// Adds a network.
    ///
    /// # Errors
    /// As of [`Network::new`]: above all if some sum could overflow.
    pub fn network(mut self, graph: Graph) -> Result<ModelBuilder, Error> {
        let body = write::graph(&graph);
        Network::new(graph, Kernel::Scalar)?;
        self.sections.push((NETWORK, body));
        Ok(self)
    }

    /// Adds the states that coders start from.
    pub fn priors(mut self, priors: &Priors) -> ModelBuilder {
        self.sections.push((PRIORS, priors.write()));
        self
    }

    /// Adds how latents are coded.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the tables are not what SPEC §9.7 says.
    pub fn latents(mut self, tables: &LatentTables) -> Result<ModelBuilder, Error> {
        tables.check()?;
        self.sections.push((LATENTS, tables.write()));
        Ok(self)
    }

    /// Adds background fields, in place of those of the model that this one stands on.
    pub fn backgrounds(mut self, all: &[CodedBackground]) -> ModelBuilder {
        self.sections.push((BACKGROUNDS, write_backgrounds(all)));
        self
    }

    /// Adds a section that readers may ignore.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the tag is not four ASCII letters, the first in lower case.
    pub fn section(mut self, tag: [u8; 4], body: &[u8]) -> Result<ModelBuilder, Error> {
        if !tag.iter().all(u8::is_ascii_alphabetic) || tag[0].is_ascii_uppercase() {
            let what =
                format!("a section of tag {}, expected four letters, the first in lower case", tag.escape_ascii());
            return Err(Error::InvalidArgument(what));
        }
        self.sections.push((tag, body.to_vec()));
        Ok(self)
    }

    /// The model.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if two networks have the same name or two sections the same tag, [`Error::Limit`] if it
    /// is larger than the default limits, and those of [`Kernel::choose`].
    pub fn build(self) -> Result<Model, Error> {
        let mut out = MAGIC.to_vec();
        out.extend([VERSION, 0]);
        put_text(&mut out, &self.name);
        put_varint(&mut out, self.sections.len() as u64);
        for (tag, body) in &self.sections {
            out.extend(tag);
            put_varint(&mut out, body.len() as u64);
            out.extend(body);
        }
        let digest = blake3::hash(&out);
        out.extend(digest.as_bytes());
        let find = |id| self.parent.clone().map_or_else(|| missing(id), Ok);
        parse(&out, &ModelLimits::default(), Kernel::choose()?, &find).map_err(Refusal::of_caller)
    }
}
