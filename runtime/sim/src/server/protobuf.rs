//! Reading protobuf bodies: the envelope, and any built-in kind by the field numbers that are recorded of it.
//!
//! Answers are JSON, which every client that sends protobuf takes as well. Not known here: single kinds.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    kind::{Catalogue, Field, Presence, fields, recorded_schema},
    status::Status,
};

const MAGIC: &[u8] = b"k8s\0";
/// How deep messages may lie in each other.
const DEEPEST: usize = 64;
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// What is wrong with a body.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    /// It is no protobuf of this kind.
    Bytes(&'static str),
    /// The kind's fields are not recorded.
    Unknown(String),
}

/// Reads an object in its envelope.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Status> {
    object(bytes).map_err(|why| match why {
        Broken::Bytes(why) => Status::bad_request(format!("the body of the request is no object in protobuf: {why}")),
        Broken::Unknown(kind) => Status::unsupported_media_type(format!(
            "the body of the request is in protobuf, and the fields of {kind} are not recorded: send application/json"
        )),
    })
}

fn object(bytes: &[u8]) -> Result<Value, Broken> {
    let envelope = bytes.strip_prefix(MAGIC).ok_or(Broken::Bytes("it does not begin with `k8s`"))?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in parts(envelope) {
        match part? {
            (1, Part::Bytes(meta)) => {
                for part in parts(meta) {
                    match part? {
                        (1, Part::Bytes(text)) => api_version = utf8(text)?,
                        (2, Part::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Part::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let schema = schema_name(&api_version, &kind).ok_or_else(|| Broken::Unknown(format!("{api_version} {kind}")))?;
    let body = message(&schema, raw, DEEPEST)?;
    let mut object = Map::new();
    object.insert("kind".to_owned(), kind.into());
    object.insert("apiVersion".to_owned(), api_version.into());
    if let Value::Object(fields) = body {
        object.extend(fields);
    }
    Ok(Value::Object(object))
}

/// The name of the schema of a kind, also of one that is only sent below others.
fn schema_name(api_version: &str, kind: &str) -> Option<String> {
    if let Some(name) = Catalogue::builtin().by_kind(api_version, kind).and_then(|kind| kind.schema_name()) {
        return Some(name.to_owned());
    }
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("core", api_version));
    let package = group.split('.').next().unwrap_or(group);
    let own = format!("io.k8s.api.{package}.{version}.{kind}");
    [own, format!("{META}{kind}")].into_iter().find(|name| fields(name).is_some())
}

/// One field of a message as it stands on the wire.
enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = Result<(u32, Part<'_>), Broken>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let part = part(&mut bytes);
        if part.is_err() {
            bytes = &[];
        }
        Some(part)
    })
}

fn part<'a>(bytes: &mut &'a [u8]) -> Result<(u32, Part<'a>), Broken> {
    let key = varint(bytes)?;
    let number = u32::try_from(key >> 3).map_err(|_| Broken::Bytes("a field has too high a number"))?;
    let part = match key & 7 {
        0 => Part::Number(varint(bytes)?),
        1 => Part::Number(u64::from_le_bytes(take(bytes, 8)?.try_into().map_err(|_| Broken::Bytes("it ends early"))?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| Broken::Bytes("it ends early"))?;
            Part::Bytes(take(bytes, length)?)
        }
        5 => {
            let four = take(bytes, 4)?.try_into().map_err(|_| Broken::Bytes("it ends early"))?;
            Part::Number(u64::from(u32::from_le_bytes(four)))
        }
        _ => return Err(Broken::Bytes("a field is of no known wire type")),
    };
    Ok((number, part))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Broken> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Broken::Bytes("it ends early"))?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Broken::Bytes("a number is too long"))
}

fn utf8(bytes: &[u8]) -> Result<String, Broken> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Broken::Bytes("a text is not UTF-8"))
}

/// A message of a recorded schema.
fn message(schema: &str, bytes: &[u8], depth: usize) -> Result<Value, Broken> {
    if depth == 0 {
        return Err(Broken::Bytes("it is nested too deeply"));
    }
    if let Some(value) = special(schema, bytes)? {
        return Ok(value);
    }
    let (Some(fields), Some(of)) = (fields(schema), recorded_schema(schema)) else {
        return Err(Broken::Unknown(schema.to_owned()));
    };
    let fields: Vec<_> = fields.iter().map(|field| (field, field.path.as_slice())).collect();
    let mut object = Map::new();
    fill(&mut object, &fields, &of["properties"], bytes, depth)?;
    for (field, _) in fields {
        let is_idle = field.presence == Presence::Filled && object.get(&field.name).is_some_and(is_empty);
        if is_idle || object.get(&field.name).is_some_and(Value::is_null) {
            object.shift_remove(&field.name);
        }
    }
    Ok(Value::Object(object))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Fills the fields whose numbers stand in a message; embedded structs lie one message deeper.
fn fill(
    object: &mut Map<String, Value>,
    fields: &[(&Field, &[u32])],
    properties: &Value,
    bytes: &[u8],
    depth: usize,
) -> Result<(), Broken> {
    for part in parts(bytes) {
        let (number, part) = part?;
        let here: Vec<_> = fields.iter().filter(|(_, path)| path.first() == Some(&number)).collect();
        if let Some((field, _)) = here.iter().find(|(_, path)| path.len() == 1) {
            put(object, &field.name, &properties[&field.name], part, depth)?;
        } else if let (false, Part::Bytes(bytes)) = (here.is_empty(), part) {
            let deeper: Vec<_> = here.iter().map(|(field, path)| (*field, &path[1..])).collect();
            fill(object, &deeper, properties, bytes, depth.saturating_sub(1))?;
        }
    }
    Ok(())
}

fn put(object: &mut Map<String, Value>, name: &str, property: &Value, part: Part, depth: usize) -> Result<(), Broken> {
    if property["type"] == "array" {
        let list = object.entry(name).or_insert_with(|| json!([]));
        let Some(list) = list.as_array_mut() else { return Ok(()) };
        let items = &property["items"];
        match part {
            // Numbers may come packed together.
            Part::Bytes(mut packed) if items["type"] == "integer" => {
                while !packed.is_empty() {
                    list.push(integer(varint(&mut packed)?));
                }
            }
            part => list.push(value(items, part, depth)?),
        }
        return Ok(());
    }
    if let (Some(of), Part::Bytes(entry)) = (property.get("additionalProperties"), &part) {
        let (mut key, mut held) = (String::new(), None);
        for part in parts(entry) {
            match part? {
                (1, Part::Bytes(text)) => key = utf8(text)?,
                (2, part) => held = Some(value(of, part, depth)?),
                _ => {}
            }
        }
        let held = held.unwrap_or_else(|| if of["type"] == "string" { json!("") } else { Value::Null });
        if let Some(map) = object.entry(name).or_insert_with(|| json!({})).as_object_mut() {
            map.insert(key, held);
        }
        return Ok(());
    }
    let held = value(property, part, depth)?;
    object.insert(name.to_owned(), held);
    Ok(())
}

fn integer(number: u64) -> Value {
    number.cast_signed().into()
}

fn value(property: &Value, part: Part, depth: usize) -> Result<Value, Broken> {
    let reference = property["$ref"].as_str().or_else(|| property["allOf"][0]["$ref"].as_str());
    if let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) {
        let Part::Bytes(bytes) = part else { return Err(Broken::Bytes("a message is none")) };
        return message(name, bytes, depth.saturating_sub(1));
    }
    match (property["type"].as_str(), part) {
        (Some("string"), Part::Bytes(bytes)) if property["format"] == "byte" => Ok(STANDARD.encode(bytes).into()),
        (Some("string"), Part::Bytes(bytes)) => utf8(bytes).map(Value::from),
        (Some("boolean"), Part::Number(number)) => Ok((number != 0).into()),
        (Some("integer"), Part::Number(number)) => Ok(integer(number)),
        (Some("number"), Part::Number(number)) => Ok(json!(f64::from_bits(number))),
        // A list in a map is wrapped in a message.
        (Some("array"), Part::Bytes(bytes)) => {
            let mut wrapped = Map::new();
            for part in parts(bytes) {
                put(&mut wrapped, "items", property, part?.1, depth.saturating_sub(1))?;
            }
            Ok(wrapped.shift_remove("items").unwrap_or_else(|| json!([])))
        }
        _ => Err(Broken::Bytes("a field is of another type than it is recorded with")),
    }
}

/// What has a message of its own that does not look like its JSON.
fn special(schema: &str, bytes: &[u8]) -> Result<Option<Value>, Broken> {
    let name = schema.rsplit('.').next().unwrap_or(schema);
    let mut first = parts(bytes);
    Ok(Some(match name {
        "Quantity" => match first.next().transpose()? {
            Some((1, Part::Bytes(text))) => utf8(text)?.into(),
            _ => json!("0"),
        },
        "IntOrString" => {
            let (mut is_text, mut number, mut text) = (false, 0_u64, String::new());
            for part in first {
                match part? {
                    (1, Part::Number(kind)) => is_text = kind == 1,
                    (2, Part::Number(held)) => number = held,
                    (3, Part::Bytes(held)) => text = utf8(held)?,
                    _ => {}
                }
            }
            if is_text { text.into() } else { integer(number) }
        }
        "Time" | "MicroTime" => {
            let (mut seconds, mut nanos) = (None, 0_i32);
            for part in first {
                match part? {
                    (1, Part::Number(held)) => seconds = Some(held.cast_signed()),
                    (2, Part::Number(held)) => nanos = i32::try_from(held).unwrap_or(0),
                    _ => {}
                }
            }
            let Some(at) = seconds.and_then(|seconds| Timestamp::new(seconds, nanos).ok()) else {
                return Ok(Some(Value::Null));
            };
            let form = if name == "Time" { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%6fZ" };
            at.strftime(form).to_string().into()
        }
        "FieldsV1" | "RawExtension" | "JSON" => match first.next().transpose()? {
            Some((1, Part::Bytes(raw))) => {
                serde_json::from_slice(raw).map_err(|_| Broken::Bytes("raw JSON in it does not parse"))?
            }
            _ => Value::Null,
        },
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        field.extend_from_slice(bytes);
        field
    }

    fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_secret_is_read_with_its_metadata() {
        let labels = field(11, &[field(1, b"owner"), field(2, b"helm")].concat());
        let metadata = [field(1, b"release"), field(2, b""), labels].concat();
        let data = field(2, &[field(1, b"release"), field(2, b"\x01\x02")].concat());
        let raw = [field(1, &metadata), data, field(3, b"helm.sh/release.v1")].concat();
        let secret = read(&enveloped("v1", "Secret", &raw)).unwrap();
        assert_eq!(
            secret,
            json!({
                "kind": "Secret", "apiVersion": "v1", "metadata": { "name": "release", "labels": { "owner": "helm" } },
                "data": { "release": "AQI=" }, "type": "helm.sh/release.v1",
            })
        );
    }

    #[test]
    fn options_of_a_deletion_are_read() {
        let raw = [vec![1 << 3, 0], field(4, b"Background")].concat();
        let options = read(&enveloped("v1", "DeleteOptions", &raw)).unwrap();
        assert_eq!(options["propagationPolicy"], "Background");
        assert_eq!(options["gracePeriodSeconds"], 0);
    }

    #[test]
    fn an_unknown_kind_is_refused_with_what_to_do() {
        let status = read(&enveloped("v9", "Dragon", &[])).unwrap_err();
        assert_eq!(status.code, 415);
        assert!(status.message.contains("application/json"));
        assert_eq!(read(b"{}").unwrap_err().code, 400);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&enveloped("v1", "Pod", &bytes[..bytes.len().min(100)]));
            let _ = read(&bytes);
        }
    }
}
