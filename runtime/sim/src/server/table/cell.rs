//! What stands in cells: ages, numbers of ready ones, lists, and what a CRD's columns point at.
//!
//! Not known here: which kind has which columns.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::actor::json::{items, text};

/// How long ago something was, in the words of kubectl.
pub(super) fn age(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return "<unknown>".to_owned() };
    human(now.duration_since(since).as_secs())
}

/// A span as kubectl shows it.
pub(super) fn human(seconds: i64) -> String {
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |many: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{many}{unit}"),
        rest => format!("{many}{unit}{rest}{small}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// The age of an object.
pub(super) fn object_age(object: &Value, now: Timestamp) -> Value {
    age(text(object, "/metadata/creationTimestamp"), now).into()
}

/// Texts with commas between them, `<none>` where there are none.
pub(super) fn joined(list: impl IntoIterator<Item = String>) -> String {
    let list: Vec<_> = list.into_iter().filter(|one| !one.is_empty()).collect();
    if list.is_empty() { "<none>".to_owned() } else { list.join(",") }
}

/// A text, or `<none>`.
pub(super) fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

/// A label selector as text.
pub(super) fn selector(selector: &Value) -> String {
    let pairs = selector.get("matchLabels").unwrap_or(selector).as_object().into_iter().flatten();
    let equal = pairs.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let others = items(selector, "/matchExpressions").iter().map(|one| {
        let values: Vec<_> = items(one, "/values").iter().filter_map(Value::as_str).collect();
        match text(one, "/operator") {
            "In" => format!("{} in ({})", text(one, "/key"), values.join(",")),
            "NotIn" => format!("{} notin ({})", text(one, "/key"), values.join(",")),
            "Exists" => text(one, "/key").to_owned(),
            _ => format!("!{}", text(one, "/key")),
        }
    });
    joined(equal.chain(others))
}

/// The names, or the images, of the containers of a pod template.
pub(super) fn containers(spec: &Value, field: &str) -> Value {
    joined(items(spec, "/containers").iter().map(|one| one[field].as_str().unwrap_or_default().to_owned())).into()
}

/// The heads of the columns that a CRD declares.
pub(super) fn declarations(declared: &[Value]) -> Vec<Value> {
    let name = json!({ "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0 });
    let mut columns = vec![name];
    if declared.is_empty() {
        columns.push(json!({ "name": "Age", "type": "date", "format": "", "description": "", "priority": 0 }));
    }
    columns.extend(declared.iter().map(|one| {
        json!({
            "name": one["name"], "type": one["type"], "format": one["format"].as_str().unwrap_or_default(),
            "description": one["description"].as_str().unwrap_or_default(), "priority": one["priority"].as_i64().unwrap_or(0),
        })
    }));
    columns
}

/// The cells of the columns that a CRD declares.
pub(super) fn declared(declared: &[Value], object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![object["metadata"]["name"].clone()];
    if declared.is_empty() {
        cells.push(object_age(object, now));
    }
    cells.extend(declared.iter().map(|one| {
        let found = find(object, text(one, "/jsonPath"));
        match (text(one, "/type"), found) {
            (_, None | Some(Value::Null)) => Value::Null,
            ("date", Some(value)) => age(value.as_str().unwrap_or_default(), now).into(),
            ("string", Some(Value::String(text))) => text.into(),
            ("string", Some(other)) => other.to_string().into(),
            (_, Some(value)) => value,
        }
    }));
    cells
}

/// What a path such as `.spec.hosts` or `.status.conditions[?(@.type=="Ready")].status` points at.
fn find(object: &Value, path: &str) -> Option<Value> {
    let mut at = object.clone();
    let mut rest = path.trim_start_matches('.');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, behind) = inside.split_once(']')?;
            rest = behind.trim_start_matches('.');
            at = match index.trim() {
                "*" => at.as_array()?.first()?.clone(),
                number if number.parse::<usize>().is_ok() => at.get(number.parse::<usize>().ok()?)?.clone(),
                filter if filter.starts_with("?(@.") => {
                    let (key, wanted) = filter.strip_prefix("?(@.")?.strip_suffix(')')?.split_once("==")?;
                    let wanted = wanted.trim().trim_matches(['"', '\'']);
                    at.as_array()?.iter().find(|one| one[key.trim()] == wanted)?.clone()
                }
                quoted => at.get(quoted.trim_matches(['"', '\'']))?.clone(),
            };
            continue;
        }
        let end = key_end(rest);
        let key = rest[..end].replace("\\.", ".");
        rest = rest[end..].trim_start_matches('.');
        at = at.get(key)?.clone();
    }
    Some(at)
}

/// Where a key ends: at a dot that is not escaped, or at a bracket.
fn key_end(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        if !is_escaped && at > 0 && (character == '.' || character == '[') {
            return at;
        }
        is_escaped = character == '\\';
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_as_kubectl_tells_them() {
        for (seconds, told) in [
            (5, "5s"),
            (119, "119s"),
            (125, "2m5s"),
            (600, "10m"),
            (7200, "120m"),
            (14_400, "4h"),
            (90_000, "25h"),
            (864_000, "10d"),
        ] {
            assert_eq!(human(seconds), told);
        }
    }

    #[test]
    fn paths_of_columns_are_followed() {
        let object = json!({ "spec": { "hosts": ["a"], "x.y": 1 }, "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
        assert_eq!(find(&object, ".spec.hosts"), Some(json!(["a"])));
        assert_eq!(find(&object, ".spec.hosts[0]"), Some(json!("a")));
        assert_eq!(find(&object, r".spec.x\.y"), Some(json!(1)));
        assert_eq!(find(&object, r#".status.conditions[?(@.type=="Ready")].status"#), Some(json!("True")));
        assert_eq!(find(&object, ".spec.none"), None);
    }
}
