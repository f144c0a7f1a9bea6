//! Every example of every primitive that needs no cluster runs, and answers what it says.

use super::bench::{Answers, run};
use runbook_core::{Effect, Value};

#[test]
fn every_example_of_what_reaches_no_cluster_answers_what_it_says() {
    let mut wrong = Vec::new();
    for primitive in runbook_stdlib::primitives()
        .into_iter()
        .filter(|primitive| primitive.effect == Effect::Pure || primitive.name == "time::now")
    {
        for example in primitive.examples.iter().filter(|example| example.cluster.is_empty()) {
            let answers = Answers { given: vec![("*", "yes")], ..Answers::default() };
            match run(example.script, answers).outcome {
                Ok(value) if says(&value, example.expect) => {}
                Ok(value) => {
                    wrong.push(format!("{}: {} is {value}, not {}", primitive.name, example.script, example.expect));
                }
                Err(fault) => wrong.push(format!("{}: {}: {fault:#?}", primitive.name, example.script)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A text also counts without the quotes and escapes of JSON.
fn says(value: &Value, expected: &str) -> bool {
    value.to_string().contains(expected) || value.as_str().is_some_and(|text| text.contains(expected))
}

#[test]
fn every_primitive_says_what_it_does_and_shows_it_where_no_cluster_is_needed() {
    let mute: Vec<_> = runbook_stdlib::primitives()
        .into_iter()
        .filter(|primitive| {
            let unshown = primitive.effect == Effect::Pure && primitive.examples.is_empty();
            unshown || !primitive.summary.ends_with('.')
        })
        .map(|primitive| primitive.name)
        .collect();
    assert!(mute.is_empty(), "{mute:?}");
}

#[test]
fn names_are_unique_and_spelt_alike() {
    let mut names: Vec<_> = runbook_stdlib::primitives().into_iter().map(|primitive| primitive.name).collect();
    names.sort_unstable();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before);
    for name in names {
        let parts: Vec<_> = name.split("::").collect();
        let snake = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        assert!(parts.len() <= 2 && parts.iter().all(snake), "{name}");
    }
}
