//! A region is the same bits as that part of the whole, and reads only its chunks.
#![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
mod common;
use common::*;
use scicodec::*;

/// The part of a C-ordered array, element by element.
fn part(x: &[f32], shape: &[u64], r: &Region) -> Vec<u32> {
    let mut out = vec![];
    'points: for (i, v) in x.iter().enumerate() {
        let mut rest = i as u64;
        for (n, range) in shape.iter().zip(&r.0).rev() {
            if !range.contains(&(rest % n)) {
                continue 'points;
            }
            rest /= n;
        }
        out.push(v.to_bits());
    }
    out
}

fn file(shape: &[u64], chunk: &[u64]) -> (Vec<u8>, Vec<f32>) {
    let x = wave32(shape.iter().product::<u64>() as usize);
    let mut o = options(BoundKind::Abs, 0.01);
    o.chunk = ChunkShape::Fixed(chunk.to_vec());
    let file = encode(DType::F32, shape, bytes_of(&x), &o).unwrap();
    let full = from_bytes(&decode(&file).unwrap());
    (file, full)
}

#[test]
fn region_equals_full_in_every_rank() {
    for (shape, chunk, texts) in [
        (vec![], vec![], vec![""]),
        (vec![17], vec![5], vec![":", "3:9", "16", "5:5", "-3:"]),
        (vec![9, 8], vec![4, 3], vec!["2:7,1:8", "8,7", "...,2", "0:0,:"]),
        (vec![5, 1, 6], vec![1, 1, 4], vec!["1:4,0,2:6", "4"]),
        (vec![1, 6, 5], vec![1, 2, 2], vec![":,3:6,1:4", ":,1,1"]),
        (vec![3, 4, 2, 5], vec![2, 1, 2, 3], vec!["1:3,2:4,1,0:4"]),
        (vec![2, 3, 1, 2, 3], vec![1, 2, 1, 2, 2], vec!["1,1:3,:,:,1:"]),
        (vec![2, 2, 2, 2, 2, 3], vec![2, 1, 2, 1, 2, 2], vec!["...", "0,1,0,1,0,1:3"]),
    ] {
        let (file, full) = file(&shape, &chunk);
        let reader = Reader::from_bytes(file).unwrap();
        for text in texts {
            let region = Region::parse(text, &shape).unwrap();
            let want = part(&full, &shape, &region);
            let bits = |b: &[u8]| from_bytes::<u32>(b);
            assert_eq!(bits(&reader.decode_region(0, &region, 1).unwrap()), want, "{shape:?} {text}");
            let mut stream = vec![];
            reader.decode_to(0, Some(&region), 2, &mut stream, &|_| {}).unwrap();
            assert_eq!(bits(&stream), want, "{shape:?} {text} streamed");
        }
    }
}

#[test]
fn region_reads_only_the_chunks_that_meet_it() {
    let (mut file, full) = file(&[9, 8], &[4, 3]);
    let reader = Reader::from_bytes(file.clone()).unwrap();
    let region = Region::parse("5:8,4:6", &[9, 8]).unwrap();
    for (i, c) in reader.variables()[0].chunks.iter().enumerate() {
        if i != 4 {
            file[c.offset as usize..(c.offset + c.length) as usize].fill(0xee);
        }
    }
    let poisoned = Reader::from_bytes(file).unwrap();
    let got: Vec<u32> = from_bytes(&poisoned.decode_region(0, &region, 1).unwrap());
    assert_eq!(got, part(&full, &[9, 8], &region));
    assert!(poisoned.decode(0, 1).is_err());
    assert!(poisoned.verify(&|_| {}).is_err());
}

#[test]
fn regions_that_make_no_sense_are_invalid_arguments() {
    for text in ["1:2,3", "5", "a", "1:2:2", "1:2:3:4", "::-1", "1.5", "-6"] {
        assert!(matches!(Region::parse(text, &[5]), Err(Error::InvalidArgument(_))), "{text}");
    }
    for (text, range) in [("7:9", 5..5), ("-2:", 3..5), ("::1", 0..5), ("4:2", 4..4), ("-9:2", 0..2), ("-1", 4..5)] {
        assert_eq!(Region::parse(text, &[5]).unwrap().0, [range], "{text}");
    }
    let (file, _) = file(&[9, 8], &[4, 3]);
    let reader = Reader::from_bytes(file).unwrap();
    assert!(reader.decode_region(0, &Region(vec![0..10, 0..8]), 1).is_err());
    assert!(reader.decode_region(0, &Region([0..9].into()), 1).is_err());
    assert!(reader.decode(1, 1).is_err());
}
