//! The part of the library that is written in Rhai, embedded.
//!
//! Does not know what is in it.

use include_dir::{Dir, DirEntry, include_dir};
use runbook_core::Library;

static RHAI: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/rhai");

/// What scripts import as `std/...`: every file below `stdlib/rhai`.
pub fn library() -> Library {
    let mut found = Vec::new();
    collect(&RHAI, &mut found);
    Library::new(found)
}

fn collect(folder: &Dir<'_>, found: &mut Vec<(String, String)>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => collect(inner, found),
            DirEntry::File(file) => {
                let name = file.path().to_string_lossy();
                if let (Some(name), Some(text)) = (name.strip_suffix(".rhai"), file.contents_utf8()) {
                    found.push((format!("std/{name}"), text.to_owned()));
                }
            }
        }
    }
}
