//! An empty folder that is also the home, the program in it, and everything it says as one text.
//!
//! What differs from run to run is replaced: the folder, ids of runs, times, digests.

use std::path::{Path, PathBuf};

use snapbox::cmd::Command;
use tempfile::TempDir;

/// Everything the program said is this, letter by letter. `SNAPSHOTS=overwrite` writes down what it says now.
macro_rules! says {
    ($said:expr, $expected:expr $(,)?) => {
        snapbox::assert_data_eq!($said, snapbox::data::IntoData::raw($expected))
    };
}
pub(crate) use says;

/// An empty folder, and an empty environment but for what a test adds.
pub(crate) struct Bench {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// The folder that the program runs in.
    pub(crate) fn folder(&self) -> PathBuf {
        fs_err::canonicalize(self.folder.path()).unwrap()
    }

    /// Adds a file.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        self
    }

    /// Adds a script `it.rhai`.
    pub(crate) fn script(self, text: &str) -> Self {
        self.file("it.rhai", text)
    }

    /// Adds a variable.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The folder of the journals.
    pub(crate) fn runs(&self) -> PathBuf {
        self.folder().join(".local/state/runbook/runs")
    }

    /// The only journal there is.
    pub(crate) fn journal(&self) -> String {
        let runs: Vec<_> = fs_err::read_dir(self.runs()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(runs.len(), 1, "there is one run");
        fs_err::read_to_string(runs[0].join("journal.jsonl")).unwrap()
    }

    /// Runs the program; everything it says as one text.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let output = self.raw(words);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("everything it says is UTF-8");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let status = output.status.code().map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit {code}"));
        let part = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("-- {name}\n{text}") };
        settled(&format!("{}{}-- {status}\n", part("stdout", &out), part("stderr", &err)), &self.folder())
    }

    /// Runs the program, and presses Ctrl-C once it has printed a word.
    pub(crate) fn interrupted(&self, words: &[&str], word: &str) -> String {
        let pressed =
            "$0 \"$@\" > out 2> err & until grep -q \"$WORD\" out; do :; done; kill -INT $!; wait $!; echo \"exit $?\"";
        let output = Command::new("/bin/sh")
            .args(["-c", pressed, env!("CARGO_BIN_EXE_runbook")])
            .args(words)
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("COLUMNS", "80"), ("WORD", word)])
            .env("HOME", self.folder())
            .current_dir(self.folder())
            .output()
            .expect("there is a shell");
        let read = |name: &str| fs_err::read_to_string(self.folder().join(name)).unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        settled(&format!("-- stdout\n{}-- stderr\n{}-- {status}", read("out"), read("err")), &self.folder())
    }

    /// Runs the program.
    pub(crate) fn raw(&self, words: &[&str]) -> std::process::Output {
        let command = Command::new(env!("CARGO_BIN_EXE_runbook"))
            .env_clear()
            .env("HOME", self.folder())
            .env("COLUMNS", "80")
            .current_dir(self.folder())
            .stdin("");
        let command = self.environment.iter().fold(command, |command, (name, value)| command.env(name, value));
        command.args(words).output().expect("the program starts")
    }
}

/// The text without what differs from run to run.
fn settled(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[FOLDER]");
    let text = each_word(&text, |word| {
        let digits =
            |from: usize, to: usize| word.get(from..to).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let bare = word.trim_start_matches('(').trim_end_matches([':', ')', ',', '.', ';']);
        let number = bare.strip_suffix("ms").or(bare.strip_suffix('s'));
        let took = number.and_then(|number| number.parse::<f64>().ok()).is_some();
        let is_time = word.len() == 8 && word.as_bytes()[2] == b':' && digits(0, 2) && digits(3, 5) && digits(6, 8);
        let is_id = word.len() == 8
            && word.starts_with("01")
            && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        let is_date = word.len() == 10 && digits(0, 4) && word.as_bytes()[4] == b'-';
        match word {
            _ if is_time => "[TIME]".to_owned(),
            _ if is_id => "[RUN]".to_owned(),
            _ if is_date => "[DATE]".to_owned(),
            _ if took => word.replace(bare, "[TOOK]"),
            _ => word.to_owned(),
        }
    });
    // How wide a duration is decides about the space around it.
    text.split_inclusive('\n')
        .map(|line| if line.contains("[TOOK]") { narrowed(line) } else { line.to_owned() })
        .collect()
}

/// A line in which no space is wider than two columns, but for the one it begins with.
fn narrowed(line: &str) -> String {
    let start = line.len() - line.trim_start_matches(' ').len();
    let mut text = line[start..].to_owned();
    while text.contains("   ") {
        text = text.replace("   ", "  ");
    }
    format!("{}{text}", &line[..start])
}

/// Rewrites the words of a text; what stands between them stays.
fn each_word(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive([' ', '\n', '`', '|']) {
        let end = piece.trim_end_matches([' ', '\n', '`', '|']).len();
        out.push_str(&change(&piece[..end]));
        out.push_str(&piece[end..]);
    }
    out
}
