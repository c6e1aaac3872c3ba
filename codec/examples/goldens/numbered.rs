//! Golden files of chunks of numbers in place of elements (SPEC §8.13).
use crate::specimens::{Specimen, Variable, drawn, variable, walk};
use scicodec::{BoundKind, DType};

/// Elements of which few are different, or that all end alike.
pub fn numbered() -> Vec<Specimen> {
    let named = |name, dtype, shape: &[usize], bits| Variable {
        name,
        ..variable(dtype, shape, bits, BoundKind::Lossless, 0.0)
    };
    let surface = || walk(DType::F64, 24, 40, 0.02).into_iter().map(f64::from_bits);
    let mut single: Vec<u64> = surface().map(|v| f64::from(v as f32 * 0.7 + 0.1).to_bits()).collect();
    single[300..306].fill(f64::NAN.to_bits());
    (single[306], single[307]) = ((-0.0f64).to_bits(), f64::NEG_INFINITY.to_bits());
    // Thousandths that were read from text.
    let decimals = surface().map(|v| ((50.0 * v).round() / 1000.0).to_bits()).collect();
    // Steps of no common length.
    let steps = |v: f64| (1.7f64.powf((9.0 * (4.0 * v).sin()).round()) - 0.5) as f32;
    let uneven = surface().map(|v| u64::from(steps(v).to_bits())).collect();
    let sixteenths = surface().map(|v| u64::from((16 * (40.0 * v) as i32) as u32)).collect();
    let noise = drawn(DType::F64, &[900], |_, r| f64::from((r.unit() * 8.0 - 3.0).exp() as f32));
    let variables = vec![
        named("single", DType::F64, &[24, 40], single),
        named("decimals", DType::F64, &[24, 40], decimals),
        named("uneven", DType::F32, &[24, 40], uneven),
        named("sixteenths", DType::I32, &[24, 40], sixteenths),
        named("noise", DType::F64, &[900], noise),
    ];
    vec![Specimen { file: "numbered-variables".into(), variables, append: false }]
}
