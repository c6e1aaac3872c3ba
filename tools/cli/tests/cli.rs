//! The command line's own manners: exit status, errors, JSON, help.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use serde_json::Value;

#[test]
fn usage_errors_exit_2() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9]));
    for words in [
        "encode a.npy",
        "encode --error-bound abs=1",
        "encode a.npy --error-bound",
        "encode a.npy --error-bound abs",
        "encode a.npy --error-bound abs=x",
        "encode a.npy --error-bound max=1",
        "encode a.npy --error-bound lossless=1",
        "encode a.npy --error-bound abs=1 --effort most",
        "encode a.npy --error-bound abs=1 --chunk 4,x",
        "encode a.npy --error-bound abs=1 -T many",
        "encode a.npy --error-bound abs=1 --raw f32",
        "encode a.npy --error-bound abs=1 --raw f32le",
        "encode a.npy --error-bound abs=1 --shape 8,9",
        "encode a.npy --error-bound abs=1 --append --force",
        "encode a.npy --error-bound abs=1 --var a --var b",
        "encode a.npy --error-bound abs=1 -o -",
        "encode - --error-bound abs=1",
        "encode a.npy --error-bound abs=1 -q -v",
        "decode",
        "decode a.scz -c -o b.npy",
        "decode a.scz -c --json",
        "recover a.scz",
        "compare a.npy",
        "frobnicate",
        "--frobnicate",
        "completions tcsh",
    ] {
        place.fails(2, words);
    }
    assert_eq!(place.names(), ["a.npy"]);
    let out = place.command("").output().unwrap();
    assert_eq!(out.status.code(), Some(2));
}

#[test]
fn bounds_without_sense_are_refused() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9]));
    for kind in ["abs", "rel", "pw_rel", "psnr", "nrmse", "l2"] {
        for value in ["nan", "-1", "-0.001", "0", "-0", "inf", "-inf", "1e400"] {
            let error = place.fails(1, &format!("encode a.npy --error-bound {kind}={value}"));
            if value == "0" {
                assert!(error.contains("lossless"), "{error}");
            }
        }
    }
    assert_eq!(place.names(), ["a.npy"]);
}

#[test]
fn bad_inputs_are_named() {
    let place = Place::new();
    let whole = wave_npy(&[8, 9]);
    place.put("short.npy", &whole[..200]);
    place.put("header.npy", &whole[..20]);
    place.put("long.npy", &[&whole[..], b"x"].concat());
    place.put("not.npy", b"PK\x03\x04 a zip file");
    place.put("complex.npy", &npy("<c8", false, &[2], &[0; 16]));
    place.put("object.npy", &npy("|O", false, &[2], &[0; 16]));
    place.put("raw.bin", &[0; 24]);
    place.put("empty.npy", b"");
    for (words, what) in [
        ("short.npy", "short.npy: truncated"),
        ("header.npy", "header.npy: truncated"),
        ("long.npy", "goes on after the array"),
        ("not.npy", "not a npy file"),
        ("empty.npy", "not a npy file"),
        ("complex.npy", "<c8"),
        ("object.npy", "|O"),
        ("raw.bin", "--raw"),
        ("absent.npy", "absent.npy: "),
        ("raw.bin --raw f32le --shape 2,4", "[2, 4]"),
        ("raw.bin --raw f32le --shape 2,2", "24"),
        ("raw.bin --raw f32le --shape 1,1,1,1,1,1,6", "rank"),
        ("raw.bin --raw f32le --shape 2,3 --fill five", "--fill"),
        ("raw.bin --raw i16le --shape 12 --fill 70000", "--fill"),
    ] {
        let error = place.fails(1, &format!("encode {words} --error-bound abs=1 -o x.scz"));
        assert!(error.contains(what), "{words}: {error}");
    }
    assert!(!place.path("x.scz").exists());
    for verb in ["info", "test", "decode"] {
        for file in ["raw.bin", "empty.npy", "absent.scz", "short.npy"] {
            assert!(place.fails(1, &format!("{verb} {file}")).contains(file));
        }
    }
    place.put("good.npy", &whole);
    assert!(place.fails(1, "compare good.npy complex.npy").contains("complex.npy"));
    place.put("other.npy", &wave_npy(&[9, 8]));
    place.fails(1, "compare good.npy other.npy");
}

#[test]
fn truncated_and_altered_files_are_refused() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9]));
    place.ok("encode a.npy --error-bound abs=0.01");
    let whole = place.get("a.scz");
    for n in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        place.put("b.scz", &whole[..n]);
        place.fails(1, "decode b.scz -o b.npy");
    }
    assert!(!place.path("b.npy").exists());
}

#[test]
fn info_json_schema() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9, 10]));
    place.ok("encode a.npy --error-bound rel=1e-3 --chunk 4,9,10 --units K");
    let info = place.json("info a.scz --json");
    let v = &info["variables"][0];
    assert_eq!(v["name"], "a");
    assert_eq!(v["shape"], serde_json::json!([8, 9, 10]));
    assert_eq!(v["dtype"], "float32");
    assert_eq!(v["error_bound"], serde_json::json!({"kind": "rel", "value": 1e-3}));
    assert_eq!(v["raw_bytes"], 8 * 9 * 10 * 4);
    assert_eq!(v["chunk_shape"], serde_json::json!([4, 9, 10]));
    assert_eq!(v["chunks"], 2);
    assert_eq!(v["units"], "K");
    let compressed = v["compressed_bytes"].as_u64().unwrap();
    assert!(compressed > 0 && compressed < info["file_bytes"].as_u64().unwrap());
    let ratio = v["ratio"].as_f64().unwrap();
    assert!((ratio - 2880.0 / compressed as f64).abs() < 1e-9);
    assert!(v["achieved_max_error"].as_f64().unwrap() > 0.0);
    let bases = v["bases"].as_object().unwrap();
    assert_eq!(bases.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), 2);
    assert_eq!(info["file_bytes"].as_u64().unwrap(), place.get("a.scz").len() as u64);
    assert!(info["format_version"].is_number());
    place.ok("encode a.npy -o b.scz --error-bound lossless");
    let b = place.json("info b.scz --json");
    assert_eq!(b["variables"][0]["error_bound"], serde_json::json!({"kind": "lossless", "value": Value::Null}));
    assert_eq!(b["variables"][0]["achieved_max_error"], 0.0);
}

#[test]
fn other_json() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9]));
    let encoded = place.json("encode a.npy --error-bound abs=0.01 --json -q");
    assert_eq!(encoded["output"], "a.scz");
    assert_eq!(encoded["variables"][0]["name"], "a");
    assert!(encoded["variables"][0]["achieved_max_error"].as_f64().unwrap() <= 0.01);
    assert!(encoded["variables"][0]["ratio"].is_number());
    assert!(encoded["file_bytes"].is_number());
    let decoded = place.json("decode a.scz -o b.npy --json");
    assert_eq!(decoded["shape"], serde_json::json!([8, 9]));
    let compared = place.json("compare a.npy b.npy --json");
    for key in ["max_abs", "max_rel", "rmse", "nrmse", "psnr", "ssim", "l2"] {
        assert!(compared["variables"][0][key].is_number(), "{key}: {compared}");
    }
}

#[test]
fn summary_says_what_was_gained_and_lost() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[30, 40]));
    let (out, err) = place.ok("encode a.npy --error-bound abs=0.01");
    assert_eq!(out, "");
    assert_eq!(err.lines().count(), 1, "{err}");
    for word in ["times smaller", "bits per value", "max error", "0.01", "PSNR", "MB/s", "a.scz"] {
        assert!(err.contains(word), "{word}: {err}");
    }
    let (out, err) = place.ok("encode a.npy --error-bound abs=0.01 -q -f");
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
    assert_eq!(place.ok("test a.scz -q").1, "");
    assert_eq!(place.ok("decode a.scz -o b.npy").1.lines().count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn no_bytes_to_a_terminal() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[30, 40]));
    place.ok("encode a.npy --error-bound abs=0.01");
    // `script` of util-linux gives the program a terminal, where the system has any to give.
    let on_terminal = |command: &str| {
        std::process::Command::new("script").args(["-qec", command, "/dev/null"]).current_dir(place.0.path()).output()
    };
    if !on_terminal("true").is_ok_and(|out| out.status.success()) {
        println!("SKIPPED: there is no terminal to be had");
        return;
    }
    let out = on_terminal(&format!("'{}' decode a.scz -c", env!("CARGO_BIN_EXE_scicodec"))).expect("script runs");
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(text.contains("terminal"), "{text}");
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn help_completions_and_manual() {
    let place = Place::new();
    let help = place.ok("--help").0;
    assert!(help.contains("slowest axis first") && help.contains("SZ3"), "{help}");
    assert!(place.ok("encode --help").0.contains("slowest axis first"));
    assert!(place.ok("--version").0.starts_with("scicodec "));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.ok(&format!("completions {shell}")).0;
        assert!(script.contains("error-bound") && script.contains("recover"), "{shell}");
    }
    assert!(place.ok("man").0.contains(".TH scicodec 1"));
    place.ok("man pages");
    let page = std::fs::read_to_string(place.path("pages/scicodec-encode.1")).unwrap();
    assert!(page.contains("error\\-bound"));
    assert!(place.path("pages/scicodec.1").exists());
}

#[test]
fn parameters_of_the_hdf5_filter() {
    let place = Place::new();
    let (said, _) = place.ok("h5 cd-values --error-bound abs=0.5");
    // 0.5 is 3fe00000 00000000.
    assert!(said.contains("-f DATASET:UD=42434,0,4,1,1,0,1071644672\n"), "{said}");
    assert!(said.contains("-F VARIABLE,42434,1,1,0,1071644672\n"), "{said}");
    assert!(said.contains("compression=42434, compression_opts=(1, 1, 0, 1071644672)\n"), "{said}");
    let words = "h5 cd-values -e chunk_rel=0.5 --effort fast --no-model --for nccopy";
    assert_eq!(place.ok(words).0, "42434,1,65794,0,1071644672\n");
    assert_eq!(
        place.ok("h5 cd-values -e abs=0.5 --fill -2 --for h5repack").0,
        "UD=42434,0,6,1,16777217,0,1071644672,0,3221225472\n"
    );
    assert_eq!(place.json("h5 cd-values -e lossless --json")["cd_values"], serde_json::json!([1, 0, 0, 0]));
    for (bound, words) in [
        ("rel=1e-3", "ask for chunk_rel=0.001"),
        ("psnr=60", "ask for chunk_psnr=60"),
        ("chunk_abs=1", "abs=1 holds for every value"),
        ("abs=0", "positive"),
        ("abs=nan", "positive"),
        ("chunk_rel=x", "not a number"),
        ("best=1", "expected abs=E"),
    ] {
        let error = place.fails(2, &format!("h5 cd-values --error-bound {bound}"));
        assert!(error.contains(words), "{error}");
    }
}
