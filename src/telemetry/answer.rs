//! What a handler gives the middleware.

use std::sync::Arc;

use http::Response;

use super::Facts;
use crate::body::Body;

/// An answer, and what the log is to say of it.
#[derive(Debug)]
pub struct Answer {
    /// What the client gets.
    pub response: Response<Body>,
    /// What was learned on the way.
    pub facts: Arc<Facts>,
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Self {
        Self { response, facts: Arc::default() }
    }
}
