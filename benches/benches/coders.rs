//! Criterion benches of single loops: `cargo bench -p scicodec-bench --bench coders`.
use criterion::{Criterion, Throughput};
use scicodec::entropy::BitDecoder;
use scicodec_bench::hot;
use std::{hint::black_box, time::Duration};

fn context_coder(c: &mut Criterion) {
    let integers = hot::integers();
    let stream = hot::encode_contexts(&integers);
    let mut group = c.benchmark_group("context_coder");
    group.throughput(Throughput::Elements(integers.len() as u64));
    group.bench_function("encode", |b| b.iter(|| hot::encode_contexts(black_box(&integers))));
    group.bench_function("decode", |b| b.iter(|| hot::decode_contexts(black_box(&stream))));
    group.finish();
}

fn range_coder(c: &mut Criterion) {
    let bits = hot::bits();
    let stream = hot::encode_range(&bits);
    let mut group = c.benchmark_group("range_coder");
    group.throughput(Throughput::Elements(bits.len() as u64));
    group.bench_function("encode", |b| b.iter(|| hot::encode_range(black_box(&bits))));
    group.bench_function("decode", |b| {
        b.iter(|| hot::range_coder(&mut BitDecoder::new(black_box(&stream)), &bits));
    });
    group.finish();
}

fn prediction(c: &mut Criterion) {
    let values = hot::values();
    let mut group = c.benchmark_group("prediction");
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function("interpolation", |b| {
        b.iter_batched_ref(|| values.clone(), |v| hot::predict(v), criterion::BatchSize::SmallInput);
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    context_coder(&mut criterion);
    range_coder(&mut criterion);
    prediction(&mut criterion);
    criterion.final_summary();
}
