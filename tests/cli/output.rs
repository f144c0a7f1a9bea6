//! The three forms of a run's output.

use snapbox::str;

use crate::bench::{Bench, says};

const SCRIPT: &str = r#"//! Look and say. Twice.
//!
//! Changes: nothing.
//! Undo:    nothing.
let name = param::string("name", "Who", #{ fallback: "bob" });
step "Look around" { print("it is quiet"); }
step "Leave this out" with #{ when: false } { }
step `Greet ${name}` with #{ id: "greet" } {
    step "Take off the hat" { }
    log::warn("it rains");
}
"greeted " + name
"#;

#[test]
fn without_a_terminal_there_is_a_line_per_change() {
    says!(
        Bench::new().script(SCRIPT).run(&["it.rhai"]),
        str![[r#"
-- stdout
it   Look and say                                                   run [RUN]
  script   it.rhai   sha256 591dbbee
  params   name bob

[TIME]  run  1  Look around
[TIME]          it is quiet
[TIME]  ok  1  Look around  [TOOK]
[TIME]  run  2  Leave this out
[TIME]  ..  2  Leave this out (skipped)  [TOOK]
[TIME]  run  3  Greet bob
[TIME]  run       Take off the hat
[TIME]  ok  Take off the hat  [TOOK]
[TIME]  !!      it rains
[TIME]  ok  3  Greet bob  [TOOK]

ok  Done in [TOOK]: greeted bob
Report: runbook report [RUN]
-- exit 0

"#]]
    );
}

#[test]
fn the_locale_decides_about_the_signs() {
    let bench = Bench::new().script(SCRIPT).variable("LC_ALL", "C.UTF-8");
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stdout
it   Look and say                                                   run [RUN]
  script   it.rhai   sha256 591dbbee
  params   name bob

[TIME]  ▶  1  Look around
[TIME]        it is quiet
[TIME]  ✓  1  Look around  [TOOK]
[TIME]  ▶  2  Leave this out
[TIME]  ·  2  Leave this out (skipped)  [TOOK]
[TIME]  ▶  3  Greet bob
[TIME]  ▶       Take off the hat
[TIME]  ✓  Take off the hat  [TOOK]
[TIME]  !     it rains
[TIME]  ✓  3  Greet bob  [TOOK]

✓ Done in [TOOK]: greeted bob
Report: runbook report [RUN]
-- exit 0

"#]]
    );
}

#[test]
fn the_human_form_keeps_finished_steps() {
    let bench = Bench::new().script(SCRIPT).variable("LC_ALL", "C.UTF-8");
    says!(
        bench.run(&["it.rhai", "--output", "human"]),
        str![[r#"
-- stdout
it   Look and say                                                   run [RUN]
  script   it.rhai   sha256 591dbbee
  params   name bob

✓  1  Look around  [TOOK]
      it is quiet
·  2  Leave this out                                                     skipped
✓  3  Greet bob  [TOOK]
      ✓ Take off the hat  [TOOK]
      ! it rains

✓ Done in [TOOK]: greeted bob
Report: runbook report [RUN]
-- exit 0

"#]]
    );
}

#[test]
fn colours_are_there_when_forced_and_change_no_word() {
    let plain = Bench::new().script(SCRIPT).run(&["it.rhai"]);
    let coloured = Bench::new().script(SCRIPT).variable("CLICOLOR_FORCE", "1").run(&["it.rhai"]);
    assert!(coloured.contains("\u{1b}[32mok \u{1b}[0m"), "{coloured:?}");
    let refused = Bench::new().script(SCRIPT).variable("NO_COLOR", "1").run(&["it.rhai"]);
    assert_eq!(refused, plain);
}

#[test]
fn every_line_of_json_is_an_object_with_time_and_kind() {
    let output = Bench::new().script(SCRIPT).raw(&["it.rhai", "--output", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["t"].as_str().unwrap()).collect();
    assert!(lines.iter().all(|line| line["at"].is_string()), "{text}");
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("run", "finished"));
    assert_eq!(lines[lines.len() - 1]["summary"], "greeted bob");
    assert_eq!(lines[0]["parameters"], serde_json::json!({ "name": "bob" }));
}

#[test]
fn a_form_that_is_not_there_is_a_fault() {
    says!(
        Bench::new().script(SCRIPT).run(&["it.rhai", "--output", "yaml"]),
        str![[r#"
-- stderr
RB002  `--output` does not know `yaml`                                    exit 1

Next: it knows human, plain, json
-- exit 1

"#]]
    );
}

#[test]
fn logs_go_to_standard_error_in_either_form() {
    let bench = Bench::new().script(SCRIPT);
    let text = bench.run(&["it.rhai", "-vv"]);
    assert!(!text.contains("panicked"), "{text}");
    let wrong = Bench::new().script(SCRIPT).variable("RUNBOOK_LOG", "a=b=c").run(&["it.rhai"]);
    assert!(wrong.contains("RB002  `RUNBOOK_LOG=a=b=c` cannot be understood"), "{wrong}");
}
