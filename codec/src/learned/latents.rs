//! Latents of a chunk: a coarse lattice of integers that tell the guiding network what coarser points cannot (SPEC §8.11).
use super::features::lg;
use super::latent_inputs::{INPUTS, inputs};
use super::predictor::Predictor;
use crate::Error;
use crate::base::Geometry;
use crate::entropy::{BitCoder, CostCounter, LEAST, LatentTables, SYMBOLS};
use crate::network::{Model, Network, Scratch};
use std::cell::RefCell;

/// Points of a chunk between those of its lattice of latents along the axes 1, 2 and 3.
pub const STRIDES: [usize; 3] = [4, 8, 8];
/// Largest magnitude of a number that a network is given here.
const LIMIT: i16 = 1023;
/// What one of a hyper-latent is to a network.
const HYPER_UNIT: i16 = 64;
/// Units of what the encoder's networks say, for one.
const SAID_UNIT: i32 = 1024;
/// What networks are asked for by: of latents and hyper-latents from a chunk (encoder only); of what hyper-latents, and they
/// and known latents, say of latents; of what latents say; and those that guide.
pub const LATENT_NETWORKS: [&str; 7] = [
    "latents analysis",
    "latents hyper analysis",
    "latents hyper",
    "latents entropy",
    "latents features",
    "latents passes",
    "latents points",
];
/// Shapes for which the networks are checked to give lattices of the right extents.
const SHAPES: [[usize; 4]; 3] = [[2, 3, 5, 7], [1, 1, 1, 1], [1, 2, 9, 4]];
/// Most channels that a network gives here.
const MOST_CHANNELS: usize = 64;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// The lattice of latents of a chunk, as others see it.
pub struct LatentLattice {
    g: Geometry,
    /// Extents of the chunk as a network sees it.
    pub chunk: [usize; 4],
    /// Extents of the lattice.
    pub latents: [usize; 4],
    /// Extents of that of hyper-latents.
    pub hyper: [usize; 4],
}

impl LatentLattice {
    /// Of a chunk of this shape, slowest axis first.
    pub fn new(shape: &[usize]) -> LatentLattice {
        let g = Geometry::new(shape);
        let latents = lattice(&g);
        LatentLattice { g, chunk: g.n, latents, hyper: hyper_lattice(latents) }
    }

    /// The eight places of the lattice around the point at an offset, and how much each counts, in 256ths.
    pub fn around(&self, i: usize) -> [(usize, usize); 8] {
        around(&self.g, self.latents, i)
    }
}

/// The eight places of a lattice around the point at offset `i`, and how much each counts, in 256ths.
#[inline]
fn around(g: &Geometry, shape: [usize; 4], i: usize) -> [(usize, usize); 8] {
    // On every axis two points of the lattice, and how much each counts.
    let on: [[(usize, usize); 2]; 3] = std::array::from_fn(|a| {
        let at = i / g.stride[a + 1] % g.n[a + 1];
        let (k, rest) = (at / STRIDES[a], at % STRIDES[a]);
        [(k, STRIDES[a] - rest), ((k + 1).min(shape[a + 1] - 1), rest)]
    });
    let b = i / g.stride[0];
    std::array::from_fn(|k| {
        let [(z, wz), (y, wy), (x, wx)] = [on[0][k >> 2], on[1][k >> 1 & 1], on[2][k & 1]];
        (((b * shape[1] + z) * shape[2] + y) * shape[3] + x, wz * wy * wx)
    })
}

/// Extents of the lattice of latents of a chunk.
fn lattice(g: &Geometry) -> [usize; 4] {
    std::array::from_fn(|a| if a == 0 { g.n[0] } else { g.n[a].div_ceil(STRIDES[a - 1]) })
}

/// Extents of the lattice of hyper-latents.
fn hyper_lattice([b, z, y, x]: [usize; 4]) -> [usize; 4] {
    [b, z, y.div_ceil(2), x.div_ceil(2)]
}

/// The gain, of so many, for a chunk of this range and step.
pub fn gain_of(range: f64, step: f64, gains: usize) -> usize {
    // Two octaves of range ÷ step each.
    let octaves = (lg(range) - lg(step) - 128).max(0) / 128;
    (octaves as usize).min(gains.saturating_sub(1))
}

/// The part of a model that makes and reads latents.
pub struct Latents {
    tables: LatentTables,
    predictor: Predictor,
    analysis: Option<Network>,
    hyper_analysis: Option<Network>,
    hyper: Option<Network>,
    entropy: Network,
    features: Network,
}

/// What latents say of a chunk: channels on their lattice.
pub struct Field {
    g: Geometry,
    shape: [usize; 4],
    channels: usize,
    data: Vec<i16>,
}

impl Latents {
    /// Of a model, if it has latents.
    ///
    /// Errors: [`Error::Unsupported`] if its networks do not fit them.
    pub fn new(model: &Model) -> Result<Option<Latents>, Error> {
        let Some(tables) = model.latents() else { return Ok(None) };
        let unfit = || Error::Unsupported { feature: format!("the latents of model {:#}", model.id()) };
        let [analysis, hyper_analysis, hyper, entropy, features, ..] =
            LATENT_NETWORKS.map(|name| model.network(name).ok().cloned());
        let (Some(entropy), Some(features)) = (entropy, features) else { return Err(unfit()) };
        let (c, h) = (tables.channels, tables.hyper);

        let more = features.output_channels();
        let predictor = Predictor::named(model, [LATENT_NETWORKS[5], LATENT_NETWORKS[6]], more)?;
        let hyper = hyper.filter(|_| h > 0);
        let said = hyper.as_ref().map_or(0, Network::output_channels);
        let same = |shape: [usize; 4]| shape;
        let twice = |[b, z, y, x]: [usize; 4]| [b, z, 2 * y, 2 * x];
        let fit = hyper.is_some() == (h > 0)
            && hyper.as_ref().is_none_or(|n| fits(n, h, 1, None, &twice))
            && fits(&entropy, said + c, tables.gains() * tables.turns, Some(2 * c), &same)
            && fits(&features, c, tables.gains(), None, &same);
        if !fit {
            return Err(unfit());
        }
        let coarse = |shape: [usize; 4]| lattice(&Geometry::of(shape));
        let analysis = analysis.filter(|n| fits(n, INPUTS, tables.gains(), Some(c), &coarse));
        let hyper_analysis = hyper_analysis.filter(|n| h > 0 && fits(n, c, 1, Some(h), &hyper_lattice));
        Ok(Some(Latents { tables: tables.clone(), predictor, analysis, hyper_analysis, hyper, entropy, features }))
    }

    /// The network that guides with them.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// Their tables.
    pub fn tables(&self) -> &LatentTables {
        &self.tables
    }

    /// The gain to encode a chunk of this range with; `None` where the model cannot make latents.
    pub fn gain(&self, range: f64, step: f64) -> Option<u8> {
        let makes = self.analysis.is_some() && self.hyper_analysis.is_some() == (self.tables.hyper > 0);
        makes.then(|| gain_of(range, step, self.tables.gains()) as u8)
    }

    /// Codes (or decodes) the latents of a chunk, and says what they say. An encoder makes them from `values`.
    pub(crate) fn code<C: BitCoder>(
        &self,
        c: &mut C,
        g: Geometry,
        values: &[f64],
        mask: Option<&[bool]>,
        gain: usize,
        step: f64,
    ) -> Field {
        let shape = lattice(&g);
        let points = shape.iter().product::<usize>();
        let (channels, hyper) = (self.tables.channels, self.tables.hyper);
        let mut latents = vec![0i16; points * channels];
        let mut hypers = vec![0i16; hyper_lattice(shape).iter().product::<usize>() * hyper];
        if !C::DECODING {
            self.make(&g, values, mask, gain, step, &mut latents, &mut hypers);
        }
        for (k, h) in hypers.iter_mut().enumerate() {
            let symbol = (i32::from(*h) - LEAST).clamp(0, SYMBOLS as i32 - 1) as usize;
            *h = (c.symbol(symbol, &self.tables.above_hyper(gain, k % hyper)) as i32 + LEAST) as i16;
        }
        let said = self.said(&hypers, shape);
        for turn in 0..self.tables.turns {
            self.turn(c, turn, gain, shape, &said, &mut latents);
        }
        let seen = self.values(gain, &latents);
        let count = self.features.output_channels();
        let data = run(&self.features, &seen, shape, gain, points * count);
        Field { g, shape, channels: count, data }
    }

    /// What an encoder would send of a chunk of this shape (slowest axis first): about how many bytes, and what decoding would
    /// make of them.
    pub fn tell(&self, shape: &[usize], values: &[f64], mask: Option<&[bool]>, gain: usize, step: f64) -> (f64, Field) {
        let mut c = CostCounter::default();
        let field = self.code(&mut c, Geometry::new(shape), values, mask, gain, step);
        (c.bytes(), field)
    }

    /// What hyper-latents say of every latent's point.
    fn said(&self, hypers: &[i16], shape: [usize; 4]) -> Vec<i16> {
        let Some(network) = &self.hyper else { return vec![] };
        let from = hyper_lattice(shape);
        let inputs: Vec<i16> = hypers.iter().map(|h| h * HYPER_UNIT).collect();
        let count = network.output_channels();
        let rows = [from[0], from[1], 2 * from[2], 2 * from[3]];
        let all = run(network, &inputs, from, 0, rows.iter().product::<usize>() * count);
        // The last row and column of an odd lattice are not needed.
        let mut out = Vec::with_capacity(shape.iter().product::<usize>() * count);
        for plane in all.chunks_exact((rows[2] * rows[3] * count).max(1)) {
            for row in plane.chunks_exact((rows[3] * count).max(1)).take(shape[2]) {
                out.extend(row[..shape[3] * count].iter().map(|v| (*v).clamp(-LIMIT, LIMIT)));
            }
        }
        out
    }

    /// Codes the latents of one turn.
    fn turn<C: BitCoder>(
        &self,
        c: &mut C,
        turn: usize,
        gain: usize,
        shape: [usize; 4],
        said: &[i16],
        latents: &mut [i16],
    ) {
        let channels = self.tables.channels;
        let of = |place: usize| {
            let [x, y, z] = [place % shape[3], place / shape[3] % shape[2], place / (shape[3] * shape[2]) % shape[1]];
            if self.tables.turns == 1 { 0 } else { (x + y + z) % 2 }
        };
        let more = self.entropy.graph().channels - channels;
        let points = latents.len() / channels;
        let mut inputs = Vec::with_capacity(points * (more + channels));
        for (place, latent) in latents.chunks_exact(channels).enumerate() {
            inputs.extend_from_slice(&said[place * more..][..more]);
            let known = of(place) < turn;
            inputs
                .extend(latent.iter().enumerate().map(|(k, y)| if known { self.tables.value(gain, k, *y) } else { 0 }));
        }
        let condition = gain * self.tables.turns + turn;
        let out = run(&self.entropy, &inputs, shape, condition, points * 2 * channels);
        let scales = self.tables.scales.len() as i16;
        for (place, (latent, told)) in
            latents.chunks_exact_mut(channels).zip(out.chunks_exact(2 * channels)).enumerate()
        {
            if of(place) != turn {
                continue;
            }
            let (means, indices) = told.split_at(channels);
            for (y, (mean, scale)) in latent.iter_mut().zip(means.iter().zip(indices)) {
                let mean = i32::from(*mean).clamp(-255, 255);
                let whole = (mean + 4) >> 3;
                let above = self.tables.above((*scale).clamp(0, scales - 1) as usize, mean - 8 * whole);
                let symbol = (i32::from(*y) - whole - LEAST).clamp(0, SYMBOLS as i32 - 1) as usize;
                *y = (c.symbol(symbol, &above) as i32 + LEAST + whole) as i16;
            }
        }
    }

    /// Latents as networks see them.
    fn values(&self, gain: usize, latents: &[i16]) -> Vec<i16> {
        let channels = self.tables.channels;
        latents.iter().enumerate().map(|(k, y)| self.tables.value(gain, k % channels, *y)).collect()
    }

    /// Makes latents and hyper-latents from a chunk. Where that fails they stay 0.
    #[allow(clippy::too_many_arguments)]
    fn make(
        &self,
        g: &Geometry,
        values: &[f64],
        mask: Option<&[bool]>,
        gain: usize,
        step: f64,
        latents: &mut [i16],
        hypers: &mut [i16],
    ) {
        let (Some(analysis), channels) = (&self.analysis, self.tables.channels) else { return };
        let inputs = inputs(g, values, mask, step);
        for (k, (y, said)) in latents.iter_mut().zip(run(analysis, &inputs, g.n, gain, usize::MAX)).enumerate() {
            *y = self.tables.nearest(gain, k % channels, said);
        }
        let Some(network) = &self.hyper_analysis else { return };
        for (h, said) in hypers.iter_mut().zip(run(network, &self.values(gain, latents), lattice(g), 0, usize::MAX)) {
            *h = ((i32::from(said) + SAID_UNIT / 2) >> 10) as i16;
        }
    }
}

impl Field {
    /// Channels of a point.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The channels at the point of this offset: between the eight nearest of the lattice, as each is near.
    pub fn at(&self, i: usize, out: &mut [i16]) {
        let mut sums = [0i32; MOST_CHANNELS];
        for (place, weight) in around(&self.g, self.shape, i) {
            if weight > 0 {
                let from = &self.data[place * self.channels..][..self.channels];
                sums.iter_mut().zip(from).for_each(|(s, v)| *s += weight as i32 * i32::from(*v));
            }
        }
        out.iter_mut().zip(sums).for_each(|(o, s)| *o = ((s + 128) >> 8) as i16);
    }
}

/// Whether a network maps such channels to such, on lattices as they are wanted, and takes all numbers that it may be given.
fn fits(
    network: &Network,
    channels: usize,
    conditions: usize,
    out: Option<usize>,
    shape: &dyn Fn([usize; 4]) -> [usize; 4],
) -> bool {
    let (g, made, span) = (network.graph(), network.output_channels(), network.output_span());
    g.channels == channels
        && g.conditions == conditions
        && out.map_or((1..=MOST_CHANNELS).contains(&made) && span.low >= -LIMIT && span.high <= LIMIT, |n| n == made)
        && g.span.low <= -LIMIT
        && g.span.high >= LIMIT
        && SHAPES.iter().all(|s| network.output_shape(*s).ok() == Some(shape(*s)))
}

/// What a network says. Were it to say another number of things than its checks promise, it says 0.
fn run(network: &Network, inputs: &[i16], shape: [usize; 4], condition: usize, expected: usize) -> Vec<i16> {
    SCRATCH.with_borrow_mut(|scratch| match network.run(inputs, shape, condition, scratch) {
        Ok(out) if expected == usize::MAX || out.len() == expected => out.to_vec(),
        _ => vec![0; if expected == usize::MAX { 0 } else { expected }],
    })
}
