//! How Go's types write the fields of each schema: their numbers in protobuf, and which of them are there though empty.
//!
//! One line for each schema: its name, then one word for each property in the order of the schema. A word is the number in
//! protobuf (`2.5`: field 5 of the message in field 2, whose fields stand in its place in JSON; `-`: none), then `*` for a
//! pointer, which is there whenever it was given; `^` for a pointer that is `null` where it was not; `!` for what is always
//! there; nothing for what is left out when empty.

use serde_json::{Map, Value};

use super::Schemas;
use super::source::{Member, Packages, Structs};
use crate::fault::Fault;

/// The table of all schemas that are structs of Go.
pub(super) fn table(schemas: &Schemas) -> Result<String, Fault> {
    let mut packages = Packages::default();
    let mut lines = Vec::new();
    for (name, schema) in schemas {
        let (Some(properties), Some((package, of))) = (schema["properties"].as_object(), name.rsplit_once('.')) else {
            continue;
        };
        let words = words(packages.structs(package)?, of, properties);
        lines.push(format!("{name} {}\n", words.join(" ")));
    }
    Ok(lines.concat())
}

fn words(structs: &Structs, of: &str, properties: &Map<String, Value>) -> Vec<String> {
    let mut flat = Vec::new();
    flatten(structs, of, "", &mut flat);
    let word = |(name, schema): (&String, &Value)| {
        let found = flat.iter().find(|(_, member)| member.json == *name);
        found.map_or_else(|| "-".to_owned(), |(path, member)| format!("{path}{}", presence(member, schema)))
    };
    properties.iter().map(word).collect()
}

/// The fields of a struct as JSON has them: those of an embedded one stand in its place.
fn flatten<'a>(structs: &'a Structs, of: &str, before: &str, into: &mut Vec<(String, &'a Member)>) {
    for member in structs.get(of).into_iter().flatten() {
        let path = format!("{before}{}", member.number);
        if member.json.is_empty() {
            flatten(structs, &member.of, &format!("{path}."), into);
        } else {
            into.push((path, member));
        }
    }
}

fn presence(member: &Member, schema: &Value) -> &'static str {
    // Go leaves out no struct for being empty, whatever `omitempty` says.
    let is_struct = schema.get("$ref").is_some() || schema.get("allOf").is_some();
    if member.of.starts_with('*') {
        if member.omit_empty || member.omit_zero { "*" } else { "^" }
    } else if member.omit_zero || (member.omit_empty && !is_struct) {
        ""
    } else {
        "!"
    }
}
