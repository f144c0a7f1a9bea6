//! The page on scenarios: its examples are scenarios, and it leaves no key out.

use runbook_sim::scenario::Scenario;

const PAGE: &str = include_str!("../../runbooks/scenarios/README.md");

fn examples() -> Vec<&'static str> {
    PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_example_of_the_page_is_a_scenario() {
    assert!(examples().len() >= 6);
    for example in examples() {
        Scenario::read(example).unwrap_or_else(|why| panic!("{why}\n{example}"));
    }
}

/// What there is at a place where `text` asks for something that there is not.
fn keys(text: &str) -> Vec<String> {
    let refused = Scenario::read(text).unwrap_err();
    let (_, known) = refused.split_once("expected").unwrap_or_else(|| panic!("no list of keys in: {refused}"));
    let known = known.lines().next().unwrap_or_default();
    known
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !["one", "of", ""].contains(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_key_is_on_the_page() {
    let places = [
        "dragon: 1\n",
        "nodes:\n- { name: a, dragon: 1 }\n",
        "releases:\n- { dragon: 1 }\n",
        "timing: { dragon: 1 }\n",
        "failures:\n- { dragon: 1 }\n",
        "trouble:\n- { dragon: 1 }\n",
        "answers: { dragon: 1 }\n",
    ];
    for place in places {
        // Where a list or a number may stand, which key was wrong is not said; its keys are few.
        let known = if place.starts_with("nodes") {
            ["name", "labels", "unschedulable", "pods"].map(str::to_owned).to_vec()
        } else {
            keys(place)
        };
        assert!(known.len() > 1, "{place}: {known:?}");
        for key in known {
            assert!(PAGE.contains(&format!("`{key}`")) || PAGE.contains(&format!("`{key}: ")), "`{key}` of {place}");
        }
    }
}
