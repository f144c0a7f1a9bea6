//! Runs the Go templates of an injector ConfigMap, as istiod does.
//!
//! Parsing and evaluation are `gotmpl`'s; added here are the functions that istiod offers to its templates. Not known
//! here: pods, gateways, or what a template is for.

mod function;
mod value;

pub(crate) use value::from_json;

use gotmpl::{Template, Value as Dot};

/// What Go writes for a value that is absent. Where it is written out, the object that comes of it would be wrong.
const ABSENT: &str = "<no value>";

/// A parsed template.
pub(crate) struct Program(Template);

/// What istiod's own environment says, for the templates that ask.
pub(crate) type Environment = std::collections::BTreeMap<String, String>;

impl Program {
    /// Parses a template. `environment` answers the template function `env`.
    pub(crate) fn parse(source: &str, environment: &Environment) -> Result<Self, String> {
        Template::new("inject")
            .funcs(function::all(environment))
            .parse(&keep_line_after_comment(source))
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// Runs the template over `dot`.
    pub(crate) fn run(&self, dot: &Dot) -> Result<String, String> {
        let text = self.0.execute_to_string(dot).map_err(|error| error.to_string())?;
        match text.lines().find(|line| line.contains(ABSENT)) {
            Some(line) => Err(format!("the template reads what there is not: {}", line.trim())),
            None => Ok(text),
        }
    }
}

/// Replaces comments by empty actions: `gotmpl` eats the line break after a comment that trims to its left only, Go
/// keeps it.
fn keep_line_after_comment(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(open) = rest.find("{{- /*") {
        let Some(close) = rest[open..].find("*/") else { break };
        let after = open + close + 2;
        out.push_str(&rest[..open]);
        out.push_str("{{- \"\" ");
        rest = rest[after..].trim_start_matches(' ');
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(source: &str, dot: &serde_json::Value) -> String {
        let environment = Environment::from([("SET".to_owned(), "yes".to_owned())]);
        Program::parse(source, &environment).unwrap().run(&from_json(dot)).unwrap()
    }

    #[test]
    fn a_comment_keeps_the_line_break_after_it() {
        assert_eq!(run("a\n    {{- /* words */}}\n  b", &json!({})), "a\n  b");
    }

    #[test]
    fn absent_labels_compare_as_empty_text() {
        let dot = json!({ "M": {} });
        assert_eq!(run("{{ if eq (index .M `x`) `true` }}yes{{ else }}no{{ end }}", &dot), "no");
        assert_eq!(run("{{ index .M `x` | default `other` | quote }}", &dot), "\"other\"");
        assert_eq!(run("{{ if eq (.M.env).FLAG true }}yes{{ else }}no{{ end }}", &dot), "no");
    }

    #[test]
    fn what_is_absent_is_not_written_out() {
        let program = Program::parse("image: {{ .Missing }}", &Environment::new()).unwrap();
        let reason = program.run(&from_json(&json!({}))).unwrap_err();
        assert_eq!(reason, "the template reads what there is not: image: <no value>");
    }

    #[test]
    fn environment_answers_with_its_value_or_the_fallback() {
        assert_eq!(run("{{ env `SET` `no` }} {{ env `UNSET` `no` }}", &json!({})), "yes no");
    }

    #[test]
    fn excluded_ports_gain_the_status_port_once() {
        assert_eq!(run("{{ excludeInboundPort 15020 `` }}", &json!({})), "15020");
        assert_eq!(run("{{ excludeInboundPort 15020 `80, 443` }}", &json!({})), "80,443,15020");
        assert_eq!(run("{{ excludeInboundPort 15020 `15020` }}", &json!({})), "15020");
    }

    #[test]
    fn maps_become_sorted_json_with_later_ones_winning() {
        let dot = json!({ "A": { "b": "1", "a": "1" } });
        assert_eq!(run("{{ toJsonMap .A (strdict `b` `2`) }}", &dot), r#"{"a":"1","b":"2"}"#);
        assert_eq!(run("{{ toJsonMap (omit .A `a`) }}", &dot), r#"{"b":"1"}"#);
    }
}
