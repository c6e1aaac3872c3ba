//! Chooses how to code a chunk, by coded size: of the whole chunk where it is small, else of a lively part of it.
use crate::Error;
use crate::base::interpolation::Parameters;
use crate::base::raster::Weights;
use crate::base::{companion, tucker_search, wavelet};
use crate::bytes::storable;
use crate::chunk::{ChunkBound, Effort, cost};
use crate::lattice::{Lattice, packed, spacing};
use crate::learned::{self, Guiding};
use crate::ordered::{both, each};
use crate::plan::{Base, Map, Plan};
use crate::polish;
use crate::prepare::Prepared;
use crate::scout::{self, Hint};
use crate::select_beside;
use crate::select_fit::fit_step;
use crate::select_left_out;
use crate::select_near::{Told, near};
use crate::select_parts::{every, liveliest, tried, two};
use crate::select_start::{coder, priming, start};
use crate::select_target::{CLOSE, room, step_within, target};
use crate::select_trials::{Trials, interpolations, repeats};
use std::sync::OnceLock;

/// The finest levels that a model guides.
const GUIDED_LEVELS: u8 = 4;
/// What interpolation may cost more than the best for a network to be asked.
const REACH: f64 = 1.6;
/// What one that a network guides may cost more than the best on a part and be tried on the whole.
const NEAR_GUIDED: f64 = 1.06;

/// Values on which like plans are told apart where time is short.
const SAMPLE: usize = 1 << 13;

/// So many of like plans are coded for their true size; of large chunks' fewer, where time is short.
const FINALISTS: usize = 2;

/// Bytes for each value of a part below which its coarser values stand for a chunk, and the share of bytes that they take.
const SPARSE: f64 = 1.0 / 40.0;
const THIN: f64 = 0.85;

/// Multiple of the bytes of a chunk's average part that its liveliest takes, if the chunk is uneven.
const UNEVEN: f64 = 1.5;
/// Multiple of the least bytes of such a part up to which copies are tried on the whole.
const COPIED: f64 = 1.2;
/// Values of small chunks.
const SMALL: usize = 1 << 18;

/// The kinds of bases that parts tell apart badly.
const WAVELETS: usize = 2;

fn kind(base: &Base) -> Option<usize> {
    match base {
        Base::Interpolation { .. } => Some(0),
        Base::Raster { .. } => Some(1),
        Base::Wavelet(_) => Some(WAVELETS),
        _ => None,
    }
}

/// The share of another's bytes below which an estimate of a decomposition's needs no proof, where it is of more bytes
/// for each value than this.
const CLEAR: f64 = 0.75;
const DENSE: f64 = 1.0 / 32.0;

/// Whole numbers below this are exact in binary64 with room for sums.
const WHOLE: f64 = 1_125_899_906_842_624.0; // 2^50

/// A plan, what it costs on all parts, and on the first one.
struct Tried {
    cost: f64,
    here: f64,
    plan: Plan,
}

/// What was tried, cheapest kept.
struct Search<'a> {
    x: &'a Prepared,
    best: Option<(f64, Plan)>,
    /// The cheapest interpolation, if it was among the cheapest.
    interpolation: Option<Tried>,
    /// What was tried that can look at references.
    likely: Vec<(f64, Plan)>,
    /// The model whose states coders start from.
    priming: Option<Guiding>,
    /// The part of the chunk on which choices are tried, if it is large.
    part: Option<&'a Prepared>,
    /// Another part, on which the best of each kind are tried as well.
    second: Option<&'a Prepared>,
    /// What stands for the chunk is not a part of it but every so many of its values.
    thin: bool,
    /// Where those are kept, if they are asked for.
    thinned: &'a OnceLock<Prepared>,
    /// The least that anything costs on the first part.
    least_here: f64,
    /// Where time is short: the cheapest of each kind, on the parts.
    kinds: [Option<(f64, Plan)>; 3],
    /// What else may be the best on the whole.
    hopeful: Vec<Plan>,
    /// How other chunks of the variable were best coded: tried in place of a search for wavelets on a part.
    hints: &'a [Hint],
    /// The step of the cheapest is fitted to the whole.
    settled: bool,
}

/// What a search has come to.
pub struct Choice {
    /// The plan that codes a chunk in the fewest bytes of those tried.
    pub plan: Plan,
    /// Others to be held against it on the whole: one without a network if that was found on a part alone and is guided by
    /// one (what a network gains on a part says little about the whole), the best that looks at references, and what is
    /// about as good.
    pub rivals: Vec<Plan>,
    /// What parts of the chunk make of its bytes.
    pub told: f64,
}

/// Searches for a plan.
pub fn choose(x: &Prepared, hints: &[Hint]) -> Result<Choice, Error> {
    let masked = x.special.is_some();
    let valid = |i: usize| !x.special.as_ref().is_some_and(|s| s[i]);
    let plan = |base| Plan { base, map: Map::Plain, masked, coder: coder(x.effort), primed: None, beside: None };
    let Some(first) = (0..x.bits.len()).find(|&i| valid(i)) else {
        return Ok(Choice { plan: plan(Base::Constant(0)), rivals: vec![], told: 0.0 });
    };
    if (0..x.bits.len()).all(|i| x.bits[i] == x.bits[first] || !valid(i)) {
        return Ok(Choice { plan: plan(Base::Constant(x.bits[first])), rivals: vec![], told: 0.0 });
    }
    let (whole, limit) = tried(x.effort, !hints.is_empty());
    let (part, second) = match x.effort {
        _ if x.g.len() <= whole => (None, None),
        Effort::Default => two(x, limit),
        _ => (liveliest(x, limit), None),
    };
    let thinned = OnceLock::new();
    let mut s = Search {
        x,
        best: None,
        interpolation: None,
        likely: vec![],
        priming: priming(x),
        part: part.as_ref(),
        second: second.as_ref().filter(|_| x.references.is_empty()),
        thin: false,
        thinned: &thinned,
        least_here: f64::INFINITY,
        kinds: [None, None, None],
        hopeful: vec![],
        hints: if part.is_some() { hints } else { &[] },
        settled: false,
    };
    s.run();
    s.settle();
    let classic = s.best.clone();
    // Hints say whether a network helps, and were tried on the whole.
    let hinted = !s.hints.is_empty();
    if !hinted {
        s.learned()?;
    }
    let guided = !hinted && matches!(s.best, Some((_, Plan { base: Base::Learned { .. }, .. })));
    if guided {
        s.settle();
    }
    s.unprime();
    let classic = classic.filter(|_| guided && part.is_some());
    let mut rivals: Vec<Plan> = classic.map(|b| b.1).into_iter().chain(s.rivals()).collect();
    rivals.extend(select_beside::choose(s.ground(), &s.likely, s.cost()).map(|plan| fit_step(x, plan)));
    rivals.extend(s.left_out());
    rivals.append(&mut s.hopeful);
    let told = if s.part.is_some() { s.cost() / s.share() } else { 0.0 };
    Ok(Choice { plan: s.best.map_or_else(|| plan(Base::Lossless { order: 1, shift: 0 }), |b| b.1), rivals, told })
}

impl Search<'_> {
    fn run(&mut self) {
        let x = self.x;
        let largest = x.lo.abs().max(x.hi.abs());
        let whole = || Lattice { offset: 0.0, scale: 1.0, exact: true };
        match x.bound {
            ChunkBound::Lossless if x.dtype.is_float() => {
                if let Some(l) = packed(x.dtype, &x.numbers, x.lo, x.hi, 0.0) {
                    self.on_lattice(l, 0.0);
                }
                self.lossless();
            }
            ChunkBound::Abs(e) if x.dtype.is_float() => {
                let packed = |x: &Prepared| packed(x.dtype, &x.numbers, x.lo, x.hi, e).filter(|l| e < 16.0 * l.scale);
                // What is left of a background is on no lattice.
                let bare = Some(x).filter(|x| x.below.is_none());
                let lattice = bare.and_then(packed);
                if let Some(l) = lattice.or_else(|| bare.and_then(|x| spacing(x.dtype, &x.numbers, x.lo, x.hi, e))) {
                    self.on_lattice(l, e);
                }
                let room = room(x, e);
                if room > 0.0 && lattice.is_none_or(|l| e > l.scale) {
                    let step = step_within(room);
                    self.numeric(&Map::Plain, step);
                    self.hinted(&Map::Plain);
                    self.wavelet(wavelet::Target::MaxError(room));
                    self.tucker(wavelet::Target::MaxError(room));
                }
                if self.cost() > 0.4 * (x.bits.len() * x.dtype.size()) as f64 {
                    self.lossless();
                }
            }
            ChunkBound::Lossless | ChunkBound::Abs(_) => {
                if largest < WHOLE {
                    self.on_lattice(whole(), x.limit().floor());
                }
                self.lossless();
            }
            ChunkBound::PwRel(e) => {
                let limit = (1.0 + e).log2() * (1.0 - 1e-9);
                if limit > 0.0 {
                    self.numeric(&Map::Logarithm, storable(2.0 * limit));
                    self.hinted(&Map::Logarithm);
                }
                self.lossless();
            }
            ChunkBound::Rmse(e) => {
                if e > 0.0 {
                    let packed = packed(x.dtype, &x.numbers, x.lo, x.hi, e).filter(|l| e < l.scale);
                    if let Some(l) = packed.filter(|_| x.below.is_none()) {
                        self.on_lattice(l, 0.0);
                    }
                    self.numeric(&Map::Plain, storable(e * 3.4));
                    self.hinted(&Map::Plain);
                    let target = wavelet::Target::Rmse(e * CLOSE);
                    self.wavelet(target);
                    self.tucker(target);
                }
                if self.cost() > 0.4 * (x.bits.len() * x.dtype.size()) as f64 {
                    self.lossless();
                }
            }
        }
    }

    /// A step fitted to a part is not that of the whole.
    fn settle(&mut self) {
        while self.part.is_some()
            && !self.settled
            && let Some((cost, plan)) = self.best.take()
        {
            match self.moved(&plan, self.x, self.thin) {
                Some(plan) => {
                    self.best = Some((cost, plan));
                    self.settled = true;
                }
                None => {
                    // Wavelets that cannot reach the target.
                    self.kinds[WAVELETS] = None;
                    self.best = self.kinds.iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0)).cloned();
                }
            }
        }
    }

    /// How much more than the best on parts, which this is, another may cost there and be tried on the whole.
    fn near(&self, best: &Base, other: &Base) -> f64 {
        let told = Told { bound: self.x.bound, bytes: self.cost() / self.share(), uneven: self.uneven() };
        near(&told, best, other)
    }

    /// Whether parts differ so much that they say little of the whole.
    fn uneven(&self) -> bool {
        self.second.is_some() && self.least_here > UNEVEN * (self.cost() - self.least_here)
    }

    /// What is not far from the best on parts, for the whole: parts tell kinds apart badly.
    fn rivals(&self) -> Vec<Plan> {
        let Some((least, best)) = &self.best else { return vec![] };
        let others = self.kinds.iter().enumerate().filter(|&(k, _)| kind(&best.base) != Some(k));
        let hopeful = others
            .filter_map(|(_, tried)| tried.as_ref())
            .filter(|(cost, plan)| *cost < self.near(&best.base, &plan.base) * least);
        let moved = |plan: &Plan| self.moved(plan, self.x, self.thin);
        each(hopeful.map(|(_, plan)| plan).collect(), moved).into_iter().flatten().collect()
    }

    /// Keeps what is best so far.
    fn keep(&mut self, cost: f64, plan: Plan) {
        self.best = Some((cost, plan));
        self.settled = false;
    }

    /// The best wavelet that leaves out references, for the whole.
    fn left_out(&self) -> Option<Plan> {
        let target = target(self.x)?;
        let on = |x, rival| select_left_out::Ground { x, target, start: start(&self.priming), rival };
        // Wavelets that were hinted at were tried on the whole.
        let ground = if self.hints.is_empty() { self.ground() } else { self.x };
        let share = ground.bits.len() as f64 / self.ground().bits.len() as f64;
        let tried: Vec<_> = self.likely.iter().map(|(cost, plan)| (cost * share, plan.clone())).collect();
        let plan = select_left_out::choose(&on(ground, self.cost() * share), &tried)?;
        let beside = plan.beside.as_ref().filter(|_| ground.g != self.x.g);
        beside.map_or(Some(plan.clone()), |b| select_left_out::less(&on(self.x, 0.0), &plan, ground.g, b))
    }

    /// States learned elsewhere may mislead: the cheapest plan is tried without them as well, where that takes little.
    fn unprime(&mut self) {
        let Some((told, plan)) = &self.best else { return };
        // Decompositions found on the whole say nothing of a part.
        let whole = self.part.is_some() && matches!(plan.base, Base::Wavelet(_) | Base::Tucker(_));
        if plan.primed.is_none() || whole {
            return;
        }
        // The cost of a step fitted to the whole, or of a Tucker base, may not have been counted yet.
        let counted = self.part.is_none() && !matches!(plan.base, Base::Tucker(_));
        let with = if counted { *told } else { cost(self.ground(), plan) };
        let plan = Plan { primed: None, ..plan.clone() };
        let without = cost(self.ground(), &plan);
        if without < with {
            // On all parts, as it was told.
            self.best = Some((told * without / with, plan));
        }
    }

    fn cost(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |b| b.0)
    }

    fn plan(&self, base: Base, map: &Map) -> Plan {
        let coder = coder(self.x.effort);
        let primed = self.priming.clone().filter(|_| !matches!(base, Base::Constant(_) | Base::Lossless { .. }));
        Plan { base, map: map.clone(), masked: self.x.special.is_some(), coder, primed, beside: None }
    }

    /// What choices are tried on.
    fn ground(&self) -> &Prepared {
        self.part.unwrap_or(self.x)
    }

    /// Tries plans, and says what they cost: on all parts, and on the first one.
    fn consider(&mut self, plans: Vec<Plan>) -> Vec<Tried> {
        let costs = each(plans, |plan| {
            let there = |part| self.moved(&plan, part, false).map_or(f64::INFINITY, |plan| cost(part, &plan));
            let costs = both(|| cost(self.ground(), &plan), || self.second.map_or(0.0, there));
            (costs, plan)
        });
        let tried = costs.into_iter().map(|((here, there), plan)| {
            self.least_here = self.least_here.min(here);
            Tried { cost: self.weigh(&plan, here + there), here, plan }
        });
        tried.collect()
    }

    /// The plan for another part or the whole, as it was found where values are `thin` or as close as there; none where it
    /// cannot reach the target.
    fn moved(&self, plan: &Plan, part: &Prepared, thin: bool) -> Option<Plan> {
        let (Base::Wavelet(found), Some(target)) = (&plan.base, target(part)) else {
            return Some(fit_step(part, plan.clone()));
        };
        let (effort, start) = (part.effort, start(&self.priming));
        let on = wavelet::Ground { part: true, thin, rival: f64::INFINITY, effort, start };
        let (mask, from) = (part.special.as_deref(), self.ground().g);
        let p = wavelet::transfer(part.g, &part.numbers, mask, target, found, from, on)?;
        Some(Plan { base: Base::Wavelet(p), ..plan.clone() })
    }

    /// Keeps a plan that costs less than others.
    fn weigh(&mut self, plan: &Plan, cost: f64) -> f64 {
        if !self.x.references.is_empty() && companion::takes(plan) {
            self.likely.push((cost, plan.clone()));
        }
        if let Some(k) = kind(&plan.base).filter(|_| self.x.effort != Effort::Fast)
            && self.kinds[k].as_ref().is_none_or(|best| cost < best.0)
        {
            self.kinds[k] = Some((cost, plan.clone()));
        }
        if cost < self.cost() {
            self.keep(cost, plan.clone());
        }
        cost
    }

    /// Bases that predict numbers, on one map, with one step (where the bound is an L2 norm, a first guess of it).
    fn numeric(&mut self, map: &Map, step: f64) {
        self.numeric_here(map, step);
        if self.part.is_some() && self.x.effort != Effort::Fast && repeats(self.x) {
            let plan = self.plan(Base::Raster { weights: Weights::Copies, step }, map);
            if self.may_copy(&plan) {
                self.hopeful.push(fit_step(self.x, plan));
            }
        }
        let sparse = self.cost() < SPARSE * self.share() * self.x.bits.len() as f64;
        let short = self.x.effort == Effort::Default && self.part.is_some() && self.x.references.is_empty();
        if self.thin || !short || !sparse {
            return;
        }
        // The liveliest part tells little of a chunk that holds little, most of it on its coarser levels.
        let spread = || self.x.thinned(every(&self.x.g, tried(self.x.effort, false).1));
        let thinned = self.thinned.get_or_init(spread);
        if thinned.valid == 0 {
            return;
        }
        let found = std::mem::take(&mut self.kinds).into_iter().flatten().map(|found| found.1);
        let stay = found.filter(|p| p.map != *map);
        self.hopeful.extend(stay.map(|plan| fit_step(self.x, plan)));
        (self.best, self.interpolation, self.least_here) = (None, None, f64::INFINITY);
        (self.part, self.second, self.thin) = (Some(thinned), None, true);
        self.numeric_here(map, step);
    }

    /// Whether copies are not far from the best on a part like most: the liveliest is what is not copied.
    fn may_copy(&self, plan: &Plan) -> bool {
        let Some(second) = self.second else { return true };
        cost(second, &fit_step(second, plan.clone())) < COPIED * (self.cost() - self.least_here)
    }

    /// The same on what stands for the chunk.
    fn numeric_here(&mut self, map: &Map, step: f64) {
        let ground = self.ground();
        let enough = if self.part.is_some() { SAMPLE } else { 4 * SAMPLE };
        let sample = (self.x.effort == Effort::Default).then(|| liveliest(ground, enough)).flatten();
        let base = Base::Raster { weights: Weights::Fitted, step };
        let mut t = Trials::new(sample.as_ref().unwrap_or(ground), self.plan(base.clone(), map));
        interpolations(&mut t, self.x.effort, self.part.is_some() || sample.is_some());
        t.attempt(base);
        if self.x.effort != Effort::Fast {
            for weights in Weights::OTHERS {
                t.attempt(Base::Raster { weights, step });
            }
            if self.part.is_none() && repeats(ground) {
                t.attempt(Base::Raster { weights: Weights::Copies, step });
            }
        }
        // Guesses do for choosing among like plans; the best of each kind are coded for their true sizes.
        let few = self.x.effort == Effort::Default && self.part.is_some() && !self.thin;
        let finalists = t.finalists(if few { 1 } else { FINALISTS });
        let fitted = each(finalists, |base| fit_step(self.ground(), self.plan(base, map)));
        for tried in self.consider(fitted) {
            if matches!(tried.plan.base, Base::Interpolation { .. })
                && !matches!(map, Map::Lattice(_))
                && self.interpolation.as_ref().is_none_or(|i| tried.cost < i.cost)
            {
                self.interpolation = Some(tried);
            }
        }
    }

    /// The best interpolation, guided by a network: asked only where interpolation is not far from the best.
    fn learned(&mut self) -> Result<(), Error> {
        let Some(Tried { cost: classic, here, plan }) = self.interpolation.take() else { return Ok(()) };
        let Plan { base: Base::Interpolation { p, mut step }, map, .. } = plan else { return Ok(()) };
        let model = Guiding::of(&self.x.model).filter(|_| self.x.effort != Effort::Fast);
        let Some(model) = model else { return Ok(()) };
        if self.x.g.len() > learned::MOST_VALUES || classic > REACH * self.cost() {
            return Ok(());
        }
        let gain = model.model()?.latents().and_then(|l| l.gain(self.x.hi - self.x.lo, step));
        let base = |fitted, step, latents| {
            let p = Parameters { fitted, linear: false, ..p.clone() };
            Base::Learned { p, step, levels: GUIDED_LEVELS, model: model.clone(), latents }
        };
        let [first, second] = [p.fitted.max(2), 0].map(|fitted| {
            let plan = fit_step(self.ground(), self.plan(base(fitted, step, None), &map));
            step = plan.step();
            // What it gains here it is taken to gain elsewhere.
            let gained = classic * cost(self.ground(), &plan) / here;
            (self.weigh(&plan, gained), fitted, plan)
        });
        let (gained, fitted, plan) = if second.0 < first.0 { second } else { first };
        // Parts tell it apart from others as badly as they tell these.
        if self.part.is_some() && gained > self.cost() && gained < NEAR_GUIDED * self.cost() {
            self.hopeful.push(fit_step(self.x, plan));
        }
        if gain.is_some() {
            // Latents are held against the better one without.
            let plan = fit_step(self.ground(), self.plan(base(fitted, step, gain), &map));
            self.weigh(&plan, classic * cost(self.ground(), &plan) / here);
        }
        Ok(())
    }

    /// What was best for other chunks, on the whole of this one.
    fn hinted(&mut self, map: &Map) {
        let x = self.x;
        let mut tried: Vec<&Base> = Vec::new();
        for hint in self.hints.iter().filter(|h| h.plan.map == *map) {
            if tried.contains(&&hint.plan.base) {
                continue;
            }
            tried.push(&hint.plan.base);
            let Some(plan) = scout::follow(x, hint) else { continue };
            let bytes = cost(x, &plan);
            if !x.references.is_empty() && matches!(plan.base, Base::Wavelet(_)) && companion::takes(&plan) {
                self.likely.push((bytes * self.share(), plan.clone()));
            }
            if bytes < self.cost_of_whole() {
                self.keep(bytes * self.share(), plan);
                self.settled = true;
            }
        }
    }

    /// Costs on the ground, of those on the whole.
    fn share(&self) -> f64 {
        let parts = self.ground().bits.len() + self.second.map_or(0, |s| s.bits.len());
        if self.thin { THIN } else { parts as f64 / self.x.bits.len() as f64 }
    }

    fn wavelet(&mut self, target: wavelet::Target) {
        if self.x.effort == Effort::Fast || !self.hints.is_empty() {
            return;
        }
        let x = self.ground();
        // What references tell may make a wavelet the best that alone is not.
        let rival = if self.x.references.is_empty() { self.least_here } else { f64::INFINITY };
        let part = self.part.is_some();
        let priming = self.priming.clone();
        let on = wavelet::Ground { part, thin: self.thin, rival, effort: x.effort, start: start(&priming) };
        let found = wavelet::choose(x.g, &x.numbers, x.special.as_deref(), target, on);
        let plans = found.into_iter().map(|c| self.plan(Base::Wavelet(c.parameters), &Map::Plain)).collect();
        self.consider(plans);
        if part && self.x.effort == Effort::Default {
            self.hopeful.extend(self.polished());
        }
    }

    /// The wavelet for the whole that is best near the one that suits a part.
    fn polished(&self) -> Option<Plan> {
        let x = self.ground();
        let found = self.kinds[WAVELETS].as_ref().map(|found| found.1.clone());
        let start = found.or_else(|| polish::wavelet(x, &self.plan(Base::Constant(0), &Map::Plain)))?;
        let near = self.best.as_ref().map_or(1.0, |best| self.near(&best.1.base, &start.base));
        let plan = polish::on_part(x, &start, self.least_here, near)?;
        (cost(x, &plan) < near * self.least_here).then(|| self.moved(&plan, self.x, self.thin)).flatten()
    }

    /// Axes of its own that a field may have show on the whole chunk only.
    fn tucker(&mut self, target: wavelet::Target) {
        if self.x.effort == Effort::Fast {
            return;
        }
        let x = self.x;
        let share = self.share();
        let guess = self.cost() / share;
        let mut rival = None;
        let search = match (x.effort, self.part) {
            (Effort::Max, None) => tucker_search::Search::Steps,
            (Effort::Default, _) if x.g.len() <= SMALL => tucker_search::Search::Coded,
            _ => tucker_search::Search::Likely,
        };
        let priming = self.priming.clone();
        let found = {
            let rival = || *rival.insert(self.cost_of_whole());
            let start = start(&priming);
            tucker_search::choose(x.g, &x.numbers, x.special.as_deref(), target, search, guess, start, rival)
        };
        let Some((p, estimate)) = found else { return };
        let rival = rival.unwrap_or_else(|| self.cost_of_whole());
        let plan = self.plan(Base::Tucker(p), &Map::Plain);
        let clear = self.part.is_some() && estimate < CLEAR * rival && estimate > DENSE * x.bits.len() as f64;
        let bytes = if clear { estimate } else { cost(x, &plan) };
        if bytes < rival {
            // What follows is held against a cost on the part.
            self.keep(bytes * share, plan);
        }
    }

    /// What the cheapest so far costs on the whole chunk.
    fn cost_of_whole(&mut self) -> f64 {
        self.settle();
        match &self.best {
            Some((_, best)) if self.part.is_some() => cost(self.x, best),
            _ => self.cost(),
        }
    }

    fn lossless(&mut self) {
        let size = 8 * self.x.dtype.size() as u8;
        let plan = |s: &Self, order, shift| s.plan(Base::Lossless { order, shift }, &Map::Plain);
        // Large differences tell orders apart without their low bits alone, small ones with them.
        let orders = [0, size / 2].into_iter().flat_map(|shift| (0..=3).map(move |order| (order, shift)));
        let tried = orders.map(|(order, shift)| plan(self, order, shift)).collect();
        let tried = self.consider(tried);
        let best = tried.iter().min_by(|a, b| a.cost.total_cmp(&b.cost));
        if let Some(Base::Lossless { order, .. }) = best.map(|best| &best.plan.base) {
            let order = *order;
            let shifts = (4..size).step_by(4).filter(|&shift| shift != size / 2);
            self.consider(shifts.map(|shift| plan(self, order, shift)).collect());
        }
    }

    fn on_lattice(&mut self, l: Lattice, bound: f64) {
        let step = if l.exact { 2.0 * (bound / l.scale).floor() + 1.0 } else { (2.0 * bound / l.scale).floor() };
        if step >= 1.0 {
            self.numeric(&Map::Lattice(l), step);
        }
        if let Some(coarser) = l.coarser(bound) {
            self.numeric(&Map::Lattice(coarser), 1.0);
        }
    }
}
