//! `semver::parse`, `semver::compare`, `semver::satisfies`

use runbook_core::{Args, Call, Code, Fault, Outcome, Param, Primitive};
use semver::{Version, VersionReq};
use serde_json::json;

use super::{example, pure};

const VERSION: Param<String> = Param::required("version", "A version such as `1.30.3` or `v1.36.3`.");
const OTHER: Param<String> = Param::required("other", "Another one.");
const RANGE: Param<String> = Param::required("range", "A range such as `>=1.29.2, <1.30`.");

/// `semver::parse`
pub(super) const PARSE: Primitive = pure(
    "semver::parse",
    "Take a version apart: `major`, `minor`, `patch`, and `pre` without its dash.",
    &[&VERSION],
    |_: &Call<'_>, args: &Args| {
        let version = version(&args.get(&VERSION))?;
        Ok(
            json!({ "major": version.major, "minor": version.minor, "patch": version.patch, "pre": version.pre.as_str() }),
        )
    },
    &[example(r#"semver::parse("v1.31.0-rc.0").minor"#, "31"), example(r#"semver::parse("v1.31.0-rc.0").pre"#, "rc.0")],
);

/// `semver::compare`
pub(super) const COMPARE: Primitive = pure(
    "semver::compare",
    "Compare two versions: -1 where the first is older, 0 where they are equal, 1 where it is newer.",
    &[&VERSION, &OTHER],
    |_: &Call<'_>, args: &Args| {
        Ok(json!(version(&args.get(&VERSION))?.cmp_precedence(&version(&args.get(&OTHER))?) as i8))
    },
    &[
        example(r#"semver::compare("1.9.0", "1.30.3")"#, "-1"),
        example(r#"semver::compare("1.31.0", "1.31.0-rc.0")"#, "1"),
    ],
);

/// `semver::satisfies`
pub(super) const SATISFIES: Primitive = pure(
    "semver::satisfies",
    "Whether a version lies in a range. A pre-release counts by where it stands, before its release.",
    &[&VERSION, &RANGE],
    satisfies,
    &[
        example(r#"semver::satisfies("1.29.6", ">=1.29.5, <1.30")"#, "true"),
        example(r#"semver::satisfies("1.31.0-rc.0", ">=1.30")"#, "true"),
    ],
);

fn satisfies(_: &Call<'_>, args: &Args) -> Outcome {
    let (version, text) = (version(&args.get(&VERSION))?, args.get(&RANGE));
    let range = VersionReq::parse(&text)
        .map_err(|error| Fault::new(Code::WrongArgument, format!("`{text}` is no range of versions: {error}")))?;
    // The crate leaves pre-releases out of every range that does not name one; here an rc is what comes before its release.
    let plain = Version::new(version.major, version.minor, version.patch);
    let before_its_release = !version.pre.is_empty()
        && range.comparators.iter().any(|c| c.op == semver::Op::GreaterEq && c.pre.is_empty() && bound(c) == plain);
    Ok(json!(range.matches(&version) || (!version.pre.is_empty() && range.matches(&plain) && !before_its_release)))
}

fn bound(comparator: &semver::Comparator) -> Version {
    Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
}

fn version(text: &str) -> Result<Version, Fault> {
    Version::parse(text.trim_start_matches('v'))
        .map_err(|error| Fault::new(Code::WrongArgument, format!("`{text}` is no version: {error}")))
}
