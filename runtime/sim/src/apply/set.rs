//! A set of paths to fields, as a tree, and what is done with such sets.
//!
//! Not known here: schemas, objects, who owns what.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::atom::{Kind, Types};
use super::element::Element;

/// A set of paths. Members and children are sorted; an element may be both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) members: Vec<Element>,
    pub(crate) children: Vec<(Element, Self)>,
}

impl Set {
    pub(crate) fn of(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<_> = path.iter().map(|name| Element::field(name)).collect();
            set.insert(&path);
        }
        set
    }

    pub(crate) fn insert(&mut self, path: &[Element]) {
        match path {
            [] => {}
            [last] => self.insert_member(last),
            [first, rest @ ..] => self.descend(first).insert(rest),
        }
    }

    pub(crate) fn insert_member(&mut self, element: &Element) {
        if let Err(at) = self.members.binary_search(element) {
            self.members.insert(at, element.clone());
        }
    }

    /// The child under an element, made if there is none.
    pub(crate) fn descend(&mut self, element: &Element) -> &mut Self {
        let at = match self.children.binary_search_by(|(child, _)| child.cmp(element)) {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(at, (element.clone(), Self::default()));
                at
            }
        };
        &mut self.children[at].1
    }

    /// Puts a whole child where there is none yet.
    pub(crate) fn adopt(&mut self, element: Element, child: Self) {
        match self.children.binary_search_by(|(other, _)| other.cmp(&element)) {
            Ok(at) => self.children[at].1 = self.children[at].1.union(&child),
            Err(at) => self.children.insert(at, (element, child)),
        }
    }

    pub(crate) fn child(&self, element: &Element) -> Option<&Self> {
        let at = self.children.binary_search_by(|(child, _)| child.cmp(element)).ok()?;
        Some(&self.children[at].1)
    }

    pub(crate) fn has_member(&self, element: &Element) -> bool {
        self.members.binary_search(element).is_ok()
    }

    pub(crate) fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.has_member(last),
            [first, rest @ ..] => self.child(first).is_some_and(|child| child.has(rest)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.iter().all(|(_, child)| child.is_empty())
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let members = zip(&self.members, &other.members, Element::cmp).map(|(left, right)| left.or(right).cloned());
        let children = zip(&self.children, &other.children, |left, right| left.0.cmp(&right.0));
        Self {
            members: members.flatten().collect(),
            children: children
                .filter_map(|pair| match pair {
                    (Some((element, left)), Some((_, right))) => Some((element.clone(), left.union(right))),
                    (one, other) => one.or(other).cloned(),
                })
                .collect(),
        }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let members = zip(&self.members, &other.members, Element::cmp);
        let children = zip(&self.children, &other.children, |left, right| left.0.cmp(&right.0));
        Self {
            members: members.filter_map(|(left, right)| right.and(left).cloned()).collect(),
            children: children
                .filter_map(|pair| match pair {
                    (Some((element, left)), Some((_, right))) => Some((element.clone(), left.intersection(right))),
                    _ => None,
                })
                .filter(|(_, child)| !child.is_empty())
                .collect(),
        }
    }

    /// What is here and not there, path by path.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.subtract(other, |_| true, Self::difference)
    }

    /// What is neither there nor below what is there.
    pub(crate) fn recursive_difference(&self, other: &Self) -> Self {
        self.subtract(other, |element| !other.has_member(element), Self::recursive_difference)
    }

    fn subtract(&self, other: &Self, stays: impl Fn(&Element) -> bool, below: impl Fn(&Self, &Self) -> Self) -> Self {
        let members = zip(&self.members, &other.members, Element::cmp);
        let children = zip(&self.children, &other.children, |left, right| left.0.cmp(&right.0));
        Self {
            members: members.filter_map(|(left, right)| left.filter(|_| right.is_none()).cloned()).collect(),
            children: children
                .filter_map(|(left, right)| {
                    let (element, left) = left.filter(|(element, _)| stays(element))?;
                    let rest = right.map_or_else(|| left.clone(), |(_, right)| below(left, right));
                    Some((element.clone(), rest)).filter(|(_, rest)| !rest.is_empty())
                })
                .collect(),
        }
    }

    /// With each field that the schema names a member where something below it is.
    pub(super) fn with_named_fields(&self, types: Types<'_>, kind: Kind<'_>) -> Self {
        let atom = types.atom(kind);
        let mut set = Self { members: self.members.clone(), children: Vec::with_capacity(self.children.len()) };
        for (element, child) in &self.children {
            let below = match (element, &atom.map, &atom.list) {
                (Element::Field(name), Some(map), _) => {
                    let (below, named) = map.field(name);
                    if named {
                        set.insert_member(element);
                    }
                    below
                }
                (Element::Key(_), _, Some(list)) => list.element,
                _ => Kind::Undeclared,
            };
            set.children.push((element.clone(), child.with_named_fields(types, below)));
        }
        set
    }

    /// Visits each path: members first, then what is below.
    pub(crate) fn each(&self, path: &mut Vec<Element>, visit: &mut dyn FnMut(&[Element])) {
        for member in &self.members {
            path.push(member.clone());
            visit(path);
            path.pop();
        }
        for (element, child) in &self.children {
            path.push(element.clone());
            child.each(path, visit);
            path.pop();
        }
    }

    /// As `FieldsV1`.
    pub(crate) fn written(&self) -> Value {
        let mut fields = Map::new();
        let children: Vec<_> = self.children.iter().filter(|(_, child)| !child.is_empty()).collect();
        for (member, child) in zip(&self.members, &children, |member, child| member.cmp(&child.0)) {
            match (member, child) {
                (Some(member), None) => drop(fields.insert(member.written(), Value::Object(Map::new()))),
                (None, Some((element, child))) => drop(fields.insert(element.written(), child.written())),
                (Some(_), Some((element, child))) => {
                    let mut both = Map::new();
                    both.insert(".".to_owned(), Value::Object(Map::new()));
                    if let Value::Object(below) = child.written() {
                        both.extend(below);
                    }
                    fields.insert(element.written(), Value::Object(both));
                }
                (None, None) => {}
            }
        }
        Value::Object(fields)
    }

    /// Reads `FieldsV1`.
    pub(crate) fn read(fields: &Value) -> Result<Self, String> {
        Ok(read(fields)?.0.unwrap_or_default())
    }
}

/// The set below, if any, and whether the place itself is a member.
fn read(fields: &Value) -> Result<(Option<Set>, bool), String> {
    let mut set: Option<Set> = None;
    let mut member = false;
    for (key, below) in fields.as_object().into_iter().flatten() {
        if key == "." {
            member = true;
            continue;
        }
        let Some(element) = Element::read(key)? else { continue };
        let (child, child_is_member) = read(below)?;
        let set = set.get_or_insert_default();
        if child_is_member {
            set.insert_member(&element);
        }
        if let Some(child) = child {
            set.adopt(element, child);
        }
    }
    let leaf = set.is_none();
    Ok((set, member || leaf))
}

/// Walks through two sorted lists at once.
fn zip<'a, A, B>(
    left: &'a [A],
    right: &'a [B],
    order: impl Fn(&A, &B) -> Ordering,
) -> impl Iterator<Item = (Option<&'a A>, Option<&'a B>)> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (None, None) => None,
        (Some(_), None) => Some((left.next(), None)),
        (None, Some(_)) => Some((None, right.next())),
        (Some(one), Some(other)) => match order(one, other) {
            Ordering::Less => Some((left.next(), None)),
            Ordering::Greater => Some((None, right.next())),
            Ordering::Equal => Some((left.next(), right.next())),
        },
    })
}
