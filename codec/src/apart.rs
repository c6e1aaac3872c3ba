//! A value that many points share, set apart: where it stands is told as a mask is, and prediction goes on without it. Land
//! that is stored as zeros, dry cells, what was clipped or left undefined.
use crate::background::{self, Choice};
use crate::chunk::ChunkBound;
use crate::elements::nearest;
use crate::prepare::{Prepared, fill_in};
use crate::remembered::Remembered;
use crate::select_target::room;

/// Values that are looked at for one that is common.
const SAMPLE: usize = 1 << 12;
/// The share of values that must be equal, and how many of them must stand side by side on average for a mask to be cheap.
const COMMON: usize = 32;
const SIDE_BY_SIDE: usize = 2;
/// The share of values that a bound lets be the least from which they are.
const ABOUT_LEAST: usize = 4;
/// The share of the range of all others by which the least or the greatest value must be beyond them to be no value at all,
/// and how often it must be there: of what was measured, the greatest is there once.
const BEYOND: f64 = 0.5;
const OFTEN: usize = 3;
/// Most values that are set apart: so many are told in few bits (SPEC §7.6.3).
const MOST: usize = 4;

/// The bits of values that it is worth a try to set apart: those that many points share which stand together, the most common
/// one first, and those far beyond all others.
fn worth_a_try(x: &Prepared) -> Vec<u64> {
    let every = x.bits.len().div_ceil(SAMPLE).max(1);
    let mut some: Vec<u64> = (0..x.bits.len()).step_by(every).filter(|&i| known(x, i)).map(|i| x.bits[i]).collect();
    some.sort_unstable();
    let mut alike: Vec<(usize, u64)> = some.chunk_by(|a, b| a == b).map(|alike| (alike.len(), alike[0])).collect();
    alike.sort_unstable_by_key(|&(count, _)| std::cmp::Reverse(count));
    let valid = x.valid as usize;
    let worth = |&value: &u64| {
        let (count, runs) = runs(x, |i| x.bits[i] == value);
        count < valid && count * COMMON >= valid && count >= SIDE_BY_SIDE * runs
    };
    let mut all: Vec<u64> = alike.into_iter().take(MOST).map(|(_, value)| value).filter(worth).collect();
    for value in beyond(x) {
        if all.len() < MOST && !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

/// The bits of the least and the greatest value where these are far from all others: they stand for what is missing or beyond
/// measure, wherever they stand.
fn beyond(x: &Prepared) -> Vec<u64> {
    let (mut next, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    for (_, &v) in x.numbers.iter().enumerate().filter(|(i, _)| known(x, *i)) {
        next = if v > x.lo && v < next { v } else { next };
        last = if v < x.hi && v > last { v } else { last };
    }
    let far = BEYOND * (last - next);
    let ends = [(x.lo, next - x.lo), (x.hi, x.hi - last)];
    // Where there are two values, neither is beyond others.
    let ends = ends.into_iter().filter(|(_, gap)| next <= last && *gap > far).map(|(v, _)| nearest(x.dtype, v));
    ends.filter(|&end| (0..x.bits.len()).filter(|&i| known(x, i) && x.bits[i] == end).count() >= OFTEN).collect()
}

/// What is set apart in a chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Apart {
    /// Nothing.
    #[default]
    Nothing,
    /// Values of these bits, as they are.
    Values(Vec<u64>),
    /// What the bound lets be the least value, as that value: what is nearly dry, as dry.
    Least,
    /// A background, from every value.
    Background(Choice),
}

impl Apart {
    /// What it is worth a try to set apart.
    pub fn likely(x: &Prepared) -> Vec<Apart> {
        let values = worth_a_try(x);
        let mut all = vec![];
        if values.len() > 1 {
            all.push(Apart::Values(values[..1].to_vec()));
        }
        if !values.is_empty() {
            all.push(Apart::Values(values));
        }
        if least(x).is_some() {
            all.push(Apart::Least);
        }
        all
    }

    /// The backgrounds that it is worth a try to set apart.
    pub fn backgrounds(x: &Prepared) -> Vec<Apart> {
        background::likely(x).into_iter().map(Apart::Background).collect()
    }

    /// The chunk that is left, with nothing to be coded beside; none if it is the chunk.
    pub fn rest(&self, x: &Prepared) -> Option<Prepared> {
        match self {
            Apart::Nothing => None,
            Apart::Values(values) => Some(without(x, x.bits.clone(), |i| values.contains(&x.bits[i]))),
            Apart::Least => {
                let (top, all) = least(x)?;
                let within = |i: usize| known(x, i) && x.numbers[i] <= top;
                let bits = (0..x.bits.len()).map(|i| if within(i) { all } else { x.bits[i] }).collect();
                Some(without(x, bits, within))
            }
            Apart::Background(choice) => choice.rest(x),
        }
    }
}

fn known(x: &Prepared, i: usize) -> bool {
    !x.special.as_ref().is_some_and(|s| s[i])
}

/// The largest value that a bound lets be the least, and the bits of that, where there are many between.
fn least(x: &Prepared) -> Option<(f64, u64)> {
    let ChunkBound::Abs(e) = x.bound else { return None };
    let room = room(x, e);
    if !x.dtype.is_float() || room <= 0.0 {
        return None;
    }
    let top = x.lo + room;
    let (count, runs) = runs(x, |i| x.numbers[i] <= top);
    let valid = x.valid as usize;
    let many = count < valid && count * ABOUT_LEAST >= valid && count >= SIDE_BY_SIDE * runs;
    let between = |i: usize| known(x, i) && x.numbers[i] > x.lo && x.numbers[i] <= top;
    (many && (0..x.bits.len()).any(between)).then(|| (top, nearest(x.dtype, x.lo)))
}

/// How many values these are, and in how many runs.
fn runs(x: &Prepared, is: impl Fn(usize) -> bool) -> (usize, usize) {
    let (mut count, mut runs, mut within) = (0, 0, false);
    for i in 0..x.bits.len() {
        let is = known(x, i) && is(i);
        runs += usize::from(is && !within);
        count += usize::from(is);
        within = is;
    }
    (count, runs)
}

/// A chunk of these bits without some of its values.
fn without(x: &Prepared, bits: Vec<u64>, apart: impl Fn(usize) -> bool) -> Prepared {
    let special: Vec<bool> = (0..bits.len()).map(|i| !known(x, i) || apart(i)).collect();
    let mut numbers = x.numbers.clone();
    fill_in(&x.g, &mut numbers, &special);
    let (mut lo, mut hi, mut valid) = (f64::INFINITY, f64::NEG_INFINITY, 0u64);
    for (&v, _) in numbers.iter().zip(&special).filter(|(_, s)| !**s) {
        (lo, hi, valid) = (lo.min(v), hi.max(v), valid + 1);
    }
    let bound = match x.bound {
        // Those that are exact leave their share of the error to the others.
        ChunkBound::Rmse(e) if valid > 0 => ChunkBound::Rmse(e * (x.valid as f64 / valid as f64).sqrt()),
        bound => bound,
    };
    Prepared {
        dtype: x.dtype,
        g: x.g,
        bound,
        effort: x.effort,
        model: x.model.clone(),
        bits,
        numbers,
        special: special.contains(&true).then_some(special),
        lo,
        hi,
        valid,
        references: Vec::new(),
        below: None,
        origin: None,
        one_of_many: x.one_of_many,
        said: Remembered::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{ChunkRequest, Effort, decode_chunk, encode_chunk};
    use crate::options::ModelChoice;
    use scicodec_format::DType;

    const N: usize = 96;

    /// Rough water around two round islands, on which there is this value.
    fn sea(land: f32) -> Vec<u8> {
        let mut seed = 1u32;
        let values = (0..N * N).map(|i| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (y, x) = ((i / N) as f32, (i % N) as f32);
            let far = |cy: f32, cx: f32| ((y - cy).powi(2) + (x - cx).powi(2)).sqrt();
            let noise = (seed >> 8) as f32 / (1 << 24) as f32 - 0.5;
            if far(30.0, 35.0) < 20.0 || far(70.0, 60.0) < 17.0 { land } else { 10.0 + (x / 9.0).sin() + 0.1 * noise }
        });
        values.flat_map(f32::to_ne_bytes).collect()
    }

    fn request(data: &[u8], bound: ChunkBound) -> ChunkRequest<'_> {
        let (fill, effort, model) = (None, Effort::Default, ModelChoice::None);
        ChunkRequest { dtype: DType::F32, shape: &[N, N], data, bound, fill, effort, model }
    }

    #[test]
    fn a_value_that_stands_together_is_common_and_one_that_is_strewn_is_not() {
        let prepared = |data: &[u8]| Prepared::new(&request(data, ChunkBound::Abs(0.01))).unwrap();
        let land = u64::from((-3.5f32).to_bits());
        assert_eq!(worth_a_try(&prepared(&sea(-3.5))), [land]);
        // As many, but none beside another.
        let strewn = |i: usize| if i.is_multiple_of(4) { -3.5f32 } else { (i as f32).sqrt() };
        let strewn: Vec<u8> = (0..N * N).flat_map(|i| strewn(i).to_ne_bytes()).collect();
        assert!(worth_a_try(&prepared(&strewn)).is_empty());
        // Those that are special already are not set apart once more.
        let apart = Apart::Values(vec![land]).rest(&prepared(&sea(-3.5))).unwrap();
        assert!(worth_a_try(&apart).is_empty());
        assert!(apart.lo > 8.0 && apart.valid < prepared(&sea(-3.5)).valid);
    }

    #[test]
    fn what_stands_far_beyond_all_others_is_told_as_missing_wherever_it_stands() {
        let scattered = |missing: f32| {
            let mut values: Vec<f32> =
                sea(0.5).chunks_exact(4).map(|b| f32::from_ne_bytes(b.try_into().unwrap())).collect();
            (0..N * N).filter(|i| (i * i + 7 * i) % 23 == 0).for_each(|i| values[i] = missing);
            values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>()
        };
        let bytes = |missing| encode_chunk(&request(&scattered(missing), ChunkBound::Abs(0.05))).unwrap().body.len();
        let (far, near, none) = (bytes(-9999.0), bytes(-30.0), bytes(f32::NAN));
        assert!(far as f64 <= 1.01 * none as f64 && near as f64 <= 1.01 * none as f64, "{far} {near} {none}");
        assert!(beyond(&Prepared::new(&request(&sea(10.0), ChunkBound::Abs(0.05))).unwrap()).is_empty());
    }

    #[test]
    fn what_a_bound_lets_be_the_least_becomes_it_and_nothing_else() {
        // Dry, then nearly dry, then wet.
        let values: Vec<f32> = (0..N * N).map(|i| [0.0, 0.3, 2.0 + i as f32][(3 * i / (N * N)).min(2)]).collect();
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        let prepared = |e| Prepared::new(&request(&data, ChunkBound::Abs(e))).unwrap();
        let rest = Apart::Least.rest(&prepared(0.5)).unwrap();
        let special = rest.special.as_ref().unwrap();
        for (i, value) in values.iter().enumerate() {
            assert_eq!(special[i], *value <= 0.5, "{value}");
            let expected = if *value <= 0.5 { 0 } else { value.to_bits() };
            assert_eq!(rest.bits[i], u64::from(expected), "{value}");
        }
        assert!(rest.lo >= 2.0);
        assert!(Apart::Least.rest(&prepared(0.2)).is_none(), "nothing lies between");
    }

    #[test]
    fn land_costs_what_a_mask_does_whatever_number_it_is() {
        let bytes = |land| encode_chunk(&request(&sea(land), ChunkBound::Abs(0.01))).unwrap().body.len();
        let (zeros, missing) = (bytes(0.0), bytes(f32::NAN));
        assert!(zeros <= missing + 8, "{zeros} {missing}");
    }

    #[test]
    fn a_mean_error_is_over_all_values_and_what_is_set_apart_is_exact() {
        let data = sea(0.0);
        let limit = 0.02;
        let coded = encode_chunk(&request(&data, ChunkBound::Rmse(limit))).unwrap();
        let decoded = decode_chunk(DType::F32, &[N, N], coded.base, &coded.body).unwrap();
        let floats = |b: &[u8]| b.as_chunks::<4>().0.iter().map(|b| f32::from_ne_bytes(*b)).collect::<Vec<_>>();
        let (asked, got) = (floats(&data), floats(&decoded));
        let squares: f64 = asked.iter().zip(&got).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let rmse = (squares / (N * N) as f64).sqrt();
        assert!(rmse <= limit && rmse > 0.95 * limit, "{rmse}");
        assert!(asked.iter().zip(&got).all(|(a, b)| *a != 0.0 || *b == 0.0));
        assert_eq!(coded.stats.valid, (N * N) as u64);
        assert_eq!(coded.stats.min, Some(0.0));
    }
}
