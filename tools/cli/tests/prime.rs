//! States fitted to a user's own fields: made, used, and gone when the model is.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;

/// Noise with a slope, one field for each seed: no two alike, all of one kind.
fn field(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let values: Vec<f32> = (0..48 * 48).map(|i| (i % 48) as f32 * 0.1 + noise() * noise()).collect();
    npy("<f4", false, &[48, 48], &f32_bytes(&values))
}

#[test]
fn states_fitted_to_like_fields_make_files_smaller() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    std::fs::create_dir(place.path("empty")).unwrap();
    for seed in 1..6 {
        place.put(&format!("data/{seed}.npy"), &field(seed));
    }
    place.put("new.npy", &field(77));
    let run = |words: &str| {
        let out = place.command(words).output().unwrap();
        assert!(out.status.success(), "scicodec {words}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    run("model prime data --from default -o own.scm");
    let show: serde_json::Value = serde_json::from_str(&run("model show own.scm --json")).unwrap();
    assert!(show["states"].as_u64().unwrap() > 50, "{show}");
    assert_eq!(
        show["lineage"][0],
        serde_json::from_str::<serde_json::Value>(&run("model show default --json")).unwrap()["id"]
    );
    let bytes = |model: &str| {
        run(&format!("encode new.npy -o new.scz --error-bound rel=1e-2 --model {model} -f"));
        let info: serde_json::Value = serde_json::from_str(&run("info new.scz --json")).unwrap();
        info["variables"][0]["compressed_bytes"].as_u64().unwrap()
    };
    let (none, own) = (bytes("none"), bytes("own.scm"));
    assert!(own < none, "{own} bytes with states, {none} without");
    run("decode new.scz --model own.scm -o new.f32");
    let out = place.command("decode new.scz -o again.f32").output().unwrap();
    assert_eq!(out.status.code(), Some(1), "decoded without its model");
    // What is there is not overwritten, and what cannot be learned from is said.
    let out = place.command("model prime data -o own.scm").output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    place.put("empty/broken.npy", b"not an array");
    let out = place.command("model prime empty -o x.scm").output().unwrap();
    let error = String::from_utf8(out.stderr).unwrap();
    assert!(error.contains("no field of floats to learn from"), "{error}");
    assert!(!place.path("x.scm").exists());
}
