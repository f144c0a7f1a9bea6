//! Reads one page of a list, handing its objects over one by one as they are read: a page is never held as values, and of each object
//! only what is wanted.
//!
//! Does not know what becomes of an object, nor which page comes next.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::fields::Fields;

/// What a page says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The version from which a watch goes on.
    pub version: String,
    /// What to ask for the next page with; `None` on the last.
    pub next: Option<String>,
}

/// Reads a page.
pub(super) fn read(bytes: &[u8], fields: &Fields, take: &mut dyn FnMut(Value)) -> serde_json::Result<Page> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let page = Body { fields, take }.deserialize(&mut input)?;
    input.end()?;
    Ok(page)
}

struct Body<'a> {
    fields: &'a Fields,
    take: &'a mut dyn FnMut(Value),
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = Page;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Page, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        let mut is_list = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "metadata" => {
                    let metadata: Value = map.next_value()?;
                    let text = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
                    page.version = text("resourceVersion");
                    page.next = Some(text("continue")).filter(|token| !token.is_empty());
                }
                "items" => {
                    map.next_value_seed(Items { fields: self.fields, take: &mut *self.take })?;
                    is_list = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if is_list { Ok(page) } else { Err(A::Error::missing_field("items")) }
    }
}

struct Items<'a> {
    fields: &'a Fields,
    take: &'a mut dyn FnMut(Value),
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }

    /// An empty list may be written so.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element_seed(self.fields)? {
            (self.take)(item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<(Page, Vec<String>), serde_json::Error> {
        let mut items = Vec::new();
        let page = read(text.as_bytes(), &Fields::all(), &mut |item| items.push(item.to_string()))?;
        Ok((page, items))
    }

    #[test]
    fn objects_come_one_by_one_wherever_the_metadata_stands() {
        let page = Page { version: "7".to_owned(), next: Some("t".to_owned()) };
        for text in [
            r#"{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"t"},"items":[{"a":1},{"b":[2]}]}"#,
            r#"{"items":[{"a":1},{"b":[2]}],"metadata":{"continue":"t","resourceVersion":"7"}}"#,
        ] {
            assert_eq!(of(text).unwrap(), (page.clone(), vec![r#"{"a":1}"#.to_owned(), r#"{"b":[2]}"#.to_owned()]));
        }
        let last = of(r#"{"metadata":{"resourceVersion":"9","continue":""},"items":null}"#).unwrap();
        assert_eq!(last, (Page { version: "9".to_owned(), next: None }, Vec::new()));
    }

    #[test]
    fn what_is_no_list_is_not_an_empty_one() {
        for text in [r#"{"kind":"Status"}"#, r#"{"items":{}}"#, "[]", r#"{"items":[{"a""#, r#"{"items":[]} more"#] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
