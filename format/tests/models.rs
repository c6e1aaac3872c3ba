//! Models inside files: kept through growth and recovery, and refused where they cannot be models.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec_format::*;

/// Bytes that begin and end as a model's file; what is between them is not for this crate to judge.
fn model(id: u8, length: usize) -> Vec<u8> {
    let mut file = b"\x89SCM\r\n\x1a\n".to_vec();
    file.resize(8 + length, id ^ 0x55);
    file.extend([id; 32]);
    file
}

fn with_models() -> Vec<u8> {
    let mut w = create();
    assert!(w.put_model(&model(1, 0)).unwrap());
    add(&mut w, &record("a", &[3], &[3]));
    assert!(w.put_model(&model(2, 5000)).unwrap());
    assert!(!w.put_model(&model(1, 7)).unwrap(), "one of that id is there");
    add(&mut w, &record("b", &[3], &[3]));
    finish(w)
}

fn ids(c: &Container) -> Vec<u8> {
    c.models().iter().map(|m| m.id[0]).collect()
}

#[test]
fn models_are_read_as_they_were_put_in() {
    let c = open(&with_models()).unwrap();
    assert_eq!((ids(&c), c.variables().len()), (vec![1, 2], 2));
    assert_eq!(c.model(&[2; 32]), Some(&model(2, 5000)[..]));
    assert_eq!(c.model(&[3; 32]), None);
    assert_eq!(contents(&c).unwrap().len(), 2);
}

#[test]
fn a_file_that_grows_keeps_its_models_and_knows_them() {
    let bytes = with_models();
    let mut w = Writer::resume(bytes.clone(), &open(&bytes).unwrap()).unwrap();
    assert!(!w.put_model(&model(2, 5000)).unwrap());
    assert!(w.put_model(&model(3, 1)).unwrap());
    add(&mut w, &record("c", &[3], &[3]));
    assert_eq!(ids(&open(&finish(w)).unwrap()), [1, 2, 3]);
}

#[test]
fn recovery_keeps_models() {
    let bytes = with_models();
    let (saved, report) = recover(&bytes[..bytes.len() - 1], &Limits::default(), vec![]).unwrap();
    let c = open(&saved).unwrap();
    assert_eq!((ids(&c), report.models, report.orphans), (vec![1, 2], 2, 0));
    assert_eq!(contents(&c).unwrap(), contents(&open(&bytes).unwrap()).unwrap());
}

#[test]
fn a_model_does_not_go_between_a_record_and_its_chunks() {
    let mut w = create();
    w.begin_variable(record("a", &[3], &[3])).unwrap();
    assert!(matches!(w.put_model(&model(1, 0)), Err(Error::InvalidArgument(_))));
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    let mut w = create();
    for bad in [vec![], model(1, 0)[1..].to_vec(), model(1, 0)[..39].to_vec(), vec![0; 100]] {
        assert!(matches!(w.put_model(&bad), Err(Error::InvalidArgument(_))));
    }
    assert!(matches!(w.put_model(&model(1, 1 << 24)), Err(Error::Limit { what: "bytes of a record", .. })));
}

/// A file of records with these tags and bodies and no variable, with right checksums.
fn forged(records: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = HEAD_MAGIC.to_vec();
    bytes.push(FORMAT_VERSION);
    for (tag, body) in records {
        let start = bytes.len();
        bytes.extend([*tag, body.len() as u8]);
        bytes.extend(*body);
        let crc = crc32c::crc32c(&bytes[start..]);
        bytes.extend(crc.to_le_bytes());
    }
    let at = bytes.len() as u64;
    bytes.push(0);
    bytes.extend(crc32c::crc32c(&[&[0][..], &at.to_le_bytes()].concat()).to_le_bytes());
    bytes.extend([1, 0x9d, 0x7a]);
    bytes
}

#[test]
fn every_lie_of_a_model_record_has_its_error() {
    let (one, two) = (model(1, 3), model(2, 3));
    assert_eq!(ids(&open(&forged(&[(b'm', &one), (b'm', &two)])).unwrap()), [1, 2]);
    let defect = |records: &[(u8, &[u8])]| match open(&forged(records)) {
        Err(Error::Corrupt { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(defect(&[(b'm', &one), (b'm', &one)]), Defect::Model("is there already"));
    let no_model = Defect::Model("does not begin as one or is too short");
    assert_eq!(defect(&[(b'm', &one[1..])]), no_model);
    assert_eq!(defect(&[(b'm', &one[..30])]), no_model);
    assert_eq!(defect(&[(b'm', &[])]), no_model);
    assert_eq!(defect(&[(b'M', &one)]), Defect::RecordTag(b'M'));
    let mut limits = Limits::default();
    limits.models = 1;
    let two = Container::from_bytes(forged(&[(b'm', &one), (b'm', &two)]), limits);
    assert!(matches!(two, Err(Error::Limit { what: "models in a file", limit: 1, asked: 2 })));
    // Truncation and corruption anywhere are noticed.
    let whole = forged(&[(b'm', &one)]);
    for n in 0..whole.len() {
        assert!(open(&whole[..n]).is_err(), "{n}");
        let mut bad = whole.clone();
        bad[n] ^= 0x10;
        assert!(open(&bad).is_err(), "{n}");
    }
}
