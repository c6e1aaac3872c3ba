//! How one chunk is coded: everything that decode must know besides the entropy-coded stream (SPEC §4).
use crate::Error;
use crate::background::{self, Placed};
use crate::base::companion::{Aside, Beside, Companion, Way};
use crate::base::quantiser::Quantiser;
use crate::base::raster::{Centre, Weights};
use crate::base::{Geometry, interpolation, raster, tucker, wavelet};
use crate::bytes::{Bytes, put_float, put_step, put_varint};
use crate::entropy::{BitCoder, CONTEXTS, Estimate, Lesson, Mixture, ResidualCoder, Residuals, Start};
use crate::lattice::Lattice;
use crate::learned::{AtHand, Guide, Guiding, Said};
use crate::mask::Teller;
use crate::network::ModelId;
use crate::simd::{Kernel, widest};
use std::marker::PhantomData;

/// How coded numbers become elements (SPEC §8.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Map {
    /// They are the elements.
    Plain,
    /// They are whole numbers of steps on a grid.
    Lattice(Lattice),
    /// They are base-2 logarithms of magnitudes; signs and zeros are coded apart.
    Logarithm,
}

/// What predicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// All unmasked elements have these bits.
    Constant(u64),
    /// Coarse to fine.
    Interpolation { p: interpolation::Parameters, step: f64 },
    /// Coarse to fine, the finest levels guided by a network, which latents of this gain may help.
    Learned { p: interpolation::Parameters, step: f64, levels: u8, model: Guiding, latents: Option<u8> },
    /// In C order.
    Raster { weights: Weights, step: f64 },
    /// Bands of wavelet coefficients.
    Wavelet(wavelet::Parameters),
    /// A small core times factors of every axis.
    Tucker(tucker::Parameters),
    /// Ordered bits.
    Lossless { order: u8, shift: u8 },
}

/// How integers are coded, but for those of the lossless base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coder {
    /// Decisions under one context (SPEC §7.4).
    OneContext,
    /// Decisions under a logistic mix of contexts (SPEC §7.4).
    FullMix,
    /// Classes of magnitude as symbols, under mixed distributions (SPEC §7.9). Only read: `ZerosFirst` is written for it.
    Mixture,
    /// The same, but where little is expected whether an integer is 0 is told first.
    ZerosFirst,
    /// Nothing is coded: what the encoder guesses costs with.
    Estimate,
}

/// How one chunk is coded.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub base: Base,
    pub map: Map,
    /// Some points are masked.
    pub masked: bool,
    /// How integers are coded.
    pub coder: Coder,
    /// The model whose states coders of integers start from (SPEC §9.5).
    pub primed: Option<Guiding>,
    /// The companions that are looked at (SPEC §8.10).
    pub beside: Option<Beside>,
}

const CONSTANT: u8 = 0;
const INTERPOLATION: u8 = 1;
const LORENZO: u8 = 2;
const LINEAR: u8 = 3;
const WAVELET: u8 = 4;
const LOSSLESS: u8 = 5;
/// Coded by `fast`, which has parameters of its own.
pub const TABLED: u8 = 6;
/// Guided by a model.
const LEARNED: u8 = 7;
const TUCKER: u8 = 8;
/// Guided by a model, with latents.
const LATENTS: u8 = 9;
const CENTRED: u8 = 10;
const COPIES: u8 = 11;
/// Whole numbers in place of elements, coded by another base.
pub const NUMBERED: u8 = 12;
/// Added to the code of a base whose numbers sit on a lattice.
const ON_LATTICE: u8 = 16;
/// Added to the code of a base that looks at companions.
const CONDITIONED: u8 = scicodec_format::CONDITIONED;

const FLAG_MASKED: u8 = 1;
const FLAG_EXCEPTIONS: u8 = 2;
const FLAG_LOGARITHM: u8 = 4;
const FLAG_ONE_CONTEXT: u8 = 8;
const FLAG_MIXTURE: u8 = 16;
const FLAG_MIXED_MASKS: u8 = 32;
const FLAG_ZEROS_FIRST: u8 = 64;
/// Coders start from the states of a model: that of the base, or one that is named after the flags.
const FLAG_PRIMED: u8 = 128;
const MIXTURE_ZEROS_FIRST: u8 = FLAG_MIXTURE | FLAG_ZEROS_FIRST;

/// What the flags say of the stream besides the plan.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The background that numbers stand on.
    pub placed: Option<Placed>,
    /// Some elements are sent exactly.
    pub exceptions: bool,
    /// How masks are told.
    pub masks: Teller,
}

/// Schedules of steps over levels: alpha and beta of `interpolation::Parameters`.
pub const SCHEDULES: [(u8, u8); 8] = [(16, 16), (18, 24), (20, 32), (24, 48), (24, 64), (28, 96), (32, 64), (32, 128)];

/// The name of a base by its code in the payload header.
pub fn base_name(code: u8) -> &'static str {
    if let (true, code) = background::split_code(code) {
        return match code {
            INTERPOLATION => "background-interpolation",
            LORENZO => "background-lorenzo",
            LINEAR => "background-linear",
            WAVELET => "background-wavelet",
            LEARNED => "background-learned",
            TUCKER => "background-tucker",
            LATENTS => "background-learned-latents",
            CENTRED => "background-centred",
            COPIES => "background-copies",
            _ => "unknown",
        };
    }
    // Whether it looks at companions is told apart.
    let code = if scicodec_format::is_conditioned(code) { code & !CONDITIONED } else { code };
    match code {
        CONSTANT => "constant",
        INTERPOLATION => "interpolation",
        LORENZO => "lorenzo",
        LINEAR => "linear",
        WAVELET => "wavelet",
        LOSSLESS => "lossless",
        LEARNED => "learned",
        TABLED => "tabled",
        TUCKER => "tucker",
        LATENTS => "learned-latents",
        CENTRED => "centred",
        COPIES => "copies",
        NUMBERED => "numbered",
        17 => "lattice-interpolation",
        18 => "lattice-lorenzo",
        19 => "lattice-linear",
        26 => "lattice-centred",
        27 => "lattice-copies",
        _ => "unknown",
    }
}

fn corrupt<T>(what: String) -> Result<T, Error> {
    Err(Error::Corrupt { what, section: "4" })
}

/// A gain that the model's latents have.
fn read_gain(b: &mut Bytes<'_>, model: &Guiding) -> Result<u8, Error> {
    let model = model.model()?;
    let gains = model.latents().map_or(0, |l| l.tables().gains());
    match b.byte()? {
        gain if usize::from(gain) < gains => Ok(gain),
        gain => Err(Error::Corrupt {
            what: format!("gain {gain} of the latents of model {:#}, which has {gains}", model.id()),
            section: "8.11",
        }),
    }
}

impl Plan {
    /// Code of the base, for the payload header.
    pub fn code(&self) -> u8 {
        let base = match &self.base {
            Base::Constant(_) => CONSTANT,
            Base::Interpolation { .. } => INTERPOLATION,
            Base::Learned { latents: None, .. } => LEARNED,
            Base::Learned { .. } => LATENTS,
            Base::Raster { weights: Weights::Lorenzo(_), .. } => LORENZO,
            Base::Raster { weights: Weights::Fitted, .. } => LINEAR,
            Base::Raster { weights: Weights::Centred(_), .. } => CENTRED,
            Base::Raster { weights: Weights::Copies, .. } => COPIES,
            Base::Wavelet(_) => WAVELET,
            Base::Tucker(_) => TUCKER,
            Base::Lossless { .. } => LOSSLESS,
        };
        let map = if matches!(self.map, Map::Lattice(_)) { ON_LATTICE } else { 0 };
        base + map + if self.beside.is_some() { CONDITIONED } else { 0 }
    }

    /// The model that decoding asks.
    pub fn guiding(&self) -> Option<&Guiding> {
        match (&self.base, &self.primed) {
            (Base::Learned { model, .. }, _) | (_, Some(model)) => Some(model),
            _ => None,
        }
    }

    /// The same plan that asks this model, if it asks one.
    pub fn asking(mut self, other: &Guiding) -> Plan {
        if let Base::Learned { model, .. } = &mut self.base {
            *model = other.clone();
        }
        self.primed = self.primed.map(|_| other.clone());
        self
    }

    /// The model that the payload must name.
    pub fn model(&self) -> Option<ModelId> {
        self.guiding()?.named()
    }

    /// Appends the parameters; elements have `size` bytes.
    pub fn write(&self, out: &mut Vec<u8>, exceptions: bool, size: usize) {
        let mut flags = 0;
        for (on, flag) in [
            (self.masked, FLAG_MASKED),
            (exceptions, FLAG_EXCEPTIONS),
            (self.map == Map::Logarithm, FLAG_LOGARITHM),
            (self.coder == Coder::OneContext, FLAG_ONE_CONTEXT),
            (matches!(self.coder, Coder::Mixture | Coder::ZerosFirst), FLAG_MIXTURE),
            (matches!(self.coder, Coder::Mixture | Coder::ZerosFirst), FLAG_ZEROS_FIRST),
            (self.has_masks() && self.teller() == Teller::Mixture, FLAG_MIXED_MASKS),
            (self.primed.is_some(), FLAG_PRIMED),
        ] {
            flags |= if on { flag } else { 0 };
        }
        out.push(flags);
        if let Some(model) = &self.primed
            && !matches!(self.base, Base::Learned { .. })
        {
            model.put(out);
        }
        if let Some(beside) = &self.beside {
            beside.write(out);
        }
        if let Map::Lattice(l) = &self.map {
            put_float(out, l.offset);
            put_float(out, l.scale);
        }
        match &self.base {
            Base::Constant(bits) => out.extend_from_slice(&bits.to_le_bytes()[..size]),
            Base::Interpolation { p, step } | Base::Learned { p, step, .. } => {
                self.put_step(out, *step);
                let order = p.order.iter().enumerate().fold(0u8, |o, (k, a)| o | a << (2 * k));
                let schedule = SCHEDULES.iter().position(|&s| s == (p.alpha, p.beta)).unwrap_or(0) as u8;
                out.push(order);
                out.push(p.order.len() as u8 | schedule << 3 | u8::from(p.linear) << 6);
                out.push(p.fitted);
                if let Base::Learned { levels, model, latents, .. } = &self.base {
                    out.push(*levels);
                    model.put(out);
                    out.extend(latents);
                }
            }
            Base::Raster { weights, step } => {
                self.put_step(out, *step);
                if let Weights::Lorenzo(order) = weights {
                    out.push(*order);
                }
            }
            Base::Wavelet(p) => p.write(out),
            Base::Tucker(p) => p.write(out),
            Base::Lossless { order, shift } => out.extend([*order, *shift]),
        }
    }

    fn put_step(&self, out: &mut Vec<u8>, step: f64) {
        match self.map {
            Map::Lattice(_) => put_varint(out, step as u64),
            _ => put_step(out, step),
        }
    }

    /// Whether there is a mask, or the planes of zeros and signs that are coded as masks are.
    fn has_masks(&self) -> bool {
        self.masked || self.map == Map::Logarithm
    }

    /// How a writer tells masks.
    pub fn teller(&self) -> Teller {
        if self.coder == Coder::OneContext { Teller::Template } else { Teller::Mixture }
    }

    /// Reads the parameters of a base with this code, for elements of `size` bytes. `at_hand` is what it may ask for.
    pub fn read(
        code: u8,
        b: &mut Bytes<'_>,
        size: usize,
        at_hand: AtHand<'_>,
        references: usize,
    ) -> Result<(Plan, Stream), Error> {
        let flags = b.byte()?;
        let (on_background, code) = background::split_code(code);
        let conditioned = scicodec_format::is_conditioned(code);
        let code = if conditioned { code & !CONDITIONED } else { code };
        let coder = match flags & (FLAG_ONE_CONTEXT | FLAG_MIXTURE | FLAG_ZEROS_FIRST) {
            0 => Coder::FullMix,
            FLAG_ONE_CONTEXT => Coder::OneContext,
            FLAG_MIXTURE => Coder::Mixture,
            MIXTURE_ZEROS_FIRST => Coder::ZerosFirst,
            _ => return corrupt("two ways of coding integers".into()),
        };
        let takes = matches!(code & !ON_LATTICE, INTERPOLATION | LEARNED) || code == WAVELET;
        if conditioned && (coder != Coder::ZerosFirst || !takes) {
            return Err(Error::Unsupported { feature: format!("base {code} beside other chunks") });
        }
        let primed = flags & FLAG_PRIMED != 0;
        if primed && (coder != Coder::ZerosFirst || matches!(code, CONSTANT | LOSSLESS)) {
            return corrupt("states for coders that take none".into());
        }
        let guided = matches!(code, LEARNED | LATENTS);
        let mut primed = match primed && !guided {
            true => Some(Guiding::read(b.byte()?, b, at_hand)?),
            false => None,
        };
        let beside = match conditioned {
            true => Some(Beside::read(b, references, code == WAVELET)?),
            false => None,
        };
        let mut map = if flags & FLAG_LOGARITHM != 0 { Map::Logarithm } else { Map::Plain };
        if conditioned && code == WAVELET && map != Map::Plain {
            return corrupt("logarithms of what companions leave".into());
        }
        if code & ON_LATTICE != 0 {
            if map != Map::Plain {
                return corrupt("both a lattice and logarithms".into());
            }
            let (offset, scale) = (b.float()?, b.float()?);
            if !offset.is_finite() || !scale.is_finite() || scale <= 0.0 {
                return corrupt(format!("a lattice at {offset} with spacing {scale}"));
            }
            map = Map::Lattice(Lattice { offset, scale, exact: true });
        }
        let step = |b: &mut Bytes<'_>| match map {
            Map::Lattice(_) => match b.varint()? {
                n @ 1..=0xFFFF_FFFF_FFFF => Ok(n as f64),
                n => corrupt(format!("a step of {n} lattice points")),
            },
            _ => b.step(),
        };
        let base = match code & !ON_LATTICE {
            base @ (INTERPOLATION | LEARNED | LATENTS) if base == INTERPOLATION || !matches!(map, Map::Lattice(_)) => {
                let step = step(b)?;
                let (order, kind, fitted) = (b.byte()?, b.byte()?, b.byte()?);
                let axes = usize::from(kind & 7);
                let order: Vec<u8> = (0..axes.min(4)).map(|k| order >> (2 * k) & 3).collect();
                if axes > 4 || kind & 128 != 0 || (1..axes).any(|k| order[..k].contains(&order[k])) {
                    return corrupt("an impossible order of axes".into());
                }
                let (alpha, beta) = SCHEDULES[usize::from(kind >> 3 & 7)];
                let p = interpolation::Parameters { order, alpha, beta, linear: kind & 64 != 0, fitted };
                if base == INTERPOLATION {
                    Base::Interpolation { p, step }
                } else {
                    let (levels, number) = (b.byte()?, b.byte()?);
                    let model = Guiding::read(number, b, at_hand)?;
                    primed = (flags & FLAG_PRIMED != 0).then(|| model.clone());
                    let latents = if base == LATENTS { Some(read_gain(b, &model)?) } else { None };
                    Base::Learned { p, step, levels, model, latents }
                }
            }
            LORENZO => {
                let step = step(b)?;
                match b.byte()? {
                    order @ 0..=4 => Base::Raster { weights: Weights::Lorenzo(order), step },
                    order => return corrupt(format!("a Lorenzo predictor of {order} axes")),
                }
            }
            LINEAR => Base::Raster { weights: Weights::Fitted, step: step(b)? },
            CENTRED => Base::Raster { weights: Weights::Centred(Centre::Mean), step: step(b)? },
            COPIES => Base::Raster { weights: Weights::Copies, step: step(b)? },
            WAVELET if !matches!(map, Map::Lattice(_)) => Base::Wavelet(wavelet::Parameters::read(&mut b.0)?),
            TUCKER if !matches!(map, Map::Lattice(_)) => Base::Tucker(tucker::Parameters::read(b)?),
            CONSTANT if map == Map::Plain => {
                Base::Constant(b.take(size)?.iter().rev().fold(0, |v, &b| v << 8 | u64::from(b)))
            }
            LOSSLESS if map == Map::Plain => {
                let (order, shift) = (b.byte()?, b.byte()?);
                if order > 3 || shift > 63 {
                    return corrupt(format!("a lossless predictor of order {order}, shift {shift}"));
                }
                Base::Lossless { order, shift }
            }
            _ => return Err(Error::Unsupported { feature: format!("base {code}") }),
        };
        let plan = Plan { base, map, masked: flags & FLAG_MASKED != 0, coder, primed, beside };
        if let Some(model) = &plan.primed
            && model.model()?.priors().is_none()
        {
            return corrupt(format!("states of model {:#}, which has none", model.model()?.id()));
        }
        if flags & FLAG_MIXED_MASKS != 0 && !plan.has_masks() {
            return corrupt("a way of telling masks where there are none".into());
        }
        let masks = if flags & FLAG_MIXED_MASKS != 0 { Teller::Mixture } else { Teller::Template };
        if on_background && !background::takes(&plan.base, &plan.map) {
            return Err(Error::Unsupported { feature: format!("base {code} on a background") });
        }
        let placed = if on_background { Some(Placed::read(b, &plan, at_hand)?) } else { None };
        Ok((plan, Stream { exceptions: flags & FLAG_EXCEPTIONS != 0, masks, placed }))
    }

    /// The step of quantisation; 0 where there is none.
    pub fn step(&self) -> f64 {
        match self.base {
            Base::Interpolation { step, .. } | Base::Learned { step, .. } | Base::Raster { step, .. } => step,
            _ => 0.0,
        }
    }

    /// Changes the step of quantisation.
    pub fn set_step(&mut self, new: f64) {
        if let Base::Interpolation { step, .. } | Base::Learned { step, .. } | Base::Raster { step, .. } =
            &mut self.base
        {
            *step = new;
        }
    }

    /// Codes (or decodes) the numbers with the base. Not for `Constant` and `Lossless`. What coders learn is left in
    /// `lesson`; `worth` is what a bit is worth to an encoder, see [`Start`].
    pub fn code_numbers<C: BitCoder>(
        &self,
        c: &mut C,
        g: Geometry,
        v: &mut [f64],
        mask: Option<&[bool]>,
        companions: &[Companion],
        (lesson, said, worth): (Option<&Lesson>, Option<&Said>, f64),
    ) {
        // Whoever made the plan has asked for the model.
        let model = self.primed.as_ref().and_then(|m| m.model().ok());
        let start = Start { said, worth, ..model.map_or_else(Start::default, |m| m.start()).learning(lesson) };
        let coding = Coding { plan: self, c, g, v, mask, companions, start };
        match (self.coder, &self.beside) {
            // Silence asks no model: one context is as good as six.
            _ if C::SILENT => coding.by::<ResidualCoder<1>>(),
            (Coder::OneContext, _) => coding.by::<ResidualCoder<1>>(),
            (Coder::FullMix, _) => coding.by::<ResidualCoder<CONTEXTS>>(),
            (Coder::Estimate, _) => coding.by::<Estimate>(),
            (Coder::Mixture, _) if C::DECODING => coding.by::<Mixture<4, false>>(),
            (_, None | Some(Beside { way: Way::LeftOut(_), .. })) => coding.by::<Mixture<4, true>>(),
            (_, Some(_)) => coding.by::<Mixture<6, true>>(),
        }
    }

    #[inline(always)]
    fn code_with<C: BitCoder, R: Residuals>(
        &self,
        c: &mut C,
        g: Geometry,
        v: &mut [f64],
        mask: Option<&[bool]>,
        companions: &[Companion],
        start: Start<'_>,
    ) {
        let aside = self.beside.as_ref().and_then(|b| Aside::new(companions, b, g.len()));
        let quantiser = |step: f64| match self.map {
            Map::Lattice(_) => Quantiser::integer(step),
            _ => Quantiser::real(step),
        };
        match &self.base {
            Base::Interpolation { p, step } => {
                interpolation::Run::<R>::new(g, p, quantiser(*step), v, mask).beside(aside).starting(start).run(c)
            }
            Base::Learned { p, step, levels, model, latents } => {
                // Whoever made the plan has asked for the model.
                if let Ok(model) = model.model() {
                    let levels = u32::from(*levels);
                    let guide = match latents.and_then(|gain| Some((model.latents()?, usize::from(gain)))) {
                        Some((latents, gain)) => {
                            let field = latents.code(c, g, v, mask, gain, *step);
                            Guide::new(latents.predictor(), g.len(), levels).told(Some(field))
                        }
                        None => Guide::new(model.predictor(), g.len(), levels),
                    };
                    interpolation::Run::<R>::new(g, p, quantiser(*step), v, mask)
                        .beside(aside)
                        .guided(guide.remembering(start.said))
                        .starting(start)
                        .run(c);
                }
            }
            Base::Raster { weights, step } => {
                raster::Run::<R>::new(g, quantiser(*step), v, mask, start).run(c, *weights)
            }
            Base::Wavelet(p) => wavelet::code::<C, R>(c, g, p, v, mask, &start),
            Base::Tucker(p) => tucker::code::<C, R>(c, g, p, v, mask, &start),
            Base::Constant(_) | Base::Lossless { .. } => {}
        }
    }
}

/// What there is to code.
struct Coding<'a, C> {
    plan: &'a Plan,
    c: &'a mut C,
    g: Geometry,
    v: &'a mut [f64],
    mask: Option<&'a [bool]>,
    companions: &'a [Companion],
    start: Start<'a>,
}

impl<C: BitCoder> Coding<'_, C> {
    /// Codes it with this coder of integers.
    fn by<R: Residuals>(self) {
        widest(By::<C, R>(self, PhantomData));
    }
}

struct By<'a, C, R>(Coding<'a, C>, PhantomData<R>);

impl<C: BitCoder, R: Residuals> Kernel for By<'_, C, R> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Coding { plan, c, g, v, mask, companions, start } = self.0;
        plan.code_with::<C, R>(c, g, v, mask, companions, start);
    }
}
