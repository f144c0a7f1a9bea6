//! A helm that answers one question after another in one process: starting it anew for each costs more than the answers.
//!
//! Does not know what is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use runbook_control_plane::{Binaries, Tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::Answer;

/// The process, and a folder in place of the person's own settings.
pub(crate) struct Oracle {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Oracle {
    /// Starts it, built from the same module as that helm; nothing where there is no Go to build it.
    pub(crate) fn of(binaries: &Binaries, tool: Tool) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts/oracle");
        let sources = [folder.join("main.go"), folder.join(format!("{}.go", tool.name()))];
        let program = match binaries.beside(tool, &sources) {
            Ok(program) => program,
            Err(fault) if fault.is_missing() => return None,
            Err(fault) => panic!("{fault}"),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .envs(["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map(|name| (name, folder.path())))
            .env("KUBECONFIG", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it warns of is not compared.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, questions, answers, folder })
    }

    /// `helm template` of a chart with values.
    pub(crate) fn ask(&mut self, chart: &Path, given: &str) -> Answer {
        let file = self.folder.path().join("values.yaml");
        fs_err::write(&file, given).unwrap();
        let question = json!(["template", "shop", "--namespace", "mesh", "--include-crds", "--values", file, chart]);
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it ended at {question}"));
        match (answer["printed"].as_str(), answer["refused"].as_str()) {
            (Some(text), _) => Ok(text.to_owned()),
            (None, words) => Err(words.unwrap_or_default().to_owned()),
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
