//! The rules of the house, read out of its own source: one concept, one room.

use std::path::{Path, PathBuf};

/// A concept, how it shows in source, and the only places that may know it.
struct Room {
    concept: &'static str,
    marks: &'static [&'static str],
    only_in: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room {
        concept: "spawning a process",
        marks: &["process::Command", "CommandWrap"],
        only_in: &["stdlib/src/process.rs"],
    },
    Room {
        concept: "wall clock",
        marks: &["SystemTime::now", "Instant::now", "Timestamp::now"],
        only_in: &["runtime/cli/"],
    },
    Room { concept: "environment", marks: &["env::var(", "env::var_os(", "env::vars"], only_in: &["runtime/cli/"] },
    Room {
        concept: "printing",
        marks: &["println!(", "eprintln!(", "print!(", "io::stdout()", "io::stderr()"],
        only_in: &["runtime/cli/"],
    },
    Room { concept: "the bytes of the journal", marks: &["journal.jsonl"], only_in: &["runtime/core/src/journal/"] },
    Room { concept: "exit codes", marks: &["ExitCode::from(", "process::exit("], only_in: &["runtime/cli/exit.rs"] },
    Room {
        concept: "a request of a dry run leaving for the live cluster",
        marks: &["live.send("],
        only_in: &["runtime/sim/src/overlay/gate.rs"],
    },
    Room {
        concept: "Istio",
        marks: &["istiod", "ztunnel", "istio.io"],
        only_in: &["runtime/sim/src/actor/", "stdlib/rhai/", "runbooks/"],
    },
];

/// Product code: what is compiled into the program, without the tests that stand beside it.
fn product() -> Vec<(PathBuf, String)> {
    let all: Vec<_> = ["runtime", "stdlib/src"].iter().flat_map(|folder| sources(folder, "rs")).collect();
    let only_tests: Vec<_> = all.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    all.into_iter()
        .filter(|(path, _)| !only_tests.iter().any(|test| path.starts_with(test) || *path == test.with_extension("rs")))
        .filter(|(path, _)| !path.components().any(|c| c.as_os_str() == "tests" || c.as_os_str() == "build.rs"))
        .map(|(path, text)| (path, text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()))
        .collect()
}

/// Where the modules of a file lie that are compiled for tests alone, without their extension.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = match path.file_stem() {
        Some(stem) if stem != "mod" && stem != "lib" && stem != "main" => path.with_extension(""),
        _ => path.parent().unwrap_or(path).to_owned(),
    };
    let declared = text.split("#[cfg(test)]\n").skip(1);
    let names =
        declared.filter_map(|rest| rest.trim_start_matches("pub(crate) ").strip_prefix("mod ")?.split(';').next());
    names.filter(|name| !name.contains('{')).map(|name| folder.join(name)).collect()
}

fn sources(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs_err::read_dir(&folder).expect("the folders of the house exist") {
            let path = entry.expect("a folder of our own can be listed").path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                let text = fs_err::read_to_string(&path).expect("our own sources are text");
                found.push((path.strip_prefix(root).expect("below the root").to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn everything() -> Vec<(PathBuf, String)> {
    ["runtime", "stdlib", "tests"].iter().flat_map(|folder| sources(folder, "rs")).collect()
}

/// Code without its comments, summaries and examples: what words say is not what code does.
fn code(line: &str) -> &str {
    let words = ["Param::", "script: ", "expect: ", "example(r#", "summary: "];
    if words.iter().any(|mark| line.contains(mark)) { "" } else { line.split("//").next().unwrap_or_default() }
}

#[test]
fn a_concept_is_known_in_its_room_alone() {
    let mut strangers = Vec::new();
    for room in ROOMS {
        for (path, text) in product() {
            let shown = path.display().to_string();
            if room.only_in.iter().any(|home| shown.starts_with(home)) {
                continue;
            }
            for (number, line) in text.lines().enumerate() {
                if room.marks.iter().any(|mark| code(line).contains(mark)) {
                    strangers.push(format!("{shown}:{}: {} belongs in {:?}", number + 1, room.concept, room.only_in));
                }
            }
        }
    }
    assert!(strangers.is_empty(), "\n{}", strangers.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> =
        everything().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:?}");
    for (path, text) in sources("stdlib/rhai", "rhai").into_iter().chain(sources("runbooks", "rhai")) {
        assert!(text.starts_with("//!"), "no `//!` at the top of {}", path.display());
    }
}

#[test]
fn no_file_holds_two_concepts_by_its_size() {
    let long: Vec<_> = everything()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 600)
        .collect();
    assert!(long.is_empty(), "over 600 lines: {long:?}");
}

#[test]
fn a_bundled_runbook_reads_in_one_sitting() {
    for (path, text) in sources("runbooks", "rhai") {
        assert!(text.lines().count() <= 200, "{} has more than 200 lines", path.display());
        for part in ["Changes:", "Undo:"] {
            assert!(text.contains(part), "{} does not say `{part}`", path.display());
        }
    }
}

#[test]
fn nothing_is_left_for_later_in_secret() {
    // Spelt apart, so that this list does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("#[ign", "ore")];
    for (path, text) in everything() {
        for mark in marks {
            assert!(!text.contains(mark), "{} holds a `{mark}`", path.display());
        }
    }
}

#[test]
fn the_crates_depend_one_way() {
    let manifest = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("Cargo.toml");
        let text = fs_err::read_to_string(path).expect("each crate has a manifest");
        text.split("[dev-dependencies]").next().unwrap_or_default().to_owned()
    };
    for (of, never) in [
        ("runtime/core", &["runbook-stdlib", "runbook-sim", "runbook-chart", "runbook-control-plane"][..]),
        ("runtime/sim", &["runbook-core", "runbook-chart", "runbook-stdlib", "runbook-control-plane", "rhai"]),
        ("runtime/chart", &["runbook-core", "runbook-sim", "runbook-stdlib", "kube", "tokio"]),
        ("stdlib", &["runbook-sim", "runbook-control-plane"]),
    ] {
        for name in never {
            assert!(!manifest(of).contains(name), "{of} must not know {name}");
        }
    }
}
