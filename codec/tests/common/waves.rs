//! A field that networks help with.

/// Waves with a front in them, slowest axis first.
pub fn waves(shape: [usize; 3]) -> Vec<f32> {
    let wave = |z: f64, y: f64, x: f64| {
        let front = (0.9 * (x - 0.6 * y + 0.4 * z - 9.0 + 4.0 * (0.21 * y).sin())).tanh();
        (0.19 * x + 0.11 * y).sin() + 0.7 * (0.23 * y - 0.13 * z).cos() + front * (1.0 + 0.3 * (0.31 * x).cos())
    };
    let at = |i: usize| (i / shape[1] / shape[2], i / shape[2] % shape[1], i % shape[2]);
    (0..shape.iter().product())
        .map(|i| {
            let (z, y, x) = at(i);
            wave(z as f64, y as f64, x as f64) as f32
        })
        .collect()
}
