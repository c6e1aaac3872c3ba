//! The known points around some new ones of a row (SPEC §8.8.1).
use super::features::{CHANNELS, Features, LIMIT, UNIT, class, fixed_bits, lg};

/// Points at once.
const SOME: usize = 16;
/// Known points around a new one: four along the axis of the pass, each in the middle and at both sides along both
/// transverse axes.
const AROUND: usize = 20;

/// What is known of a chunk.
pub struct Around<'a> {
    pub step: f64,
    pub values: &'a [f64],
    pub codes: &'a [i16],
}

/// From a point to those around it: along the axis of the pass, and to the columns beside it, its own one the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    pub along: [isize; 4],
    pub across: [isize; 5],
}

/// Working memory.
pub struct Rows {
    v: [[f64; SOME]; AROUND],
    /// Four channels of a point as one number, the first one lowest.
    words: [[u64; SOME]; CHANNELS / 4],
}

/// Every `step`-th value from `from` on, `count` of them.
#[inline(always)]
fn gather<T: Copy>(source: &[T], from: usize, step: usize, count: usize, out: &mut [T; SOME]) {
    let s = &source[from..from + (count - 1) * step + 1];
    match (step, s.first_chunk(), s.first_chunk::<{ 2 * SOME - 1 }>()) {
        (1, Some(all), _) => *out = *all,
        (2, _, Some(all)) => out.iter_mut().enumerate().for_each(|(k, v)| *v = all[2 * k]),
        _ => out[..count].iter_mut().enumerate().for_each(|(k, v)| *v = s[k * step]),
    }
}

impl Rows {
    pub fn new() -> Rows {
        Rows { v: [[0.0; SOME]; AROUND], words: [[0; SOME]; CHANNELS / 4] }
    }

    /// Looks at `count` points from offset `first` on, `step` apart, which have neighbours at the same distances. `to`
    /// tells the number of the first one in the pass, and from one to the next.
    #[inline(always)]
    pub fn look(
        &mut self,
        around: &Around,
        ends: &Ends,
        first: usize,
        step: usize,
        count: usize,
        f: &mut Features,
        to: (usize, usize),
    ) {
        let mut done = 0;
        while done < count {
            let some = SOME.min(count - done);
            let amplitude = self.some(around, ends, first + done * step, step, some);
            for k in 0..some {
                let number = to.0 + (done + k) * to.1;
                f.amplitude[number] = amplitude[k];
                let (out, _) = f.data[number * CHANNELS..][..CHANNELS].as_chunks_mut::<4>();
                for (out, words) in out.iter_mut().zip(&self.words) {
                    let word = words[k];
                    *out = [word as i16, (word >> 16) as i16, (word >> 32) as i16, (word >> 48) as i16];
                }
            }
            done += some;
        }
    }

    /// At most [`SOME`] points. Lanes beyond them hold anything.
    #[inline(always)]
    fn some(&mut self, around: &Around, ends: &Ends, first: usize, step: usize, count: usize) -> [f64; SOME] {
        let Rows { v, words } = self;
        let at = |o: isize| first.wrapping_add_signed(o);
        for (c, &side) in ends.across.iter().enumerate() {
            for (j, &o) in ends.along.iter().enumerate() {
                gather(around.values, at(o + side), step, count, &mut v[c * 4 + j]);
            }
        }
        let (mut middle, mut bend) = ([0.0; SOME], [0.0f64; SOME]);
        for k in 0..SOME {
            middle[k] = (9.0 * (v[1][k] + v[2][k]) - (v[0][k] + v[3][k])) * 0.0625;
            bend[k] = (v[0][k] + v[3][k]) - (v[1][k] + v[2][k]);
        }
        let mut sum = [0.0; SOME];
        for v in v.iter_mut() {
            for k in 0..SOME {
                v[k] -= middle[k];
                sum[k] += v[k].abs();
            }
        }
        let (mut amplitude, mut inverse, mut all) = ([0.0; SOME], [0.0; SOME], [0u64; SOME]);
        for k in 0..SOME {
            let a = sum[k] * 0.0625 + 0.5 * around.step;
            let finite = a.abs() < f64::INFINITY;
            // Nothing is said where values are not finite.
            amplitude[k] = if finite { a } else { 0.0 };
            inverse[k] = UNIT / a;
            all[k] = if finite { 0xffff } else { 0 };
        }
        let (fours, _) = v.as_chunks::<4>();
        for (words, v) in words.iter_mut().zip(fours) {
            for k in 0..SOME {
                let word = |c: usize| (fixed_bits(v[c][k] * inverse[k]) & all[k]) << (16 * c);
                words[k] = word(0) | word(1) | word(2) | word(3);
            }
        }
        let (mut parents, mut beside) = ([0u32; SOME], [0u32; SOME]);
        for (c, &side) in ends.across.iter().enumerate() {
            for &o in &ends.along[1..3] {
                let mut codes = [0i16; SOME];
                gather(around.codes, at(o + side), step, count, &mut codes);
                let sums = if c == 0 { &mut parents } else { &mut beside };
                sums.iter_mut().zip(codes).for_each(|(sum, code)| *sum += u32::from(code.unsigned_abs()));
            }
        }
        let lg_step = lg(around.step);
        for k in 0..SOME {
            let limited = |v: i32| v.clamp(-LIMIT, LIMIT) as u64 & all[k];
            let lg_amplitude = lg(amplitude[k]);
            words[AROUND / 4][k] = limited(lg_step - lg_amplitude)
                | limited(class(parents[k])) << 16
                | limited(lg(bend[k].abs()) - lg_amplitude) << 32
                | limited(class(beside[k])) << 48;
        }
        amplitude
    }
}
