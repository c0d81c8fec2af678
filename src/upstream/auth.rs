//! Authentication to the registry: asks, and asks again as whom it wants to see.
//!
//! Credentials go to the registry and to a token server of its own, nowhere else. What was made of former credentials is
//! dropped with them.

use std::sync::Arc;

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderValue};

use super::challenge::Challenge;
use super::connection::Connection;
use super::credentials::keyring::Keyring;
use super::message::{Request, Response};
use super::realm::Home;
use super::{UpstreamError, body};
use crate::oci::Repository;

pub(super) mod session;

mod token;

use session::Session;

/// What a token is for, in the words of token servers; empty for nothing but `/v2/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope(String);

impl Scope {
    /// Pulling from `repository`.
    pub(super) fn pull(repository: &Repository) -> Self {
        Self(format!("repository:{repository}:pull"))
    }

    /// Listing the repositories.
    pub(super) fn catalog() -> Self {
        Self("registry:catalog:*".into())
    }

    /// No repository.
    pub(super) const fn none() -> Self {
        Self(String::new())
    }
}

/// The proxy's side of a registry's authentication.
#[derive(Debug)]
pub(super) struct Authenticator {
    keyring: Arc<Keyring>,
    home: Home,
}

impl Authenticator {
    /// Authenticates with what is on `keyring` to the registry of `home`.
    pub(super) fn new(keyring: Keyring, home: Home) -> Self {
        Self { keyring: Arc::new(keyring), home }
    }

    /// Sends a request; once more if the registry wants to know who asks, and once more if the credentials that it
    /// rejects have been replaced meanwhile. The answer may still be a refusal.
    pub(super) async fn send(
        &self,
        connection: &Connection,
        operation: &'static str,
        request: &Request,
        scope: &Scope,
    ) -> Result<Response, UpstreamError> {
        let session = self.keyring.session().await?;
        let answer = self.send_as(&session, connection, operation, request, scope).await;
        if !is_rejection(&answer) {
            return answer;
        }
        let Some(renewed) = self.keyring.replaced(&session).await else {
            return answer;
        };
        if let Ok(response) = answer {
            body::discard(response).await;
        }
        self.send_as(&renewed, connection, operation, request, scope).await
    }

    async fn send_as(
        &self,
        session: &Session,
        connection: &Connection,
        operation: &'static str,
        request: &Request,
        scope: &Scope,
    ) -> Result<Response, UpstreamError> {
        let known = session.known(scope).await;
        let response = match &known {
            Some(value) => connection.send(operation, &authorized(request, value.clone())).await?,
            None => connection.send(operation, request).await?,
        };
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let challenges = Challenge::all(response.headers());
        body::discard(response).await;
        // Boxed when it begins, and only then: most requests carry nothing of it.
        let answer = session.answer((connection, &self.home), scope, &challenges, known.as_ref());
        let answer = Box::pin(answer).await?;
        connection.send(operation, &authorized(request, answer)).await
    }
}

fn authorized(request: &Request, value: HeaderValue) -> Request {
    let mut request = request.clone();
    request.headers.insert(AUTHORIZATION, value);
    request
}

fn is_rejection(answer: &Result<Response, UpstreamError>) -> bool {
    match answer {
        Ok(response) => matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
        Err(error) => matches!(error, UpstreamError::CredentialsRejected { .. }),
    }
}
