//! Criterion benches of the coding of one chunk and of regions of a file: `cargo bench -p scicodec-bench --bench kernels`.
//!
//! The field is made here, the same on every run, so that figures of two versions can be compared.
use criterion::{BenchmarkId, Criterion, Throughput};
use scicodec::{
    BoundKind, ChunkBound, ChunkRequest, ChunkShape, Effort, EncodeOptions, ErrorBound, ModelChoice, Reader, Region,
};
use scicodec_bench::{Result, field::Field, pipeline, synthetic};
use std::{hint::black_box, time::Duration};

const RELATIVE_BOUNDS: [f64; 3] = [1e-2, 1e-3, 1e-4];
const EFFORTS: [(&str, Effort); 2] = [("fast", Effort::Fast), ("default", Effort::Default)];

fn request(field: &Field, bound: ChunkBound, effort: Effort) -> ChunkRequest<'_> {
    ChunkRequest {
        dtype: field.dtype,
        shape: &field.shape,
        data: &field.bytes,
        bound,
        fill: None,
        effort,
        model: ModelChoice::Default,
    }
}

fn chunks(c: &mut Criterion) -> Result<()> {
    let field = synthetic::waves([32, 64, 64]);
    let range = field.range();
    for (name, effort) in EFFORTS {
        let mut group = c.benchmark_group(format!("chunk_{name}"));
        group.throughput(Throughput::Bytes(field.bytes.len() as u64));
        for relative in RELATIVE_BOUNDS {
            let request = request(&field, ChunkBound::Abs(relative * range), effort);
            let coded = scicodec::encode_chunk(&request)?;
            group.bench_function(BenchmarkId::new("encode", format!("rel {relative:e}")), |b| {
                b.iter(|| scicodec::encode_chunk(black_box(&request)));
            });
            group.bench_function(BenchmarkId::new("decode", format!("rel {relative:e}")), |b| {
                b.iter(|| scicodec::decode_chunk(field.dtype, &field.shape, coded.base, black_box(&coded.body)));
            });
        }
        group.finish();
    }
    Ok(())
}

fn lossless(c: &mut Criterion) -> Result<()> {
    let field = synthetic::waves([32, 64, 64]);
    let request = request(&field, ChunkBound::Lossless, Effort::Default);
    let coded = scicodec::encode_chunk(&request)?;
    let mut group = c.benchmark_group("chunk_lossless");
    group.throughput(Throughput::Bytes(field.bytes.len() as u64));
    group.bench_function("encode", |b| b.iter(|| scicodec::encode_chunk(black_box(&request))));
    group.bench_function("decode", |b| {
        b.iter(|| scicodec::decode_chunk(field.dtype, &field.shape, coded.base, black_box(&coded.body)));
    });
    group.finish();
    Ok(())
}

/// One chunk out of 64, and a plane that crosses 16 of them, from a file in memory.
fn regions(c: &mut Criterion) -> Result<()> {
    let field = synthetic::waves([64, 64, 64]);
    let mut options = EncodeOptions::new(ErrorBound { kind: BoundKind::Rel, value: 1e-3 });
    options.chunk = ChunkShape::Fixed(vec![16, 16, 16]);
    let reader = Reader::from_bytes(pipeline::encode(&field, &options)?.0)?;
    let mut group = c.benchmark_group("region_default_rel_1e-3");
    for (name, text) in [("one_chunk", "16:32,16:32,16:32"), ("plane", "5,:,:"), ("all", ":,:,:")] {
        let region = Region::parse(text, &[64, 64, 64])?;
        let bytes: u64 = region.shape().iter().product::<u64>() * 4;
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |b| b.iter(|| reader.decode_region(0, black_box(&region), 1)));
    }
    group.finish();
    Ok(())
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    chunks(&mut criterion)?;
    lossless(&mut criterion)?;
    regions(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
