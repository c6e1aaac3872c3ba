//! A part of a chunk of effort `fast` is the same bits as in the whole, though not all is decoded for it.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/field.rs"]
mod field;
use field::KINDS;
use scicodec::base::Geometry;
use scicodec::base::tabled::{Parameters, Predictor, Wanted, read, write::Codes};
use scicodec::entropy::{BitDecoder, BitEncoder};
use scicodec::*;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    /// Half the time an index, a stretch or all of an axis.
    fn range(&mut self, n: usize) -> std::ops::Range<usize> {
        let start = self.below(n);
        match self.below(4) {
            0 => 0..n,
            1 => start..start + 1 + self.below(n - start),
            _ => start..start + 1,
        }
    }
}

fn predictor(random: &mut Random) -> Predictor {
    if random.below(5) == 0 {
        return Predictor::Lorenzo(1 + random.below(3) as u8);
    }
    let mut axes = [0u8, 1, 2, 3];
    for k in (1..4).rev() {
        axes.swap(k, random.below(k + 1));
    }
    let count = random.below(5) as u8;
    let order = (0..count).fold(0, |order, k| order | axes[usize::from(k)] << (2 * k));
    Predictor::Interpolation { order, count, schedule: random.below(8) as u8, linear: random.below(2) == 1 }
}

#[test]
fn numbers_that_are_wanted_are_those_of_the_whole() {
    let mut random = Random(5);
    for _ in 0..400 {
        let sides = [1, 1, 2, 3, 4, 7, 8, 13, 33, 70];
        let g = Geometry::of(std::array::from_fn(|_| sides[random.below(sides.len())]));
        if g.len() > 60_000 {
            continue;
        }
        let p = Parameters { predictor: predictor(&mut random), step: 1 + random.below(40) as u32 };
        let rough = 1 + random.below(3000);
        let mut values: Vec<i32> = (0..g.len())
            .map(|i| {
                let sum: usize = (0..4).map(|a| i / g.stride[a] % g.n[a] * (90 + 17 * a)).sum();
                ((sum as f64 * 0.01).sin() * 1000.0) as i32 + random.below(rough) as i32
            })
            .collect();
        let mask: Option<Vec<u8>> =
            (random.below(3) == 0).then(|| values.iter().map(|v| u8::from(v % 3 == 0)).collect());
        let codes = Codes::of(&g, &p, &mut values, mask.as_deref());
        let mut c = BitEncoder::default();
        let (symbols, raw) = codes.write(&mut c);
        let bits = c.finish();
        let decoded = |wanted: Option<&Wanted>| {
            read::numbers(&g, &p, mask.as_deref(), &mut BitDecoder::new(&bits), &symbols, &raw, wanted).unwrap()
        };
        assert_eq!(decoded(None), values, "{g:?} {p:?}");
        for _ in 0..8 {
            let wanted: Wanted = std::array::from_fn(|a| random.range(g.n[a]));
            let part = decoded(Some(&wanted));
            for i in 0..g.len() {
                if (0..4).all(|a| wanted[a].contains(&(i / g.stride[a] % g.n[a]))) {
                    assert_eq!(part[i], values[i], "{i} of {wanted:?} of {g:?}, {p:?}");
                }
            }
        }
    }
}

#[test]
fn region_equals_full() {
    let mut random = Random(9);
    let mut tabled = 0;
    let shapes: [(&[usize], &[u64]); 5] = [
        (&[9001], &[4500]),
        (&[130, 67], &[65, 67]),
        (&[20, 25, 24], &[20, 25, 12]),
        (&[3, 6, 18, 35], &[3, 6, 18, 18]),
        (&[2, 2, 3, 24, 25], &[1, 2, 3, 24, 25]),
    ];
    for (k, kind) in KINDS.into_iter().enumerate() {
        for (s, (shape, chunk)) in shapes.into_iter().enumerate() {
            let dtype = [DType::F32, DType::F64][(k + s) % 2];
            let data = field::to_bytes(dtype, &field::bits(kind, dtype, shape, 3));
            let extents: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
            let mut o = common::options(BoundKind::Abs, [1.0, 1e-2][k % 2]);
            o.effort = Effort::Fast;
            o.chunk = ChunkShape::Fixed(chunk.to_vec());
            let file = common::encode(dtype, &extents, &data, &o).unwrap();
            let reader = Reader::from_bytes(file).unwrap();
            tabled += reader.variables()[0].chunks.iter().filter(|c| base_name(c.base) == "tabled").count();
            let full = reader.decode(0, 1).unwrap();
            for _ in 0..12 {
                let ranges: Vec<_> = shape.iter().map(|&n| random.range(n)).collect();
                let want: Vec<u8> = full
                    .chunks(dtype.size())
                    .enumerate()
                    .filter(|&(i, _)| {
                        let mut rest = i;
                        shape.iter().zip(&ranges).rev().all(|(&n, r)| {
                            let own = rest % n;
                            rest /= n;
                            r.contains(&own)
                        })
                    })
                    .flat_map(|(_, v)| v.iter().copied())
                    .collect();
                let region = Region(ranges.iter().map(|r| r.start as u64..r.end as u64).collect());
                let what = format!("{region:?} of {kind:?} {shape:?}");
                assert!(reader.decode_region(0, &region, 1 + k % 2).unwrap() == want, "{what}");
                let mut stream = vec![];
                reader.decode_to(0, Some(&region), 2, &mut stream, &|_| {}).unwrap();
                assert!(stream == want, "{what}, streamed");
            }
        }
    }
    assert!(tabled > 40, "only {tabled} chunks have the base that this test is of");
}

#[test]
fn parts_of_chunks_with_exceptions_are_those_of_the_whole() {
    // Numbers that no grid holds: far from the others.
    let shape = [4u64, 50, 50];
    let mut x: Vec<f32> = (0..10_000).map(|i| (i as f32 * 0.01).sin()).collect();
    for i in (0..x.len()).step_by(1111) {
        x[i] = 3e30 + i as f32 * 1e25;
    }
    let mut o = common::options(BoundKind::Abs, 1e-3);
    o.effort = Effort::Fast;
    let file = common::encode(DType::F32, &shape, common::bytes_of(&x), &o).unwrap();
    let reader = Reader::from_bytes(file).unwrap();
    let full: Vec<u32> = common::from_bytes(&reader.decode(0, 1).unwrap());
    for z in 0..4 {
        let region = Region(vec![z..z + 1, 0..50, 10..12]);
        let got: Vec<u32> = common::from_bytes(&reader.decode_region(0, &region, 1).unwrap());
        let at = |k: usize| full[(z as usize * 50 + k / 2) * 50 + 10 + k % 2];
        assert!(got.iter().enumerate().all(|(k, &v)| v == at(k)));
    }
}
