//! Parameters: where their values come from, and what is wrong with them.

use snapbox::str;

use crate::bench::{Bench, says};

const SCRIPT: &str = r#"//! Say what it was given.
let target = param::version("target", "Version to go to");
let where_ = param::string("where-to", "Where", #{ fallback: "here" });
let remove_old = param::bool("remove-old", "Whether to remove", #{ fallback: false });
let tags = param::list("tags", "Tags", #{ fallback: [] });
`${target} ${where_} ${remove_old} ${tags}`
"#;

fn answered(bench: &Bench, words: &[&str]) -> String {
    let text = bench.run(&[&["it.rhai"], words].concat());
    let line = text.lines().find_map(|line| line.split_once("Done in ").and_then(|(_, rest)| rest.split_once(": ")));
    line.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[test]
fn a_flag_comes_before_the_file_before_the_environment_before_the_fallback() {
    let bench = Bench::new()
        .script(SCRIPT)
        .file("given.yaml", "target: 1.2.0\nwhere_to: file\n")
        .variable("RUNBOOK_WHERE_TO", "environment")
        .variable("RUNBOOK_REMOVE_OLD", "true");
    let given = ["--params", "given.yaml"];
    assert_eq!(answered(&bench, &["--target", "1.1.0"]), "1.1.0 environment true []");
    assert_eq!(answered(&bench, &given), "1.2.0 file true []");
    assert_eq!(answered(&bench, &[&given[..], &["--where-to", "flag"]].concat()), "1.2.0 flag true []");
    assert_eq!(answered(&bench, &["--target=v1.1.0", "--remove-old=false"]), "1.1.0 environment false []");
}

#[test]
fn a_bool_needs_no_value_and_a_list_may_be_given_in_parts() {
    let bench = Bench::new().script(SCRIPT);
    let words = ["--target", "1.1.0", "--remove-old", "--tags", "a,b", "--tags", "c"];
    assert_eq!(answered(&bench, &words), r#"1.1.0 here true ["a", "b", "c"]"#);
}

#[test]
fn options_of_the_program_may_stand_before_the_script() {
    let bench = Bench::new().script(SCRIPT);
    let text = bench.run(&["--output", "plain", "--yes", "it.rhai", "--target", "1.1.0"]);
    assert!(text.ends_with("-- exit 0\n"), "{text}");
}

#[test]
fn a_namespace_parameter_is_the_namespace_of_the_run() {
    let script = "//! Say.\nlet n = param::string(\"namespace\", \"Where\", #{ fallback: \"default\" });\nn\n";
    let bench = Bench::new().script(script);
    assert_eq!(answered(&bench, &["-n", "shop"]), "shop");
    assert_eq!(answered(&bench, &["--namespace", "shop"]), "shop");
    assert_eq!(answered(&bench, &[]), "default");
}

#[test]
fn an_unknown_parameter_finds_its_neighbour() {
    let bench = Bench::new().script(SCRIPT);
    says!(
        bench.run(&["it.rhai", "--tarhet", "1.1.0"]),
        str![[r#"
-- stderr
RB016  there is no parameter or option `--tarhet`                         exit 1

Next: did you mean `--target`?
-- exit 1

"#]]
    );
}

#[test]
fn an_unknown_name_in_a_file_finds_its_neighbour() {
    let bench = Bench::new().script(SCRIPT).file("given.yaml", "targte: 1.1.0\n");
    says!(
        bench.run(&["it.rhai", "--params", "given.yaml"]),
        str![[r#"
-- stderr
RB016  `--params given.yaml`: there is no parameter `targte`              exit 1

Next: did you mean `target`?
-- exit 1

"#]]
    );
}

#[test]
fn a_value_of_the_wrong_type_says_what_it_should_be() {
    let bench = Bench::new().script(SCRIPT);
    says!(
        bench.run(&["it.rhai", "--target", "1.30"]),
        str![[r#"
-- stderr
RB016  parameter `target`: expected a version, got `1.30`                 exit 1

Next: write all three numbers, as in `1.30.3`
-- exit 1

"#]]
    );
    says!(
        bench.run(&["it.rhai", "--target", "1.30.3", "--remove-old=perhaps"]),
        str![[r#"
-- stderr
RB016  parameter `remove-old`: expected `true` or `false`, got `perhaps`  exit 1
-- exit 1

"#]]
    );
}

#[test]
fn a_number_in_a_file_that_lost_its_zero_is_refused() {
    let bench = Bench::new().script(SCRIPT).file("given.yaml", "target: 1.30\n");
    says!(
        bench.run(&["it.rhai", "--params", "given.yaml"]),
        str![[r#"
-- stderr
RB016  parameter `target`: expected a version such as "1.30.3", got the   exit 1
       number 1.3

Next: put it in quotes
-- exit 1

"#]]
    );
}

#[test]
fn all_missing_parameters_are_named_at_once() {
    let bench = Bench::new().script(
        "//! x.\nlet a = param::string(\"from\", \"Where from\");\nlet b = param::int(\"count\", \"How many\");\n",
    );
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stderr
RB016  2 parameters are missing: `--from`, `--count`                      exit 1

  --from TEXT   Where from
  --count INT   How many

Next: give it as a flag, in `--params FILE`, or as `RUNBOOK_FROM` in the
      environment
-- exit 1

"#]]
    );
}

#[test]
fn a_parameter_that_would_hide_an_option_is_a_fault_in_the_script() {
    let bench = Bench::new().script("//! x.\nlet a = param::string(\"output\", \"Where to\");\n");
    says!(
        bench.run(&["it.rhai", "--output", "x"]),
        str![[r#"
-- stderr
RB016  parameter `output` cannot be a flag: `--output` is an option of    exit 1
       every run

  it.rhai:2
   2 | let a = param::string("output", "Where to");
     |                ^^^^^^

Next: give it another name in the script
-- exit 1

"#]]
    );
}

#[test]
fn a_bool_takes_its_value_behind_an_equals_sign() {
    let bench = Bench::new().script(SCRIPT);
    says!(
        bench.run(&["it.rhai", "--target", "1.1.0", "--remove-old", "false"]),
        str![[r#"
-- stderr
RB002  `false` is one word too many                                       exit 1

Next: a bool takes its value behind an equals sign: `--name=false`
-- exit 1

"#]]
    );
}

#[test]
fn an_override_needs_its_reason() {
    let bench = Bench::new().script(SCRIPT);
    says!(
        bench.run(&["it.rhai", "--target", "1.1.0", "--override", "skew"]),
        str![[r#"
-- stderr
RB002  1 `--override` and 0 `--reason` were given                         exit 1

Next: each check that is let through needs its own reason: `--override CHECK
      --reason TEXT`
-- exit 1

"#]]
    );
}

#[test]
fn a_secret_is_in_no_output_no_log_and_no_journal() {
    let script = r#"//! Leak.
let token = param::secret("token", "For the registry");
print("the token is " + token + "!");
step `Use ${token}` with #{ id: "use" } { note("with " + token); }
throw `it was ${token}
indeed`;
"#;
    for output in ["human", "plain", "json"] {
        let bench =
            Bench::new().script(script).variable("RUNBOOK_TOKEN", "s3cr3t-v4lue").variable("RUNBOOK_LOG", "trace");
        let text = bench.run(&["it.rhai", "--output", output]);
        assert!(text.contains("the token is <secret 1>!"), "{text}");
        let everything = [text, bench.journal(), bench.run(&["report"])].concat();
        assert!(!everything.contains("s3cr3t"), "{everything}");
    }
}
