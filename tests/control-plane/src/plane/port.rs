//! Ports that nobody listens on.

use std::net::TcpListener;

use crate::fault::Fault;

/// Picks `N` different free ports on 127.0.0.1.
///
/// They are free when this returns, not for ever: whoever starts a server on one tries again when it was taken meanwhile.
pub(crate) fn free<const N: usize>() -> Result<[u16; N], Fault> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
