//! What which helm can do. The differences between helm 3 and helm 4 are known here and in the words of their errors alone.

use runbook_core::{Code, Fault};
use semver::Version;

/// Something that not every helm can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::helm) enum Feature {
    /// Objects are applied by the server, with conflicts.
    ServerSide,
    /// Conflicts are won by force.
    ForceConflicts,
    /// Objects of nobody or of another release are taken over.
    TakeOwnership,
    /// Values are not checked against the chart's schema.
    SkipSchemaValidation,
    /// `list` shows releases in every state without being told.
    ListsEverything,
}

impl Feature {
    /// The option that asks for it.
    pub(in crate::helm) fn option(self) -> &'static str {
        match self {
            Self::ServerSide => "server_side",
            Self::ForceConflicts => "force_conflicts",
            Self::TakeOwnership => "take_ownership",
            Self::SkipSchemaValidation => "skip_schema_validation",
            Self::ListsEverything => "list",
        }
    }

    /// The first version that has it.
    fn since(self) -> Version {
        match self {
            Self::ServerSide | Self::ForceConflicts | Self::ListsEverything => Version::new(4, 0, 0),
            Self::TakeOwnership => Version::new(3, 17, 0),
            Self::SkipSchemaValidation => Version::new(3, 16, 0),
        }
    }

    /// Whether a version has it.
    pub(in crate::helm) fn is_in(self, version: &Version) -> bool {
        plain(version) >= self.since()
    }

    /// The fault of asking a helm for what it cannot do.
    pub(in crate::helm) fn missing(self, version: &Version) -> Fault {
        let since = self.since();
        Fault::new(
            Code::HelmFeature,
            format!("`{}` needs helm {}.{} or newer, but this is {version}", self.option(), since.major, since.minor),
        )
        .hint("name another helm with `--helm PATH`, or leave the option out")
        .with("feature", self.option())
    }
}

/// Whether this program can drive a version: 3.14 or newer, or 4.
pub(super) fn is_usable(version: &Version) -> bool {
    let plain = plain(version);
    (Version::new(3, 14, 0)..Version::new(5, 0, 0)).contains(&plain)
}

/// The version in what `helm version --template '{{.Version}}'` prints: `v3.22.0`, `v4.3`, `v3.14.0+g3fc9f4b`.
pub(super) fn parse_version(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches('v');
    let plain_end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(plain_end);
    let padded = match numbers.split('.').count() {
        1 => format!("{numbers}.0.0{rest}"),
        2 => format!("{numbers}.0{rest}"),
        _ => text.to_owned(),
    };
    Version::parse(&padded).ok()
}

/// Without what stands behind the numbers: a release candidate of 3.17 has what 3.17 has.
fn plain(version: &Version) -> Version {
    Version::new(version.major, version.minor, version.patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_which_helm_says_its_version_is_read() {
        for (text, expected) in [
            ("v3.22.0", "3.22.0"),
            ("v4.3.1\n", "4.3.1"),
            ("v3.14", "3.14.0"),
            ("v3.14.0+g3fc9f4b", "3.14.0+g3fc9f4b"),
            ("v4.0.0-rc.1", "4.0.0-rc.1"),
        ] {
            assert_eq!(parse_version(text).unwrap().to_string(), expected);
        }
        assert_eq!(parse_version("Client: unknown"), None);
    }

    #[test]
    fn helm_3_14_up_to_all_of_4_are_usable() {
        let usable = |text| is_usable(&parse_version(text).unwrap());
        assert_eq!(["v2.17.0", "v3.10.0", "v3.13.9", "v5.0.0"].map(usable), [false; 4]);
        assert_eq!(["v3.14.0", "v3.22.0", "v4.0.0-rc.1", "v4.3.1"].map(usable), [true; 4]);
    }

    #[test]
    fn a_missing_feature_names_the_option_and_the_first_version() {
        let old = Version::new(3, 15, 4);
        let all = [Feature::ServerSide, Feature::ForceConflicts, Feature::TakeOwnership, Feature::SkipSchemaValidation];
        assert_eq!(all.map(|feature| feature.is_in(&old)), [false; 4]);
        assert_eq!(all.map(|feature| feature.is_in(&Version::new(3, 22, 0))), [false, false, true, true]);
        assert_eq!(all.map(|feature| feature.is_in(&Version::new(4, 3, 1))), [true; 4]);
        let fault = Feature::TakeOwnership.missing(&old);
        assert_eq!(fault.message, "`take_ownership` needs helm 3.17 or newer, but this is 3.15.4");
    }
}
