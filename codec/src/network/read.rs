//! The section of a model file that holds a network (SPEC §9.2, §9.3).
use super::error::{Refusal, within, wrong};
use super::fields::Fields;
use super::graph::{Convolution, Graph, Operation, Requantise, Window};
use super::limits::ModelLimits;

/// Reads the body of a `NETW` section. What it says is not checked yet, but nothing larger than it is allocated.
pub(super) fn graph(body: &[u8], limits: &ModelLimits) -> Result<Graph, Refusal> {
    let mut f = Fields(body);
    let name = f.text()?;
    let channels = number(&mut f)?;
    let span = f.span()?;
    let conditions = number(&mut f)?;
    let count = f.count()?;
    within("operations of a network", count as u64, limits.operations)?;
    let operations = (0..count).map(|_| operation(&mut f, conditions)).collect::<Result<_, _>>()?;
    if !f.0.is_empty() {
        return wrong("9.2", format!("{} bytes after the last operation", f.0.len()));
    }
    Ok(Graph { name, channels, span, conditions, operations })
}

/// A number that indexes or counts something; whatever is above 2^32 is wrong anyway.
fn number(f: &mut Fields) -> Result<usize, Refusal> {
    match u32::try_from(f.varint()?) {
        Ok(n) => Ok(n as usize),
        Err(_) => wrong("9.2", "a number of more than 32 bits"),
    }
}

fn operation(f: &mut Fields, conditions: usize) -> Result<Operation, Refusal> {
    Ok(match f.byte()? {
        1 => Operation::Convolution(convolution(f, conditions)?),
        2 => Operation::Depthwise(convolution(f, conditions)?),
        3 => {
            let source = number(f)?;
            let count = f.varint()?;
            Operation::Table { source, values: f.i16s(count)? }
        }
        4 => Operation::Add {
            sources: [number(f)?, number(f)?],
            factors: [f.i16()?, f.i16()?],
            shift: f.byte()?,
            span: f.span()?,
        },
        5 => Operation::Scale { source: number(f)?, gate: number(f)?, shift: f.byte()?, span: f.span()? },
        6 => Operation::Mean { source: number(f)? },
        7 => Operation::Summary { source: number(f)? },
        8 => Operation::Repeat { source: number(f)?, factors: f.bytes3()? },
        9 => Operation::Spread { source: number(f)?, factors: f.bytes3()? },
        10 => Operation::Shuffle { source: number(f)?, factors: f.bytes3()? },
        code => return Err(Refusal::Unsupported(format!("operation {code} of a network"))),
    })
}

fn convolution(f: &mut Fields, conditions: usize) -> Result<Convolution, Refusal> {
    let source = number(f)?;
    let channels = number(f)?;
    let window = Window { kernel: f.bytes3()?, stride: f.bytes3()?, before: f.bytes3()?, after: f.bytes3()? };
    let flags = f.byte()?;
    if flags & !7 != 0 {
        return wrong("9.3", format!("reserved bits {flags:#x} of a convolution"));
    }
    let shift = f.byte()?;
    let span = f.span()?;
    let biases = if flags & 2 == 0 { 1 } else { conditions as u64 };
    // Both below 2^32.
    let bias = f.i32s(biases * channels as u64)?;
    let multipliers = if flags & 4 == 0 { vec![] } else { f.i32s(channels as u64)? };
    let count = f.varint()?;
    let weights = if flags & 1 == 0 { f.i16s(count)? } else { f.i8s(count)? };
    Ok(Convolution { source, channels, window, weights, bias, requantise: Requantise { multipliers, shift, span } })
}
