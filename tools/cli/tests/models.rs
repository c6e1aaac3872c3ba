//! Models on the command line: chosen, embedded, installed, shown, missing.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec::LoadedModel;
use scicodec::learned::builtin;
use scicodec::network::{ModelBuilder, Operation};

/// A folder with a field that networks help, a model of its own, and a place for installed models.
struct Models {
    place: Place,
    id: String,
}

impl Models {
    fn new() -> Models {
        let place = Place::new();
        place.put("a.npy", &npy("<f4", false, &[14, 22, 25], &f32_bytes(&fronts())));
        let other = other(1);
        place.put("other.scm", &other.model().write());
        Models { place, id: format!("{:#}", other.id()) }
    }

    /// `scicodec` with these words, its installed models in `models/`.
    fn run(&self, words: &str) -> std::process::Output {
        let mut command = self.place.command(words);
        command.env("SCICODEC_MODELS", self.place.path("models")).output().unwrap()
    }

    fn ok(&self, words: &str) -> String {
        let out = self.run(words);
        assert!(out.status.success(), "scicodec {words}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn json(&self, words: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(words)).unwrap()
    }

    fn fails(&self, status: i32, words: &str) -> String {
        let out = self.run(words);
        let error = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(status), "scicodec {words}: {error}");
        assert_eq!(error.lines().count(), 1, "scicodec {words}: {error}");
        error
    }
}

/// Waves with a front in them.
fn fronts() -> Vec<f32> {
    let wave = |z: f64, y: f64, x: f64| {
        let front = (0.9 * (x - 0.6 * y + 0.4 * z - 9.0 + 4.0 * (0.21 * y).sin())).tanh();
        (0.19 * x + 0.11 * y).sin() + 0.7 * (0.23 * y - 0.13 * z).cos() + front * (1.0 + 0.3 * (0.31 * x).cos())
    };
    (0..14 * 22 * 25).map(|i| wave((i / 550) as f64, (i / 25 % 22) as f64, (i % 25) as f64) as f32).collect()
}

/// The default model with another bias at its end: another model, which helps as well.
fn other(by: i32) -> LoadedModel {
    let mut builder = ModelBuilder::new("another").notes(&[("data", "none".into())]).unwrap();
    for network in builtin(1).unwrap().model().networks() {
        let mut graph = network.graph().clone();
        if let Some(Operation::Convolution(last)) = graph.operations.last_mut() {
            last.bias[0] += by;
        }
        builder = builder.network(graph).unwrap();
    }
    let builder = builder.lineage(&[builtin(1).unwrap().id()]).unwrap();
    LoadedModel::new(builder.build().unwrap()).unwrap()
}

#[test]
fn a_file_with_its_model_inside_decodes_on_a_machine_without_it() {
    let m = Models::new();
    m.ok("encode a.npy -o a.scz -e rel=1e-2 --model other.scm --embed-model");
    let info = m.json("info a.scz --json");
    assert_eq!(info["variables"][0]["bases"]["learned"], 1);
    let model = &info["models"][0];
    assert_eq!((model["id"].as_str(), model["embedded"].as_bool()), (Some(m.id.as_str()), Some(true)));
    assert_eq!(model["bytes"].as_u64(), Some(m.place.get("other.scm").len() as u64));
    let text = m.ok("info a.scz");
    assert!(text.contains(&m.id) && text.contains("in the file"), "{text}");
    m.ok("decode a.scz -o back.npy");
    m.ok("test a.scz");
    // Appending keeps it, and does not put it in again.
    let before = m.place.get("a.scz").len();
    m.ok("encode a.npy -o a.scz -e rel=1e-2 --model other.scm --embed-model --append");
    assert!(m.place.get("a.scz").len() < 2 * before - m.place.get("other.scm").len() / 2);
    m.ok("decode a.scz --region 14: -o more.npy");
    assert_eq!(m.json("info a.scz --json")["models"].as_array().unwrap().len(), 1);
}

#[test]
fn a_missing_or_wrong_model_is_named_with_what_to_do() {
    let m = Models::new();
    m.ok("encode a.npy -o a.scz -e rel=1e-2 --model other.scm");
    let info = m.json("info a.scz --json");
    assert_eq!(info["models"][0]["at_hand"], false);
    for verb in ["decode a.scz -o b.npy", "test a.scz"] {
        let error = m.fails(1, verb);
        assert!(error.contains(&m.id) && error.contains("scicodec model import FILE"), "{error}");
        assert!(error.contains("--embed-model"), "{error}");
    }
    let wrong = other(2);
    m.place.put("wrong.scm", &wrong.model().write());
    let error = m.fails(1, "decode a.scz -o b.npy --model wrong.scm");
    assert!(error.contains(&m.id) && error.contains(&format!("{:#}", wrong.id())), "{error}");
    assert!(!m.place.path("b.npy").exists());
    m.ok("decode a.scz -o b.npy --model other.scm");
    m.ok("test a.scz --model other.scm");
    m.ok("model import other.scm");
    m.ok("decode a.scz -o c.npy");
    assert_eq!(m.place.get("b.npy"), m.place.get("c.npy"));
    assert_eq!(m.json("info a.scz --json")["models"][0]["at_hand"], true);
}

#[test]
fn models_are_listed_shown_exported_and_imported() {
    let m = Models::new();
    let list = m.json("model list --json");
    assert_eq!(list["models"][0]["where"], "shipped");
    assert_eq!(list["models"].as_array().unwrap().len(), builtin_count());
    m.ok("model import other.scm");
    let list = m.json("model list --json");
    let last = list["models"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["id"].as_str(), last["where"].as_str()), (Some(m.id.as_str()), Some("installed")));
    assert!(last["layers"].as_u64() > Some(5) && last["parameters"].as_u64() > Some(1000), "{last}");
    assert_eq!(last["lineage"][0], format!("{:#}", builtin(1).unwrap().id()));
    assert_eq!(last["notes"]["data"], "none");
    let table = m.ok("model list");
    assert!(table.contains(&m.id[..16]) && table.contains("(default)"), "{table}");
    let digits = &m.id[..8];
    let shown = m.ok(&format!("model show {digits}"));
    assert!(shown.contains(&m.id) && shown.contains("another") && shown.contains("went on from"), "{shown}");
    assert_eq!(m.json(&format!("model show {digits} --json"))["id"], m.id);
    let card = m.ok("model show default");
    assert!(card.to_lowercase().contains("licence"), "{card}");
    m.ok(&format!("model export {digits} -o again.scm"));
    assert_eq!(m.place.get("again.scm"), m.place.get("other.scm"));
    m.fails(1, &format!("model export {digits} -o again.scm"));
    m.ok(&format!("model export {digits} -o again.scm -f"));
    // By digits of its digest, the model encodes and decodes; the default one by its file is still the default one.
    m.ok(&format!("encode a.npy -o a.scz -e rel=1e-2 --model {digits}"));
    assert_eq!(m.json("info a.scz --json")["models"][0]["id"], m.id);
    m.ok("model export default -o default.scm");
    m.ok("encode a.npy -o b.scz -e rel=1e-2 --model default.scm");
    m.ok("encode a.npy -o c.scz -e rel=1e-2");
    assert_eq!(m.place.get("b.scz"), m.place.get("c.scz"));
}

fn builtin_count() -> usize {
    scicodec::learned::shipped().count()
}

#[test]
fn words_that_name_no_model_are_refused() {
    let m = Models::new();
    m.place.put("not.scm", b"something else");
    let whole = m.place.get("other.scm");
    m.place.put("short.scm", &whole[..whole.len() - 1]);
    for (word, what) in [
        ("not.scm", "not.scm: "),
        ("short.scm", "short.scm: "),
        ("absent.scm", "absent.scm"),
        ("abcdef12", "abcdef12"),
        ("ab", "ab"),
        ("a.npy", "a.npy: "),
    ] {
        for words in ["encode a.npy -o x.scz -e rel=1e-2 --model", "model show", "model import"] {
            let error = m.fails(1, &format!("{words} {word}"));
            assert!(error.contains(what), "{words} {word}: {error}");
        }
    }
    m.fails(2, "encode a.npy -o x.scz -e rel=1e-2 --model none --embed-model");
    assert_eq!(m.run("model").status.code(), Some(2));
    assert!(!m.place.path("x.scz").exists());
    // An installed file that is damaged is said to be, and hinders nothing else.
    m.ok("model import other.scm");
    let installed = m.place.path("models").join(format!("{}.scm", m.id));
    std::fs::write(&installed, &whole[..100]).unwrap();
    assert!(m.ok("model list").contains("not to be used"));
    m.fails(1, &format!("model show {}", &m.id[..12]));
    m.ok("model show default");
}
