//! What stays of a run: the list of runs, and reports.

use snapbox::str;

use crate::bench::{Bench, says};

const SCRIPT: &str = r###"//! Look, and give up.
let name = param::string("name", "Who", #{ fallback: "b|o|b" });
step "Look around" { print("it is *quiet*"); note("## A note\n\nwith **weight**"); }
step "Give up" { throw "no <more> of `it`"; }
step "Never" { }
"###;

#[test]
fn the_report_opens_with_the_verdict_and_quotes_what_it_was_told() {
    let bench = Bench::new().script(SCRIPT).variable("USER", "alice");
    assert!(bench.run(&["it.rhai"]).ends_with("-- exit 3\n"));
    says!(
        bench.run(&["report"]),
        str![[r#"
-- stdout
# it: failed

In [TOOK]: nothing was changed.

**RB090** no &lt;more&gt; of \`it\`
- at `it.rhai:4`

| | |
| --- | --- |
| runbook | it: Look, and give up |
| run | `[RUN]` |
| script | `it.rhai`, sha256 `aeaa048298a26d60555bd30f6c457c626ae80f13f24a9ab56e8a220285938817` |
| started by | alice |
| --name | `b\|o\|b` |
| program | runbook 0.1.0 |
| time | [DATE] [TIME] UTC to [DATE] [TIME] UTC |

## Timeline

| began | took | step | |
| --- | --- | --- | --- |
| [TIME] | [TOOK] | Look around | done in [TOOK] |
| [TIME] | [TOOK] | Give up | failed after [TOOK] |
| | | Never | not begun |

## Step by step

### 1. Look around: done in [TOOK]

- [TIME] it is \*quiet\*

## A note

with **weight**


### 2. Give up: failed after [TOOK]


-- exit 0

"#]]
    );
}

#[test]
fn a_report_is_found_by_the_beginning_of_its_id() {
    let bench = Bench::new().script(SCRIPT);
    bench.run(&["it.rhai"]);
    assert_eq!(bench.run(&["report", "01"]), bench.run(&["report"]));
    says!(
        bench.run(&["report", "ZZ"]),
        str![[r#"
-- stderr
RB052  there is no run `ZZ` in                                            exit 1
       `[FOLDER]/.local/state/runbook/runs`

Next: `runbook runs` lists them
-- exit 1

"#]]
    );
}

#[test]
fn runs_are_listed_newest_first() {
    let bench = Bench::new().script(SCRIPT).file("two.rhai", "//! Two.\n\"2\"\n");
    says!(
        bench.run(&["runs"]),
        str![[r#"
-- stdout
no runs in [FOLDER]/.local/state/runbook/runs
-- exit 0

"#]]
    );
    bench.run(&["it.rhai"]);
    bench.run(&["two.rhai"]);
    says!(
        bench.run(&["runs"]),
        str![[r#"
-- stdout
[RUN]  [DATE] [TIME]  done  two  [TOOK]  0 writes
[RUN]  [DATE] [TIME]  failed  it  [TOOK]  0 writes
-- exit 0

"#]]
    );
    let json = String::from_utf8(bench.raw(&["runs", "--output", "json"]).stdout).unwrap();
    let verdicts: Vec<_> =
        json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["verdict"].clone()).collect();
    assert_eq!(verdicts, ["done", "failed"]);
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let bench = Bench::new().script(SCRIPT);
    bench.run(&["it.rhai"]);
    let run = fs_err::read_dir(bench.runs()).unwrap().next().unwrap().unwrap().path().join("journal.jsonl");
    let journal = fs_err::read_to_string(&run).unwrap();
    fs_err::write(&run, &journal[..journal.len() - 20]).unwrap();
    let text = bench.run(&["report"]);
    assert!(text.contains("not finished: still running, or cut off"), "{text}");
    assert!(text.contains("last line was cut off"), "{text}");
    assert!(bench.run(&["runs"]).contains("cut off"));
}
