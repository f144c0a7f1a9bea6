//! Where imported modules come from: embedded ones, the script's own folder, configured folders. Never anywhere else.
//!
//! Does not know the language: it finds texts.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::fault::{Code, Fault};
use crate::param::nearest;

/// More than this is no module.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The modules a script may import beside those in its own folder.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Embedded modules: `std/istio` and its text.
    embedded: BTreeMap<String, String>,
    /// Folders in which modules are looked up too, in order.
    folders: Vec<PathBuf>,
}

/// Where a script or module stands, for the imports it makes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// In the binary, in a folder of that name such as `std`.
    Embedded(String),
    /// On disk: the folder, and the root it must not leave.
    Disk { folder: PathBuf, root: PathBuf },
    /// Nowhere: a script that was typed in.
    Nowhere,
}

/// A module that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// What identifies it, whatever way it was named.
    pub(super) key: String,
    /// Its name as the person knows it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) home: Home,
}

impl Library {
    /// A library of embedded modules: names without extension, such as `std/istio`, and their texts.
    pub fn new(embedded: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { embedded: embedded.into_iter().collect(), folders: Vec::new() }
    }

    /// The same with folders in which modules are looked up after the script's own.
    #[must_use]
    pub fn with_folders(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.folders.extend(folders);
        self
    }

    /// Names of the embedded modules.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.embedded.keys().map(String::as_str)
    }

    /// The text of an embedded module, with or without its extension.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.embedded.get(name.strip_suffix(".rhai").unwrap_or(name)).map(String::as_str)
    }

    /// Finds what a script or module imports.
    ///
    /// Faults: `RB012` where it is nowhere or outside of what may be imported; names where it was looked for.
    pub(super) fn find(&self, path: &str, from: &Home) -> Result<Found, Fault> {
        let name = path.strip_suffix(".rhai").unwrap_or(path);
        let relative = name.starts_with("./") || name.starts_with("../");
        match from {
            Home::Embedded(folder) if relative => {
                self.embedded(&joined(folder, name).ok_or_else(|| outside(path))?, path)
            }
            _ if name.starts_with("std/") => self.embedded(name, path),
            Home::Disk { folder, root } if relative => {
                on_disk(folder, root, name)?.ok_or_else(|| nowhere(path, std::slice::from_ref(folder)))
            }
            Home::Nowhere if relative => Err(nowhere(path, &[])),
            _ if Path::new(name).is_absolute() => self.absolute(path, name, from),
            _ => self.searched(path, name, from),
        }
    }

    fn searched(&self, path: &str, name: &str, from: &Home) -> Result<Found, Fault> {
        let own = if let Home::Disk { root, .. } = from { Some(root.clone()) } else { None };
        let roots: Vec<PathBuf> = own.into_iter().chain(self.folders.iter().cloned()).collect();
        for root in &roots {
            if let Some(found) = on_disk(root, root, name)? {
                return Ok(found);
            }
        }
        if self.embedded.contains_key(name) { self.embedded(name, path) } else { Err(nowhere(path, &roots)) }
    }

    fn absolute(&self, path: &str, name: &str, from: &Home) -> Result<Found, Fault> {
        let own = if let Home::Disk { root, .. } = from { Some(root) } else { None };
        for root in own.into_iter().chain(&self.folders) {
            let Ok(root) = fs_err::canonicalize(root) else { continue };
            if let Ok(inside) = Path::new(name).strip_prefix(&root)
                && let Some(found) = on_disk(&root, &root, &inside.to_string_lossy())?
            {
                return Ok(found);
            }
        }
        Err(outside(path))
    }

    fn embedded(&self, name: &str, path: &str) -> Result<Found, Fault> {
        let Some(text) = self.embedded.get(name) else {
            let fault = Fault::new(Code::Import, format!("there is no module `{path}`"));
            return Err(match nearest(name, self.names()) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint(format!("there are {}", self.names().collect::<Vec<_>>().join(", "))),
            });
        };
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(Found {
            key: format!("embedded:{name}"),
            name: format!("{name}.rhai"),
            text: text.clone(),
            home: Home::Embedded(folder.to_owned()),
        })
    }
}

fn joined(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// A module below a root, links resolved; `None` where there is no such file.
fn on_disk(folder: &Path, root: &Path, name: &str) -> Result<Option<Found>, Fault> {
    let asked = folder.join(format!("{name}.rhai"));
    let Ok(file) = fs_err::canonicalize(&asked) else {
        // A path that climbs is refused even where nothing is there: it must not tell what exists outside.
        return if climbs_out(folder, root, name) { Err(outside(name)) } else { Ok(None) };
    };
    let Ok(root) = fs_err::canonicalize(root) else { return Ok(None) };
    let Ok(inside) = file.strip_prefix(&root) else { return Err(outside(name)) };
    let unreadable =
        |error: std::io::Error| Fault::new(Code::Import, format!("module `{name}` cannot be read: {error}"));
    if fs_err::metadata(&file).map_err(unreadable)?.len() > LARGEST {
        return Err(Fault::new(Code::Import, format!("module `{name}` is larger than {LARGEST} bytes")));
    }
    let text = fs_err::read_to_string(&file).map_err(unreadable)?;
    let folder = file.parent().unwrap_or(&root).to_owned();
    let name = inside.to_string_lossy().into_owned();
    Ok(Some(Found { key: file.to_string_lossy().into_owned(), name, text, home: Home::Disk { folder, root } }))
}

/// A module that the person named by its file, in a parameter: it may lie anywhere, and what it imports itself lies below its folder.
///
/// Faults: `RB012` where it cannot be read.
pub(super) fn named(file: &Path) -> Result<Found, Fault> {
    let unreadable = |reason: String| {
        Fault::new(Code::Import, format!("script `{}` cannot be read: {reason}", file.display()))
            .hint("name a file that is there")
    };
    let whole = fs_err::canonicalize(file).map_err(|error| unreadable(error.to_string()))?;
    let folder = whole.parent().ok_or_else(|| unreadable("it is no file".to_owned()))?;
    if fs_err::metadata(&whole).map_err(|error| unreadable(error.to_string()))?.len() > LARGEST {
        return Err(unreadable(format!("it is larger than {LARGEST} bytes")));
    }
    let text = fs_err::read_to_string(&whole).map_err(|error| unreadable(error.to_string()))?;
    let home = Home::Disk { folder: folder.to_owned(), root: folder.to_owned() };
    Ok(Found { key: whole.to_string_lossy().into_owned(), name: file.display().to_string(), text, home })
}

fn climbs_out(folder: &Path, root: &Path, name: &str) -> bool {
    let Ok(inside) = folder.strip_prefix(root) else { return true };
    let mut depth = inside.components().count();
    for component in Path::new(name).components() {
        match component {
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    false
}

fn outside(path: &str) -> Fault {
    Fault::new(Code::Import, format!("`{path}` leads out of the folders from which modules may be imported"))
        .hint("put the module below the script's own folder, or name its folder with `--library DIR`")
}

fn nowhere(path: &str, looked: &[PathBuf]) -> Fault {
    let fault = Fault::new(Code::Import, format!("there is no module `{path}`"));
    let places: Vec<String> = looked.iter().map(|folder| folder.display().to_string()).collect();
    match places.as_slice() {
        [] => fault.hint("this script has no folder of its own; modules of the program begin with `std/`"),
        places => fault.hint(format!("it was looked for in {}", places.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Library {
        Library::new([("std/istio".to_owned(), "1".to_owned()), ("std/istio/tags".to_owned(), "2".to_owned())])
    }

    fn disk(folder: &Path) -> Home {
        Home::Disk { folder: folder.to_owned(), root: folder.to_owned() }
    }

    #[test]
    fn embedded_modules_are_found_by_name_with_or_without_extension() {
        assert_eq!(library().find("std/istio", &Home::Nowhere).unwrap().name, "std/istio.rhai");
        assert_eq!(library().find("std/istio.rhai", &Home::Nowhere).unwrap().key, "embedded:std/istio");
        let near = library().find("std/istoi", &Home::Nowhere).unwrap_err();
        assert_eq!(near.hint.as_deref(), Some("did you mean `std/istio`?"));
        let inner = library().find("./istio/tags", &Home::Embedded("std".to_owned())).unwrap();
        assert_eq!(inner.key, "embedded:std/istio/tags");
        assert_eq!(library().find("../../etc", &Home::Embedded("std".to_owned())).unwrap_err().code, Code::Import);
    }

    #[test]
    fn no_way_leads_out_of_the_roots() {
        let top = tempfile::tempdir().unwrap();
        let (own, out) = (top.path().join("own"), top.path().join("out"));
        fs_err::create_dir_all(own.join("lib")).unwrap();
        fs_err::create_dir(&out).unwrap();
        fs_err::write(out.join("secret.rhai"), "1").unwrap();
        fs_err::write(own.join("lib/ours.rhai"), "1").unwrap();
        fs_err::os::unix::fs::symlink(out.join("secret.rhai"), own.join("link.rhai")).unwrap();
        let absolute = out.join("secret").display().to_string();
        for path in ["../out/secret", "./link", "./lib/../../out/secret", "link", "../missing", &absolute] {
            let fault = library().find(path, &disk(&own)).unwrap_err();
            assert!(fault.message.contains("leads out"), "{path}: {}", fault.message);
        }
        assert_eq!(library().find("./lib/ours", &disk(&own)).unwrap().name, "lib/ours.rhai");
        assert_eq!(library().find("lib/ours", &disk(&own)).unwrap().name, "lib/ours.rhai");
        let inner = Home::Disk { folder: own.join("lib"), root: own.clone() };
        assert_eq!(library().find("../lib/ours", &inner).unwrap().name, "lib/ours.rhai", "up is fine below the root");
    }

    #[test]
    fn a_named_file_lies_anywhere_and_imports_from_its_own_folder() {
        let top = tempfile::tempdir().unwrap();
        fs_err::write(top.path().join("probe.rhai"), "1").unwrap();
        fs_err::write(top.path().join("limits.rhai"), "2").unwrap();
        let found = named(&top.path().join("probe.rhai")).unwrap();
        assert_eq!(found.text, "1");
        assert_eq!(library().find("./limits", &found.home).unwrap().text, "2");
        assert_eq!(named(&top.path().join("missing.rhai")).unwrap_err().code, Code::Import);
    }

    #[test]
    fn a_missing_module_says_where_it_was_looked_for() {
        let top = tempfile::tempdir().unwrap();
        let extra = tempfile::tempdir().unwrap();
        let library = library().with_folders([extra.path().to_owned()]);
        let fault = library.find("ours", &disk(top.path())).unwrap_err();
        let hint = fault.hint.unwrap();
        assert!(hint.contains(&top.path().display().to_string()) && hint.contains(&extra.path().display().to_string()));
        fs_err::write(extra.path().join("ours.rhai"), "1").unwrap();
        assert!(library.find("ours", &disk(top.path())).is_ok());
    }
}
