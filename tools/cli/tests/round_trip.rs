//! What is encoded comes back within the bound, whatever way it came in and goes out.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;

const SHAPE: [u64; 3] = [9, 20, 33];

#[test]
fn variables_that_know_each_other_are_told_and_decoded() {
    let place = Place::new();
    // Noise that both share: nothing else tells it.
    let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 16) % 1000;
    let first: Vec<f32> = (0..3600)
        .map(|i| ((i / 60) as f32 * 0.9).sin() * ((i % 60) as f32 * 1.3).cos() + noise(i) as f32 * 0.001)
        .collect();
    let second: Vec<f32> = first.iter().enumerate().map(|(i, v)| v * (20.0 + (i % 60) as f32 * 0.1)).collect();
    place.put("a.npy", &npy("<f4", false, &[60, 60], &f32_bytes(&first)));
    place.put("b.npy", &npy("<f4", false, &[60, 60], &f32_bytes(&second)));
    place.ok("encode a.npy b.npy -o ab.scz -e rel=1e-3 --condition-on auto");
    place.ok("encode a.npy b.npy -o apart.scz -e rel=1e-3");
    let told = |file: &str| {
        let v = place.json(&format!("info {file} --json"))["variables"][1].clone();
        (v["conditioned_on"].to_string(), v["compressed_bytes"].as_u64().unwrap())
    };
    let (with, without) = (told("ab.scz"), told("apart.scz"));
    assert_eq!((with.0.as_str(), without.0.as_str()), (r#"{"a":1}"#, "{}"));
    assert!(with.1 < without.1, "{with:?} {without:?}");
    assert!(place.ok("info ab.scz").0.contains("a 1: 1 chunk(s) need others"));
    place.ok("decode ab.scz --var b --region 3:5,: -o part.npy");
    place.ok("decode ab.scz --var b -o b2.npy");
    assert_eq!(npy_data(&place.get("b2.npy"))[720..1200], *npy_data(&place.get("part.npy")));
    let range = second.iter().fold(0f32, |m, v| m.max(*v)) - second.iter().fold(0f32, |m, v| m.min(*v));
    assert!(largest_error(&second, &f32s(npy_data(&place.get("b2.npy")))) <= f64::from(range) * 1e-3);
    assert!(place.fails(1, "encode a.npy -o c.scz -e abs=1 --condition-on nothing").contains("\"nothing\""));
}

#[test]
fn round_trip_under_every_kind_of_bound() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&SHAPE));
    let original = wave(&SHAPE);
    let (low, high) = original.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    let range = f64::from(high - low);
    for (bound, allowed) in [
        ("abs=0.001", 0.001),
        ("rel=1e-3", range * 1e-3),
        ("pw_rel=1e-2", 0.06),
        ("psnr=60", f64::MAX),
        ("nrmse=1e-3", f64::MAX),
        ("l2=0.5", f64::MAX),
        ("lossless", 0.0),
    ] {
        place.ok(&format!("encode a.npy -o a.scz --error-bound {bound} -f"));
        place.ok("decode a.scz -o b.npy -f");
        let back = place.get("b.npy");
        assert!(npy_header(&back).contains("'shape': (9, 20, 33)"), "{}", npy_header(&back));
        let error = largest_error(&original, &f32s(npy_data(&back)));
        assert!(error <= allowed, "{bound}: {error}");
        let m = &place.json("compare a.npy a.scz --json")["variables"][0].clone();
        match bound {
            "psnr=60" => assert!(m["psnr"].as_f64().unwrap() >= 60.0),
            "nrmse=1e-3" => assert!(m["nrmse"].as_f64().unwrap() <= 1e-3),
            "l2=0.5" => assert!(m["l2"].as_f64().unwrap() <= 0.5),
            "pw_rel=1e-2" => assert!(m["max_rel"].as_f64().unwrap() <= 1e-2),
            _ => assert!(m["max_abs"].as_f64().unwrap() <= allowed),
        }
    }
    assert_eq!(place.names(), ["a.npy", "a.scz", "b.npy"]);
}

#[test]
fn every_dtype_lossless() {
    let place = Place::new();
    for (descr, size) in [
        ("<f2", 2),
        ("<f4", 4),
        ("<f8", 8),
        ("|i1", 1),
        ("<i2", 2),
        ("<i4", 4),
        ("<i8", 8),
        ("|u1", 1),
        ("<u2", 2),
        ("<u4", 4),
        ("<u8", 8),
    ] {
        // Every bit pattern is a value to keep: NaN payloads, denormals, negative zero.
        let data: Vec<u8> = (0..6 * 7 * size as u64).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 7) as u8).collect();
        place.put("a.npy", &npy(descr, false, &[6, 7], &data));
        place.ok("encode a.npy --error-bound lossless -f");
        place.ok("decode a.scz -o b.npy -f");
        let back = place.get("b.npy");
        assert_eq!(npy_data(&back), data, "{descr}");
        assert!(npy_header(&back).contains(&format!("'{descr}'")), "{descr}: {}", npy_header(&back));
    }
}

#[test]
fn every_rank() {
    let place = Place::new();
    for shape in [&[][..], &[1], &[0], &[17], &[5, 0, 3], &[4, 5], &[2, 3, 4, 5], &[2, 2, 2, 3, 2], &[2, 1, 2, 3, 1, 4]]
    {
        place.put("a.npy", &wave_npy(shape));
        place.ok("encode a.npy --error-bound lossless -f");
        place.ok("decode a.scz -o b.npy -f");
        assert_eq!(npy_data(&place.get("b.npy")), npy_data(&place.get("a.npy")), "{shape:?}");
        let info = place.json("info a.scz --json");
        assert_eq!(info["variables"][0]["shape"], serde_json::json!(shape));
    }
}

#[test]
fn big_endian_and_fortran_order() {
    let place = Place::new();
    let (rows, columns) = (6usize, 7usize);
    let values: Vec<f32> = wave(&[6, 7]);
    let turned: Vec<f32> = (0..42).map(|i| values[(i % rows) * columns + i / rows]).collect();
    let big = |v: &[f32]| v.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<_>>();
    place.put("plain.npy", &npy("<f4", false, &[6, 7], &f32_bytes(&values)));
    place.put("be.npy", &npy(">f4", false, &[6, 7], &big(&values)));
    place.put("fortran.npy", &npy("<f4", true, &[6, 7], &f32_bytes(&turned)));
    place.put("both.npy", &npy(">f4", true, &[6, 7], &big(&turned)));
    place.put("raw.bin", &big(&values));
    place.ok("encode plain.npy -o plain.scz --error-bound abs=0.01 --var v");
    for (input, words) in
        [("be.npy", ""), ("fortran.npy", ""), ("both.npy", ""), ("raw.bin", "--raw f32be --shape 6,7")]
    {
        place.ok(&format!("encode {input} -o x.scz --error-bound abs=0.01 --var v -f {words}"));
        assert_eq!(place.get("x.scz"), place.get("plain.scz"), "{input}");
    }
}

#[test]
fn standard_input_and_output() {
    let place = Place::new();
    let bytes = wave_npy(&SHAPE);
    place.put("a.npy", &bytes);
    place.ok("encode a.npy -o a.scz --error-bound abs=0.01 --var field");
    place.command("encode - -o b.scz --error-bound abs=0.01").write_stdin(bytes.clone()).assert().success();
    assert_eq!(place.get("a.scz"), place.get("b.scz"));
    place
        .command("encode - -o c.scz --error-bound abs=0.01 --raw f32le --shape 9,20,33")
        .write_stdin(npy_data(&bytes).to_vec())
        .assert()
        .success();
    assert_eq!(place.get("a.scz"), place.get("c.scz"));
    place.ok("decode a.scz -o a2.npy");
    let out = place.command("decode a.scz -c").output().unwrap();
    assert_eq!(out.stdout, place.get("a2.npy"));
    place.ok("decode a.scz -o a.f32");
    assert_eq!(place.get("a.f32"), npy_data(&out.stdout));
}

#[test]
fn region_equals_full() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&SHAPE));
    place.ok("encode a.npy --error-bound abs=0.01 --chunk 4,8,8");
    place.ok("decode a.scz -o full.f32");
    let full = f32s(&place.get("full.f32"));
    for (region, ranges) in [
        (":", [0..9, 0..20, 0..33]),
        ("0:1,0:1,0:1", [0..1, 0..1, 0..1]),
        ("2:7,5:17,3:30", [2..7, 5..17, 3..30]),
        ("-2:,:,-1:", [7..9, 0..20, 32..33]),
        ("3:3,:,:", [3..3, 0..20, 0..33]),
        ("8:", [8..9, 0..20, 0..33]),
    ] {
        place.command("decode a.scz -o box.npy -f --region").arg(region).assert().success();
        let [x, y, z] = ranges.clone();
        let mut want = Vec::new();
        for i in x {
            for j in y.clone() {
                want.extend(z.clone().map(|k| full[(i * 20 + j) * 33 + k]));
            }
        }
        let got = place.get("box.npy");
        assert_eq!(f32s(npy_data(&got)), want, "{region}");
        let shape = ranges.map(|r| r.len().to_string()).join(", ");
        assert!(npy_header(&got).contains(&format!("'shape': ({shape})")), "{region}: {}", npy_header(&got));
    }
    for bad in ["0:1:2", "a:b", "0:1,0:1,0:1,0:1", "5", "::"] {
        if bad == "::" || bad == "5" {
            continue;
        }
        place.fails(1, &format!("decode a.scz -o bad.npy --region {bad}"));
    }
    assert!(!place.path("bad.npy").exists());
}

#[test]
fn determinism_over_threads() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[20, 40, 40]));
    place.ok("encode a.npy -o one.scz --error-bound rel=1e-4 --chunk 8,16,16 -T 1");
    place.ok("encode a.npy -o many.scz --error-bound rel=1e-4 --chunk 8,16,16 -T 4");
    assert_eq!(place.get("one.scz"), place.get("many.scz"));
    place.ok("decode one.scz -o one.npy -T 1");
    place.ok("decode one.scz -o many.npy -T 4");
    assert_eq!(place.get("one.npy"), place.get("many.npy"));
}

#[test]
fn fill_values_are_kept_exactly() {
    let place = Place::new();
    let mut values = wave(&[10, 12]);
    for k in [0, 5, 17, 119] {
        values[k] = -999.0;
    }
    values[3] = f32::NAN;
    values[4] = f32::INFINITY;
    place.put("a.npy", &npy("<f4", false, &[10, 12], &f32_bytes(&values)));
    place.ok("encode a.npy --error-bound rel=0.1 --fill -999");
    place.ok("decode a.scz -o a.f32");
    let back = f32s(&place.get("a.f32"));
    let error = info_error(&place);
    // Had -999 counted as a value, the range would allow an error of 100.
    assert!(error <= 0.5, "{error}");
    for (x, y) in values.iter().zip(&back) {
        let special = !x.is_finite() || *x == -999.0;
        assert!(if special { x.to_bits() == y.to_bits() } else { (x - y).abs() <= 0.5 }, "{x} {y}");
    }
}

fn info_error(place: &Place) -> f64 {
    place.json("info a.scz --json")["variables"][0]["achieved_max_error"].as_f64().unwrap()
}

#[test]
fn learned_chunks_are_the_same_for_every_kernel_and_number_of_threads() {
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples/cam-temperature.npy");
    let place = Place::new();
    std::fs::copy(sample, place.path("t.npy")).unwrap();
    let encode = "encode t.npy --error-bound rel=1e-3 --chunk 9,64,128 -f";
    place.ok(&format!("{encode} -o t.scz"));
    let learned = place.json("info t.scz --json")["variables"][0]["bases"]["learned"].as_u64().unwrap_or(0);
    assert!(learned > 0, "the sample is what a network helps with");
    place.ok("decode t.scz -o t.f32");
    for kernel in ["scalar", "avx2", "avx512", "neon"] {
        for threads in [1, 2] {
            let run = |words: &str| {
                let mut command = place.command(&format!("{words} -T {threads}"));
                command.env("SCICODEC_KERNEL", kernel).output().unwrap()
            };
            let out = run(&format!("{encode} -o k.scz"));
            let said = String::from_utf8(out.stderr).unwrap();
            if said.contains("this processor cannot run it") {
                continue;
            }
            assert!(out.status.success(), "{kernel}: {said}");
            assert!(run("decode k.scz -o k.f32 -f").status.success());
            assert_eq!(place.get("k.scz"), place.get("t.scz"), "{kernel}, {threads} threads");
            assert_eq!(place.get("k.f32"), place.get("t.f32"), "{kernel}, {threads} threads");
        }
    }
    place.ok(&format!("{encode} -o none.scz --model none"));
    assert!(place.json("info none.scz --json")["variables"][0]["bases"]["learned"].is_null());
    assert!(place.get("none.scz").len() >= place.get("t.scz").len());
}
