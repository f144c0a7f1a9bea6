//! Quantities as Kubernetes writes them: `500m`, `0.5`, `1Gi`. The server rewrites them, so equal ones may look different.

use serde_json::Value;

/// Powers of ten and of two, by suffix.
const SUFFIXES: &[(&str, f64)] = &[
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// Whether two values mean the same quantity.
pub(super) fn are_equal(left: &Value, right: &Value) -> bool {
    match (parse(left), parse(right)) {
        (Some(left), Some(right)) => (left - right).abs() <= left.abs().max(right.abs()) * 1e-12,
        _ => false,
    }
}

fn parse(value: &Value) -> Option<f64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (suffix, factor) = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix))?;
    let number = &text[..text.len() - suffix.len()];
    let plain = number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e'));
    number.parse::<f64>().ok().filter(|number| plain && number.is_finite()).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        for (left, right) in [
            (json!("1000m"), json!("1")),
            (json!(1), json!("1")),
            (json!("0.5"), json!("500m")),
            (json!("1Gi"), json!("1024Mi")),
            (json!("1e3"), json!("1k")),
        ] {
            assert!(are_equal(&left, &right), "{left} {right}");
        }
        for (left, right) in [
            (json!("1"), json!("2")),
            (json!("1Gi"), json!("1G")),
            (json!("one"), json!("one")),
            (json!(true), json!(true)),
        ] {
            assert!(!are_equal(&left, &right), "{left} {right}");
        }
    }
}
