//! Background fields of a domain: means of its variables over their steps, for what comes later on the same grid.
use crate::{
    finetune::{FinetuneError, Subject},
    pieces::{native, resolve},
    view::View,
};
use scicodec::{
    ChunkBound, Source,
    learned::{CodedBackground, MOST_BACKGROUND_VALUES},
    numbers,
};

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
        let Some((&steps, rest)) = view.shape().split_first() else { continue };
        let points = rest.iter().product::<u64>();
        if steps == 0 || !view.dtype().is_float() || !AXES.contains(&rest.len()) || !VALUES.contains(&points) {
            continue;
        }
        // Single steps have no names of their own: files of one grid are steps of one variable.
        let several = subject.source.shape().first().is_some_and(|&n| n > 1);
        let key = (if several { subject.variable.as_str() } else { "" }, &subject.source.shape()[1..]);
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

/// These means, told in these ways, as many as a model may have.
pub(crate) fn coded(means: &[Mean], ways: &[Told]) -> Result<Vec<CodedBackground>, FinetuneError> {
    let (mut all, mut values) = (vec![], 0);
    for mean in means {
        for error in ways.iter().filter(|way| way.0 == mean.over).filter_map(|&(_, bound)| mean.errors[bound]) {
            let coded = CodedBackground::new(&mean.shape, &mean.values, error)?;
            values += mean.values.len();
            if !all.contains(&coded) && values <= MOST_BACKGROUND_VALUES {
                all.push(coded);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scicodec::{BoundKind, DType, Error, ErrorBound};

    /// Values of `f32`, slowest axis first.
    struct Field(Vec<u64>, Vec<f32>);

    impl Source for Field {
        fn dtype(&self) -> DType {
            DType::F32
        }

        fn shape(&self) -> &[u64] {
            &self.0
        }

        fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), Error> {
            let bytes: Vec<u8> = self.1.iter().flat_map(|v| v.to_ne_bytes()).collect();
            scicodec::SliceSource::new(DType::F32, &self.0, &bytes)?.read(start, extent, out)
        }
    }

    fn subject(variable: &str, shape: &[u64], value: impl Fn(u64) -> f32) -> Subject {
        let values = (0..shape.iter().product()).map(value).collect();
        let bounds =
            vec![ErrorBound { kind: BoundKind::Rel, value: 0.1 }, ErrorBound { kind: BoundKind::PwRel, value: 0.1 }];
        let source = Box::new(Field(shape.to_vec(), values));
        Subject { name: variable.into(), variable: variable.into(), source, fill: None, bounds }
    }

    #[test]
    fn means_are_over_steps_and_of_what_is_there() {
        // Two steps and then one of the same thing, and something else on another grid.
        let same = |base: f32| move |i: u64| if i == 3 { f32::NAN } else { base + (i % 64) as f32 + (i / 64) as f32 };
        let all = [
            subject("a", &[2, 4, 16], same(1.0)),
            subject("a", &[2, 4, 16], same(3.0)),
            subject("b", &[2, 2, 4, 16], |i| (i % 64) as f32),
            subject("c", &[2, 3, 16], |_| 0.0),
            subject("empty", &[0, 4, 16], |_| 0.0),
            subject("scalar", &[], |_| 0.0),
        ];
        let views: Vec<(View<'_>, &Subject)> =
            all.iter().map(|s| (View::new(&*s.source, 0..s.source.shape().first().copied().unwrap_or(0)), s)).collect();
        let found = means(&views, 2).unwrap();
        // What is smaller than a background is has none.
        assert_eq!(
            found.iter().map(|m| (m.over, &m.shape[..])).collect::<Vec<_>>(),
            [(1, &[4, 16][..]), (1, &[2, 4, 16]), (2, &[4, 16])]
        );
        // Of the point that is missing in two steps the mean of the two others is taken.
        let expected = |i: usize| if i == 3 { 3.0 + 3.0 } else { 2.5 + i as f32 };
        assert!((0..64).all(|i| found[0].values[i] == expected(i)), "{:?}", &found[0].values[..5]);
        assert_eq!(found[2].values, (0..64).map(|i| i as f32).collect::<Vec<_>>());
        // A bound of each value says nothing of a mean.
        assert!(found[0].errors[0].is_some_and(|e| e > 1.0 && e < 2.0) && found[0].errors[1].is_none());
        assert_eq!(coded(&found, &[(1, 0), (1, 0), (2, 0), (1, 1)]).unwrap().len(), 3);
    }
}
