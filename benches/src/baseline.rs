//! Bytes of a few small fields at a few bounds: the committed ones are what a change is held against.
use crate::{
    Result,
    field::Field,
    pipeline,
    synthetic::{uniform, waves},
};
use scicodec::{DType, EncodeOptions};
use std::path::Path;

/// A share of the ratio that may be lost before it is a fault.
pub const MAY_LOSE: f64 = 0.01;
/// So many bytes are no fault either: one per cent of the smallest files is less than a byte or two of a header.
const FEW_BYTES: u64 = 8;
const BOUNDS: [(&str, &str); 4] = [("rel", "1e-1"), ("rel", "1e-3"), ("rel", "1e-5"), ("nrmse", "1e-3")];
const EFFORTS: [&str; 3] = ["fast", "default", "max"];

/// One cell: the file that a field becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Field, kind of bound, bound and effort.
    pub key: String,
    /// Bytes of the file.
    pub bytes: u64,
}

/// The fields: the real sample, and made ones that ask for other bases.
pub fn fields() -> Result<Vec<(&'static str, Field)>> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/samples/cam-temperature.npy");
    Ok(vec![
        ("cam-temperature", Field::read_npy(&sample)?),
        ("waves", waves([16, 48, 48])),
        ("fronts", fronts(192)),
        ("packed", packed(8, 96)),
    ])
}

/// A plane of two values with a curved front between them, a little noise on one side, and an island of missing values.
fn fronts(n: usize) -> Field {
    let value = |i: usize| {
        let (y, x) = ((i / n) as f64 / n as f64, (i % n) as f64 / n as f64);
        if (y - 0.7).hypot(x - 0.3) < 0.1 {
            return f64::NAN;
        }
        let front = 0.5 + 0.2 * (4.0 * x * (1.0 - x) - 0.5);
        if y < front { 1.0 + 0.1 * x * x } else { 2.5 + 0.3 * x * y + 1e-3 * uniform(i as u64) }
    };
    let bytes = (0..n * n).map(value).flat_map(f64::to_ne_bytes).collect();
    Field { dtype: DType::F64, shape: vec![n, n], bytes }
}

/// Values of a smooth series with noise, rounded to hundredths, as stored by instruments and packed archives.
fn packed(steps: usize, n: usize) -> Field {
    let values: Vec<f32> = (0..steps * n * n)
        .map(|i| {
            let (t, y, x) = ((i / (n * n)) as f64, (i / n % n) as f64, (i % n) as f64);
            let smooth = 15.0 + 8.0 * (0.06 * y + 0.1 * t).sin() * (0.05 * x).cos();
            (((smooth + 0.3 * uniform(i as u64)) * 100.0).round() / 100.0) as f32
        })
        .collect();
    Field::from_f32(&[steps, n, n], &values)
}

/// Encodes every cell, and checks its bound.
pub fn measure() -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (name, field) in fields()? {
        for (kind, value) in BOUNDS {
            for effort in EFFORTS {
                let key = format!("{name},{kind},{value},{effort}");
                let mut options = EncodeOptions::new(pipeline::parse_bound(kind, value)?);
                options.effort = pipeline::parse_effort(effort)?;
                options.verify = false; // checked here
                let file = pipeline::encode(&field, &options)?.0;
                let error = field.error_of(&pipeline::decode(&file, 1)?.0)?;
                let reached = if kind == "rel" { error.max } else { error.rmse };
                if reached > value.parse::<f64>()? * field.range() {
                    return Err(format!("{key}: the bound is broken: {reached:e}").into());
                }
                cells.push(Cell { key, bytes: file.len() as u64 });
            }
        }
    }
    Ok(cells)
}

/// The first line of the table.
pub const HEAD: &str = "field,kind,bound,effort,bytes";

/// The table as text.
pub fn to_csv(cells: &[Cell]) -> String {
    let lines: String = cells.iter().map(|c| format!("{},{}\n", c.key, c.bytes)).collect();
    format!("{HEAD}\n{lines}")
}

/// Reads a table. A line that is none is an error: the baseline is committed, not measured.
pub fn from_csv(text: &str) -> Result<Vec<Cell>> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Err(format!("the baseline does not begin with {HEAD}").into());
    }
    lines
        .map(|line| {
            let (key, bytes) = line.rsplit_once(',').ok_or_else(|| format!("no cell: {line}"))?;
            Ok(Cell { key: key.into(), bytes: bytes.parse()? })
        })
        .collect()
}

/// What is worse, and what is so much better that the baseline should be written anew: lines for people.
pub fn judge(baseline: &[Cell], now: &[Cell]) -> (Vec<String>, Vec<String>) {
    let (mut worse, mut better) = (Vec::new(), Vec::new());
    for old in baseline {
        let Some(new) = now.iter().find(|c| c.key == old.key) else {
            worse.push(format!("{}: no longer measured", old.key));
            continue;
        };
        // Ratio now ÷ ratio then: the field's bytes are the same.
        let share = old.bytes as f64 / new.bytes as f64;
        let line = format!("{}: {} → {} bytes, ratio × {share:.4}", old.key, old.bytes, new.bytes);
        if share < 1.0 - MAY_LOSE && new.bytes > old.bytes + FEW_BYTES {
            worse.push(line);
        } else if share > 1.0 + MAY_LOSE && new.bytes + FEW_BYTES < old.bytes {
            better.push(line);
        }
    }
    (worse, better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_of_more_than_one_per_cent_is_told_and_less_is_not() {
        let cell = |key: &str, bytes| Cell { key: key.into(), bytes };
        let baseline = [cell("a", 1000), cell("b", 1000), cell("c", 1000), cell("d", 1000), cell("e", 100)];
        let now = [cell("a", 1009), cell("b", 1012), cell("c", 950), cell("e", 105)];
        let (worse, better) = judge(&baseline, &now);
        assert_eq!(worse, ["b: 1000 → 1012 bytes, ratio × 0.9881", "d: no longer measured"]);
        assert_eq!(better.len(), 1);
    }

    #[test]
    fn the_table_comes_back_and_a_torn_one_is_refused() {
        let cells = vec![Cell { key: "a,rel,1e-1,fast".into(), bytes: 12 }];
        assert_eq!(from_csv(&to_csv(&cells)).unwrap(), cells);
        assert!(from_csv("field,kind\n").is_err());
        assert!(from_csv(&format!("{HEAD}\na,rel,1e-1,fast,1x\n")).is_err());
    }
}
