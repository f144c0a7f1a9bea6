//! The functions that istiod's templates may call: its own, and the few of sprig that they use.
//!
//! Two of Go's builtins are replaced: `index`, because a missing entry of a Go `map[string]string` is the empty string,
//! and `eq`/`ne`, because Go compares what is absent without complaint.

use std::{collections::BTreeMap, sync::Arc};

use gotmpl::{FuncMap, TemplateError, Value as Dot, ValueFunc};
use serde_json::Value;

use super::{
    Environment,
    value::{print, text, to_json},
};

type Answer = Result<Dot, TemplateError>;
/// A function that answers whatever it is given.
type Total = fn(&[Dot]) -> Dot;
/// A function that may refuse its arguments.
type Partial = fn(&[Dot]) -> Answer;

const TOTAL: [(&str, Total); 30] = [
    ("annotation", annotation),
    ("appendMultusNetwork", append_multus_network),
    ("contains", |args| Dot::Bool(print(arg(args, 1)).contains(&print(arg(args, 0))))),
    ("default", |args| arg(args, usize::from(arg(args, 1).is_truthy())).clone()),
    ("directory", directory),
    ("eq", |args| Dot::Bool(args.iter().skip(1).any(|other| same(arg(args, 0), other)))),
    ("excludeInboundPort", exclude_inbound_port),
    ("fromJSON", from_json_text),
    ("includeInboundPorts", |args| text(container_ports(arg(args, 0)))),
    ("indent", |args| text(indent(arg(args, 0), &print(arg(args, 1))))),
    ("isset", |args| Dot::Bool(arg(args, 0).field(&print(arg(args, 1))).is_some())),
    ("join", join),
    ("kubevirtInterfaces", |args| arg(args, 0).clone()),
    ("list", |args| Dot::List(args.into())),
    ("ne", |args| Dot::Bool(!same(arg(args, 0), arg(args, 1)))),
    ("nindent", |args| text(nindent(arg(args, 0), &print(arg(args, 1))))),
    ("omit", omit),
    ("omitNil", |args| super::from_json(&without_null(to_json(arg(args, 0))))),
    ("otelResourceAttributes", |_| text("")),
    ("protoToJSON", |args| arg(args, 0).field("JSON").cloned().unwrap_or_else(|| text("{}"))),
    ("quote", |args| text(quote(args))),
    ("strdict", strdict),
    ("structToJSON", |args| text(container_port_json(arg(args, 0)))),
    ("toJSON", |args| text(to_json(arg(args, 0)).to_string())),
    ("toLower", |args| text(print(arg(args, 0)).to_lowercase())),
    ("toYaml", to_yaml),
    ("trimAll", |args| text(print(arg(args, 1)).trim_matches(|c| print(arg(args, 0)).contains(c)))),
    ("trimSuffix", trim_suffix),
    ("trunc", trunc),
    ("valueOrDefault", value_or_default),
];

const PARTIAL: [(&str, Partial); 3] = [("append", append), ("index", index), ("toJsonMap", to_json_map)];

/// Everything a template may call beyond Go's builtins.
pub(super) fn all(environment: &Environment) -> FuncMap {
    let mut functions = FuncMap::new();
    for (name, function) in TOTAL {
        functions.insert(name.into(), Arc::new(move |args: &[Dot]| Ok(function(args))) as ValueFunc);
    }
    for (name, function) in PARTIAL {
        functions.insert(name.into(), Arc::new(function) as ValueFunc);
    }
    let environment = environment.clone();
    functions.insert(
        "env".into(),
        Arc::new(move |args: &[Dot]| {
            let set = environment.get(&print(arg(args, 0))).filter(|value| !value.is_empty());
            Ok(set.map_or_else(|| arg(args, 1).clone(), text))
        }),
    );
    functions
}

fn arg(args: &[Dot], position: usize) -> &Dot {
    args.get(position).unwrap_or(&Dot::Nil)
}

fn same(one: &Dot, other: &Dot) -> bool {
    match (one, other) {
        (Dot::Nil, Dot::Nil) => true,
        (Dot::Nil, Dot::String(text)) | (Dot::String(text), Dot::Nil) => text.is_empty(),
        _ => to_json(one) == to_json(other),
    }
}

fn index(args: &[Dot]) -> Answer {
    let mut at = arg(args, 0).clone();
    for key in args.iter().skip(1) {
        at = match (&at, key) {
            (Dot::Nil, Dot::String(_)) => text(""),
            (Dot::Map(map), Dot::String(key)) => map.get(key).cloned().unwrap_or_else(|| text("")),
            _ => at.index(key)?,
        };
    }
    Ok(at)
}

fn annotation(args: &[Dot]) -> Dot {
    let set = arg(args, 0).field("Annotations").and_then(|all| all.field(&print(arg(args, 1))));
    text(set.map_or_else(|| print(arg(args, 2)), print))
}

fn append(args: &[Dot]) -> Answer {
    let Dot::List(list) = arg(args, 0) else {
        return Err(TemplateError::Exec("append: the first argument is not a list".into()));
    };
    Ok(Dot::List(list.iter().chain(args.iter().skip(1)).cloned().collect()))
}

fn append_multus_network(args: &[Dot]) -> Dot {
    let (existing, added) = (print(arg(args, 0)), print(arg(args, 1)));
    if existing.is_empty() {
        return text(added);
    }
    if let Some(end) = existing.rfind(']') {
        let listed = serde_json::from_str::<Vec<Value>>(&existing)
            .is_ok_and(|networks| networks.iter().any(|network| network["name"] == added.as_str()));
        return text(if listed {
            existing
        } else {
            format!("{}, {{\"name\": \"{added}\"}}{}", &existing[..end], &existing[end..])
        });
    }
    let listed = existing.split(',').any(|network| network.trim() == added);
    text(if listed { existing } else { format!("{existing}, {added}") })
}

fn directory(args: &[Dot]) -> Dot {
    let path = print(arg(args, 0));
    text(path.rfind('/').map_or("", |end| &path[..=end]))
}

fn exclude_inbound_port(args: &[Dot]) -> Dot {
    let (port, excluded) = (print(arg(args, 0)), print(arg(args, 1)));
    let port = port.trim();
    if port.is_empty() || port == "0" || excluded.split(',').any(|other| other.trim() == port) {
        return text(excluded);
    }
    let kept = excluded.split(',').map(str::trim).filter(|other| !other.is_empty());
    text(kept.chain([port]).collect::<Vec<_>>().join(","))
}

fn from_json_text(args: &[Dot]) -> Dot {
    let parsed = serde_json::from_str::<Value>(&print(arg(args, 0)));
    parsed.map_or_else(|_| text("{}"), |value| super::from_json(&value))
}

fn container_ports(containers: &Dot) -> String {
    let Value::Array(containers) = to_json(containers) else { return String::new() };
    let ports = containers.iter().flat_map(|container| container["Ports"].as_array().into_iter().flatten());
    ports
        .filter(|port| !matches!(port["protocol"].as_str(), Some("UDP" | "SCTP")))
        .map(|port| port["containerPort"].to_string())
        .collect::<Vec<_>>()
        .join(",")
}

/// istiod's own: the first line stays where it is.
fn indent(spaces: &Dot, source: &str) -> String {
    source.replace('\n', &format!("\n{}", padding(spaces)))
}

/// sprig's `nindent`: a line break, then every line indented.
fn nindent(spaces: &Dot, source: &str) -> String {
    let pad = padding(spaces);
    format!("\n{pad}{}", source.replace('\n', &format!("\n{pad}")))
}

fn padding(spaces: &Dot) -> String {
    " ".repeat(spaces.as_int().and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
}

fn join(args: &[Dot]) -> Dot {
    let Dot::List(list) = arg(args, 1) else { return text(print(arg(args, 1))) };
    text(list.iter().map(print).collect::<Vec<_>>().join(&print(arg(args, 0))))
}

fn omit(args: &[Dot]) -> Dot {
    let Dot::Map(map) = arg(args, 0) else { return Dot::Map(Arc::default()) };
    let mut kept: BTreeMap<Arc<str>, Dot> = (**map).clone();
    for key in args.iter().skip(1) {
        kept.remove(print(key).as_str());
    }
    Dot::Map(Arc::new(kept))
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_null(value)))
            .filter(|(_, value)| !value.is_null())
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}

fn quote(args: &[Dot]) -> String {
    let present = args.iter().filter(|value| !matches!(value, Dot::Nil));
    present.map(|value| Value::String(print(value)).to_string()).collect::<Vec<_>>().join(" ")
}

fn strdict(args: &[Dot]) -> Dot {
    let pairs = args.chunks(2).map(|pair| (Arc::from(print(&pair[0]).as_str()), text(print(arg(pair, 1)))));
    Dot::Map(Arc::new(pairs.collect()))
}

/// A container port with its fields in the order in which Go writes them.
fn container_port_json(port: &Dot) -> String {
    let port = to_json(port);
    let fields = ["name", "hostPort", "containerPort", "protocol", "hostIP"];
    let present = fields.iter().filter_map(|field| Some((*field, port.get(field)?)));
    let written = present.map(|(field, value)| format!("\"{field}\":{value}")).collect::<Vec<_>>();
    format!("{{{}}}", written.join(","))
}

fn to_json_map(args: &[Dot]) -> Answer {
    let mut merged = BTreeMap::new();
    for map in args {
        if let Dot::Map(entries) = map {
            merged.extend(entries.iter().map(|(key, value)| (key.to_string(), to_json(value))));
        }
    }
    serde_json::to_string(&merged).map(text).map_err(|error| TemplateError::Exec(error.to_string()))
}

/// One line for each entry with its value as JSON, which is YAML too: the result is parsed again, so only the structure
/// matters. It ends with a line break as Go's writer does.
fn to_yaml(args: &[Dot]) -> Dot {
    let lines: Vec<String> = match to_json(arg(args, 0)) {
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(key, value)| format!("{}: {value}\n", Value::from(key.as_str()))).collect()
        }
        other => vec![format!("{other}\n")],
    };
    text(lines.concat())
}

fn trim_suffix(args: &[Dot]) -> Dot {
    let (suffix, source) = (print(arg(args, 0)), print(arg(args, 1)));
    text(source.strip_suffix(suffix.as_str()).unwrap_or(&source))
}

fn trunc(args: &[Dot]) -> Dot {
    let length = arg(args, 0).as_int().and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
    text(print(arg(args, 1)).chars().take(length).collect::<String>())
}

fn value_or_default(args: &[Dot]) -> Dot {
    let absent = match arg(args, 0) {
        Dot::Nil => true,
        Dot::String(text) => text.is_empty(),
        _ => false,
    };
    arg(args, usize::from(absent)).clone()
}
