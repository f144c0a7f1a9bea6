//! A call of a webhook: who is asked, and what may come back.
//!
//! Not known here: which webhooks there are.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

/// Whom the API server asks, and about what.
#[derive(Clone, Debug)]
pub struct Call {
    /// The namespace of the Service.
    pub namespace: String,
    /// The Service, as `clientConfig` names it.
    pub service: String,
    /// The path, with a slash before it.
    pub path: String,
    /// The `AdmissionReview`.
    pub review: Value,
}

/// Answers webhooks in the place of what runs in the cluster: a review, or none where nobody listens.
pub type Answerer = Arc<dyn Fn(Call) -> BoxFuture<'static, Option<Value>> + Send + Sync>;
