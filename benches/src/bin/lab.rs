//! Scratch: decode speed.
use scicodec::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let b = std::fs::read(&a[1]).unwrap();
    let npy = npyz::NpyFile::new(&b[..]).unwrap();
    let shape: Vec<usize> = npy.shape().iter().map(|&x| x as usize).collect();
    let v = npy.into_vec::<f32>().unwrap();
    let (lo, hi) = v
        .iter()
        .filter(|x| x.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v.into()), b.max(v.into())));
    let data: Vec<u8> = v.iter().flat_map(|x| x.to_ne_bytes()).collect();
    if a[2] == "dec" {
        let d = decode_chunk(DType::F32, &shape, a[3].parse().unwrap(), &std::fs::read(&a[4]).unwrap()).unwrap();
        println!("{} values", d.len() / 4);
        return;
    }
    let effort = if a[3] == "fast" { Effort::Fast } else { Effort::Default };
    let t = std::time::Instant::now();
    let e = encode_chunk(&ChunkRequest {
        dtype: DType::F32,
        shape: &shape,
        data: &data,
        bound: ChunkBound::Abs(a[2].parse::<f64>().unwrap() * (hi - lo)),
        fill: None,
        effort,
    })
    .unwrap();
    let te = t.elapsed().as_secs_f64();
    if a.len() > 4 {
        std::fs::write(&a[4], &e.body).unwrap();
        println!("{}", e.base);
        return;
    }
    let n = 6;
    let mut best = 1e9f64;
    for _ in 0..n {
        let t = std::time::Instant::now();
        let d = decode_chunk(DType::F32, &shape, e.base, &e.body).unwrap();
        best = best.min(t.elapsed().as_secs_f64());
        assert!(d.len() == data.len());
    }
    println!(
        "{} ratio {:.2} encode {:.1} MB/s decode {:.1} MB/s {:.1} ns/value",
        e.stats.base,
        data.len() as f64 / e.body.len() as f64,
        data.len() as f64 / te / 1e6,
        data.len() as f64 / best / 1e6,
        best * 1e9 / v.len() as f64
    );
}
