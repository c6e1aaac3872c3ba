//! Fits the few weights of a linear predictor; only the encoder does this, decoders read quantised weights.

/// Points that a fit in a chunk of `n` values looks at, at most about.
pub fn fit_points(n: usize) -> usize {
    (n / 16).clamp(1_000, 4_000)
}

/// Normal equations of a least-squares fit of K weights.
pub struct NormalEquations<const K: usize> {
    a: [[f64; K]; K],
    b: [f64; K],
    count: f64,
}

impl<const K: usize> NormalEquations<K> {
    pub fn new() -> Self {
        NormalEquations { a: [[0.0; K]; K], b: [0.0; K], count: 0.0 }
    }

    /// Adds one observation: features and what they should predict.
    #[inline]
    pub fn add(&mut self, f: &[f64; K], target: f64) {
        for i in 0..K {
            for j in 0..=i {
                self.a[i][j] += f[i] * f[j];
            }
            self.b[i] += f[i] * target;
        }
        self.count += 1.0;
    }

    /// Allows for noise of this variance in each feature, as decoding will have it.
    pub fn add_noise(&mut self, variance: &[f64; K]) {
        for i in 0..K {
            self.a[i][i] += variance[i] * self.count;
        }
    }

    /// Allows for noise of this variance in the value from which features and target were all subtracted.
    pub fn add_shared_noise(&mut self, variance: f64) {
        for i in 0..K {
            for j in 0..=i {
                self.a[i][j] += variance * self.count;
            }
            self.b[i] += variance * self.count;
        }
    }

    /// The weights; zeros where the system is degenerate.
    pub fn solve(&self) -> [f64; K] {
        let mut l = [[0.0; K]; K];
        let mut a = self.a;
        let scale = (0..K).map(|i| a[i][i]).fold(0.0, f64::max);
        if scale <= 0.0 || !scale.is_finite() {
            return [0.0; K];
        }
        for i in 0..K {
            a[i][i] += scale * 1e-10;
        }
        for i in 0..K {
            for j in 0..=i {
                let mut s = a[i][j];
                for k in 0..j {
                    s -= l[i][k] * l[j][k];
                }
                if i == j {
                    if s <= 0.0 {
                        return [0.0; K];
                    }
                    l[i][i] = s.sqrt();
                } else {
                    l[i][j] = s / l[j][j];
                }
            }
        }
        let mut y = [0.0; K];
        for i in 0..K {
            let mut s = self.b[i];
            for k in 0..i {
                s -= l[i][k] * y[k];
            }
            y[i] = s / l[i][i];
        }
        let mut w = [0.0; K];
        for i in (0..K).rev() {
            let mut s = y[i];
            for k in i + 1..K {
                s -= l[k][i] * w[k];
            }
            w[i] = s / l[i][i];
        }
        w
    }
}
