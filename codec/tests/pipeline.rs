//! Files: determinism, growth, nothing left behind, and every damage noticed.
#![allow(clippy::unwrap_used)]
mod common;
use common::*;
use scicodec::*;
use std::cell::Cell;
use std::fs;

fn names_in(dir: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn determinism_over_thread_counts() {
    let x = wave32(60 * 50);
    let files: Vec<Vec<u8>> = [1, 2, 3, 8]
        .iter()
        .map(|&threads| {
            let mut o = options(BoundKind::Rel, 1e-3);
            (o.threads, o.chunk) = (threads, ChunkShape::Fixed(vec![7, 11]));
            encode(DType::F32, &[60, 50], bytes_of(&x), &o).unwrap()
        })
        .collect();
    assert!(files.iter().all(|f| *f == files[0]));
    let reader = Reader::from_bytes(files[0].clone()).unwrap();
    assert_eq!(reader.decode(0, 1).unwrap(), reader.decode(0, 4).unwrap());
}

#[test]
fn threads_that_help_with_one_chunk_change_nothing() {
    for (kind, n) in [(BoundKind::Rel, 60), (BoundKind::Nrmse, 60), (BoundKind::Nrmse, 400)] {
        let x = wave32(n * 300);
        let files = [1, 2, 8].map(|threads| {
            let mut o = options(kind, 1e-2);
            (o.threads, o.chunk) = (threads, ChunkShape::Fixed(vec![n as u64, 300]));
            encode(DType::F32, &[n as u64, 300], bytes_of(&x), &o).unwrap()
        });
        assert!(files.iter().all(|f| *f == files[0]), "{kind:?} {n}");
    }
}

#[test]
fn chunks_that_follow_others_keep_their_bounds_for_any_thread_count() {
    // Chunks large enough to follow those that go ahead; one of them all missing.
    let [n, rows, columns] = [5usize, 256, 320];
    let mut x: Vec<f32> = (0..n * rows * columns)
        .map(|i| {
            let [t, y, x] = [i / (rows * columns), i / columns % rows, i % columns].map(|k| k as f64);
            ((0.05 * x + 0.3 * t).sin() * (0.04 * y).cos() + 0.02 * (x * y * 0.01).sin()) as f32
        })
        .collect();
    x[2 * rows * columns..3 * rows * columns].fill(f32::NAN);
    let shape = [n as u64, rows as u64, columns as u64];
    for (kind, bound) in [(BoundKind::Rel, 1e-3), (BoundKind::Nrmse, 1e-2), (BoundKind::PwRel, 1e-2)] {
        let files = [1, 2].map(|threads| {
            let mut o = options(kind, bound);
            (o.threads, o.chunk) = (threads, ChunkShape::Fixed(vec![1, rows as u64, columns as u64]));
            encode(DType::F32, &shape, bytes_of(&x), &o).unwrap()
        });
        assert_eq!(files[0], files[1], "{kind:?}");
        let y: Vec<f32> = from_bytes(&decode(&files[0]).unwrap());
        let pairs = || x.iter().zip(&y).filter(|(a, _)| !a.is_nan()).map(|(&a, &b)| (f64::from(a), f64::from(b)));
        assert!(x.iter().zip(&y).all(|(a, b)| a.is_nan() == b.is_nan()));
        let (lo, hi) = pairs().fold((f64::MAX, f64::MIN), |(lo, hi), (a, _)| (lo.min(a), hi.max(a)));
        let kept = match kind {
            BoundKind::Rel => pairs().all(|(a, b)| (a - b).abs() <= bound * (hi - lo)),
            BoundKind::PwRel => pairs().all(|(a, b)| (a - b).abs() <= bound * a.abs()),
            _ => {
                let mean = pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / pairs().count() as f64;
                mean.sqrt() <= bound * (hi - lo)
            }
        };
        assert!(kept, "{kind:?}");
    }
}

#[test]
fn round_trip_of_every_dtype_rank_and_extent() {
    for shape in [
        vec![],
        vec![0],
        vec![1],
        vec![13],
        vec![0, 5],
        vec![1, 1],
        vec![6, 7],
        vec![3, 0, 2],
        vec![3, 1, 5],
        vec![1, 2, 1, 3],
        vec![2, 1, 2, 1, 3],
        vec![2, 1, 3, 1, 2, 2],
    ] {
        let n = shape.iter().product::<u64>() as usize;
        for dtype in DType::ALL {
            // Every second byte large: NaNs, negative numbers and denormals among them.
            let bytes: Vec<u8> = (0..n * dtype.size()).map(|i| (i * 89 % 251) as u8).collect();
            for chunk in [ChunkShape::Auto, ChunkShape::Fixed(vec![2; shape.len()])] {
                let mut o = options(BoundKind::Lossless, 0.0);
                o.chunk = chunk;
                let file = encode(dtype, &shape, &bytes, &o).unwrap();
                let reader = Reader::from_bytes(file).unwrap();
                assert_eq!(reader.variables()[0].shape, shape);
                assert_eq!(reader.decode(0, 1).unwrap(), bytes, "{dtype:?} {shape:?}");
                let report = reader.verify(&|_| {}).unwrap();
                assert_eq!(report.raw_bytes, bytes.len() as u64);
            }
        }
    }
}

#[test]
fn memory_of_the_callers_is_filled_or_refused() {
    let x = wave32(20 * 30);
    let mut o = options(BoundKind::Abs, 1e-3);
    o.chunk = ChunkShape::Fixed(vec![7, 11]);
    let reader = Reader::from_bytes(encode(DType::F32, &[20, 30], bytes_of(&x), &o).unwrap()).unwrap();
    let region = Region(vec![3..12, 5..29]);
    let mut out = vec![0xa5; 9 * 24 * 4];
    reader.decode_region_into(0, &region, 3, &mut out).unwrap();
    assert_eq!(out, reader.decode_region(0, &region, 1).unwrap());
    for size in [0, out.len() - 1, out.len() + 4] {
        let refused = reader.decode_region_into(0, &region, 1, &mut vec![0; size]);
        assert!(matches!(refused, Err(Error::InvalidArgument(_))), "{size}");
    }
}

#[test]
fn single_byte_corruption_is_detected_or_harmless() {
    let x = wave32(12 * 10);
    let mut o = options(BoundKind::Abs, 0.05);
    o.chunk = ChunkShape::Fixed(vec![6, 10]);
    let file = encode(DType::F32, &[12, 10], bytes_of(&x), &o).unwrap();
    let good = decode(&file).unwrap();
    for i in 0..file.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bad = file.clone();
            bad[i] ^= change;
            assert!(decode(&bad).is_err() || decode(&bad).unwrap() == good, "byte {i}");
        }
    }
    for n in 0..file.len() {
        assert!(decode(&file[..n]).is_err(), "truncation at {n}");
    }
}

#[test]
fn a_file_grows_by_variables_and_by_steps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.scz");
    let x = wave32(10 * 20);
    let o = options(BoundKind::Rel, 1e-3);
    let source = |from: usize, to: usize| {
        SliceSource::new(DType::F32, &[(to - from) as u64, 20], bytes_of(&x[from * 20..to * 20])).unwrap()
    };
    let mut e = Encoder::create(&path, Overwrite::Refuse).unwrap();
    let first = e.add_variable(&meta("a"), &source(0, 4), &o, &|_| {}).unwrap();
    assert!(e.add_variable(&meta("a"), &source(0, 4), &o, &|_| {}).is_err(), "a name is taken once");
    e.finish().unwrap();

    let mut e = Encoder::append(&path).unwrap();
    let more = e.extend_variable("a", &source(4, 7), &o, &|_| {}).unwrap();
    assert_eq!(more.chunk_bound, first.chunk_bound, "the range is that of the first segment");
    e.add_variable(&meta("b"), &source(0, 1), &o, &|_| {}).unwrap();
    e.extend_variable("a", &source(7, 9), &o, &|_| {}).unwrap();
    e.extend_variable("b", &source(9, 10), &o, &|_| {}).unwrap();
    let report = e.finish().unwrap();
    assert_eq!(report.length, fs::metadata(&path).unwrap().len());

    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.variables()[0].shape, [9, 20]);
    assert_eq!(reader.variables()[0].chunk_bound, Some(first.chunk_bound));
    let y: Vec<f32> = from_bytes(&reader.decode(0, 2).unwrap());
    let ChunkBound::Abs(most) = first.chunk_bound else { panic!("rel is resolved to abs") };
    assert!(x.iter().zip(&y).all(|(a, b)| f64::from(a - b).abs() <= most));
    let across = Region::parse("3:8,5:7", &[9, 20]).unwrap();
    let part: Vec<f32> = from_bytes(&reader.decode_region(0, &across, 1).unwrap());
    assert_eq!(part[..2], y[3 * 20 + 5..3 * 20 + 7]);
    assert_eq!(part[8..], y[7 * 20 + 5..7 * 20 + 7]);
    let mut stream = vec![];
    reader.decode_to(0, None, 2, &mut stream, &|_| {}).unwrap();
    assert_eq!(stream, bytes_of(&y));

    let mut e = Encoder::append(&path).unwrap();
    let invalid = |r: Result<VariableReport, Error>| matches!(r, Err(Error::InvalidArgument(_)));
    assert!(invalid(e.extend_variable("z", &source(0, 1), &o, &|_| {})));
    assert!(invalid(e.extend_variable("a", &source(0, 1), &options(BoundKind::Rel, 1e-2), &|_| {})));
    let narrow = SliceSource::new(DType::F32, &[2, 10], bytes_of(&x[..20])).unwrap();
    assert!(invalid(e.extend_variable("a", &narrow, &o, &|_| {})));
    drop(e);
    assert_eq!(report.length, fs::metadata(&path).unwrap().len(), "a dropped append leaves the file as it was");
    assert_eq!(names_in(dir.path()), ["f.scz"]);
}

#[test]
fn an_l2_bound_cannot_be_extended() {
    let x = wave32(20);
    let o = options(BoundKind::L2, 1.0);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.scz");
    let source = SliceSource::new(DType::F32, &[4, 5], bytes_of(&x)).unwrap();
    let mut e = Encoder::create(&path, Overwrite::Refuse).unwrap();
    e.add_variable(&meta("a"), &source, &o, &|_| {}).unwrap();
    assert!(matches!(e.extend_variable("a", &source, &o, &|_| {}), Err(Error::InvalidArgument(_))));
    e.finish().unwrap();
}

/// A source that fails when it is read for the `n`th time.
struct Failing<'a>(SliceSource<'a>, std::sync::atomic::AtomicU32);

impl Source for Failing<'_> {
    fn dtype(&self) -> DType {
        self.0.dtype()
    }
    fn shape(&self) -> &[u64] {
        self.0.shape()
    }
    fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error> {
        if self.1.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            return Err(std::io::Error::other("the source failed").into());
        }
        self.0.read(start, extent, out)
    }
}

#[test]
fn errors_and_drops_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.scz");
    let x = wave32(100);
    let source = SliceSource::new(DType::F32, &[10, 10], bytes_of(&x)).unwrap();
    let mut o = options(BoundKind::Abs, 0.1);
    o.chunk = ChunkShape::Fixed(vec![1, 10]);
    for threads in [1, 3] {
        o.threads = threads;
        let mut e = Encoder::create(&path, Overwrite::Refuse).unwrap();
        let failing = Failing(source.clone(), 5.into());
        assert!(matches!(e.add_variable(&meta("a"), &failing, &o, &|_| {}), Err(Error::Io(_))));
        assert!(e.add_variable(&meta("b"), &source, &o, &|_| {}).is_err(), "a broken file takes nothing more");
        assert!(e.finish().is_err());
        assert!(names_in(dir.path()).is_empty());
    }
    let e = Encoder::create(&path, Overwrite::Refuse).unwrap();
    assert_eq!(names_in(dir.path()).len(), 1);
    drop(e);
    assert!(names_in(dir.path()).is_empty());

    fs::write(&path, b"precious").unwrap();
    assert!(matches!(Encoder::create(&path, Overwrite::Refuse), Err(Error::Io(_))));
    let mut e = Encoder::create(&path, Overwrite::Replace).unwrap();
    e.add_variable(&meta("a"), &source, &o, &|_| {}).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"precious", "replaced only when complete");
    e.finish().unwrap();
    assert!(Reader::open(&path).is_ok());
    assert_eq!(names_in(dir.path()), ["f.scz"]);
}

#[test]
fn killed_while_appending_the_rest_is_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let (path, torn, out) = (dir.path().join("f.scz"), dir.path().join("torn.scz"), dir.path().join("out.scz"));
    let x = wave32(8 * 6);
    let mut o = options(BoundKind::Abs, 0.1);
    o.chunk = ChunkShape::Fixed(vec![2, 6]);
    let source = SliceSource::new(DType::F32, &[4, 6], bytes_of(&x[..24])).unwrap();
    let more = SliceSource::new(DType::F32, &[4, 6], bytes_of(&x[24..])).unwrap();
    let mut e = Encoder::create(&path, Overwrite::Refuse).unwrap();
    e.add_variable(&meta("a"), &source, &o, &|_| {}).unwrap();
    let before = e.finish().unwrap().length as usize;
    let mut e = Encoder::append(&path).unwrap();
    e.extend_variable("a", &more, &o, &|_| {}).unwrap();
    e.finish().unwrap();
    let whole = fs::read(&path).unwrap();
    let full = Reader::open(&path).unwrap().decode(0, 1).unwrap();
    for n in before..=whole.len() {
        fs::write(&torn, &whole[..n]).unwrap();
        assert!(n == before || n == whole.len() || Reader::open(&torn).is_err());
        recover_to(&torn, &out, Overwrite::Replace).unwrap();
        let reader = Reader::open(&out).unwrap();
        let v = &reader.variables()[0];
        assert!(v.shape == [4, 6] || v.shape == [8, 6]);
        for (rows, chunk) in (0..v.shape[0]).step_by(2).zip(&v.chunks) {
            let region = Region(vec![rows..rows + 2, 0..6]);
            match reader.decode_region(0, &region, 1) {
                Ok(bytes) => assert_eq!(bytes, full[rows as usize * 24..][..48]),
                Err(Error::MissingChunk { .. }) => assert_eq!(chunk.length, 0),
                Err(e) => panic!("{e}"),
            }
        }
        assert!(v.chunks[..2].iter().all(|c| c.length > 0 && c.max_error.is_some()));
    }
    assert!(matches!(recover(&torn, &out), Err(Error::Io(_))), "recover does not overwrite");
}

#[test]
fn progress_reaches_its_total() {
    let x = wave32(100);
    let source = SliceSource::new(DType::F32, &[10, 10], bytes_of(&x)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.scz");
    let mut o = options(BoundKind::Abs, 0.1);
    o.chunk = ChunkShape::Fixed(vec![3, 10]);
    let last = Cell::new(None);
    let mut e = Encoder::create(&path, Overwrite::Refuse).unwrap();
    let report = e.add_variable(&meta("a"), &source, &o, &|p| last.set(Some(p))).unwrap();
    e.finish().unwrap();
    let p = last.take().unwrap();
    assert_eq!((p.done, p.total, p.coded), (400, 400, report.compressed_bytes));
    let reader = Reader::open(&path).unwrap();
    reader.decode_to(0, None, 1, &mut vec![], &|p| last.set(Some(p))).unwrap();
    assert_eq!((last.get().unwrap().done, last.get().unwrap().coded), (400, report.compressed_bytes));
}

#[test]
fn limits_hold() {
    let x = wave32(100);
    let mut limits = Limits::default();
    limits.decoded_bytes = 399;
    let file = encode(DType::F32, &[100], bytes_of(&x), &options(BoundKind::Abs, 0.1)).unwrap();
    let reader = Reader::from_bytes_with_limits(file, limits).unwrap();
    assert!(matches!(reader.decode(0, 1), Err(Error::Limit { limit: 399, asked: 400, .. })));
    let source = SliceSource::new(DType::U8, &[0, 7], &[]).unwrap();
    let mut o = options(BoundKind::Lossless, 0.0);
    o.chunk = ChunkShape::Fixed(vec![0, 1]);
    assert!(matches!(encode_to_vec(&meta("v"), &source, &o), Err(Error::InvalidArgument(_))));
}
