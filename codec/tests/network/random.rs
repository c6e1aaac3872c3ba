//! Networks drawn at random, as far as they pass the checks; their sums go up to what the checks allow.
use scicodec::network::{Convolution, Graph, Operation, Requantise, Span, Window};

/// A linear congruential generator's upper bits.
pub struct Random(pub u64);

impl Random {
    /// From 0 to `n − 1`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn span(&mut self) -> Span {
        let spans = [(-2047, 2047), (0, 2047), (0, 255), (-128, 127), (-32768, 32767), (-300, 5), (7, 90), (0, 0)];
        let (low, high) = self.pick(&spans);
        Span { low, high }
    }

    /// Values of a span, its ends more often than others.
    pub fn values(&mut self, span: Span, n: usize) -> Vec<i16> {
        let width = (i64::from(span.high) - i64::from(span.low) + 1) as u64;
        let extremes = self.below(3) == 0;
        (0..n)
            .map(|_| match self.below(if extremes { 2 } else { 12 }) {
                0 => span.low,
                1 => span.high,
                _ => (i64::from(span.low) + self.below(width) as i64) as i16,
            })
            .collect()
    }

    fn window(&mut self, flat: bool) -> Window {
        let (mut kernel, mut stride, mut before, mut after) = ([1; 3], [1; 3], [0; 3], [0; 3]);
        if flat {
            return Window::POINT;
        }
        if self.below(2) == 0 {
            return Window::centred(self.pick(&[[1, 3, 3], [3, 3, 3], [1, 1, 3], [3, 1, 1], [1, 5, 3]]));
        }
        for a in 0..3 {
            kernel[a] = 1 + self.below(4) as u8;
            stride[a] = 1 + self.below(2) as u8;
            before[a] = self.below(kernel[a].into()) as u8;
            after[a] = self.below(kernel[a].into()) as u8;
        }
        Window { kernel, stride, before, after }
    }

    /// Shift and multipliers for sums of this magnitude, or none if there is room for neither.
    fn requantise(&mut self, channels: usize, magnitude: i64) -> Requantise {
        let span = self.span();
        let fitting = 64 - (magnitude as u64).leading_zeros();
        if self.below(2) == 0 {
            let shift = (u64::from(fitting.saturating_sub(11)) + self.below(3)).min(24) as u8;
            return Requantise { multipliers: vec![], shift, span };
        }
        let shift = 16 + self.below(17) as u8;
        let most = (((1i64 << 31) - 2) << shift) / magnitude.max(1) / 2;
        let most = most.min(i64::from(i32::MAX)) as u64;
        let multipliers = (0..channels).map(|_| self.below(most.max(1)) as i32).collect();
        Requantise { multipliers, shift, span }
    }

    fn convolution(&mut self, source: usize, from: (usize, Span), depthwise: bool, conditions: usize) -> Convolution {
        let window = self.window(self.0 >> 40 & 1 == 0);
        let channels = if depthwise { from.0 } else { self.pick(&[1, 2, 3, 7, 8, 12, 16, 17, 24, 30, 40, 48]) };
        let taps = window.kernel.iter().map(|&k| usize::from(k)).product::<usize>();
        let sum_of = if depthwise { taps } else { taps * from.0 };
        let magnitude = i64::from(from.1.low).abs().max(i64::from(from.1.high).abs()).max(1);
        // Sometimes as large as the proof lets them be.
        let room = ((1i64 << 30) - (1 << 24)) / magnitude / sum_of as i64;
        let most = self.pick(&[7, 127, 2047, 32767]).min(room).max(1);
        let weights = Span { low: -most as i16, high: most as i16 };
        let weights = self.values(weights, sum_of * channels);
        let biases = if self.below(2) == 0 { channels } else { channels * conditions };
        let bias = (0..biases).map(|_| self.below(1 << 25) as i32 - (1 << 24)).collect();
        let requantise = self.requantise(channels, magnitude * most * sum_of as i64 + (1 << 24));
        Convolution { source, channels, window, weights, bias, requantise }
    }

    /// A graph that may be refused where operations do not fit together.
    pub fn graph(&mut self) -> Graph {
        let channels = self.pick(&[1, 2, 3, 5, 8, 16, 23, 24]);
        let conditions = 1 + self.below(3) as usize;
        let mut graph = Graph { name: "random".into(), channels, span: self.span(), conditions, operations: vec![] };
        // Channels and span of every tensor, so that what is drawn mostly fits.
        let mut tensors = vec![(channels, graph.span)];
        for _ in 0..1 + self.below(6) {
            let source = if self.below(4) > 0 { tensors.len() - 1 } else { self.below(tensors.len() as u64) as usize };
            let (n, span) = tensors[source];
            let (magnitude, to) = (i32::from(span.low).abs().max(i32::from(span.high).abs()), self.span());
            let shift = self.below(12) as u8;
            let operation = match self.below(14) {
                0..5 => Operation::Convolution(self.convolution(source, (n, span), false, conditions)),
                5..8 => Operation::Depthwise(self.convolution(source, (n, span), true, conditions)),
                8 if magnitude < 4096 => {
                    let count = (i32::from(span.high) - i32::from(span.low) + 1) as usize;
                    let to = self.span();
                    Operation::Table { source, values: self.values(to, count) }
                }
                9 | 10 => {
                    let with = tensors.iter().rposition(|t| t.0 == n).unwrap_or(source);
                    let factors = [self.below(999) as i16 - 500, self.below(999) as i16 - 500];
                    Operation::Add { sources: [source, with], factors, shift, span: to }
                }
                11 => {
                    let gate = tensors.iter().rposition(|t| t.0 == n || t.0 == 1).unwrap_or(source);
                    Operation::Scale { source, gate, shift, span: to }
                }
                12 => match self.below(4) {
                    0 => Operation::Summary { source },
                    _ => Operation::Mean { source },
                },
                _ => {
                    let factors = self.pick(&[[1, 2, 2], [2, 1, 1], [1, 1, 3], [2, 2, 2]]);
                    let volume = factors.iter().map(|&f| usize::from(f)).product::<usize>();
                    match self.below(3) {
                        0 => Operation::Repeat { source, factors },
                        1 if n % volume == 0 => Operation::Shuffle { source, factors },
                        _ => Operation::Spread { source, factors },
                    }
                }
            };
            tensors.push(match &operation {
                Operation::Convolution(c) | Operation::Depthwise(c) => (c.channels, c.requantise.span),
                Operation::Add { span, .. } | Operation::Scale { span, .. } => (n, *span),
                Operation::Table { values, .. } => {
                    let (low, high) = (values.iter().min().copied(), values.iter().max().copied());
                    (n, Span { low: low.unwrap_or(0), high: high.unwrap_or(0) })
                }
                Operation::Summary { .. } => (2, span),
                Operation::Spread { .. } => (n, Span { low: span.low.min(0), high: span.high.max(0) }),
                Operation::Shuffle { factors, .. } => {
                    (n / factors.iter().map(|&f| usize::from(f)).product::<usize>(), span)
                }
                _ => (n, span),
            });
            graph.operations.push(operation);
        }
        graph
    }
}
