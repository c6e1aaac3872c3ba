//! Written files are whole or absent, and read back by another reader of npy.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec::DType;
use scicodec_io::{ArrayFormat, ArrayWriter, Error, OutputFile, Overwrite, open};
use std::{io::Write, path::Path};

fn names(dir: &Path) -> Vec<String> {
    let mut all: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[test]
fn round_trip_npy() {
    let dir = folder();
    let path = dir.path().join("a.npy");
    for dtype in DType::ALL {
        for shape in [&[][..], &[5], &[2, 3], &[2, 1, 3, 1, 2, 2], &[3, 0]] {
            let zeros = vec![0; shape.len()];
            let data = expected(&zeros, shape, dtype.size());
            let mut file = OutputFile::create(&path, Overwrite::Allow).unwrap();
            let mut writer = ArrayWriter::new(&mut file, ArrayFormat::of(&path), dtype, shape).unwrap();
            for part in data.chunks(3) {
                writer.write_all(part).unwrap();
            }
            file.finish().unwrap();
            let back = open(&path, None).unwrap();
            assert_eq!(back.fields[0].source.dtype(), dtype);
            assert_eq!(back.fields[0].source.shape(), shape);
            assert_eq!(read(back.fields[0].source.as_ref(), &zeros, shape), data);
            let bytes = std::fs::read(&path).unwrap();
            let other = npyz::NpyFile::new(&bytes[..]).unwrap();
            assert_eq!(other.shape(), shape);
            assert_eq!(other.order(), npyz::Order::C);
            assert!((bytes.len() - data.len()).is_multiple_of(64), "data are aligned");
        }
    }
    assert_eq!(names(dir.path()), ["a.npy"]);
}

#[test]
fn raw_has_no_header() {
    let dir = folder();
    let path = dir.path().join("a.f32");
    let mut file = OutputFile::create(&path, Overwrite::Refuse).unwrap();
    let mut writer = ArrayWriter::new(&mut file, ArrayFormat::of(&path), DType::F32, &[2]).unwrap();
    writer.write_all(bytes_of([1.5f32, -2.0]).as_slice()).unwrap();
    file.finish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
}

fn bytes_of(values: [f32; 2]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_ne_bytes()).collect()
}

#[test]
fn unfinished_leaves_nothing() {
    let dir = folder();
    let path = dir.path().join("a.npy");
    let mut file = OutputFile::create(&path, Overwrite::Refuse).unwrap();
    file.write_all(&[1; 1000]).unwrap();
    assert!(file.temporary_path().is_some_and(Path::exists));
    assert!(!path.exists());
    drop(file);
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn existing_files_are_kept() {
    let dir = folder();
    let path = put(dir.path(), "a.npy", b"mine");
    assert!(matches!(OutputFile::create(&path, Overwrite::Refuse), Err(Error::Exists(_))));
    // One that comes into being while we write is kept too.
    let late = dir.path().join("late.npy");
    let file = OutputFile::create(&late, Overwrite::Refuse).unwrap();
    put(dir.path(), "late.npy", b"theirs");
    assert!(matches!(file.finish(), Err(Error::Exists(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    assert_eq!(std::fs::read(&late).unwrap(), b"theirs");
    assert_eq!(names(dir.path()), ["a.npy", "late.npy"]);
    OutputFile::create(&path, Overwrite::Allow).unwrap().finish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

#[cfg(unix)]
#[test]
fn devices_are_written_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let mut file = OutputFile::create(Path::new("/dev/null"), Overwrite::Refuse).unwrap();
    file.write_all(b"x").unwrap();
    file.finish().unwrap();
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[cfg(unix)]
#[test]
fn new_files_have_ordinary_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let ours = dir.path().join("a.npy");
    OutputFile::create(&ours, Overwrite::Refuse).unwrap().finish().unwrap();
    let plain = put(dir.path(), "plain", b"");
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
}
