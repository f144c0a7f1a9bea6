//! Questions and checks where nobody is there to answer.

use snapbox::str;

use crate::bench::{Bench, says};

const PLAN: &str = r#"//! Move the shop.
//!
//! Changes: one thing.
//! Undo:    move it back.
step "Look" {
    check("skew", || #{ verdict: "pass", message: "one minor" });
    check("images", || #{ verdict: "warn", message: "the registry changes", fix: "mirror them" });
}
plan(#{
    duration: "2 writes, a minute",
    changes: [
        #{ what: "istiod", change: "1.29.6 to 1.30.3", extent: "12 objects", undo: "upgrade back" },
        #{ what: "base", change: "1.29.6 to 1.30.3", extent: "15 objects, 1 new CRD", undo: "one way" },
    ],
    disturbs: ["3 waypoints roll"],
});
step "Remove the old one" with #{ id: "remove-old" } {
    approve("Remove istiod-1-29-6 for good", #{ retype: "1-29-6", evidence: ["0 of 212 proxies use it", "no tag points to it"] });
}
"moved"
"#;

const CHECKS: &str = r#"//! Check.
step "Look" with #{ id: "preflight" } {
    check("skew", || #{ verdict: "fail", message: "1.28 to 1.30 skips a minor", fix: "go to 1.29 first" });
    check("gateway api", || #{ verdict: "fail", message: "too old" }, #{ allow_override: true });
    check("images", || "pass");
}
"#;

#[test]
fn the_start_is_shown_and_not_assumed() {
    says!(
        Bench::new().script(PLAN).run(&["it.rhai"]),
        str![[r#"
-- stdout
it   Move the shop                                                  run [RUN]
  script   it.rhai   sha256 698ba5ad

[TIME]  run  1  Look
[TIME]  ok      skew: one minor
[TIME]  !!      images: the registry changes
[TIME]            mirror them
[TIME]  ok  1  Look  [TOOK]

Will change                                                   2 writes, a minute
  istiod  1.29.6 to 1.30.3  12 objects             undo: upgrade back
  base    1.29.6 to 1.30.3  15 objects, 1 new CRD  one way
Will disturb
  3 waypoints roll

-- stderr

RB060  the run is about to make its first change, and nobody is there to  exit 6
       say yes

  it.rhai:9
   9 | plan(#{
     | ^^^^

Now:  nothing was changed
Next: pass `--yes`, or run it on a terminal
Report: runbook report [RUN]
-- exit 6

"#]]
    );
}

#[test]
fn an_approval_is_not_given_by_yes() {
    says!(
        Bench::new().script(PLAN).run(&["it.rhai", "--yes"]),
        str![[r#"
-- stdout
it   Move the shop                                                  run [RUN]
  script   it.rhai   sha256 698ba5ad

[TIME]  run  1  Look
[TIME]  ok      skew: one minor
[TIME]  !!      images: the registry changes
[TIME]            mirror them
[TIME]  ok  1  Look  [TOOK]

Will change                                                   2 writes, a minute
  istiod  1.29.6 to 1.30.3  12 objects             undo: upgrade back
  base    1.29.6 to 1.30.3  15 objects, 1 new CRD  one way
Will disturb
  3 waypoints roll

[TIME]  ok      Continue? yes (--yes)
[TIME]  run  2  Remove the old one
[TIME]  xx  2  Remove the old one  [TOOK]
-- stderr

RB060  approval `remove-old` is needed, and nobody is there to give it:   exit 6
       Remove istiod-1-29-6 for good

  it.rhai:18
   18 |     approve("Remove istiod-1-29-6 for good", #{ retype: "1-29-6", evide…
      |     ^^^^^^^

  0 of 212 proxies use it
  no tag points to it

Now:  nothing was changed
Next: pass `--approve remove-old`, or run it on a terminal
Report: runbook report [RUN]
-- exit 6

"#]]
    );
}

#[test]
fn an_approval_given_beforehand_is_in_the_record_with_who_gave_it() {
    let bench = Bench::new().script(PLAN).variable("USER", "alice");
    let text = bench.run(&["it.rhai", "--yes", "--approve", "remove-old"]);
    assert!(text.ends_with("-- exit 0\n"), "{text}");
    says!(
        bench.run(&["report"]),
        str![[r#"
-- stdout
# it: done

In [TOOK]: moved; nothing was changed.

| | |
| --- | --- |
| runbook | it: Move the shop |
| run | `[RUN]` |
| script | `it.rhai`, sha256 `698ba5ad438b2a4ac6ae6cd802c19d638b55d4d0e4487bb9b0690d1ea4ee6f47` |
| started by | alice |
| answered beforehand | `--yes`, `--approve remove-old` |
| program | runbook 0.1.0 |
| time | [DATE] [TIME] UTC to [DATE] [TIME] UTC |

## Timeline

| began | took | step | |
| --- | --- | --- | --- |
| [TIME] | [TOOK] | Look | done in [TOOK] |
| [TIME] | [TOOK] | Remove the old one | done in [TOOK] |

## What was going to change

| what | change | extent | undo |
| --- | --- | --- | --- |
| istiod | 1.29.6 to 1.30.3 | 12 objects | upgrade back |
| base | 1.29.6 to 1.30.3 | 15 objects, 1 new CRD | one way |

It would disturb:

- 3 waypoints roll

## Checks

| | check | found | |
| --- | --- | --- | --- |
| pass | skew | one minor |  |
| warning | images | the registry changes | mirror them |

## Questions and approvals

| when | question | answer | by |
| --- | --- | --- | --- |
| [DATE] [TIME] UTC | Continue? | yes | alice (--yes) |
| [DATE] [TIME] UTC | Remove istiod-1-29-6 for good | yes | alice (--approve remove-old) |

## Step by step

### 1. Look: done in [TOOK]


### 2. Remove the old one: done in [TOOK]


-- exit 0

"#]]
    );
}

#[test]
fn an_approval_of_something_else_is_none() {
    let text = Bench::new().script(PLAN).run(&["it.rhai", "--yes", "--approve", "remove"]);
    assert!(text.ends_with("-- exit 6\n"), "{text}");
}

#[test]
fn failed_checks_are_told_together_and_refuse() {
    says!(
        Bench::new().script(CHECKS).run(&["it.rhai"]),
        str![[r#"
-- stdout
it   Check                                                          run [RUN]
  script   it.rhai   sha256 c8824e5b

[TIME]  run  1  Look
[TIME]  xx      skew: 1.28 to 1.30 skips a minor
[TIME]            go to 1.29 first
[TIME]  xx      gateway api: too old
[TIME]            or let it through: --override gateway-api --reason "..."
[TIME]  ok      images
[TIME]  xx  1  Look  [TOOK]
-- stderr

RB070  2 of 3 checks failed; nothing was changed                          exit 7

Now:  nothing was changed
Next: go to 1.29 first
Report: runbook report [RUN]
-- exit 7

"#]]
    );
}

#[test]
fn an_override_lets_one_check_through_and_is_in_the_output_the_journal_and_the_report() {
    let bench = Bench::new()
        .script(&CHECKS.replace("verdict: \"fail\", message: \"1.28", "verdict: \"warn\", message: \"1.28"));
    says!(
        bench.run(&["it.rhai", "--override", "gateway-api", "--reason", "tested"]),
        str![[r#"
-- stdout
it   Check                                                          run [RUN]
  script   it.rhai   sha256 e3b96aa5

[TIME]  run  1  Look
[TIME]  !!      skew: 1.28 to 1.30 skips a minor
[TIME]            go to 1.29 first
[TIME]  !!      gateway api: too old
[TIME]            let through with --override gateway-api: tested
[TIME]  ok      images
[TIME]  ok  1  Look  [TOOK]

ok  Done in [TOOK]: nothing was changed
Report: runbook report [RUN]
-- exit 0

"#]]
    );
    let journal = bench.journal();
    assert!(journal.contains(r#""beforehand":["--override gateway-api --reason \"tested\""]"#), "{journal}");
    assert!(journal.contains(r#""overridden":"tested""#), "{journal}");
    let report = bench.run(&["report"]);
    assert!(report.contains("let through with `--override gateway-api`: tested"), "{report}");
}

#[test]
fn a_check_that_may_not_be_overridden_refuses_the_override_before_anything_is_looked_at() {
    let bench = Bench::new().script(CHECKS);
    let both = ["--override", "gateway-api", "--reason", "tested", "--override", "skew", "--reason", "I know"];
    says!(
        bench.run(&[&["it.rhai"], &both[..]].concat()),
        str![[r#"
-- stderr
RB002  check `skew` cannot be overridden                                  exit 1

Next: these can be: gateway-api
-- exit 1

"#]]
    );
}

#[test]
fn an_override_of_a_check_that_there_is_not_finds_its_neighbour() {
    let bench = Bench::new().script(CHECKS);
    says!(
        bench.run(&["it.rhai", "--override", "gatway-api", "--reason", "tested"]),
        str![[r#"
-- stderr
RB002  there is no check `gatway-api`                                     exit 1

Next: did you mean `gateway-api`? these can be: gateway-api
-- exit 1

"#]]
    );
}

#[test]
fn a_question_that_cannot_be_answered_beforehand_needs_a_terminal() {
    let bench = Bench::new().script("//! Ask.\nlet a = choose(\"Which?\", [\"a\", \"b\"]);\n");
    says!(
        bench.run(&["it.rhai", "--yes", "--approve", "all"]),
        str![[r#"
-- stdout
it   Ask                                                            run [RUN]
  script   it.rhai   sha256 51a9e491

-- stderr

RB060  a question needs a person, and nobody is there: Which?             exit 6

  it.rhai:2
   2 | let a = choose("Which?", ["a", "b"]);
     |         ^^^^^^

Now:  nothing was changed
Next: run it on a terminal; this question cannot be answered beforehand
Report: runbook report [RUN]
-- exit 6

"#]]
    );
}
