//! What an unreadable file gets: a typed error that says what and where, and never a panic.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec_io::{Error, RawLayout, open};
use std::path::Path;

fn error(dir: &Path, bytes: &[u8]) -> Error {
    let path = put(dir, "bad.npy", bytes);
    match open(&path, None) {
        Err(e) => e,
        Ok(_) => panic!("opened {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(120)])),
    }
}

#[test]
fn truncation_at_every_byte() {
    let dir = folder();
    for fortran in [false, true] {
        let whole = npy(1, &dict("<f4", fortran, &[3, 4]), &elements(&[3, 4], 4, fortran, false));
        for n in 0..whole.len() {
            match error(dir.path(), &whole[..n]) {
                Error::Truncated { need, have } => assert!(have < need, "{n}: {have} of {need}"),
                Error::Corrupt { .. } if n < 6 => {}
                other => panic!("{n}: {other}"),
            }
        }
    }
}

#[test]
fn bytes_after_the_array() {
    let dir = folder();
    let mut bytes = npy(1, &dict("<f4", false, &[2]), &[0; 8]);
    let at = bytes.len() as u64;
    bytes.push(0);
    assert!(matches!(error(dir.path(), &bytes), Error::Corrupt { offset, .. } if offset == at));
}

#[test]
fn unsupported_dtypes_are_named() {
    let dir = folder();
    for (descr, word) in [
        ("<c8", "complex"),
        ("<c16", "complex"),
        ("|O", "Python objects"),
        ("|S7", "text"),
        ("<U3", "text"),
        ("|b1", "booleans"),
        ("<f16", "size"),
        ("<M8[ns]", "times"),
        ("|V8", "opaque"),
        ("<i3", "not a dtype"),
        ("f4", "not a dtype"),
        ("|f4", "byte order"),
        ("", "not a dtype"),
    ] {
        match error(dir.path(), &npy(1, &dict(descr, false, &[2]), &[0; 32])) {
            Error::Unsupported { feature } => {
                assert!(feature.contains(descr) && feature.contains(word), "{descr}: {feature}")
            }
            other => panic!("{descr}: {other}"),
        }
    }
    let structured = "{'descr': [('a', '<f4'), ('b', [('c', '<i2', (3,))])], 'fortran_order': False, 'shape': (2,)}";
    let e = error(dir.path(), &npy(1, structured, &[0; 32]));
    assert!(matches!(&e, Error::Unsupported { feature } if feature.contains("structured")), "{e}");
}

#[test]
fn unsupported_version_and_rank() {
    let dir = folder();
    let e = error(dir.path(), &npy(4, &dict("<f4", false, &[2]), &[0; 8]));
    assert!(matches!(&e, Error::Unsupported { feature } if feature.contains("4.0")), "{e}");
    let e = error(dir.path(), &npy(1, &dict("<f4", false, &[1; 7]), &[0; 4]));
    assert!(matches!(&e, Error::Unsupported { feature } if feature.contains("rank 7")), "{e}");
}

#[test]
fn headers_that_lie_or_ramble() {
    let dir = folder();
    let good = dict("<f4", false, &[2]);
    for text in [
        "".to_string(),
        "{".into(),
        "}".into(),
        "[]".into(),
        good.replace("'descr'", "'desc'"),
        good.replace("False", "0"),
        good.replace("False", "Fals"),
        good.replace("(2, )", "2"),
        good.replace("(2, )", "(-2,)"),
        good.replace("(2, )", "(2.0,)"),
        good.replace("(2, )", "('2',)"),
        good.replace("(2, )", "(18446744073709551616,)"),
        good.replace("(2, )", "(18446744073709551615, 18446744073709551615)"),
        good.replace("(2, )", "(4611686018427387904,)"),
        good.replace("(2, )", "(2, "),
        good.replace('}', "} x"),
        good.replace('}', ", 'shape': (2,)}"),
        good.replace("'descr':", "'descr'"),
        good.replace("'<f4'", "'<f4"),
        good.replace("'<f4'", "None"),
        "(".repeat(60_000),
        format!("{{'descr': {}", "[".repeat(60_000)),
        "{'\\".into(),
    ] {
        let e = error(dir.path(), &npy(1, &text, &[0; 8]));
        let short = &text[..text.len().min(80)];
        assert!(matches!(&e, Error::Corrupt { what, .. } if what.contains("unreadable npy header")), "{short}: {e}");
    }
    let mut long = npy(2, &good, &[0; 8]);
    long[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(error(dir.path(), &long), Error::Corrupt { offset: 8, .. }));
}

/// Detected, or read as what the changed header says: never a panic.
#[test]
fn single_byte_corruption() {
    let dir = folder();
    let whole = npy(1, &dict("<f4", false, &[3, 4]), &elements(&[3, 4], 4, false, false));
    let header = whole.len() - 48;
    for at in 0..header {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let path = put(dir.path(), "bad.npy", &bytes);
            if let Ok(data) = open(&path, None) {
                let source = &data.fields[0].source;
                let n = source.shape().iter().product::<u64>() as usize * source.dtype().size();
                assert_eq!(n, 48);
                read(source.as_ref(), &vec![0; source.shape().len()], source.shape());
            }
        }
    }
}

#[test]
fn numbers_and_texts_as_python_writes_them() {
    let dir = folder();
    for text in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, ), }",
        "{\"shape\":[2],\"fortran_order\":False,\"descr\":\"<f4\"}",
        "  {u'descr': u'<f4' , 'fortran_order' : False, 'shape': (2,)}  \n",
    ] {
        let path = put(dir.path(), "a.npy", &npy(1, text, &[0; 8]));
        let data = open(&path, None).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(data.fields[0].source.shape(), [2]);
    }
}

#[test]
fn files_of_other_kinds_are_named() {
    let dir = folder();
    for (bytes, word) in [
        (&b"\x89HDF\r\n\x1a\n"[..], "HDF5"),
        (b"CDF\x01....", "netCDF"),
        (b"PK\x03\x04....", "zip"),
        (b"hello world", "--raw"),
        (b"", "--raw"),
    ] {
        let path = put(dir.path(), "x.bin", bytes);
        let Err(error) = open(&path, None) else { panic!("{word}") };
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(matches!(open(dir.path(), None), Err(Error::Unsupported { .. })));
    assert!(matches!(open(&dir.path().join("absent"), None), Err(Error::Io(_))));
}

#[test]
fn raw_shape_that_does_not_fit() {
    let dir = folder();
    let path = put(dir.path(), "x.bin", &[0; 24]);
    let with = |shape: &[u64]| {
        let layout = RawLayout { element: "f32le".parse().unwrap(), shape: shape.to_vec() };
        open(&path, Some(&layout)).map(|_| ())
    };
    assert!(with(&[2, 3]).is_ok());
    for shape in [&[2, 2][..], &[2, 4], &[0], &[u64::MAX, u64::MAX]] {
        assert!(matches!(with(shape), Err(Error::InvalidArgument(_))), "{shape:?}");
    }
    assert!(matches!(with(&[1; 7]), Err(Error::Unsupported { .. })));
}
