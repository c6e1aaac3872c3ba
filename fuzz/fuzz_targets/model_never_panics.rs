//! Hypothesis: whatever bytes are read as a model and run within limits, the end is an error or values of the declared span.
#![no_main]
use libfuzzer_sys::fuzz_target;
use scicodec::network::{Model, ModelLimits, Scratch};

fuzz_target!(|input: &[u8]| {
    // A digest cannot be guessed: it is put right.
    let Some(content) = input.len().checked_sub(32).map(|n| &input[..n]) else { return };
    let mut bytes = content.to_vec();
    bytes.extend(blake3::hash(content).as_bytes());
    let mut limits = ModelLimits::default();
    (limits.multiplications_per_point, limits.points_per_point, limits.channels) = (1 << 14, 1 << 6, 1 << 6);
    let Ok(model) = Model::read(&bytes, &limits) else { return };
    assert_eq!(model.write(), bytes);
    let mut scratch = Scratch::with_limit(1 << 24);
    for network in model.networks().iter().take(4) {
        let span = network.graph().span;
        let shape = [1, 2, 3, 5];
        let channels = network.graph().channels;
        let values = (0..30 * channels).map(|i| if i % 3 == 0 { span.low } else { span.high });
        let input: Vec<i16> = values.collect();
        let Ok(out) = network.run(&input, shape, network.graph().conditions - 1, &mut scratch) else { continue };
        let span = network.output_span();
        assert!(out.iter().all(|v| (span.low..=span.high).contains(v)));
    }
});
