//! What a model says of itself besides its networks (SPEC §9.1), and how large its networks are.
use super::graph::Operation;
use super::model::{Model, ModelBuilder, ModelId};
use super::prepared::Network;
use crate::Error;

/// Ids of the models that training went on from.
const LINEAGE: [u8; 4] = *b"from";
/// Lines `key: value`.
const NOTES: [u8; 4] = *b"note";

impl Model {
    /// Ids of the models that training went on from, the nearest first; those that it stands on come first.
    pub fn lineage(&self) -> Vec<ModelId> {
        let from = self.section(LINEAGE).unwrap_or_default().as_chunks::<32>().0.iter().map(|id| ModelId(*id));
        self.parents().iter().copied().chain(from).collect()
    }

    /// What is to be known of the model: pairs of key and value. Text that is not in this form is left out.
    pub fn notes(&self) -> Vec<(String, String)> {
        let text = String::from_utf8_lossy(self.section(NOTES).unwrap_or_default()).into_owned();
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

impl ModelBuilder {
    /// Says which models training went on from, the nearest first.
    ///
    /// # Errors
    /// None of its own: those of [`ModelBuilder::section`].
    pub fn lineage(self, ids: &[ModelId]) -> Result<ModelBuilder, Error> {
        self.section(LINEAGE, &ids.iter().flat_map(|id| id.0).collect::<Vec<u8>>())
    }

    /// Says what is to be known of the model; line ends within a value become spaces.
    ///
    /// # Errors
    /// As of [`ModelBuilder::lineage`].
    pub fn notes(self, pairs: &[(&str, String)]) -> Result<ModelBuilder, Error> {
        let lines = pairs.iter().map(|(key, value)| format!("{key}: {}\n", value.replace(['\n', '\r'], " ")));
        self.section(NOTES, lines.collect::<String>().as_bytes())
    }
}

impl Network {
    /// Convolutions, full and depthwise.
    pub fn layers(&self) -> usize {
        self.convolutions().count()
    }

    /// Weights and biases of all of them.
    pub fn parameters(&self) -> usize {
        self.convolutions().map(|c| c.weights.len() + c.bias.len()).sum()
    }

    fn convolutions(&self) -> impl Iterator<Item = &super::graph::Convolution> {
        self.graph().operations.iter().filter_map(|o| match o {
            Operation::Convolution(c) | Operation::Depthwise(c) => Some(c),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::builtin;

    #[test]
    fn a_model_keeps_what_is_said_of_it() {
        let id = builtin(1).map(|m| m.id()).unwrap_or(ModelId([0; 32]));
        let notes = [("data", "two fields,\nof one kind: waves".to_string()), ("licence", "MIT".into())];
        let built = ModelBuilder::new("x").lineage(&[id, ModelId([7; 32])]).and_then(|b| b.notes(&notes)?.build());
        let Ok(model) = built else { panic!("{built:?}") };
        assert_eq!(model.lineage(), [id, ModelId([7; 32])]);
        let kept: Vec<String> = model.notes().into_iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(kept, ["data=two fields, of one kind: waves", "licence=MIT"]);
    }
}
