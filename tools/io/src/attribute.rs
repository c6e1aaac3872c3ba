//! Attributes of variables and groups, with the types that netCDF, HDF5 and Zarr give them.
use serde_json::{Number, Value as Json};

/// A name and a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The name, unique among the attributes of a variable or group.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// The value of an attribute. Numbers come as lists: netCDF knows no other attributes of numbers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Value {
    /// Text: netCDF's `char`, a string of fixed length in HDF5, a string in JSON.
    Text(String),
    /// Strings of variable length: netCDF's `string`.
    Strings(Vec<String>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// What else Zarr's attributes may be: nested lists and objects, true, false and null.
    Json(Json),
}

/// Calls a macro once with the type names of SPEC §6.11, the variants and the Rust types of all lists of numbers.
macro_rules! for_numbers {
    ($what:ident) => {
        $what!("i8" I8 i8, "i16" I16 i16, "i32" I32 i32, "i64" I64 i64, "u8" U8 u8, "u16" U16 u16, "u32" U32 u32,
               "u64" U64 u64, "f32" F32 f32, "f64" F64 f64)
    };
}
#[cfg(feature = "netcdf")]
pub(crate) use for_numbers;

impl Value {
    /// The type's name in a `.scz` file (SPEC §6.11); `None` for text, which is what an attribute is that has none.
    pub fn type_name(&self) -> Option<&'static str> {
        macro_rules! name {
            ($($name:literal $variant:ident $t:ident),*) => {
                match self {
                    Value::Text(_) => None,
                    Value::Strings(_) => Some("string"),
                    Value::Json(_) => Some("json"),
                    $(Value::$variant(_) => Some($name),)*
                }
            };
        }
        for_numbers!(name)
    }

    /// The value as JSON: a list, or the one thing that is in it. Numbers that JSON lacks are the strings `NaN`,
    /// `Infinity` and `-Infinity`.
    pub fn to_json(&self) -> Json {
        macro_rules! json {
            ($($name:literal $variant:ident $t:ident),*) => {
                match self {
                    Value::Text(text) => Json::from(text.as_str()),
                    Value::Json(json) => json.clone(),
                    Value::Strings(all) => list(all.iter().map(|s| Json::from(s.as_str()))),
                    $(Value::$variant(all) => list(all.iter().map(|&v| JsonNumber::to_json(v))),)*
                }
            };
        }
        for_numbers!(json)
    }

    /// Reads what [`Value::to_json`] gives, back into the type of that name; `None` where it does not fit the type.
    pub fn from_json(type_name: &str, json: &Json) -> Option<Value> {
        let one;
        let items: &[Json] = match json {
            Json::Array(items) => items,
            other => {
                one = [other.clone()];
                &one
            }
        };
        macro_rules! read {
            ($($name:literal $variant:ident $t:ident),*) => {
                match type_name {
                    "json" => Some(Value::Json(json.clone())),
                    "string" => {
                        items.iter().map(|i| i.as_str().map(str::to_owned)).collect::<Option<_>>().map(Value::Strings)
                    }
                    $($name => items.iter().map(<$t as JsonNumber>::from_json).collect::<Option<_>>().map(Value::$variant),)*
                    _ => None,
                }
            };
        }
        for_numbers!(read)
    }

    /// An attribute of Zarr: text, numbers and lists of them get the widest type of their kind.
    pub fn from_any_json(json: &Json) -> Value {
        let guess = |items: &[Json]| {
            let kind = match items.first()? {
                Json::String(_) => "string",
                Json::Number(_) if items.iter().all(Json::is_i64) => "i64",
                Json::Number(_) if items.iter().all(Json::is_u64) => "u64",
                Json::Number(_) if items.iter().all(Json::is_f64) => "f64",
                _ => return None,
            };
            Value::from_json(kind, json)
        };
        match json {
            Json::String(text) => Value::Text(text.clone()),
            // A list of one number would come back as the number alone.
            Json::Array(items) if items.len() != 1 => guess(items).unwrap_or_else(|| Value::Json(json.clone())),
            Json::Number(_) => guess(std::slice::from_ref(json)).unwrap_or_else(|| Value::Json(json.clone())),
            _ => Value::Json(json.clone()),
        }
    }

    /// The first number, where there is one.
    pub fn number(&self) -> Option<f64> {
        macro_rules! first {
            ($($name:literal $variant:ident $t:ident),*) => {
                match self {
                    $(Value::$variant(all) => all.first().map(|&v| v as f64),)*
                    Value::Json(json) => json.as_f64(),
                    _ => None,
                }
            };
        }
        for_numbers!(first)
    }

    /// Text, or a single string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Strings(all) if all.len() == 1 => all.first().map(String::as_str),
            _ => None,
        }
    }
}

/// The value of the attribute with this name.
pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Value> {
    attributes.iter().find(|a| a.name == name).map(|a| &a.value)
}

fn list(items: impl Iterator<Item = Json>) -> Json {
    let mut all: Vec<Json> = items.collect();
    match all.len() {
        1 => all.remove(0),
        _ => Json::Array(all),
    }
}

/// A number that JSON can carry without loss.
trait JsonNumber: Sized {
    fn to_json(self) -> Json;
    fn from_json(json: &Json) -> Option<Self>;
}

macro_rules! integers {
    ($($t:ident)*) => {$(
        impl JsonNumber for $t {
            fn to_json(self) -> Json {
                Json::from(self)
            }

            fn from_json(json: &Json) -> Option<$t> {
                let wide = json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from));
                wide.and_then(|v| $t::try_from(v).ok())
            }
        }
    )*};
}
integers!(i8 i16 i32 i64 u8 u16 u32 u64);

impl JsonNumber for f64 {
    fn to_json(self) -> Json {
        match Number::from_f64(self) {
            Some(number) => Json::Number(number),
            None if self.is_nan() => "NaN".into(),
            None if self > 0.0 => "Infinity".into(),
            None => "-Infinity".into(),
        }
    }

    fn from_json(json: &Json) -> Option<f64> {
        match json {
            Json::Number(number) => number.as_f64(),
            Json::String(text) => match text.as_str() {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => None,
            },
            _ => None,
        }
    }
}

impl JsonNumber for f32 {
    /// With the digits that a binary32 needs, where they lead back to it.
    fn to_json(self) -> Json {
        let short: f64 = self.to_string().parse().unwrap_or(f64::from(self));
        if short as f32 == self { short.to_json() } else { f64::from(self).to_json() }
    }

    fn from_json(json: &Json) -> Option<f32> {
        <f64 as JsonNumber>::from_json(json).map(|v| v as f32)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_json() {
        let all = [
            Value::Strings(vec!["one".into(), "tw\"o é".into()]),
            Value::Strings(vec!["alone".into()]),
            Value::I8(vec![-128, 127]),
            Value::U64(vec![u64::MAX, 0]),
            Value::I64(vec![i64::MIN]),
            Value::F32(vec![0.1, -0.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY]),
            Value::F64(vec![0.1, 1e-310, f64::MAX, f64::NEG_INFINITY, 299792458.0]),
            Value::U16(vec![]),
            Value::Json(serde_json::json!({ "a": [1, null, { "b": true }] })),
        ];
        for value in all {
            let text = value.to_json().to_string();
            let back = Value::from_json(value.type_name().unwrap(), &serde_json::from_str(&text).unwrap());
            assert_eq!(back.unwrap(), value, "{text}");
        }
        assert_eq!(Value::F32(vec![0.1]).to_json().to_string(), "0.1");
        assert!(matches!(Value::from_json("f32", &"NaN".into()), Some(Value::F32(v)) if v[0].is_nan()));
    }

    #[test]
    fn what_does_not_fit_a_type_is_refused() {
        for (kind, text) in
            [("i8", "128"), ("u8", "-1"), ("i32", "1.5"), ("f32", "\"x\""), ("string", "1"), ("i7", "1")]
        {
            assert_eq!(Value::from_json(kind, &serde_json::from_str(text).unwrap()), None, "{kind} {text}");
        }
    }
}
