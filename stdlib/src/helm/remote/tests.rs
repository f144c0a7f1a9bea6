//! Charts fetched from servers of this test's own, on loopback: a repository, a registry, one that speaks TLS.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use runbook_core::world::Program;
use runbook_core::{Code, Outcome, Value, digest};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::archive::tests::pack;
use super::super::{chart, pull, repo_add, repo_update, show, template};
use crate::bench::Bench;

/// What a server answers to a path and the value of `Authorization`.
type Answers = dyn Fn(&str, Option<&str>) -> Answer + Send + Sync;

#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: 200, headers: Vec::new(), body: body.into() }
}

fn none() -> Answer {
    Answer { status: 404, ..Answer::default() }
}

/// A server on loopback, and the paths that it was asked for.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(bench: &Bench, tls: Option<TlsAcceptor>, answers: Box<Answers>) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (answers, noted): (Arc<Answers>, _) = (answers.into(), asked.clone());
        let listener = bench.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        bench.world().tokio.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, noted, tls) = (answers.clone(), noted.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let said = answer(&request, &*answers, &noted);
                        async move { said }
                    });
                    let serve = hyper::server::conn::http1::Builder::new();
                    // An error here is a client that left, or that does not trust us.
                    let _ = match tls {
                        None => serve.serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve.serve_connection(TokioIo::new(stream), service).await,
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        Self { address, asked }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(
    request: &Request<Incoming>,
    answers: &Answers,
    noted: &Mutex<Vec<String>>,
) -> Result<Response<Full<Bytes>>, http::Error> {
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    noted.lock().unwrap().push(path.clone());
    let who = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let answer = answers(&path, who);
    let response = Response::builder().status(answer.status);
    let response = answer.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    response.body(Full::new(Bytes::from(answer.body)))
}

/// A chart named `web`, packed.
fn packed(version: &str) -> Vec<u8> {
    pack(&[
        ("web/Chart.yaml", &format!("apiVersion: v2\nname: web\nversion: {version}\n")),
        ("web/values.yaml", "color: red\n"),
        ("web/templates/a.yaml", "kind: ConfigMap\ndata: {color: {{ .Values.color }}}\n"),
    ])
}

/// A repository with `web` 1.0.0, 1.1.0 and a 2.0.0 that was changed after it was listed; `who` has to be said, if anything.
fn repository(who: Option<String>) -> Box<Answers> {
    let charts: BTreeMap<String, Vec<u8>> =
        ["1.0.0", "1.1.0", "2.0.0"].map(|version| (format!("/charts/web-{version}.tgz"), packed(version))).into();
    let listed = charts.iter().fold("apiVersion: v1\nentries:\n  web:\n".to_owned(), |listed, (path, bytes)| {
        let version = path.trim_start_matches("/charts/web-").trim_end_matches(".tgz");
        let digest = if version == "2.0.0" { digest::of_bytes(b"other") } else { digest::of_bytes(bytes) };
        format!("{listed}  - {{name: web, version: {version}, digest: {digest}, urls: [{}]}}\n", &path[1..])
    });
    Box::new(move |path, said| match path {
        _ if said != who.as_deref() => Answer { status: 401, ..Answer::default() },
        "/index.yaml" => ok(listed.clone()),
        path => charts.get(path).map_or_else(none, |bytes| ok(bytes.clone())),
    })
}

/// A machine with the built-in helm and an empty home.
struct Machine {
    home: TempDir,
    bench: Bench,
}

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().to_owned();
        let bench = Bench::with(|world| {
            world.helm.program = Some(Program::Builtin);
            world.helm.environment = vec![("HOME".to_owned(), at.display().to_string())];
            world.files.roots = vec![at];
        });
        Self { home, bench }
    }

    fn find(&self, charts: &str, options: &Value) -> Outcome {
        let mut all = json!({ "charts": charts });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        self.bench.call(&chart::CHART, &[json!("web"), all])
    }

    fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.home.path().join(path)).unwrap()
    }
}

#[test]
fn a_chart_of_a_repository_is_found_shown_rendered_and_pulled() {
    let machine = Machine::new();
    let server = Server::start(&machine.bench, None, repository(None));
    let found = machine.find(&server.url(), &json!({ "version": "1.0" })).unwrap();
    assert_eq!((&found["version"], &found["digest"]), (&json!("1.0.0"), &json!(digest::of_bytes(&packed("1.0.0")))));
    let shown = machine.bench.call(&show::SHOW, std::slice::from_ref(&found)).unwrap();
    assert_eq!((&shown["version"], &shown["digest"]), (&json!("1.0.0"), &found["digest"]));
    let options = json!({ "values": { "color": "blue" } });
    let objects = machine.bench.call(&template::TEMPLATE, &[found.clone(), options]).unwrap();
    assert_eq!(objects[0]["data"]["color"], "blue");
    let pulled = machine.bench.call(&pull::PULL, &[found.clone(), json!({ "destination": "." })]).unwrap();
    assert_eq!((&pulled["changed"], &pulled["digest"]), (&json!(true), &found["digest"]));
    assert!(machine.home.path().join("web-1.0.0.tgz").is_file());
    assert_eq!(server.asked().iter().filter(|path| *path == "/charts/web-1.0.0.tgz").count(), 3);
}

#[test]
fn a_repository_that_was_added_is_known_by_its_name_to_us_and_to_helm() {
    let machine = Machine::new();
    let who = super::web::Access::basic("me", "hunter2hunter2");
    let server = Server::start(&machine.bench, None, repository(Some(who)));
    let add = |options: Value| machine.bench.call(&repo_add::REPO_ADD, &[json!("mine"), json!(server.url()), options]);
    let refused = add(json!({})).unwrap_err();
    assert_eq!(refused.code, Code::Forbidden, "{refused}");
    assert!(!machine.home.path().join(".config/helm/repositories.yaml").exists());
    let user = json!({ "username": "me", "password": "hunter2hunter2" });
    assert_eq!(add(user).unwrap()["changed"], true);
    assert_eq!(add(json!({})).unwrap()["changed"], false);
    let written = machine.read(".config/helm/repositories.yaml");
    assert!(written.contains("- caFile: \"\"\n") && written.contains("  name: mine\n"), "{written}");
    assert_eq!(machine.read(".cache/helm/repository/mine-charts.txt"), "web\n");
    let shown = machine.bench.call(&show::SHOW, &[json!("mine/web"), json!({ "version": "1.1.0" })]).unwrap();
    assert_eq!(shown["version"], "1.1.0");
    // What it offers is known from when it was asked; it is asked again when it is told to.
    server.asked();
    machine.bench.call(&show::SHOW, &[json!("mine/web"), json!({ "version": "1.0.0" })]).unwrap();
    assert_eq!(server.asked(), ["/charts/web-1.0.0.tgz"]);
    machine.bench.call(&repo_update::REPO_UPDATE, &[json!({ "repos": ["mine"] })]).unwrap();
    assert_eq!(server.asked(), ["/index.yaml"]);
    let stranger = machine.bench.call(&repo_update::REPO_UPDATE, &[json!({ "repos": ["theirs"] })]).unwrap_err();
    assert_eq!(
        (stranger.code, stranger.message.as_str()),
        (Code::ChartNotFound, "no chart repository `theirs` is known")
    );
    let unknown = machine.bench.call(&show::SHOW, &[json!("theirs/web")]).unwrap_err();
    assert_eq!(unknown.hint.as_deref(), Some("known are mine; `helm::repo_add` makes another known"));
    let journal = json!(machine.bench.written()).to_string();
    assert!(!journal.contains("hunter2"), "{journal}");
}

#[test]
fn what_is_missing_or_other_than_it_is_said_to_be_is_named() {
    let machine = Machine::new();
    let server = Server::start(&machine.bench, None, repository(None));
    let absent = machine.find(&server.url(), &json!({ "version": "1.2.0" })).unwrap_err();
    assert_eq!(absent.code, Code::ChartNotFound);
    assert_eq!(absent.hint.as_deref(), Some("there are 1.1.0, 1.0.0, 2.0.0"));
    let changed = machine.find(&server.url(), &json!({ "version": "2.0.0" })).unwrap();
    let fault = machine.bench.call(&template::TEMPLATE, &[changed]).unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (Code::ChartNotFound, "chart `web` 2.0.0 is not what it is said to be")
    );
    assert!(fault.evidence.contains(&format!("found digest {}", digest::of_bytes(&packed("2.0.0")))));
    let nowhere = machine.find(&format!("{}/none", server.url()), &json!({})).unwrap_err();
    assert!(nowhere.message.ends_with("is no chart repository: it has no `index.yaml`"), "{nowhere}");
    let gone = machine.find("http://127.0.0.1:1", &json!({})).unwrap_err();
    assert_eq!((gone.code, gone.retryable), (Code::Network, true));
}

#[test]
fn redirects_are_followed_and_strangers_are_not_told_who_we_are() {
    let machine = Machine::new();
    let seen = Arc::<Mutex<Vec<Option<String>>>>::default();
    let noted = seen.clone();
    let elsewhere = Server::start(
        &machine.bench,
        None,
        Box::new(move |_, who| {
            noted.lock().unwrap().push(who.map(str::to_owned));
            ok(packed("1.0.0"))
        }),
    );
    let there = elsewhere.url();
    let index = "apiVersion: v1\nentries:\n  web:\n  - {name: web, version: 1.0.0, urls: [web.tgz]}\n";
    let server = Server::start(
        &machine.bench,
        None,
        Box::new(move |path, _| match path {
            "/index.yaml" => ok(index),
            "/web.tgz" => Answer { status: 302, headers: vec![("location", format!("{there}/far"))], body: Vec::new() },
            _ => Answer { status: 302, headers: vec![("location", "/round".to_owned())], body: Vec::new() },
        }),
    );
    let user = json!({ "username": "me", "password": "hunter2hunter2" });
    machine.bench.call(&repo_add::REPO_ADD, &[json!("mine"), json!(server.url()), user]).unwrap();
    assert_eq!(machine.bench.call(&show::SHOW, &[json!("mine/web")]).unwrap()["version"], "1.0.0");
    assert_eq!(*seen.lock().unwrap(), [None]);
    let round = machine.find(&format!("{}/round", server.url()), &json!({})).unwrap_err();
    assert!(round.message.contains("leads on and on"), "{round}");
}

/// A registry with `charts/web` 1.0.0 and 1.1.0+build; with `realm`, whoever asks needs a token from there.
fn registry(realm: Option<String>) -> Box<Answers> {
    let manifest = |version: &str| {
        let bytes = packed(version);
        let layer = json!({ "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "digest": format!("sha256:{}", digest::of_bytes(&bytes)), "size": bytes.len() });
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json" }, "layers": [layer] })
    };
    let image = json!({ "schemaVersion": 2, "config": { "mediaType": "application/vnd.oci.image.config.v1+json" },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:00" }] });
    let mut pages: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for version in ["1.0.0", "1.1.0+build"] {
        let (bytes, manifest) = (packed(version), manifest(version).to_string().into_bytes());
        pages.insert(format!("blobs/sha256:{}", digest::of_bytes(&bytes)), bytes);
        pages.insert(format!("manifests/sha256:{}", digest::of_bytes(&manifest)), manifest.clone());
        pages.insert(format!("manifests/{}", version.replace('+', "_")), manifest);
    }
    pages.insert("manifests/0.1.0".to_owned(), image.to_string().into_bytes());
    let broken = manifest("1.0.0").to_string().replace("sha256:", "sha256:0");
    pages.insert("manifests/0.2.0".to_owned(), broken.clone().into_bytes());
    let digest = broken.split("sha256:").nth(1).unwrap().split('"').next().unwrap();
    pages.insert(format!("blobs/sha256:{digest}"), packed("1.0.0"));
    Box::new(move |path, who| {
        if let (Some(realm), true) = (&realm, who != Some("Bearer let-me-in-please")) {
            let challenge = format!("Bearer realm=\"{realm}\",service=\"charts\",scope=\"repository:charts/web:pull\"");
            return Answer { status: 401, headers: vec![("www-authenticate", challenge)], body: Vec::new() };
        }
        match path {
            "/v2/charts/web/tags/list?n=1000" => Answer {
                headers: vec![("link", "</v2/charts/web/tags/list?last=1.0.0>; rel=\"next\"".to_owned())],
                ..ok(r#"{"tags":["latest","1.0.0"]}"#)
            },
            "/v2/charts/web/tags/list?last=1.0.0" => ok(r#"{"tags":["1.1.0_build","0.1.0"]}"#),
            path => match path.strip_prefix("/v2/charts/web/").and_then(|rest| pages.get(rest)) {
                Some(bytes) => ok(bytes.clone()),
                None => none(),
            },
        }
    })
}

#[test]
fn a_chart_of_a_registry_is_found_by_version_by_constraint_and_by_digest() {
    let machine = Machine::new();
    let server = Server::start(&machine.bench, None, registry(None));
    let charts = format!("oci://{}/charts", server.address);
    let versions = [
        (None, "1.1.0+build"),
        (Some("1.0.0"), "1.0.0"),
        (Some("1.1.0+build"), "1.1.0+build"),
        (Some("~1.0"), "1.0.0"),
    ];
    for (wanted, version) in versions {
        let found = machine.find(&charts, &json!({ "version": wanted })).unwrap();
        assert_eq!(
            (&found["version"], &found["digest"]),
            (&json!(version), &json!(digest::of_bytes(&packed(version))))
        );
        let objects = machine.bench.call(&template::TEMPLATE, &[found]).unwrap();
        assert_eq!(objects[0]["data"]["color"], "red");
    }
    let manifests = server.asked().into_iter().find(|path| path.contains("manifests/")).unwrap();
    assert_eq!(manifests, "/v2/charts/web/manifests/1.1.0_build");
    let pulled = machine
        .bench
        .call(&pull::PULL, &[json!(format!("{charts}/web")), json!({ "version": "1.0.0", "destination": "." })])
        .unwrap();
    assert!(Path::new(pulled["path"].as_str().unwrap()).ends_with("web-1.0.0.tgz"));
}

#[test]
fn what_a_registry_has_not_or_holds_otherwise_is_named() {
    let machine = Machine::new();
    let server = Server::start(&machine.bench, None, registry(None));
    let charts = format!("oci://{}/charts", server.address);
    let absent = machine.find(&charts, &json!({ "version": "1.2.0" })).unwrap_err();
    assert_eq!(absent.code, Code::ChartNotFound);
    assert_eq!(absent.hint.as_deref(), Some("there are 1.1.0+build, 1.0.0, 0.1.0"));
    let image = machine.find(&charts, &json!({ "version": "0.1.0" })).unwrap_err();
    assert!(image.message.contains("is no chart"), "{image}");
    let changed = machine.find(&charts, &json!({ "version": "0.2.0" })).unwrap_err();
    assert_eq!(changed.message, "chart `web` 0.2.0 is not what it is said to be");
    let none = machine.bench.call(&show::SHOW, &[json!(format!("{charts}/other"))]).unwrap_err();
    assert_eq!(none.message, format!("`{charts}` has no chart `other`"));
}

#[test]
fn a_registry_that_asks_who_we_are_is_told_what_helm_knows() {
    let machine = Machine::new();
    let basic = super::web::Access::basic("me", "hunter2hunter2");
    let known = basic.clone();
    let tokens = Server::start(
        &machine.bench,
        None,
        Box::new(move |_, who| match who {
            Some(who) if who == basic => ok(r#"{"token":"let-me-in-please"}"#),
            _ => Answer { status: 401, ..Answer::default() },
        }),
    );
    let server = Server::start(&machine.bench, None, registry(Some(format!("{}/token", tokens.url()))));
    let charts = format!("oci://{}/charts", server.address);
    let stranger = machine.find(&charts, &json!({ "version": "1.0.0" })).unwrap_err();
    assert_eq!(stranger.code, Code::Forbidden);
    assert_eq!(stranger.hint, Some(format!("`helm registry login {}` makes us known to it", server.address)));
    let auths = json!({ "auths": { server.address.to_string(): { "auth": known.trim_start_matches("Basic ") } } });
    let folder = machine.home.path().join(".config/helm/registry");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("config.json"), auths.to_string()).unwrap();
    tokens.asked();
    assert_eq!(machine.find(&charts, &json!({ "version": "1.0.0" })).unwrap()["version"], "1.0.0");
    assert_eq!(tokens.asked(), ["/token?service=charts&scope=repository:charts%2Fweb:pull"]);
    let helper = json!({ "credHelpers": { server.address.to_string(): "keychain" } });
    fs_err::write(folder.join("config.json"), helper.to_string()).unwrap();
    let fault = machine.find(&charts, &json!({ "version": "1.0.0" })).unwrap_err();
    assert_eq!(fault.code, Code::Forbidden);
}

#[test]
fn a_server_that_does_not_prove_who_it_is_is_not_asked() {
    let machine = Machine::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let server = Server::start(&machine.bench, Some(TlsAcceptor::from(Arc::new(config))), repository(None));
    let url = format!("https://localhost:{}", server.address.port());
    let fault = machine.find(&url, &json!({})).unwrap_err();
    assert_eq!((fault.code, fault.retryable), (Code::Network, false), "{fault}");
    assert!(fault.hint.unwrap().contains("`caFile`"));
    assert_eq!(server.asked(), Vec::<String>::new());
    let authority = machine.home.path().join("authority.pem");
    fs_err::write(&authority, made.cert.pem()).unwrap();
    let folder = machine.home.path().join(".config/helm");
    fs_err::create_dir_all(&folder).unwrap();
    let known = format!("repositories:\n- {{name: mine, url: '{url}', caFile: '{}'}}\n", authority.display());
    fs_err::write(folder.join("repositories.yaml"), known).unwrap();
    machine.bench.call(&repo_update::REPO_UPDATE, &[]).unwrap();
    let shown = machine.bench.call(&show::SHOW, &[json!("mine/web"), json!({ "version": "1.0.0" })]).unwrap();
    assert_eq!(shown["version"], "1.0.0");
}

#[test]
fn links_lead_where_a_browser_would_go() {
    for (base, link, expected) in [
        ("https://a.example/charts/index.yaml", "web.tgz", "https://a.example/charts/web.tgz"),
        ("https://a.example/charts/index.yaml?x=1", "/web.tgz", "https://a.example/web.tgz"),
        ("https://a.example/b/c/index.yaml", "../web.tgz", "https://a.example/b/web.tgz"),
        ("https://a.example", "web.tgz", "https://a.example/web.tgz"),
        ("https://a.example/x", "//b.example/web.tgz", "https://b.example/web.tgz"),
        ("https://a.example/x", "http://b.example/web.tgz", "http://b.example/web.tgz"),
    ] {
        assert_eq!(super::web::resolve(base, link), expected);
    }
    assert_eq!(super::web::shown("https://me:secret@a.example/x?token=y"), "https://a.example/x");
}
