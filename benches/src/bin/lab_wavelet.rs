//! Scratch.
use scicodec::Effort;
use scicodec::base::{
    Geometry,
    wavelet::{Target, choose},
};
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
            Some((
                (f[0].to_string(), format!("{}{:e}", &f[4][..1], f[5].parse::<f64>().unwrap())),
                f[7].parse().unwrap(),
            ))
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
        if !filter.split(',').any(|f| name.contains(f)) {
            continue;
        }
        let (shape, x, size) = load(&f);
        if x.iter().any(|v| !v.is_finite()) != std::env::var("MASKED").is_ok()
            || x.len() > args.get(5).map_or(1_100_000, |a| a.parse().unwrap())
        {
            continue;
        }
        let mask: Vec<bool> = x.iter().map(|v| !v.is_finite()).collect();
        let mask = mask.contains(&true).then_some(mask.as_slice());
        let (lo, hi) = x
            .iter()
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        let g = Geometry::new(&shape);
        print!("{:48}", &name[..name.len().min(48)]);
        for (kind, rel) in [
            ("n", 1e-2),
            ("n", 1e-3),
            ("n", 1e-4),
            ("r", 1e-1),
            ("r", 1e-2),
            ("r", 1e-3),
            ("r", 1e-4),
            ("r", 1e-5),
            ("r", 1e-6),
        ] {
            if !args.get(4).is_none_or(|a| a.split(',').any(|a| format!("{kind}{rel:e}") == a)) {
                continue;
            }
            let t = std::time::Instant::now();
            let e = rel * (hi - lo);
            let target = if kind == "n" { Target::Rmse(e) } else { Target::MaxError(e) };
            let found = choose(g, &x, mask, target, Effort::Default);
            let best = found.first().map_or(f64::INFINITY, |c| c.bytes) + 12.0;
            let ns = t.elapsed().as_nanos() as f64 / x.len() as f64;
            let key = format!("{kind}{rel:e}");
            let r = (x.len() * size) as f64 / best / peers[&(name.clone(), key.clone())];
            let e = sums.entry(key).or_default();
            e.0 += r.ln();
            e.1 += 1;
            e.2 += usize::from(r < 0.97);
            e.3 += ns;
            print!(" {best:8.0} {r:.3}");
        }
        println!();
    }
    let mut k: Vec<_> = sums.into_iter().collect();
    k.sort_by(|a, b| a.0.cmp(&b.0));
    for (k, v) in k {
        println!("{k}: {:.4}  n {} below {}  {:.0} ns", (v.0 / v.1 as f64).exp(), v.1, v.2, v.3 / v.1 as f64);
    }
}
