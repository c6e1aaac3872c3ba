//! Models with latents, of which the networks that guide without them are spoiled.
use scicodec::Error;
use scicodec::learned::{LatentTables, builtin};
use scicodec::network::{Graph, Model, ModelBuilder, Operation};

/// The beginning of the model: networks that guide without latents, badly.
fn spoiled() -> Result<ModelBuilder, Error> {
    let builder = ModelBuilder::on(builtin(2)?.model(), "latents by hand");
    let mut graph = builtin(1)?.model().network("points")?.graph().clone();
    let Some(Operation::Convolution(last)) = graph.operations.last_mut() else { unreachable!() };
    last.bias[0] += 200 << last.requantise.shift;
    builder.network(graph)
}

/// The model of these tables and networks.
pub fn model_of(tables: &LatentTables, graphs: Vec<Graph>) -> Result<Model, Error> {
    graphs.into_iter().try_fold(spoiled()?.latents(tables)?, ModelBuilder::network)?.build()
}
