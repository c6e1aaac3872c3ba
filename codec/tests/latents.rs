//! Latents: sent where they help, decoded to what the encoder saw, and refused where they cannot be.
#![allow(clippy::unwrap_used, clippy::panic)]
#[path = "common/latent_model.rs"]
mod latent_model;
#[path = "common/waves.rs"]
mod waves;
use latent_model::spoiled::model_of;
use latent_model::{graphs, latent_model, tables};
use scicodec::learned::{DEFAULT, LATENT_NETWORKS, Latents, builtin};
use scicodec::network::{Model, ModelLimits, Operation};
use scicodec::*;
use waves::waves;

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_ne_bytes()).collect()
}

fn file(shape: [usize; 3], bound: ErrorBound, values: &[f32]) -> Reader {
    let mut options = EncodeOptions::new(bound);
    (options.model, options.embed_model, options.threads) = (ModelChoice::Given(latent_model().unwrap()), true, 1);
    let (data, shape) = (bytes_of(values), shape.map(|n| n as u64));
    let source = SliceSource::new(DType::F32, &shape, &data).unwrap();
    Reader::from_bytes(encode_to_vec(&VariableMeta::default(), &source, &options).unwrap()).unwrap()
}

fn with_latents(reader: &Reader) -> bool {
    reader.variables()[0].chunks.iter().any(|c| base_name(c.base) == "learned-latents")
}

#[test]
fn latents_are_sent_where_they_help_and_the_bound_holds() {
    let mut sent = 0;
    for shape in [[1, 57, 64], [14, 22, 25], [1, 1, 900], [5, 40, 33]] {
        let mut values = waves(shape);
        for masked in [false, true] {
            if masked {
                values.iter_mut().step_by(17).for_each(|v| *v = f32::NAN);
            }
            for e in [0.3, 0.03, 1e-3] {
                let reader = file(shape, ErrorBound { kind: BoundKind::Abs, value: e }, &values);
                sent += usize::from(with_latents(&reader));
                let out = reader.decode(0, 1).unwrap();
                for (x, y) in values.iter().zip(out.as_chunks::<4>().0) {
                    let y = f32::from_ne_bytes(*y);
                    assert!((f64::from(*x) - f64::from(y)).abs() <= e || x.is_nan() && y.is_nan(), "{shape:?} {e}");
                }
            }
        }
    }
    assert!(sent > 5, "the model's networks without latents are spoiled: {sent}");
}

/// A chunk with latents, and what it is of.
fn chunk() -> (EncodedChunk, [usize; 3]) {
    let shape = [14, 22, 25];
    let data = bytes_of(&waves(shape));
    let model = ModelChoice::Given(latent_model().unwrap());
    let (dtype, bound, effort) = (DType::F32, ChunkBound::Abs(0.03), Effort::Default);
    let chunk =
        encode_chunk(&ChunkRequest { dtype, shape: &shape, data: &data, bound, fill: None, effort, model }).unwrap();
    assert_eq!(base_name(chunk.base), "learned-latents");
    assert_eq!(chunk.model, Some(latent_model().unwrap().id()));
    (chunk, shape)
}

#[test]
fn gains_and_models_that_are_not_there_are_refused() {
    let (chunk, shape) = chunk();
    // Flags, step (3), order, kind, fitted, levels, model, gain.
    let (model, gain) = (8, 9);
    assert!(decode_chunk_with(DType::F32, &shape, chunk.base, &chunk.body, Some(&latent_model().unwrap())).is_ok());
    for bad in [3, 255] {
        let mut body = chunk.body.clone();
        body[gain] = bad;
        let error =
            decode_chunk_with(DType::F32, &shape, chunk.base, &body, Some(&latent_model().unwrap())).unwrap_err();
        assert!(matches!(&error, Error::Corrupt { section: "8.11", .. }), "{error}");
    }
    let mut body = chunk.body.clone();
    body[model] = DEFAULT;
    let error = decode_chunk(DType::F32, &shape, chunk.base, &body).unwrap_err();
    assert!(matches!(&error, Error::Corrupt { section: "8.11", .. }), "{error}");
    for cut in (0..chunk.body.len()).step_by(97).chain(0..24) {
        // Streams end in zeros: what is cut off either was in the head, or decodes to something.
        let _ = decode_chunk_with(DType::F32, &shape, chunk.base, &chunk.body[..cut], Some(&latent_model().unwrap()));
    }
}

#[test]
fn tables_that_lie_are_refused() {
    let good = tables();
    assert!(model_of(&good, graphs().unwrap()).is_ok());
    let section = good.write();
    assert_eq!(learned::LatentTables::read(&section).unwrap(), good);
    for cut in 0..section.len() {
        assert!(matches!(learned::LatentTables::read(&section[..cut]), Err(Error::Corrupt { .. })), "{cut}");
    }
    for (at, bad) in [(0, 0), (0, 33), (1, 33), (2, 0), (2, 3), (3, 0), (3, 65), (4, 17), (5, 0), (5, 65)] {
        let mut lie = section.clone();
        lie[at] = bad;
        assert!(matches!(learned::LatentTables::read(&lie), Err(Error::Corrupt { .. })), "{at} {bad}");
    }
    let mut lies = vec![good.clone(); 5];
    lies[0].worth[1] = 0;
    lies[1].scales[0][0] = 40000;
    lies[2].scales[1][9] = 30001;
    lies[3].priors[0][14] = 0;
    lies[4].priors[1][3] = lies[4].priors[1][2];
    for lie in lies {
        assert!(lie.check().is_err());
        assert!(matches!(learned::LatentTables::read(&lie.write()), Err(Error::Corrupt { .. })));
    }
}

/// Under a digest that fits, a section twice.
#[test]
fn two_sections_are_refused() {
    let bytes = latent_model().unwrap().model().write();
    let section = tables().write();
    let at = bytes.windows(section.len()).position(|w| w == section).unwrap();
    let start = at - 4 - 2;
    assert_eq!(&bytes[start..start + 4], b"LATE");
    let mut content = bytes[..bytes.len() - 32].to_vec();
    content.extend_from_slice(&bytes[start..at + section.len()]);
    let name = usize::from(content[10]);
    content[11 + name] += 1;
    content.extend(blake3::hash(&content).as_bytes().to_vec());
    let find = |_| Ok(builtin(2).unwrap().model().clone());
    let error = Model::read_on(&content, &ModelLimits::default(), &find).unwrap_err();
    assert!(matches!(error, Error::Corrupt { section: "9.1", .. }), "{error}");
}

#[test]
fn networks_that_do_not_fit_are_refused() {
    let refused = |graphs| {
        let model = model_of(&tables(), graphs).unwrap();
        matches!(Latents::new(&model), Err(Error::Unsupported { .. }))
    };
    assert!(!refused(graphs().unwrap()));
    for k in 2..LATENT_NETWORKS.len() {
        let mut missing = graphs().unwrap();
        missing.remove(k);
        assert!(refused(missing), "{}", LATENT_NETWORKS[k]);
        let mut narrow = graphs().unwrap();
        narrow[k].span.low = -1000;
        assert!(refused(narrow) || k > 4, "{}", LATENT_NETWORKS[k]);
        let mut more = graphs().unwrap();
        more[k].conditions += 1;
        more[k].operations.iter_mut().for_each(|o| {
            if let Operation::Convolution(c) | Operation::Depthwise(c) = o
                && c.bias.len() > c.channels
            {
                c.bias.extend(vec![0; c.channels]);
            }
        });
        assert!(refused(more) || k > 5, "{}", LATENT_NETWORKS[k]);
        if k < 5 {
            let mut shrinking = graphs().unwrap();
            let Some(Operation::Convolution(c)) = shrinking[k].operations.first_mut() else { panic!() };
            c.window.stride[2] = 2;
            assert!(refused(shrinking), "{}", LATENT_NETWORKS[k]);
        }
    }
    // Without the networks that make latents they are read, and none are made.
    let mut reading = graphs().unwrap();
    reading.drain(..2);
    let latents = Latents::new(&model_of(&tables(), reading).unwrap()).unwrap().unwrap();
    assert_eq!(latents.gain(1.0, 0.1), None);
}
