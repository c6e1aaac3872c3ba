//! Chunks of variables to learn from, spread over them, each with the bound that it is coded under.
use crate::{
    finetune::{FinetuneError, Subject},
    view::View,
};
use scicodec::{BoundKind, ChunkBound, DType, Error, ErrorBound, Source, auto_chunk, numbers};

/// Chunks of all variables, at most.
const MOST: usize = 12;
/// Where there are fewer, halves and quarters of them are learned from besides.
const FEW: usize = 4;
/// Smaller pieces than this, in values, say nothing of chunks.
const SMALLEST: u64 = 1 << 10;

/// A chunk to learn from.
pub(crate) struct Piece {
    pub dtype: DType,
    pub shape: Vec<usize>,
    /// Elements, in C order and the machine's byte order.
    pub data: std::sync::Arc<Vec<u8>>,
    pub fill: Option<u64>,
    pub bound: ChunkBound,
}

/// A box of a variable.
struct Cut {
    variable: usize,
    start: Vec<u64>,
    extent: Vec<u64>,
}

/// Pieces of these variables at all bounds, in such an order that the first ones tell of everything.
pub(crate) fn pieces(train: &[(View<'_>, &Subject)], bounds: usize) -> Result<Vec<Piece>, FinetuneError> {
    let mut cuts: Vec<Vec<Cut>> = train.iter().enumerate().map(|(k, (view, _))| chunks(k, view)).collect();
    let each = (MOST / train.len().max(1)).max(1);
    for cuts in &mut cuts {
        let every = cuts.len().div_ceil(each).max(1);
        let mut k = 0;
        cuts.retain(|_| {
            k += 1;
            (k - 1) % every == 0
        });
        let whole = cuts.len();
        if whole * train.len() < FEW {
            let halves: Vec<Cut> = cuts.iter().flat_map(halves).collect();
            let quarters: Vec<Cut> = halves.iter().flat_map(self::halves).collect();
            cuts.extend(halves.into_iter().chain(quarters));
        }
        cuts.truncate(MOST);
    }
    // One of each variable, then the next ones.
    let most = cuts.iter().map(Vec::len).max().unwrap_or(0);
    let mut order = Vec::new();
    for k in 0..most {
        order.extend(cuts.iter().filter_map(|c| c.get(k)));
    }
    order.truncate(2 * MOST.max(train.len()));
    let mut data = Vec::new();
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); train.len()];
    for cut in &order {
        let (view, subject) = &train[cut.variable];
        let bytes = read(view, cut)?;
        let range = &mut ranges[cut.variable];
        let fill = subject.fill.map(|f| numbers(view.dtype(), &f.to_ne_bytes()[native(view.dtype())])[0]);
        for v in numbers(view.dtype(), &bytes).into_iter().filter(|v| v.is_finite() && Some(*v) != fill) {
            *range = (range.0.min(v), range.1.max(v));
        }
        data.push(std::sync::Arc::new(bytes));
    }
    let mut out = Vec::new();
    for (cut, data) in order.iter().zip(&data) {
        let (view, subject) = &train[cut.variable];
        for bound in &subject.bounds[..bounds] {
            let (low, high) = ranges[cut.variable];
            let shape: Vec<usize> = cut.extent.iter().map(|&n| n as usize).collect();
            let values = view.shape().iter().product::<u64>() as f64;
            let Some(bound) = resolve(bound, high - low, values)? else { continue };
            out.push(Piece { dtype: view.dtype(), shape, data: data.clone(), fill: subject.fill, bound });
        }
    }
    Ok(out)
}

/// The bytes of the machine's order that hold an element of a `u64`.
pub(crate) fn native(dtype: DType) -> std::ops::Range<usize> {
    if cfg!(target_endian = "big") { 8 - dtype.size()..8 } else { 0..dtype.size() }
}

/// The chunks that an encoder cuts a variable into.
fn chunks(variable: usize, view: &View<'_>) -> Vec<Cut> {
    let shape = view.shape();
    if shape.contains(&0) {
        return vec![];
    }
    let chunk = auto_chunk(view.dtype(), shape);
    let counts: Vec<u64> = shape.iter().zip(&chunk).map(|(n, c)| n.div_ceil(*c)).collect();
    let all = counts.iter().product::<u64>();
    // Only some are wanted in any case.
    let every = (all / 64).max(1);
    let one = |k: u64| {
        let mut left = k;
        let mut start = vec![0; shape.len()];
        for a in (0..shape.len()).rev() {
            start[a] = left % counts[a] * chunk[a];
            left /= counts[a];
        }
        let extent = (0..shape.len()).map(|a| chunk[a].min(shape[a] - start[a])).collect();
        Cut { variable, start, extent }
    };
    (0..all).step_by(every as usize).map(one).collect()
}

/// Both halves along the first axis that has some length.
fn halves(cut: &Cut) -> Vec<Cut> {
    let values = cut.extent.iter().product::<u64>();
    let Some(axis) = cut.extent.iter().position(|&n| n > 1).filter(|_| values >= 2 * SMALLEST) else { return vec![] };
    let half = cut.extent[axis] / 2;
    let part = |from: u64, count: u64| {
        let (mut start, mut extent) = (cut.start.clone(), cut.extent.clone());
        start[axis] += from;
        extent[axis] = count;
        Cut { variable: cut.variable, start, extent }
    };
    vec![part(0, half), part(half, cut.extent[axis] - half)]
}

fn read(view: &View<'_>, cut: &Cut) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; cut.extent.iter().product::<u64>() as usize * view.dtype().size()];
    view.read(&cut.start, &cut.extent, &mut bytes)?;
    Ok(bytes)
}

/// The bound on chunks, given the range of the variable and its number of values; none where all are alike.
pub(crate) fn resolve(bound: &ErrorBound, range: f64, values: f64) -> Result<Option<ChunkBound>, FinetuneError> {
    let e = bound.value;
    let bound = match bound.kind {
        BoundKind::Abs => ChunkBound::Abs(e),
        BoundKind::PwRel => return Ok(Some(ChunkBound::PwRel(e))),
        BoundKind::Rel => ChunkBound::Abs(e * range),
        BoundKind::Nrmse => ChunkBound::Rmse(e * range),
        BoundKind::Psnr => ChunkBound::Rmse(range / 10f64.powf(e / 20.0)),
        BoundKind::L2 => ChunkBound::Rmse(e / values.sqrt()),
        _ => return Err(FinetuneError::Invalid("a model is tuned under bounds that allow some error".into())),
    };
    let alike = range.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) || !range.is_finite();
    let limit = match bound {
        ChunkBound::Abs(e) | ChunkBound::Rmse(e) => e,
        _ => 1.0,
    };
    Ok((!alike && limit > 0.0 && limit.is_finite()).then_some(bound))
}
