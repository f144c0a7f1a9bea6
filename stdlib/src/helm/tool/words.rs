//! Finds its way in the sentences of helm's errors. Does not know what they mean for a run.

/// What stands behind a mark.
pub(super) fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.find(mark).map(|at| &text[at + mark.len()..])
}

/// What stands between two marks.
pub(super) fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let rest = after(text, begin)?;
    rest.find(end).map(|at| &rest[..at])
}

/// Where a template failed and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TemplateError<'a> {
    /// `istiod/templates/configmap.yaml`.
    pub(super) template: &'a str,
    /// The line in it, from 1.
    pub(super) line: u64,
    /// Why.
    pub(super) reason: &'a str,
    /// The value that was looked at, such as `meshConfig.rootNamespace`.
    pub(super) value: Option<&'a str>,
}

/// The innermost place of a template error, in each form it comes in.
pub(super) fn template_error(words: &str) -> Option<TemplateError<'_>> {
    called_fail(words).or_else(|| not_yaml(words)).or_else(|| on_one_line(words)).or_else(|| on_many_lines(words))
}

/// `execution error at (istiod/templates/zzz_profile.yaml:31:3): unknown profile nope`: the chart called `fail` or `required`.
fn called_fail(words: &str) -> Option<TemplateError<'_>> {
    let rest = after(words, "execution error at (")?;
    let (place, reason) = rest.split_once("): ")?;
    let (template, line) = place_of(place)?;
    Some(TemplateError { template, line, reason: first_line(reason), value: None })
}

/// `YAML parse error on x/templates/a.yaml: error converting YAML to JSON: yaml: line 5: did not find ...`.
fn not_yaml(words: &str) -> Option<TemplateError<'_>> {
    let rest = after(words, "YAML parse error on ")?;
    let (template, reason) = rest.split_once(": ")?;
    let reason = first_line(reason);
    let line = between(reason, "line ", ":").and_then(|line| line.parse().ok()).unwrap_or(0);
    Some(TemplateError { template, line, reason, value: None })
}

/// `template: a/templates/b.yaml:78:21: executing "..." at <...>: error calling include: template: ...: reason`; also
/// `parse error at (a/templates/b.yaml:3): reason`.
fn on_one_line(words: &str) -> Option<TemplateError<'_>> {
    if let Some((place, reason)) = after(words, "parse error at (").and_then(|rest| rest.split_once("): ")) {
        let (template, line) = place_of(place)?;
        return Some(TemplateError { template, line, reason: first_line(reason), value: None });
    }
    let innermost = &words[words.rfind("template: ")? + "template: ".len()..];
    let (place, rest) = innermost.split_once(": ")?;
    let (template, line) = place_of(place)?;
    let rest = first_line(rest);
    let value = value_in(rest);
    let reason = rest.rsplit_once(">: ").map_or(rest, |(_, reason)| reason);
    Some(TemplateError { template, line, reason, value })
}

/// Helm 4: a place on a line of its own, then `executing ... at <...>:`, then the reason, each deeper than the one before.
fn on_many_lines(words: &str) -> Option<TemplateError<'_>> {
    let lines: Vec<_> = words.lines().map(|line| line.trim_start_matches("Error: ")).collect();
    let at = lines.iter().rposition(|line| !line.starts_with(' ') && place_of(line).is_some())?;
    let (template, line) = place_of(lines[at])?;
    let behind: Vec<_> =
        lines[at + 1..].iter().take_while(|line| line.starts_with(' ')).map(|line| line.trim()).collect();
    let reason = behind.iter().rev().find(|line| !line.starts_with("executing ")).or(behind.last())?;
    Some(TemplateError { template, line, reason, value: behind.iter().find_map(|line| value_in(line)) })
}

/// `a/templates/b.yaml:78:21` or `...:78`.
fn place_of(place: &str) -> Option<(&str, u64)> {
    let place = place.rsplit(' ').next()?;
    let (template, rest) = place.split_once(':')?;
    let line = rest.split(':').next()?.parse().ok()?;
    template.contains('/').then_some((template, line))
}

fn value_in(text: &str) -> Option<&str> {
    let end = |c: char| c == '>' || c == ' ' || c == ')';
    after(text, ".Values.").map(|rest| rest.find(end).map_or(rest, |at| &rest[..at]))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}
