//! Steps as lines: the tree that a terminal shows while a run goes on, and what stays of it.
//!
//! Does not know when it is drawn, nor where.

use std::collections::{HashMap, HashSet};

use runbook_core::record::{Ended, Level, Waiting};

use super::live::{Live, Ongoing};
use crate::screen::{check, counted};
use crate::story::{Chapter, Happening, Story};
use crate::text::{Line, Role, Sign, Theme, duration};

/// Calls shorter than this are not shown while they go on.
const NOTICEABLE: u64 = 300;

/// Finished writes shown under a step that goes on.
const WRITES: usize = 3;

/// Calls shown at once, and reasons per call.
const CALLS: usize = 6;

/// Steps to come that are shown.
const COMING: usize = 6;

/// Whether a step's lines will be drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// They are redrawn as it goes on.
    Passing,
    /// They stay on the screen.
    Lasting,
}

/// What already stands on the screen for good.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// How many happenings of each chapter.
    happenings: HashMap<usize, usize>,
    /// Chapters with their end.
    ended: HashSet<usize>,
}

impl Printed {
    /// Marks everything in a step and in those inside it.
    pub(super) fn mark(&mut self, story: &Story, index: usize) {
        let chapter = &story.chapters[index];
        self.happenings.insert(index, chapter.happenings.len());
        if chapter.ended.is_some() {
            self.ended.insert(index);
        }
        for (_, happening) in &chapter.happenings {
            if let Happening::Inner(inner) = happening {
                self.mark(story, *inner);
            }
        }
    }

    /// Whether a step stands there with its end.
    pub(super) fn has_end(&self, index: usize) -> bool {
        self.ended.contains(&index)
    }

    /// What happened in a step and does not stand there yet.
    fn missing<'a>(&self, chapter: &'a Chapter, index: usize) -> impl Iterator<Item = &'a Happening> {
        let printed = self.happenings.get(&index).copied().unwrap_or_default();
        chapter.happenings.iter().enumerate().filter_map(move |(place, (_, happening))| match happening {
            Happening::Inner(inner) => (!self.ended.contains(inner)).then_some(happening),
            _ => (place >= printed).then_some(happening),
        })
    }
}

/// The lines of a step and of those inside it, without what already stands on the screen.
pub(super) fn chapter(story: &Story, index: usize, printed: &Printed, stay: Stay, moment: &Moment<'_>) -> Vec<Line> {
    let chapter = &story.chapters[index];
    // A step that goes on below a question has its title above it.
    let titled = stay == Stay::Lasting && chapter.ended.is_none() && printed.happenings.contains_key(&index);
    let mut lines = if titled { Vec::new() } else { vec![title(chapter, stay, moment)] };
    let checks =
        chapter.happenings.iter().filter_map(|(_, h)| if let Happening::Check(c) = h { Some(c) } else { None });
    let column = check::column(checks);
    let inside = indent(chapter.depth, moment.theme);
    for happening in printed.missing(chapter, index) {
        match happening {
            Happening::Check(found) => lines.extend(check::check(found, column, inside, moment.theme)),
            Happening::Inner(inner) => lines.extend(self::chapter(story, *inner, printed, stay, moment)),
            other => lines.extend(said(other, inside, moment.theme)),
        }
    }
    if stay == Stay::Passing && chapter.ended.is_none() {
        lines.extend(writes(chapter, inside));
        lines.extend(moment.ongoing(story, index, inside));
    }
    lines
}

/// The lines of what a script says, where it says something to people.
pub(super) fn said(happening: &Happening, indent: usize, theme: Theme) -> Vec<Line> {
    match happening {
        Happening::Log(log) => {
            let (sign, role) = match log.level {
                Level::Info => (None, Role::Plain),
                Level::Warn => (Some(theme.sign(Sign::Warning)), Role::Plain),
                Level::Error => (Some(theme.sign(Sign::Failed)), Role::Bad),
            };
            let before = theme.sign_width() + 1;
            let mut texts = log.message.lines();
            let first = texts.next().unwrap_or_default();
            let line = Line::new().indent(indent).hang(if sign.is_some() { before } else { 0 });
            let first = match sign {
                Some(sign) => line.spans([sign]).plain(" ").span(role, first),
                None => line.span(role, first),
            };
            let rest_indent = indent + first.hang;
            std::iter::once(first).chain(texts.map(|text| Line::new().indent(rest_indent).span(role, text))).collect()
        }
        Happening::Answered(answered) if answered.by != "terminal" && answered.id != "start" => {
            let words = format!("{}: {} ({})", answered.question, answered.answer, answered.by);
            vec![Line::new().indent(indent).spans([theme.sign(Sign::Done)]).plain(" ").faint(words).hang(2)]
        }
        _ => Vec::new(),
    }
}

/// Columns before what stands in a step.
fn indent(depth: usize, theme: Theme) -> usize {
    theme.sign_width() + 5 + 2 * depth
}

fn title(chapter: &Chapter, stay: Stay, moment: &Moment<'_>) -> Line {
    let theme = moment.theme;
    let (sign, role) = match chapter.ended {
        Some((Ended::Done, _)) => (Sign::Done, Role::Plain),
        Some((Ended::Failed, _)) => (Sign::Failed, Role::Strong),
        Some((Ended::Skipped, _)) => (Sign::Coming, Role::Faint),
        None => (Sign::Running, Role::Strong),
    };
    let line = match chapter.number {
        Some(number) => Line::new().spans([theme.sign(sign)]).faint(format!(" {number:>2}  ")),
        None => Line::new().indent(indent(chapter.depth.max(1) - 1, theme)).spans([theme.sign(sign)]).plain(" "),
    };
    let line = line.hang(indent(0, theme)).span(role, &chapter.title);
    let checks = chapter.happenings.iter().filter(|(_, h)| matches!(h, Happening::Check(_))).count();
    let line = if checks > 0 { line.right(Role::Faint, format!("{}  ", counted(checks, "check"))) } else { line };
    match chapter.ended {
        Some((Ended::Skipped, _)) => line.right(Role::Faint, "skipped"),
        Some((_, ms)) => line.right(Role::Faint, duration::in_words(ms)),
        None if stay == Stay::Passing => line.right(Role::Faint, moment.since(chapter)),
        None => line,
    }
}

/// The writes made last, most of which nobody needs to see.
fn writes(chapter: &Chapter, indent: usize) -> Vec<Line> {
    let done: Vec<_> = chapter
        .happenings
        .iter()
        .filter_map(|(_, happening)| match happening {
            Happening::Called(called) if called.effect.writes() => Some(called),
            _ => None,
        })
        .collect();
    let shown = done.iter().skip(done.len().saturating_sub(WRITES));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds for people")]
    let line = |called: &&crate::story::Called| {
        Line::new()
            .indent(indent)
            .hang(2)
            .plain(called.in_words())
            .right(Role::Faint, duration::in_words(called.ms as u64))
    };
    shown.map(line).collect()
}

/// The steps still to come. They have no numbers: which branches are taken is not known.
pub(super) fn coming(story: &Story, theme: Theme) -> Vec<Line> {
    let titles = story.coming();
    // Before the first step has begun, any of them may still be passed by.
    if story.numbered() == 0 {
        return Vec::new();
    }
    let inside = indent(0, theme);
    let gap = " ".repeat(inside - theme.sign_width());
    let coming = titles.iter().take(COMING);
    let mut lines: Vec<_> =
        coming.map(|title| Line::new().spans([theme.sign(Sign::Coming)]).faint(format!("{gap}{title}"))).collect();
    if titles.len() > COMING {
        let more = format!("and {}", counted(titles.len() - COMING, "more step"));
        lines.push(Line::new().indent(inside).faint(more));
    }
    lines
}

/// The present moment.
pub(super) struct Moment<'a> {
    pub(super) live: &'a Live,
    /// In milliseconds since 1970.
    pub(super) now: u64,
    pub(super) theme: Theme,
}

impl Moment<'_> {
    fn since(&self, chapter: &Chapter) -> String {
        let began = u64::try_from(chapter.began.as_millisecond()).unwrap_or_default();
        duration::whole(self.now.saturating_sub(began))
    }

    /// The calls that go on directly in a step.
    pub(super) fn ongoing(&self, story: &Story, index: usize, indent: usize) -> Vec<Line> {
        let here: Vec<_> = self
            .live
            .innermost()
            .filter(|(path, call)| {
                story.index(path) == index
                    && (call.waiting.is_some() || self.now.saturating_sub(call.since) > NOTICEABLE)
            })
            .collect();
        let mut lines: Vec<_> = here.iter().take(CALLS).flat_map(|(_, call)| self.call(call, indent)).collect();
        if here.len() > CALLS {
            lines.push(Line::new().indent(indent).faint(format!("and {} more", counted(here.len() - CALLS, "call"))));
        }
        lines
    }

    fn call(&self, call: &Ongoing, indent: usize) -> Vec<Line> {
        let Some((waiting, said)) = &call.waiting else {
            let took = duration::whole(self.now.saturating_sub(call.since));
            return vec![Line::new().indent(indent).plain(&call.words).right(Role::Faint, took)];
        };
        let mut lines = vec![
            Line::new()
                .indent(indent)
                .plain(&waiting.what)
                .plain("   ")
                .span(Role::Notice, self.progress(waiting, *said)),
        ];
        lines.extend(
            waiting.reasons.iter().take(CALLS).map(|reason| Line::new().indent(indent + 2).hang(2).plain(reason)),
        );
        if waiting.reasons.len() > CALLS {
            lines.push(Line::new().indent(indent + 2).faint(format!("and {} more", waiting.reasons.len() - CALLS)));
        }
        lines
    }

    fn progress(&self, waiting: &Waiting, said: u64) -> String {
        let gone = self.now.saturating_sub(said);
        let left = waiting.left_ms.map(|left| format!("{} left", duration::whole(left.saturating_sub(gone))));
        [Some(waiting.progress.clone()).filter(|p| !p.is_empty()), left]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }
}
