//! What helm keeps on this machine: the repositories that it knows, what they offered when they were last asked, and who we are
//! to registries. The same files, so that both go on from each other's.
//!
//! Does not know any server.

use std::path::{Path, PathBuf};

use runbook_chart::values;
use runbook_core::{Code, Fault, Value, World};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::web::{Access, Told, Trust};
use crate::yaml;

/// Where helm keeps things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::helm) struct Settings {
    /// `repositories.yaml`; `None` where nothing says where it would be.
    pub(in crate::helm) repositories: Option<PathBuf>,
    /// The folder of indexes.
    pub(in crate::helm) cache: Option<PathBuf>,
    /// Files that say who we are to registries, the first first.
    registries: Vec<PathBuf>,
}

/// A repository as helm writes it down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::helm) struct Entry {
    #[serde(rename = "caFile")]
    ca_file: String,
    #[serde(rename = "certFile")]
    cert_file: String,
    insecure_skip_tls_verify: bool,
    #[serde(rename = "keyFile")]
    key_file: String,
    pub(in crate::helm) name: String,
    pass_credentials_all: bool,
    password: String,
    pub(in crate::helm) url: String,
    username: String,
}

impl Entry {
    /// A repository by its name and URL, and who we are to it.
    pub(in crate::helm) fn new(name: &str, url: &str, user: Option<(&str, &str)>) -> Self {
        let (username, password) = user.unwrap_or_default();
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            username: username.to_owned(),
            password: password.to_owned(),
            ..Self::default()
        }
    }

    /// Who we are to it.
    pub(super) fn access(&self, world: &World) -> Access {
        if !self.password.is_empty() {
            world.secrets.learn(&self.password);
        }
        let path = |text: &str| Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
        Access {
            authorization: (!self.username.is_empty() || !self.password.is_empty())
                .then(|| Access::basic(&self.username, &self.password)),
            ca_file: path(&self.ca_file),
            identity: path(&self.cert_file).zip(path(&self.key_file)),
            trust: if self.insecure_skip_tls_verify { Trust::Anybody } else { Trust::Proven },
            told: if self.pass_credentials_all { Told::Everybody } else { Told::Server },
        }
    }
}

impl Settings {
    /// Where the environment says that helm keeps things.
    pub(in crate::helm) fn of(world: &World) -> Self {
        let variable = |name: &str| {
            let found = world.helm.environment.iter().find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| PathBuf::from(value))
        };
        let home = variable("HOME");
        let below = |own: &str, desktop: &str, fallback: &str| {
            variable(own)
                .or_else(|| variable(desktop).map(|folder| folder.join("helm")))
                .or_else(|| home.as_ref().map(|home| home.join(fallback)))
        };
        let (configured, cached) = if cfg!(target_os = "macos") {
            ("Library/Preferences/helm", "Library/Caches/helm")
        } else {
            (".config/helm", ".cache/helm")
        };
        let config = below("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", configured);
        let cache = below("HELM_CACHE_HOME", "XDG_CACHE_HOME", cached);
        let in_config = |file: &str| config.as_ref().map(|folder| folder.join(file));
        let docker = variable("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
        let registry = variable("HELM_REGISTRY_CONFIG").or_else(|| in_config("registry/config.json"));
        Self {
            repositories: variable("HELM_REPOSITORY_CONFIG").or_else(|| in_config("repositories.yaml")),
            cache: variable("HELM_REPOSITORY_CACHE").or_else(|| cache.map(|folder| folder.join("repository"))),
            registries: registry.into_iter().chain(docker.map(|folder| folder.join("config.json"))).collect(),
        }
    }

    /// The repositories that are known, in their order.
    ///
    /// Faults: `RB091` where the file cannot be read.
    pub(in crate::helm) fn known(&self) -> Result<Vec<Entry>, Fault> {
        let Some(file) = self.repositories.as_ref().filter(|file| file.is_file()) else { return Ok(Vec::new()) };
        let text = fs_err::read_to_string(file).map_err(|error| access(&error))?;
        let read = yaml::document(&text).map_err(|reason| no_list(file, &reason))?;
        let list = read.get("repositories").filter(|list| !list.is_null()).cloned().unwrap_or_else(|| json!([]));
        serde_json::from_value(list).map_err(|error| no_list(file, &error.to_string()))
    }

    /// Writes the repositories down, for us alone to read: passwords are among them.
    ///
    /// Faults: `RB091` where nothing says where, or the file cannot be written.
    pub(in crate::helm) fn write(&self, entries: &[Entry]) -> Result<(), Fault> {
        let file = self.repositories.as_ref().ok_or_else(nowhere)?;
        let all = json!({ "apiVersion": "", "generated": "0001-01-01T00:00:00Z", "repositories": entries });
        write_private(file, values::to_yaml(&all).as_bytes())
    }

    /// What a repository offered when it was last asked; `None` where it never was.
    pub(super) fn index(&self, name: &str) -> Option<String> {
        fs_err::read_to_string(self.cache.as_ref()?.join(format!("{name}-index.yaml"))).ok()
    }

    /// Keeps what a repository offers.
    ///
    /// Faults: `RB091` where nothing says where, or it cannot be written.
    pub(super) fn keep_index(&self, name: &str, index: &[u8], charts: &[String]) -> Result<(), Fault> {
        let folder = self.cache.as_ref().ok_or_else(nowhere)?;
        fs_err::create_dir_all(folder).map_err(|error| access(&error))?;
        fs_err::write(folder.join(format!("{name}-charts.txt")), charts.join("\n") + "\n")
            .map_err(|error| access(&error))?;
        fs_err::write(folder.join(format!("{name}-index.yaml")), index).map_err(|error| access(&error))
    }

    /// Who we are to a registry, as the value of `Authorization`; or the program that would have to be asked.
    pub(super) fn registry(&self, world: &World, host: &str) -> Result<Option<String>, String> {
        let mut helper = None;
        for file in &self.registries {
            let read = fs_err::read(file).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            let Some(read) = read else { continue };
            let same = |key: &&String| key.trim_start_matches("https://").split('/').next() == Some(host);
            let auths = read.get("auths").and_then(Value::as_object);
            let found = auths.and_then(|auths| auths.iter().find(|(key, _)| same(key)));
            if let Some(authorization) = found.and_then(|(_, said)| credentials(said)) {
                world.secrets.learn(authorization.trim_start_matches("Basic "));
                return Ok(Some(authorization));
            }
            let of_host = read.get("credHelpers").and_then(|helpers| helpers.get(host));
            let named = of_host.or_else(|| found.and(read.get("credsStore"))).and_then(Value::as_str);
            helper = helper.or_else(|| named.map(str::to_owned));
        }
        helper.map_or(Ok(None), Err)
    }
}

fn credentials(said: &Value) -> Option<String> {
    let text = |key: &str| said.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (text("auth"), text("username"), text("password")) {
        (Some(auth), _, _) => Some(format!("Basic {auth}")),
        (None, Some(user), Some(password)) => Some(Access::basic(user, password)),
        _ => None,
    }
}

fn write_private(file: &Path, bytes: &[u8]) -> Result<(), Fault> {
    use std::io::Write as _;
    let folder = file.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder).map_err(|error| access(&error))?;
    let failed = |error: std::io::Error| access(&error);
    // A file beside it that takes its place: whoever reads meanwhile reads the old one or the new one, whole.
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    beside.write_all(bytes).map_err(failed)?;
    beside.persist(file).map_err(|error| access(&error.error))?;
    Ok(())
}

fn access(error: &std::io::Error) -> Fault {
    Fault::new(Code::FileAccess, format!("helm's own files: {error}"))
}

fn no_list(file: &Path, reason: &str) -> Fault {
    Fault::new(Code::FileAccess, format!("`{}` is no list of repositories: {reason}", file.display()))
}

fn nowhere() -> Fault {
    Fault::new(Code::FileAccess, "nothing says where helm keeps its repositories: `HOME` is not set")
        .hint("set `HOME`, or `HELM_REPOSITORY_CONFIG` and `HELM_REPOSITORY_CACHE`")
}
