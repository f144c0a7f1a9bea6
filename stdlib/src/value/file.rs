//! `file::read`

use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Effect, Example, Param, Primitive};

const PATH: Param<String> =
    Param::required("path", "Below the script's folder or the one you are in, or a `param::file`.");

/// `file::read`
pub(super) const READ: Primitive = Primitive {
    name: "file::read",
    summary: "The text of a file that the script may read, up to 16 MiB.",
    params: &[&PATH],
    effect: Effect::Read,
    // Values of a release are what such files hold most, passwords among them.
    answer: Answer::Withheld,
    announce: |args| format!("read file {}", args.get(&PATH)),
    command: no_command,
    run: |call, args| call.world.files.read(&args.get(&PATH)).map(Into::into),
    examples: &[Example {
        cluster: "",
        script: r#"let code = ""; try { file::read("nowhere.yaml"); } catch (e) { code = e.code; } code"#,
        expect: "RB091",
    }],
};
