//! Finds the kubeconfig as `kubectl` does, and chooses a context in it.
//!
//! Does not know how to connect; what it reads it hands on.

use std::path::{Path, PathBuf};

use http::Uri;
use kube::config::Kubeconfig;
use runbook_core::param::nearest;
use runbook_core::{Code, Fault};

use super::{Options, transport};

/// What was found, and where.
pub(super) struct Found {
    /// The files that were read.
    pub(super) files: Vec<PathBuf>,
    /// What they say together; of a name that stands in several, the first counts.
    pub(super) content: Kubeconfig,
}

impl Found {
    /// The files, for messages.
    pub(super) fn place(&self) -> String {
        self.files.iter().map(|file| format!("`{}`", file.display())).collect::<Vec<_>>().join(", ")
    }

    /// The context asked for, or the current one.
    pub(super) fn choose(&self, asked: Option<&str>) -> Result<String, Fault> {
        let names: Vec<&str> = self.content.contexts.iter().map(|context| context.name.as_str()).collect();
        let current = self.content.current_context.as_deref().filter(|name| !name.is_empty());
        let Some(wanted) = asked.or(current) else {
            return Err(Fault::new(Code::NoCluster, format!("{} names no current context", self.place()))
                .hint(format!("choose one with `--context`: {}", listed(&names))));
        };
        if names.contains(&wanted) {
            return Ok(wanted.to_owned());
        }
        let fault = Fault::new(Code::NoCluster, format!("context `{wanted}` is not in {}", self.place()))
            .about(format!("context {wanted}"));
        Err(match nearest(wanted, names.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("it has {}", listed(&names))),
        })
    }
}

fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    match names.len() {
        0 => "no context at all".to_owned(),
        n if n > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
        _ => names.join(", "),
    }
}

/// `--kubeconfig`, else the files of `KUBECONFIG`, else `~/.kube/config`; `None` where the program runs in a pod that has none.
pub(super) fn find(options: &Options) -> Result<Option<Found>, Fault> {
    if let Some(file) = &options.kubeconfig {
        return read(std::slice::from_ref(file)).map(Some);
    }
    if let Some(list) = options.variable("KUBECONFIG") {
        let named: Vec<PathBuf> = std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect();
        // kubectl passes over the files of the list that do not exist; with none left there is nothing to go on.
        let files: Vec<PathBuf> = named.iter().filter(|path| path.exists()).cloned().collect();
        return match (files.is_empty(), named.first()) {
            (false, _) => read(&files).map(Some),
            (true, Some(first)) => Err(absent(first, "named by `KUBECONFIG`")),
            (true, None) => Ok(None),
        };
    }
    let own = options.variable("HOME").map(|home| Path::new(home).join(".kube").join("config"));
    match own.filter(|path| path.exists()) {
        Some(file) => read(&[file]).map(Some),
        None if options.variable("KUBERNETES_SERVICE_HOST").is_some() => Ok(None),
        None => Err(Fault::new(
            Code::NoCluster,
            "no kubeconfig: `KUBECONFIG` is not set, there is no `~/.kube/config`, and this is not a pod",
        )
        .hint("name one with `--kubeconfig FILE`")),
    }
}

fn absent(file: &Path, why: &str) -> Fault {
    Fault::new(Code::NoCluster, format!("kubeconfig `{}`, {why}, does not exist", file.display()))
        .hint("name another with `--kubeconfig FILE`")
}

fn read(files: &[PathBuf]) -> Result<Found, Fault> {
    let mut content = Kubeconfig::default();
    for file in files {
        if !file.exists() {
            return Err(absent(file, "named by `--kubeconfig`"));
        }
        let failed = |error| {
            // What follows quotes the file, and with it tokens and keys.
            let reason = transport::in_words(&error).lines().next().unwrap_or_default().to_owned();
            Fault::new(Code::NoCluster, format!("kubeconfig `{}` cannot be read: {reason}", file.display()))
        };
        content = Kubeconfig::read_from(file).and_then(|next| content.merge(next)).map_err(failed)?;
    }
    Ok(Found { files: files.to_vec(), content })
}

/// The proxy on the way to a server: the kubeconfig's own, else that of the environment unless `NO_PROXY` names the server.
pub(super) fn proxy(options: &Options, found: &Found, context: &str, server: &Uri) -> Result<Option<Uri>, String> {
    let chosen =
        found.content.contexts.iter().find(|named| named.name == context).and_then(|named| named.context.as_ref());
    let cluster = found.content.clusters.iter().find(|named| chosen.is_some_and(|chosen| chosen.cluster == named.name));
    let own = cluster.and_then(|named| named.cluster.as_ref()).and_then(|cluster| cluster.proxy_url.clone());
    let either = |upper: &str, lower: &str| options.variable(upper).or_else(|| options.variable(lower));
    let passed_by = either("NO_PROXY", "no_proxy").is_some_and(|list| names(list, server.host().unwrap_or_default()));
    let inherited = if server.scheme_str() == Some("https") && !passed_by {
        either("HTTPS_PROXY", "https_proxy").map(str::to_owned)
    } else {
        None
    };
    let Some(proxy) = own.filter(|proxy| !proxy.is_empty()).or(inherited) else { return Ok(None) };
    proxy.parse().map(Some).map_err(|_| format!("`{proxy}` is no proxy address"))
}

/// Whether a `NO_PROXY` list names a host: the name itself, a domain it lies in, or `*`. Loopback never goes through one.
fn names(list: &str, host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    let loopback = bare == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    loopback
        || list.split(',').map(|entry| entry.trim().trim_start_matches('.')).filter(|entry| !entry.is_empty()).any(
            |entry| entry == "*" || bare == entry || bare.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.')),
        )
}
