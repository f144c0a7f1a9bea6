//! `parallel`

use runbook_core::arg::{Args, Function};
use runbook_core::fault::Reach;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::world::Interrupt;
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value};
use serde_json::json;

const ITEMS: Param<Vec<Value>> = Param::required("items", "What to go over.");
const BODY: Param<Function> =
    Param::required("body", "Called with each item, on several threads; it cannot change variables around it.");
const MAX: Param<Option<i64>> = Param::option("max", "How many at once; 5 if absent.");
const FAIL_FAST: Param<Option<bool>> =
    Param::option("fail_fast", "Whether no further item is begun after one failed; so if absent.");
const MAX_FAILURES: Param<Option<i64>> = Param::option(
    "max_failures",
    "How many items may fail without the whole failing: each answers with `#{ fault }`; none if absent.",
);

/// More threads than this help nobody.
const WIDEST: i64 = 64;

pub(super) const PARALLEL: Primitive = Primitive {
    name: "parallel",
    summary: "Call a function for each item, several at once; the answers come in the order of the items.",
    params: &[&ITEMS, &BODY, &MAX, &FAIL_FAST, &MAX_FAILURES],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("{} items", args.get(&ITEMS).len()),
    command: no_command,
    run,
    examples: &[
        Example { cluster: "", script: "parallel([1, 2, 3], |n| n * 10, #{ max: 2 })", expect: "[10,20,30]" },
        Example {
            cluster: "",
            script: r#"parallel(["a", "b"], |name| if name == "a" { throw "no" } else { name }, #{ max_failures: 1 })[1]"#,
            expect: r#""b""#,
        },
    ],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let items = args.get(&ITEMS);
    let width = bounded(args.get(&MAX).unwrap_or(5), 1, WIDEST, "max")?;
    let tolerated = bounded(args.get(&MAX_FAILURES).unwrap_or(0), 0, i64::MAX, "max_failures")?;
    let fail_fast = args.get(&FAIL_FAST).unwrap_or(true);
    let enough = |faults: usize| fail_fast && faults > tolerated;
    let answers = call.script.fan_out(&args.get(&BODY), items.clone(), width, &enough);
    let faults: Vec<(usize, &Fault)> = answers
        .iter()
        .enumerate()
        .filter_map(|(index, answer)| Some((index, answer.as_ref()?.as_ref().err()?)))
        .collect();
    if let Some((_, fault)) = faults.iter().find(|(_, fault)| fault.code.reach() == Reach::Run) {
        return Err((*fault).clone());
    }
    if faults.len() > tolerated {
        let left = answers.iter().filter(|answer| answer.is_none()).count();
        return Err(together(&items, &faults, left));
    }
    answers
        .into_iter()
        .map(|answer| match answer {
            Some(Ok(value)) => Ok(value),
            Some(Err(fault)) => Ok(json!({ "fault": fault.to_value() })),
            // Nothing failed and still it was not begun: the run is being stopped.
            None => Err(Interrupt::fault()),
        })
        .collect()
}

fn bounded(given: i64, least: i64, most: i64, name: &str) -> Result<usize, Fault> {
    usize::try_from(given).ok().filter(|_| (least..=most).contains(&given)).ok_or_else(|| {
        let range = if most == i64::MAX { format!("{least} or more") } else { format!("{least} to {most}") };
        Fault::new(Code::WrongArgument, format!("`{name}` of `parallel`: expected {range}, got {given}"))
    })
}

/// One fault for all of them. Its code, place and hint are those of the first item that failed.
fn together(items: &[Value], faults: &[(usize, &Fault)], left: usize) -> Fault {
    let line = |(index, fault): &(usize, &Fault)| format!("{}: {}", name_of(&items[*index], *index), fault.message);
    let (_, first) = faults[0];
    let mut fault = first.clone();
    if faults.len() > 1 {
        fault.message = format!("{} of {} items failed, the first {}", faults.len(), items.len(), line(&faults[0]));
        fault.evidence = faults.iter().map(line).collect();
        fault.object = None;
    } else {
        fault.message = line(&faults[0]);
    }
    if left > 0 {
        fault.evidence.push(format!("{left} of {} items were not begun", items.len()));
    }
    fault.retryable = faults.iter().all(|(_, fault)| fault.retryable);
    let all = faults.iter().map(|(index, fault)| json!({ "item": items[*index], "fault": fault.to_value() }));
    fault.detail.insert("failures".to_owned(), all.collect());
    fault
}

/// What a person calls an item: itself, its name, or its place in the list.
fn name_of(item: &Value, index: usize) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let named = |map: &Value| {
        let name = map.get("name").and_then(text)?;
        Some(
            map.get("namespace").and_then(text).map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}")),
        )
    };
    text(item)
        .or_else(|| item.get("metadata").and_then(named))
        .or_else(|| named(item))
        .or_else(|| item.is_number().then(|| item.to_string()))
        .unwrap_or_else(|| format!("item {index}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_called_what_a_person_calls_it() {
        assert_eq!(name_of(&json!("web"), 0), "web");
        assert_eq!(name_of(&json!({ "metadata": { "name": "web", "namespace": "shop" } }), 0), "shop/web");
        assert_eq!(name_of(&json!({ "name": "web" }), 0), "web");
        assert_eq!(name_of(&json!(7), 2), "7");
        assert_eq!(name_of(&json!([1]), 2), "item 2");
    }
}
