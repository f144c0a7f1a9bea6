//! The cases of structured-merge-diff: merging, comparing, removing, sets of fields; then whole stories of applies and updates.

use serde_json::{Value, json};

use super::smd::{deduced, path, schema, set};
use super::{Cases, Difference, equal, module, tables, yaml};
use crate::apply::peers::{Story, check, compare, fields, merge, remove};
use crate::schema::Schema;

const MODULE: &str = "sigs.k8s.io/structured-merge-diff/v6 ";

const DIFFERENCES: &[Difference] = &[];

#[test]
fn peers_cases_of_typed_values() {
    let Some(folder) = module("peers_cases_of_typed_values", MODULE) else { return };
    let files = ["merge_test", "symdiff_test", "toset_test", "validate_test", "remove_test"];
    let tables = tables(&folder.join("typed"), &files);
    let mut cases = Cases::new(DIFFERENCES);
    each(&tables["mergeCases"], "triplets", |name, schema, case| {
        let [below, above, out] = ["lhs", "rhs", "out"].map(|key| case[key].clone());
        let pick =
            |part: Value, at: usize| yaml(if part.is_null() { case[at].as_str() } else { part.as_str() }.unwrap());
        let merged = merge(schema, &pick(below, 0), &pick(above, 1));
        cases.add(name, merged.and_then(|ours| equal(&ours, &pick(out, 2))));
    });
    each(&tables["symdiffCases"], "quints", |name, schema, case| {
        let text = |key: &str| yaml(case[key].as_str().unwrap());
        let theirs = ["removed", "modified", "added"].map(|key| set(&case[key]));
        let ours = compare(schema, &text("lhs"), &text("rhs"));
        cases.add(name, ours.and_then(|ours| if ours == theirs { Ok(()) } else { Err(format!("{case}\n{ours:?}")) }));
    });
    each(&tables["fieldsetCases"], "pairs", |name, schema, case| {
        let (ours, theirs) = (fields(schema, &yaml(case[0].as_str().unwrap())), set(&case[1]));
        cases.add(name, if ours == theirs { Ok(()) } else { Err(format!("{case}\n{ours:?}")) });
    });
    each(&tables["removeCases"], "quadruplets", |name, schema, case| {
        let removed = remove(schema, &yaml(case[0].as_str().unwrap()), &set(&case[1]));
        cases.add(name, equal(&removed, &yaml(case[2].as_str().unwrap())));
    });
    for (table, valid) in [("validObjects", true), ("invalidObjects", false)] {
        each(&tables["validationCases"], table, |name, schema, case| {
            let Value::String(text) = case else { return };
            let ours = check(schema, &yaml(text));
            cases.add(name, if ours.is_ok() == valid { Ok(()) } else { Err(format!("{text}: {ours:?}")) });
        });
    }
    cases.settle(230);
}

/// Each case of a table, with its type.
fn each(table: &Value, part: &str, mut run: impl FnMut(&str, &Schema, &Value)) {
    for group in table.as_array().unwrap() {
        let text = group["schema"].as_str().unwrap_or_default();
        let Some(root) = group["rootTypeName"].as_str().filter(|_| !text.is_empty()) else { continue };
        let Some(schema) = schema(text, root) else { continue };
        for (at, case) in group[part].as_array().into_iter().flatten().enumerate() {
            run(&format!("{} {part} {at}", group["name"].as_str().unwrap()), &schema, case);
        }
    }
}

#[test]
fn peers_stories_of_apply_and_update() {
    let Some(folder) = module("peers_stories_of_apply_and_update", MODULE) else { return };
    let merge = folder.join("merge");
    let names = fs_err::read_dir(&merge).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let mut files: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".go")?.to_owned())).collect();
    files.retain(|name| name.ends_with("_test"));
    files.sort();
    let tables = tables(&merge, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let mut cases = Cases::new(STORIES);
    for (test, stories) in tables.as_object().unwrap() {
        let Some(parser) = tables.get(format!("{test}@parser")).and_then(Value::as_str) else { continue };
        let of = &tables[parser];
        let read = of["schema"].as_str().zip(of["type"].as_str()).and_then(|(text, root)| schema(text, root));
        let Some(schema) = read.or_else(|| (parser == "DeducedParser").then(deduced)) else { continue };
        for (name, story) in stories.as_object().into_iter().flatten() {
            if let Some(outcome) = tell(&schema, story) {
                cases.add(&format!("{test} {name}"), outcome);
            }
        }
    }
    cases.settle(70);
}

const STORIES: &[Difference] = &[];

/// One story; none if it holds what is no part of the server's ways (`ExtractApply`, schemas that change).
fn tell(schema: &Schema, story: &Value) -> Option<Result<(), String>> {
    let steps = story["Ops"].as_array()?;
    let known = |step: &Value| {
        let kind = step["@type"].as_str();
        kind.is_some_and(|kind| ["Apply", "ForceApply", "Update"].contains(&kind)) && step["Object"].is_string()
    };
    let plain = story.get("IgnoreFilter").is_none() && story.get("IgnoredFields").is_none();
    if !steps.iter().all(known) || !plain {
        return None;
    }
    let mut at = Story::default();
    for step in steps {
        let text = |key: &str| step[key].as_str().unwrap_or_default();
        let object = yaml(text("Object"));
        let (manager, version) = (text("Manager"), text("APIVersion"));
        let outcome = match text("@type") {
            "Update" => at.update(schema, &object, manager, version),
            kind => at.apply(schema, &object, manager, version, kind == "ForceApply"),
        };
        let expected: Vec<_> = step["Conflicts"].as_array().into_iter().flatten().collect();
        match outcome {
            Ok(()) if expected.is_empty() => {}
            Ok(()) => return Some(Err(format!("no conflict at {step}"))),
            Err(conflicts) => {
                let mut ours: Vec<String> = conflicts;
                let shown =
                    |one: &&Value| path(&one["Path"]).iter().map(ToString::to_string).collect::<Vec<_>>().concat();
                let mut theirs: Vec<String> = expected.iter().map(shown).collect();
                ours.sort();
                theirs.sort();
                if ours != theirs {
                    return Some(Err(format!("{ours:?} at {step}, but {theirs:?}")));
                }
            }
        }
    }
    Some(ends(&at, story))
}

fn ends(at: &Story, story: &Value) -> Result<(), String> {
    if let Some(text) = story["Object"].as_str().filter(|text| !text.is_empty()) {
        equal(&at.live, &yaml(text))?;
    }
    let Some(managed) = story.get("Managed").and_then(Value::as_object) else { return Ok(()) };
    let mut ours: Vec<_> = at.owned().into_iter().collect();
    let mut theirs: Vec<_> = managed
        .iter()
        .filter(|(name, _)| *name != "@type")
        .map(|(name, of)| (name.clone(), of["@args"][1].as_str().unwrap_or_default().to_owned(), set(&of["@args"][0])))
        .collect();
    ours.sort_by(|left, right| left.0.cmp(&right.0));
    theirs.sort_by(|left, right| left.0.cmp(&right.0));
    let shown = |all: &[(String, String, crate::apply::Set)]| {
        json!(all.iter().map(|(name, version, set)| json!([name, version, set.written()])).collect::<Vec<_>>())
    };
    if ours == theirs { Ok(()) } else { Err(format!("ours   {}\ntheirs {}", shown(&ours), shown(&theirs))) }
}
