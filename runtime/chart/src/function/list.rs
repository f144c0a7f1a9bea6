//! Slices.

use std::rc::Rc;

use super::{fixed, int, items, spread, string, strings, text, usize_of};
use crate::execute::{Failure, Function, Param, World};
use crate::value::{List, Of, Value};

const ANY: Param = Param::Any;
const TEXT: Param = Param::Text;
const INT: Param = Param::Int;

pub(super) fn functions() -> Vec<Function> {
    let mut all = vec![
        spread("list", &[], ANY, |_, args| Ok(Value::list(args.to_vec()))),
        spread("tuple", &[], ANY, |_, args| Ok(Value::list(args.to_vec()))),
        fixed("toStrings", &[ANY], |_, args| Ok(Value::texts(strings(&args[0])))),
        fixed("join", &[TEXT, ANY], |_, args| Ok(Value::text(strings(&args[1]).join(&text(args, 0))))),
        fixed("sortAlpha", &[ANY], |_, args| {
            let mut sorted = strings(&args[0]);
            sorted.sort();
            Ok(Value::texts(sorted))
        }),
        fixed("split", &[TEXT, TEXT], |_, args| Ok(numbered(go_split(&text(args, 1), &text(args, 0), usize::MAX)))),
        fixed("splitn", &[TEXT, INT, TEXT], |_, args| {
            let most = int(args, 1);
            let parts = go_split(&text(args, 2), &text(args, 0), if most < 0 { usize::MAX } else { usize_of(most) });
            Ok(numbered(parts))
        }),
        fixed("splitList", &[TEXT, TEXT], |world, args| {
            world.step(text(args, 1).len() / 8)?;
            Ok(Value::texts(go_split(&text(args, 1), &text(args, 0), usize::MAX)))
        }),
        spread("concat", &[], ANY, |world, args| {
            let mut all = Vec::new();
            for arg in args {
                let more = items(arg, "concat type")?;
                world.take(more.len() * 32)?;
                all.extend_from_slice(more);
            }
            Ok(Value::list(all))
        }),
        fixed("until", &[INT], |world, args| counted(world, 0, int(args, 0), if int(args, 0) < 0 { -1 } else { 1 })),
        fixed("untilStep", &[INT, INT, INT], |world, args| counted(world, int(args, 0), int(args, 1), int(args, 2))),
        spread("seq", &[], INT, seq),
    ];
    for (names, work) in must() {
        for name in names {
            all.push(work(name));
        }
    }
    all
}

type Made = fn(&'static str) -> Function;

/// The functions that come with a `must` twin. Both stop the template when they are misused.
fn must() -> Vec<(&'static [&'static str], Made)> {
    vec![
        (&["append", "push", "mustAppend", "mustPush"], |name| {
            fixed(name, &[ANY, ANY], |world, args| {
                let mut all = items(&args[0], "push")?.to_vec();
                world.take(all.len() * 32)?;
                all.push(args[1].clone());
                Ok(Value::list(all))
            })
        }),
        (&["prepend", "mustPrepend"], |name| {
            fixed(name, &[ANY, ANY], |world, args| {
                let mut all = vec![args[1].clone()];
                all.extend_from_slice(items(&args[0], "prepend")?);
                world.take(all.len() * 32)?;
                Ok(Value::list(all))
            })
        }),
        (&["first", "mustFirst"], |name| {
            fixed(name, &[ANY], |_, args| Ok(items(&args[0], "find first")?.first().cloned().unwrap_or(Value::Nil)))
        }),
        (&["last", "mustLast"], |name| {
            fixed(name, &[ANY], |_, args| Ok(items(&args[0], "find last")?.last().cloned().unwrap_or(Value::Nil)))
        }),
        (&["rest", "mustRest"], |name| {
            fixed(name, &[ANY], |_, args| {
                let all = items(&args[0], "find rest")?;
                Ok(if all.is_empty() { Value::Nil } else { Value::list(all[1..].to_vec()) })
            })
        }),
        (&["initial", "mustInitial"], |name| {
            fixed(name, &[ANY], |_, args| {
                let all = items(&args[0], "find initial")?;
                Ok(if all.is_empty() { Value::Nil } else { Value::list(all[..all.len() - 1].to_vec()) })
            })
        }),
        (&["reverse", "mustReverse"], |name| {
            fixed(name, &[ANY], |_, args| {
                Ok(Value::list(items(&args[0], "find reverse")?.iter().rev().cloned().collect()))
            })
        }),
        (&["compact", "mustCompact"], |name| {
            fixed(name, &[ANY], |_, args| {
                let kept = items(&args[0], "compact")?.iter().filter(|item| item.truth());
                Ok(Value::list(kept.cloned().collect()))
            })
        }),
        (&["uniq", "mustUniq"], |name| {
            fixed(name, &[ANY], |world, args| {
                let mut kept: Vec<Value> = Vec::new();
                for item in items(&args[0], "find uniq")? {
                    world.step(kept.len() / 8)?;
                    if !kept.iter().any(|known| known.deep_equal(item)) {
                        kept.push(item.clone());
                    }
                }
                Ok(Value::list(kept))
            })
        }),
        (&["without", "mustWithout"], |name| {
            spread(name, &[ANY], ANY, |_, args| {
                let kept = items(&args[0], "find without")?;
                let kept = kept.iter().filter(|item| !args[1..].iter().any(|out| out.deep_equal(item)));
                Ok(Value::list(kept.cloned().collect()))
            })
        }),
        (&["has", "mustHas"], |name| {
            fixed(name, &[ANY, ANY], |_, args| {
                if args[1].is_nil() {
                    return Ok(Value::Bool(false));
                }
                let all = items(&args[1], "find has")?;
                Ok(Value::Bool(all.iter().any(|item| item.deep_equal(&args[0]))))
            })
        }),
        (&["slice", "mustSlice"], |name| spread(name, &[ANY], ANY, |_, args| slice(args))),
        (&["chunk", "mustChunk"], |name| {
            fixed(name, &[INT, ANY], |_, args| {
                let size = usize_of(int(args, 0)).max(1);
                let all = items(&args[1], "chunk")?;
                Ok(Value::list(all.chunks(size).map(|part| Value::list(part.to_vec())).collect()))
            })
        }),
    ]
}

fn slice(args: &[Value]) -> Result<Value, Failure> {
    let Value::List(list) = &args[0] else {
        let kind = if args[0].is_nil() { "invalid" } else { args[0].kind() };
        return Err(Failure::plain(format!("list should be type of slice or array but {kind}")));
    };
    let all = &list.items;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |at: usize, otherwise: usize| match args.get(at) {
        Some(value) => usize::try_from(super::math::to_int(value)).unwrap_or(usize::MAX),
        None => otherwise,
    };
    let (from, to) = (bound(1, 0), bound(2, all.len()));
    if from > to || to > all.len() {
        return Err(Failure::plain("reflect.Value.Slice: slice index out of bounds"));
    }
    Ok(Value::list(all[from..to].to_vec()))
}

/// `strings.SplitN`.
pub(super) fn go_split(text: &str, separator: &str, most: usize) -> Vec<String> {
    if most == 0 {
        return Vec::new();
    }
    if separator.is_empty() {
        let mut parts: Vec<String> = text.chars().map(String::from).collect();
        if parts.len() > most {
            let rest: String = parts.split_off(most - 1).concat();
            parts.push(rest);
        }
        return parts;
    }
    text.splitn(most, separator).map(str::to_owned).collect()
}

fn numbered(parts: Vec<String>) -> Value {
    let entries =
        parts.into_iter().enumerate().map(|(at, part)| (Rc::from(format!("_{at}")), Value::text(part))).collect();
    Value::Map(crate::value::Map::new(entries, Of::Text))
}

fn counted(world: &World<'_>, from: i64, to: i64, step: i64) -> Result<Value, Failure> {
    let empty = || Ok(Value::List(Rc::new(List { items: Vec::new(), of: Of::Any })));
    if step == 0 || (from < to) != (step > 0) || from == to {
        return empty();
    }
    let count = from.abs_diff(to).div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    world.take(count.saturating_mul(32))?;
    world.step(count)?;
    let mut all = Vec::with_capacity(count);
    let mut at = from;
    while all.len() < count {
        all.push(Value::Int(at));
        at = at.saturating_add(step);
    }
    Ok(Value::list(all))
}

/// `seq` of the shell: numbers in a line.
fn seq(world: &World<'_>, args: &[Value]) -> Result<Value, Failure> {
    let (from, step, to) = match args {
        [to] => (1, if int(args, 0) < 1 { -1 } else { 1 }, string(to).parse().unwrap_or(0)),
        [_, _] => (int(args, 0), if int(args, 1) < int(args, 0) { -1 } else { 1 }, int(args, 1)),
        [_, _, _] => {
            let (from, step, to) = (int(args, 0), int(args, 1), int(args, 2));
            if (to < from && step > 0) || (to > from && step < 0) {
                return Ok(Value::text(""));
            }
            (from, step, to)
        }
        _ => return Ok(Value::text("")),
    };
    let list = counted(world, from, to.saturating_add(if step < 0 { -1 } else { 1 }), step)?;
    Ok(Value::text(strings(&list).join(" ")))
}
