//! Training on the command line, a few steps of it: a folder of fields in, a model out that encodes.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;

const CONFIG: &str = "[network]\nwidth = 4\nblocks = 1\nhead = [8, 8]\n[training]\nwindows = 1\nwindow_points = 200\n\
                      crop_points = 1000\nencodings = 2\nvalidate_every = 2\nvalidation_encodings = 1\n\
                      validation_points = 500\ncoded_parts = 1\ncoded_points = 500\nheld_out = 0.5\ncheckpoint_seconds = 0.0\n";

fn place() -> Place {
    let place = Place::new();
    place.put("small.toml", CONFIG.as_bytes());
    std::fs::create_dir(place.path("data")).unwrap();
    place.put("data/one__wave.npy", &wave_npy(&[30, 40]));
    place.put("data/two__wave.npy", &wave_npy(&[9, 12, 14]));
    place.put("data/torn.npy", &wave_npy(&[30, 40])[..300]);
    place.put("data/tiny.npy", &wave_npy(&[3]));
    place
}

#[test]
fn a_few_steps_give_a_model_that_encodes() {
    let place = place();
    let (_, said) = place.ok("train data --out run --config small.toml --device flex --steps 3 -v");
    assert!(said.contains("left out: data/torn.npy") && said.contains("tiny"), "{said}");
    assert!(said.contains("files x"), "{said}");
    for file in ["network.scm", "network.bpk", "card.md", "curve.csv", "curve.svg", "validation.csv", "run.checkpoint"]
    {
        assert!(place.path("run").join(file).exists(), "{file}");
    }
    let shown = place.json("model show run/network.scm --json");
    assert!(shown["notes"]["data"].as_str().unwrap().contains("1 fields"), "{shown}");
    assert!(shown["card"].as_str().unwrap().contains("# Model"), "{shown}");
    place.ok("encode data/one__wave.npy -o a.scz -e rel=1e-2 --model run/network.scm --embed-model");
    place.ok("decode a.scz -o a.npy");
    // Another run does not take its place; more steps go on from it, to what one run of as many gives.
    assert!(place.fails(1, "train data --out run --device flex --steps 3 -q").contains("resume"));
    place.ok("train data --out half --config small.toml --device flex --steps 3 -q");
    assert_eq!(place.get("half/curve.csv"), place.get("run/curve.csv"));
    assert_eq!(place.get("half/network.bpk"), place.get("run/network.bpk"));
    place.ok("train data --out half --resume --device flex --steps 4 -q");
    // The lineage of a run that starts from another's weights.
    place.ok("train data --out next --config small.toml --start run/network.bpk --device flex --steps 1 -q");
    let next = place.json("model show next/network.scm --json");
    assert_eq!(next["lineage"][0], shown["id"]);
}

#[test]
fn what_cannot_be_trained_is_said() {
    let place = place();
    place.put("bad.toml", b"[network]\nwidht = 4\n");
    let error = place.fails(1, "train data --out run --config bad.toml --device flex --steps 1");
    assert!(error.contains("bad.toml") && error.contains("widht"), "{error}");
    assert!(place.fails(1, "train data --out run --device gpu --steps 1 -q").contains("gpu"));
    assert!(place.fails(1, "train data/torn.npy data/tiny.npy --out run --steps 1").contains("no field"));
    assert!(place.fails(1, "train absent --out run --steps 1").contains("absent"));
    place.put("data/flat.npy", &npy("<f4", false, &[20, 20], &[0; 1600]));
    let error = place.fails(1, "train data/flat.npy --out run --config small.toml --device flex --steps 1 -q");
    assert!(error.contains("constant"), "{error}");
    assert!(place.fails(1, "train data --out run --resume --device flex --steps 1 -q").contains("run.checkpoint"));
}
