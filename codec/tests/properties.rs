//! Every type, rank, extent, bound and effort, on fields of every kind: bounds hold by an independent check, what must
//! keep its bits keeps them, and what is written can be read.
#![allow(clippy::unwrap_used)]
#[path = "common/field.rs"]
mod field;
#[path = "common/oracle.rs"]
mod oracle;
use field::{KINDS, Kind};
use proptest::prelude::*;
use scicodec::*;

/// How a bound is derived from a field.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Lossless,
    /// Absolute: this fraction of the field's width.
    Abs(f64),
    /// Absolute: this many steps of the type at the largest magnitude.
    AbsUlps(f64),
    /// Absolute: this number, whatever the field.
    AbsRaw(f64),
    PwRel(f64),
    /// Root of the mean square: this fraction of the field's width.
    Rmse(f64),
    RmseRaw(f64),
}

#[derive(Clone, Debug)]
struct Case {
    dtype: DType,
    shape: Vec<usize>,
    kind: Kind,
    seed: u64,
    ask: Ask,
    effort: Effort,
}

fn asks(dtype: DType) -> BoxedStrategy<Ask> {
    let fraction = || (0i32..8).prop_map(|k| 10f64.powi(-k));
    let raw = || {
        prop::sample::select(vec![
            0.0,
            5e-324,
            1e-310,
            1e-300,
            1e-45,
            1e-40,
            0.25,
            0.5,
            1.0,
            3.7,
            1e9,
            1e15,
            1e18,
            1e30,
            1e300,
            f64::MAX,
        ])
    };
    let mut all = vec![
        Just(Ask::Lossless).boxed(),
        fraction().prop_map(Ask::Abs).boxed(),
        prop::sample::select(vec![0.3, 0.5, 1.0, 1.5, 3.0, 40.0]).prop_map(Ask::AbsUlps).boxed(),
        raw().prop_map(Ask::AbsRaw).boxed(),
    ];
    if dtype.is_float() {
        let relative =
            prop::sample::select(vec![1e-1, 1e-2, 1e-3, 1e-5, 1e-8, 1e-12, 1e-16, 1e-20, 0.9, 1.0, 7.0, 1e300]);
        all.push(relative.prop_map(Ask::PwRel).boxed());
        all.push(fraction().prop_map(Ask::Rmse).boxed());
        all.push(raw().prop_map(Ask::RmseRaw).boxed());
    }
    prop::strategy::Union::new(all).boxed()
}

/// Shapes of rank 0 to 6 with at most a few hundred elements.
fn shapes() -> BoxedStrategy<Vec<usize>> {
    let extents = |most: usize| prop_oneof![1 => Just(0usize), 3 => Just(1usize), 16 => 2..=most];
    prop_oneof![
        1 => Just(vec![]),
        4 => extents(400).prop_map(|n| vec![n]),
        4 => prop::collection::vec(extents(23), 2),
        4 => prop::collection::vec(extents(8), 3),
        2 => prop::collection::vec(extents(5), 4),
        1 => prop::collection::vec(extents(3), 5),
        1 => prop::collection::vec(extents(3), 6),
    ]
    .boxed()
}

fn cases() -> impl Strategy<Value = Case> {
    let dtype = prop::sample::select(vec![DType::F32, DType::F64, DType::F32, DType::F64])
        .prop_union(prop::sample::select(DType::ALL.to_vec()));
    dtype.prop_flat_map(|dtype| {
        let effort = prop::sample::select(vec![Effort::Fast, Effort::Default, Effort::Max]);
        (Just(dtype), shapes(), prop::sample::select(KINDS.to_vec()), any::<u64>(), asks(dtype), effort)
            .prop_map(|(dtype, shape, kind, seed, ask, effort)| Case { dtype, shape, kind, seed, ask, effort })
    })
}

impl Case {
    fn fill(&self) -> Option<u64> {
        (self.kind == Kind::Filled).then(|| field::fill_bits(self.dtype))
    }

    /// The bound, once the field is known; never one that makes no sense.
    fn bound(&self, bits: &[u64]) -> ChunkBound {
        let found = oracle::compare(self.dtype, bits, bits, self.fill(), |_| None).unwrap();
        let width = found.width().min(f64::MAX);
        let largest = found.range.map_or(0.0, |(lo, hi)| lo.abs().max(hi.abs()));
        let ulp = match self.dtype {
            DType::F16 => largest * 2f64.powi(-10),
            DType::F32 => largest * 2f64.powi(-23),
            DType::F64 => largest * 2f64.powi(-52),
            _ => 1.0,
        };
        match self.ask {
            Ask::Lossless => ChunkBound::Lossless,
            Ask::Abs(f) => ChunkBound::Abs(f * width),
            Ask::AbsUlps(k) => ChunkBound::Abs((k * ulp).min(f64::MAX)),
            Ask::AbsRaw(e) => ChunkBound::Abs(e),
            Ask::PwRel(e) => ChunkBound::PwRel(e),
            Ask::Rmse(f) => ChunkBound::Rmse(f * width),
            Ask::RmseRaw(e) => ChunkBound::Rmse(e),
        }
    }
}

fn check_chunk(case: &Case) -> Result<(), String> {
    let bits = field::bits(case.kind, case.dtype, &case.shape, case.seed);
    let data = field::to_bytes(case.dtype, &bits);
    let bound = case.bound(&bits);
    let Case { dtype, effort, .. } = *case;
    let fill = case.fill();
    let request =
        ChunkRequest { dtype, shape: &case.shape, data: &data, bound, fill, effort, model: ModelChoice::Default };
    let coded = encode_chunk(&request).map_err(|e| format!("{bound:?}: encode: {e}"))?;
    let name = coded.stats.base;
    let back = decode_chunk(dtype, &case.shape, coded.base, &coded.body)
        .map_err(|e| format!("{bound:?}: {name}: decode: {e}"))?;
    let found = oracle::chunk_keeps(dtype, &bits, &field::from_bytes(dtype, &back), bound, fill)
        .map_err(|e| format!("{bound:?}: {name}: {e}"))?;
    let (lo, hi) = (coded.stats.min, coded.stats.max);
    if coded.stats.valid != found.valid || lo.zip(hi) != found.range {
        return Err(format!("{name}: statistics {:?}, found {found:?}", coded.stats));
    }
    if coded.stats.max_error < found.max_error {
        return Err(format!("{name}: said an error of {:e}, made {:e}", coded.stats.max_error, found.max_error));
    }
    Ok(())
}

fn check_file(case: &Case, kind: BoundKind, value: f64, verify: bool) -> Result<(), String> {
    let bits = field::bits(case.kind, case.dtype, &case.shape, case.seed);
    let data = field::to_bytes(case.dtype, &bits);
    let bound = ErrorBound { kind, value };
    let mut options = EncodeOptions::new(bound);
    (options.effort, options.verify, options.threads) = (case.effort, verify, 1);
    options.fill = case.fill().map(Fill::Bits);
    let chunk: Vec<u64> = case.shape.iter().map(|&n| (n as u64).div_ceil(2).max(1)).collect();
    options.chunk = ChunkShape::Fixed(chunk);
    let shape: Vec<u64> = case.shape.iter().map(|&n| n as u64).collect();
    let source = SliceSource::new(case.dtype, &shape, &data).map_err(|e| e.to_string())?;
    let width = oracle::compare(case.dtype, &bits, &bits, case.fill(), |_| None)?.width();
    let file = match encode_to_vec(&VariableMeta::default(), &source, &options) {
        // A range that is no number cannot scale a bound.
        Err(Error::InvalidArgument(_)) if width.is_infinite() && kind != BoundKind::Abs => return Ok(()),
        other => other.map_err(|e| format!("encode: {e}"))?,
    };
    let reader = Reader::from_bytes(file).map_err(|e| format!("open: {e}"))?;
    let back = reader.decode(0, 1).map_err(|e| format!("decode: {e}"))?;
    let back = field::from_bytes(case.dtype, &back);
    oracle::variable_keeps(case.dtype, &bits, &back, bound, case.fill())?;
    // The last half of every axis, by region: the same bits.
    let region = Region(shape.iter().map(|&n| n / 2..n).collect());
    let part = reader.decode_region(0, &region, 1).map_err(|e| format!("region: {e}"))?;
    let part = field::from_bytes(case.dtype, &part);
    let mut of_whole = vec![];
    for (i, &b) in back.iter().enumerate() {
        let mut rest = i;
        let inside = case.shape.iter().rev().fold(true, |inside, &n| {
            let x = rest % n;
            rest /= n;
            inside && x >= n / 2
        });
        if inside {
            of_whole.push(b);
        }
    }
    if part != of_whole {
        return Err("a region differs from the whole".into());
    }
    Ok(())
}

/// Runs a check, but not for ever: an encoder that does not come back is wrong too.
fn in_time(check: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || send.send(check()));
    receive.recv_timeout(std::time::Duration::from_secs(20)).unwrap_or_else(|e| Err(format!("no answer: {e}")))
}

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(cases);
    // Every run the same, unless another seed is asked for.
    let seed = std::env::var("PROPTEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let rng_seed = proptest::test_runner::RngSeed::Fixed(seed);
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn bound_holds_on_any_chunk(case in cases()) {
        if let Err(e) = in_time({ let case = case.clone(); move || check_chunk(&case) }) {
            prop_assert!(false, "{}", e);
        }
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn bound_holds_through_files(case in cases(), which in 0..7usize, exponent in 0i32..7, verify: bool) {
        use BoundKind::*;
        let small = 10f64.powi(-exponent);
        let all = [
            (Lossless, 0.0), (Abs, small), (Rel, small), (PwRel, small), (Nrmse, small),
            (Psnr, 10.0 + 20.0 * f64::from(exponent)), (L2, 100.0 * small),
        ];
        // Integers and half floats have no relative or squared bounds.
        let full = matches!(case.dtype, DType::F32 | DType::F64);
        let (kind, value) = all[if full { which } else { which % 3 }];
        if let Err(e) = in_time({ let case = case.clone(); move || check_file(&case, kind, value, verify) }) {
            prop_assert!(false, "{:?} {}: {}", kind, value, e);
        }
    }
}

/// Every kind of field in every type, losslessly and under one bound: what chance may leave out.
#[test]
fn round_trip_of_every_kind_and_type() {
    let mut wrong = vec![];
    for dtype in DType::ALL {
        for kind in KINDS {
            for ask in [Ask::Lossless, Ask::Abs(1e-3)] {
                let case = Case { dtype, shape: vec![6, 7], kind, seed: 11, ask, effort: Effort::Fast };
                if let Err(e) = in_time(move || check_chunk(&case)) {
                    wrong.push(format!("{dtype:?} {kind:?} {ask:?}: {e}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `cargo test --release --test properties survey -- --ignored --nocapture`: what fails among many cases, one line each.
#[test]
#[ignore = "a tool, not a claim"]
fn survey() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::new(config(1));
    let n = std::env::var("CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(300);
    let (start, mut hung) = (std::time::Instant::now(), 0);
    for _ in 0..n {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let one = std::time::Instant::now();
        if std::env::var_os("SHOW").is_some() {
            println!("{case:?}");
        }
        let result = in_time({
            let case = case.clone();
            move || check_chunk(&case)
        });
        if let Err(e) = result {
            hung += u32::from(e.starts_with("no answer: timed"));
            println!("{e}\n    {case:?} {:?}", one.elapsed());
        } else if one.elapsed().as_millis() > 1500 {
            println!("slow {:?} {case:?}", one.elapsed());
        }
        if hung > 5 {
            break;
        }
    }
    println!("{:?}", start.elapsed());
}
