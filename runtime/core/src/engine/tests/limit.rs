//! Limits and Ctrl-C: nothing a script does keeps the program from ending.

use std::time::Duration;

use super::bench::{Bench, fault, places};
use crate::fault::Code;

#[test]
fn a_loop_without_end_meets_the_limit_and_cannot_catch_it() {
    let fault = fault("fn f() {\n  loop { try { loop { } } catch { } }\n}\nf()");
    assert_eq!(fault.code, Code::Limit);
    assert!(!places(&fault).is_empty());
}

#[test]
fn a_loop_without_end_in_a_closure_meets_it_too() {
    assert_eq!(fault("test::twice(|| loop { })").code, Code::Limit);
}

#[test]
fn functions_cannot_call_one_another_for_ever() {
    assert_eq!(fault("fn f(n) { step \"x\" { test::twice(|| f(n + 1)) } } f(0)").code, Code::Limit);
    assert_eq!(fault("fn f(n) { f(n + 1) } f(0)").code, Code::Limit);
}

#[test]
fn expressions_nested_too_deeply_are_refused() {
    let deep = format!("let x = {}1{};", "(".repeat(4000), ")".repeat(4000));
    assert_eq!(fault(&deep).code, Code::Limit);
    let maps = format!("let x = {}1{};", "#{ a: ".repeat(60), " }".repeat(60));
    assert!(Bench::new(&maps).run().outcome.is_ok(), "what objects need is allowed");
}

#[test]
fn texts_lists_and_maps_do_not_grow_without_end() {
    let mut bench = Bench::new("let t = \"x\"; loop { t += t; }");
    bench.limits.text = 1000;
    assert_eq!(bench.run().fault().code, Code::Limit);
    let mut bench = Bench::new("let t = []; loop { t.push(1); }");
    bench.limits.items = 1000;
    assert_eq!(bench.run().fault().code, Code::Limit);
    let mut bench = Bench::new("let t = #{}; for i in 0..5000 { t[`k${i}`] = 1; } t.keys()");
    bench.limits.entries = 1000;
    assert_eq!(bench.run().fault().code, Code::Limit);
}

#[test]
fn an_interrupt_stops_between_operations_and_cannot_be_caught() {
    let fault = fault("try {\n  test::interrupt();\n  loop { }\n} catch { }\ntest::write(\"x\");");
    assert_eq!(fault.code, Code::Interrupted);
}

#[test]
fn an_interrupt_from_outside_ends_an_endless_loop_at_once() {
    let mut bench = Bench::new("loop { }");
    bench.limits.operations = u64::MAX;
    let interrupt = bench.interrupt.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(bench.run().fault().code));
    interrupt.press();
    assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(Code::Interrupted));
}

#[test]
fn no_call_is_made_after_an_interrupt() {
    let ran = Bench::new("test::interrupt(); test::echo(1)").run();
    assert_eq!(ran.trace(), ["#1 interrupt"]);
    assert_eq!(ran.fault().code, Code::Interrupted);
}
