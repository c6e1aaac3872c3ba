//! The network that is asked about wavelet coefficients, and what it sees of them (SPEC §8.4.4.2).
use crate::Error;
use crate::base::wavelet_bands::Band;
use crate::base::wavelet_coding::{Features, RunAt};
use crate::base::wavelet_runs::RUN;
use crate::entropy::Place;
use crate::network::{Chain, Model, Sums};

/// Channels of its input.
pub const COEFFICIENT_CHANNELS: usize = KNOWN + LATE.len();
/// What it is called in a model's file.
pub const COEFFICIENT_NETWORK: &str = "coefficients";

/// Channels that are known before a run is coded, and those that come late: two codes before, and the place in the run.
const KNOWN: usize = 50;
const LATE: [usize; 3] = [KNOWN, KNOWN + 1, KNOWN + 2];
const LATE_PAIRS: usize = LATE.len().div_ceil(2);

/// Indices of the logit of a zero, and of the magnitude of what is none.
pub const ZEROS: u32 = 64;
/// See `ZEROS`.
pub const MAGNITUDES: u32 = 16;

/// Neighbours whose magnitudes are seen, (a, b, y, x) back from a coefficient.
const NEIGHBOURS: [[i8; 4]; 25] = [
    [0, 0, 1, 0],
    [0, 0, 1, 1],
    [0, 0, 1, -1],
    [0, 0, 1, 2],
    [0, 0, 1, -2],
    [0, 0, 2, 0],
    [0, 0, 2, 1],
    [0, 0, 2, -1],
    [0, 1, 0, 0],
    [0, 1, 0, 1],
    [0, 1, 0, -1],
    [0, 1, 1, 0],
    [0, 1, -1, 0],
    [0, 1, 1, 1],
    [0, 1, -1, -1],
    [0, 1, 1, -1],
    [0, 1, -1, 1],
    [0, 2, 0, 0],
    [1, 0, 0, 0],
    [1, 0, 0, 1],
    [1, 0, 0, -1],
    [1, 0, 1, 0],
    [1, 0, -1, 0],
    [1, 1, 0, 0],
    [1, -1, 0, 0],
];
/// Channels of the parent alone and with what is around it, of what is around cousins, and of three cousins alone.
const PARENT: usize = NEIGHBOURS.len();
const AROUND_PARENT: usize = PARENT + 1;
const AROUND_COUSINS: usize = PARENT + 2;
const COUSINS: usize = PARENT + 3;
const SEEN_COUSINS: usize = 3;
/// The first of the channels that are the same all over a band.
const OF_BAND: usize = COUSINS + SEEN_COUSINS;
/// What stands for yes.
const YES: i16 = 32;

/// 32 times the logarithm to base 2 of v + 1, linear between powers.
#[inline(always)]
fn lg(v: u32) -> i16 {
    let v = v.min(65535) + 1;
    let whole = 31 - v.leading_zeros();
    (32 * whole + (32 * (v - (1 << whole)) >> whole)) as i16
}

/// A network that guides the coding of wavelet coefficients.
pub struct Coefficients(Chain<LATE_PAIRS>);

impl Coefficients {
    /// Of a model that has such a network, and states for what it guides.
    ///
    /// Errors: [`Error::Unsupported`] if the network has another shape.
    pub fn new(model: &Model) -> Result<Option<Coefficients>, Error> {
        let states = model.priors().and_then(|p| p.of(Place::Coefficients));
        let (Ok(network), Some(_)) = (model.network(COEFFICIENT_NETWORK), states) else { return Ok(None) };
        if network.graph().channels != COEFFICIENT_CHANNELS || network.output_channels() != 2 {
            return Err(Error::Unsupported { feature: format!("what model {} says of coefficients", model.id()) });
        }
        Chain::new(network, &LATE).map(|chain| Some(Coefficients(chain)))
    }
}

impl std::fmt::Debug for Coefficients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(COEFFICIENT_NETWORK)
    }
}

/// What a network sees of a coefficient, and what it turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoefficientSample {
    /// The network's input.
    pub inputs: [i16; COEFFICIENT_CHANNELS],
    /// Magnitude of the code, saturated.
    pub magnitude: u16,
}

/// What is seen of the coefficients of a run.
pub(crate) struct Surroundings {
    /// `lg` of the magnitudes of all codes.
    all: Vec<i16>,
    /// Known channels, [`KNOWN`] for each coefficient of a run.
    known: Vec<i16>,
    sums: Sums,
}

impl Surroundings {
    /// Of a chunk of so many coefficients.
    pub fn new(len: usize) -> Surroundings {
        Surroundings { all: vec![0; len], known: vec![0; RUN * KNOWN], sums: Sums::default() }
    }

    /// Starts a band, number `before` of its group.
    pub fn band(&mut self, band: &Band, before: usize, low: bool) {
        let yes = |is: bool| if is { YES } else { 0 };
        let mut of_band = [0; KNOWN - OF_BAND];
        of_band[usize::from(band.level.clamp(1, 4)) - 1] = YES;
        for a in 0..4 {
            of_band[4 + a] = yes(band.orientation >> (3 - a) & 1 == 1);
            of_band[11 + a] = yes(band.n[a] > 1);
            of_band[15 + a] = 4 * band.n[a].max(1).ilog2().min(15) as i16;
        }
        of_band[8] = yes(low);
        of_band[9] = 8 * before as i16;
        of_band[10] = yes(band.parent.is_some());
        for known in self.known.chunks_exact_mut(KNOWN) {
            known[..OF_BAND].fill(0);
            known[OF_BAND..].copy_from_slice(&of_band);
        }
    }

    /// Looks at a run before it is coded.
    pub fn look(&mut self, network: Option<&Coefficients>, run: &RunAt<'_>) {
        let (n, [a, b, y]) = (run.band.n, run.at);
        for (c, d) in NEIGHBOURS.iter().enumerate() {
            // Along axes of one index there are none, and channels are zeros.
            if (0..3).any(|k| d[k] != 0 && n[k] <= d[k].unsigned_abs().into()) || n[3] == 1 && d[3] != 0 {
                continue;
            }
            let to = |at: usize, k: usize| at.checked_add_signed(-isize::from(d[k])).filter(|&at| at < n[k]);
            let row = match (to(a, 0), to(b, 1), to(y, 2)) {
                (Some(a), Some(b), Some(y)) => Some(run.band.offset + run.offset([a, b, y])),
                _ => None,
            };
            self.put(c, run, row, |x| x.checked_add_signed(-isize::from(d[3])).filter(|&x| x < n[3]));
        }
        if let Some(p) = &run.band.parent {
            let at = [a, b, y];
            let at: [usize; 3] = std::array::from_fn(|d| (at[d] >> p.shift[d]).min(p.n[d] - 1));
            self.put(PARENT, run, Some(p.offset + run.offset(at)), |x| Some((x >> p.shift[3]).min(p.n[3] - 1)));
        }
        for (k, cousin) in run.group.iter().rev().take(SEEN_COUSINS).enumerate() {
            let there = (0..3).all(|d| run.at[d] < cousin.n[d]).then(|| cousin.offset + run.offset(run.at));
            self.put(COUSINS + k, run, there, |x| Some(x).filter(|&x| x < cousin.n[3]));
        }
        for (x, known) in self.known.chunks_exact_mut(KNOWN).enumerate().take(run.len) {
            known[AROUND_PARENT] = lg(run.parent[x]);
            known[AROUND_COUSINS] = lg(run.cousin[x]);
        }
        if let Some(Coefficients(chain)) = network {
            chain.look(&mut self.known[..run.len * KNOWN], &mut self.sums);
        }
    }

    /// Fills a channel of a run from a row, or with zeros.
    #[inline(always)]
    fn put(&mut self, c: usize, run: &RunAt<'_>, row: Option<usize>, from: impl Fn(usize) -> Option<usize>) {
        for (x, known) in self.known.chunks_exact_mut(KNOWN).enumerate().take(run.len) {
            known[c] = row.zip(from(run.x + x)).map_or(0, |(row, x)| self.all[row + x]);
        }
    }

    /// Keeps the codes of the run that begins at `i`.
    pub fn keep(&mut self, i: usize, codes: &[i16]) {
        for (to, code) in self.all[i..i + codes.len()].iter_mut().zip(codes) {
            *to = lg(code.unsigned_abs().into());
        }
    }

    #[inline(always)]
    fn late(f: &Features) -> [i16; LATE.len()] {
        [lg(f.w.unsigned_abs()), lg(f.ww.unsigned_abs()), 2 * f.place as i16]
    }

    /// What the network says of coefficient `k` of the run: the index of its logit, and of its magnitude.
    #[inline(always)]
    pub fn say(&self, network: &Coefficients, k: usize, f: &Features) -> [u32; 2] {
        let [w, ww, place] = Surroundings::late(f);
        let [zero, magnitude]: [i16; 2] = network.0.run(&self.known, &self.sums, k, &[[w, ww], [place, 0]]);
        let index = |v: i16, n: u32| ((i32::from(v) + 8) >> 4).clamp(0, n as i32 - 1) as u32;
        [index(zero, ZEROS), index(magnitude, MAGNITUDES)]
    }

    /// A sample of it.
    pub fn sample(&self, k: usize, f: &Features, magnitude: u16) -> CoefficientSample {
        let mut inputs = [0; COEFFICIENT_CHANNELS];
        inputs[..KNOWN].copy_from_slice(&self.known[k * KNOWN..][..KNOWN]);
        inputs[KNOWN..].copy_from_slice(&Surroundings::late(f));
        CoefficientSample { inputs, magnitude }
    }
}

impl RunAt<'_> {
    /// Where a row of these indices on the first axes is, from the beginning of a band.
    fn offset(&self, at: [usize; 3]) -> usize {
        (0..3).map(|a| at[a] * self.g.stride[a]).sum()
    }
}
