//! Where charts are looked up: a folder, a repository's index, a registry. Finds the one version that is meant.
//!
//! Does not know what is in a chart.

use std::path::{Path, PathBuf};

use runbook_core::{Code, Fault, Value, param};
use semver::{Version, VersionReq};

use crate::yaml;

/// One version of a chart that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// Its version.
    pub(super) version: String,
    /// SHA-256 of the archive, where the index says it.
    pub(super) digest: Option<String>,
    /// Where it is: a URL, or a path relative to the index.
    pub(super) place: String,
}

/// All versions of a chart in an `index.yaml`.
///
/// Faults: `RB044` where the index cannot be read.
pub(super) fn offers_in(index: &str, name: &str, shown: &str) -> Result<Vec<Offer>, Fault> {
    let index = yaml::document(index).map_err(|reason| {
        Fault::new(Code::ChartNotFound, format!("the index of `{shown}` cannot be read: {reason}"))
    })?;
    let entries = index.get("entries").and_then(|entries| entries.get(name)).and_then(Value::as_array);
    Ok(entries.into_iter().flatten().filter_map(offer).collect())
}

fn offer(entry: &Value) -> Option<Offer> {
    Some(Offer {
        version: entry.get("version")?.as_str()?.to_owned(),
        digest: entry.get("digest").and_then(Value::as_str).map(str::to_owned),
        place: entry.get("urls")?.as_array()?.first()?.as_str()?.to_owned(),
    })
}

/// All versions of a chart in a folder: by its `index.yaml`, or by the names of archives and folders in it.
pub(super) fn offers_of(folder: &Path, name: &str) -> Result<Vec<Offer>, Fault> {
    let index = folder.join("index.yaml");
    let failed = |error: std::io::Error| Fault::new(Code::FileAccess, format!("the charts cannot be read: {error}"));
    if index.is_file() {
        let text = fs_err::read_to_string(&index).map_err(failed)?;
        let mut offers = offers_in(&text, name, &folder.display().to_string())?;
        for offer in &mut offers {
            // Where the folder is mirrored, the index may still name the repository it came from.
            offer.place = offer.place.rsplit('/').next().unwrap_or_default().to_owned();
        }
        return Ok(offers);
    }
    let mut offers = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let version =
            file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')).and_then(|rest| rest.strip_suffix(".tgz"));
        if let Some(version) = version.filter(|version| Version::parse(version).is_ok()) {
            offers.push(Offer { version: version.to_owned(), digest: None, place: file.clone() });
        }
    }
    Ok(offers)
}

/// The offer that is meant: that very version; or the newest that a constraint such as `~1.30` or `1.30` admits; or,
/// where nothing is wanted, the newest that is no release candidate.
///
/// Faults: `RB044` that lists the versions nearest to the one that is wanted.
pub(super) fn choose(offers: Vec<Offer>, name: &str, wanted: Option<&str>, shown: &str) -> Result<Offer, Fault> {
    if offers.is_empty() {
        return Err(Fault::new(Code::ChartNotFound, format!("`{shown}` has no chart `{name}`")));
    }
    let found = match wanted {
        None => newest(&offers, &VersionReq::STAR),
        Some(wanted) => {
            let plain = wanted.trim_start_matches('v');
            let exact =
                offers.iter().find(|offer| offer.version == wanted || offer.version.trim_start_matches('v') == plain);
            exact.or_else(|| newest(&offers, &constraint(plain)?))
        }
    };
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let wanted = wanted.unwrap_or("newest");
    let nearest = nearest(&offers, wanted);
    Err(Fault::new(Code::ChartNotFound, format!("chart `{name}` has no version {wanted} in `{shown}`"))
        .hint(format!("there are {}", nearest.join(", ")))
        .with("available", offers.into_iter().map(|offer| offer.version).collect::<Vec<_>>()))
}

/// A constraint as helm reads it: `1.30` means any 1.30, and a whole version means itself.
fn constraint(text: &str) -> Option<VersionReq> {
    let bare = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if bare && text.split('.').count() < 3 {
        return VersionReq::parse(&format!("~{text}")).ok();
    }
    if Version::parse(text).is_ok() { None } else { VersionReq::parse(text).ok() }
}

fn newest<'a>(offers: &'a [Offer], admitted: &VersionReq) -> Option<&'a Offer> {
    let parsed = offers.iter().filter_map(|offer| Some((parse(&offer.version)?, offer)));
    parsed.filter(|(version, _)| admitted.matches(version)).max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, offer)| offer)
}

/// Up to ten versions: those of the same minor first, else the newest.
fn nearest(offers: &[Offer], wanted: &str) -> Vec<String> {
    let mut versions: Vec<_> = offers.iter().filter_map(|offer| parse(&offer.version)).collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.dedup();
    if let Some(wanted) = parse(wanted) {
        versions.sort_by_key(|version| {
            let far = |a: u64, b: u64| a.abs_diff(b);
            (far(version.major, wanted.major), far(version.minor, wanted.minor), far(version.patch, wanted.patch))
        });
    } else if let Some(near) =
        param::nearest(wanted, versions.iter().map(ToString::to_string).collect::<Vec<_>>().iter().map(String::as_str))
    {
        let near = near.to_owned();
        versions.sort_by_key(|version| version.to_string() != near);
    }
    versions.iter().take(10).map(ToString::to_string).collect()
}

fn parse(version: &str) -> Option<Version> {
    Version::parse(version.trim_start_matches('v')).ok()
}

/// Where an offer of a folder lies.
pub(super) fn place_in(folder: &Path, offer: &Offer) -> PathBuf {
    folder.join(&offer.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "apiVersion: v1\nentries:\n  istiod:\n  - {name: istiod, version: 1.30.3, digest: abc, urls: [https://charts.example/istiod-1.30.3.tgz]}\n  - {name: istiod, version: 1.29.6, urls: [istiod-1.29.6.tgz]}\n  - {name: istiod, version: 1.31.0-rc.0, urls: [istiod-1.31.0-rc.0.tgz]}\n  - {name: istiod, version: 1.30.1, urls: [istiod-1.30.1.tgz]}\n  base: []\n";

    fn choose_from(wanted: Option<&str>) -> Result<Offer, Fault> {
        choose(offers_in(INDEX, "istiod", "here").unwrap(), "istiod", wanted, "here")
    }

    #[test]
    fn the_version_that_is_meant_is_found() {
        for (wanted, expected) in [
            (None, "1.30.3"),
            (Some("1.29.6"), "1.29.6"),
            (Some("v1.30.1"), "1.30.1"),
            (Some("1.30"), "1.30.3"),
            (Some("1"), "1.30.3"),
            (Some("<1.30"), "1.29.6"),
            (Some("1.31.0-rc.0"), "1.31.0-rc.0"),
        ] {
            assert_eq!(choose_from(wanted).unwrap().version, expected, "{wanted:?}");
        }
    }

    #[test]
    fn a_version_that_is_not_there_is_never_replaced_and_the_nearest_are_named() {
        let fault = choose_from(Some("1.30.2")).unwrap_err();
        assert_eq!(fault.code, Code::ChartNotFound);
        assert_eq!(fault.message, "chart `istiod` has no version 1.30.2 in `here`");
        assert_eq!(fault.hint.as_deref(), Some("there are 1.30.3, 1.30.1, 1.31.0-rc.0, 1.29.6"));
        assert_eq!(choose_from(Some("~1.28")).unwrap_err().code, Code::ChartNotFound);
        let none = choose(offers_in(INDEX, "base", "here").unwrap(), "base", None, "here").unwrap_err();
        assert_eq!(none.message, "`here` has no chart `base`");
    }

    #[test]
    fn a_folder_without_an_index_is_read_by_names() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["cni-1.30.3.tgz", "cni-1.29.6.tgz", "cni-extra-1.0.0.tgz", "cni-x.tgz", "README.md"] {
            fs_err::write(folder.path().join(file), "").unwrap();
        }
        let mut versions: Vec<_> =
            offers_of(folder.path(), "cni").unwrap().into_iter().map(|offer| offer.version).collect();
        versions.sort();
        assert_eq!(versions, ["1.29.6", "1.30.3"]);
    }
}
