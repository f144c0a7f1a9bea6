//! The files a script may read: below its own folder, below the folder the person is in, and those the person named.

use std::path::{Path, PathBuf};

use crate::fault::{Code, Fault};

/// More than this is no values file and no manifest.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The files a script may read.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Folders below which everything may be read; a relative path is tried in each, in order.
    pub roots: Vec<PathBuf>,
    /// Single files and folders the person named in a parameter.
    pub named: Vec<PathBuf>,
}

impl Files {
    /// Where a path of a script leads, links resolved.
    ///
    /// Faults: `RB091` where it does not exist or leads out of what the script may read.
    pub fn locate(&self, path: &str) -> Result<PathBuf, Fault> {
        let asked = Path::new(path);
        let candidates: Vec<PathBuf> = if asked.is_absolute() {
            vec![asked.to_owned()]
        } else {
            self.roots.iter().map(|r| r.join(asked)).collect()
        };
        let found = candidates.iter().find_map(|candidate| fs_err::canonicalize(candidate).ok());
        let Some(found) = found else {
            let looked = self.roots.iter().map(|r| r.display().to_string()).collect::<Vec<_>>().join(", ");
            return Err(Fault::new(Code::FileAccess, format!("file `{path}` does not exist"))
                .hint(format!("relative paths are looked up in {looked}")));
        };
        let allowed = |root: &PathBuf| fs_err::canonicalize(root).is_ok_and(|root| found.starts_with(root));
        if self.roots.iter().chain(&self.named).any(allowed) {
            return Ok(found);
        }
        Err(Fault::new(
            Code::FileAccess,
            format!("the script may not read `{path}`: it lies outside of what it was given"),
        )
        .hint("pass the path as a parameter, or move the file below the script's folder"))
    }

    /// The text of a file.
    ///
    /// Faults: `RB091` where it cannot be read, `RB028` above 16 MiB.
    pub fn read(&self, path: &str) -> Result<String, Fault> {
        let found = self.locate(path)?;
        let failed =
            |error: std::io::Error| Fault::new(Code::FileAccess, format!("file `{path}` cannot be read: {error}"));
        let size = fs_err::metadata(&found).map_err(failed)?.len();
        if size > LARGEST {
            return Err(Fault::new(
                Code::TooLarge,
                format!("file `{path}` is too large: {size} bytes, at most {LARGEST}"),
            ));
        }
        fs_err::read_to_string(&found).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_out_of_the_roots_is_refused_even_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        fs_err::create_dir(&inside).unwrap();
        fs_err::create_dir(&outside).unwrap();
        fs_err::write(outside.join("secret.yaml"), "a: 1").unwrap();
        fs_err::os::unix::fs::symlink(outside.join("secret.yaml"), inside.join("link.yaml")).unwrap();
        let mut files = Files { roots: vec![inside], named: vec![] };
        for path in ["../out/secret.yaml", "link.yaml"] {
            assert_eq!(files.read(path).unwrap_err().code, Code::FileAccess, "{path}");
        }
        files.named.push(outside.join("secret.yaml"));
        assert_eq!(files.read("link.yaml").unwrap(), "a: 1");
    }
}
