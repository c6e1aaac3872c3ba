//! A writer that is killed at any byte loses at most the chunk in flight.
#![allow(clippy::unwrap_used)]
mod common;
use common::*;
use scicodec_format::*;

fn recovered(bytes: &[u8]) -> (Container, Recovered) {
    let (out, report) = recover(bytes, &Limits::default(), vec![]).unwrap();
    (open(&out).unwrap(), report)
}

/// End offsets of all payloads, in the order of the file.
fn payload_ends(bytes: &[u8]) -> Vec<u64> {
    let c = open(bytes).unwrap();
    let chunks = c.variables().iter().flat_map(|v| &v.segments).flat_map(|s| &s.chunks);
    // A body inside a record is complete with the record's checksum.
    let rest = |c: &Chunk| if matches!(c.form, ChunkForm::Inside { .. }) { 4 } else { 0 };
    let mut ends: Vec<u64> = chunks.map(|c| c.offset + c.entry.length + rest(c)).collect();
    ends.sort();
    ends
}

#[test]
fn killed_at_any_byte_at_most_the_chunk_in_flight_is_lost() {
    let bytes = grown();
    let ends = payload_ends(&bytes);
    for n in 9..=bytes.len() {
        let (c, report) = recovered(&bytes[..n]);
        let complete = ends.iter().filter(|&&e| e <= n as u64).count();
        let kept = contents(&c).unwrap();
        let bodies: usize = kept.iter().map(|(_, chunks)| chunks.iter().flatten().count()).sum();
        assert_eq!(bodies, complete, "killed at {n}");
        assert_eq!(report.orphans, 0);
        for (record, chunks) in kept {
            let v = ["a", "b", "empty", "scalar", "long"].iter().position(|&n| n == record.name).unwrap() as u64;
            for (i, chunk) in chunks.iter().enumerate() {
                assert!(chunk.is_none() || chunk.as_deref() == Some(&body(v, i as u64)[..]));
            }
        }
    }
}

#[test]
fn an_intact_file_recovers_to_itself() {
    for bytes in [lone("x"), lone("a name that is too long for the head gap to hold the table too")] {
        let (out, report) = recover(&bytes, &Limits::default(), vec![]).unwrap();
        assert_eq!(out, bytes);
        assert_eq!((report.variables[0].chunks, report.variables[0].lost), (1, 0));
    }
    let bytes = grown();
    let (c, report) = recovered(&bytes);
    assert_eq!(contents(&c).unwrap(), contents(&open(&bytes).unwrap()).unwrap());
    assert!(report.variables.iter().all(|v| v.lost == 0));
    for (a, b) in c.variables().iter().zip(open(&bytes).unwrap().variables()) {
        for (a, b) in a.segments.iter().zip(&b.segments) {
            let entries = |s: &Segment| s.chunks.iter().map(|c| c.entry.range).collect::<Vec<_>>();
            assert_eq!(entries(a), entries(b), "facts of an intact index survive");
        }
    }
}

#[test]
fn single_byte_corruption_costs_at_most_the_variable_that_it_hits() {
    let bytes = grown();
    let all = payload_ends(&bytes).len();
    for i in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[i] ^= 0x10;
        let (c, report) = recovered(&bad);
        let kept: usize = contents(&c).unwrap().iter().map(|(_, chunks)| chunks.iter().flatten().count()).sum();
        // The two chunks of the second variable lie inside its records: the second record makes no sense without the first.
        let least = if kept + report.orphans as usize == all { 0 } else { all - 2 };
        assert!(kept >= least, "byte {i}: {kept} of {all}");
    }
}

#[test]
fn what_was_recovered_can_be_extended() {
    let bytes = grown();
    let cut = payload_ends(&bytes)[3] as usize + 5;
    let (c, report) = recovered(&bytes[..cut]);
    assert_eq!((report.variables[0].chunks, report.variables[0].lost), (6, 2));
    assert_eq!(c.variables()[0].shape(), [5, 4]);
    assert!(c.payload(0, 0, 5).unwrap().is_none());
    let (out, _) = recover(&bytes[..cut], &Limits::default(), vec![]).unwrap();
    let mut w = resume(&out);
    let grid = w.begin_extension(0, 3, &[2, 4]).unwrap();
    fill(&mut w, &grid, &record("a", &[5, 4], &[2, 3]), 0, 6);
    let again = finish(w);
    let c = open(&again).unwrap();
    assert_eq!(c.variables()[0].shape(), [8, 4]);
    assert_eq!(c.payload(0, 1, 0).unwrap().unwrap().body, body(0, 6));
}
