//! What `scicodec encode` encodes: the arrays of its inputs, each with its name, bound and fill value.
use crate::{
    args::{EncodeArgs, parse_fill},
    failure::{Failure, Outcome, about, display},
    text,
};
use scicodec::{BoundKind, DType, ErrorBound, SliceSource, Source, VariableMeta};
use scicodec_io::{
    Dataset, Field, Group,
    cf::{self, Role},
    conventions::{array_meta, group_meta},
};
use std::path::{Path, PathBuf};

/// One array to encode.
pub struct Item {
    pub from: PathBuf,
    pub meta: VariableMeta,
    pub source: Box<dyn Source + Send>,
    pub bound: ErrorBound,
    /// Bits of the value that stands for "missing".
    pub fill: Option<u64>,
    /// What a step of the stored numbers is in the variable's units: 1 unless it is packed.
    pub scale: f64,
    pub part: Part,
    /// Whether `--append` may continue it: it has no dimensions, or its first may grow.
    pub grows: bool,
}

/// What an array is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the bound was asked for.
    Data,
    /// Kept exactly, and why.
    Exact(&'static str),
    /// The description of a group.
    Group,
}

const LOSSLESS: ErrorBound = ErrorBound { kind: BoundKind::Lossless, value: 0.0 };

/// Opens every input before anything is written.
pub fn open(args: &EncodeArgs) -> Outcome<Vec<Item>> {
    let raw = args.raw.layout();
    let mut items = Vec::new();
    for path in &args.inputs {
        let data = match path.as_os_str() == "-" {
            true => scicodec_io::open_stdin(raw.as_ref()),
            false => scicodec_io::open(path, raw.as_ref()),
        }
        .map_err(about(path))?;
        if data.format == scicodec_io::Format::Scz {
            return Err(Failure::new(format!("{}: is encoded already; decode it first", display(path))));
        }
        if data.format.has_variables() {
            if args.inputs.len() > 1 {
                return Err(Failure::usage(format!(
                    "{} has variables of its own: encode it alone, or --append it",
                    display(path)
                )));
            }
            return of_dataset(args, path, data);
        }
        items.extend(data.fields.into_iter().map(|field| single(args, path, field)));
    }
    if args.var.len() > items.len() {
        return Err(Failure::usage(format!("--var names {} variables of {}", args.var.len(), items.len())));
    }
    for (item, name) in items.iter_mut().zip(&args.var) {
        item.meta.name.clone_from(name);
    }
    for item in &mut items {
        if let Some(units) = &args.units {
            item.meta.units.clone_from(units);
        }
        let dtype = item.source.dtype();
        item.fill = args.fill.as_ref().map(|f| parse_fill(f, dtype)).transpose().map_err(Failure::new)?;
    }
    for (k, item) in items.iter().enumerate() {
        if items[..k].iter().any(|before| before.meta.name == item.meta.name) {
            return Err(Failure::usage(format!("two inputs are named {:?}; give each a --var NAME", item.meta.name)));
        }
    }
    Ok(items)
}

/// An array that is alone in its file.
fn single(args: &EncodeArgs, path: &Path, field: Field) -> Item {
    let stem = || match path.file_stem() {
        Some(stem) if path.as_os_str() != "-" => stem.to_string_lossy().into_owned(),
        _ => "field".into(),
    };
    let name = field.name.unwrap_or_else(stem);
    Item {
        from: path.to_owned(),
        meta: array_meta(&name, &field.units, &field.attributes, &field.dimensions, field.text),
        source: field.source,
        bound: args.error_bound,
        fill: None,
        scale: 1.0,
        part: Part::Data,
        grows: true,
    }
}

/// The variables of a dataset that were asked for, with their coordinates; or all.
fn of_dataset(args: &EncodeArgs, path: &Path, data: Dataset) -> Outcome<Vec<Item>> {
    let named = choose(args, path, &data)?;
    let chosen = match named.is_empty() {
        true => (0..data.fields.len()).collect(),
        false => cf::with_coordinates(&data.fields, &named),
    };
    if !args.talk.quiet {
        for out in data.left_out.iter().filter(|_| named.is_empty()) {
            text::remark(&format!("{}: left out: {}: {}", display(path), out.name, out.why));
        }
    }
    if chosen.is_empty() {
        return Err(Failure::new(format!("{}: has no variables that can be encoded", display(path))));
    }
    let roles = cf::roles(&data.fields);
    let netcdf = data.groups.first().is_some_and(|root| root.format.starts_with("netcdf"));
    let growing: Vec<String> =
        data.groups.iter().flat_map(|g| &g.dimensions).filter(|d| d.unlimited).map(|d| d.name.clone()).collect();
    let any_unlimited = !growing.is_empty();
    let mut items: Vec<Item> = data.groups.iter().map(|group| description(path, group)).collect();
    for (k, field) in data.fields.into_iter().enumerate() {
        if !chosen.contains(&k) {
            continue;
        }
        // What is asked for by name is what the bound is for, whatever it looks like; but text stays text.
        let role = if named.contains(&k) && field.text.is_none() { Role::Data } else { roles[k] };
        // Where nothing may grow, as in Zarr, the first axis is what files follow one another along.
        let grows = match field.dimensions.first() {
            Some(first) if any_unlimited => growing.contains(first),
            _ => !field.source.shape().is_empty() && !matches!(role, Role::Exact("a coordinate")),
        };
        items.push(variable(args, path, field, role, netcdf, grows)?);
    }
    Ok(items)
}

/// The fields that `--var` names, or an error that says which there are.
fn choose(args: &EncodeArgs, path: &Path, data: &Dataset) -> Outcome<Vec<usize>> {
    let find = |wanted: &String| {
        let wanted = wanted.trim_start_matches('/');
        if let Some(k) = data.fields.iter().position(|f| f.name.as_deref() == Some(wanted)) {
            return Ok(k);
        }
        if let Some(out) = data.left_out.iter().find(|o| o.name == wanted) {
            return Err(Failure::new(format!("{}: variable {wanted:?} {}", display(path), out.why)));
        }
        let names: Vec<&str> = data.fields.iter().filter_map(|f| f.name.as_deref()).collect();
        Err(Failure::new(format!("{}: no variable {wanted:?}; it has {}", display(path), names.join(", "))))
    };
    args.var.iter().map(find).collect()
}

fn variable(args: &EncodeArgs, path: &Path, field: Field, role: Role, netcdf: bool, grows: bool) -> Outcome<Item> {
    let name = field.name.clone().unwrap_or_default();
    let mut item = Item {
        from: path.to_owned(),
        meta: array_meta(&name, &field.units, &field.attributes, &field.dimensions, field.text),
        bound: LOSSLESS,
        fill: None,
        scale: 1.0,
        part: Part::Data,
        grows,
        source: field.source,
    };
    if let Role::Exact(why) = role {
        item.part = Part::Exact(why);
        return Ok(item);
    }
    if let Some(units) = &args.units {
        item.meta.units.clone_from(units);
    }
    item.bound = args.error_bound;
    if let (Some(packing), false) = (cf::packing(&field.attributes), args.packed) {
        item.scale = packing.scale.abs();
        item.bound = unpacked_bound(args.error_bound, packing)
            .ok_or_else(|| Failure::new(format!("{}: {name}: {NO_PW_REL}", display(path))))?;
    }
    let dtype = item.source.dtype();
    if let Some(fill) = &args.fill {
        item.fill = Some(parse_fill(fill, dtype).map_err(Failure::new)?);
        return Ok(item);
    }
    let mut declared = cf::declared(&field.attributes, dtype);
    // NaN is kept in any case.
    declared.retain(|&bits| !is_nan(dtype, bits));
    if declared.is_empty() && netcdf {
        declared.extend(cf::default_fill(dtype));
    }
    if declared.len() > 1 {
        declared = occurring(item.source.as_ref(), &declared).map_err(about(path))?;
    }
    match declared.as_slice() {
        [] => {}
        [one] => item.fill = Some(*one),
        _ => {
            if !args.talk.quiet {
                text::remark(&format!("{}: {name}: {TWO_FILLS}", display(path)));
            }
            item.bound = LOSSLESS;
            item.part = Part::Exact("has two values for \"missing\"");
        }
    }
    Ok(item)
}

const NO_PW_REL: &str = "pw_rel is about unpacked values, and these are packed with an add_offset; use abs or rel, or \
                         --packed for a bound of the packed values";
const TWO_FILLS: &str = "has both its _FillValue and another missing_value, and a file keeps one exactly under a bound: \
                         encoded losslessly (--fill V says which one matters)";

/// The bound of packed numbers that keeps the bound asked of what they stand for.
fn unpacked_bound(asked: ErrorBound, packing: cf::Packing) -> Option<ErrorBound> {
    match asked.kind {
        BoundKind::Abs | BoundKind::L2 => {
            Some(ErrorBound { kind: asked.kind, value: asked.value / packing.scale.abs() })
        }
        BoundKind::PwRel if packing.offset != 0.0 => None,
        // These are relative to the range, or to the value: packing changes both sides alike.
        _ => Some(asked),
    }
}

fn is_nan(dtype: DType, bits: u64) -> bool {
    match dtype {
        DType::F16 => bits & 0x7fff > 0x7c00,
        DType::F32 => f32::from_bits(bits as u32).is_nan(),
        DType::F64 => f64::from_bits(bits).is_nan(),
        _ => false,
    }
}

/// Which of these values a variable has, read once through.
fn occurring(source: &dyn Source, values: &[u64]) -> Result<Vec<u64>, scicodec::Error> {
    let size = source.dtype().size();
    let mut found = vec![false; values.len()];
    let shape = source.shape();
    let row: u64 = shape.get(1..).unwrap_or_default().iter().product::<u64>() * size as u64;
    let rows = ((16 << 20) / row.max(1)).max(1);
    let total = shape.first().copied().unwrap_or(1);
    let mut from = 0;
    while from < total && !shape.contains(&0) {
        let count = rows.min(total - from);
        let (mut start, mut extent) = (vec![0; shape.len()], shape.to_vec());
        if let (Some(s), Some(e)) = (start.first_mut(), extent.first_mut()) {
            (*s, *e) = (from, count);
        }
        let mut bytes = vec![0; extent.iter().product::<u64>() as usize * size];
        source.read(&start, &extent, &mut bytes)?;
        for (value, found) in values.iter().zip(&mut found) {
            let wide = value.to_ne_bytes();
            let pattern = if cfg!(target_endian = "big") { &wide[8 - size..] } else { &wide[..size] };
            *found |= bytes.chunks_exact(size).any(|element| element == pattern);
        }
        from += count;
    }
    Ok(values.iter().zip(found).filter(|(_, found)| *found).map(|(&v, _)| v).collect())
}

/// The variable that describes a group: a single byte 0.
fn description(path: &Path, group: &Group) -> Item {
    struct Zero;
    impl Source for Zero {
        fn dtype(&self) -> DType {
            DType::U8
        }
        fn shape(&self) -> &[u64] {
            &[]
        }
        fn read(&self, start: &[u64], extent: &[u64], out: &mut [u8]) -> Result<(), scicodec::Error> {
            SliceSource::new(DType::U8, &[], &[0])?.read(start, extent, out)
        }
    }
    Item {
        from: path.to_owned(),
        meta: group_meta(group),
        source: Box::new(Zero),
        bound: LOSSLESS,
        fill: None,
        scale: 1.0,
        part: Part::Group,
        grows: false,
    }
}
