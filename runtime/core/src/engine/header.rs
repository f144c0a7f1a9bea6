//! The words at the top of a runbook: its `//!` lines.
//!
//! Does not know the script below them.

/// What a runbook says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The first sentence, without its full stop; empty where there is no header.
    pub title: String,
    /// The whole text, paragraphs kept.
    pub text: String,
    /// The paragraph that begins with `Changes:`.
    pub changes: Option<String>,
    /// The paragraph that begins with `Undo:`.
    pub undo: Option<String>,
}

impl Header {
    /// Reads it off a script: the `//!` lines before anything else but blank lines.
    pub fn of(script: &str) -> Self {
        let lines: Vec<&str> = script
            .lines()
            .map(str::trim)
            .skip_while(|line| line.is_empty())
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        let text = lines.join("\n").trim().to_owned();
        let title = first_sentence(&text);
        Self { title, changes: labelled(&lines, "Changes:"), undo: labelled(&lines, "Undo:"), text }
    }
}

fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').to_owned()
}

/// The words after a label, up to a blank line or the next label.
fn labelled(lines: &[&str], label: &str) -> Option<String> {
    let start = lines.iter().position(|line| line.trim_start().starts_with(label))?;
    let first = lines[start].trim_start().trim_start_matches(label).trim();
    let rest = lines[start + 1..].iter().map(|line| line.trim()).take_while(|line| !line.is_empty() && !is_label(line));
    let words: Vec<&str> = std::iter::once(first).chain(rest).filter(|line| !line.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn is_label(line: &str) -> bool {
    line.starts_with("Changes:") || line.starts_with("Undo:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_gives_title_changes_and_undo() {
        let header = Header::of(
            "\n//! Restart a deployment and prove\n//! that it came back. Twice.\n//!\n//! Changes: the restart stamp\n//!          in one pod template.\n//! Undo:    kubectl rollout undo.\n\nlet x = 1; //! not this\n",
        );
        assert_eq!(header.title, "Restart a deployment and prove that it came back");
        assert_eq!(header.changes.as_deref(), Some("the restart stamp in one pod template."));
        assert_eq!(header.undo.as_deref(), Some("kubectl rollout undo."));
        assert!(header.text.ends_with("kubectl rollout undo."));
    }

    #[test]
    fn a_script_without_header_has_an_empty_one() {
        assert_eq!(Header::of("let x = 1;"), Header::default());
    }
}
