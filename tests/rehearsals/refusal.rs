//! Scenarios that cannot be understood: each is refused before anything is prepared, with what is wrong and where.

use crate::{bare, in_folder, printed};

/// Rehearses a scenario that is written into a file.
#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("wrong.yaml"), text).unwrap();
    let output = in_folder(folder.path(), &["rolling-restart.rhai", "--name", "web", "--rehearse", "wrong.yaml"]);
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    // Wherever the lines were broken; the exit code stands at the end of the first.
    let said = said.replace("exit 1", "");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(said.contains(words), "`{words}` is missing in\n{said}");
    }
}

/// Rehearses with nothing beside the program: how it ends, and words that it says.
#[track_caller]
fn ends(words: &[&str], exit: i32, says: &[&str]) {
    let output = bare(words);
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    for words in says {
        assert!(said.contains(words), "`{words}` is missing in\n{said}");
    }
}

#[test]
fn a_scenario_that_cannot_be_understood_is_refused_with_its_line() {
    refused("about: Wrong.\nnodez: 3\n", &["nodez", "line 2"]);
    refused(
        "about: Wrong.\nreleases:\n- { name: a, chart: b, version: 1, namespace: c, value: {} }\n",
        &["value", "line 3"],
    );
    refused("timing:\n  ready: soon\n", &["`soon` is no duration", "line 2"]);
    refused("failures:\n- how: explode\n", &["explode", "line 2"]);
    refused("trouble:\n- verb: get\n- verb: fetch\n", &["`fetch` is no verb", "line 3"]);
    refused("trouble:\n- answer: 404\n", &["404 is no answer", "line 2"]);
    refused("at: yesterday\n", &["yesterday", "line 1"]);
    refused("about: [\n", &["cannot be understood", "line"]);
}

#[test]
fn a_scenario_begins_with_one_that_there_is_and_not_with_itself() {
    refused("from: nowhere\n", &["begins with `nowhere`", "in the box", "ambient-upgrade"]);
    refused("from: wrong.yaml\n", &["begins with itself"]);
}

#[test]
fn objects_of_a_state_have_a_place_or_are_named() {
    refused(
        "state:\n- { apiVersion: example.com/v1, kind: Dragon, metadata: { name: smaug, uid: u } }\n",
        &["Dragon smaug", "a kind that nothing defines"],
    );
    refused(
        "state:\n- { apiVersion: v1, kind: Node, metadata: { name: node-0 } }\n",
        &["Node node-0", "no name or no uid"],
    );
}

#[test]
fn a_scenario_that_there_is_not_is_refused_with_those_that_there_are() {
    let words = ["there is no scenario `nowhere`", "rolling-restart-crash"];
    ends(&["rolling-restart.rhai", "--rehearse", "nowhere"], 1, &words);
}

#[test]
fn a_name_that_is_misspelt_finds_its_neighbour_or_all_that_there_are() {
    let restart = ["rolling-restart.rhai", "--rehearse", "rolling-restart", "--name", "wbe", "--yes"];
    ends(&restart, 3, &["deployment/wbe does not exist", "did you mean `web`?", "nothing was changed"]);
    let remove = ["remove-revision.rhai", "--rehearse", "remove-revision", "--revision", "1-29-7", "--yes"];
    ends(&remove, 0, &["there is no revision 1-29-7 (installed: 1-29-6, 1-30-3)"]);
}
