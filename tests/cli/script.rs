//! Scripts that cannot be found, read or run.

use snapbox::str;

use crate::bench::{Bench, says};

#[test]
fn a_script_that_is_not_there_finds_its_neighbour() {
    says!(
        Bench::new().run(&["ambient-upgrad.rhai"]),
        str![[r#"
-- stderr
RB002  `ambient-upgrad.rhai` is no command, no file, and no bundled       exit 1
       runbook

Next: did you mean `runbook ambient-upgrade`?
-- exit 1

"#]]
    );
    says!(
        Bench::new().run(&["lists"]),
        str![[r#"
-- stderr
RB002  `lists` is no command, no file, and no bundled runbook             exit 1

Next: did you mean `runbook list`?
-- exit 1

"#]]
    );
    says!(
        Bench::new().run(&["nowhere/to-be-found.rhai"]),
        str![[r#"
-- stderr
RB002  `nowhere/to-be-found.rhai` is no command, no file, and no bundled  exit 1
       runbook

Next: `runbook list` lists the bundled runbooks, `runbook --help` the commands
-- exit 1

"#]]
    );
}

#[test]
fn a_syntax_error_is_shown_in_its_place() {
    let bench = Bench::new().script("//! Broken.\nlet a = 1;\nstep \"Look\" {\n\tlet b = a +;\n}\n");
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stderr
RB010  `;` makes no sense here                                            exit 1

  it.rhai:4
   4 |     let b = a +;
     |                ^
-- exit 1

"#]]
    );
}

#[test]
fn a_script_that_calls_itself_for_ever_is_stopped() {
    let bench =
        Bench::new().script("//! For ever.\nfn again(n) {\n    again(n + 1)\n}\nstep \"Turn\" {\n    again(0);\n}\n");
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stdout
it   For ever                                                       run [RUN]
  script   it.rhai   sha256 c52aa420

[TIME]  run  1  Turn
[TIME]  xx  1  Turn  [TOOK]
-- stderr

RB013  functions call one another too deeply                              exit 3

  it.rhai:6
   6 |     again(0);
     |     ^^^^^

Now:  nothing was changed
Report: runbook report [RUN]
-- exit 3

"#]]
    );
}

#[test]
fn ctrl_c_ends_a_loop_without_end() {
    let bench = Bench::new().script("//! For ever.\nstep \"Turn\" {\n    while true { }\n}\n");
    let text = bench.interrupted(&["it.rhai"], "Turn");
    // It is caught at the loop, at its condition or at its body: which, is chance.
    let text = ["    ^\n", "          ^\n"]
        .iter()
        .fold(text, |text, mark| text.replace(&format!("     | {mark}"), &format!("     | {}^\n", " ".repeat(15))));
    says!(
        text,
        str![[r#"
-- stdout
it   For ever                                                       run [RUN]
  script   it.rhai   sha256 c3066dd5

[TIME]  run  1  Turn
[TIME]  xx  1  Turn  [TOOK]
-- stderr
!!  interrupted: finishing the call in hand, then stopping; Ctrl-C again stops
    now

RB080  interrupted                                                      exit 130

  it.rhai:3
   3 |     while true { }
     |                ^

Now:  nothing was changed
Report: runbook report [RUN]
-- exit 130

"#]]
    );
}

#[test]
fn a_module_outside_of_the_roots_is_refused() {
    let bench = Bench::new()
        .file("secret.rhai", "fn x() { 1 }\n")
        .file("own/it.rhai", "//! Reach out.\nimport \"../secret\" as s;\ns::x()\n");
    says!(
        bench.run(&["own/it.rhai"]),
        str![[r#"
-- stderr
RB012  `../secret` leads out of the folders from which modules may be     exit 1
       imported

  it.rhai:2
   2 | import "../secret" as s;
     | ^^^^^^

Next: put the module below the script's own folder, or name its folder with
      `--library DIR`
-- exit 1

"#]]
    );
}

#[test]
fn a_module_of_its_own_folder_and_of_a_library_folder_is_found() {
    let bench =
        Bench::new().file("own/lib/ours.rhai", "fn one() { 1 }\n").file("shared/theirs.rhai", "fn two() { 2 }\n").file(
            "own/it.rhai",
            "//! Add.\nimport \"./lib/ours\" as o;\nimport \"theirs\" as t;\n`${o::one() + t::two()}`\n",
        );
    let text = bench.run(&["own/it.rhai", "--library", "shared"]);
    assert!(text.contains(": 3\n"), "{text}");
}

#[test]
fn a_fault_in_a_module_shows_who_called() {
    let bench = Bench::new()
        .file("lib.rhai", "fn outer(x) { inner(x) }\nfn inner(x) {\n    throw `no ${x}`;\n}\n")
        .script("//! Call.\nimport \"./lib\" as lib;\nstep \"Go\" {\n    lib::outer(\"way\");\n}\n");
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stdout
it   Call                                                           run [RUN]
  script   it.rhai   sha256 b090df04

[TIME]  run  1  Go
[TIME]  xx  1  Go  [TOOK]
-- stderr

RB090  no way                                                             exit 3

  lib.rhai:3, called from lib.rhai:1, called from it.rhai:4
   3 |     throw `no ${x}`;
     |     ^^^^^

Now:  nothing was changed
Report: runbook report [RUN]
-- exit 3

"#]]
    );
}

#[test]
fn text_from_elsewhere_cannot_act_on_the_terminal() {
    let script = "//! Speak.\nprint(\"red \\x1b[31m and \\u202e back\");\nthrow \"bell \\x07\\nand \\x9b2J\";\n";
    let bench = Bench::new().script(script);
    let text = bench.run(&["it.rhai", "--output", "plain"]);
    says!(
        &text,
        str![[r#"
-- stdout
it   Speak                                                          run [RUN]
  script   it.rhai   sha256 e51eb442

[TIME]          red \u{1b}[31m and \u{202e} back
-- stderr

RB090  bell \u{7}                                                         exit 3
       and \u{9b}2J

  it.rhai:3
   3 | throw "bell \x07\nand \x9b2J";
     | ^^^^^

Now:  nothing was changed
Report: runbook report [RUN]
-- exit 3

"#]]
    );
    for form in ["human", "json"] {
        let bench = Bench::new().script(script);
        let text = [bench.run(&["it.rhai", "--output", form]), bench.run(&["report"])].concat();
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{9b}']), "{text:?}");
    }
}

#[test]
fn a_syntax_error_in_a_module_is_shown_in_the_module() {
    let bench =
        Bench::new().file("lib.rhai", "fn one() {\n    let new = 1;\n}\n").script("//! x.\nimport \"./lib\" as lib;\n");
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stderr
RB010  `new` is a reserved word                                           exit 1

  lib.rhai:2
   2 |     let new = 1;
     |         ^^^

Next: variables are declared with `let` or `const`
-- exit 1

"#]]
    );
}
