//! Valid streams to start from: chunk bodies of every base and type, and files of one and of several variables.
use crate::field::{self, KINDS, Kind};
use scicodec::network::{Model, ModelBuilder, ModelLimits};
use scicodec::*;
use std::path::Path;

/// A chunk and what its decoder is told.
#[derive(Clone)]
pub struct Chunk {
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub base: u8,
    pub body: Vec<u8>,
}

/// One chunk of every type, kind of field, bound and two efforts.
pub fn chunks() -> Result<Vec<Chunk>, Error> {
    let mut all = vec![];
    for (t, dtype) in DType::ALL.into_iter().enumerate() {
        let bounds = [ChunkBound::Lossless, ChunkBound::Abs(0.5), ChunkBound::PwRel(1e-2), ChunkBound::Rmse(0.1)];
        for (k, kind) in KINDS.into_iter().enumerate() {
            for (b, bound) in bounds.into_iter().enumerate().filter(|&(b, _)| b < 2 || dtype.is_float()) {
                let effort = [Effort::Fast, Effort::Default][(t + k + b) % 2];
                let shape = [vec![150], vec![9, 13], vec![5, 6, 5], vec![2, 3, 4, 5]][(t + k / 2 + b) % 4].clone();
                let data = field::to_bytes(dtype, &field::bits(kind, dtype, &shape, (t * 100 + k) as u64));
                let fill = (kind == Kind::Filled).then(|| field::fill_bits(dtype));
                let request = ChunkRequest {
                    dtype,
                    shape: &shape,
                    data: &data,
                    bound,
                    fill,
                    effort,
                    model: ModelChoice::Default,
                };
                let coded = encode_chunk(&request)?;
                all.push(Chunk { dtype, base: coded.base, body: coded.body, shape });
            }
        }
    }
    // Larger smooth fields under root-mean-square bounds: what the wavelet base is for.
    for dtype in [DType::F32, DType::F64] {
        for (k, kind) in [Kind::Smooth, Kind::Noisy, Kind::Specials, Kind::Filled, Kind::Sparse].into_iter().enumerate()
        {
            for (b, bound) in
                [ChunkBound::Rmse(3.0), ChunkBound::Rmse(0.3), ChunkBound::Abs(3.0)].into_iter().enumerate()
            {
                let shape = [vec![24, 26], vec![9, 10, 11], vec![600]][(k + b) % 3].clone();
                let effort = [Effort::Fast, Effort::Default][b % 2];
                let data = field::to_bytes(dtype, &field::bits(kind, dtype, &shape, (k * 10 + b) as u64));
                let fill = (kind == Kind::Filled).then(|| field::fill_bits(dtype));
                let request = ChunkRequest {
                    dtype,
                    shape: &shape,
                    data: &data,
                    bound,
                    fill,
                    effort,
                    model: ModelChoice::Default,
                };
                let coded = encode_chunk(&request)?;
                all.push(Chunk { dtype, base: coded.base, body: coded.body, shape });
            }
        }
    }
    // Smooth fields under narrow bounds, products of lines: what the Tucker base is for.
    for shape in [vec![16, 18], vec![8, 9, 10], vec![2, 9, 3, 10]] {
        let row = shape.last().copied().unwrap_or(1);
        let n: usize = shape.iter().product();
        let values = (0..n).map(|i| (1.0 + 0.1 * (i % row) as f64).ln() / (1.0 + (i / row) as f64));
        let bits: Vec<u64> = values.map(|v| field::element(DType::F64, v)).collect();
        let data = field::to_bytes(DType::F64, &bits);
        for bound in [ChunkBound::Abs(1e-5), ChunkBound::Rmse(1e-5)] {
            let (dtype, effort) = (DType::F64, Effort::Default);
            let request = ChunkRequest {
                dtype,
                shape: &shape,
                data: &data,
                bound,
                fill: None,
                effort,
                model: ModelChoice::Default,
            };
            let coded = encode_chunk(&request)?;
            all.push(Chunk { dtype, base: coded.base, body: coded.body, shape: shape.clone() });
        }
    }
    // Fields of the size from which effort `fast` has a base of its own.
    for (k, kind) in [Kind::Smooth, Kind::Noisy, Kind::Specials, Kind::Packed, Kind::Wide].into_iter().enumerate() {
        for (b, bound) in [ChunkBound::Abs(2.0), ChunkBound::Abs(1e-3), ChunkBound::Rmse(0.5)].into_iter().enumerate() {
            let (shape, dtype) =
                ([vec![65, 66], vec![9, 22, 21], vec![4200]][(k + b) % 3].clone(), [DType::F32, DType::F64][b % 2]);
            let data = field::to_bytes(dtype, &field::bits(kind, dtype, &shape, (k * 10 + b) as u64));
            let request = ChunkRequest {
                dtype,
                shape: &shape,
                data: &data,
                bound,
                fill: None,
                effort: Effort::Fast,
                model: ModelChoice::Default,
            };
            let coded = encode_chunk(&request)?;
            all.push(Chunk { dtype, base: coded.base, body: coded.body, shape });
        }
    }
    Ok(all)
}

/// Files of one chunk, of several chunks and variables, and appended ones.
pub fn files() -> Result<Vec<Vec<u8>>, Error> {
    let folder = tempfile::tempdir()?;
    let mut all = vec![];
    for (t, dtype) in DType::ALL.into_iter().enumerate() {
        for (k, kind) in [Kind::Smooth, Kind::Specials, Kind::Packed, Kind::Filled].into_iter().enumerate() {
            let path = folder.path().join(format!("{t}-{k}.scz"));
            let shape = [8u64, 9];
            let extents = [8usize, 9];
            let data = field::to_bytes(dtype, &field::bits(kind, dtype, &extents, k as u64));
            let source = SliceSource::new(dtype, &shape, &data)?;
            let mut options = EncodeOptions::new(ErrorBound { kind: BoundKind::Abs, value: 0.5 });
            options.threads = 1;
            options.effort = if k % 2 == 0 { Effort::Fast } else { Effort::Default };
            options.fill = (kind == Kind::Filled).then(|| Fill::Bits(field::fill_bits(dtype)));
            let mut meta = VariableMeta { name: "a".into(), units: "K".into(), ..VariableMeta::default() };
            let quiet = |_: Progress| {};
            let mut e = Encoder::create(&path, Overwrite::Refuse)?;
            if k >= 2 {
                options.chunk = ChunkShape::Fixed(vec![3, 9]);
                meta.attributes = vec![("source".into(), "made up".into())];
                meta.dimensions = vec!["time".into(), "x".into()];
            }
            e.add_variable(&meta, &source, &options, &quiet)?;
            if k >= 1 {
                meta.name = "b".into();
                options.bound = ErrorBound { kind: BoundKind::Lossless, value: 0.0 };
                e.add_variable(&meta, &source, &options, &quiet)?;
            }
            e.finish()?;
            if k == 3 {
                let mut e = Encoder::append(&path)?;
                e.extend_variable("b", &source, &options, &quiet)?;
                e.finish()?;
            }
            all.push(std::fs::read(&path)?);
        }
    }
    Ok(all)
}

/// Writes seeds in the form that each fuzz target reads.
pub fn write(corpus: &Path) -> Result<(), Error> {
    let folder = |target: &str| {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder).map(|()| folder)
    };
    let to = folder("decode_never_panics")?;
    for (i, c) in chunks()?.iter().enumerate() {
        let t = DType::ALL.iter().position(|&d| d == c.dtype).unwrap_or(0);
        let mut seed = vec![t as u8, c.shape.len() as u8];
        seed.extend(c.shape.iter().map(|&n| n as u8));
        seed.push(c.base);
        seed.extend(&c.body);
        std::fs::write(to.join(format!("{i}")), seed)?;
    }
    for target in ["index_never_panics", "recover_never_panics"] {
        let to = folder(target)?;
        for (i, f) in files()?.iter().enumerate() {
            std::fs::write(to.join(format!("{i}")), f)?;
        }
    }
    let to = folder("model_never_panics")?;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/golden/2/networks.scm");
    for network in Model::read(&std::fs::read(golden)?, &ModelLimits::default())?.networks() {
        // One each, so that seeds are short.
        let model = ModelBuilder::new("").network(network.graph().clone())?.build()?;
        std::fs::write(to.join(network.name()), model.write())?;
    }
    let to = folder("round_trip_keeps_the_bound")?;
    for (t, dtype) in DType::ALL.into_iter().enumerate() {
        for (k, kind) in KINDS.into_iter().enumerate() {
            let mut seed = vec![t as u8, (k % 3) as u8 | 128, (k % 4) as u8, 9];
            seed.extend(0.01f64.to_le_bytes());
            seed.extend(field::fill_bits(dtype).to_le_bytes());
            seed.extend(field::to_bytes(dtype, &field::bits(kind, dtype, &[6, 10], 1)));
            std::fs::write(to.join(format!("{t}-{k}")), seed)?;
        }
    }
    Ok(())
}
