//! What may stand in the path of a request: names, checked before anything is sent, and written so that they stay one part.
//!
//! Does not know kinds: the stricter rules of each are the API server's.

use std::fmt::Write as _;

use runbook_core::{Code, Fault};

/// Longest name of an object.
const LONGEST: usize = 253;

/// Checks a name of an object or a namespace, called `what` in the fault.
///
/// Faults: `RB015` where it is empty, too long, holds control characters, or would lead to another path.
pub fn check(what: &str, name: &str) -> Result<(), Fault> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > LONGEST {
        "it is longer than 253 characters"
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "it holds white space or control characters"
    } else if matches!(name, "." | "..") || name.contains(['/', '%', '?', '#', '\\']) {
        "it would lead to another path"
    } else {
        return Ok(());
    };
    Err(Fault::new(Code::WrongArgument, format!("`{}` is no name of a {what}: {reason}", shown(name))))
}

/// A name as it may stand in a message: control characters escaped, cut where it is long.
fn shown(name: &str) -> String {
    let cut: String = name.chars().take(80).flat_map(char::escape_default).collect();
    if name.chars().count() > 80 { format!("{cut}...") } else { cut }
}

/// Percent-encodes what is not plain, for a part of a path or a value of a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_leave_its_place_in_a_path_is_refused() {
        for bad in ["", ".", "..", "../x", "a/b", "a%2fb", "a b", "a\nb", "\u{1b}[31m", "x?y", "x#y", &"a".repeat(254)]
        {
            assert_eq!(check("pod", bad).unwrap_err().code, Code::WrongArgument, "{bad:?}");
        }
        for good in ["web", "system:node-proxier", "istio-system", "a.b-c", "kube-root-ca.crt"] {
            check("pod", good).unwrap();
        }
    }

    #[test]
    fn a_refused_name_is_shown_harmlessly() {
        assert!(!check("pod", "\u{1b}[31mred").unwrap_err().message.contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn a_name_that_passes_stays_one_part_of_a_path(name in "\\PC{0,40}") {
            if check("pod", &name).is_ok() {
                let uri: http::Uri = format!("/api/v1/pods/{}", encode(&name)).parse().unwrap();
                prop_assert_eq!(uri.path().matches('/').count(), 4);
                prop_assert!(uri.query().is_none());
            }
        }
    }
}
