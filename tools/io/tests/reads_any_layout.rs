//! Any box of any array reads the same whatever the order of axes and bytes in the file.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec::DType;
use scicodec_io::{ByteOrder, Format, RawLayout, RawType, open};

const SHAPES: [&[u64]; 11] = [
    &[],
    &[1],
    &[7],
    &[0],
    &[3, 5],
    &[4, 1, 6],
    &[2, 3, 4],
    &[5, 0, 2],
    &[2, 3, 2, 4],
    &[1, 2, 1, 3, 2],
    &[2, 1, 3, 2, 2, 3],
];

/// Some boxes of a shape: whole, first, last, inner, empty.
fn boxes(shape: &[u64]) -> Vec<(Vec<u64>, Vec<u64>)> {
    let zero = vec![0; shape.len()];
    let mut all = vec![(zero.clone(), shape.to_vec()), (shape.to_vec(), zero.clone())];
    if !shape.contains(&0) {
        all.push((zero, vec![1; shape.len()]));
        all.push((shape.iter().map(|n| n - 1).collect(), vec![1; shape.len()]));
        let start: Vec<u64> = shape.iter().map(|n| n / 3).collect();
        let extent = shape.iter().zip(&start).map(|(n, s)| (n - s).div_ceil(2)).collect();
        all.push((start.clone(), extent));
        // One axis cut, the others whole.
        for k in 0..shape.len() {
            let (mut s, mut e) = (vec![0; shape.len()], shape.to_vec());
            s[k] = start[k];
            e[k] = shape[k] - start[k];
            all.push((s, e));
        }
    }
    all
}

#[test]
fn every_dtype_order_version_and_rank() {
    let dir = folder();
    for (dtype, code) in DType::ALL.into_iter().zip(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
    {
        let size = dtype.size();
        for shape in SHAPES {
            for (fortran, big, version) in [(false, false, 1), (true, false, 2), (false, true, 3), (true, true, 1)] {
                let mark = match (size, big) {
                    (1, _) => "|",
                    (_, true) => ">",
                    (_, false) => "<",
                };
                let text = dict(&format!("{mark}{code}"), fortran, shape);
                let path = put(dir.path(), "a.npy", &npy(version, &text, &elements(shape, size, fortran, big)));
                let data = open(&path, None).unwrap();
                assert_eq!(data.format, Format::Npy);
                let source = &data.fields[0].source;
                assert_eq!((source.dtype(), source.shape()), (dtype, shape));
                for (start, extent) in boxes(shape) {
                    let got = read(source.as_ref(), &start, &extent);
                    assert_eq!(got, expected(&start, &extent, size), "{text} box {start:?} {extent:?}");
                }
            }
        }
    }
}

/// Rows long enough that windows, single runs and merged axes are all taken.
#[test]
fn long_and_short_runs() {
    let dir = folder();
    for shape in [&[3u64, 2000, 9][..], &[40, 3000], &[2, 3, 20_000], &[70_000, 4]] {
        for fortran in [false, true] {
            let path =
                put(dir.path(), "a.npy", &npy(1, &dict("<u8", fortran, shape), &elements(shape, 8, fortran, false)));
            let data = open(&path, None).unwrap();
            for (start, extent) in boxes(shape) {
                let got = read(data.fields[0].source.as_ref(), &start, &extent);
                assert!(got == expected(&start, &extent, 8), "{shape:?} fortran {fortran} box {start:?} {extent:?}");
            }
        }
    }
}

#[test]
fn raw_in_both_byte_orders() {
    let dir = folder();
    let shape = vec![3, 4, 5];
    for (name, big) in [("u16le", false), ("u16be", true)] {
        let path = put(dir.path(), "a.bin", &elements(&shape, 2, false, big));
        let element: RawType = name.parse().unwrap();
        assert_eq!(element.to_string(), name);
        assert_eq!(element.bytes, if big { ByteOrder::Big } else { ByteOrder::Little });
        let data = open(&path, Some(&RawLayout { element, shape: shape.clone() })).unwrap();
        assert_eq!(data.format, Format::Raw);
        let got = read(data.fields[0].source.as_ref(), &[1, 0, 2], &[2, 3, 3]);
        assert_eq!(got, expected(&[1, 0, 2], &[2, 3, 3], 2));
    }
}

#[test]
fn boxes_outside_are_refused() {
    let dir = folder();
    let path = put(dir.path(), "a.npy", &npy(1, &dict("<u2", false, &[3, 4]), &elements(&[3, 4], 2, false, false)));
    let data = open(&path, None).unwrap();
    let source = &data.fields[0].source;
    for (start, extent, n) in [
        (vec![0, 0], vec![3, 5], 30),
        (vec![3, 0], vec![1, 4], 8),
        (vec![u64::MAX, 0], vec![2, 4], 16),
        (vec![0], vec![3], 6),
        (vec![0, 0], vec![3, 4], 23),
    ] {
        assert!(source.read(&start, &extent, &mut vec![0; n]).is_err(), "{start:?} {extent:?}");
    }
}

#[test]
fn raw_type_names() {
    for bad in ["f32", "float32", "f8le", "i64", "", "le", "u7be", "F32LE"] {
        assert!(bad.parse::<RawType>().is_err(), "{bad}");
    }
    for good in ["f16le", "f64be", "i8", "u8", "i8le", "u64be", "u32le"] {
        assert!(good.parse::<RawType>().is_ok(), "{good}");
    }
}
