//! Golden files of the bases that go through a chunk in C order and follow no plane (SPEC §8.3): noise, and copies.
use crate::field::Random;
use crate::specimens::{Specimen, Variable, drawn, variable};
use scicodec::{BoundKind, DType};

/// What is noise, or noise that hangs together a little: predicted about one value for all points.
pub fn centred() -> Vec<Specimen> {
    use BoundKind::*;
    let line = drawn(DType::F32, &[1500], |_, r| 3.0 + r.unit());
    let whole = drawn(DType::I16, &[1500], |_, r| (900.0 * r.unit()).round() - 300.0);
    let mut before = 0.0;
    let mut pulled = |r: &mut Random| {
        before = 0.4 * before + r.unit();
        before
    };
    let mut holes = drawn(DType::F64, &[6, 13, 17], |_, r| pulled(r));
    holes[200..260].fill(f64::NAN.to_bits());
    let files = [
        ("line", variable(DType::F32, &[1500], line.clone(), Rel, 1e-3)),
        ("line-l2", variable(DType::F32, &[1500], line, Nrmse, 1e-4)),
        ("lattice", variable(DType::I16, &[1500], whole, Lossless, 0.0)),
        ("masked", variable(DType::F64, &[6, 13, 17], holes, Rel, 1e-4)),
    ];
    let one =
        |(name, v): (&str, Variable)| Specimen { file: format!("centred-{name}"), variables: vec![v], append: false };
    files.into_iter().map(one).collect()
}

/// What neighbours share: fields drawn larger than they are, that stand still, that repeat.
pub fn copies() -> Vec<Specimen> {
    use BoundKind::*;
    // What a place has that is found by dividing indices.
    let noise = |parts: &[f64]| Random(1 + parts.iter().fold(0, |n, v| 100 * n + *v as u64)).unit();
    let mut blocks = drawn(DType::F32, &[6, 20, 24], |at, r| match at[1] < 14.0 {
        true => noise(&[(at[0] / 2.0).floor(), (at[1] / 2.0).floor(), (at[2] / 3.0).floor()]),
        false => r.unit(),
    });
    let l2 = blocks.clone();
    blocks[700..730].fill(u64::from(f32::NAN.to_bits()));
    let mut now = vec![0.0; 14 * 15];
    let held = drawn(DType::F64, &[9, 14, 15], |at, r| {
        let v = &mut now[(at[1] * 15.0 + at[2]) as usize];
        let falls = noise(&[at[0], (at[1] / 5.0).floor(), (at[2] / 4.0).floor()]) > 0.6;
        *v += if falls { r.unit() } else { 0.0 };
        *v
    });
    let whole = drawn(DType::I16, &[40, 33], |at, _| (900.0 * noise(&[(at[0] / 4.0).floor(), at[1]])).round());
    let four = drawn(DType::F64, &[4, 3, 8, 11], |at, _| noise(&[(at[0] / 2.0).floor(), at[1], at[2], at[3]]));
    let zeros = drawn(DType::F64, &[30, 36], |at, r| {
        let v = noise(&[(at[0] / 3.0).floor(), (at[1] / 2.0).floor()]);
        if v < 0.2 && r.unit() < 0.7 { 0.0 } else { (9.0 * v - 4.0).exp() * if v > 0.8 { -1.0 } else { 1.0 } }
    });
    let files = [
        ("logarithms", variable(DType::F64, &[30, 36], zeros, PwRel, 1e-3)),
        ("blocks", variable(DType::F32, &[6, 20, 24], blocks, Rel, 1e-4)),
        ("l2", variable(DType::F32, &[6, 20, 24], l2, Nrmse, 1e-4)),
        ("held", variable(DType::F64, &[9, 14, 15], held, Rel, 1e-4)),
        ("lattice", variable(DType::I16, &[40, 33], whole, Lossless, 0.0)),
        ("four-axes", variable(DType::F64, &[4, 3, 8, 11], four, Rel, 1e-5)),
    ];
    let one =
        |(name, v): (&str, Variable)| Specimen { file: format!("copies-{name}"), variables: vec![v], append: false };
    files.into_iter().map(one).collect()
}
