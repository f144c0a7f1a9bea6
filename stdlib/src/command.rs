//! The command a person would have typed instead of a call, quoted for a shell. For people and the record; never run.

/// A command under construction.
#[derive(Debug, Clone)]
pub(crate) struct Command(String);

impl Command {
    /// Begins with a program and its verb, taken as they are: `helm upgrade`.
    pub(crate) fn new(verb: &str) -> Self {
        Self(verb.to_owned())
    }

    /// Adds a word.
    pub(crate) fn word(mut self, word: impl AsRef<str>) -> Self {
        self.0.push(' ');
        self.0.push_str(&quoted(word.as_ref()));
        self
    }

    /// Adds a flag with its value, where there is one.
    pub(crate) fn flag(self, flag: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.word(flag).word(value),
            None => self,
        }
    }

    /// Adds a flag without a value, where it is on.
    pub(crate) fn switch(self, flag: &str, on: Option<bool>) -> Self {
        if on == Some(true) { self.word(flag) } else { self }
    }

    /// The line.
    pub(crate) fn line(self) -> String {
        self.0
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
}
