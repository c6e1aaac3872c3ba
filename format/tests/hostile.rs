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
        for i in 0..bytes.len() {
            for change in [1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x55] {
                let mut bad = bytes.clone();
                bad[i] ^= change;
                if let Ok(all) = open(&bad).and_then(|c| contents(&c)) {
                    assert_eq!(all, good, "byte {i} changed by {change:#x} gave something else");
                    panic!("byte {i} changed by {change:#x} went unnoticed");
                }
            }
        }
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
    bytes[8] = 3;
    assert!(matches!(open(&bytes), Err(Error::Unsupported { .. })));
    let bytes = grown();
    let chunks = open(&bytes).unwrap().variables()[0].segments[0].chunks.clone();
    for (k, chunk) in chunks.iter().enumerate() {
        let mut bytes = bytes.clone();
        bytes[chunk.offset as usize + 2] ^= 4;
        assert!(matches!(open(&bytes).unwrap().payload(0, 0, k), Err(Error::Unsupported { .. })), "{k}");
    }
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
    bytes.extend([FORMAT_VERSION, b'v', record.len() as u8]);
    bytes.extend(record);
    let crc = crc32c::crc32c(&bytes[9..]);
    bytes.extend(crc.to_le_bytes());
    let index = [&[0], table].concat();
    let at = bytes.len() as u64;
    bytes.extend(&index);
    bytes.extend(crc32c::crc32c(&[&index[..], &at.to_le_bytes()].concat()).to_le_bytes());
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
    assert_eq!(with(1, 0x80), Defect::ReservedBits { of: "record", bits: 0x80 });
    assert_eq!(with(1, 0x60), Defect::ReservedBits { of: "record", bits: 0x60 });
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
    assert_eq!(defect(&forged(&one, &[0x20, 0, 0])), Defect::MissingChunk);
    assert_eq!(defect(&forged(&one, &[0x30, 9, 0])), Defect::ReservedBits { of: "chunk table", bits: 0x10 });
    assert_eq!(defect(&forged(&one, &[0x28, 9, 0, 0x01, 0xff])), Defect::AchievedError);
    assert_eq!(defect(&forged(&one, &[0x27, 9, 0, 5, 4])), Defect::ValueRange);
    // More bytes dropped than the type has.
    assert_eq!(defect(&forged(&one, &[0x26, 9, 0, 5, 6])), Defect::ValueRange);
    // Payloads that end behind the index, or beyond any file.
    assert_eq!(defect(&forged(&one, &[0x20, 9, 0])), Defect::Overlap);
    let far = [&[0x20][..], &[0xff; 9], &[1, 0]].concat();
    assert_eq!(defect(&forged(&one, &far)), Defect::Overlap);
    // More chunks than the table has bytes.
    let many = [0, 16, 0x17, 0xff, 0xff, 0x7f, 1, 0, 1, b'n'];
    assert!(matches!(open(&forged(&many, &[0x20, 9, 0])), Err(Error::Truncated { what: "chunk table", .. })));
    // A lost chunk leaves nothing behind, and the file opens.
    let c = open(&forged(&one, &[0x60, 0, 0])).unwrap();
    assert!(c.payload(0, 0, 0).unwrap().is_none());
}

#[test]
fn every_lie_of_a_chunk_inside_its_record_has_its_error() {
    let with = |tail: &[u8]| forged(&[&[0, 0x40, 0x17, 1, 0, 1, b'n'][..], tail].concat(), &[]);
    let c = open(&with(&[0x20, 5, 7, 7])).unwrap();
    let payload = c.payload(0, 0, 0).unwrap().unwrap();
    assert_eq!((payload.header.base, payload.body), (5, &[7, 7][..]));
    assert_eq!(defect(&with(&[0x20, 5])), Defect::MissingChunk);
    assert!(matches!(open(&with(&[])), Err(Error::Truncated { what: "record", .. })));
    assert!(matches!(open(&with(&[0xa0, 5, 1, 2, 3])), Err(Error::Truncated { what: "record", .. })));
    // A grid of three chunks, or of none.
    assert_eq!(defect(&forged(&[0, 0x50, 0x17, 3, 1, 0, 1, b'n', 0x20, 5, 7], &[])), Defect::InlineTable(3));
    assert_eq!(defect(&forged(&[0, 0x40, 0x17, 0, 0, 1, b'n', 0x20, 5, 7], &[])), Defect::InlineTable(0));
    // A table in the index that nothing asks for.
    assert_eq!(defect(&forged(&[0, 0x40, 0x17, 1, 0, 1, b'n', 0x20, 5, 7], &[0x60, 0, 0])), Defect::IndexLength);
    // A model without its digest.
    assert!(matches!(
        open(&forged(&[0, 0xc0, 0x17, 1, 0, 1, b'n', 0x20, 5, 7], &[])),
        Err(Error::Truncated { what: "record", .. })
    ));
    // More bytes than one may decode.
    let wide = [0, 0x40, 0x17, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 1, b'n', 0x20, 0, 7];
    assert!(matches!(open(&forged(&wide, &[])), Err(Error::Limit { what: "bytes of a decoded chunk", .. })));
}

#[test]
fn tags_of_the_other_version_are_rejected() {
    let mut bytes = forged(&[0, 0, 0x17, 0, 0, 1, b'n'], &[]);
    bytes[9] = b'V';
    assert_eq!(defect(&bytes), Defect::RecordTag(b'V'));
}

#[test]
fn a_group_that_is_cut_out_is_noticed() {
    let mut w = create();
    add(&mut w, &record("a", &[3], &[3]));
    let first = w.position() as usize;
    add(&mut w, &record("b", &[3], &[3]));
    let second = w.position() as usize;
    let bytes = finish(w);
    let cut = [&bytes[..first], &bytes[second..]].concat();
    assert!(matches!(defect(&cut), Defect::Checksum { of: "index", .. }));
    let doubled = [&bytes[..second], &bytes[first..]].concat();
    assert!(matches!(defect(&doubled), Defect::Checksum { of: "index", .. }));
}

#[test]
fn an_index_that_refers_to_nothing_is_rejected() {
    let bytes = lone("x");
    let body = bytes.len() - 8..bytes.len() - 7;
    for previous in [1, 9, 16, 17, 100] {
        let mut bad = bytes.clone();
        bad[body.clone()].copy_from_slice(&[previous]);
        let crc = crc32c::crc32c(&[&[previous][..], &(body.start as u64).to_le_bytes()].concat());
        bad[body.end..body.end + 4].copy_from_slice(&crc.to_le_bytes());
        assert!(matches!(defect(&bad), Defect::PreviousIndex(_) | Defect::FooterMagic));
    }
}

#[test]
fn payloads_that_change_places_are_noticed() {
    let bytes = grown();
    let c = open(&bytes).unwrap();
    let s = &c.variables()[0].segments[0];
    // Both payloads have one shape; make them one length by writing the first's bytes where the other's were.
    for (from, to) in [(0, 4), (0, 2), (4, 0)] {
        let [first, other] = [&s.chunks[from], &s.chunks[to]];
        let mut bad = bytes.clone();
        let gone = first.entry.length.min(other.entry.length) as usize;
        bad.copy_within(first.offset as usize..first.offset as usize + gone, other.offset as usize);
        let bad = open(&bad).unwrap();
        assert!(bad.payload(0, 0, to).is_err());
        assert!(bad.payload(0, 0, from).unwrap().is_some(), "the others are not touched");
    }
}

#[test]
fn concatenated_files_are_rejected() {
    let two = [lone("x"), lone("y")].concat();
    assert!(matches!(open(&two), Err(Error::Corrupt { .. })));
}
