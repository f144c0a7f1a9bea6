//! One listener of the front: TLS, HTTP/1.1, a review in and a review out.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use runbook_sim::actor::istiod::Fleet;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::fault::Fault;
use crate::plane::Pair;

/// No object is larger than etcd's limit by far; a review holds it twice.
const LARGEST_REVIEW: usize = 16 << 20;

/// Who answers: the istiods behind one Service.
pub(super) struct Behind {
    pub(super) fleet: Arc<Fleet>,
    pub(super) namespace: String,
    pub(super) service: String,
}

/// A TLS server with this certificate.
pub(super) fn tls(pair: &Pair) -> Result<TlsAcceptor, Fault> {
    let wrong = |error: &dyn std::fmt::Display| Fault::Certificate(error.to_string());
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).map_err(|error| wrong(&error))?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(|error| wrong(&error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|error| wrong(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, tls: TlsAcceptor, behind: Arc<Behind>) -> Infallible {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            // A connection that could not be accepted is the client's to repeat.
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, tls.clone(), Arc::clone(&behind)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, behind: Arc<Behind>) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(|request| review(request, Arc::clone(&behind)));
    // An error here is a client that left, or our own refusal to answer.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Answers one review. An error closes the connection without an answer, as when no pod is there to give one.
async fn review(request: Request<Incoming>, behind: Arc<Behind>) -> Result<Response<Full<Bytes>>, Fault> {
    let path = request.uri().path().to_owned();
    let body = Limited::new(request.into_body(), LARGEST_REVIEW).collect().await;
    let body = body.map_err(|error| Fault::malformed("a review", error))?.to_bytes();
    let asked: serde_json::Value =
        serde_json::from_slice(&body).map_err(|error| Fault::malformed("a review", error))?;
    let Some(told) = behind.fleet.admit(&behind.namespace, &behind.service, &path, asked).await else {
        return Err(Fault::malformed("a review", "nothing stands behind the Service"));
    };
    Response::builder()
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(told.to_string())))
        .map_err(|error| Fault::malformed("an answer", error))
}
