//! A chunk as the encoder sees it: numbers, mask, statistics, and the check of the bound.
use crate::Error;
use crate::background::{self, Below, Placed};
use crate::background_place::Origin;
use crate::base::Geometry;
use crate::chunk::{ChunkBound, ChunkRequest, ChunkStats, Effort, State};
use crate::elements::{all_numbers, bits, number, ordered};
use crate::options::ModelChoice;
use crate::plan::{Base, Coder, Map, Plan, base_name};
use crate::reference::Referred;
use crate::remembered::Remembered;
use scicodec_format::DType;

/// One chunk, ready to be coded by any plan.
pub struct Prepared {
    pub dtype: DType,
    pub g: Geometry,
    pub bound: ChunkBound,
    pub effort: Effort,
    pub model: ModelChoice,
    /// Bits of every element.
    pub bits: Vec<u64>,
    /// Numbers of every element; special ones hold that of a neighbour.
    pub numbers: Vec<f64>,
    /// NaN, ±Inf and fill values, if there are any.
    pub special: Option<Vec<bool>>,
    pub lo: f64,
    pub hi: f64,
    pub valid: u64,
    /// What it may be coded beside.
    pub references: Vec<Referred>,
    /// What was taken from its numbers, if they stand on a background.
    pub below: Option<Below>,
    /// Where it lies in its variable, if that is known.
    pub origin: Option<Origin>,
    /// Its variable has other chunks, and may be large: time is short.
    pub one_of_many: bool,
    /// What networks have said of it.
    pub said: Remembered,
}

impl Prepared {
    /// Checks the bound and takes the elements apart.
    pub fn new(req: &ChunkRequest<'_>) -> Result<Prepared, Error> {
        let float = req.dtype.is_float();
        let limit = match req.bound {
            ChunkBound::Lossless => 0.0,
            ChunkBound::Abs(e) | ChunkBound::Rmse(e) | ChunkBound::PwRel(e) => e,
        };
        if !limit.is_finite() || limit < 0.0 {
            return Err(Error::InvalidArgument(format!("an error bound of {limit}, expected a finite number ≥ 0")));
        }
        if !float && matches!(req.bound, ChunkBound::PwRel(_) | ChunkBound::Rmse(_)) {
            return Err(Error::InvalidArgument(format!(
                "{} takes only absolute and lossless bounds",
                req.dtype.name()
            )));
        }
        let bound = within_reach(req.dtype, req.bound);
        let bits = bits(req.dtype, req.data);
        let mut numbers = all_numbers(req.dtype, &bits);
        let special: Vec<bool> =
            bits.iter().zip(&numbers).map(|(&b, v)| !v.is_finite() || req.fill == Some(b)).collect();
        let (mut lo, mut hi, mut valid) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        for (&v, _) in numbers.iter().zip(&special).filter(|(_, s)| !**s) {
            lo = lo.min(v);
            hi = hi.max(v);
            valid += 1;
        }
        let special = (valid < bits.len() as u64).then_some(special);
        let g = Geometry::new(req.shape);
        if let Some(special) = &special {
            fill_in(&g, &mut numbers, special);
        }
        Ok(Prepared {
            dtype: req.dtype,
            g,
            bound,
            effort: req.effort,
            model: req.model.clone(),
            bits,
            numbers,
            special,
            lo,
            hi,
            valid,
            references: Vec::new(),
            below: None,
            origin: None,
            one_of_many: false,
            said: Remembered::default(),
        })
    }

    /// The box of these extents at `start`, as a chunk of its own.
    pub fn crop(&self, start: [usize; 4], n: [usize; 4]) -> Prepared {
        let g = Geometry::of(n);
        let (mut bits, mut numbers) = (Vec::with_capacity(g.len()), Vec::with_capacity(g.len()));
        let mut special = Vec::new();
        let (mut lo, mut hi, mut valid) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        for a in start[0]..start[0] + n[0] {
            for b in start[1]..start[1] + n[1] {
                for y in start[2]..start[2] + n[2] {
                    let i = a * self.g.stride[0] + b * self.g.stride[1] + y * self.g.stride[2] + start[3];
                    bits.extend_from_slice(&self.bits[i..i + n[3]]);
                    numbers.extend_from_slice(&self.numbers[i..i + n[3]]);
                    if let Some(s) = &self.special {
                        special.extend_from_slice(&s[i..i + n[3]]);
                    }
                }
            }
        }
        for (i, &v) in numbers.iter().enumerate() {
            if !special.get(i).is_some_and(|&s| s) {
                lo = lo.min(v);
                hi = hi.max(v);
                valid += 1;
            }
        }
        let special = (!special.is_empty()).then_some(special);
        let references = self.references.iter().map(|r| r.crop(&self.g, start, n)).collect();
        let points = (0..g.len()).map(|i| {
            let at = |a: usize| start[a] + i / g.stride[a] % g.n[a];
            (0..4).map(|a| at(a) * self.g.stride[a]).sum()
        });
        let below = self.below.as_ref().map(|b| b.of(points));
        Prepared {
            dtype: self.dtype,
            g,
            bound: self.bound,
            effort: self.effort,
            model: self.model.clone(),
            bits,
            numbers,
            special,
            lo,
            hi,
            valid,
            references,
            below,
            origin: None,
            one_of_many: self.one_of_many,
            said: Remembered::default(),
        }
    }

    /// Every so many of the values along each axis, as a chunk of their own that has nothing to be coded beside.
    pub fn thinned(&self, every: [usize; 4]) -> Prepared {
        let n: [usize; 4] = std::array::from_fn(|a| self.g.n[a].div_ceil(every[a]));
        let g = Geometry::of(n);
        let mut kept = Vec::with_capacity(g.len());
        for a in 0..n[0] {
            for b in 0..n[1] {
                for y in 0..n[2] {
                    let at = [a, b, y];
                    let row: usize = (0..3).map(|k| at[k] * every[k] * self.g.stride[k]).sum();
                    kept.extend((0..n[3]).map(|x| row + x * every[3]));
                }
            }
        }
        let special: Vec<bool> = self.special.iter().flat_map(|s| kept.iter().map(|&i| s[i])).collect();
        Prepared {
            dtype: self.dtype,
            g,
            bound: self.bound,
            effort: self.effort,
            model: self.model.clone(),
            bits: kept.iter().map(|&i| self.bits[i]).collect(),
            numbers: kept.iter().map(|&i| self.numbers[i]).collect(),
            valid: (g.len() - special.iter().filter(|&&s| s).count()) as u64,
            special: (!special.is_empty()).then_some(special),
            lo: self.lo,
            hi: self.hi,
            references: vec![],
            below: self.below.as_ref().map(|b| b.of(kept.iter().copied())),
            origin: None,
            one_of_many: self.one_of_many,
            said: Remembered::default(),
        }
    }

    /// The plan that keeps every bit.
    pub fn exactly(&self) -> Plan {
        let base = Base::Lossless { order: 1, shift: 0 };
        Plan {
            base,
            map: Map::Plain,
            masked: self.special.is_some(),
            coder: Coder::FullMix,
            primed: None,
            beside: None,
        }
    }

    /// The limit that errors are held against.
    pub fn limit(&self) -> f64 {
        match self.bound {
            ChunkBound::Lossless => 0.0,
            ChunkBound::Abs(e) | ChunkBound::PwRel(e) | ChunkBound::Rmse(e) => e,
        }
    }

    /// The numbers of the elements, whatever of them is coded.
    pub fn whole(&self) -> &[f64] {
        self.below.as_ref().map_or(&self.numbers, |b| &b.whole)
    }

    /// The background that a plan's numbers stand on.
    pub fn placed(&self, plan: &Plan) -> Option<&Placed> {
        self.below.as_ref().filter(|_| background::takes(&plan.base, &plan.map)).map(|b| &b.placed)
    }

    fn is_special(&self, i: usize) -> bool {
        self.special.as_ref().is_some_and(|s| s[i])
    }

    /// Calls `f` with place, number and error of every unmasked element; errors of integers are exact.
    #[inline(always)]
    fn each_error(&self, decoded: &[u64], mut f: impl FnMut(usize, f64, f64)) {
        let numbers = self.whole();
        // One loop per type, so that none looks at the type inside.
        match self.dtype {
            DType::F32 => {
                self.each(|i| f(i, numbers[i], (numbers[i] - f64::from(f32::from_bits(decoded[i] as u32))).abs()))
            }
            DType::F64 => self.each(|i| f(i, numbers[i], (numbers[i] - f64::from_bits(decoded[i])).abs())),
            DType::F16 => self.each(|i| f(i, numbers[i], (numbers[i] - number(DType::F16, decoded[i])).abs())),
            dtype => self.each(|i| {
                f(i, numbers[i], ordered(dtype, self.bits[i]).abs_diff(ordered(dtype, decoded[i])) as f64);
            }),
        }
    }

    /// Calls `f` with the places of unmasked elements.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize)) {
        match &self.special {
            None => (0..self.bits.len()).for_each(f),
            Some(s) => (0..self.bits.len()).filter(|&i| !s[i]).for_each(&mut f),
        }
    }

    /// Places where the decoded bits break the bound.
    pub fn exceptions(&self, decoded: &[u64]) -> Vec<usize> {
        let mut wrong = Vec::new();
        match self.bound {
            ChunkBound::Lossless => self.each(|i| {
                if self.bits[i] != decoded[i] {
                    wrong.push(i);
                }
            }),
            // An error that is no number is an exception too.
            ChunkBound::Abs(limit) => self.each_error(decoded, |i, _, e| {
                if e > limit || e.is_nan() {
                    wrong.push(i);
                }
            }),
            ChunkBound::PwRel(limit) => self.each_error(decoded, |i, x, e| {
                // A finite number never becomes an infinite one, however wide the bound.
                if e > (limit * x.abs()).min(f64::MAX) || e.is_nan() {
                    wrong.push(i);
                }
            }),
            ChunkBound::Rmse(_) => self.each_error(decoded, |i, _, e| {
                if !e.is_finite() {
                    wrong.push(i);
                }
            }),
        }
        wrong
    }

    /// What was reached.
    pub fn stats(&self, plan: &Plan, decoded: &[u64]) -> ChunkStats {
        let mut s = ChunkStats { base: base_name(plan.code()), valid: self.valid, ..ChunkStats::default() };
        if self.valid > 0 {
            (s.min, s.max) = (Some(self.lo), Some(self.hi));
        }
        let (mut max, mut sum, mut relative) = (0.0f64, 0.0, 0.0f64);
        let pointwise = matches!(self.bound, ChunkBound::PwRel(_));
        self.each_error(decoded, |_, x, e| {
            max = max.max(e);
            sum += e * e;
            if pointwise && x != 0.0 {
                relative = relative.max(e / x.abs());
            }
        });
        (s.max_error, s.sum_squared_error, s.max_pw_rel_error) = (max, sum, relative);
        s
    }

    /// Root of the mean squared error over unmasked elements.
    pub fn rmse(&self, decoded: &[u64]) -> f64 {
        let mut sum = 0.0;
        self.each_error(decoded, |_, _, e| sum += e * e);
        (sum / self.valid as f64).sqrt()
    }

    /// Whether a result keeps the bound.
    pub fn keeps(&self, s: &ChunkStats) -> bool {
        match self.bound {
            ChunkBound::Lossless => s.max_error == 0.0,
            ChunkBound::Abs(e) => s.max_error <= e,
            ChunkBound::PwRel(_) => true, // each point was held against its own limit
            ChunkBound::Rmse(e) => self.valid == 0 || s.sum_squared_error <= e * e * self.valid as f64,
        }
    }

    /// What a plan codes.
    pub fn state(&self, plan: &Plan) -> State {
        let mut s = State::default();
        if let Some(beside) = &plan.beside {
            s.companions = beside.companions(&self.references);
        }
        if plan.masked
            && let Some(special) = &self.special
        {
            s.special = special.clone();
            s.special_bits = self.bits.clone();
        }
        match (&plan.base, &plan.map) {
            (Base::Constant(_), _) => {}
            (Base::Lossless { .. }, _) => s.integers = self.bits.iter().map(|&b| ordered(self.dtype, b)).collect(),
            (_, Map::Plain) => {
                s.worth = if matches!(self.bound, ChunkBound::Rmse(_)) { WORTH } else { 0.0 };
                s.numbers = self.numbers.clone();
                s.below = self.below.as_ref().map(|b| b.values.clone());
                if let Some(beside) = &plan.beside {
                    beside.shift(&mut s.numbers, &s.companions, -1.0);
                }
            }
            (_, Map::Lattice(l)) => s.numbers = self.numbers.iter().map(|&x| l.index(x)).collect(),
            (_, Map::Logarithm) => {
                s.zero = self.numbers.iter().map(|&x| x == 0.0).collect();
                s.negative = self.bits.iter().map(|&b| number(self.dtype, b).is_sign_negative()).collect();
                s.numbers = self.numbers.iter().map(|&x| if x == 0.0 { 0.0 } else { x.abs().log2() }).collect();
                let skip: Vec<bool> = (0..s.zero.len()).map(|i| s.zero[i] || self.is_special(i)).collect();
                fill_in(&self.g, &mut s.numbers, &skip);
            }
        }
        s
    }
}

/// What a bit is worth, in squared steps, where a base that quantises as it goes must keep a mean error: less than the slope of
/// a uniform quantiser, 0.11, as what is predicted from a value inherits its error.
const WORTH: f64 = 0.08;

/// The bound, narrowed to one whose step a payload can hold: half a step is a normal number that has finite multiples,
/// and for integers fits in 48 bits.
fn within_reach(dtype: DType, bound: ChunkBound) -> ChunkBound {
    const SMALLEST: f64 = 1e-300;
    const LARGEST: f64 = 1e300;
    const LARGEST_WHOLE: f64 = 70_368_744_177_664.0; // 2^46
    let largest = if dtype.is_float() { LARGEST } else { LARGEST_WHOLE };
    match bound {
        ChunkBound::Abs(e) | ChunkBound::Rmse(e) if dtype.is_float() && e < SMALLEST => ChunkBound::Lossless,
        ChunkBound::Abs(e) => ChunkBound::Abs(e.min(largest)),
        ChunkBound::Rmse(e) => ChunkBound::Rmse(e.min(largest)),
        ChunkBound::PwRel(e) => ChunkBound::PwRel(e.min(largest)),
        ChunkBound::Lossless => bound,
    }
}

/// Gives masked points the number of the nearest unmasked one before them in the row, else of the row above.
pub fn fill_in(g: &Geometry, v: &mut [f64], skip: &[bool]) {
    let n = g.n[3];
    let first = skip.iter().position(|s| !s).map_or(0.0, |i| v[i]);
    for row in 0..v.len() / n.max(1) {
        let r = row * n..(row + 1) * n;
        let start = r.start;
        match skip[r.clone()].iter().position(|s| !s) {
            Some(x) => {
                let mut last = v[start + x];
                for i in r {
                    if skip[i] { v[i] = last } else { last = v[i] }
                }
            }
            None if start >= n => v.copy_within(start - n..start, start),
            None => v[r].fill(first),
        }
    }
}
