//! Fields over mountains that a model knows.
use crate::field;
use crate::specimens::{Specimen, Variable, drawn, variable, walk, wave};
use scicodec::{BoundKind, DType};

/// Mountains, of which models for files of names that begin with `background-` know.
pub fn mountains(y: f64, x: f64) -> f64 {
    let hash = ((y / 2.0).floor() * 7919.0 + (x / 3.0).floor() * 104_729.0 + 17.0) as u64;
    let rough = (hash.wrapping_mul(2_654_435_761) >> 7 & 1023) as f64 / 1023.0;
    20.0 * (y / 5.0).sin() * (x / 6.0).cos() + 9.0 * rough
}

/// Files that stand on backgrounds: what other bases are for, above mountains.
pub fn on_backgrounds() -> Vec<Specimen> {
    use BoundKind::*;
    // A variable, and so much of the mountains from there on.
    let above = |name, v: Variable, weight: f64, [y0, x0]: [usize; 2]| {
        let (h, w) = (v.shape[v.shape.len() - 2], v.shape[v.shape.len() - 1]);
        let one = |(i, bits): (usize, &u64)| {
            let own = match v.dtype {
                DType::F32 => f64::from(f32::from_bits(*bits as u32)),
                _ => f64::from_bits(*bits),
            };
            field::element(v.dtype, own + weight * mountains((i / w % h + y0) as f64, (i % w + x0) as f64))
        };
        let bits = v.bits.iter().enumerate().map(one).collect();
        Variable { name, bits, ..v }
    };
    let shape = [60, 64];
    let smooth = drawn(DType::F64, &shape, |at, _| 3.0 * (at[0] / 9.0).sin() * (at[1] / 14.0).cos());
    let steps = walk(DType::F32, 60, 64, 0.01);
    let noise = drawn(DType::F32, &[40, 50], |_, r| r.unit() * r.unit() * r.unit());
    let guided = drawn(DType::F32, &[57, 64], |at, _| wave(at));
    let mut cut = variable(DType::F32, &[3, 60, 64], drawn(DType::F32, &[3, 60, 64], |at, _| wave(at)), Nrmse, 3e-3);
    cut.chunk = Some(vec![3, 32, 40]);
    cut.bits[70] = u64::from(f32::NAN.to_bits());
    let variables = vec![
        above("smooth", variable(DType::F64, &shape, smooth, Rel, 1e-3), 1.0, [0, 0]),
        above("steps", variable(DType::F32, &shape, steps, Abs, 1e-2), 0.5, [0, 0]),
        above("noise", variable(DType::F32, &[40, 50], noise, Rel, 1e-4), 1.5, [11, 3]),
        above("cut", cut, 1.0, [0, 0]),
        above("guided", variable(DType::F32, &[57, 64], guided, Rel, 1e-2), 1.0, [5, 9]),
    ];
    vec![Specimen { file: "background-variables".into(), variables, append: false }]
}
