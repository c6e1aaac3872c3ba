//! The fields of the golden files: each is there for a base, a map, a type or a shape.
use crate::field::{self, KINDS, Kind, Random};
use crate::grounds::on_backgrounds;
use crate::numbered::numbered;
use crate::raster::{centred, copies};
use crate::wavelets::{guided, trellises};
use scicodec::{BoundKind, DType, Effort, ErrorBound};

/// One golden file.
pub struct Specimen {
    pub file: String,
    pub variables: Vec<Variable>,
    /// Each variable is extended by itself, in a session of its own.
    pub append: bool,
}

#[derive(Clone)]
pub struct Variable {
    pub name: &'static str,
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub bits: Vec<u64>,
    pub bound: ErrorBound,
    pub effort: Effort,
    pub fill: Option<u64>,
    pub chunk: Option<Vec<u64>>,
}

pub fn variable(dtype: DType, shape: &[usize], bits: Vec<u64>, kind: BoundKind, value: f64) -> Variable {
    let bound = ErrorBound { kind, value };
    let shape = shape.to_vec();
    Variable { name: "v", dtype, shape, bits, bound, effort: Effort::Default, fill: None, chunk: None }
}

fn of_kind(kind: Kind, dtype: DType, shape: &[usize], bound: BoundKind, value: f64) -> Variable {
    let mut v = variable(dtype, shape, field::bits(kind, dtype, shape, 7), bound, value);
    v.fill = (kind == Kind::Filled).then(|| field::fill_bits(dtype));
    v
}

/// A field from a function of position and noise.
pub fn drawn(dtype: DType, shape: &[usize], mut f: impl FnMut(&[f64], &mut Random) -> f64) -> Vec<u64> {
    let n: usize = shape.iter().product();
    let mut r = Random(3);
    (0..n)
        .map(|i| {
            let mut at = vec![0.0; shape.len()];
            let mut rest = i;
            for (a, &n) in shape.iter().enumerate().rev() {
                at[a] = (rest % n) as f64;
                rest /= n;
            }
            field::element(dtype, f(&at, &mut r))
        })
        .collect()
}

/// A noisy oscillation: what weights fitted to the field predict best.
fn oscillation(dtype: DType, n: usize, scale: f64) -> Vec<u64> {
    let (mut a, mut b) = (0.0, 1.0);
    drawn(dtype, &[n], |_, r| {
        let next = 1.996 * 2.2f64.cos() * b - 0.996 * a + 0.02 * (r.unit() - 0.5);
        (a, b) = (b, next);
        (next * scale).round() / scale
    })
}

/// A rough surface: sums of noise along both axes, which differences undo.
pub fn walk(dtype: DType, ny: usize, nx: usize, unit: f64) -> Vec<u64> {
    let mut r = Random(5);
    let rows: Vec<f64> = (0..ny)
        .scan(0.0, |s, _| {
            *s += r.unit() - 0.5;
            Some(*s)
        })
        .collect();
    let columns: Vec<f64> = (0..nx)
        .scan(0.0, |s, _| {
            *s += r.unit() - 0.5;
            Some(*s)
        })
        .collect();
    drawn(dtype, &[ny, nx], |at, _| ((rows[at[0] as usize] + columns[at[1] as usize]) / unit).round() * unit)
}

/// Every way in which a chunk lies in a file: inside its record, bare, aligned; alone and beside others.
fn containers(add: &mut impl FnMut(String, Vec<Variable>, bool)) {
    use BoundKind::*;
    let inside = |dtype, kind| of_kind(kind, dtype, &[6, 7], Rel, 1e-2);
    for dtype in [DType::F16, DType::F32, DType::F64, DType::I16] {
        let mut variables =
            vec![inside(dtype, Kind::Smooth), inside(dtype, Kind::Filled), inside(dtype, Kind::Constant)];
        for (v, name) in variables.iter_mut().zip(["", "filled", "constant"]) {
            v.name = name;
        }
        add(format!("container-inside-{}", dtype.name()), variables, false);
    }
    let mut bare = of_kind(Kind::Noisy, DType::F32, &[20, 15], Nrmse, 1e-3);
    bare.chunk = Some(vec![7, 8]);
    add("container-bare".into(), vec![bare], false);
    // Noise that cannot be compressed: 33 rows of 80 take chunks of 10 KB and, the last, of 0.3 KB.
    let noise = field::bits(Kind::Bits, DType::F32, &[33, 80], 1);
    let mut mixed = variable(DType::F32, &[33, 80], noise.clone(), Lossless, 0.0);
    mixed.chunk = Some(vec![32, 80]);
    let mut aligned = variable(DType::F32, &[33, 80], noise, Lossless, 0.0);
    aligned.name = "aligned";
    add("container-mixed".into(), vec![mixed, aligned], false);
    add("container-grown".into(), vec![inside(DType::F64, Kind::Noisy)], true);
    let mut grown = of_kind(Kind::Filled, DType::F64, &[5, 9], Psnr, 50.0);
    grown.chunk = Some(vec![2, 9]);
    add("container-grown-in-chunks".into(), vec![grown], true);
    add("container-scalar".into(), vec![of_kind(Kind::Smooth, DType::F64, &[], Abs, 1e-3)], false);
    // Masks, and the planes of zeros and signs of logarithms: disks that grow from plane to plane.
    let disks = |dtype: DType, hole: u64| {
        let element = |at: &[f64]| {
            let radius = 3.0 + at[0] + (at[1] * 0.9).sin() + (at[2] * 1.3).cos();
            let (y, x) = (at[1] - 9.0, at[2] - 11.0 - at[0]);
            (x * x + y * y > radius * radius).then(|| (at[1] * 0.3).sin() * 10.0 + at[2] * 0.2)
        };
        let mut values = vec![];
        drawn(dtype, &[3, 19, 23], |at, _| {
            values.push(element(at));
            0.0
        });
        values.into_iter().map(|v| v.map_or(hole, |v| field::element(dtype, v))).collect::<Vec<u64>>()
    };
    let nan = variable(DType::F32, &[3, 19, 23], disks(DType::F32, 0x7fc0_0001), Abs, 0.1);
    let mut logarithms = variable(DType::F64, &[3, 19, 23], disks(DType::F64, 0), PwRel, 1e-2);
    logarithms.name = "logarithms";
    add("mask-mixed".into(), vec![nan, logarithms], false);
    add("container-empty".into(), vec![of_kind(Kind::Smooth, DType::F32, &[3, 0], Abs, 1e-3)], false);
}

/// Files of the tabled base, which takes fields of some size.
fn tabled() -> Vec<Specimen> {
    use BoundKind::*;
    let wave = |at: &[f64]| (at[0] * 0.11).sin() * 10.0 + (at[1] * 0.07 + at[0] * 0.05).cos() * 7.0;
    let cube = |at: &[f64]| (at[0] * 0.3).sin() + (at[1] * 0.23 + at[2] * 0.1).cos() + (at[2] * 0.31).sin();
    let plane = drawn(DType::F32, &[65, 67], |at, _| wave(at));
    let steps = drawn(DType::F32, &[66, 64], |at, _| 12.5 + 0.01 * (2.0 * wave(at)).round());
    let rough = drawn(DType::F64, &[66, 64], |at, r| wave(at) + 3.0 * r.unit());
    let spikes = drawn(DType::F32, &[70, 60], |at, r| if r.below(200) == 0 { 1e4 * r.unit() } else { 0.001 * at[1] });
    let volume = drawn(DType::F32, &[13, 17, 21], |at, _| cube(at));
    let tone = oscillation(DType::F64, 4500, 1e7);
    let mut holes = volume.clone();
    for k in (500..900).chain(2000..2003) {
        holes[k] = u64::from(f32::NAN.to_bits()) + (k as u64 % 3);
    }
    let mut alike = volume.clone();
    for k in (500..900).chain(3000..3001) {
        alike[k] = u64::from(f32::NAN.to_bits());
    }
    let four = drawn(DType::F32, &[3, 5, 16, 18], |at, r| cube(at) + 0.1 * at[3] + 0.02 * r.unit());
    let near = steps.clone();
    let files = [
        ("plane", variable(DType::F32, &[65, 67], plane, Rel, 1e-3)),
        ("plane-rough", variable(DType::F64, &[66, 64], rough, Abs, 1e-4)),
        ("volume", variable(DType::F32, &[13, 17, 21], volume, Rel, 1e-2)),
        ("masked", variable(DType::F32, &[13, 17, 21], holes, Rel, 1e-2)),
        ("masked-alike", variable(DType::F32, &[13, 17, 21], alike, Rel, 1e-2)),
        ("four-axes", variable(DType::F32, &[3, 5, 16, 18], four, Nrmse, 1e-2)),
        ("line", variable(DType::F64, &[4500], tone, Rel, 1e-2)),
        ("lattice", variable(DType::F32, &[66, 64], steps, Abs, 1e-3)),
        ("lorenzo", variable(DType::F32, &[66, 63], walk(DType::F32, 66, 63, 1e-7), Abs, 1e-4)),
        ("spikes", variable(DType::F32, &[70, 60], spikes, Rel, 1e-6)),
        ("exceptions", variable(DType::F32, &[66, 64], near, Abs, 1e-7)),
    ];
    let one = |(name, v): (&str, Variable)| Specimen {
        file: format!("tabled-{name}"),
        variables: vec![Variable { effort: Effort::Fast, ..v }],
        append: false,
    };
    files.into_iter().map(one).collect()
}

/// Waves with a front in them.
pub fn wave(at: &[f64]) -> f64 {
    let (x, y) = (at[at.len() - 1], at[at.len() - 2]);
    let z = if at.len() > 2 { at[at.len() - 3] } else { 0.0 };
    let front = (0.9 * (x - 0.6 * y + 0.4 * z - 9.0 + 4.0 * (0.21 * y).sin())).tanh();
    (0.19 * x + 0.11 * y).sin() + 0.7 * (0.23 * y - 0.13 * z).cos() + front * (1.0 + 0.3 * (0.31 * x).cos())
}

/// Files with a model inside that is not the program's own: `model-` begins the names of such.
fn with_models() -> Vec<Specimen> {
    let volume = drawn(DType::F32, &[8, 16, 18], |at, _| wave(at));
    let plane = drawn(DType::F32, &[56, 30], |at, _| wave(at));
    let lone = variable(DType::F32, &[8, 16, 18], volume, BoundKind::Rel, 1e-2);
    let cut = Variable { chunk: Some(vec![28, 30]), ..variable(DType::F32, &[56, 30], plane, BoundKind::Rel, 1e-2) };
    let one = |(name, v, append)| Specimen { file: format!("model-{name}"), variables: vec![v], append };
    [("inside", lone, false), ("grown", cut, true)].into_iter().map(one).collect()
}

/// Files whose coders start from states.
fn primed() -> Vec<Specimen> {
    use BoundKind::*;
    let plane = drawn(DType::F32, &[57, 64], |at, _| wave(at));
    let volume = drawn(DType::F32, &[14, 22, 25], |at, r| wave(at) + 0.002 * r.unit());
    let mut holes = volume.clone();
    for k in (700..1200).chain(4000..4003) {
        holes[k] = u64::from(f32::NAN.to_bits());
    }
    let noise = drawn(DType::F32, &[40, 50], |at, r| 0.01 * at[0] + r.unit() * r.unit());
    let product = drawn(DType::F64, &[30, 40], |at, _| (0.3 * at[0]).sin() * (0.1 * at[1] * at[1]).cos());
    let all = [
        ("coarse", variable(DType::F32, &[57, 64], plane.clone(), Rel, 1e-1)),
        ("rmse", variable(DType::F32, &[57, 64], plane, Nrmse, 1e-2)),
        ("volume", variable(DType::F32, &[14, 22, 25], volume, Rel, 1e-3)),
        ("holes", variable(DType::F32, &[14, 22, 25], holes, Rel, 3e-2)),
        ("noise", variable(DType::F32, &[40, 50], noise, Rel, 1e-2)),
        ("product", variable(DType::F64, &[30, 40], product, Rel, 1e-6)),
    ];
    let one = |(name, v)| Specimen { file: format!("primed-{name}"), variables: vec![v], append: false };
    all.into_iter().map(one).collect()
}

/// The same with a model inside that stands on another one: `delta-` begins their names.
fn tuned() -> Vec<Specimen> {
    let wanted = ["coarse", "rmse", "noise", "volume"];
    let mut all: Vec<Specimen> = primed();
    all.retain(|s| wanted.iter().any(|w| s.file.ends_with(w)));
    for s in &mut all {
        s.file = s.file.replace("primed-", "delta-").replace("volume", "two");
    }
    all
}

/// Files of variables that know each other.
fn beside() -> Vec<Specimen> {
    use BoundKind::*;
    let front = |at: &[f64]| if (at[1] - 0.6 * at[0]).sin() > 0.3 { 1.0 } else { 0.0 };
    let first = |at: &[f64]| (at[1] * 0.9).sin() * (at[0] * 1.3).cos() + front(at);
    let second = |at: &[f64]| 50.0 * (1.0 + 0.5 * (at[1] / 40.0).sin()) * first(at) + 0.2 * at[1];
    let named = |name, v: Variable| Variable { name, ..v };
    let pair = |dtype: DType, e: f64| {
        let shape = [48, 50];
        let (a, b) = (drawn(DType::F32, &shape, |at, _| first(at)), drawn(dtype, &shape, |at, _| second(at)));
        vec![
            named("a", variable(DType::F32, &shape, a, Rel, e)),
            named("b", variable(dtype, &shape, b, if dtype.is_float() { Rel } else { Abs }, e)),
        ]
    };
    let mut holes = pair(DType::F32, 1e-3);
    for k in (300..420).chain(1000..1003) {
        holes[0].bits[k] = u64::from(f32::NAN.to_bits());
        holes[0].bits[k + 700] = u64::from((-999f32).to_bits());
        holes[1].bits[k + 40] = u64::from(f32::NAN.to_bits());
    }
    holes[0].fill = Some(u64::from((-999f32).to_bits()));
    let mut chunks = pair(DType::F64, 1e-4);
    let third = drawn(DType::F32, &[48, 50], |at, _| 3.0 * first(at) - 0.01 * second(at));
    chunks.push(named("c", variable(DType::F32, &[48, 50], third, Rel, 1e-3)));
    chunks.iter_mut().for_each(|v| v.chunk = Some(vec![24, 50]));
    let whole = pair(DType::I16, 1.0);
    let volume =
        |scale: f64| drawn(DType::F32, &[6, 20, 22], move |at, _| scale * first(&at[1..]) * (1.0 + 0.1 * at[0]));
    let volumes = vec![
        named("a", variable(DType::F32, &[6, 20, 22], volume(1.0), Rel, 1e-2)),
        named("b", variable(DType::F32, &[6, 20, 22], volume(-7.0), Nrmse, 1e-3)),
    ];
    let guided = |e: f64, apart: f64| {
        let a = drawn(DType::F32, &[57, 64], |at, _| wave(at));
        let b = drawn(DType::F32, &[57, 64], |at, _| (1.0 - apart) * wave(at) + apart * wave(&[at[1], at[0]]));
        vec![
            named("a", variable(DType::F32, &[57, 64], a, Rel, e)),
            named("b", variable(DType::F32, &[57, 64], b, Rel, e)),
        ]
    };
    let step = variable(DType::F32, &[1, 48, 50], drawn(DType::F32, &[1, 48, 50], |at, _| first(&at[1..])), Rel, 1e-3);
    let files = [
        ("coarse", pair(DType::F32, 3e-2), false),
        ("fine", pair(DType::F64, 1e-5), false),
        ("holes", holes, false),
        ("chain", chunks, false),
        ("lattice", whole, false),
        ("volume", volumes, false),
        ("grown", vec![step], true),
        ("guided-1", guided(1e-2, 0.3), false),
        ("guided-2", guided(1e-1, 0.1), false),
    ];
    files
        .into_iter()
        .map(|(name, variables, append)| Specimen { file: format!("beside-{name}"), variables, append })
        .collect()
}

/// Files whose variables share what a wavelet codes best: what is rough and not local.
pub fn left_out() -> Vec<Specimen> {
    use BoundKind::*;
    let rough = |at: &[f64]| {
        (1..40)
            .map(|k| (f64::from(k * k % 17) * at[0] / 9.0 + f64::from(k) * at[1] / 12.0).sin() / f64::from(k))
            .sum::<f64>()
    };
    let own = |at: &[f64]| (0.02 * at[0] * at[1]).sin();
    let named = |name, v: Variable| Variable { name, ..v };
    let field = |dtype: DType, shape: &[usize], a: f64, b: f64| {
        drawn(dtype, shape, move |at, _| a * rough(&at[at.len() - 2..]) + b * own(&at[at.len() - 2..]))
    };
    let shape = [60, 64];
    let of = |name, dtype: DType, a: f64, b: f64, kind, e: f64| {
        named(name, variable(dtype, &shape, field(dtype, &shape, a, b), kind, e))
    };
    let plane = vec![of("a", DType::F32, 1.0, 0.0, Nrmse, 1e-2), of("b", DType::F32, -30.0, 0.5, Nrmse, 1e-2)];
    let mut three = vec![
        of("a", DType::F64, 1.0, 0.0, Rel, 3e-2),
        of("b", DType::F64, 0.2, 1.0, Rel, 3e-2),
        of("c", DType::F64, 1.5, 1.0, Rel, 3e-2),
    ];
    for k in (300..420).chain(1000..1003) {
        three[0].bits[k] = f64::NAN.to_bits();
        three[2].bits[k + 40] = f64::NAN.to_bits();
    }
    let volume = [8, 30, 32];
    let volumes = vec![
        named("a", variable(DType::F32, &volume, field(DType::F32, &volume, 1.0, 0.0), Rel, 2e-2)),
        named("b", variable(DType::F32, &volume, field(DType::F32, &volume, 4e3, 30.0), Psnr, 40.0)),
    ];
    [("plane", plane), ("three", three), ("volume", volumes)]
        .into_iter()
        .map(|(name, variables)| Specimen { file: format!("left-out-{name}"), variables, append: false })
        .collect()
}

/// Files that a network helps.
fn learned() -> Vec<Specimen> {
    use BoundKind::*;
    let plane = drawn(DType::F32, &[57, 64], |at, _| wave(at));
    let volume = drawn(DType::F32, &[14, 22, 25], |at, r| wave(at) + 0.002 * r.unit());
    let four = drawn(DType::F64, &[3, 9, 14, 17], |at, _| wave(at) + 0.1 * at[0]);
    let mut holes = volume.clone();
    for k in (700..1200).chain(4000..4003) {
        holes[k] = u64::from(f32::NAN.to_bits());
    }
    let positive = drawn(DType::F32, &[12, 20, 24], |at, _| (1.5 * wave(at)).exp());
    let files = [
        ("plane", variable(DType::F32, &[57, 64], plane, Rel, 1e-2)),
        ("volume", variable(DType::F32, &[14, 22, 25], volume, Rel, 1e-2)),
        ("four-axes", variable(DType::F64, &[3, 9, 14, 17], four, Rel, 1e-3)),
        ("masked", variable(DType::F32, &[14, 22, 25], holes, Abs, 1e-2)),
        ("logarithms", variable(DType::F32, &[12, 20, 24], positive, PwRel, 1e-2)),
    ];
    let one = |(name, v)| Specimen { file: format!("learned-{name}"), variables: vec![v], append: false };
    files.into_iter().map(one).collect()
}

/// A file that latents help, for its model guides badly without.
fn latents() -> Vec<Specimen> {
    let mut variables: Vec<Variable> = learned().into_iter().flat_map(|s| s.variables).collect();
    let names = ["plane", "volume", "four_axes", "masked", "logarithms"];
    variables.iter_mut().zip(names).for_each(|(v, name)| v.name = name);
    vec![Specimen { file: "latents-variables".into(), variables, append: false }]
}

/// Files of the Tucker base, which takes fields that few products of lines make up.
fn low_rank() -> Vec<Specimen> {
    use BoundKind::*;
    let bump = |x: f64, at: f64| 1.0 / (1.0 + (x - at) * (x - at) * 0.04);
    let sum = |x: f64, y: f64, z: f64| {
        (0..4).map(|k| f64::from(k) * 3.7 + 2.0).map(|c| bump(x, c) * bump(y, 11.0 - 0.5 * c) * bump(z, 0.3 * c)).sum()
    };
    let volume = drawn(DType::F64, &[11, 12, 13], |at, _| sum(at[0], at[1], at[2]));
    let plane = drawn(DType::F32, &[29, 31], |at, r| 280.0 + sum(at[0], at[1], 4.0) + 1e-5 * r.unit());
    let thin = drawn(DType::F32, &[3, 14, 15], |at, _| sum(at[1], at[2], 5.0 * at[0]));
    let mut holes = plane.clone();
    for k in (100..110).chain(500..503) {
        holes[k] = u64::from(f32::NAN.to_bits()) + (k as u64 % 2);
    }
    let files = [
        ("volume", variable(DType::F64, &[11, 12, 13], volume.clone(), Rel, 1e-4)),
        ("volume-l2", variable(DType::F64, &[11, 12, 13], volume.clone(), Nrmse, 1e-3)),
        ("volume-exact", variable(DType::F64, &[11, 12, 13], volume.clone(), Rel, 1e-9)),
        ("plane", variable(DType::F32, &[29, 31], plane, Rel, 1e-4)),
        ("masked", variable(DType::F32, &[29, 31], holes, Rel, 1e-4)),
        ("thin", variable(DType::F32, &[3, 14, 15], thin, Rel, 1e-3)),
        ("max", Variable { effort: Effort::Max, ..variable(DType::F64, &[11, 12, 13], volume, Rel, 1e-3) }),
    ];
    let one =
        |(name, v): (&str, Variable)| Specimen { file: format!("tucker-{name}"), variables: vec![v], append: false };
    files.into_iter().map(one).collect()
}

/// What the model that ships as number 4 guides.
fn fourth_model() -> Vec<Specimen> {
    let mut variables: Vec<Variable> = learned().into_iter().flat_map(|s| s.variables).take(4).collect();
    let names = ["plane", "volume", "four_axes", "masked"];
    variables.iter_mut().zip(names).for_each(|(v, name)| v.name = name);
    vec![Specimen { file: "model-number-4".into(), variables, append: false }]
}

/// The same of number 5, whose trunk is larger.
fn fifth_model() -> Vec<Specimen> {
    fourth_model().into_iter().map(|s| Specimen { file: "model-number-5".into(), ..s }).collect()
}

/// All golden files.
pub fn specimens() -> Vec<Specimen> {
    use BoundKind::*;
    let mut all = vec![];
    let mut add = |file: String, variables: Vec<Variable>, append: bool| all.push(Specimen { file, variables, append });

    // Every type, losslessly and under a bound; every kind of field, in two types; both efforts.
    for (t, dtype) in DType::ALL.into_iter().enumerate() {
        let mut exact = of_kind(Kind::Noisy, dtype, &[9, 11], Lossless, 0.0);
        let mut bounded = of_kind(Kind::Smooth, dtype, &[5, 6, 7], Rel, 1e-2);
        exact.effort = if t % 2 == 0 { Effort::Fast } else { Effort::Default };
        bounded.effort = if t % 2 == 1 { Effort::Fast } else { Effort::Default };
        (exact.name, bounded.name) = ("exact", "bounded");
        add(format!("type-{}", dtype.name()), vec![exact, bounded], false);
    }
    for (k, kind) in KINDS.into_iter().enumerate() {
        let mut a = of_kind(kind, DType::F32, &[12, 15], Abs, 0.25);
        let mut b = of_kind(kind, DType::F64, &[90], PwRel, 1e-3);
        let c = of_kind(kind, DType::I16, &[7, 9], Abs, 2.0);
        a.effort = if k % 2 == 0 { Effort::Fast } else { Effort::Default };
        b.effort = if k % 2 == 1 { Effort::Fast } else { Effort::Default };
        let mut variables = vec![a, b, c];
        for (v, name) in variables.iter_mut().zip(["abs", "pw_rel", "whole"]) {
            v.name = name;
        }
        add(format!("kind-{kind:?}").to_lowercase(), variables, false);
    }
    // Every rank, with extents of 0 and 1, and chunks that do not divide the shape.
    let shapes: [&[usize]; 9] = [
        &[],
        &[31],
        &[7, 12],
        &[4, 5, 9],
        &[3, 4, 5, 6],
        &[2, 3, 2, 5, 4],
        &[2, 2, 3, 2, 3, 4],
        &[4, 0, 3],
        &[1, 40, 1],
    ];
    for shape in shapes {
        let mut v = of_kind(Kind::Smooth, DType::F32, shape, Rel, 1e-3);
        v.chunk = Some(shape.iter().map(|&n| (n as u64 * 2).div_ceil(3).max(1)).collect());
        let name: Vec<String> = shape.iter().map(usize::to_string).collect();
        add(format!("shape-{}", name.join("x")), vec![v], false);
    }
    // Every bound on one field.
    let bounds = [(Lossless, 0.0), (Abs, 0.1), (Rel, 1e-4), (PwRel, 1e-2), (Psnr, 50.0), (Nrmse, 1e-2), (L2, 20.0)];
    for (kind, value) in bounds {
        for dtype in [DType::F32, DType::F64] {
            let mut v = of_kind(Kind::Noisy, dtype, &[20, 24], kind, value);
            if dtype == DType::F64 {
                v.bits = field::bits(Kind::Smooth, dtype, &v.shape, 3);
            }
            add(format!("bound-{}-{}", kind.name(), dtype.name()), vec![v], false);
        }
    }
    // Fields for which one base is clearly the best.
    let wave = |at: &[f64]| (at[0] * 0.21).sin() * 10.0 + (at[1] * 0.17 + at[0] * 0.05).cos() * 7.0;
    let smooth = drawn(DType::F32, &[32, 32], |at, _| wave(at));
    add("base-interpolation".into(), vec![variable(DType::F32, &[32, 32], smooth, Rel, 1e-2)], false);
    let rough = drawn(DType::F32, &[32, 32], |at, r| wave(at) + r.unit() + 0.7 * (at[0] * 2.1).sin());
    for (k, e) in [1e-2, 3e-2, 1e-1].into_iter().enumerate() {
        add(format!("base-wavelet-{k}"), vec![variable(DType::F32, &[32, 32], rough.clone(), Nrmse, e)], false);
    }
    let surface = walk(DType::F32, 30, 33, 1e-7);
    add("base-lorenzo".into(), vec![variable(DType::F32, &[30, 33], surface, Abs, 1e-4)], false);
    let tone = oscillation(DType::F32, 1000, 1e7);
    add("base-linear".into(), vec![variable(DType::F32, &[1000], tone, Abs, 1e-3)], false);
    let noise = field::bits(Kind::Bits, DType::F64, &[64], 1);
    add("base-lossless".into(), vec![variable(DType::F64, &[64], noise, Lossless, 0.0)], false);
    let flat = field::bits(Kind::Constant, DType::F64, &[6, 6], 1);
    add("base-constant".into(), vec![variable(DType::F64, &[6, 6], flat, Rel, 1e-6)], false);
    let steps = drawn(DType::F32, &[32, 32], |at, _| 12.5 + 0.01 * (20.0 * wave(at)).round());
    add("lattice-interpolation".into(), vec![variable(DType::F32, &[32, 32], steps, Lossless, 0.0)], false);
    let steps = walk(DType::F32, 30, 33, 0.01);
    add("lattice-lorenzo".into(), vec![variable(DType::F32, &[30, 33], steps, Abs, 1e-3)], false);
    let steps: Vec<u64> = oscillation(DType::F64, 1900, 1e9)
        .into_iter()
        .map(|b| field::element(DType::I16, (f64::from_bits(b) * 3000.0).round()))
        .collect();
    add("lattice-linear".into(), vec![variable(DType::I16, &[1900], steps, Lossless, 0.0)], false);
    // A variable that grew, and one that grew in chunks.
    let mut grown = of_kind(Kind::Specials, DType::F32, &[5, 9], Abs, 0.5);
    add("grown".into(), vec![of_kind(Kind::Smooth, DType::F64, &[5, 9], Rel, 1e-3)], true);
    (grown.chunk, grown.effort) = (Some(vec![2, 4]), Effort::Fast);
    add("grown-in-chunks".into(), vec![grown], true);
    containers(&mut add);
    // Integers as symbols under mixed distributions: every kind of field, and every base that codes integers.
    for kind in KINDS.into_iter().filter(|&k| k != Kind::Extremes) {
        let mut a = of_kind(kind, DType::F32, &[20, 24], Abs, 0.01);
        let mut b = of_kind(kind, DType::F64, &[120], PwRel, 1e-4);
        (a.name, b.name) = ("abs", "pw_rel");
        add(format!("mixture-kind-{kind:?}").to_lowercase(), vec![a, b], false);
    }
    let volume = drawn(DType::F32, &[6, 17, 19], |at, r| wave(at) + 3.0 * (at[2] * 0.3).sin() + 0.02 * r.unit());
    for (k, e) in [1e-2, 1e-4, 1e-6].into_iter().enumerate() {
        let v = variable(DType::F32, &[6, 17, 19], volume.clone(), Rel, e);
        add(format!("mixture-interpolation-{k}"), vec![v], false);
    }
    let rough = drawn(DType::F32, &[40, 40], |at, r| wave(at) + r.unit() + 0.7 * (at[0] * 2.1).sin());
    for (k, (kind, e)) in [(Nrmse, 3e-2), (Nrmse, 1e-3), (Rel, 2e-1), (Rel, 3e-2)].into_iter().enumerate() {
        add(format!("mixture-wavelet-{k}"), vec![variable(DType::F32, &[40, 40], rough.clone(), kind, e)], false);
    }
    let surface = walk(DType::F32, 30, 33, 1e-7);
    add("mixture-lorenzo".into(), vec![variable(DType::F32, &[30, 33], surface, Abs, 1e-4)], false);
    let tone = oscillation(DType::F32, 1000, 1e7);
    add("mixture-linear".into(), vec![variable(DType::F32, &[1000], tone, Abs, 1e-3)], false);
    let steps = walk(DType::F32, 30, 33, 0.01);
    add("mixture-lattice".into(), vec![variable(DType::F32, &[30, 33], steps, Abs, 1e-3)], false);
    // The same where it is told first whether an integer is zero.
    let calm = drawn(DType::F32, &[6, 17, 19], |at, r| wave(at) + (at[2] * 0.3).sin() + 0.02 * r.unit());
    for (k, e) in [1e-1, 2e-2, 1e-3].into_iter().enumerate() {
        let v = variable(DType::F32, &[6, 17, 19], calm.clone(), Rel, e);
        add(format!("zeros-first-interpolation-{k}"), vec![v], false);
    }
    for (k, (kind, e)) in [(Nrmse, 1e-1), (Nrmse, 1e-2), (Rel, 1e-1)].into_iter().enumerate() {
        add(format!("zeros-first-wavelet-{k}"), vec![variable(DType::F32, &[40, 40], rough.clone(), kind, e)], false);
    }
    let steps = walk(DType::F32, 30, 33, 0.01);
    add("zeros-first-lattice".into(), vec![variable(DType::F32, &[30, 33], steps, Abs, 2e-2)], false);
    let mut logs = of_kind(Kind::Specials, DType::F64, &[20, 30], PwRel, 1e-2);
    logs.name = "pw_rel";
    add("zeros-first-logarithms".into(), vec![logs], false);
    all.extend(tabled());
    all.extend(learned());
    all.extend(latents());
    all.extend(with_models());
    all.extend(tuned());
    all.extend(primed());
    all.extend(guided());
    all.extend(trellises());
    all.extend(low_rank());
    all.extend(on_backgrounds());
    all.extend(centred());
    all.extend(copies());
    all.extend(numbered());
    all.extend(fourth_model());
    all.extend(fifth_model());
    all.extend(beside());
    all.extend(left_out());
    all
}
