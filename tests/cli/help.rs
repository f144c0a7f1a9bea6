//! Help: of the program, of a script, of exit codes and faults.

use snapbox::str;

use crate::bench::{Bench, says};

const SCRIPT: &str = r#"//! Restart a deployment and prove that it came back. Nothing else is touched.
//!
//! It waits as long as it takes.
//!
//! Changes: the restart stamp in one pod template.
//! Undo:    kubectl rollout undo.

let name = param::string("name", "Deployment to restart");
let namespace = param::string("namespace", "Where it lives", #{ fallback: "default" });
let how = param::choice("how", "How to do it", ["gently", "at-once"], #{ fallback: "gently" });
let tags = param::list("tags", "Tags to move", #{ fallback: [] });
let force = param::bool("force_it", "Even where it is healthy", #{ fallback: false });
let token = param::secret("token", "For the registry", #{ fallback: () });

step "Check that it is healthy" {
    step "Look closer" { }
}
step `Restart ${name}` with #{ id: "restart" } { }
"#;

#[test]
fn the_help_of_a_script_is_its_own() {
    let bench = Bench::new().script(SCRIPT);
    says!(
        bench.run(&["it.rhai", "--help"]),
        str![[r#"
-- stdout
it   Restart a deployment and prove that it came back

  Nothing else is touched.

  It waits as long as it takes.

Changes  the restart stamp in one pod template.
Undo     kubectl rollout undo.

Usage    runbook it.rhai --name TEXT [--PARAMETER VALUE]... [OPTIONS]

Parameters   also from --params FILE, or from the environment as RUNBOOK_NAME
  --name TEXT       Deployment to restart - required
  --namespace TEXT  Where it lives - else default
  --how CHOICE      How to do it - one of gently, at-once - else gently
  --tags A,B        Tags to move - optional
  --force-it        Even where it is healthy - else no
  --token SECRET    For the registry - optional

Steps   as far as they can be seen without running it
   1  Check that it is healthy
        Look closer
   2  Restart <name>

Options of every run
      --context NAME          Context of the kubeconfig
      --kubeconfig FILE       Kubeconfig; else KUBECONFIG, else ~/.kube/config
  -n, --namespace NAME        Namespace where a call names none
      --params FILE           Parameters from a YAML or JSON file
      --yes                   Answer the question at the start with yes
      --approve STEP-ID       Give an approval beforehand; `all` gives every one
      --override CHECK        Let a failed check through; needs --reason
      --reason TEXT           Why; one for each --override, in order
      --dry-run               See on the live cluster what each step would do,
                              without writing to it
      --no-server-validation  Do not ask the API server what it would say to the
                              writes of a dry run
      --plan-out FILE         Save a dry run as a plan that a run can be held to
      --plan-expiry DURATION  How long the plan holds; else 24h
      --plan FILE             Run only as long as each call is as planned
      --rehearse SCENARIO     Rehearse on a simulated cluster: a scenario file
                              or the runbook's own
      --keep                  Serve the simulated cluster after the rehearsal
      --audit-log FILE        Write each request of a rehearsal to a file
      --trace                 After a rehearsal: every call, the line a person
                              would have typed, and what it changes
      --diff                  The same with every field of every object
      --exit-code             End it with 2 where something would change
      --rbac                  Print roles that allow what was asked of the
                              cluster, and nothing else
      --report FILE           Write the run's report to a file too
      --output FORM           human, plain or json; human on a terminal, else
                              plain
      --journal DIR           Where runs are kept; else below $XDG_STATE_HOME or
                              ~/.local/state
      --helm PATH             The helm to drive; else the first on the PATH
      --limits WORD           polite or off; else polite, at most 50 writes/s
      --library DIR           Folder to import modules from, beside the script's
                              own
  -v, --verbose               Log every call; -vv in detail
      --log-format FORM       text or json, on standard error
-- exit 0

"#]]
    );
}

#[test]
fn the_help_of_the_program_names_commands_and_options() {
    says!(
        Bench::new().run(&["--help"]),
        str![[r#"
-- stdout
Runs runbooks for Kubernetes: scripts that say what they do, ask before they do
it, and keep a record.

Usage: runbook [OPTIONS] <SCRIPT> [--PARAMETER VALUE]...
       runbook <COMMAND>

Commands:
  list      List the bundled runbooks
  show      Print a bundled runbook
  fork      Copy a bundled runbook to a file of your own
  runs      List the runs, newest first
  report    Print the report of a run in Markdown, from its journal alone
  chart     Look at charts
  snapshot  Save what a rehearsal needs from a live cluster, without the values
            of Secrets
  sim       Serve a simulated cluster for your own kubectl and helm, until
            Ctrl-C
  help      Explain: `exit-codes` or `faults`

Options:
      --context <NAME>          Context of the kubeconfig
      --kubeconfig <FILE>       Kubeconfig; else KUBECONFIG, else ~/.kube/config
  -n, --namespace <NAME>        Namespace where a call names none
      --params <FILE>           Parameters from a YAML or JSON file
      --yes                     Answer the question at the start with yes
      --approve <STEP-ID>       Give an approval beforehand; `all` gives every
                                one
      --override <CHECK>        Let a failed check through; needs --reason
      --reason <TEXT>           Why; one for each --override, in order
      --dry-run                 See on the live cluster what each step would do,
                                without writing to it
      --no-server-validation    Do not ask the API server what it would say to
                                the writes of a dry run
      --plan-out <FILE>         Save a dry run as a plan that a run can be held
                                to
      --plan-expiry <DURATION>  How long the plan holds; else 24h
      --plan <FILE>             Run only as long as each call is as planned
      --rehearse [<SCENARIO>]   Rehearse on a simulated cluster: a scenario file
                                or the runbook's own
      --keep                    Serve the simulated cluster after the rehearsal
      --audit-log <FILE>        Write each request of a rehearsal to a file
      --trace                   After a rehearsal: every call, the line a person
                                would have typed, and what it changes
      --diff                    The same with every field of every object
      --exit-code               End it with 2 where something would change
      --rbac                    Print roles that allow what was asked of the
                                cluster, and nothing else
      --report <FILE>           Write the run's report to a file too
      --output <FORM>           human, plain or json; human on a terminal, else
                                plain
      --journal <DIR>           Where runs are kept; else below $XDG_STATE_HOME
                                or ~/.local/state
      --helm <PATH>             The helm to drive; else the first on the PATH
      --limits <WORD>           polite or off; else polite, at most 50 writes/s
      --library <DIR>           Folder to import modules from, beside the
                                script's own
  -v, --verbose...              Log every call; -vv in detail
      --log-format <FORM>       text or json, on standard error
  -h, --help                    Print help
  -V, --version                 Print version

SCRIPT is a path or the name of a bundled runbook; `runbook SCRIPT --help` shows
its parameters and steps.
-- exit 0

"#]]
    );
    assert_eq!(Bench::new().run(&[]), Bench::new().run(&["--help"]));
}

#[test]
fn exit_codes_are_explained() {
    says!(
        Bench::new().run(&["help", "exit-codes"]),
        str![[r#"
-- stdout
  0  done
  1  usage, script or surroundings are wrong, or an internal error; nothing was
     changed
  2  the dry run found changes (with --exit-code)
  3  failed; nothing was undone
  4  failed, and undone cleanly
  5  failed, and undoing it is incomplete
  6  waiting for approval
  7  a check or rule refused; nothing was changed
  8  lint or a test failed
130  interrupted, or a person said no
-- exit 0

"#]]
    );
}

#[test]
fn every_fault_has_a_line() {
    let text = Bench::new().run(&["help", "faults"]);
    assert!(text.contains("RB031  not_ready"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("RB")).count(), runbook_core::Code::ALL.len());
}

#[test]
fn a_topic_that_is_not_there_finds_its_neighbour() {
    says!(
        Bench::new().run(&["help", "exit-code"]),
        str![[r#"
-- stderr
RB002  there is nothing to explain about `exit-code`                      exit 1

Next: did you mean `runbook help exit-codes`?
-- exit 1

"#]]
    );
}

#[test]
fn the_version_is_one_line() {
    says!(
        Bench::new().run(&["--version"]),
        str![[r#"
-- stdout
runbook 0.1.0
-- exit 0

"#]]
    );
}
