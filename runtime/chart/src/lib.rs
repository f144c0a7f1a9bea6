//! Renders Helm charts as helm does: bytes in, manifests out.
//!
//! Pure: no files, no network, no clock and no cluster. What a template looks up is handed in. Does not know what becomes of
//! the manifests.
