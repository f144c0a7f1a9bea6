//! Istio's charts: a folder of packages, served as files and, where a test asks for it, as a Helm repository over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::build::short;
use crate::fault::Fault;
use crate::gate;

/// The folder of charts that `ISTIO_CHARTS` names.
#[derive(Clone, Debug)]
pub struct Charts {
    folder: PathBuf,
}

impl Charts {
    /// Opens the folder; a fault if none is named.
    pub fn open() -> Result<Self, Fault> {
        Ok(Self { folder: gate::charts()? })
    }

    /// The folder, which holds an `index.yaml` too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The package of one chart, such as `istiod-1.29.6.tgz`.
    pub fn package(&self, chart: &str, version: &str) -> Result<PathBuf, Fault> {
        let file = self.folder.join(format!("{chart}-{version}.tgz"));
        if file.is_file() { Ok(file) } else { Err(Fault::NoChart(file)) }
    }

    /// Names the content of a package, as sixteen hexadecimal digits.
    pub(crate) fn digest(&self, chart: &str, version: &str) -> Result<String, Fault> {
        Ok(short(&Sha256::digest(fs_err::read(self.package(chart, version)?)?)))
    }

    /// Serves the folder on a loopback port, until the value is dropped.
    pub fn serve(&self) -> Result<Repository, Fault> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("chart-repository")
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        runtime.spawn(serve(listener, Arc::new(self.folder.clone())));
        Ok(Repository { address, runtime: Some(runtime) })
    }
}

/// A Helm repository on loopback.
pub struct Repository {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Repository {
    /// Such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, folder: Arc<PathBuf>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let folder = Arc::clone(&folder);
        tokio::spawn(async move {
            let service = service_fn(move |request| file(request, Arc::clone(&folder)));
            // An error here is a client that left.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Answers with a file of the folder itself; nothing above or below it is served.
async fn file(request: Request<Incoming>, folder: Arc<PathBuf>) -> Result<Response<Full<Bytes>>, http::Error> {
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let plain = !name.contains('/') && !name.starts_with('.');
    let content = if plain { tokio::fs::read(folder.join(&name)).await.ok() } else { None };
    match content {
        Some(content) => Response::builder().body(Full::new(Bytes::from(content))),
        None => Response::builder().status(404).body(Full::new(Bytes::from(format!("no `{name}` here\n")))),
    }
}
