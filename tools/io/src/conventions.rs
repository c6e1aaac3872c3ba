//! How a `.scz` file keeps what netCDF, HDF5 and Zarr say besides numbers (SPEC §6.11): types of attributes, text, groups,
//! dimensions.
use crate::{Attribute, DimensionInfo, Group, Value};
use scicodec::VariableMeta;
use serde_json::{Map, Value as Json, json};

/// The attribute that tells what text alone does not.
pub const NOTE: &str = "_scz";

/// How the bytes of a variable are text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Each byte is a character: netCDF's `char`.
    Chars,
    /// The last axis, whose dimension has no name, holds UTF-8 followed by zeros: netCDF's `string`.
    Strings,
}

/// What a variable of a `.scz` file stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// An array of numbers or of text.
    Array(Option<TextKind>),
    /// The description of a group.
    Group(Group),
}

/// The attributes of a variable as they were, and what it stands for.
///
/// Never fails: what cannot be made sense of is text, and the variable an array of numbers.
pub fn interpret(name: &str, pairs: &[(String, String)]) -> (Vec<Attribute>, Kind) {
    let note = pairs.iter().find(|(k, _)| k == NOTE).and_then(|(_, text)| serde_json::from_str::<Json>(text).ok());
    let note = note.unwrap_or_default();
    let attribute = |(key, text): &(String, String)| {
        let typed = note["types"][key].as_str().and_then(|t| Value::from_json(t, &serde_json::from_str(text).ok()?));
        Attribute { name: key.clone(), value: typed.unwrap_or_else(|| Value::Text(text.clone())) }
    };
    let attributes: Vec<Attribute> = pairs.iter().filter(|(k, _)| k != NOTE).map(attribute).collect();
    let kind = match (group(name, &note, &attributes), note["text"].as_str()) {
        (Some(group), _) => Kind::Group(group),
        (None, Some("char")) => Kind::Array(Some(TextKind::Chars)),
        (None, Some("string")) => Kind::Array(Some(TextKind::Strings)),
        (None, _) => Kind::Array(None),
    };
    (attributes, kind)
}

fn group(name: &str, note: &Json, attributes: &[Attribute]) -> Option<Group> {
    let path = name.strip_suffix('/')?;
    let dimension = |d: &Json| {
        Some(DimensionInfo {
            name: d["name"].as_str()?.to_owned(),
            size: d["size"].as_u64()?,
            unlimited: d["unlimited"].as_bool().unwrap_or(false),
        })
    };
    Some(Group {
        path: path.to_owned(),
        attributes: attributes.to_vec(),
        dimensions: note["dimensions"].as_array()?.iter().filter_map(dimension).collect(),
        format: note["format"].as_str().unwrap_or_default().to_owned(),
    })
}

/// What the file says of an array.
pub fn array_meta(
    name: &str,
    units: &str,
    attributes: &[Attribute],
    dimensions: &[String],
    text: Option<TextKind>,
) -> VariableMeta {
    let mut note = Map::new();
    match text {
        Some(TextKind::Chars) => note.insert("text".into(), "char".into()),
        Some(TextKind::Strings) => note.insert("text".into(), "string".into()),
        None => None,
    };
    VariableMeta {
        name: name.to_owned(),
        units: units.to_owned(),
        attributes: pairs(attributes, note),
        dimensions: dimensions.to_vec(),
    }
}

/// What the file says of the variable that describes a group; its value is the byte 0, without axes.
pub fn group_meta(group: &Group) -> VariableMeta {
    let dimension = |d: &DimensionInfo| match d.unlimited {
        true => json!({ "name": d.name, "size": d.size, "unlimited": true }),
        false => json!({ "name": d.name, "size": d.size }),
    };
    let mut note = Map::new();
    note.insert("dimensions".into(), group.dimensions.iter().map(dimension).collect());
    if !group.format.is_empty() {
        note.insert("format".into(), group.format.as_str().into());
    }
    VariableMeta {
        name: format!("{}/", group.path),
        attributes: pairs(&group.attributes, note),
        ..VariableMeta::default()
    }
}

fn pairs(attributes: &[Attribute], mut note: Map<String, Json>) -> Vec<(String, String)> {
    let mut types = Map::new();
    let mut pairs = Vec::new();
    for Attribute { name, value } in attributes.iter().filter(|a| a.name != NOTE) {
        let text = match (value, value.type_name()) {
            (Value::Text(text), _) => text.clone(),
            (value, kind) => {
                types.insert(name.clone(), kind.unwrap_or_default().into());
                value.to_json().to_string()
            }
        };
        pairs.push((name.clone(), text));
    }
    if !types.is_empty() {
        note.insert("types".into(), types.into());
    }
    if !note.is_empty() {
        pairs.push((NOTE.into(), Json::Object(note).to_string()));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_groups_survive() {
        let attributes = vec![
            Attribute { name: "long_name".into(), value: Value::Text("[1, 2]".into()) },
            Attribute { name: "valid_range".into(), value: Value::I16(vec![0, 100]) },
            Attribute { name: "_FillValue".into(), value: Value::F32(vec![-999.0]) },
        ];
        let meta = array_meta("T", "K", &attributes, &["x".into()], Some(TextKind::Chars));
        assert_eq!(interpret("T", &meta.attributes), (attributes.clone(), Kind::Array(Some(TextKind::Chars))));
        let plain = array_meta("T", "K", &attributes[..1], &[], None);
        assert_eq!(plain.attributes, [("long_name".to_owned(), "[1, 2]".to_owned())]);

        let dimension = |name: &str, unlimited| DimensionInfo { name: name.into(), size: 3, unlimited };
        let group = Group {
            path: "ocean".into(),
            attributes,
            dimensions: vec![dimension("time", true), dimension("lat", false)],
            format: "netcdf4".into(),
        };
        let meta = group_meta(&group);
        assert_eq!(meta.name, "ocean/");
        assert_eq!(interpret(&meta.name, &meta.attributes).1, Kind::Group(group));
    }

    #[test]
    fn nonsense_is_text() {
        let pairs = [
            ("a".to_owned(), "not json".to_owned()),
            (NOTE.to_owned(), r#"{"types": {"a": "f32"}, "text": 7, "dimensions": 1}"#.to_owned()),
        ];
        let (attributes, kind) = interpret("x/", &pairs);
        assert_eq!(attributes[0].value, Value::Text("not json".into()));
        assert_eq!(kind, Kind::Array(None));
        assert_eq!(interpret("x", &[(NOTE.to_owned(), "{".to_owned())]), (vec![], Kind::Array(None)));
    }
}
