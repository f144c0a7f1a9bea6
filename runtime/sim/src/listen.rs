//! The loopback listener: the same API server for programs that are not in this process.
//!
//! kubectl sends no token over plain HTTP, so that what keeps other users of the machine out is the address itself: it begins
//! with a path that nobody can guess. Not known here: what is served.

use std::io;

use axum::{Router, serve::ListenerExt};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A listener that serves until it is stopped.
#[derive(Clone, Debug)]
pub struct Listening {
    url: String,
}

impl Listening {
    /// Where it is reached.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig that leads to it.
    pub fn kubeconfig(&self) -> String {
        let url = &self.url;
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: simulation\nclusters:\n- name: simulation\n  cluster:\n    server: {url}\nusers:\n- name: simulation\n  user: {{}}\ncontexts:\n- name: simulation\n  context:\n    cluster: simulation\n    user: simulation\n"
        )
    }
}

/// Serves `router` on a free port of the loopback address until `stop` is cancelled.
pub(crate) async fn listen(router: Router, stop: CancellationToken) -> io::Result<Listening> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let mut secret = [0; 24];
    // Not from the seed: this one has to be unguessable.
    StdRng::from_os_rng().fill_bytes(&mut secret);
    let secret = secret.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let served = Router::new().nest_service(&format!("/{secret}"), router);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move {
        let ended = axum::serve(listener, served).with_graceful_shutdown(async move { stop.cancelled().await }).await;
        if let Err(why) = ended {
            tracing::warn!(%why, "the simulation's listener ended");
        }
    });
    Ok(Listening { url: format!("http://127.0.0.1:{port}/{secret}") })
}
