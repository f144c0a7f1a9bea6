//! The runbooks that ship in the box.
//!
//! Does not know what they do.

use include_dir::{Dir, include_dir};
use runbook_core::fault::{Code, Fault};
use runbook_core::param::nearest;

/// The folder `runbooks/` as it was when the program was built.
static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/runbooks");

/// A runbook in the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bundled {
    /// Its name, without extension.
    pub(crate) name: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

/// All of them, by name.
pub(crate) fn all() -> Vec<Bundled> {
    let mut found: Vec<_> = FOLDER
        .files()
        .filter_map(|file| {
            let name = file.path().to_str()?.strip_suffix(".rhai")?;
            // What tests a runbook is no runbook.
            (!name.ends_with("_test")).then_some(Bundled { name, text: file.contents_utf8()? })
        })
        .collect();
    found.sort_by_key(|bundled| bundled.name);
    found
}

/// The scenarios in the box, by name.
pub(crate) fn scenarios() -> Vec<&'static str> {
    let files = FOLDER.get_dir("scenarios").into_iter().flat_map(Dir::files);
    let mut names: Vec<_> = files.filter_map(|file| file.path().file_name()?.to_str()?.strip_suffix(".yaml")).collect();
    names.sort_unstable();
    names
}

/// The text of a scenario in the box, with or without `.yaml`.
pub(crate) fn scenario(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    FOLDER.get_file(format!("scenarios/{name}.yaml"))?.contents_utf8()
}

/// The one of that name, with or without `.rhai`.
pub(crate) fn find(name: &str) -> Option<Bundled> {
    let name = name.strip_suffix(".rhai").unwrap_or(name);
    all().into_iter().find(|bundled| bundled.name == name)
}

/// The same, or the fault that there is none.
///
/// Faults: `RB002` with the nearest name.
pub(crate) fn get(name: &str) -> Result<Bundled, Fault> {
    find(name).ok_or_else(|| {
        let fault = Fault::new(Code::Usage, format!("there is no bundled runbook `{name}`"));
        let wanted = name.strip_suffix(".rhai").unwrap_or(name);
        match nearest(wanted, all().iter().map(|bundled| bundled.name)) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint("`runbook list` lists them"),
        }
    })
}
