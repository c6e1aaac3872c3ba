//! Networks to bytes: what [`super::read`] reads (SPEC §9.2, §9.3).
use super::fields::{put_span, put_text};
use super::graph::{Convolution, Graph, Operation};
use crate::bytes::put_varint;

/// The body of a `NETW` section.
pub(super) fn graph(g: &Graph) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, &g.name);
    put_varint(&mut out, g.channels as u64);
    put_span(&mut out, g.span);
    put_varint(&mut out, g.conditions as u64);
    put_varint(&mut out, g.operations.len() as u64);
    for operation in &g.operations {
        put_operation(&mut out, operation);
    }
    out
}

fn put_operation(out: &mut Vec<u8>, operation: &Operation) {
    let mut begin = |code: u8, sources: &[usize]| {
        out.push(code);
        sources.iter().for_each(|s| put_varint(out, *s as u64));
    };
    match operation {
        Operation::Convolution(c) => {
            begin(1, &[c.source]);
            put_convolution(out, c);
        }
        Operation::Depthwise(c) => {
            begin(2, &[c.source]);
            put_convolution(out, c);
        }
        Operation::Table { source, values } => {
            begin(3, &[*source]);
            put_varint(out, values.len() as u64);
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        }
        Operation::Add { sources, factors, shift, span } => {
            begin(4, sources);
            out.extend(factors.iter().flat_map(|f| f.to_le_bytes()));
            out.push(*shift);
            put_span(out, *span);
        }
        Operation::Scale { source, gate, shift, span } => {
            begin(5, &[*source, *gate]);
            out.push(*shift);
            put_span(out, *span);
        }
        Operation::Mean { source } => begin(6, &[*source]),
        Operation::Summary { source } => begin(7, &[*source]),
        Operation::Repeat { source, factors } => {
            begin(8, &[*source]);
            out.extend(factors);
        }
        Operation::Spread { source, factors } => {
            begin(9, &[*source]);
            out.extend(factors);
        }
        Operation::Shuffle { source, factors } => {
            begin(10, &[*source]);
            out.extend(factors);
        }
    }
}

fn put_convolution(out: &mut Vec<u8>, c: &Convolution) {
    put_varint(out, c.channels as u64);
    for part in [c.window.kernel, c.window.stride, c.window.before, c.window.after] {
        out.extend(part);
    }
    let narrow = c.weights.iter().all(|w| i8::try_from(*w).is_ok());
    let conditional = c.bias.len() > c.channels;
    let multiplied = !c.requantise.multipliers.is_empty();
    out.push(u8::from(narrow) | u8::from(conditional) << 1 | u8::from(multiplied) << 2);
    out.push(c.requantise.shift);
    put_span(out, c.requantise.span);
    out.extend(c.bias.iter().chain(&c.requantise.multipliers).flat_map(|v| v.to_le_bytes()));
    put_varint(out, c.weights.len() as u64);
    if narrow {
        out.extend(c.weights.iter().map(|w| *w as u8));
    } else {
        out.extend(c.weights.iter().flat_map(|w| w.to_le_bytes()));
    }
}
