//! The command a person would have typed instead of a call, quoted for a shell, and the files it names. For people and the
//! record; never run.
//!
//! Does not know programs: the script library says what they are called and what their flags are.

use serde_json::Value;

/// A command: the words of its line, and what the files hold that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    words: Vec<String>,
    files: Vec<Enclosed>,
}

/// A file that a command names and that lies nowhere yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Enclosed {
    /// What the command calls it.
    pub name: String,
    /// What it holds; YAML or JSON, as the reader likes.
    pub content: Value,
}

impl Command {
    /// Begins with a program and its verb, taken as they are: `helm upgrade`.
    pub fn new(verb: &str) -> Self {
        Self { words: vec![verb.to_owned()], files: Vec::new() }
    }

    /// Adds a word.
    #[must_use]
    pub fn word(mut self, word: impl AsRef<str>) -> Self {
        self.words.push(quoted(word.as_ref()));
        self
    }

    /// Adds a flag with its value, where there is one.
    #[must_use]
    pub fn flag(self, flag: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.word(flag).word(value),
            None => self,
        }
    }

    /// Adds a flag without a value, where it is on.
    #[must_use]
    pub fn switch(self, flag: &str, on: Option<bool>) -> Self {
        if on == Some(true) { self.word(flag) } else { self }
    }

    /// Adds `-f` with a file that holds `content`.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, content: Value) -> Self {
        let name = name.into();
        self = self.word("-f").word(&name);
        self.files.push(Enclosed { name, content });
        self
    }

    /// Adds a flag with its value, before the words that are handed on behind `--`. One that is there already stays.
    #[must_use]
    pub fn before_rest(mut self, flag: &str, value: &str) -> Self {
        let end = self.words.iter().position(|word| word == "--").unwrap_or(self.words.len());
        if !self.says(flag) {
            self.words.splice(end..end, [quoted(flag), quoted(value)]);
        }
        self
    }

    /// Whether a word stands in it, before those that are handed on behind `--`.
    pub fn says(&self, wanted: &str) -> bool {
        self.words.iter().take_while(|word| *word != "--").any(|word| word == wanted)
    }

    /// The program.
    pub fn program(&self) -> &str {
        self.words[0].split(' ').next().unwrap_or_default()
    }

    /// Program and verb, as it began: `helm upgrade`.
    pub fn verb(&self) -> &str {
        &self.words[0]
    }

    /// The files it names that lie nowhere yet.
    pub fn files(&self) -> &[Enclosed] {
        &self.files
    }

    /// The line, ready to be copied.
    pub fn line(&self) -> String {
        self.words.join(" ")
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_survive_a_shell() {
        let line = Command::new("helm upgrade")
            .word("istiod")
            .flag("--description", Some("it's $HOME"))
            .flag("--version", None::<&str>)
            .switch("--wait", Some(true))
            .switch("--install", None)
            .word("");
        assert_eq!(line.line(), r"helm upgrade istiod --description 'it'\''s $HOME' --wait ''");
    }

    #[test]
    fn a_file_stands_in_the_line_and_what_it_holds_beside_it() {
        let command = Command::new("helm upgrade").word("web").file("web.yaml", json!({ "a": 1 }));
        assert_eq!(command.line(), "helm upgrade web -f web.yaml");
        assert_eq!(command.files(), [Enclosed { name: "web.yaml".to_owned(), content: json!({ "a": 1 }) }]);
    }

    #[test]
    fn what_is_handed_on_to_another_program_stays_last() {
        let command = Command::new("kubectl exec").word("web").word("--").word("ls").before_rest("--context", "a b");
        assert_eq!(command.line(), "kubectl exec web --context 'a b' -- ls");
        assert_eq!(command.before_rest("--context", "c").line(), "kubectl exec web --context 'a b' -- ls");
    }
}
