//! Runs a wait to its end for a primitive: turns of the engine, and in between the functions of the script that it asks.
//!
//! Does not know which primitive called.

use runbook_core::{Args, Call, Code, Fault, Function, Outcome, Value};
use serde_json::{Map, json};

use super::ask::Ask;
use super::engine::{Engine, Mode, Turn, Watchful};
use super::goal::{Goal, Names};
use super::option;

/// Waits for one thing; the answer of most primitives.
pub(super) fn one(call: &Call<'_>, args: &Args, ask: &Ask) -> Outcome {
    let (engine, _) = several(call, args, std::slice::from_ref(ask), Mode::All)?;
    let track = &engine.tracks()[0];
    let mut answer = Map::new();
    answer.insert("object".to_owned(), track.goal.title().into());
    if !matches!(track.goal.names, Names::One(_)) {
        answer.insert("count".to_owned(), track.met().into());
    }
    answer.extend(track.facts().clone());
    answer.insert("elapsed_ms".to_owned(), elapsed(&engine));
    Ok(answer.into())
}

/// Waits for several things; gives the engine at its end and the number of the goal that ended it.
pub(super) fn several(call: &Call<'_>, args: &Args, asks: &[Ask], mode: Mode) -> Result<(Engine, usize), Fault> {
    let cluster = option::cluster(call, args)?;
    let goals: Vec<Goal> = call.read(async {
        let mut goals = Vec::with_capacity(asks.len());
        for ask in asks {
            goals.push(ask.goal(&cluster).await?);
        }
        Ok(goals)
    })?;
    let watcher = args.get(&option::FAIL_WHEN);
    let watchful = if watcher.is_some() { Watchful::Yes } else { Watchful::No };
    let (clock, stop) = (&call.world.clock, &call.world.interrupt.soft);
    let limits = option::limits(call, args);
    let mut engine = call.block_on(async { Engine::new(&cluster, clock, stop, limits, mode, goals, watchful) })?;
    loop {
        match call.block_on(engine.turn(&|waiting| call.waiting(waiting)))? {
            Turn::Reached(index) => return Ok((engine, index)),
            Turn::Ask(index, object) => ask(call, watcher.as_ref(), &engine.tracks()[index].goal, *object)?,
        }
    }
}

/// Asks the script whether this is the end. Only reads are allowed there.
fn ask(call: &Call<'_>, watcher: Option<&Function>, goal: &Goal, object: Value) -> Result<(), Fault> {
    let Some(watcher) = watcher else { return Ok(()) };
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let title = goal.api.title(name);
    let reason = match call.session.asking(|| call.invoke(watcher, vec![object]))? {
        Value::Null | Value::Bool(false) => return Ok(()),
        Value::Bool(true) => "`fail_when` says so".to_owned(),
        Value::String(reason) => reason,
        other => {
            let got = runbook_core::param::in_words(&other);
            let message = format!("`fail_when` must answer with a bool or a reason, but answered {got}");
            return Err(Fault::new(Code::WrongArgument, message));
        }
    };
    let message = format!("{title} {}: {reason}", goal.aim.unmet());
    Err(Fault::new(Code::Doomed, message).about(title))
}

/// How long it took, in milliseconds.
pub(super) fn elapsed(engine: &Engine) -> Value {
    json!(u64::try_from(engine.lasted().as_millis()).unwrap_or(u64::MAX))
}
