//! The version of Istio that an istiod runs, and what changed between versions.

/// A version of Istio, compared by its numbers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    minor: u32,
    patch: u32,
}

impl Release {
    /// Reads the tag of an image, such as `1.30.3-distroless` or `1.31.0-rc.0`. None where it is no version of Istio 1.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let mut parts = tag.strip_prefix("1.")?.split(['.', '-']);
        let minor = parts.next()?.parse().ok()?;
        let patch = parts.next().and_then(|patch| patch.parse().ok()).unwrap_or(0);
        Some(Self { minor, patch })
    }

    /// The version in an image reference, such as `docker.io/istio/pilot:1.29.6`.
    pub(crate) fn of_image(image: &str) -> Option<Self> {
        let reference = image.split('@').next()?;
        Self::of_tag(reference.rsplit_once(':')?.1)
    }

    /// `1.minor.patch`, for tests.
    #[cfg(test)]
    pub(crate) const fn new(minor: u32, patch: u32) -> Self {
        Self { minor, patch }
    }

    const fn since(self, minor: u32) -> bool {
        self.minor >= minor
    }

    /// Are native sidecars chosen by the nodes' version unless something else is said?
    pub(crate) const fn chooses_native_sidecars(self) -> bool {
        self.since(27)
    }

    /// Does a validator that points here make this revision the default for Gateways without a label?
    /// Backported to 1.25.5 and 1.26.4 (istio #55897).
    pub(crate) const fn claims_through_validator(self) -> bool {
        match self.minor {
            ..25 => false,
            25 => self.patch >= 5,
            26 => self.patch >= 4,
            27 => self.patch >= 1,
            _ => true,
        }
    }

    /// Are tags also read from Services?
    pub(crate) const fn reads_tag_services(self) -> bool {
        self.since(28)
    }

    /// Does every namespace receive the ConfigMap `istio-ca-crl`?
    pub(crate) const fn writes_revocation_list(self) -> bool {
        self.since(27)
    }

    /// Does the control plane keep the selector that a managed Deployment already has? Missing in 1.24.0 to 1.24.2
    /// (istio #54145).
    pub(crate) const fn keeps_gateway_selector(self) -> bool {
        match self.minor {
            ..24 => false,
            24 => self.patch >= 3,
            _ => true,
        }
    }

    /// Is the selector of a managed Deployment looked at when it is applied, rather than when its template runs?
    pub(crate) const fn reads_selectors_itself(self) -> bool {
        self.since(24)
    }

    /// Are service entries given addresses, under a lock of their own?
    pub(crate) const fn allocates_addresses(self) -> bool {
        self.since(25)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_gives_its_version_whatever_its_variant() {
        assert_eq!(Release::of_image("registry.istio.io/release/pilot:1.30.3-distroless"), Some(Release::new(30, 3)));
        assert_eq!(Release::of_image("localhost:5000/pilot:1.31.0-rc.0@sha256:abc"), Some(Release::new(31, 0)));
        assert_eq!(Release::of_image("docker.io/istio/pilot@sha256:abc"), None);
    }

    #[test]
    fn the_validator_makes_a_default_only_where_the_fix_is() {
        assert!(!Release::new(25, 4).claims_through_validator());
        assert!(Release::new(25, 5).claims_through_validator());
        assert!(!Release::new(27, 0).claims_through_validator());
        assert!(Release::new(30, 3).claims_through_validator());
    }
}
