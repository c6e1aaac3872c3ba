//! Chains of layers of at most [`WIDTH`] channels, run for one point at a time: what can be summed ahead for many points
//! is, and what is left of a point stays in registers.
use super::{Finish, Kernel};

/// Channels of every layer but the last, whose lacking ones are zeros.
pub(crate) const WIDTH: usize = 32;
/// Channels of the last layer.
pub(crate) const SAID: usize = 2;
/// Pairs of channels of a layer.
const PAIRS: usize = WIDTH / 2;

/// Weights of a layer of [`WIDTH`] channels.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// \[pair of input channels, output channel, 2\].
    pub weights: Vec<[i16; 2 * WIDTH]>,
    pub end: End<WIDTH>,
}

/// Where the sums of so many channels start, and how they end.
#[derive(Clone, Debug)]
pub(crate) struct End<const N: usize> {
    pub start: [i32; N],
    pub multipliers: Option<[i32; N]>,
    pub shift: u32,
    pub low: i16,
    pub high: i16,
}

impl<const N: usize> End<N> {
    pub(super) fn finish(&self) -> Finish<'_> {
        let (start, multipliers) = (&self.start[..], self.multipliers.as_ref().map(|m| &m[..]));
        let (shift, low, high) = (self.shift, self.low, self.high);
        Finish { start, multipliers, lane_start: &[], lane_multipliers: &[], shift, low, high }
    }
}

/// The layers of a chain. The first is in two parts: the channels known ahead, and those that come late.
#[derive(Clone, Debug)]
pub(crate) struct PackedChain {
    pub ahead: Vec<[i16; 2 * WIDTH]>,
    /// As many pairs as the late channels make; where sums start is known only to `ahead`.
    pub first: Layer,
    /// Layers of [`WIDTH`] input channels each.
    pub middle: Vec<Layer>,
    /// \[output channel, input channel\].
    pub last: [[i16; WIDTH]; SAID],
    pub end: End<SAID>,
}

/// Sums of the first layer over the channels that are known ahead, [`WIDTH`] for each point. `step` values are from a
/// point to the next.
pub(crate) fn ahead(kernel: Kernel, input: &[i16], step: usize, chain: &PackedChain, sums: &mut [[i32; WIDTH]]) {
    assert!(step >= 2 * chain.ahead.len() && sums.len() * step <= input.len() && kernel.runs_here());
    match kernel {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the kernel runs here; each point has the values that are read.
        Kernel::Avx2 => unsafe { super::points_avx2::ahead(input, step, chain, sums) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kernel::Avx512 => unsafe { super::points_avx512::ahead(input, step, chain, sums) },
        _ => {
            for (sums, x) in sums.iter_mut().zip(input.chunks_exact(step)) {
                *sums = chain.first.end.start;
                let (pairs, _) = x.as_chunks::<2>();
                chain.ahead.iter().zip(pairs).for_each(|(w, x)| add(sums, w, *x));
            }
        }
    }
}

/// What the chain says of a point, from its sums and the pairs of channels that come late. The kernel must be one that
/// runs here: callers keep it from where it was checked.
#[inline]
pub(crate) fn say<const L: usize>(
    kernel: Checked,
    sums: &[i32; WIDTH],
    late: &[[i16; 2]; L],
    c: &PackedChain,
) -> [i16; SAID] {
    assert!(c.first.weights.len() == L && c.middle.iter().all(|m| m.weights.len() == PAIRS));
    match kernel.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the kernel runs here, as was checked, and layers have the pairs that are read.
        Kernel::Avx2 => unsafe { super::points_avx2::say(sums, late, c) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Kernel::Avx512 => unsafe { super::points_avx512::say(sums, late, c) },
        _ => plain(sums, late, c),
    }
}

/// A kernel that is known to run here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked(Kernel);

impl Checked {
    pub(crate) fn new(kernel: Kernel) -> Checked {
        assert!(kernel.runs_here());
        Checked(kernel)
    }
}

#[inline(always)]
fn add(sums: &mut [i32; WIDTH], w: &[i16; 2 * WIDTH], x: [i16; 2]) {
    for lane in 0..WIDTH {
        sums[lane] += i32::from(x[0]) * i32::from(w[2 * lane]) + i32::from(x[1]) * i32::from(w[2 * lane + 1]);
    }
}

/// See [`say`].
fn plain<const L: usize>(sums: &[i32; WIDTH], late: &[[i16; 2]; L], c: &PackedChain) -> [i16; SAID] {
    let mut all = *sums;
    c.first.weights.iter().zip(late).for_each(|(w, x)| add(&mut all, w, *x));
    let mut x = values(&all, &c.first.end.finish());
    for layer in &c.middle {
        all = layer.end.start;
        let (pairs, _) = x.as_chunks::<2>();
        layer.weights.iter().zip(pairs).for_each(|(w, x)| add(&mut all, w, *x));
        x = values(&all, &layer.end.finish());
    }
    let sum = |k: usize| c.last[k].iter().zip(&x).map(|(w, x)| i32::from(*w) * i32::from(*x)).sum();
    end(std::array::from_fn(sum), c)
}

fn values(sums: &[i32; WIDTH], finish: &Finish) -> [i16; WIDTH] {
    std::array::from_fn(|k| finish.value(k, sums[k]))
}

/// The last layer's values, from its sums without where they start.
#[inline(always)]
pub(super) fn end(sums: [i32; SAID], c: &PackedChain) -> [i16; SAID] {
    std::array::from_fn(|k| c.end.finish().value(k, c.end.start[k] + sums[k]))
}
