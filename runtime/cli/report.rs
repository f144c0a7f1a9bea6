//! The report of a run in Markdown, from its journal alone: verdict, timeline, step by step.
//!
//! Does not know where it is written. Everything in it that the script or the cluster said is quoted, never interpreted.

use jiff::Timestamp;
use runbook_core::fault::Fault;
use runbook_core::record::{Check, End, Ended, Finished, Level, Plan, Run, Verdict};

use crate::screen::{counted, moment, value_in_words};
use crate::story::{Called, Chapter, Happening, Story};
use crate::text::{clean, duration};

/// The report. `torn` says that the journal's last line was cut off.
pub(crate) fn markdown(story: &Story, torn: bool) -> String {
    let mut page = Page::default();
    let title = story.run.as_ref().map_or("a run", |run| run.runbook.as_str());
    page.line(&format!("# {}: {}", plain(title), verdict(story)));
    if let Some(scenario) = story.run.as_ref().and_then(|run| run.rehearsal.as_deref()) {
        page.line(&format!(
            "\n**A rehearsal** on a simulated cluster, from {}, in simulated time: nothing real was read or changed.",
            code(scenario)
        ));
    }
    page.opening(story, torn);
    page.timeline(story);
    page.plan(story.plan.as_ref());
    page.checks(story);
    page.answers(story);
    page.steps(story);
    page.commands(story);
    page.0
}

fn verdict(story: &Story) -> String {
    let Some(finished) = &story.finished else {
        return "not finished: still running, or cut off".to_owned();
    };
    match finished.verdict {
        End::Done => "done".to_owned(),
        End::Failed => "failed".to_owned(),
        End::Refused => "refused".to_owned(),
        End::Waiting => "waiting for approval".to_owned(),
        End::Stopped => "stopped by a person".to_owned(),
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn title(&mut self, title: &str) {
        self.line(&format!("\n## {title}\n"));
    }

    fn opening(&mut self, story: &Story, torn: bool) {
        self.line("");
        match &story.finished {
            Some(finished) => self.ending(finished),
            None => self.unfinished(story),
        }
        if torn {
            self.line("\nThe journal's last line was cut off, as by a power cut; what it said is lost.");
        }
        self.line("\n| | |\n| --- | --- |");
        if let Some(run) = &story.run {
            self.started(run);
        }
        if let Some(cluster) = &story.cluster {
            let id = cluster.id.as_deref().unwrap_or("unknown");
            self.fact("cluster", &format!("{} at {}, id {}", code(&cluster.context), code(&cluster.server), code(id)));
        }
        if let Some((began, ended)) = story.span {
            self.fact("time", &format!("{} to {}", moment(began), moment(ended)));
        }
    }

    fn ending(&mut self, finished: &Finished) {
        let took = duration::in_words(finished.ms);
        let writes = match finished.writes {
            0 => "nothing was changed".to_owned(),
            sent => format!("{} sent, {} changed something", counted(count(sent), "write"), finished.changed),
        };
        match &finished.summary {
            Some(summary) => self.line(&format!("In {took}: {}; {writes}.", plain(summary.trim_end_matches('.')))),
            None => self.line(&format!("In {took}: {writes}.")),
        }
        if let Some(fault) = &finished.fault {
            self.line("");
            self.fault(fault, "");
        }
    }

    fn unfinished(&mut self, story: &Story) {
        self.line(&format!("So far: {} sent.", counted(story.writes(), "write")));
        for (chapter, words) in story.unsettled() {
            self.line(&format!("- not known whether it happened: {} in {}", plain(words), place(chapter)));
        }
    }

    fn started(&mut self, run: &Run) {
        self.fact("runbook", &format!("{}: {}", plain(&run.runbook), plain(&run.title)));
        self.fact("run", &code(&run.run));
        self.fact("script", &format!("{}, sha256 {}", code(&run.source), code(&run.digest)));
        if let Some(by) = &run.by {
            self.fact("started by", &plain(by));
        }
        for (name, value) in &run.parameters {
            self.fact(&format!("--{}", plain(name)), &code(&value_in_words(value)));
        }
        if let Some(plan) = &run.plan {
            self.fact("held to plan", &plain(plan));
        }
        if !run.beforehand.is_empty() {
            let given: Vec<_> = run.beforehand.iter().map(|words| code(words)).collect();
            self.fact("answered beforehand", &given.join(", "));
        }
        self.fact("program", &format!("runbook {}", plain(&run.program)));
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("| {} | {value} |", plain(name)));
    }

    fn fault(&mut self, fault: &Fault, indent: &str) {
        self.line(&format!("{indent}**{}** {}", fault.code.id(), plain(&fault.message)));
        for place in &fault.stack {
            self.line(&format!("{indent}- at {}", code(&format!("{}:{}", place.source, place.line))));
        }
        for seen in &fault.evidence {
            seen.lines().for_each(|line| self.line(&format!("{indent}- {}", plain(line))));
        }
        if let Some(hint) = &fault.hint {
            self.line(&format!("{indent}- next: {}", plain(hint)));
        }
    }

    fn timeline(&mut self, story: &Story) {
        if story.chapters.len() < 2 {
            return;
        }
        self.title("Timeline");
        self.line("| began | took | step | |\n| --- | --- | --- | --- |");
        for chapter in &story.chapters[1..] {
            let indent = "&emsp;".repeat(chapter.depth);
            let took = chapter.ended.map_or_else(String::new, |(_, ms)| duration::in_words(ms));
            let title = plain(&chapter.title);
            self.line(&format!("| {} | {took} | {indent}{title} | {} |", clock(chapter.began), ended(chapter)));
        }
        for title in story.coming() {
            self.line(&format!("| | | {} | not begun |", plain(title)));
        }
    }

    fn plan(&mut self, plan: Option<&Plan>) {
        let Some(plan) = plan.filter(|plan| !plan.changes.is_empty() || !plan.disturbs.is_empty()) else { return };
        self.title("What was going to change");
        if !plan.changes.is_empty() {
            self.line("| what | change | extent | undo |\n| --- | --- | --- | --- |");
        }
        for change in &plan.changes {
            let cells = [&change.what, &change.change, &change.extent, &change.undo].map(|cell| plain(cell));
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        if !plan.disturbs.is_empty() {
            self.line("\nIt would disturb:\n");
        }
        plan.disturbs.iter().for_each(|words| self.line(&format!("- {}", plain(words))));
    }

    fn checks(&mut self, story: &Story) {
        let mut checks =
            all(story, |happening| if let Happening::Check(check) = happening { Some(check) } else { None }).peekable();
        if checks.peek().is_none() {
            return;
        }
        self.title("Checks");
        self.line("| | check | found | |\n| --- | --- | --- | --- |");
        for (_, _, check) in checks {
            self.check(check);
        }
    }

    fn check(&mut self, check: &Check) {
        let verdict = match check.verdict {
            Verdict::Pass => "pass",
            Verdict::Warn => "warning",
            Verdict::Fail if check.overridden.is_some() => "failed, let through",
            Verdict::Fail => "failed",
        };
        let rest = match (&check.overridden, &check.fix) {
            (Some(reason), _) => {
                format!("let through with {}: {}", code(&format!("--override {}", check.id)), plain(reason))
            }
            (None, Some(fix)) if check.verdict != Verdict::Pass => plain(fix),
            _ => String::new(),
        };
        self.line(&format!("| {verdict} | {} | {} | {rest} |", plain(&check.title), plain(&check.message)));
    }

    fn answers(&mut self, story: &Story) {
        let mut answers =
            all(story, |happening| if let Happening::Answered(answered) = happening { Some(answered) } else { None })
                .peekable();
        if answers.peek().is_none() {
            return;
        }
        let who = story.run.as_ref().and_then(|run| run.by.as_deref()).unwrap_or("unknown");
        self.title("Questions and approvals");
        self.line("| when | question | answer | by |\n| --- | --- | --- | --- |");
        for (at, _, answered) in answers {
            let question = plain(&answered.question);
            let by = format!("{} ({})", plain(who), plain(&answered.by));
            self.line(&format!("| {} | {question} | {} | {by} |", moment(at), plain(&answered.answer)));
        }
    }

    fn steps(&mut self, story: &Story) {
        self.title("Step by step");
        for chapter in story.chapters.iter().filter(|chapter| !chapter.path.is_empty() || told(chapter)) {
            self.line(&format!("### {}\n", heading(chapter)));
            for happening in &chapter.happenings {
                self.happening(story, happening);
            }
            self.line("");
        }
    }

    fn happening(&mut self, story: &Story, (at, happening): &(Timestamp, Happening)) {
        let at = clock(*at);
        match happening {
            Happening::Called(called) => self.called(&at, called),
            Happening::Sent(_, words) => self.line(&format!("- {at} {}: no outcome recorded", plain(words))),
            Happening::Inner(index) => self.line(&format!("- {at} began {}", place(&story.chapters[*index]))),
            Happening::Attempt(attempt) => self.line(&format!(
                "- {at} try {} failed: {}: {}",
                attempt.attempt,
                plain(&attempt.words),
                plain(&attempt.reason)
            )),
            Happening::Undo(undo) => {
                let words = undo.words.as_deref().unwrap_or("a function of the script");
                self.line(&format!("- {at} inverse {} registered: {}", undo.number, plain(words)));
            }
            Happening::Log(log) => {
                let level = match log.level {
                    Level::Info => "",
                    Level::Warn => "warning: ",
                    Level::Error => "error: ",
                };
                log.message.lines().for_each(|line| self.line(&format!("- {at} {level}{}", plain(line))));
            }
            // A note is the script's own Markdown, and the script is the person's own.
            Happening::Note(note) => self.line(&format!("\n{}\n", note.markdown.trim())),
            Happening::Attached(attached) => {
                let text = serde_json::to_string_pretty(&attached.value).expect("a value is plain data");
                self.line(&format!("\n{}:\n\n{}\n", plain(&attached.name), fenced(&text)));
            }
            Happening::Check(_) | Happening::Answered(_) | Happening::Plan(_) => {}
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds for people")]
    fn called(&mut self, at: &str, called: &Called) {
        let took = duration::in_words(called.ms as u64);
        let outcome = match (&called.fault, called.effect.writes(), called.changed) {
            (Some(_), _, _) => ", failed",
            (None, true, false) => ", nothing to change",
            _ => "",
        };
        self.line(&format!("- {at} {}: {} ({took}{outcome})", called.effect.word(), plain(&called.words)));
        if let Some(fault) = &called.fault {
            self.fault(fault, "  ");
        }
    }

    fn commands(&mut self, story: &Story) {
        let commands: Vec<_> =
            story.calls().filter(|(_, c)| c.effect.writes()).filter_map(|(_, c)| c.command.as_deref()).collect();
        if commands.is_empty() {
            return;
        }
        self.title("The same by hand");
        self.line("What a person would have typed to make the same changes.\n");
        self.line(&fenced(&commands.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n")));
    }
}

fn all<'a, T: 'a>(
    story: &'a Story,
    wanted: impl Fn(&'a Happening) -> Option<&'a T> + Copy + 'a,
) -> impl Iterator<Item = (Timestamp, &'a Chapter, &'a T)> {
    story.chapters.iter().flat_map(move |chapter| {
        chapter.happenings.iter().filter_map(move |(at, happening)| Some((*at, chapter, wanted(happening)?)))
    })
}

/// Whether a chapter has anything that stands in the report's step by step.
fn told(chapter: &Chapter) -> bool {
    let elsewhere = |happening: &Happening| {
        matches!(happening, Happening::Inner(_) | Happening::Plan(_) | Happening::Check(_) | Happening::Answered(_))
    };
    chapter.happenings.iter().any(|(_, happening)| !elsewhere(happening))
}

fn heading(chapter: &Chapter) -> String {
    if chapter.path.is_empty() {
        return "Outside of steps".to_owned();
    }
    let number = chapter.number.map_or_else(String::new, |number| format!("{number}. "));
    format!("{number}{}: {}", plain(&chapter.title), ended(chapter))
}

fn place(chapter: &Chapter) -> String {
    if chapter.path.is_empty() { "the script itself".to_owned() } else { format!("step {}", code(&chapter.path)) }
}

fn ended(chapter: &Chapter) -> String {
    match chapter.ended {
        Some((Ended::Done, ms)) => format!("done in {}", duration::in_words(ms)),
        Some((Ended::Failed, ms)) => format!("failed after {}", duration::in_words(ms)),
        Some((Ended::Skipped, _)) => "skipped".to_owned(),
        None => "not finished".to_owned(),
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Text that Markdown must take as it is, on one line.
fn plain(text: &str) -> String {
    clean(text.trim()).chars().fold(String::with_capacity(text.len()), |mut quoted, c| {
        match c {
            '<' => quoted.push_str("&lt;"),
            '>' => quoted.push_str("&gt;"),
            '&' => quoted.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c => quoted.push(c),
        }
        quoted
    })
}

/// Text as code, on one line. A backtick inside asks for more of them around it.
fn code(text: &str) -> String {
    let text = clean(text.trim()).replace('|', "\\|");
    if text.is_empty() {
        return "``".to_owned() + " " + "``";
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::tests::{intent, records, run, settled};
    use serde_json::json;

    #[test]
    fn what_the_cluster_said_cannot_pretend_to_be_markdown() {
        assert_eq!(plain("<b> [x](y) | `z`\n# no"), "&lt;b&gt; \\[x\\](y) \\| \\`z\\`\\\\n\\# no");
        assert_eq!(code("a `b`"), "`` a `b` ``");
        assert_eq!(fenced("```\nx"), "````text\n```\nx\n````");
    }

    #[test]
    fn the_report_opens_with_the_verdict_and_names_who_approved_what() {
        let story = Story::of(&records(&[
            run(),
            json!({ "t": "step_started", "step": "move", "title": "Move", "depth": 0 }),
            intent("move", 1, "scale deployment/web to 3"),
            settled("move", 1, "scale deployment/web to 3", &json!({ "value": { "changed": true } })),
            json!({ "t": "answered", "step": "move", "id": "remove", "question": "Remove it?", "answer": "yes", "by": "--approve all" }),
            json!({ "t": "step_finished", "step": "move", "ended": "done", "ms": 2000 }),
            json!({ "t": "finished", "verdict": "done", "changed": 1, "writes": 1, "ms": 5000, "summary": "moved" }),
        ]));
        let page = markdown(&story, false);
        assert!(page.starts_with("# move: done\n\nIn 5.0s: moved; 1 write sent, 1 changed something.\n"), "{page}");
        assert!(page.contains("| Remove it? | yes | unknown (--approve all) |"), "{page}");
        assert!(page.contains("### 1. Move: done in 2.0s"), "{page}");
        assert!(page.contains("```text\nkubectl scale deployment/web to 3\n```"), "{page}");
    }
}
