//! `scicodec compare`: how far one file's fields are from another's.
use crate::{
    args::CompareArgs,
    compare_page,
    failure::{Failure, Outcome, about, display},
    text,
};
use scicodec::{ArrayRef, Metrics, Source};
use scicodec_io::{Dataset, Field, Format, Overwrite, RawLayout};
use serde_json::json;
use std::path::Path;

pub fn run(args: &CompareArgs) -> Outcome {
    let raw = args.raw.layout();
    let (a, b) = (open(&args.a, raw.as_ref())?, open(&args.b, raw.as_ref())?);
    let (mut table, mut sections) = (Vec::new(), Vec::new());
    for (name, a, b) in pairs(args, &a, &b)? {
        let failed = |e| Failure::new(format!("{name}: {e}"));
        let (first, second) = whole_pair(a, b).map_err(failed)?;
        let metrics = compare_values(a, &first, &second).map_err(failed)?;
        if args.html.is_some() {
            let stored = compare_page::stored(&args.b, b.name.as_deref());
            sections.push(compare_page::section(&name, (a, b), (&first, &second), &metrics, stored.as_ref())?);
        }
        table.push((name, metrics));
    }
    if let Some(path) = &args.html {
        let overwrite = if args.force { Overwrite::Allow } else { Overwrite::Refuse };
        compare_page::write(path, overwrite, (&args.a, &args.b), &sections)?;
    }
    if args.json {
        let variables: Vec<_> = table
            .iter()
            .map(|(name, m)| {
                json!({
                    "name": name,
                    "max_abs": m.max_abs,
                    "max_rel": m.max_rel,
                    "rmse": m.rmse,
                    "nrmse": m.nrmse,
                    "psnr": m.psnr,
                    "ssim": m.ssim,
                    "l2": m.l2,
                    "range": m.range,
                    "points": m.points,
                    "equal_specials": m.equal_specials,
                    "mismatches": m.mismatches,
                })
            })
            .collect();
        return text::result_json(&json!({ "a": display(&args.a), "b": display(&args.b), "variables": variables }));
    }
    let width = table.iter().map(|(name, _)| name.len()).chain([8]).max().unwrap_or(8);
    let mut out = line(width, "variable", ["max abs", "max rel", "rmse", "nrmse", "psnr", "ssim"].map(String::from));
    for (name, m) in &table {
        let ssim = m.ssim.map_or("-".into(), |s| format!("{s:.5}"));
        let psnr = format!("{:.2}", m.psnr);
        let [abs, rel, rmse, nrmse] = [m.max_abs, m.max_rel, m.rmse, m.nrmse].map(text::number);
        out.push_str(&line(width, name, [abs, rel, rmse, nrmse, psnr, ssim]));
        if m.mismatches > 0 {
            out.push_str(&format!("  {} values are NaN or infinite in one file and not in the other\n", m.mismatches));
        }
    }
    text::result(&out)
}

fn line(width: usize, name: &str, cells: [String; 6]) -> String {
    let [abs, rel, rmse, nrmse, psnr, ssim] = cells;
    format!("{name:<width$} {abs:>10} {rel:>10} {rmse:>10} {nrmse:>10} {psnr:>8} {ssim:>8}\n")
}

/// All elements of two fields of one shape and type.
fn whole_pair(a: &Field, b: &Field) -> Result<(Vec<u8>, Vec<u8>), scicodec::Error> {
    let (a, b) = (a.source.as_ref(), b.source.as_ref());
    if a.shape() != b.shape() || a.dtype() != b.dtype() {
        let said = |s: &dyn Source| format!("{} of shape {}", s.dtype().name(), text::extents(s.shape()));
        return Err(scicodec::Error::InvalidArgument(format!("{} is not {}", said(a), said(b))));
    }
    Ok((whole(a)?, whole(b)?))
}

fn compare_values(a: &Field, first: &[u8], second: &[u8]) -> Result<Metrics, scicodec::Error> {
    let a = a.source.as_ref();
    let array = |bytes| ArrayRef { dtype: a.dtype(), shape: a.shape(), bytes };
    scicodec::compare(array(first), array(second))
}

/// All elements: structural similarity looks at whole planes.
fn whole(source: &dyn Source) -> Result<Vec<u8>, scicodec::Error> {
    let bytes = source.shape().iter().try_fold(source.dtype().size() as u64, |n, &e| n.checked_mul(e));
    let asked = bytes.unwrap_or(u64::MAX);
    let too_big = scicodec::Error::Limit { what: "bytes compared in memory", limit: isize::MAX as u64, asked };
    let mut all = Vec::new();
    match usize::try_from(asked) {
        Ok(n) if all.try_reserve_exact(n).is_ok() => all.resize(n, 0),
        _ => return Err(too_big),
    }
    source.read(&vec![0; source.shape().len()], source.shape(), &mut all)?;
    Ok(all)
}

/// A layout for raw elements is for the inputs that do not say themselves what they are.
fn open(path: &Path, raw: Option<&RawLayout>) -> Outcome<Dataset> {
    if path.as_os_str() == "-" {
        return scicodec_io::open_stdin(raw).map_err(about(path));
    }
    match scicodec_io::open(path, None) {
        Err(scicodec_io::Error::Unsupported { .. }) if raw.is_some() => scicodec_io::open(path, raw),
        other => other,
    }
    .map_err(about(path))
}

/// The fields to compare: those of the same name, or the only ones there are.
fn pairs<'d>(args: &CompareArgs, a: &'d Dataset, b: &'d Dataset) -> Outcome<Vec<(String, &'d Field, &'d Field)>> {
    let find = |d: &'d Dataset, path: &Path, name: &str| {
        let alone = d.fields.len() == 1 && d.format != Format::Scz;
        let found = d.fields.iter().find(|f| alone || f.name.as_deref() == Some(name));
        found.ok_or_else(|| Failure::new(format!("{}: no variable {name:?}", display(path))))
    };
    if let Some(name) = &args.var {
        return Ok(vec![(name.clone(), find(a, &args.a, name)?, find(b, &args.b, name)?)]);
    }
    if let ([one], [other]) = (a.fields.as_slice(), b.fields.as_slice()) {
        let name = one.name.clone().or_else(|| other.name.clone()).unwrap_or_else(|| "field".into());
        return Ok(vec![(name, one, other)]);
    }
    let several = || Failure::usage("one file has several variables, the other one without a name; give --var NAME");
    a.fields
        .iter()
        .map(|field| {
            let name = field.name.clone().ok_or_else(several)?;
            let other = find(b, &args.b, &name)?;
            if other.name.is_none() {
                return Err(several());
            }
            Ok((name, field, other))
        })
        .collect()
}
