//! Scratch.
use scicodec::base::{
    Geometry,
    interpolation::{Parameters, Run},
    quantiser::Quantiser,
};
use scicodec::entropy::CostCounter;
use std::collections::HashMap;
pub fn load(path: &std::path::Path) -> (Vec<usize>, Vec<f64>, usize) {
    let b = std::fs::read(path).unwrap();
    let npy = npyz::NpyFile::new(&b[..]).unwrap();
    let shape: Vec<usize> = npy.shape().iter().map(|&x| x as usize).collect();
    match npy.dtype() {
        npyz::DType::Plain(t) if t.size_field() == 4 => {
            (shape, npy.into_vec::<f32>().unwrap().into_iter().map(f64::from).collect(), 4)
        }
        _ => (shape, npy.into_vec::<f64>().unwrap(), 8),
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let peers: HashMap<(String, String), f64> = std::fs::read_to_string(&args[2])
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|l| {
            let f: Vec<&str> = l.split(',').collect();
            (f[4] == "rel")
                .then(|| ((f[0].to_string(), format!("{:e}", f[5].parse::<f64>().unwrap())), f[7].parse().unwrap()))
        })
        .collect();
    let filter = args.get(3).cloned().unwrap_or_default();
    let mut files: Vec<_> = std::fs::read_dir(&args[1])
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "npy"))
        .collect();
    files.sort();
    let mut sums: HashMap<String, (f64, usize, usize, f64)> = HashMap::new();
    for f in files {
        let name = f.file_stem().unwrap().to_string_lossy().to_string();
        if !name.contains(&filter) {
            continue;
        }
        let (shape, x, size) = load(&f);
        if x.iter().any(|v| !v.is_finite()) || x.len() > 1_100_000 {
            continue;
        }
        let (lo, hi) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        let g = Geometry::new(&shape);
        print!("{:48}", &name[..name.len().min(48)]);
        for rel in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6] {
            let mut best = f64::INFINITY;
            let t = std::time::Instant::now();
            let axes: Vec<u8> = (0..4u8).filter(|&a| g.n[a as usize] > 1).collect();
            for (alpha, beta, fitted) in [(16, 16, 0), (20, 32, 0), (24, 64, 0), (16, 16, 2), (20, 32, 2), (24, 64, 2)]
            {
                let p = Parameters { order: axes.clone(), alpha, beta, linear: false, fitted };
                let mut v = x.clone();
                let mut c = CostCounter::default();
                Run::<6>::new(g, &p, Quantiser::real(2.0 * rel * (hi - lo) * 0.9999), &mut v, None).run(&mut c);
                if std::env::var("DBG").is_ok() {
                    println!(
                        "{rel} {alpha} {:.0} maxerr {}",
                        c.bytes(),
                        v.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / (hi - lo)
                    );
                }
                best = best.min(c.bytes());
            }
            {
                let mut v = x.clone();
                let mut c = CostCounter::default();
                scicodec::base::raster::Run::<6>::new(g, Quantiser::real(2.0 * rel * (hi - lo) * 0.9999), &mut v, None)
                    .run(&mut c, scicodec::base::raster::Weights::Fitted);
                if c.bytes() < best {
                    print!("*");
                } else {
                    print!(" ");
                }
                best = best.min(c.bytes());
            }
            let ns = t.elapsed().as_nanos() as f64 / x.len() as f64 / 6.0;
            let key = format!("{rel:e}");
            let r = (x.len() * size) as f64 / best / peers[&(name.clone(), key.clone())];
            let e = sums.entry(key).or_default();
            e.0 += r.ln();
            e.1 += 1;
            e.2 += usize::from(r < 0.97);
            e.3 += ns;
            print!("{best:8.0} {r:.3}");
        }
        println!();
    }
    let mut k: Vec<_> = sums.into_iter().collect();
    k.sort_by(|a, b| b.0.parse::<f64>().unwrap().total_cmp(&a.0.parse().unwrap()));
    for (k, v) in k {
        println!("{k}: {:.4}  n {} below {}  {:.0} ns", (v.0 / v.1 as f64).exp(), v.1, v.2, v.3 / v.1 as f64);
    }
}
