//! Chunks beside others: smaller, exact, in parts, and in error where what they need is not there.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;
use common::*;
use scicodec::*;
use std::path::Path;

/// Two fields with the same fronts, of which the second follows the first by a slope that changes from place to place.
fn pair(n: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
    let noise = wave(n[0] * n[1]);
    let mut first = vec![];
    let mut second = vec![];
    for (i, noise) in noise.iter().enumerate() {
        let (y, x) = ((i / n[1]) as f64, (i % n[1]) as f64);
        let front = if (x - 0.6 * y).sin() > 0.3 { 1.0 } else { 0.0 };
        let rough = (x * 0.9).sin() * (y * 1.3).cos() + front;
        let slope = 1.0 + 0.5 * (x / 40.0).sin();
        first.push((rough + 1e-3 * noise) as f32);
        second.push((50.0 * slope * rough + 0.2 * x) as f32);
    }
    (first, second)
}

fn asked(condition_on: ConditionOn) -> EncodeOptions {
    let mut o = EncodeOptions::new(bound(BoundKind::Rel, 1e-3));
    (o.threads, o.condition_on) = (1, condition_on);
    o
}

/// A file of these variables, each added with its options.
fn file(path: &Path, variables: &[(&str, &[u64], &[f32], &EncodeOptions)]) -> Result<Vec<VariableReport>, Error> {
    let mut encoder = Encoder::create(path, Overwrite::Replace)?;
    let mut reports = vec![];
    for (name, shape, values, options) in variables {
        let source = SliceSource::new(DType::F32, shape, bytes_of(values))?;
        reports.push(encoder.add_variable(&meta(name), &source, options, &|_| {})?);
    }
    encoder.finish()?;
    Ok(reports)
}

fn max_error(x: &[f32], decoded: &[u8]) -> f64 {
    x.iter().zip(from_bytes::<f32>(decoded)).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max)
}

#[test]
fn what_is_known_makes_a_variable_smaller_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.scz");
    let (a, b) = pair([96, 80]);
    let shape = [96, 80];
    let size = |condition: ConditionOn| {
        let o = asked(condition);
        let reports = file(&path, &[("a", &shape, &a, &o), ("b", &shape, &b, &o)]).unwrap();
        (reports[1].compressed_bytes, reports[1].conditioned)
    };
    let (without, none) = size(ConditionOn::None);
    let (with, one) = size(ConditionOn::Auto);
    assert_eq!((none, one), (0, 1));
    assert!(with * 10 < without * 9, "{with} of {without} bytes");
    assert_eq!(size(ConditionOn::Names(vec!["a".into()])), (with, 1));
    let reader = Reader::open(&path).unwrap();
    let variable = &reader.variables()[1];
    assert_eq!(reader.conditioned_on(variable).into_values().collect::<Vec<_>>(), [1]);
    assert_eq!(variable.chunks[0].references, [ChunkRef { variable: 0, chunk: 0 }]);
    assert!(reader.conditioned_on(&reader.variables()[0]).is_empty());
    assert!(max_error(&b, &reader.decode(1, 1).unwrap()) <= variable.chunks[0].max_error.unwrap());
    let o = asked(ConditionOn::Names(vec!["c".into()]));
    assert!(matches!(file(&path, &[("a", &shape, &a, &o)]), Err(Error::InvalidArgument(_))));
}

/// Fields that a wavelet codes best, the second a multiple of the first besides what is its own.
fn rough_pair(n: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
    let noise = wave(n[0] * n[1]);
    let rough = |y: f64, x: f64| {
        (1..40).map(|k| (f64::from(k * k % 17) * y / 9.0 + f64::from(k) * x / 12.0).sin() / f64::from(k)).sum::<f64>()
    };
    let at = |i: usize| ((i / n[1]) as f64, (i % n[1]) as f64);
    let first: Vec<f64> = (0..n[0] * n[1]).map(|i| rough(at(i).0, at(i).1) + 1e-3 * noise[i]).collect();
    let second = (0..first.len()).map(|i| -30.0 * first[i] + (0.02 * at(i).0 * at(i).1).sin());
    (first.iter().map(|&v| v as f32).collect(), second.map(|v| v as f32).collect())
}

#[test]
fn wavelets_leave_out_what_is_known() {
    let (a, b) = rough_pair([80, 96]);
    for bound in [ChunkBound::Rmse(0.6), ChunkBound::Abs(3.0)] {
        let request = ChunkRequest {
            dtype: DType::F32,
            shape: &[80, 96],
            data: bytes_of(&b),
            bound,
            fill: None,
            effort: Effort::Default,
            model: ModelChoice::None,
        };
        let reference = Reference { dtype: DType::F32, data: bytes_of(&a), fill: None };
        let alone = encode_chunk(&request).unwrap();
        let coded = encode_chunk_beside(&request, &[reference]).unwrap();
        assert_eq!((coded.base, &coded.references[..]), (36, &[0][..]), "{bound:?}");
        assert!(coded.body.len() * 2 < alone.body.len(), "{} of {}", coded.body.len(), alone.body.len());
        let back = decode_chunk_beside(DType::F32, &[80, 96], coded.base, &coded.body, None, &[reference]).unwrap();
        let errors = b.iter().zip(from_bytes::<f32>(&back)).map(|(x, y)| f64::from(x - y));
        match bound {
            ChunkBound::Rmse(e) => assert!((errors.map(|d| d * d).sum::<f64>() / b.len() as f64).sqrt() <= e),
            ChunkBound::Abs(e) => assert!(errors.fold(0.0, |m: f64, d| m.max(d.abs())) <= e),
            _ => {}
        }
        // A kind that there is not, a logarithm, and weights that are cut off.
        let wrong = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut body = coded.body.clone();
            change(&mut body);
            decode_chunk_beside(DType::F32, &[80, 96], coded.base, &body, None, &[reference])
        };
        assert!(matches!(wrong(&|b| b[1] = 1), Err(Error::Corrupt { section: "8.10", .. })));
        assert!(matches!(wrong(&|b| b[0] |= 4), Err(Error::Corrupt { section: "4", .. })));
        assert!(wrong(&|b| b.truncate(4)).is_err());
    }
}

#[test]
fn regions_and_threads_give_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = pair([60, 70]);
    let c: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 3.0 * a - 0.1 * b).collect();
    let shape = [60, 70];
    let mut files = vec![];
    for threads in [1, 3] {
        let path = folder.path().join(format!("{threads}.scz"));
        let mut o = asked(ConditionOn::Auto);
        (o.threads, o.chunk) = (threads, ChunkShape::Fixed(vec![32, 40]));
        file(&path, &[("a", &shape, &a, &o), ("b", &shape, &b, &o), ("c", &shape, &c, &o)]).unwrap();
        files.push(std::fs::read(&path).unwrap());
    }
    assert!(files[0] == files[1], "other threads, other bytes");
    let reader = Reader::from_bytes(files[0].clone()).unwrap();
    assert!(reader.variables()[2].chunks.iter().any(|c| !c.references.is_empty()));
    let whole = reader.decode(2, 2).unwrap();
    let region = Region::parse("20:50,33:60", &shape).unwrap();
    let part = reader.decode_region(2, &region, 1).unwrap();
    for (k, v) in from_bytes::<f32>(&part).iter().enumerate() {
        let i = (20 + k / 27) * 70 + 33 + k % 27;
        assert_eq!(v.to_bits(), from_bytes::<f32>(&whole)[i].to_bits());
    }
    assert_eq!(reader.verify(&|_| {}).unwrap().chunks, 12);
}

#[test]
fn masks_of_either_side_are_kept() {
    let (mut a, mut b) = pair([64, 64]);
    for i in 0..64 {
        a[i * 64 + 5] = f32::NAN;
        a[i * 64 + 6] = -999.0;
        b[i * 7] = f32::from_bits(0x7fc0_1234);
        b[i * 64 + 9] = f32::INFINITY;
        b[i * 64 + 10] = 7.0;
    }
    for (bound, rows) in [(ChunkBound::Abs(0.05), 64), (ChunkBound::Rmse(0.02), 64), (ChunkBound::Abs(1e-4), 64)] {
        let shape = [rows, 64];
        let request = ChunkRequest {
            dtype: DType::F32,
            shape: &shape,
            data: bytes_of(&b),
            bound,
            fill: Some(u64::from(7f32.to_bits())),
            effort: Effort::Default,
            model: ModelChoice::Default,
        };
        let fill = Some(u64::from((-999f32).to_bits()));
        let reference = Reference { dtype: DType::F32, data: bytes_of(&a), fill };
        let coded = encode_chunk_beside(&request, &[reference]).unwrap();
        assert_eq!(coded.references, [0], "{bound:?}");
        let back = decode_chunk_beside(DType::F32, &shape, coded.base, &coded.body, None, &[reference]).unwrap();
        let (mut sum, mut max, mut n) = (0.0, 0.0f64, 0.0);
        for (x, y) in b.iter().zip(from_bytes::<f32>(&back)) {
            if !x.is_finite() || *x == 7.0 {
                assert_eq!(x.to_bits(), y.to_bits());
                continue;
            }
            let e = f64::from(*x) - f64::from(y);
            (sum, max, n) = (sum + e * e, max.max(e.abs()), n + 1.0);
        }
        match bound {
            ChunkBound::Rmse(e) => assert!((sum / n).sqrt() <= e),
            ChunkBound::Abs(e) => assert!(max <= e, "{max} over {e}"),
            _ => {}
        }
        // Without what it needs it is refused, and so is something of another size.
        assert!(decode_chunk(DType::F32, &shape, coded.base, &coded.body).is_err());
        let short = Reference { data: &reference.data[4..], ..reference };
        assert!(matches!(
            decode_chunk_beside(DType::F32, &shape, coded.base, &coded.body, None, &[short]),
            Err(Error::InvalidArgument(_))
        ));
    }
}

#[test]
fn references_of_every_kind_say_what_they_can() {
    let (a, b) = pair([40, 50]);
    let shape = [40, 50];
    let request = ChunkRequest {
        dtype: DType::F32,
        shape: &shape,
        data: bytes_of(&b),
        bound: ChunkBound::Abs(0.01),
        fill: None,
        effort: Effort::Default,
        model: ModelChoice::Default,
    };
    let plain = encode_chunk(&request).unwrap();
    let nan = vec![f64::NAN; 2000];
    let huge: Vec<f64> = a.iter().map(|&v| f64::from(v) * 1e149).collect();
    let tiny: Vec<f64> = a.iter().map(|&v| f64::from(v) * 1e-300).collect();
    let constant = vec![3i16; 2000];
    let whole: Vec<i16> = a.iter().map(|v| (v * 1000.0) as i16).collect();
    for (dtype, data, useful) in [
        (DType::F64, bytes_of(&nan), false),
        (DType::F64, bytes_of(&huge), true),
        (DType::F64, bytes_of(&tiny), false),
        (DType::I16, bytes_of(&constant), false),
        (DType::I16, bytes_of(&whole), true),
    ] {
        let reference = Reference { dtype, data, fill: None };
        let coded = encode_chunk_beside(&request, &[reference]).unwrap();
        assert!(coded.body.len() <= plain.body.len());
        assert!(!useful || coded.references == [0], "{dtype:?}");
        let used: Vec<_> = coded.references.iter().map(|_| reference).collect();
        let back = decode_chunk_beside(DType::F32, &shape, coded.base, &coded.body, None, &used).unwrap();
        assert!(max_error(&b, &back) <= 0.01);
    }
}

#[test]
fn steps_that_are_appended_know_the_steps_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.scz");
    let (a, _) = pair([48, 64]);
    let later: Vec<f32> = a.iter().map(|v| v * 1.02 + 0.01).collect();
    let o = asked(ConditionOn::Auto);
    file(&path, &[("a", &[1, 48, 64], &a, &o)]).unwrap();
    for _ in 0..6 {
        let mut encoder = Encoder::append(&path).unwrap();
        let source = SliceSource::new(DType::F32, &[1, 48, 64], bytes_of(&later)).unwrap();
        encoder.extend_variable("a", &source, &o, &|_| {}).unwrap();
        encoder.finish().unwrap();
    }
    let reader = Reader::open(&path).unwrap();
    let v = &reader.variables()[0];
    assert_eq!(v.chunks[1].references, [ChunkRef { variable: 0, chunk: 0 }]);
    assert!(v.chunks[1].length * 2 < v.chunks[0].length, "{:?}", v.chunks.iter().map(|c| c.length).collect::<Vec<_>>());
    // A chain ends before it becomes dear.
    assert!(v.chunks[5].references.is_empty(), "five links");
    let all = from_bytes::<f32>(&reader.decode(0, 2).unwrap());
    assert!(max_error(&later, bytes_of(&all[6 * a.len()..])) <= v.chunks[6].max_error.unwrap());
}

#[test]
fn what_is_lost_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.scz");
    let (a, b) = pair([128, 128]);
    let (x, y) = pair([30, 30]);
    let shape = [128, 128];
    let mut o = asked(ConditionOn::Auto);
    o.bound = bound(BoundKind::Rel, 1e-5);
    o.chunk = ChunkShape::Fixed(vec![64, 128]);
    let none = asked(ConditionOn::None);
    file(&path, &[("x", &[30, 30], &x, &none), ("a", &shape, &a, &o), ("b", &shape, &b, &o), ("y", &[30, 30], &y, &o)])
        .unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let reader = Reader::from_bytes(bytes.clone()).unwrap();
    assert_eq!(reader.variables()[2].chunks[0].references, [ChunkRef { variable: 1, chunk: 0 }]);
    let recovered = |damage: &[usize]| {
        let mut bad = bytes.clone();
        damage.iter().for_each(|&at| bad[at] ^= 255);
        let (bad_path, good_path) = (folder.path().join("bad.scz"), folder.path().join("good.scz"));
        std::fs::write(&bad_path, &bad).unwrap();
        recover_to(&bad_path, &good_path, Overwrite::Replace).unwrap();
        Reader::open(&good_path).unwrap()
    };
    // One chunk of the parent: the chunk that needs it says so, the other decodes.
    let half = recovered(&[reader.variables()[1].chunks[0].offset as usize + 2000]);
    let Err(Error::MissingReference { variable, chunk: 0, child_variable, child: 0 }) = half.decode(2, 1) else {
        panic!("decoded without what it needs")
    };
    assert_eq!((&variable[..], &child_variable[..]), ("a", "b"));
    let rest = Region::parse("64:128,:", &shape).unwrap();
    let (whole, part) = (reader.decode(2, 1).unwrap(), half.decode_region(2, &rest, 1).unwrap());
    assert!(part == whole[whole.len() / 2..]);
    // The first variable is lost: ordinals change, references with them.
    let shifted = recovered(&[15]);
    assert_eq!(shifted.variables()[1].chunks[0].references, [ChunkRef { variable: 0, chunk: 0 }]);
    assert!(shifted.decode(1, 1).unwrap() == whole);
    // The parent's record is lost: what needs it is lost with it, what does not is kept.
    let record = (0..bytes.len()).find(|&i| bytes[i..].starts_with(b"\x01a")).unwrap();
    let orphaned = recovered(&[record]);
    let names: Vec<&str> = orphaned.variables().iter().map(|v| &v.name[..]).collect();
    assert!(!names.contains(&"a") && names.contains(&"x") && names.contains(&"y"), "{names:?}");
}
