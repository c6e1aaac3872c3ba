//! Tuning to a domain: what is gained is kept, what is broken off goes on, and files decode wherever the program is.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;

/// Steps of a slope with rough noise on it: no two alike, all of one kind, and unlike most fields.
fn series(steps: u64, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let value = |i: u64| (i % 40) as f32 * 0.02 + if noise() < 0.02 { 1.0 } else { 0.1 * noise() };
    let values: Vec<f32> = (0..steps * 40 * 40).map(value).collect();
    npy("<f4", false, &[steps, 40, 40], &f32_bytes(&values))
}

fn place() -> Place {
    let place = Place::new();
    place.put("run.npy", &series(12, 1));
    place.put("later.npy", &series(3, 99));
    place
}

const WORDS: &str = "-e rel=1e-2 -e nrmse=1e-1 --series 100GB --steps 6";

#[test]
fn a_tuned_model_makes_later_fields_smaller_and_travels_in_their_files() {
    let place = place();
    let (said, _) = place.ok(&format!("finetune run.npy -o own.scm {WORDS}"));
    assert!(said.contains("rel=0.01") && said.contains("pays after") && said.contains("own.scm"), "{said}");
    assert!(!place.path("own.scm.journal").exists());
    let own = place.get("own.scm").len();
    assert!(own < 20_000, "{own} bytes");
    let shown = place.json("model show own.scm --json");
    let default = place.json("model show default --json");
    assert_eq!(shown["parents"][0], default["id"]);
    assert!(place.ok("model show own.scm").0.contains("stands on"));
    place.ok("encode later.npy -o before.scz -e rel=1e-2");
    place.ok("encode later.npy -o after.scz -e rel=1e-2 --model own.scm --embed-model");
    let [before, after] = ["before.scz", "after.scz"].map(|f| place.get(f).len());
    assert!(after - own < before, "{after} bytes, {own} of them the model's; {before} without it");
    // The same bits with any kernel and any number of threads, where nothing but the program is.
    std::fs::remove_file(place.path("own.scm")).unwrap();
    let mut seen = Vec::new();
    for (kernel, threads) in [("scalar", 1), ("scalar", 3), ("avx2", 1), ("avx512", 2), ("", 2)] {
        let mut command = place.command(&format!("decode after.scz -o out.npy -f -q -T {threads}"));
        command.env("SCICODEC_MODELS", place.path("none"));
        if !kernel.is_empty() {
            command.env("SCICODEC_KERNEL", kernel);
        }
        let out = command.output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() || error.contains("cannot run it"), "{kernel}: {error}");
        if out.status.success() {
            seen.push(place.get("out.npy"));
        }
    }
    assert!(seen.len() >= 3 && seen.iter().all(|s| *s == seen[0]));
    place.ok("test after.scz");
}

#[test]
fn what_a_series_has_in_common_is_a_background() {
    let place = Place::new();
    // Mountains under waves that move.
    let rough = |i: u64| ((i * 2_654_435_761) >> 9 & 255) as f32 / 16.0;
    let value = |t: u64, i: u64| {
        rough(i / 40 / 2 * 20 + i % 40 / 2) + ((i / 40 + t) as f32 / 5.0).sin() * (i % 40) as f32 / 20.0
    };
    let steps = |from: u64, n: u64| {
        let values: Vec<f32> = (from..from + n).flat_map(|t| (0..1600).map(move |i| value(t, i))).collect();
        npy("<f4", false, &[n, 40, 40], &f32_bytes(&values))
    };
    place.put("run.npy", &steps(0, 12));
    place.put("later.npy", &steps(40, 3));
    place.ok(&format!("finetune run.npy -o own.scm {WORDS}"));
    let shown = place.json("model show own.scm --json");
    assert_eq!(shown["backgrounds"][0], serde_json::json!([40, 40]));
    assert!(place.ok("model show own.scm").0.contains("background   40 x 40"));
    place.ok("encode later.npy -o before.scz -e rel=1e-2");
    place.ok("encode later.npy -o after.scz -e rel=1e-2 --model own.scm --embed-model");
    let [before, after] = ["before.scz", "after.scz"].map(|f| place.get(f).len());
    let own = place.get("own.scm").len();
    assert!(2 * (after - own) < before, "{after} bytes, {own} of them the model's; {before} without it");
    let bases = &place.json("info after.scz --json")["variables"][0]["bases"];
    assert!(bases.as_object().unwrap().keys().all(|base| base.starts_with("background-")), "{bases}");
    let worst = place.json("compare later.npy after.scz --json")["variables"][0]["max_abs"].as_f64();
    assert!(worst.is_some_and(|worst| worst <= 0.01 * 18.0), "{worst:?}");
}

/// Bytes of a journal that holds some of what is learned, and not all.
const LEARNING: u64 = 10_000;

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_model() {
    let place = place();
    std::fs::create_dir_all(place.path("whole")).unwrap();
    place.ok(&format!("finetune run.npy -o whole/own.scm {WORDS} -q"));
    let words = format!("finetune run.npy -o broken/own.scm {WORDS} -q");
    std::fs::create_dir_all(place.path("broken")).unwrap();
    let mut killed = std::process::Command::new(env!("CARGO_BIN_EXE_scicodec"))
        .current_dir(place.0.path())
        .args(words.split(' '))
        .spawn()
        .unwrap();
    let journal = place.path("broken/own.scm.journal");
    let size = || std::fs::metadata(&journal).map_or(0, |m| m.len());
    while size() < LEARNING && killed.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success(), "killed before its end");
    assert!(place.fails(1, &words).contains("--resume"), "not begun anew by mistake");
    let other = words.replace("--steps 6", "--steps 5");
    assert!(place.fails(1, &format!("{other} --resume")).contains("other fields or options"));
    place.ok(&format!("{words} --resume"));
    assert!(place.get("whole/own.scm") == place.get("broken/own.scm"));
    assert!(!journal.exists());
}

#[test]
fn where_nothing_is_gained_nothing_is_written() {
    let place = place();
    place.put("flat.npy", &npy("<f4", false, &[4, 20, 20], &f32_bytes(&[2.5; 1600])));
    assert!(place.fails(1, "finetune flat.npy -o own.scm --steps 2 -q").contains("alike"));
    // For a few bytes of data no model pays.
    let (said, _) = place.ok("finetune run.npy -o own.scm -e rel=1e-2 --steps 2 --series 1kB");
    assert!(said.contains("nothing was gained") && said.contains("nothing is written"), "{said}");
    assert_eq!(place.names().iter().filter(|n| n.starts_with("own")).count(), 0);
}

#[test]
fn what_cannot_be_tuned_to_is_said() {
    let place = place();
    place.put("torn.npy", &series(2, 5)[..300]);
    place.put("one.npy", &series(1, 5));
    let (_, said) = place.ok("finetune torn.npy run.npy -o own.scm -e rel=1e-2 --series 100GB --steps 2");
    assert!(said.contains("left out: torn.npy"), "{said}");
    // Whether that run gained anything or not.
    place.put("own.scm", b"a model of before");
    assert!(place.fails(1, "finetune run.npy -o own.scm --steps 1").contains("already exists"));
    assert!(place.fails(1, "finetune torn.npy -o x.scm --steps 1").contains("no field to tune to"));
    assert!(place.fails(1, "finetune one.npy -o x.scm --steps 1").contains("too little to learn from"));
    assert!(place.fails(1, "finetune absent.npy -o x.scm --steps 1").contains("absent"));
    assert!(place.fails(1, "finetune run.npy -o x.scm --device cuda:0").contains("cuda:0"));
    assert!(place.fails(1, "finetune run.npy -o x.scm -e lossless --steps 1").contains("allow some error"));
    assert!(place.fails(1, "finetune run.npy -o x.scm --from abcdef12").contains("abcdef12"));
    place.fails(2, "finetune run.npy -o x.scm --series 5furlongs");
    place.fails(2, "finetune run.npy -o x.scm --holdout 1.5");
    place.fails(1, "finetune run.npy -o x.scm --resume --steps 1");
    assert_eq!(place.names().iter().filter(|n| n.starts_with("x.scm")).count(), 0);
}

#[test]
fn datasets_are_tuned_to_as_they_are_encoded() {
    let place = place();
    place.ok("encode run.npy -o run.scz -e abs=1e-4 --var T");
    for file in ["run.nc", "run.zarr"] {
        let made = place.command(&format!("decode run.scz -o {file}")).output().unwrap();
        if !made.status.success() {
            continue;
        }
        place.ok(&format!("finetune {file} -o {file}.scm --var T -e rel=1e-2 --series 100GB --steps 2 -q"));
    }
}
