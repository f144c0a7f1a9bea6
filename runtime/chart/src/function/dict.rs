//! Maps: made, read, changed and merged.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{fixed, spread, string, text};
use crate::execute::{Failure, Function, Param, World};
use crate::value::{DEEPEST, Map, Of, Value};

const ANY: Param = Param::Any;
const TEXT: Param = Param::Text;
const MAP: Param = Param::Map;

pub(super) fn functions() -> Vec<Function> {
    vec![
        spread("dict", &[], ANY, |_, args| {
            let mut entries = BTreeMap::new();
            for pair in args.chunks(2) {
                let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
                entries.insert(Rc::from(string(&pair[0])), value);
            }
            Ok(Value::map(entries))
        }),
        fixed("get", &[MAP, TEXT], |_, args| Ok(map(&args[0]).get(&text(args, 1)).unwrap_or_else(|| Value::text("")))),
        fixed("set", &[MAP, TEXT, ANY], |_, args| match &args[0] {
            Value::Map(map) => {
                map.set(&text(args, 1), args[2].clone());
                Ok(args[0].clone())
            }
            _ => Err("assignment to entry in nil map".into()),
        }),
        fixed("unset", &[MAP, TEXT], |_, args| {
            map(&args[0]).entries.borrow_mut().remove(&*text(args, 1));
            Ok(args[0].clone())
        }),
        fixed("hasKey", &[MAP, TEXT], |_, args| {
            Ok(Value::Bool(map(&args[0]).entries.borrow().contains_key(&*text(args, 1))))
        }),
        spread("pluck", &[TEXT], MAP, |_, args| {
            let key = text(args, 0);
            Ok(Value::list(args[1..].iter().filter_map(|one| map(one).get(&key)).collect()))
        }),
        spread("keys", &[], MAP, |_, args| {
            let keys = args.iter().flat_map(|one| map(one).entries.borrow().keys().cloned().collect::<Vec<_>>());
            Ok(Value::texts(keys.collect::<Vec<_>>()))
        }),
        fixed("values", &[MAP], |_, args| {
            let values = map(&args[0]).entries.borrow().values().cloned().collect();
            Ok(Value::list(values))
        }),
        spread("pick", &[MAP], TEXT, |_, args| {
            let from = map(&args[0]);
            let picked = (1..args.len()).filter_map(|at| {
                let key = text(args, at);
                from.get(&key).map(|value| (key, value))
            });
            Ok(Value::map(picked.collect()))
        }),
        spread("omit", &[MAP], TEXT, |_, args| {
            let mut left = map(&args[0]).entries.borrow().clone();
            for at in 1..args.len() {
                left.remove(&*text(args, at));
            }
            Ok(Value::map(left))
        }),
        spread("merge", &[MAP], MAP, |world, args| merge_all(world, args, Wins::First)),
        spread("mustMerge", &[MAP], MAP, |world, args| merge_all(world, args, Wins::First)),
        spread("mergeOverwrite", &[MAP], MAP, |world, args| merge_all(world, args, Wins::Last)),
        spread("mustMergeOverwrite", &[MAP], MAP, |world, args| merge_all(world, args, Wins::Last)),
        spread("dig", &[], ANY, |_, args| dig(args)),
        fixed("deepCopy", &[ANY], |world, args| copy(world, &args[0])),
        fixed("mustDeepCopy", &[ANY], |world, args| copy(world, &args[0])),
    ]
}

/// A map argument; nil is an empty one.
fn map(value: &Value) -> Rc<Map> {
    match value {
        Value::Map(map) => map.clone(),
        _ => Map::new(BTreeMap::new(), Of::Any),
    }
}

fn copy(world: &World<'_>, value: &Value) -> Result<Value, Failure> {
    world.step(weight(value, 0))?;
    if value.is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    value.deep_copy(0).ok_or_else(|| Failure::plain("cannot copy a value that holds itself"))
}

/// How many nodes a value has, at least roughly.
fn weight(value: &Value, depth: usize) -> usize {
    if depth > 64 {
        return 1;
    }
    match value {
        Value::List(list) => 1 + list.items.iter().map(|item| weight(item, depth + 1)).sum::<usize>(),
        Value::Map(map) => 1 + map.entries.borrow().values().map(|item| weight(item, depth + 1)).sum::<usize>(),
        _ => 1,
    }
}

/// Who is kept where two maps disagree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wins {
    First,
    Last,
}

fn merge_all(world: &World<'_>, args: &[Value], wins: Wins) -> Result<Value, Failure> {
    let Value::Map(into) = &args[0] else {
        return Ok(args[0].clone());
    };
    for from in &args[1..] {
        if let Value::Map(from) = from {
            merge(world, into, from, wins, 0)?;
        }
    }
    Ok(args[0].clone())
}

/// `mergo` as sprig asks it: what is there is kept unless it is empty, or the last wins, `false` and null included.
fn merge(world: &World<'_>, into: &Rc<Map>, from: &Rc<Map>, wins: Wins, depth: usize) -> Result<(), Failure> {
    if depth > DEEPEST || Rc::ptr_eq(into, from) {
        return Ok(());
    }
    let entries: Vec<_> = from.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    world.step(entries.len())?;
    for (key, theirs) in entries {
        let ours = into.get(&key);
        match (&ours, &theirs) {
            (Some(Value::Map(ours)), Value::Map(theirs)) => merge(world, ours, theirs, wins, depth + 1)?,
            (None, _) => into.set(&key, theirs),
            (Some(ours), _) => {
                let replace = match wins {
                    Wins::First => !ours.truth() && theirs.truth(),
                    // An empty list alone does not replace what is there.
                    Wins::Last => theirs.truth() || !matches!(theirs, Value::List(_)),
                };
                if replace {
                    into.set(&key, theirs);
                }
            }
        }
    }
    Ok(())
}

fn dig(args: &[Value]) -> Result<Value, Failure> {
    let [path @ .., fallback, from] = args else {
        return Err("dig needs at least three arguments".into());
    };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let Value::Map(from) = from else {
        let found = if from.is_nil() { "interface {} is nil" } else { "interface {} is" };
        let found = if from.is_nil() { found.to_owned() } else { format!("{found} {}", from.type_name()) };
        return Err(format!("interface conversion: {found}, not map[string]interface {{}}").into());
    };
    let mut at = from.clone();
    for (index, key) in path.iter().enumerate() {
        let Value::Text(key) = key else {
            return Err(format!("interface conversion: interface {{}} is {}, not string", key.type_name()).into());
        };
        let Some(value) = at.get(key) else { return Ok(fallback.clone()) };
        if index + 1 == path.len() {
            return Ok(value);
        }
        match value {
            Value::Map(inner) => at = inner,
            other => {
                let found = if other.is_nil() { "nil" } else { other.type_name() };
                return Err(
                    format!("interface conversion: interface {{}} is {found}, not map[string]interface {{}}").into()
                );
            }
        }
    }
    Ok(fallback.clone())
}
