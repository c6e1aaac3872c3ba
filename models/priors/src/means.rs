//! Background fields of a domain: means of its variables over their steps, for what comes later on the same grid.
use crate::{
    finetune::{FinetuneError, Subject},
    pieces::{native, resolve},
    view::View,
};
use scicodec::{ChunkBound, Source, learned::CodedBackground, numbers};

/// Variables that have one, at most.
const MOST: usize = 4;
/// Values of one: fewer say nothing, of more than those the steps are no steps.
const VALUES: std::ops::RangeInclusive<u64> = 1 << 6..=1 << 22;
/// Steps that are averaged, at most: spread over all.
const MOST_STEPS: u64 = 256;
/// Part of a bound to which a background is kept.
const CLOSE: f64 = 1.0 / 3.0;
/// Axes of a background, at most.
const AXES: std::ops::RangeInclusive<usize> = 1..=4;

/// The mean of a variable over its first axes, and the error with which it may be told: for each bound, in the units of the
/// values.
pub(crate) struct Mean {
    /// So many axes are averaged over.
    over: usize,
    shape: Vec<usize>,
    values: Vec<f32>,
    errors: Vec<Option<f64>>,
}

/// Sums over steps of variables of one name and grid.
struct Sums<'a> {
    key: (&'a str, &'a [u64]),
    subject: &'a Subject,
    sums: Vec<f64>,
    counts: Vec<u32>,
    range: (f64, f64),
    values: f64,
}

/// How means may be told: over so many axes, as closely as this bound wants it.
pub(crate) type Told = (usize, usize);

/// Means of these variables over the first axis, and over the first two where three others are left. Points without a value
/// have that of a neighbour.
pub(crate) fn means(of: &[(View<'_>, &Subject)], bounds: usize) -> Result<Vec<Mean>, FinetuneError> {
    let mut all: Vec<Sums<'_>> = vec![];
    for (view, subject) in of {
        let (Some(&steps), rest) = (view.shape().first(), &subject.source.shape()[1..]) else { continue };
        let points = rest.iter().product::<u64>();
        if !view.dtype().is_float() || !AXES.contains(&rest.len()) || !VALUES.contains(&points) {
            continue;
        }
        // Single steps have no names of their own: files of one grid are steps of one variable.
        let key = (if steps > 1 { subject.variable.as_str() } else { "" }, rest);
        let k = all.iter().position(|s| s.key == key).unwrap_or(all.len());
        if k == all.len() {
            let (sums, counts) = (vec![0.0; points as usize], vec![0; points as usize]);
            let range = (f64::INFINITY, f64::NEG_INFINITY);
            all.push(Sums { key, subject, sums, counts, range, values: 0.0 });
        }
        all[k].add(view, steps)?;
    }
    all.sort_by(|a, b| b.values.total_cmp(&a.values));
    all.truncate(MOST);
    Ok(all.iter().flat_map(|sums| sums.means(bounds)).collect())
}

impl Sums<'_> {
    fn add(&mut self, view: &View<'_>, steps: u64) -> Result<(), FinetuneError> {
        let fill = self.subject.fill.map(|f| numbers(view.dtype(), &f.to_ne_bytes()[native(view.dtype())])[0]);
        let mut start = vec![0; view.shape().len()];
        let extent = [&[1], &view.shape()[1..]].concat();
        let mut bytes = vec![0; self.sums.len() * view.dtype().size()];
        for step in (0..steps).step_by(steps.div_ceil(MOST_STEPS) as usize) {
            start[0] = step;
            view.read(&start, &extent, &mut bytes)?;
            for (i, v) in numbers(view.dtype(), &bytes).into_iter().enumerate() {
                if v.is_finite() && Some(v) != fill {
                    self.sums[i] += v;
                    self.counts[i] += 1;
                    self.range = (self.range.0.min(v), self.range.1.max(v));
                }
            }
        }
        self.values += view.shape().iter().product::<u64>() as f64;
        Ok(())
    }

    fn means(&self, bounds: usize) -> Vec<Mean> {
        let shape: Vec<usize> = self.key.1.iter().map(|&n| n as usize).collect();
        let mut all = vec![self.mean((1, shape.clone()), &self.sums, &self.counts, bounds)];
        if shape.len() > 2 && shape[0] > 1 {
            let points = self.sums.len() / shape[0];
            let (mut sums, mut counts) = (vec![0.0; points], vec![0; points]);
            for (i, (sum, count)) in self.sums.iter().zip(&self.counts).enumerate() {
                sums[i % points] += sum;
                counts[i % points] += count;
            }
            all.push(self.mean((2, shape[1..].to_vec()), &sums, &counts, bounds));
        }
        all.into_iter().flatten().collect()
    }

    /// None where nothing varies.
    fn mean(&self, (over, shape): (usize, Vec<usize>), sums: &[f64], counts: &[u32], bounds: usize) -> Option<Mean> {
        let known = counts.iter().position(|&n| n > 0)?;
        let mut last = sums[known] / f64::from(counts[known]);
        let one = |(sum, &count): (&f64, &u32)| {
            last = if count > 0 { sum / f64::from(count) } else { last };
            last as f32
        };
        let values: Vec<f32> = sums.iter().zip(counts).map(one).collect();
        let range = self.range.1 - self.range.0;
        let errors = self.subject.bounds[..bounds].iter().map(|bound| {
            match resolve(bound, range, self.values).ok().flatten()? {
                ChunkBound::Abs(e) => Some(CLOSE * e / 3f64.sqrt()),
                ChunkBound::Rmse(e) => Some(CLOSE * e),
                _ => None,
            }
        });
        let errors: Vec<Option<f64>> = errors.collect();
        values.iter().all(|v| v.is_finite()).then_some(Mean { over, shape, values, errors })
    }
}

/// These means, told in these ways.
pub(crate) fn coded(means: &[Mean], ways: &[Told]) -> Result<Vec<CodedBackground>, FinetuneError> {
    let mut all = vec![];
    for mean in means {
        for error in ways.iter().filter(|way| way.0 == mean.over).filter_map(|&(_, bound)| mean.errors[bound]) {
            let coded = CodedBackground::new(&mean.shape, &mean.values, error)?;
            if !all.contains(&coded) {
                all.push(coded);
            }
        }
    }
    Ok(all)
}
