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
    (32 * whole + ((32 * (v - (1 << whole))) >> whole)) as i16
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

impl CoefficientSample {
    /// Whether all that is seen around the coefficient is 0: what is left is where it stands.
    pub fn nothing_around(&self) -> bool {
        let [w, ww, _] = LATE;
        self.inputs[..OF_BAND].iter().chain([&self.inputs[w], &self.inputs[ww]]).all(|v| *v == 0)
    }
}

/// What is seen of the coefficients of a run.
pub(crate) struct Surroundings {
    /// `lg` of the magnitudes of all codes.
    all: Vec<i16>,
    /// Known channels, [`KNOWN`] for each coefficient of a run.
    known: Vec<i16>,
    sums: Sums,
    /// Nothing is around any coefficient of the run: what is said of one is said of all.
    alike: bool,
}

impl Surroundings {
    /// Of a chunk of so many coefficients.
    pub fn new(len: usize) -> Surroundings {
        Surroundings { all: vec![0; len], known: vec![0; RUN * KNOWN], sums: Sums::default(), alike: false }
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
    #[inline(always)]
    pub fn look(&mut self, network: Option<&Coefficients>, run: &RunAt<'_>) {
        let (n, [a, b, y]) = (run.band.n, run.at);
        let known = &mut self.known[..run.len * KNOWN];
        for (c, &d) in NEIGHBOURS.iter().enumerate() {
            // Along axes of one index there are none, and channels are zeros.
            if (0..3).any(|k| d[k] != 0 && n[k] <= d[k].unsigned_abs().into()) || n[3] == 1 && d[3] != 0 {
                continue;
            }
            let to = |at: usize, k: usize| at.checked_add_signed(-isize::from(d[k])).filter(|&at| at < n[k]);
            let row = match (to(a, 0), to(b, 1), to(y, 2)) {
                (Some(a), Some(b), Some(y)) => &self.all[run.band.offset + run.offset([a, b, y])..][..n[3]],
                _ => &[],
            };
            put(known, c, row, run.x as isize - isize::from(d[3]));
        }
        if let Some(p) = &run.band.parent {
            let at = [a, b, y];
            let at: [usize; 3] = std::array::from_fn(|d| (at[d] >> p.shift[d]).min(p.n[d] - 1));
            let row = &self.all[p.offset + run.offset(at)..][..p.n[3]];
            for (x, known) in known.chunks_exact_mut(KNOWN).enumerate() {
                known[PARENT] = row[((run.x + x) >> p.shift[3]).min(row.len() - 1)];
            }
        }
        for (k, cousin) in run.group.iter().rev().take(SEEN_COUSINS).enumerate() {
            let there = (0..3).all(|d| run.at[d] < cousin.n[d]);
            let row = if there { &self.all[cousin.offset + run.offset(run.at)..][..cousin.n[3]] } else { &[] };
            put(known, COUSINS + k, row, run.x as isize);
        }
        for ((known, &parent), &cousin) in known.chunks_exact_mut(KNOWN).zip(run.parent).zip(run.cousin) {
            known[AROUND_PARENT] = lg(parent);
            known[AROUND_COUSINS] = lg(cousin);
        }
        self.alike = known.chunks_exact(KNOWN).all(|known| known[..OF_BAND].iter().fold(0, |all, v| all | v) == 0);
        if let Some(Coefficients(chain)) = network {
            let points = if self.alike { 1 } else { run.len };
            chain.look(&mut known[..points * KNOWN], &mut self.sums);
        }
    }

    /// Whether what is said of the first coefficient of the run holds of all.
    pub fn alike(&self) -> bool {
        self.alike
    }

    /// Keeps codes, in steps, of the run that begins at `i`.
    pub fn keep(&mut self, i: usize, codes: impl ExactSizeIterator<Item = i16>) {
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
        let k = if self.alike { 0 } else { k };
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

/// Fills a channel from a row, from this index on; what is outside of it is 0.
#[inline(always)]
fn put(known: &mut [i16], c: usize, row: &[i16], from: isize) {
    let points = known.chunks_exact_mut(KNOWN);
    let len = points.len();
    // Most runs are inside.
    if let Some(row) = usize::try_from(from).ok().and_then(|from| row.get(from..from + len)) {
        points.zip(row).for_each(|(known, v)| known[c] = *v);
    } else {
        for (x, known) in points.enumerate() {
            let at = usize::try_from(from + x as isize).ok();
            known[c] = at.and_then(|at| row.get(at)).map_or(0, |v| *v);
        }
    }
}
