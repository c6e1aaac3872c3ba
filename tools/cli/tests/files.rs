//! What happens to files: several variables, growth, what is kept, what is refused, what is left behind.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use serde_json::json;

#[test]
fn several_inputs_make_several_variables() {
    let place = Place::new();
    place.put("u.npy", &wave_npy(&[8, 9]));
    place.put("v.npy", &wave_npy(&[5, 6, 7]));
    place.ok("encode u.npy v.npy -o both.scz --error-bound abs=0.01");
    let info = place.json("info both.scz --json");
    assert_eq!(info["variables"][0]["name"], "u");
    assert_eq!(info["variables"][1]["name"], "v");
    place.ok("decode both.scz --var v -o back.npy");
    assert!(npy_header(&place.get("back.npy")).contains("(5, 6, 7)"));
    assert!(place.fails(2, "decode both.scz -o x.npy").contains("u, v"));
    assert!(place.fails(1, "decode both.scz --var w -o x.npy").contains("u, v"));
    assert!(place.fails(2, "encode u.npy v.npy --error-bound abs=0.01").contains("-o"));
    place.ok("compare both.scz both.scz");
    assert_eq!(place.json("compare both.scz both.scz --json")["variables"].as_array().unwrap().len(), 2);
    assert_eq!(place.json("compare both.scz v.npy --var v --json")["variables"].as_array().unwrap().len(), 1);
    std::fs::create_dir(place.path("other")).unwrap();
    place.put("other/u.npy", &wave_npy(&[8, 9]));
    assert!(place.fails(2, "encode u.npy other/u.npy -o z.scz --error-bound abs=0.01").contains("--var"));
    place.ok("encode u.npy other/u.npy --var a --var b -o z.scz --error-bound abs=0.01");
    assert_eq!(place.json("info z.scz --json")["variables"][1]["name"], "b");
}

#[test]
fn append_adds_variables_and_steps() {
    let place = Place::new();
    let all = wave(&[10, 6, 7]);
    let step = 6 * 7;
    place.put("t.npy", &npy("<f4", false, &[4, 6, 7], &f32_bytes(&all[..4 * step])));
    place.ok("encode t.npy -o f.scz --error-bound abs=0.01 --append");
    place.put("t.npy", &npy("<f4", false, &[5, 6, 7], &f32_bytes(&all[4 * step..9 * step])));
    place.ok("encode t.npy -o f.scz --error-bound abs=0.01 --append");
    place.put("more.npy", &npy("<f4", false, &[1, 6, 7], &f32_bytes(&all[9 * step..])));
    place.ok("encode more.npy --var t -o f.scz --error-bound abs=0.01 --append");
    place.put("u.npy", &wave_npy(&[3, 3]));
    place.ok("encode u.npy -o f.scz --error-bound lossless --append");
    let info = place.json("info f.scz --json");
    assert_eq!(info["variables"][0]["shape"], json!([10, 6, 7]));
    assert_eq!(info["variables"][1]["name"], "u");
    assert_eq!(info["variables"].as_array().unwrap().len(), 2);
    place.ok("decode f.scz --var t -o t.f32");
    assert!(largest_error(&all, &f32s(&place.get("t.f32"))) <= 0.01);
    place.ok("decode f.scz --var u -o u.f32");
    assert_eq!(f32s(&place.get("u.f32")), wave(&[3, 3]));
    place.ok("test f.scz");

    // What does not continue the variable leaves the file as it was.
    let before = place.get("f.scz");
    place.put("t.npy", &wave_npy(&[2, 6, 8]));
    assert!(place.fails(1, "encode t.npy -o f.scz --error-bound abs=0.01 --append").contains("10x6x7"));
    place.put("t.npy", &npy("<f8", false, &[1, 6, 7], &[0; 336]));
    assert!(place.fails(1, "encode t.npy -o f.scz --error-bound abs=0.01 --append").contains("float64"));
    assert_eq!(place.get("f.scz"), before);
    // A file that is none of ours is not appended to.
    place.put("other.scz", b"something else");
    place.fails(1, "encode u.npy -o other.scz --error-bound abs=0.01 --append");
    assert_eq!(place.get("other.scz"), b"something else");
}

#[test]
fn existing_files_are_not_overwritten() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9]));
    place.put("a.scz", b"mine");
    assert!(place.fails(1, "encode a.npy --error-bound abs=0.01").contains("already exists"));
    assert_eq!(place.get("a.scz"), b"mine");
    place.ok("encode a.npy --error-bound abs=0.01 -f");
    assert!(place.fails(1, "decode a.scz").contains("a.npy"));
    assert_eq!(place.get("a.npy"), wave_npy(&[8, 9]));
    place.ok("decode a.scz -f");
    assert!(place.get("a.npy") != wave_npy(&[8, 9]), "decoded over it");
    place.put("r.scz", b"mine");
    place.fails(1, "recover a.scz -o r.scz");
    assert_eq!(place.get("r.scz"), b"mine");
    place.ok("recover a.scz -o r.scz -f");
    assert_eq!(place.names(), ["a.npy", "a.scz", "r.scz"]);
}

#[test]
fn source_is_kept_and_nothing_else_appears() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[8, 9]));
    place.ok("encode a.npy --error-bound abs=0.01");
    place.ok("decode a.scz -o b.npy");
    assert_eq!(place.get("a.npy"), wave_npy(&[8, 9]));
    assert_eq!(place.names(), ["a.npy", "a.scz", "b.npy"]);
}

#[test]
fn failed_work_leaves_no_file() {
    let place = Place::new();
    let whole = wave_npy(&[8, 9]);
    place.put("a.npy", &whole[..whole.len() - 1]);
    place.put("good.npy", &whole);
    place.fails(1, "encode a.npy --error-bound abs=0.01");
    place.fails(1, "encode good.npy a.npy -o c.scz --error-bound abs=0.01");
    place.fails(1, "encode good.npy --error-bound abs=nan");
    assert_eq!(place.names(), ["a.npy", "good.npy"]);
    place.ok("encode good.npy --error-bound lossless");
    let mut bytes = place.get("good.scz");
    let n = bytes.len();
    for b in &mut bytes[n / 3..n / 2] {
        *b ^= 0x55;
    }
    place.put("bad.scz", &bytes);
    place.fails(1, "decode bad.scz -o d.npy");
    place.fails(1, "test bad.scz");
    assert_eq!(place.names(), ["a.npy", "bad.scz", "good.npy", "good.scz"]);
}

#[test]
fn recover_after_truncation() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[16, 32, 32]));
    place.ok("encode a.npy --error-bound abs=0.001 --chunk 4,32,32");
    let whole = place.get("a.scz");
    // The index is gone, and the last chunk with it.
    place.put("torn.scz", &whole[..whole.len() * 4 / 5]);
    place.fails(1, "info torn.scz");
    place.fails(1, "decode torn.scz -o b.npy");
    let (_, remark) = place.ok("recover torn.scz -o saved.scz");
    assert!(remark.contains("chunk"), "{remark}");
    place.ok("info saved.scz");
    assert_eq!(place.get("torn.scz").len(), whole.len() * 4 / 5, "the damaged file is kept");
    // An undamaged file is recovered whole.
    place.ok("recover a.scz -o same.scz");
    place.ok("decode a.scz -o x.f32");
    place.ok("decode same.scz -o y.f32");
    assert_eq!(place.get("x.f32"), place.get("y.f32"));
    place.put("nothing.scz", b"no such file format");
    place.fails(1, "recover nothing.scz -o none.scz");
    assert!(!place.path("none.scz").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_leaves_no_half_file() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[64, 64]));
    place.ok("encode a.npy --error-bound lossless");
    assert!(place.fails(1, "decode a.scz -o /dev/full").contains("space"));
    place.fails(1, "encode a.npy -o /dev/full --error-bound lossless -f");
    // A limit on file size stands in for a full disk: the write fails half way.
    let script = format!(
        "trap '' XFSZ; ulimit -f 4; '{0}' decode a.scz -o b.npy; test $? = 1 || exit 9; '{0}' encode a.npy -o b.scz -e lossless; test $? = 1",
        env!("CARGO_BIN_EXE_scicodec")
    );
    let out = std::process::Command::new("bash").args(["-c", &script]).current_dir(place.0.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(place.names(), ["a.npy", "a.scz"]);
}

/// Starts work that takes long, interrupts it when it has begun to write, and gives what it said.
#[cfg(unix)]
fn interrupted(place: &Place, words: &str, signal: &str, begun: impl Fn(&Place) -> bool) -> String {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_scicodec"))
        .args(words.split(' '))
        .current_dir(place.0.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !begun(place) {
        assert!(child.try_wait().unwrap().is_none(), "ended before it could be interrupted");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // The shell's own `kill`: a small system has no other.
    let kill = format!("kill {signal} {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    String::from_utf8(out.stderr).unwrap()
}

#[cfg(unix)]
#[test]
fn interrupt_leaves_no_half_file() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[64, 256, 256]));
    let words = "encode a.npy --error-bound rel=1e-6 --effort max --chunk 4,128,128 -T 1";
    for signal in ["-INT", "-TERM", "-HUP"] {
        let said = interrupted(&place, words, signal, |p| p.names().len() == 2);
        assert_eq!(said, "scicodec: error: interrupted; nothing was written\n");
        assert_eq!(place.names(), ["a.npy"]);
    }
}

#[cfg(unix)]
#[test]
fn interrupted_append_keeps_what_was_there() {
    let place = Place::new();
    place.put("a.npy", &wave_npy(&[64, 256, 256]));
    place.put("b.npy", &wave_npy(&[8, 9]));
    place.ok("encode b.npy -o f.scz --error-bound lossless");
    let before = place.get("f.scz");
    let words = "encode a.npy -o f.scz --append --error-bound rel=1e-6 --effort max --chunk 4,64,64 -T 1";
    let grown = |p: &Place| p.get("f.scz").len() > before.len();
    let said = interrupted(&place, words, "-INT", grown);
    assert_eq!(said, "scicodec: error: interrupted; nothing was written\n");
    assert_eq!(place.get("f.scz"), before);
    assert_eq!(place.names(), ["a.npy", "b.npy", "f.scz"]);
}

#[test]
fn compare_writes_a_page_that_stands_alone() {
    let place = Place::new();
    place.put("t.npy", &wave_npy(&[3, 16, 20]));
    place.ok("encode t.npy -o t.scz --error-bound abs=0.01 --units K");
    let (table, _) = place.ok("compare t.npy t.scz --html page.html");
    assert!(table.contains("max abs"));
    let page = String::from_utf8(place.get("page.html")).unwrap();
    assert!(page.contains("slice [1, :, :] of 3×16×20") && page.contains("bound ±0.01 K"));
    // Two curves of one point, speed, three maps, a histogram, a spectrum.
    assert_eq!(page.matches("<svg").count(), 8);
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"));
    // Any two files that can be compared have a page; it is not overwritten unasked.
    assert!(place.fails(1, "compare t.npy t.npy --html page.html").contains("page.html"));
    place.ok("compare t.npy t.npy --html page.html --force --json");
    assert_eq!(String::from_utf8(place.get("page.html")).unwrap().matches("<svg").count(), 5);
    place.fails(2, "compare t.npy t.npy --force");
}
