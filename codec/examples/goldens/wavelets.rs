//! Golden files of wavelets that a network guides, and of those whose integers are of a trellis (SPEC §8.4.4).
use crate::field::Random;
use crate::specimens::{Specimen, Variable, drawn, left_out, variable};
use scicodec::{BoundKind, DType};

/// Hills on hills: on ever finer lattices numbers that look random, linear between them.
fn terrain(at: &[f64]) -> f64 {
    let corner = |octave: i32, at: &[f64]| {
        let mixed = at
            .iter()
            .fold(octave as u64 + 1, |h, c| (h ^ *c as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
        (mixed >> 40) as f64 / 16_777_216.0 - 0.5
    };
    let hills = |octave: i32| {
        let size = f64::from(1 << octave);
        let corners = (0..1usize << at.len()).map(|far| {
            let mut weight = 1.0;
            let place: Vec<f64> = at
                .iter()
                .enumerate()
                .map(|(a, x)| {
                    let (low, part) = ((x / size).floor(), (x / size).fract());
                    let up = far >> a & 1 == 1;
                    weight *= if up { part } else { 1.0 - part };
                    if up { low + 1.0 } else { low }
                })
                .collect();
            weight * corner(octave, &place)
        });
        size * corners.sum::<f64>()
    };
    (0..6).map(hills).sum()
}

/// Files whose wavelets are guided, on one to four axes, with and without what bounds every error; and a few that are not.
pub fn guided() -> Vec<Specimen> {
    use BoundKind::*;
    let rough = |at: &[f64], _: &mut Random| terrain(at);
    let mut holes = drawn(DType::F32, &[60, 41], rough);
    for k in (500..900).chain(2000..2004) {
        holes[k] = u64::from(f32::NAN.to_bits());
    }
    let all = [
        ("line", variable(DType::F64, &[900], drawn(DType::F64, &[900], rough), Nrmse, 3e-2)),
        ("plane", variable(DType::F32, &[60, 70], drawn(DType::F32, &[60, 70], rough), Nrmse, 2e-2)),
        ("bounded", variable(DType::F32, &[60, 70], drawn(DType::F32, &[60, 70], rough), Rel, 1e-1)),
        ("holes", variable(DType::F32, &[60, 41], holes, Psnr, 35.0)),
        ("volume", variable(DType::F32, &[9, 20, 33], drawn(DType::F32, &[9, 20, 33], rough), Nrmse, 1e-2)),
        ("steps", variable(DType::F32, &[3, 7, 16, 18], drawn(DType::F32, &[3, 7, 16, 18], rough), Nrmse, 1e-2)),
        ("ensemble", variable(DType::F32, &[5, 6, 20, 22], drawn(DType::F32, &[5, 6, 20, 22], rough), Nrmse, 2e-2)),
    ];
    all.into_iter()
        .map(|(name, v)| (name.to_string(), vec![v]))
        .chain(left_out().into_iter().map(|s| (s.file, s.variables)))
        .map(|(name, variables)| Specimen { file: format!("guided-{name}"), variables, append: false })
        .collect()
}

/// Files of wavelets whose integers are of a trellis: with the states and the network of the model, and bare.
pub fn trellises() -> Vec<Specimen> {
    use BoundKind::*;
    let rough = |at: &[f64], _: &mut Random| terrain(at);
    let mut holes = drawn(DType::F32, &[40, 41], rough);
    for k in (500..700).chain(1200..1204) {
        holes[k] = u64::from(f32::NAN.to_bits());
    }
    let named = |name, v: Variable| Variable { name, ..v };
    let of = |name, shape: &[usize], e: f64| {
        named(name, variable(DType::F32, shape, drawn(DType::F32, shape, rough), Nrmse, e))
    };
    let noisy = |at: &[f64], r: &mut Random| {
        10.0 * (0.21 * at[0]).sin() + 7.0 * (0.17 * at[1] + 0.05 * at[0]).cos() + r.unit() + 0.7 * (2.1 * at[0]).sin()
    };
    let noisy = |name, e| named(name, variable(DType::F64, &[40, 42], drawn(DType::F64, &[40, 42], noisy), Nrmse, e));
    let variables = vec![
        noisy("coarse", 3e-2),
        noisy("fine", 1e-2),
        named("holes", variable(DType::F32, &[40, 41], holes, Psnr, 45.0)),
        of("volume", &[7, 20, 23], 1e-2),
        of("ensemble", &[4, 5, 14, 18], 1e-2),
    ];
    let bare = vec![
        of("line", &[900], 2e-3),
        of("narrow", &[90, 6], 2e-3),
        of("plane", &[40, 50], 4e-3),
        noisy("noisy", 2e-2),
    ];
    [("guided", variables), ("bare", bare)]
        .into_iter()
        .map(|(name, variables)| Specimen { file: format!("trellis-{name}"), variables, append: false })
        .collect()
}
