//! The known points around some new ones of a row (SPEC §8.8.1).
use super::features::{CHANNELS, Features, LIMIT, UNIT, class, fixed, lg};

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
    channels: [[i16; SOME]; CHANNELS],
}

/// Every `step`-th value from `from` on.
#[inline(always)]
fn gather<T: Copy>(source: &[T], from: usize, step: usize, out: &mut [T]) {
    let s = &source[from..from + (out.len() - 1) * step + 1];
    match step {
        1 => out.copy_from_slice(s),
        2 => out.iter_mut().enumerate().for_each(|(k, v)| *v = s[2 * k]),
        _ => out.iter_mut().enumerate().for_each(|(k, v)| *v = s[k * step]),
    }
}

impl Rows {
    pub fn new() -> Rows {
        Rows { v: [[0.0; SOME]; AROUND], channels: [[0; SOME]; CHANNELS] }
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
                let out: &mut [i16; CHANNELS] = match f.data[number * CHANNELS..].first_chunk_mut() {
                    Some(out) => out,
                    None => return,
                };
                for (out, channel) in out.iter_mut().zip(&self.channels) {
                    *out = channel[k];
                }
            }
            done += some;
        }
    }

    /// At most [`SOME`] points. Lanes beyond them hold anything.
    #[inline(always)]
    fn some(&mut self, around: &Around, ends: &Ends, first: usize, step: usize, count: usize) -> [f64; SOME] {
        let Rows { v, channels } = self;
        let at = |o: isize| first.wrapping_add_signed(o);
        for (c, &side) in ends.across.iter().enumerate() {
            for (j, &o) in ends.along.iter().enumerate() {
                gather(around.values, at(o + side), step, &mut v[c * 4 + j][..count]);
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
        let (mut amplitude, mut inverse, mut all) = ([0.0; SOME], [0.0; SOME], [0i16; SOME]);
        for k in 0..SOME {
            let a = sum[k] * 0.0625 + 0.5 * around.step;
            let finite = a.abs() < f64::INFINITY;
            // Nothing is said where values are not finite.
            amplitude[k] = if finite { a } else { 0.0 };
            inverse[k] = UNIT / a;
            all[k] = -i16::from(finite);
        }
        for (channel, v) in channels.iter_mut().zip(v.iter()) {
            for k in 0..SOME {
                channel[k] = fixed(v[k] * inverse[k]) & all[k];
            }
        }
        let (mut parents, mut beside) = ([0u32; SOME], [0u32; SOME]);
        for (c, &side) in ends.across.iter().enumerate() {
            for &o in &ends.along[1..3] {
                let mut codes = [0i16; SOME];
                gather(around.codes, at(o + side), step, &mut codes[..count]);
                let sums = if c == 0 { &mut parents } else { &mut beside };
                sums.iter_mut().zip(codes).for_each(|(sum, code)| *sum += u32::from(code.unsigned_abs()));
            }
        }
        let lg_step = lg(around.step);
        for k in 0..SOME {
            let limited = |v: i32| v.clamp(-LIMIT, LIMIT) as i16 & all[k];
            let lg_amplitude = lg(amplitude[k]);
            channels[AROUND][k] = limited(lg_step - lg_amplitude);
            channels[AROUND + 1][k] = limited(class(parents[k]));
            channels[AROUND + 2][k] = limited(lg(bend[k].abs()) - lg_amplitude);
            channels[AROUND + 3][k] = limited(class(beside[k]));
        }
        amplitude
    }
}
