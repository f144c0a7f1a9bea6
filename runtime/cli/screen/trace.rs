//! A dry run: every call, its effect, the line a person would have typed, what it changes, and how sure we are.
//!
//! Does not know where the statements come from.

use runbook_core::record::{Ended, Level};

use super::change::{self, Extent};
use super::{check, counted};
use crate::dry_run::right::Rights;
use crate::dry_run::total::Total;
use crate::dry_run::trace::{Call, Outcome, Question, Statement, Step, Trace};
use crate::dry_run::view::View;
use crate::dry_run::{Disruption, Grade, Ground};
use crate::text::{Line, Role, Sign, Theme, width};

/// Width of the words `read`, `write`, `wait`.
const WORDS: usize = 7;

/// So many calls that are like the one before are folded into a row.
const ALIKE: usize = 2;

/// Objects that such a row names.
const NAMED: usize = 3;

/// Rights that are missing and shown.
const MISSING: usize = 20;

/// The whole trace.
pub(crate) fn trace(trace: &Trace, extent: Extent, theme: Theme) -> Vec<Line> {
    let mut lines = Vec::new();
    for step in &trace.steps {
        lines.push(Line::new());
        lines.extend(self::step(step, extent, theme));
    }
    if !trace.unknown.is_empty() {
        lines.push(Line::new());
    }
    lines.extend(trace.unknown.iter().map(|title| graded(Line::new().indent(5).plain(title).hang(2), Grade::Unknown)));
    lines.extend(disturbs(&trace.disturbs));
    lines.extend(rights(&trace.rights, theme));
    if !trace.notes.is_empty() {
        lines.extend([Line::new(), Line::new().strong("To be known")]);
    }
    lines.extend(trace.notes.iter().map(|note| Line::of(note).indent(2).hang(2)));
    lines.extend(total(&trace.total, trace.ground));
    lines
}

fn step(step: &Step, extent: Extent, theme: Theme) -> Vec<Line> {
    let indent = 2 * step.depth;
    let number = step.number.map_or_else(|| "    ".to_owned(), |number| format!("{number:>3} "));
    let mut lines = Vec::new();
    if !step.path.is_empty() {
        let line = Line::new().indent(indent).faint(number).strong(format!(" {}", step.title)).hang(5);
        lines.push(match step.ended {
            Some(Ended::Skipped) => line.right(Role::Faint, "skipped"),
            Some(Ended::Failed) => line.right(Role::Bad, "stops here"),
            _ => line,
        });
    }
    let inside = indent + 5;
    let checks =
        step.statements.iter().filter_map(|one| if let Statement::Check(check) = one { Some(check) } else { None });
    let column = check::column(checks);
    let mut rest = &step.statements[..];
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            Statement::Call(one) => {
                let alike = behind.iter().take_while(|other| is_like(one, other, extent)).count();
                lines.extend(call(one, extent, inside, theme));
                if alike >= ALIKE {
                    lines.extend(more(one, &behind[..alike], inside));
                    rest = &behind[alike..];
                }
            }
            Statement::Check(found) => lines.extend(check::check(found, column, inside, theme)),
            Statement::Question(question) => lines.extend(asked(question, inside)),
            Statement::Said { level, message } => lines.extend(said(*level, message, inside, theme)),
            Statement::Plan(plan) => {
                lines.extend(
                    plan.disturbs
                        .iter()
                        .map(|words| Line::new().indent(inside).span(Role::Notice, "disturbs  ").plain(words).hang(10)),
                );
            }
            Statement::Step(inner) => lines.extend(self::step(inner, extent, theme)),
        }
    }
    lines
}

/// Whether a statement is the same call from the same place of the script, about something else. A write has to change the same, and
/// where every field is asked for, none is like another.
fn is_like(call: &Call, other: &Statement, extent: Extent) -> bool {
    let Statement::Call(other) = other else { return false };
    let same = other.primitive == call.primitive && other.at == call.at && other.outcome == call.outcome;
    let is_read = call.effect != "write";
    same && other.at.is_some() && (is_read || extent == Extent::Brief && changes_alike(&call.changes, &other.changes))
}

/// Whether what becomes of some objects is what becomes of others.
fn changes_alike(some: &[View], others: &[View]) -> bool {
    let alike = |one: &View, other: &View| {
        let shape = |view: &View| (view.kind.clone(), view.group.clone(), view.fate, view.taken.clone());
        shape(one) == shape(other) && one.fields == other.fields
    };
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| alike(one, other))
}

fn more(call: &Call, alike: &[Statement], indent: usize) -> Vec<Line> {
    let calls = || alike.iter().filter_map(|one| if let Statement::Call(call) = one { Some(call) } else { None });
    let grade = calls().map(|call| call.grade).max().unwrap_or(call.grade);
    let words = format!("{} from the same line", counted(alike.len(), &format!("more {}", call.effect)));
    let mut lines = vec![graded(Line::new().indent(indent + WORDS).faint(words), grade)];
    let objects: Vec<&str> = calls().flat_map(|call| &call.changes).map(|view| view.object.as_str()).collect();
    if !objects.is_empty() {
        let further = objects.len().saturating_sub(NAMED);
        let further = if further > 0 { format!(" and {further} more") } else { String::new() };
        let named = objects[..objects.len().min(NAMED)].join(", ");
        let words = format!("change the same of {named}{further} (--diff shows them)");
        lines.push(Line::new().indent(indent + WORDS).faint(words).hang(2));
    }
    lines
}

fn call(call: &Call, extent: Extent, indent: usize, theme: Theme) -> Vec<Line> {
    let role = if call.effect == "write" { Role::Notice } else { Role::Faint };
    let begin = || Line::new().indent(indent).span(role, format!("{:WORDS$}", call.effect)).hang(WORDS);
    // A remark to a shell, so that the whole row can be copied.
    let at = call.at.iter().fold(String::new(), |_, at| format!("  # {at}"));
    let mut lines = Vec::new();
    let room = theme.columns.saturating_sub(indent + WORDS + call.grade.word().len() + 2);
    match &call.command {
        // One row says it all.
        Some(command) if call.effect != "write" && width(command) + width(&at) <= room => {
            lines.push(graded(begin().accent(command).faint(at), call.grade));
        }
        Some(command) => {
            lines.push(graded(begin().plain(&call.words), call.grade));
            lines.push(Line::new().indent(indent + WORDS).accent(command).faint(at).whole());
        }
        None => lines.push(graded(begin().plain(&call.words).faint(at.replacen("# ", "", 1)), call.grade)),
    }
    let inside = indent + WORDS;
    match call.outcome {
        Outcome::Unchanged => lines.push(Line::new().indent(inside).faint("nothing to change")),
        Outcome::NotRun | Outcome::NotKnown | Outcome::Failed => {
            let why = call.fault.as_ref().map(|fault| fault.message.as_str()).unwrap_or_default();
            let word = match call.outcome {
                Outcome::NotRun => "not run: ",
                Outcome::NotKnown => "not known: ",
                _ => "fails: ",
            };
            lines.push(Line::new().indent(inside).span(Role::Bad, word).plain(why).hang(2));
        }
        Outcome::Done => {}
    }
    lines.extend(
        call.waits_for.iter().map(|words| Line::new().indent(inside).faint("until then: ").plain(words).hang(2)),
    );
    lines.extend(change::changes(&call.changes, extent, inside, theme));
    if call.accepted > 0 && call.grade != Grade::Exact {
        let words = format!(
            "{} of {} accepted by the API server's own dry run",
            call.accepted,
            counted(call.requests, "request")
        );
        lines.push(Line::new().indent(inside).faint(words).hang(2));
    }
    lines
}

fn graded(line: Line, grade: Grade) -> Line {
    let role = match grade {
        Grade::Exact => Role::Good,
        Grade::Simulated => Role::Faint,
        Grade::Assumed => Role::Notice,
        Grade::Unknown => Role::Bad,
    };
    line.right(role, grade.word())
}

fn asked(question: &Question, indent: usize) -> Vec<Line> {
    let line = Line::new().indent(indent).span(Role::Notice, format!("{:WORDS$}", "asks")).hang(WORDS);
    let line = line.plain(&question.text).plain(format!("  {}", question.answer)).faint(format!("  {}", question.id));
    let mut lines = vec![graded(line, question.grade)];
    if question.grade == Grade::Assumed && question.id != "start" {
        lines.push(Line::new().indent(indent + WORDS).faint("what follows rests on this answer"));
    }
    lines
}

fn said(level: Level, message: &str, indent: usize, theme: Theme) -> Vec<Line> {
    let sign = match level {
        Level::Info => Sign::Blank,
        Level::Warn => Sign::Warning,
        Level::Error => Sign::Failed,
    };
    let mut texts = message.lines();
    let before = theme.sign_width() + 1;
    let first = Line::new().indent(indent).spans([theme.sign(sign)]).plain(" ").plain(texts.next().unwrap_or_default());
    std::iter::once(first.hang(before)).chain(texts.map(|text| Line::of(text).indent(indent + before))).collect()
}

fn disturbs(found: &[Disruption]) -> Vec<Line> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::new(), Line::new().strong("Disturbs")];
    for one in found {
        lines.push(graded(Line::of(&one.what).indent(2).hang(2), one.grade));
        lines.push(Line::new().indent(4).faint(format!("{}: {}", one.step, one.why)).hang(2));
    }
    lines
}

fn rights(rights: &Rights, theme: Theme) -> Vec<Line> {
    if rights.needs.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::new(), Line::new().strong("Needs")];
    let places = rights.rules();
    let scopes: Vec<String> = places
        .keys()
        .map(|namespace| if namespace.is_empty() { "the whole cluster".to_owned() } else { (*namespace).to_owned() })
        .collect();
    let words = format!("{} in {}", counted(rights.needs.len(), "right"), scopes.join(", "));
    lines.push(Line::of(words).indent(2).faint("  (--rbac prints roles that allow them and nothing else)").hang(2));
    match &rights.missing {
        None => lines.push(Line::new().indent(2).faint("whether they are there could not be asked")),
        Some(missing) if missing.is_empty() => {
            lines.push(Line::new().indent(2).spans([theme.sign(Sign::Done)]).plain(" the cluster allows all of them"));
        }
        Some(missing) => {
            lines.extend(missing.iter().take(MISSING).map(|need| {
                let place = if need.namespace.is_empty() { String::new() } else { format!(" in {}", need.namespace) };
                let words = format!(" not allowed: {} {}{place}", need.verb, need.word());
                Line::new().indent(2).spans([theme.sign(Sign::Failed)]).plain(words)
            }));
            let more = missing.len().saturating_sub(MISSING);
            lines.extend((more > 0).then(|| Line::new().indent(4).plain(format!("and {more} more"))));
        }
    }
    lines
}

fn total(total: &Total, ground: Ground) -> Vec<Line> {
    let objects = [(total.created, "created"), (total.changed, "changed"), (total.deleted, "deleted")];
    let objects: Vec<_> =
        objects.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let objects =
        if objects.is_empty() { "no object changes".to_owned() } else { format!("objects: {}", objects.join(", ")) };
    let calls = format!(
        "{}, {}, {}",
        counted(total.writes, "write"),
        counted(total.waits, "wait"),
        counted(total.reads, "read")
    );
    let mut lines = vec![
        Line::new(),
        Line::new().strong("In all"),
        Line::of(objects).indent(2).faint(format!("  by {calls}")).hang(2),
    ];
    if total.idle_writes > 0 {
        lines.push(
            Line::new()
                .indent(2)
                .faint(format!("{} would find everything as wanted", counted(total.idle_writes, "further write"))),
        );
    }
    if total.accepted > 0 {
        let words = format!("{} accepted by the API server's own dry run", counted(total.accepted, "request"));
        lines.push(Line::new().indent(2).span(Role::Good, words).hang(2));
    }
    if total.not_run > 0 {
        let calls = counted(total.not_run, "call");
        let which = if total.not_run == 1 { "it" } else { "them" };
        let words = format!("{calls} could not be made or judged here; what rests on {which} is not known");
        lines.push(Line::new().indent(2).span(Role::Notice, words).hang(2));
    }
    if total.hidden + total.records > 0 {
        let words = format!(
            "not shown: {} that only the server writes, {} of helm",
            counted(total.hidden, "field"),
            counted(total.records, "record")
        );
        lines.push(Line::new().indent(2).faint(words).hang(2));
    }
    let meaning = match ground {
        Ground::Live => {
            "exact: from the live cluster or its own dry run; simulated: from what earlier steps would have made of it"
        }
        Ground::Simulated => "simulated: the cluster is one that was made up for this run",
    };
    lines.push(Line::new().indent(2).faint(meaning).hang(2));
    lines
}
