//! The table that `python/peers.py` writes, as far as its report needs it.
use crate::Result;
use std::{collections::HashMap, path::Path};

/// One measurement that kept its bound.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Name of the field.
    pub field: String,
    /// `rel` or `nrmse`.
    pub kind: String,
    /// The bound's value as written.
    pub bound: String,
    /// Which codec.
    pub codec: String,
    /// Bytes in ÷ bytes out.
    pub ratio: f64,
    /// Bits per value.
    pub bits_per_value: f64,
    /// max |x − x̂|, in the field's units.
    pub max_error: f64,
    /// In decibels.
    pub psnr: f64,
    /// max − min.
    pub range: f64,
    /// MB/s.
    pub encode: f64,
    /// MB/s.
    pub decode: f64,
}

impl Cell {
    /// Whether it is scicodec's.
    pub fn ours(&self) -> bool {
        self.codec.starts_with("scicodec")
    }

    /// Whether its bound is `kind=value`, however the value is written.
    pub fn is_at(&self, kind: &str, value: f64) -> bool {
        self.kind == kind && self.bound.parse::<f64>().is_ok_and(|b| b == value)
    }
}

/// The rows of a table: cells that kept their bound, and (field, reason) of all others.
pub struct Table {
    /// What was measured.
    pub cells: Vec<Cell>,
    /// What was not, and why.
    pub troubles: Vec<(String, String)>,
}

/// Reads the table. Rows that are torn or have figures that are none are left out.
pub fn read(path: &Path) -> Result<Table> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
    let names = reader.headers()?.clone();
    let place: HashMap<&str, usize> = names.iter().enumerate().map(|(k, name)| (name, k)).collect();
    let (mut cells, mut troubles) = (Vec::new(), Vec::new());
    for row in reader.records() {
        let row = row?;
        let text = |name: &str| place.get(name).and_then(|&k| row.get(k)).unwrap_or_default().to_owned();
        let value = |name: &str| text(name).parse::<f64>().ok();
        if text("status") != "ok" {
            let bound =
                if text("kind").is_empty() { String::new() } else { format!(" {}={}", text("kind"), text("bound")) };
            let what = format!("{}{bound} {}", text("codec"), text("status"));
            troubles.push((text("field"), format!("{}: {}", what.trim(), text("reason"))));
            continue;
        }
        let cell = || {
            Some(Cell {
                field: text("field"),
                kind: text("kind"),
                bound: text("bound"),
                codec: text("codec"),
                ratio: value("ratio")?,
                bits_per_value: value("bits_per_value")?,
                max_error: value("max_error")?,
                psnr: value("psnr")?,
                range: value("range")?,
                encode: value("encode_mb_s")?,
                decode: value("decode_mb_s")?,
            })
        };
        cells.extend(cell());
    }
    // scicodec first, then the peers as they came.
    cells.sort_by_key(|c| !c.ours());
    Ok(Table { cells, troubles })
}

/// The smallest and the geometric mean of scicodec's ratio ÷ the best peer's, per field, at one bound.
pub fn shares<'a>(cells: impl Iterator<Item = &'a Cell>, codec: &str) -> Vec<f64> {
    let mut fields: HashMap<&str, (Option<f64>, f64)> = HashMap::new();
    for cell in cells {
        let entry = fields.entry(&cell.field).or_default();
        if cell.codec == codec {
            entry.0 = Some(cell.ratio);
        } else if !cell.ours() {
            entry.1 = entry.1.max(cell.ratio);
        }
    }
    fields.into_values().filter(|(_, peer)| *peer > 0.0).filter_map(|(own, peer)| Some(own? / peer)).collect()
}

/// Geometric mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    (values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(field: &str, codec: &str, ratio: f64) -> Cell {
        let (kind, bound) = ("rel".into(), "1e-1".into());
        let (field, codec) = (field.into(), codec.into());
        let (bits_per_value, max_error, psnr, range, encode, decode) = (1.0, 0.1, 40.0, 1.0, 1.0, 1.0);
        Cell { field, kind, bound, codec, ratio, bits_per_value, max_error, psnr, range, encode, decode }
    }

    #[test]
    fn shares_are_of_the_best_peer_of_each_field() {
        let cells =
            [cell("a", "scicodec fast", 6.0), cell("a", "SZ3", 2.0), cell("a", "zfp", 3.0), cell("b", "zfp", 3.0)];
        assert_eq!(shares(cells.iter(), "scicodec fast"), [2.0]);
        assert_eq!(mean(&[2.0, 8.0]), 4.0);
    }

    #[test]
    fn torn_and_failed_rows_do_not_stop_the_report() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let head =
            "field,kind,bound,codec,status,ratio,bits_per_value,max_error,psnr,range,encode_mb_s,decode_mb_s,reason";
        let good = "a,rel,1e-1,SZ3,ok,5,1,0.1,40,1,100,200,";
        let failed = "a,rel,1e-1,zfp,failed,,,,,,,,no answer in 3 s";
        std::fs::write(file.path(), format!("{head}\n{good}\n{failed}\nb,rel,1e-")).unwrap();
        let table = read(file.path()).unwrap();
        assert_eq!((table.cells.len(), table.cells[0].ratio), (1, 5.0));
        assert_eq!(table.troubles[0].1, "zfp rel=1e-1 failed: no answer in 3 s");
        assert!(table.cells[0].is_at("rel", 0.1));
    }
}
