//! The charts that helm is tested with itself, read from the Go module cache.

use std::path::{Path, PathBuf};

use runbook_chart::{Chart, Dialect, Fault};
use runbook_control_plane::required_or_skip;

use crate::answer::{Helm, Tally, ours};

/// Where Go keeps modules, and helm's among them.
fn module(version: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("GOMODCACHE")
        .or_else(|| set("GOPATH").map(|path| path.join("pkg/mod")))
        .or_else(|| set("HOME").map(|path| path.join("go/pkg/mod")))?;
    Some(cache.join("helm.sh/helm").join(version)).filter(|folder| folder.is_dir())
}

/// All folders and packages below `testdata` that hold a chart, nested ones left out.
fn charts(below: &Path, in_testdata: bool, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs_err::read_dir(below) else { return };
    let mut entries: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    if in_testdata && below.join("Chart.yaml").is_file() {
        found.push(below.to_owned());
        return;
    }
    for path in entries {
        let inside = in_testdata || path.file_name().is_some_and(|name| name == "testdata");
        if path.is_dir() {
            charts(&path, inside, found);
        } else if inside && path.extension().is_some_and(|extension| extension == "tgz") {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> Result<Chart, Fault> {
    if path.is_file() {
        return Chart::from_archive(&fs_err::read(path).unwrap());
    }
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                open.push(file);
            } else {
                let name = file.strip_prefix(path).unwrap().to_string_lossy().into_owned();
                files.push((name, fs_err::read(&file).unwrap()));
            }
        }
    }
    Chart::from_files(files)
}

fn compare(test: &str, version: &str, dialect: Dialect) {
    let Some(binaries) = required_or_skip(test) else { return };
    // Where Go built helm its module is there as well; where helm was found on the PATH there may be none.
    let Some(module) = module(version) else { return };
    let mut found = Vec::new();
    charts(&module.join("pkg"), false, &mut found);
    let mut helm = Helm::of(&binaries, dialect, "own");
    let mut tally = Tally::default();
    for path in &found {
        let name = path.strip_prefix(&module).unwrap().to_string_lossy().into_owned();
        // The first call for random letters, which are other ones each time; the other's version is a number, which helm takes
        // for a version that it then refuses, while ours looks at its dependencies first.
        if name.contains("compressed-dependencies") || name.ends_with("anotherbadchartfile") {
            continue;
        }
        // What is no chart in the first place is refused in other words by whoever looks for the file.
        let chart = read(path);
        let theirs = helm.template(&name, path, "{}");
        if let (Err(fault), Err(_)) = (&chart, &theirs) {
            tally.refused += 1;
            assert!(!fault.words.is_empty());
            continue;
        }
        tally.hold(&name, &theirs, &ours(&chart, "{}", dialect));
    }
    assert!(found.len() > 20, "only {} charts", found.len());
    tally.demand(0.98);
}

#[test]
fn helm_4s_own_test_charts_render_alike() {
    compare("helm_4s_own_test_charts_render_alike", "v4@v4.3.1", Dialect::Helm4);
}

#[test]
fn helm_3s_own_test_charts_render_alike() {
    compare("helm_3s_own_test_charts_render_alike", "v3@v3.22.0", Dialect::Helm3);
}
