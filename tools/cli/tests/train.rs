//! Training on the command line, a few steps of it: a folder of fields in, a model out that encodes.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;

const CONFIG: &str = "[network]\nwidth = 4\nblocks = 1\nhead = [8, 8]\n[training]\nwindows = 1\nwindow_points = 200\n\
                      crop_points = 1000\nencodings = 2\nvalidate_every = 5\nvalidation_encodings = 1\n\
                      validation_points = 500\ncoded_parts = 1\ncoded_points = 500\nheld_out = 0.5\ncheckpoint_seconds = 0.0\n";

/// A wave with noise on it, as a npy file: there is something to learn.
fn rough(shape: &[u64]) -> Vec<u8> {
    let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 16) as f32 / 65536.0;
    let values: Vec<f32> = wave(shape).iter().enumerate().map(|(i, v)| v + 0.2 * noise(i)).collect();
    npy("<f4", false, shape, &f32_bytes(&values))
}

fn place() -> Place {
    let place = Place::new();
    place.put("small.toml", CONFIG.as_bytes());
    std::fs::create_dir(place.path("data")).unwrap();
    place.put("data/one__wave.npy", &rough(&[30, 40]));
    place.put("data/two__wave.npy", &rough(&[9, 12, 14]));
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
    // Another run does not take its place.
    assert!(place.fails(1, "train data --out run --device flex --steps 3 -q").contains("resume"));
    // The lineage of a run that starts from another's weights.
    place.ok("train data --out next --config small.toml --start run/network.bpk --device flex --steps 1 -q");
    let next = place.json("model show next/network.scm --json");
    assert_eq!(next["lineage"][0], shown["id"]);
}

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_model() {
    let place = place();
    let words = "--config small.toml --device flex --steps 40 -q";
    place.ok(&format!("train data --out whole/run {words}"));
    let mut killed = std::process::Command::new(env!("CARGO_BIN_EXE_scicodec"))
        .current_dir(place.0.path())
        .args(format!("train data --out broken/run {words}").split(' '))
        .spawn()
        .unwrap();
    let checkpoint = place.path("broken/run/run.checkpoint");
    while !checkpoint.exists() && killed.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success(), "killed before its end");
    place.ok(&format!("train data --out broken/run {words} --resume"));
    // Not the float weights: their file names parameters at random.
    for file in ["network.scm", "curve.csv", "validation.csv"] {
        let [whole, broken] = ["whole", "broken"].map(|f| without_seconds(&place.get(&format!("{f}/run/{file}"))));
        assert!(whole == broken, "{file}");
    }
}

/// A table without its second column; other bytes as they are.
fn without_seconds(bytes: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let row = |line: &str| line.split(',').enumerate().filter(|(k, _)| *k != 1).map(|c| c.1.to_owned() + ",").collect();
    text.lines().map(row).collect::<Vec<String>>().join("\n").into_bytes()
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

#[test]
fn a_network_for_coefficients_is_added_to_a_model_and_stays_when_it_is_primed() {
    let place = place();
    let (_, said) = place.ok("train data --coefficients --out small --device flex --steps 2");
    assert!(said.contains("left out: data/torn.npy") && said.contains("chunks not learned from"), "{said}");
    let curve = String::from_utf8(place.get("small/curve.csv")).unwrap();
    assert!(curve.starts_with("step,training,validation\n2,"), "{curve}");
    let has = |model: &str| {
        let shown = place.json(&format!("model show {model} --json"));
        shown["networks"].as_array().unwrap().iter().any(|n| n["name"] == "coefficients")
    };
    assert!(has("small/weights.scm"));
    place.ok("model prime data/one__wave.npy data/two__wave.npy --from small/weights.scm -o primed.scm -q");
    assert!(has("primed.scm"));
    place.ok("encode data/one__wave.npy -o a.scz -e rel=1e-2 --model primed.scm --embed-model");
    place.ok("decode a.scz -o a.npy");
    // Another run does not take its place, and what only the other network has is refused.
    assert!(place.fails(1, "train data --coefficients --out small --steps 2 -q").contains("another folder"));
    place.fails(2, "train data --coefficients --out other --resume");
    place.fails(2, "train data --from default --out other");
}
