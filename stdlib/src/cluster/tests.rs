//! What bad input gets: each fault names the file, the context, and what to do.

use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::*;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

struct Home {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Home {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        path
    }

    fn options(&self, environment: &[(&str, &str)]) -> Options {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut environment: Vec<_> = environment.iter().map(own).collect();
        environment.push(("HOME".to_owned(), self.folder.path().display().to_string()));
        Options {
            kubeconfig: None,
            context: None,
            namespace: None,
            environment,
            limits: Limits::default(),
            on_retry: Arc::new(|_: &Retry| {}),
            counters: Arc::default(),
            clock: Arc::new(Still),
            tokio: self.runtime.handle().clone(),
        }
    }
}

fn config(contexts: &[&str], server: &str) -> String {
    let contexts: Vec<String> = contexts
        .iter()
        .map(|name| format!("- {{name: {name}, context: {{cluster: c, user: u, namespace: {name}-ns}}}}"))
        .collect();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters:\n- {{name: c, cluster: {{server: '{server}'}}}}\n\
         users:\n- {{name: u, user: {{token: very-secret-token}}}}\ncontexts:\n{}\n",
        contexts.first().map_or("", |_| "first"),
        contexts.join("\n")
    )
}

fn fault(options: Options, context: Option<&str>) -> Fault {
    match connector(options)(context) {
        Err(fault) => fault,
        Ok(cluster) => panic!("connected to {}", cluster.server),
    }
}

#[test]
fn without_a_kubeconfig_the_fault_says_where_it_was_looked_for() {
    let home = Home::new();
    let fault = fault(home.options(&[]), None);
    assert_eq!(fault.code, Code::NoCluster);
    assert!(fault.message.contains("~/.kube/config") && fault.message.contains("KUBECONFIG"), "{}", fault.message);
    assert!(fault.hint.unwrap().contains("--kubeconfig"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let home = Home::new();
    let missing = home.path("missing");
    let named = Options { kubeconfig: Some(missing.clone()), ..home.options(&[]) };
    let listed = home.options(&[("KUBECONFIG", missing.to_str().unwrap())]);
    for options in [named, listed] {
        let fault = fault(options, None);
        assert_eq!(fault.code, Code::NoCluster);
        assert!(fault.message.contains(missing.to_str().unwrap()), "{}", fault.message);
    }
}

#[test]
fn a_misspelt_context_gets_its_neighbour() {
    let home = Home::new();
    let file = home.write(".kube/config", &config(&["first", "production"], "http://127.0.0.1:1"));
    let fault = fault(home.options(&[]), Some("prodution"));
    assert_eq!(fault.code, Code::NoCluster);
    assert!(fault.message.contains("`prodution`") && fault.message.contains(file.to_str().unwrap()));
    assert_eq!(fault.hint.as_deref(), Some("did you mean `production`?"));
}

#[test]
fn text_that_is_no_kubeconfig_is_named_and_not_quoted() {
    let home = Home::new();
    home.write(".kube/config", "users: [{name: u, user: {token: very-secret-token}\nclusters: [");
    let fault = fault(home.options(&[]), None);
    assert_eq!(fault.code, Code::NoCluster);
    assert!(
        fault.message.contains("cannot be read") && !fault.message.contains("very-secret-token"),
        "{}",
        fault.message
    );
}

#[test]
fn of_a_list_the_first_file_to_say_something_counts() {
    let home = Home::new();
    let first = home.write("a", &config(&["first"], "http://127.0.0.1:1"));
    let second = home.write("b", &config(&["second"], "http://127.0.0.1:2"));
    let missing = home.path("missing");
    let list = [&missing, &first, &second].map(|path| path.display().to_string()).join(":");
    let connect = connector(home.options(&[("KUBECONFIG", &list)]));
    let cluster = connect(None).unwrap();
    assert_eq!((cluster.context.as_str(), cluster.namespace.as_str()), ("first", "first-ns"));
    assert_eq!(connect(Some("second")).unwrap().server, "http://127.0.0.1:1", "both files call their cluster `c`");
    let chosen = Options {
        context: Some("second".to_owned()),
        namespace: Some("own".to_owned()),
        ..home.options(&[("KUBECONFIG", &list)])
    };
    let cluster = connector(chosen)(None).unwrap();
    assert_eq!((cluster.context.as_str(), cluster.namespace.as_str()), ("second", "own"));
}

#[test]
fn what_cannot_be_used_is_said_without_the_credentials() {
    let home = Home::new();
    for server in ["not a url", ""] {
        home.write(".kube/config", &config(&["first"], server));
        let fault = fault(home.options(&[]), None);
        assert_eq!(fault.code, Code::NoCluster);
        assert!(
            fault.message.contains("context `first`") && !fault.message.contains("very-secret-token"),
            "{}",
            fault.message
        );
    }
}

#[test]
fn a_proxy_is_used_unless_the_server_is_excepted() {
    let home = Home::new();
    home.write(".kube/config", &config(&["first"], "https://api.example.com:6443"));
    let through = |environment: &[(&str, &str)]| {
        let options = home.options(environment);
        let found = kubeconfig::find(&options).unwrap().unwrap();
        let server = "https://api.example.com:6443".parse().unwrap();
        kubeconfig::proxy(&options, &found, "first", &server).unwrap().map(|proxy| proxy.to_string())
    };
    let proxy = ("HTTPS_PROXY", "http://proxy.example.com:3128");
    assert_eq!(through(&[]), None);
    assert_eq!(through(&[proxy]).as_deref(), Some("http://proxy.example.com:3128/"));
    for list in ["api.example.com", ".example.com", "example.com", "other, example.com", "*"] {
        assert_eq!(through(&[proxy, ("NO_PROXY", list)]), None, "{list}");
    }
    for list in ["ample.com", "other.com", ""] {
        assert!(through(&[proxy, ("NO_PROXY", list)]).is_some(), "{list}");
    }
}

#[test]
fn nothing_is_read_before_the_first_use() {
    let home = Home::new();
    drop(connector(Options { kubeconfig: Some(Path::new("/nowhere").to_owned()), ..home.options(&[]) }));
}
