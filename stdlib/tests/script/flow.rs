//! Steering a run, as scripts do it.

use std::time::Duration;

use super::bench::{Answers, Ran, run};
use runbook_core::Code;
use runbook_core::record::{Entry, Verdict};
use serde_json::json;

/// Runs with the one question answered.
fn go(script: &str) -> Ran {
    run(script, Answers { given: vec![("start", "yes")], ..Answers::default() })
}

fn checks(ran: &Ran) -> Vec<(String, Verdict)> {
    ran.entries
        .iter()
        .filter_map(
            |entry| if let Entry::Check(check) = entry { Some((check.id.clone(), check.verdict)) } else { None },
        )
        .collect()
}

#[test]
fn all_checks_of_a_step_are_made_before_it_refuses_with_every_failure() {
    let ran = go(r#"step "Preflight" {
            check("images", || #{ verdict: "warn", message: "registry changes" });
            check("skew", || #{ verdict: "fail", message: "two minors", fix: "go by 1.29" });
            check("gateway api", || "fail");
            check("nodes", || "pass");
        }
        log::info("not reached");"#);
    assert_eq!(
        checks(&ran),
        [("images", Verdict::Warn), ("skew", Verdict::Fail), ("gateway-api", Verdict::Fail), ("nodes", Verdict::Pass)]
            .map(|(id, verdict)| (id.to_owned(), verdict))
    );
    assert!(!ran.entries.iter().any(|entry| matches!(entry, Entry::Log(_))));
    let fault = ran.fault();
    assert_eq!((fault.code, fault.message.as_str()), (Code::ChecksFailed, "2 of 4 checks failed; nothing was changed"));
    assert_eq!(
        fault.evidence,
        ["failed: skew: two minors; go by 1.29", "failed: gateway api", "warning: images: registry changes"]
    );
    assert_eq!((fault.hint.as_deref(), fault.step.as_deref()), (Some("go by 1.29"), Some("preflight")));
}

#[test]
fn failed_checks_cannot_be_caught() {
    assert_eq!(
        go(r#"try { step "P" { check("a", || "fail"); } } catch { } log::info("x")"#).fault().code,
        Code::ChecksFailed
    );
}

#[test]
fn checks_outside_of_steps_speak_up_at_the_plan_or_the_end() {
    let ran = go(r#"check("a", || "fail"); check("b", || "fail"); plan(#{ changes: [] });"#);
    assert!(!ran.entries.iter().any(|entry| matches!(entry, Entry::Plan(_))));
    assert_eq!(ran.fault().message, "2 of 2 checks failed; nothing was changed");
    assert_eq!(go(r#"check("a", || "fail"); 1"#).fault().code, Code::ChecksFailed);
}

#[test]
fn checks_on_several_threads_belong_to_the_step_around_them() {
    let ran = go(
        r#"step "P" { parallel(["a", "b", "c"], |name| { check(name, || if name == "b" { "fail" } else { "pass" }); }) }"#,
    );
    assert_eq!(ran.fault().message, "1 of 3 checks failed; nothing was changed");
}

#[test]
fn a_check_may_only_read() {
    let ran = go(r#"check("a", || kubectl::label("namespace", "x", #{ a: "b" }));"#);
    assert_eq!(ran.fault().code, Code::WriteInRead);
}

#[test]
fn a_check_that_cannot_be_made_has_failed_with_the_reason() {
    let ran = go(
        r#"step "P" { check("a", || throw #{ message: "no list", code: "RB027" }); check("b", || [1][5]); check("c", || #{}.x.y); }"#,
    );
    let fault = ran.fault();
    assert_eq!(fault.evidence[0], "failed: a: unknown: no list");
    assert_eq!(fault.evidence[1], "failed: b: there is no item 5 in a list of 1");
    assert_eq!(fault.evidence.len(), 3);
}

#[test]
fn a_check_that_answers_nonsense_is_the_scripts_fault() {
    assert_eq!(go(r#"check("a", || "pas")"#).fault().code, Code::WrongArgument);
    assert_eq!(
        go(r#"check("a", || #{ verdict: "pass", mesage: "x" })"#).fault().hint.as_deref(),
        Some("did you mean `message`?")
    );
}

#[test]
fn an_override_counts_only_where_the_check_allows_it() {
    let script =
        r#"step "P" { check("a", || "fail", #{ allow_override: true }); check("b", || "fail", #{ id: "bee" }); }"#;
    let answers = || Answers { overrides: vec![("a", "known"), ("bee", "hush")], ..Answers::default() };
    let ran = run(script, answers());
    let overridden: Vec<_> = ran
        .entries
        .iter()
        .filter_map(|entry| if let Entry::Check(check) = entry { Some(check.overridden.clone()) } else { None })
        .collect();
    assert_eq!(overridden, [Some("known".to_owned()), None]);
    let fault = ran.fault();
    assert_eq!(fault.message, "1 of 2 checks failed; nothing was changed");
    assert_eq!(fault.evidence, ["failed: b: this check cannot be overridden", "overridden: a"]);
    let alone = run(r#"step "P" { check("a", || "fail", #{ allow_override: true }); } "on""#, answers());
    assert_eq!(alone.value(), json!("on"));
}

#[test]
fn an_inverse_is_written_down_in_its_step() {
    let ran = go(r#"step "S" { undo(|| log::info("never now"), #{ words: "take it back" }); undo(|| 1); }"#);
    let undos: Vec<_> = ran
        .entries
        .iter()
        .filter_map(|entry| if let Entry::Undo(undo) = entry { Some(undo.clone()) } else { None })
        .collect();
    assert_eq!(undos.iter().map(|undo| (undo.step.as_str(), undo.number)).collect::<Vec<_>>(), [("s", 1), ("s", 2)]);
    assert_eq!(undos[0].words.as_deref(), Some("take it back"));
    assert!(!ran.entries.iter().any(|entry| matches!(entry, Entry::Log(_))));
}

#[test]
fn without_an_answer_nothing_is_assumed() {
    for script in
        [r#"approve("Go?")"#, r#"confirm("Go?")"#, r#"ask("Who?")"#, r#"choose("Which?", ["a"])"#, "plan(#{})"]
    {
        assert_eq!(run(script, Answers::default()).fault().code, Code::NeedsApproval, "{script}");
    }
}

#[test]
fn answers_are_written_down_with_their_question() {
    let answers =
        Answers { given: vec![("remove", "yes"), ("gateways-too", "no"), ("which", "b")], ..Answers::default() };
    let ran = run(
        r#"approve("Remove?", #{ id: "remove" }); [confirm("Gateways too?"), choose("Which", ["a", "b"])]"#,
        answers,
    );
    let answered: Vec<_> = ran
        .entries
        .iter()
        .filter_map(
            |entry| if let Entry::Answered(a) = entry { Some(format!("{} {} {}", a.id, a.answer, a.by)) } else { None },
        )
        .collect();
    assert_eq!(answered, ["remove yes test", "gateways-too no test", "which b test"]);
    assert_eq!(ran.value(), json!([false, "b"]));
    let no = Answers { given: vec![("remove", "no")], ..Answers::default() };
    assert_eq!(run(r#"try { approve("Remove?", #{ id: "remove" }); } catch { }"#, no).fault().code, Code::Declined);
    let other = Answers { given: vec![("which", "c")], ..Answers::default() };
    assert_eq!(run(r#"choose("Which", ["a", "b"])"#, other).fault().code, Code::WrongArgument);
}

#[test]
fn a_plan_is_asked_about_once() {
    let ran = go(
        r#"plan(#{ changes: [#{ what: "istiod", change: "a → b", extent: "", undo: "back" }], disturbs: ["x"] }); plan(#{});"#,
    );
    let plans = ran.entries.iter().filter(|entry| matches!(entry, Entry::Plan(_))).count();
    assert_eq!(plans, 1);
    assert_eq!(go(r"plan(#{ chnages: [] })").fault().hint.as_deref(), Some("did you mean `changes`?"));
    assert_eq!(go(r"plan(#{ changes: [#{ wat: 1 }] })").fault().code, Code::UnknownOption);
    assert_eq!(go(r"plan(#{ changes: [3] })").fault().code, Code::WrongArgument);
}

#[test]
fn a_requirement_can_be_caught_and_a_refusal_cannot() {
    let fault = go(r#"require(1 > 2, "no", #{ object: "tag a", fix: "move it", evidence: ["x"] })"#).fault();
    assert_eq!(
        (fault.code, fault.object.as_deref(), fault.hint.as_deref()),
        (Code::Required, Some("tag a"), Some("move it"))
    );
    assert_eq!(fault.evidence, ["x"]);
    assert_eq!(go(r#"try { require(false, "no"); } catch (e) { return e.kind; }"#).value(), json!("precondition"));
    assert_eq!(go(r#"try { refuse("no"); } catch { } 1"#).fault().code, Code::RefusedByRule);
}

#[test]
fn a_failed_item_is_named_and_several_are_told_together() {
    let one = go(r#"parallel([#{ name: "web", namespace: "shop" }], |item| throw "broken")"#).fault();
    assert_eq!((one.code, one.message.as_str()), (Code::Thrown, "shop/web: broken"));
    let many =
        go(r#"parallel(["a", "b", "c"], |name| if name != "b" { throw `no ${name}` }, #{ fail_fast: false })"#).fault();
    assert_eq!(many.message, "2 of 3 items failed, the first a: no a");
    assert_eq!(many.evidence, ["a: no a", "c: no c"]);
    assert_eq!(many.detail["failures"][1]["item"], json!("c"));
    let early = go(r#"parallel(["a", "b", "c"], |name| throw "no", #{ max: 1 })"#).fault();
    assert_eq!(
        (early.message.as_str(), &early.evidence[..]),
        ("a: no", &["2 of 3 items were not begun".to_owned()][..])
    );
}

#[test]
fn some_failures_may_be_tolerated() {
    let script = |most: u8| {
        format!(
            r#"parallel([1, 2, 3, 4], |n| if n % 2 == 0 {{ throw "even" }} else {{ n }}, #{{ max: 1, max_failures: {most} }})"#
        )
    };
    let value = go(&script(2)).value();
    assert_eq!((&value[0], &value[1]["fault"]["message"], &value[2]), (&json!(1), &json!("even"), &json!(3)));
    assert_eq!(go(&script(1)).fault().message, "2 of 4 items failed, the first 2: even");
    assert_eq!(go("parallel([1], |n| n, #{ max: 0 })").fault().code, Code::WrongArgument);
}

#[test]
fn variables_cannot_be_changed_across_threads_by_surprise() {
    let value = go("let n = 0; let list = parallel([1, 2, 3], |i| { let mine = n + i; mine }); list").value();
    assert_eq!(value, json!([1, 2, 3]));
}

#[test]
fn steps_inside_parallel_are_told_apart_by_item() {
    let ran =
        go(r#"step "Move" { parallel(["a", "b"], |ns| { step `Namespace ${ns}` { undo(|| 1, #{ words: ns }); } }) }"#);
    let mut steps: Vec<_> = ran
        .entries
        .iter()
        .filter_map(|entry| if let Entry::Undo(undo) = entry { Some(undo.step.clone()) } else { None })
        .collect();
    steps.sort();
    assert_eq!(steps, ["move/each[0]/namespace-a", "move/each[1]/namespace-b"]);
}

#[test]
fn every_failed_try_is_in_the_record_and_pauses_double() {
    let ran = go(
        r#"let n = 0; step "S" { retry(#{ attempts: 4, backoff: "1s", words: "reach it" }, || { n += 1; if n < 4 { throw `no ${n}` } n }) }"#,
    );
    let attempts: Vec<_> = ran
        .entries
        .iter()
        .filter_map(|entry| {
            if let Entry::Attempt(a) = entry {
                Some(format!("{} {} {} {}", a.step, a.words, a.attempt, a.reason))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(attempts, ["s reach it 1 no 1", "s reach it 2 no 2", "s reach it 3 no 3"]);
    assert_eq!(ran.elapsed, Duration::from_secs(7));
    assert_eq!(ran.value(), json!(4));
}

#[test]
fn the_last_try_gives_its_fault_and_what_is_the_scripts_own_is_not_tried_again() {
    let fault = go("retry(#{ attempts: 2 }, || {\n  throw \"no\"\n})").fault();
    assert_eq!((fault.code, fault.stack[0].line), (Code::Thrown, 2));
    let bug = go("let n = 0; try { retry(#{ attempts: 5 }, || { n += 1; [1][7] }); } catch { } n");
    assert_eq!(bug.value(), json!(1));
    let refused = go(r#"retry(#{ attempts: 5 }, || refuse("no"))"#);
    assert_eq!(refused.elapsed, Duration::ZERO);
}

#[test]
fn lines_notes_tables_and_attachments_are_kept_without_secrets() {
    let ran = go(
        r#"log::info("i"); log::warn(#{ a: 1 }); log::error("e"); note("*n*"); report::table([#{ a: 1, b: "x" }], #{ title: "T" });
        report::attach("object", #{ kind: "Secret", apiVersion: "v1", data: #{ key: "dmFsdWU=" } });"#,
    );
    let logs: Vec<_> = ran
        .entries
        .iter()
        .filter_map(|entry| if let Entry::Log(log) = entry { Some(log.message.clone()) } else { None })
        .collect();
    assert_eq!(logs, ["i", r#"{"a":1}"#, "e"]);
    let notes: Vec<_> = ran
        .entries
        .iter()
        .filter_map(|entry| if let Entry::Note(note) = entry { Some(note.markdown.clone()) } else { None })
        .collect();
    assert_eq!(notes, ["*n*".to_owned(), "**T**\n\n| a | b |\n| --- | --- |\n| 1 | x |\n".to_owned()]);
    assert!(!format!("{:?}", ran.entries).contains("dmFsdWU"));
}
