//! Masked points filled by something smooth, so that their surroundings cost few coefficients. Encoder only.
use super::Geometry;

/// Sweeps of smoothing at each scale.
const SWEEPS: usize = 4;

/// Values with masked ones replaced: averages of ever larger cells, smoothed at every scale.
pub fn fill(g: &Geometry, values: &[f64], mask: &[bool]) -> Vec<f64> {
    let mut v = values.to_vec();
    let mut known: Vec<bool> = mask.iter().map(|m| !m).collect();
    fill_level(g.n, &mut v, &mut known);
    v
}

fn strides(n: [usize; 4]) -> [usize; 4] {
    [n[1] * n[2] * n[3], n[2] * n[3], n[3], 1]
}

/// Calls with every element's index and its cell's index at half the scale.
fn each(n: [usize; 4], coarse: [usize; 4], mut f: impl FnMut(usize, usize)) {
    let s = strides(coarse);
    let mut i = 0;
    for a in 0..n[0] {
        for b in 0..n[1] {
            for y in 0..n[2] {
                let row = (a / 2) * s[0] + (b / 2) * s[1] + (y / 2) * s[2];
                for x in 0..n[3] {
                    f(i, row + x / 2);
                    i += 1;
                }
            }
        }
    }
}

fn fill_level(n: [usize; 4], v: &mut [f64], known: &mut [bool]) {
    if known.iter().all(|&k| k) {
        return;
    }
    if n == [1; 4] {
        v[0] = 0.0;
        return;
    }
    let coarse = n.map(|n| n.div_ceil(2));
    let len: usize = coarse.iter().product();
    let (mut sum, mut count) = (vec![0.0; len], vec![0.0; len]);
    each(n, coarse, |i, c| {
        if known[i] {
            sum[c] += v[i];
            count[c] += 1.0;
        }
    });
    let mut coarse_known: Vec<bool> = count.iter().map(|&c| c > 0.0).collect();
    for (s, c) in sum.iter_mut().zip(&count) {
        *s /= f64::max(*c, 1.0);
    }
    drop(count);
    fill_level(coarse, &mut sum, &mut coarse_known);
    // With each point, which neighbours it has: bit 2a the one before along axis a, bit 2a + 1 the one after.
    let mut unknown = Vec::new();
    each(n, coarse, |i, c| {
        if !known[i] {
            v[i] = sum[c];
            unknown.push((i, 0u8));
        }
    });
    let s = strides(n);
    for (i, beside) in &mut unknown {
        for a in 0..4 {
            let at = *i / s[a] % n[a];
            *beside |= u8::from(at > 0) << (2 * a) | u8::from(at + 1 < n[a]) << (2 * a + 1);
        }
    }
    for sweep in 0..SWEEPS {
        let mut relax = |(i, beside): (usize, u8)| {
            let mut total = 0.0;
            for a in 0..4 {
                if beside >> (2 * a) & 1 == 1 {
                    total += v[i - s[a]];
                }
                if beside >> (2 * a + 1) & 1 == 1 {
                    total += v[i + s[a]];
                }
            }
            if beside != 0 {
                v[i] = total / f64::from(beside.count_ones());
            }
        };
        if sweep % 2 == 0 {
            unknown.iter().for_each(|&u| relax(u));
        } else {
            unknown.iter().rev().for_each(|&u| relax(u));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_stay_and_a_plane_is_filled_within_its_range() {
        let g = Geometry::new(&[9, 12]);
        let x: Vec<f64> = (0..108).map(|i| (i / 12) as f64 + 0.5 * (i % 12) as f64).collect();
        let mask: Vec<bool> = (0..108).map(|i| i % 12 > 7 || i % 5 == 0).collect();
        let spoilt: Vec<f64> = x.iter().zip(&mask).map(|(v, &m)| if m { f64::NAN } else { *v }).collect();
        let y = fill(&g, &spoilt, &mask);
        for i in 0..108 {
            assert!(if mask[i] { (-0.1..14.0).contains(&y[i]) } else { y[i] == x[i] });
        }
    }
}
