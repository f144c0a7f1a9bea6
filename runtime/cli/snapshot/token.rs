//! Secret values and the numbered tokens that stand for them: the same value has the same token wherever it stands.
//!
//! Does not know objects.

use std::collections::HashMap;

/// Shorter values are not looked for in texts: `true`, `admin` and `default` are stored in Secrets too.
const SHORTEST: usize = 8;

/// The secret values that are known, by what they begin with.
#[derive(Default)]
pub(super) struct Tokens {
    numbers: HashMap<Vec<u8>, usize>,
    sought: HashMap<[u8; SHORTEST], Vec<(String, usize)>>,
}

impl Tokens {
    /// The token of a value.
    pub(super) fn of(&mut self, value: &[u8]) -> String {
        shown(self.number(value))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Looks for a value in texts from now on, as it is, encoded in base64 and quoted in JSON; unless it is too short, public
    /// or may be a mere name.
    pub(super) fn seek(&mut self, value: &str, encoded: &str) {
        let value = value.trim();
        if value.len() < SHORTEST || is_public(value) || is_name(value) {
            return;
        }
        let number = self.number(value.as_bytes());
        let quoted = serde_json::Value::from(value).to_string();
        for form in [value, encoded.trim(), &quoted[1..quoted.len() - 1]] {
            let Some(start) = form.as_bytes().first_chunk() else { continue };
            let known = self.sought.entry(*start).or_default();
            if !known.iter().any(|(text, _)| text == form) {
                known.push((form.to_owned(), number));
                known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
            }
        }
    }

    /// The text with all values in it replaced that are looked for, and private keys; `None` where there are none.
    pub(super) fn replace(&mut self, text: &str) -> Option<String> {
        let without_keys = self.without_keys(text);
        let text = without_keys.as_deref().unwrap_or(text);
        let (mut replaced, mut done, mut at) = (String::new(), 0, 0);
        while let Some(start) = text.as_bytes()[at..].first_chunk::<SHORTEST>() {
            let here = &text.as_bytes()[at..];
            let known = self.sought.get(start);
            match known.and_then(|known| known.iter().find(|(value, _)| here.starts_with(value.as_bytes()))) {
                Some((value, number)) => {
                    replaced.push_str(&text[done..at]);
                    replaced.push_str(&shown(*number));
                    at += value.len();
                    done = at;
                }
                None => at += 1,
            }
        }
        if done == 0 {
            return without_keys;
        }
        replaced.push_str(&text[done..]);
        Some(replaced)
    }

    /// The text without private keys, whoever put them there.
    fn without_keys(&mut self, text: &str) -> Option<String> {
        const LABEL: &str = "PRIVATE KEY-----";
        let mut rest = text;
        let mut kept = String::new();
        let mut found = false;
        while let Some(label) = rest.find(LABEL) {
            let behind = label + LABEL.len();
            let begin = rest[..label].rfind("-----BEGIN ");
            let end = rest[behind..].find(LABEL).map(|end| behind + end + LABEL.len());
            let (Some(begin), Some(end)) = (begin, end) else {
                kept.push_str(&rest[..behind]);
                rest = &rest[behind..];
                continue;
            };
            kept.push_str(&rest[..begin]);
            kept.push_str(&self.of(&rest.as_bytes()[begin..end]));
            rest = &rest[end..];
            found = true;
        }
        found.then(|| kept + rest)
    }

    fn number(&mut self, value: &[u8]) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(value.trim_ascii().to_owned()).or_insert(next)
    }
}

fn shown(number: usize) -> String {
    format!("<secret {number}>")
}

/// Certificates without a key are meant to be seen, and webhooks do not work without them.
fn is_public(value: &str) -> bool {
    value.contains("-----BEGIN CERTIFICATE-----") && !value.contains("PRIVATE KEY")
}

/// Whether it may be the name of an object, a host or an address: replacing it everywhere would tear references apart.
fn is_name(value: &str) -> bool {
    let plain = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./:".contains(&b));
    let bytes = value.as_bytes();
    let mixes = bytes.windows(2).filter(|two| {
        two[0].is_ascii_alphanumeric()
            && two[1].is_ascii_alphanumeric()
            && two[0].is_ascii_digit() != two[1].is_ascii_digit()
    });
    plain && mixes.count() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(values: &[&str]) -> Tokens {
        let mut tokens = Tokens::default();
        for value in values {
            tokens.seek(value, "");
        }
        tokens
    }

    #[test]
    fn the_longest_value_is_replaced_first_and_each_keeps_its_number() {
        let mut tokens = tokens(&["Hunter22", "Hunter22-and-more"]);
        let text = "ä Hunter22-and-more, Hunter22 Hunter2";
        assert_eq!(tokens.replace(text).unwrap(), "ä <secret 2>, <secret 1> Hunter2");
        assert_eq!(tokens.replace("nothing of it"), None);
    }

    #[test]
    fn what_may_be_a_name_is_not_looked_for() {
        for name in ["istio-system", "postgres.shop.svc:5432", "us-east-1", "registry.example.com/v2", "10.12.0.1:443"]
        {
            assert!(is_name(name), "{name}");
        }
        for secret in ["9f86d081884c7d65", "correct horse", "pA55-word", "ya29.a0AfH6SM", "s3cr3t-v4lue"] {
            assert!(!is_name(secret), "{secret}");
        }
    }

    #[test]
    fn a_private_key_goes_from_any_text_and_a_certificate_stays() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIx\n-----END RSA PRIVATE KEY-----";
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIy\n-----END CERTIFICATE-----\n";
        let mut tokens = tokens(&[certificate]);
        let text = format!("{certificate}{key}\nand {key}");
        assert_eq!(tokens.replace(&text).unwrap(), format!("{certificate}<secret 1>\nand <secret 1>"));
        assert_eq!(tokens.replace("half a PRIVATE KEY-----, and no more of it"), None);
    }

    #[test]
    fn a_value_is_found_in_every_form() {
        let mut tokens = Tokens::default();
        tokens.seek("say \"Hello!\"", "c2F5ICJIZWxsbyEi");
        let text = r#"{"a":"say \"Hello!\"","b":"c2F5ICJIZWxsbyEi"}"#;
        assert_eq!(tokens.replace(text).unwrap(), r#"{"a":"<secret 1>","b":"<secret 1>"}"#);
    }
}
