//! Model files: what is written is read again, and what is damaged gets an error.
use crate::random::Random;
use scicodec::Error;
use scicodec::network::{Kernel, Model, ModelBuilder, ModelLimits, Network, Scratch};

/// A model of some networks that could be drawn, and an optional section.
fn model(random: &mut Random, networks: usize) -> Model {
    let mut builder = ModelBuilder::new("drawn").section(*b"extr", &[1, 2, 3]).unwrap();
    let mut k = 0;
    while k < networks {
        let mut graph = random.graph();
        graph.name = format!("n{k}");
        if Network::new(graph.clone(), Kernel::Scalar).is_ok() {
            builder = builder.network(graph).unwrap();
            k += 1;
        }
    }
    builder.build().unwrap()
}

/// The same content with the digest that it should have.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut out = content.to_vec();
    out.extend(blake3::hash(content).as_bytes());
    out
}

#[test]
fn round_trip() {
    let mut random = Random(5);
    for _ in 0..50 {
        let model = model(&mut random, 3);
        let again = Model::read(&model.write(), &ModelLimits::default()).unwrap();
        assert_eq!((again.id(), again.name(), again.write()), (model.id(), "drawn", model.write()));
        let graphs = |m: &Model| m.networks().iter().map(|n| n.graph().clone()).collect::<Vec<_>>();
        assert_eq!(graphs(&again), graphs(&model));
        assert_eq!(again.network("n1").unwrap().graph(), model.networks()[1].graph());
        assert!(again.network("n9").is_err());
        assert_eq!(again.section(*b"extr"), Some(&[1, 2, 3][..]));
    }
}

#[test]
fn every_truncation_and_every_single_byte_of_damage_is_noticed() {
    let bytes = model(&mut Random(6), 1).write();
    for n in 0..bytes.len() {
        assert!(Model::read(&bytes[..n], &ModelLimits::default()).is_err());
    }
    for n in 0..bytes.len().min(2000) {
        let mut damaged = bytes.clone();
        damaged[n] ^= 1 << (n % 8);
        assert!(Model::read(&damaged, &ModelLimits::default()).is_err(), "byte {n}");
    }
}

/// Damage under a digest that fits: an error of a type that says whose fault it is, or a network that runs.
#[test]
fn hostile_models_end_in_errors_or_values() {
    let mut random = Random(7);
    let mut limits = ModelLimits::default();
    (limits.multiplications_per_point, limits.points_per_point, limits.channels) = (1 << 16, 1 << 6, 1 << 6);
    let mut scratch = Scratch::with_limit(1 << 24);
    let (mut refused, mut ran) = (0, 0);
    for _ in 0..200 {
        let bytes = model(&mut random, 1).write();
        let content = &bytes[..bytes.len() - 32];
        for _ in 0..60 {
            let mut damaged = content.to_vec();
            for _ in 0..1 + random.below(3) {
                // Heads are where the sense is.
                let most = if random.below(2) == 0 { 80.min(damaged.len()) } else { damaged.len() };
                let at = random.below(most as u64) as usize;
                match random.below(4) {
                    0 => damaged[at] ^= 1 << random.below(8),
                    1 => damaged[at] = random.pick(&[0, 1, 127, 128, 255]),
                    2 => drop(damaged.remove(at)),
                    _ => damaged.insert(at, random.below(256) as u8),
                }
            }
            match Model::read(&sealed(&damaged), &limits) {
                Ok(model) => {
                    for network in model.networks() {
                        let input = random.values(network.graph().span, 30 * network.graph().channels);
                        ran += usize::from(network.run(&input, [1, 2, 3, 5], 0, &mut scratch).is_ok());
                    }
                }
                Err(Error::Corrupt { section, .. }) => {
                    assert!(section == "1" || section.starts_with("9."));
                    refused += 1;
                }
                Err(Error::Truncated { .. } | Error::Unsupported { .. } | Error::Limit { .. }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(ran > 500 && refused > 500, "{ran} ran, {refused} refused");
}

#[test]
fn what_is_unknown_is_ignored_or_refused_by_its_tag() {
    let head = |tag: &[u8]| [&b"\x89SCM\r\n\x1a\n\x01\x00\x00\x01"[..], tag, &[0]].concat();
    assert!(Model::read(&sealed(&head(b"some")), &ModelLimits::default()).is_ok());
    let read = |content: &[u8]| Model::read(&sealed(content), &ModelLimits::default()).unwrap_err();
    assert!(matches!(read(&head(b"Some")), Error::Unsupported { .. }));
    assert!(matches!(read(&head(b"so\0e")), Error::Corrupt { section: "9.1", .. }));
    let mut later = head(b"some");
    later[8] = 2;
    assert!(matches!(read(&later), Error::Unsupported { .. }));
    // A size that lies is noticed before anything is allocated for it.
    let lying = [&b"\x89SCM\r\n\x1a\n\x01\x00\x00\xff\xff\xff\xff\x7f"[..]].concat();
    assert!(matches!(read(&lying), Error::Truncated { .. }));
}

#[test]
fn a_builder_refuses_what_a_reader_would() {
    let graph = crate::graph(1, scicodec::network::Span { low: 1, high: 0 }, vec![]);
    assert!(matches!(ModelBuilder::new("").network(graph), Err(Error::InvalidArgument(_))));
    assert!(ModelBuilder::new("").section(*b"NEED", &[]).is_err());
    let mean = scicodec::network::Operation::Mean { source: 0 };
    let graph = crate::graph(1, scicodec::network::Span { low: 0, high: 1 }, vec![mean]);
    let twice = ModelBuilder::new("").network(graph.clone()).unwrap().network(graph).unwrap();
    assert!(matches!(twice.build(), Err(Error::InvalidArgument(_))));
}
