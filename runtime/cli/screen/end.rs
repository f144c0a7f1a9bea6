//! The end of a run: what changed, what did not, where the record is.

use runbook_core::record::{End, Ended};

use super::counted;
use super::fault::{self, labelled};
use crate::story::{Called, Story};
use crate::text::{Line, Role, Sign, Theme, duration};

/// More writes than this are for the report.
const WRITES: usize = 8;

/// The last lines of a run. For one that did not get to its end: in what state things are.
pub(crate) fn end(story: &Story, theme: Theme) -> Vec<Line> {
    let Some(finished) = &story.finished else { return Vec::new() };
    let mut lines = vec![Line::new()];
    if finished.verdict == End::Done {
        let words = match &finished.summary {
            Some(summary) => summary.clone(),
            None if finished.writes == 0 => "nothing was changed".to_owned(),
            None => writes_in_words(story, ""),
        };
        let sign = theme.sign(Sign::Done);
        let verb = if story.run.as_ref().is_some_and(|run| run.dry_run) { "Would be done" } else { "Done" };
        let mut words = words.lines();
        lines.push(
            Line::new()
                .spans([sign])
                .span(Role::Good, format!(" {verb} in {}", duration::in_words(finished.ms)))
                .plain(format!(": {}", words.next().unwrap_or_default().trim_end_matches('.')))
                .hang(theme.sign_width() + 1),
        );
        lines.extend(words.map(|line| Line::of(line).indent(theme.sign_width() + 1)));
    } else {
        lines.extend(state(story));
        lines.extend(finished.fault.iter().flat_map(fault::next));
    }
    match &story.run {
        Some(run) if run.rehearsal.is_some() => lines.push(Line::of(
            "This was a rehearsal on a simulated cluster, in simulated time; `--report FILE` keeps its report.",
        )),
        Some(run) if run.dry_run => lines.push(Line::of(
            "This was a dry run, in simulated time: nothing was written to the cluster; `--report FILE` keeps its report.",
        )),
        Some(run) => lines.push(Line::new().plain("Report: ").accent(format!("runbook report {}", run.run))),
        None => {}
    }
    lines
}

fn writes_in_words(story: &Story, verb: &str) -> String {
    let changed = story.written().filter(|called| called.changed).count();
    let writes = story.writes();
    let sent = format!("{}{verb}", counted(writes, "write"));
    if changed == writes { sent } else { format!("{sent}, {changed} of them changed something") }
}

/// In what state a run left things that did not get to its end.
fn state(story: &Story) -> Vec<Line> {
    if story.writes() == 0 {
        return labelled("Now", "nothing was changed");
    }
    let mut lines = labelled("Now", &writes_in_words(story, " sent"));
    let done: Vec<_> = story.written().filter(|called| called.fault.is_none()).map(Called::in_words).collect();
    if done.len() > WRITES {
        lines.push(item("done", &format!("{} before these", counted(done.len() - WRITES, "write"))));
    }
    lines.extend(done.iter().skip(done.len().saturating_sub(WRITES)).map(|words| item("done", words)));
    lines.extend(story.unsettled().map(|(_, words)| item("not known", words)));
    let unfinished = |ended: Option<(Ended, u64)>| matches!(ended, None | Some((Ended::Failed, _)));
    let stopped = story.chapters.iter().skip(1).filter(|chapter| chapter.number.is_some() && unfinished(chapter.ended));
    lines.extend(stopped.map(|chapter| item("not finished", &chapter.title)));
    lines.extend(story.coming().iter().map(|title| item("not begun", title)));
    lines
}

fn item(state: &str, words: &str) -> Line {
    Line::new().indent(6).faint(format!("{state:14}")).plain(words).hang(14)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::tests::{intent, records, run, settled};
    use crate::text::{Charset, Colour};
    use serde_json::json;

    #[test]
    fn a_run_that_stops_says_what_was_done_what_is_not_known_and_what_was_not_begun() {
        let story = Story::of(&records(&[
            run(),
            json!({ "t": "step_started", "step": "move", "title": "Move", "depth": 0 }),
            intent("move", 1, "scale deployment/web to 3"),
            settled("move", 1, "scale deployment/web to 3", &json!({ "value": { "changed": true } })),
            intent("move", 2, "scale deployment/api to 3"),
            json!({ "t": "finished", "verdict": "failed", "changed": 1, "writes": 2, "ms": 2000 }),
        ]));
        let theme = Theme { columns: 80, charset: Charset::Unicode, colour: Colour::Never };
        let shown: Vec<_> = end(&story, theme).iter().map(Line::text).collect();
        assert_eq!(
            shown,
            [
                "",
                "Now:  2 writes sent, 1 of them changed something",
                "done          scale deployment/web to 3",
                "not known     scale deployment/api to 3",
                "not finished  Move",
                "not begun     Prove",
                "Report: runbook report 01JD9K7Q",
            ]
        );
    }
}
