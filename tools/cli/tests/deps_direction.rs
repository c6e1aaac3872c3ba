//! Imports go one way: format ← codec ← models ← tools ← benches.
#![allow(clippy::unwrap_used, clippy::panic)]
use serde_json::Value;
use std::process::Command;

/// How far from the bytes a package is: it may depend on packages that are nearer.
fn layer(name: &str) -> Option<usize> {
    let order: [&[&str]; 10] = [
        &["scicodec-format"],
        &["scicodec"],
        &["scicodec-models", "scicodec-priors"],
        &["scicodec-io"],
        &["scicodec-report"],
        &["scicodec-simulate"],
        &["scicodec-h5z", "scicodec-capi"],
        &["scicodec-cli"],
        &["scicodec-python"],
        &["scicodec-bench"],
    ];
    order.iter().position(|names| names.contains(&name))
}

#[test]
fn deps_direction() {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() >= 10);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let from = layer(name).unwrap_or_else(|| panic!("{name} has no place in the order of packages"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            if let Some(to_layer) = layer(to) {
                // A package may test itself with what stands above it; the library itself may not.
                let only_tests = dependency["kind"] == "dev";
                assert!(to_layer < from || only_tests, "{name} depends on {to}");
            }
            let network = ["burn", "tch", "candle-core"].contains(&to);
            assert!(!network || name == "scicodec-models", "{name} depends on {to}: decoding must not need it");
        }
    }
}
