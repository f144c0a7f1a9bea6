//! The user values of a call: files, the map and single values, merged natively, so that none stands on a command line.
//!
//! Does not know which chart they are for, nor how they travel.

use runbook_core::secret::Vault;
use runbook_core::{Args, Code, Fault, Value, World};
use serde_json::Map;

use super::option::{SET, VALUES, VALUES_FILES};
use super::path;
use crate::yaml;

/// Ends of keys whose values are taken for secrets, lower case and without `_` and `-`.
const CONFIDENTIAL: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credentials",
];

/// Shorter texts under such keys are no secrets worth hiding half of every page for.
const SHORTEST_SECRET: usize = 8;

/// The user values of a call that declares `VALUES`, `VALUES_FILES` and `SET`; `None` where it gives none at all.
///
/// What looks like a secret in them is remembered as one. Faults: `RB091` for a file that may not be read, `RB015` for what
/// cannot be merged.
pub(super) fn given(world: &World, args: &Args) -> Result<Option<Map<String, Value>>, Fault> {
    let files = args.get(&VALUES_FILES).unwrap_or_default();
    let (values, single) = (args.get(&VALUES), args.get(&SET));
    if files.is_empty() && values.is_none() && single.is_none() {
        return Ok(None);
    }
    let mut merged = Map::new();
    for file in files {
        merge(&mut merged, read(world, &file)?);
    }
    merge(&mut merged, values.unwrap_or_default());
    for (path, value) in single.unwrap_or_default() {
        path::set(&mut merged, &path, value)
            .map_err(|reason| Fault::new(Code::WrongArgument, format!("`set` cannot be followed: {reason}")))?;
    }
    learn(&world.secrets, &merged);
    Ok(Some(merged))
}

/// The values of a call without those of its files, as a person would have written them into one; `None` where it gives none.
pub(super) fn typed(args: &Args) -> Option<Value> {
    let (values, single) = (args.get(&VALUES), args.get(&SET));
    if values.is_none() && single.is_none() {
        return None;
    }
    let mut merged = values.unwrap_or_default();
    for (path, value) in single.unwrap_or_default() {
        // What cannot be followed is told by the call itself.
        path::set(&mut merged, &path, value).ok()?;
    }
    Some(Value::Object(merged))
}

fn read(world: &World, file: &str) -> Result<Map<String, Value>, Fault> {
    let text = world.files.read(file)?;
    match yaml::document(&text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Fault::new(Code::WrongArgument, format!("values file `{file}` holds no map"))),
        Err(reason) => Err(Fault::new(Code::WrongArgument, format!("values file `{file}` cannot be read: {reason}"))),
    }
}

/// Merges maps into maps; anything else replaces. A null stays: to helm it takes a default away.
pub(super) fn merge(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Remembers what looks like a secret, so that no message and no record shows it.
pub(super) fn learn(vault: &Vault, values: &Map<String, Value>) {
    for (key, value) in values {
        match value {
            Value::Object(map) => learn(vault, map),
            Value::Array(items) => items.iter().filter_map(Value::as_object).for_each(|map| learn(vault, map)),
            Value::String(text) if is_confidential(key) && text.trim().len() >= SHORTEST_SECRET => vault.learn(text),
            _ => {}
        }
    }
}

fn is_confidential(key: &str) -> bool {
    let key: String = key.chars().filter(|c| !"_-".contains(*c)).collect::<String>().to_lowercase();
    CONFIDENTIAL.iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Bench;
    use runbook_core::arg::Arg;
    use serde_json::json;

    fn given_by(bench: &Bench, options: &Value) -> Result<Option<Map<String, Value>>, Fault> {
        let mut args = Args::default();
        for name in ["values", "values_files", "set"] {
            if let Some(value) = options.get(name) {
                args.set(name, Arg::Value(value.clone()));
            }
        }
        given(bench.world(), &args)
    }

    #[test]
    fn files_then_values_then_single_values_and_the_last_wins() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("a.yaml"), "profile: ambient\nglobal: {tag: one, hub: h}\nlist: [1, 2]\n")
            .unwrap();
        fs_err::write(folder.path().join("b.yaml"), "global: {tag: two}\nlist: [3]\n").unwrap();
        let bench = Bench::with(|world| world.files.roots = vec![folder.path().to_owned()]);
        let merged = given_by(
            &bench,
            &json!({
                "values_files": ["a.yaml", "b.yaml"],
                "values": { "global": { "extra": null } },
                "set": { "global.tag": "three", "list[1]": 4 },
            }),
        );
        let expected = json!({
            "profile": "ambient", "global": { "tag": "three", "hub": "h", "extra": null }, "list": [3, 4]
        });
        assert_eq!(Value::Object(merged.unwrap().unwrap()), expected);
    }

    #[test]
    fn no_values_and_an_empty_map_are_two_things() {
        let bench = Bench::new();
        assert_eq!(given_by(&bench, &json!({})).unwrap(), None);
        assert_eq!(given_by(&bench, &json!({ "values_files": [] })).unwrap(), None);
        assert_eq!(given_by(&bench, &json!({ "values": {} })).unwrap(), Some(Map::new()));
    }

    #[test]
    fn secrets_in_values_are_known_from_then_on() {
        let bench = Bench::new();
        let values =
            json!({ "db": [{ "adminPassword": "hunter2hunter2", "user": "administrator" }], "api_key": "k-123456789" });
        given_by(&bench, &json!({ "values": values })).unwrap();
        let masked = bench.world().secrets.mask("hunter2hunter2 of administrator, k-123456789");
        assert_eq!(masked, "<secret 1> of administrator, <secret 2>");
    }

    #[test]
    fn a_file_that_is_no_map_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("list.yaml"), "- password: hunter2\n").unwrap();
        let bench = Bench::with(|world| world.files.roots = vec![folder.path().to_owned()]);
        let fault = given_by(&bench, &json!({ "values_files": ["list.yaml"] })).unwrap_err();
        assert_eq!((fault.code, fault.message.as_str()), (Code::WrongArgument, "values file `list.yaml` holds no map"));
        let fault = given_by(&bench, &json!({ "values_files": ["../list.yaml"] })).unwrap_err();
        assert_eq!(fault.code, Code::FileAccess);
    }
}
