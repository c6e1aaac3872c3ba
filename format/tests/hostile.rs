//! Files that lie: truncation, single_byte_corruption, limits, and every other way has its error.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec_format::*;

#[test]
fn truncation_at_every_byte_is_an_error() {
    for bytes in [lone("x"), grown()] {
        let first_session = first_session_of(&bytes);
        for n in 0..bytes.len() {
            match open(&bytes[..n]) {
                // The end of an earlier session is the end of a whole file.
                Ok(c) => assert!(Some(n) == first_session && c.length() == n as u64, "cut at {n}"),
                Err(Error::Torn | Error::Truncated { .. } | Error::Corrupt { .. }) => {}
                Err(e) => panic!("cut at {n}: {e}"),
            }
        }
        assert!(matches!(open(&bytes[..40]), Err(Error::Torn)));
    }
}

fn first_session_of(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|&n| open(&bytes[..n]).is_ok())
}

#[test]
fn single_byte_corruption_is_detected_or_harmless() {
    for bytes in [lone("x"), grown()] {
        let good = contents(&open(&bytes).unwrap()).unwrap();
        let mut harmless = 0;
        for i in 0..bytes.len() {
            for change in [1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x55] {
                let mut bad = bytes.clone();
                bad[i] ^= change;
                if let Ok(all) = open(&bad).and_then(|c| contents(&c)) {
                    assert_eq!(all, good, "byte {i} changed by {change:#x} gave something else");
                    assert_eq!(i, 9, "byte {i} changed by {change:#x} went unnoticed");
                    harmless += 1;
                }
            }
        }
        assert_eq!(harmless, 4, "the four unused bits of the head");
    }
}

#[test]
fn a_file_that_is_not_ours_is_named() {
    let is = |bytes: &[u8], defect: Defect| matches!(open(bytes), Err(Error::Corrupt { what, .. }) if what == defect);
    assert!(is(b"\x93NUMPY rest of it", Defect::HeadMagic));
    let mut text = lone("x");
    text.remove(4);
    assert!(is(&text, Defect::TextDamage));
    let mut seven = lone("x");
    seven[0] &= 0x7f;
    assert!(is(&seven, Defect::TextDamage));
    assert!(matches!(open(&[]), Err(Error::Truncated { .. })));
}

#[test]
fn later_versions_are_unsupported_not_corrupt() {
    let mut bytes = lone("x");
    bytes[8] = 2;
    assert!(matches!(open(&bytes), Err(Error::Unsupported { .. })));
    let mut bytes = lone("x");
    bytes[64 + 2] = 2;
    assert!(matches!(open(&bytes).unwrap().payload(0, 0, 0), Err(Error::Unsupported { .. })));
}

#[test]
fn limits_hold_before_anything_is_allocated() {
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Container::from_bytes(grown(), limits)
    };
    assert!(matches!(with(|l| l.variables = 3), Err(Error::Limit { what: "variables", limit: 3, asked: 4 })));
    assert!(matches!(with(|l| l.chunks = 5), Err(Error::Limit { what: "chunks", .. })));
    assert!(matches!(with(|l| l.record_bytes = 10), Err(Error::Limit { what: "bytes of a record", .. })));
    assert!(matches!(with(|l| l.chunk_bytes = 20), Err(Error::Limit { what: "bytes of a decoded chunk", .. })));
    let mut w = create();
    assert!(matches!(w.begin_variable(record("x", &[1 << 40], &[1])), Err(Error::Limit { .. })));
    assert!(w.begin_variable(record("x", &[1 << 40, 1 << 40], &[1, 1])).is_err());
}

/// A file of one record and a table of the test's own, with right checksums.
fn forged(record: &[u8], table: &[u8]) -> Vec<u8> {
    let mut bytes = HEAD_MAGIC.to_vec();
    bytes.extend([FORMAT_VERSION, 0, b'V', record.len() as u8]);
    bytes.extend(record);
    let crc = crc32c::crc32c(&bytes[10..]);
    bytes.extend(crc.to_le_bytes());
    let index = [&[0], table].concat();
    bytes.extend(&index);
    bytes.extend(crc32c::crc32c(&index).to_le_bytes());
    bytes.extend([index.len() as u8, 0x9d, 0x7a]);
    bytes
}

fn defect(bytes: &[u8]) -> Defect {
    match open(bytes) {
        Err(Error::Corrupt { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_lie_of_a_record_has_its_error() {
    // ordinal, flags, u8 of rank 1, extent, lossless, name
    let good = [0, 0, 0x17, 0, 0, 1, b'n'];
    assert_eq!(open(&forged(&good, &[])).unwrap().variables()[0].record.name, "n");
    let with = |at: usize, byte: u8| {
        let mut bad = good;
        bad[at] = byte;
        defect(&forged(&bad, &[]))
    };
    assert_eq!(with(0, 1), Defect::VariableOrder { found: 1, expected: 0 });
    assert_eq!(with(1, 0x40), Defect::ReservedBits { of: "variable record", bits: 0x40 });
    assert_eq!(with(2, 0x1b), Defect::DType(11));
    assert_eq!(with(2, 0x77), Defect::Rank(7));
    assert!(matches!(with(4, 0x01), Defect::Bound(_)));
    assert!(matches!(with(4, 0x07), Defect::Bound(_)));
    assert!(matches!(with(4, 0x30), Defect::Bound(_)));
    assert_eq!(with(4, 0x40), Defect::ReservedBits { of: "bound", bits: 0x40 });
    assert_eq!(with(6, 0xff), Defect::Text("name of a variable"));
    assert_eq!(with(5, 0), Defect::RecordLength("record"));
    assert_eq!(defect(&forged(&[0, 16, 0x17, 0, 0, 0, 1, b'n'], &[])), Defect::ChunkShape);
    assert_eq!(defect(&forged(&good, &[0])), Defect::IndexLength);
    // An extent of 2^62 in bytes of float64.
    let huge = [0, 0, 0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0, 0];
    assert_eq!(defect(&forged(&huge, &[])), Defect::ShapeOverflow(vec![1 << 62]));
    // A padded varint.
    assert_eq!(defect(&forged(&[0, 0, 0x17, 0x80, 0, 0, 0], &[])), Defect::Varint);
    // A bound of zero, and a NaN.
    assert!(matches!(defect(&forged(&[0, 0, 0x17, 0, 0x21, 0, 0, 0], &[])), Defect::Bound(_)));
    let nan = [&[0, 0, 0x17, 0, 0x11][..], &f64::NAN.to_le_bytes(), &[0]].concat();
    assert!(matches!(defect(&forged(&nan, &[])), Defect::Bound(_)));
}

#[test]
fn every_lie_of_a_table_has_its_error() {
    let one = [0, 0, 0x17, 1, 0, 1, b'n'];
    assert_eq!(defect(&forged(&one, &[0x40])), Defect::ReservedBits { of: "chunk table", bits: 0x40 });
    assert_eq!(defect(&forged(&one, &[0x08, 0, 0])), Defect::MissingChunk);
    assert_eq!(defect(&forged(&one, &[0x28, 9, 0])), Defect::ReservedBits { of: "chunk table", bits: 0x20 });
    assert_eq!(defect(&forged(&one, &[0x0a, 9, 0, 0, 0, 0, 0x80])), Defect::AchievedError);
    assert_eq!(defect(&forged(&one, &[0x0c, 9, 0, 5, 4])), Defect::ValueRange);
    // Payloads that end behind the index, or beyond any file.
    assert_eq!(defect(&forged(&one, &[0x08, 9, 0])), Defect::Overlap);
    let far = [&[0x08][..], &[0xff; 9], &[1, 0]].concat();
    assert_eq!(defect(&forged(&one, &far)), Defect::Overlap);
    // More chunks than the table has bytes.
    let many = [0, 16, 0x17, 0xff, 0xff, 0x7f, 1, 0, 1, b'n'];
    assert!(matches!(open(&forged(&many, &[0x08, 9, 0])), Err(Error::Truncated { what: "chunk table", .. })));
    // A lost chunk leaves nothing behind, and the file opens.
    let c = open(&forged(&one, &[0x18, 0, 0])).unwrap();
    assert!(c.payload(0, 0, 0).unwrap().is_none());
}

#[test]
fn an_index_that_refers_to_nothing_is_rejected() {
    let bytes = lone("x");
    let body = bytes.len() - 8..bytes.len() - 7;
    for previous in [1, 10, 17, 100] {
        let mut bad = bytes.clone();
        bad[body.clone()].copy_from_slice(&[previous]);
        let crc = crc32c::crc32c(&bad[body.clone()]);
        bad[body.end..body.end + 4].copy_from_slice(&crc.to_le_bytes());
        assert!(matches!(defect(&bad), Defect::PreviousIndex(_) | Defect::FooterMagic));
    }
}

#[test]
fn payloads_that_change_places_are_noticed() {
    let bytes = grown();
    let c = open(&bytes).unwrap();
    let s = &c.variables()[0].segments[0];
    let [first, third] = [&s.chunks[0], &s.chunks[2]];
    // Both payloads have one shape; make them one length by writing the first's bytes where the third's were.
    let mut bad = bytes.clone();
    let from = first.offset as usize..(first.offset + first.entry.length) as usize;
    let to = third.offset as usize;
    let gone = from.len().min(third.entry.length as usize);
    bad.copy_within(from.start..from.start + gone, to);
    let bad = open(&bad).unwrap();
    assert!(bad.payload(0, 0, 2).is_err());
    assert!(bad.payload(0, 0, 0).unwrap().is_some(), "the others are not touched");
}

#[test]
fn concatenated_files_are_rejected() {
    let two = [lone("x"), lone("y")].concat();
    assert!(matches!(open(&two), Err(Error::Corrupt { .. })));
}
