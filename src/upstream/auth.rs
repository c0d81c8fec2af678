//! Authentication to the registry: what to send at first, and how to answer its challenge.
//!
//! Tokens are asked for one scope, pulling from one repository, whatever the challenge says. They are held by scope and
//! fetched once for all who wait. Credentials go to the registry and to a token server of its own, nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use moka::Expiry;
use moka::future::Cache;
use reqwest::Request;
use serde::Deserialize;
use url::Url;

use super::UpstreamError;
use super::challenge::Challenge;
use super::connection::{self, Connection};
use super::credentials::{Login, bearer};
use super::realm::Home;
use crate::oci::Repository;

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
    login: Login,
    home: Home,
    /// The registry has asked for the Basic scheme: it is sent at once from then on.
    asks_for_basic: AtomicBool,
    tokens: Cache<Scope, Token>,
}

impl Authenticator {
    /// Authenticates with `login` to the registry of `home`.
    pub(super) fn new(login: Login, home: Home) -> Self {
        let tokens = Cache::builder().max_capacity(MAX_TOKENS).expire_after(UntilStale).build();
        Self { login, home, asks_for_basic: AtomicBool::new(false), tokens }
    }

    /// What to send before the registry has asked.
    pub(super) async fn known(&self, scope: &Scope) -> Option<HeaderValue> {
        match &self.login {
            Login::Bearer(value) => Some(value.clone()),
            Login::Basic(value) if self.asks_for_basic.load(Ordering::Relaxed) => Some(value.clone()),
            Login::Anonymous | Login::Basic(_) => self.tokens.get(scope).await.map(|token| token.authorization),
        }
    }

    /// What to send after a 401 with these `challenges` to a request that carried `tried`.
    pub(super) async fn answer(
        &self,
        connection: &Connection,
        scope: &Scope,
        challenges: &[Challenge],
        tried: Option<&HeaderValue>,
    ) -> Result<HeaderValue, UpstreamError> {
        const REJECTED: UpstreamError = UpstreamError::CredentialsRejected { status: 401 };
        if matches!(self.login, Login::Bearer(_)) {
            return Err(REJECTED);
        }
        if let Some(challenge) = challenges.iter().find(|challenge| challenge.is("bearer")) {
            return self.token(connection, scope, challenge, tried).await;
        }
        match &self.login {
            Login::Basic(value) if challenges.iter().any(|challenge| challenge.is("basic")) && tried != Some(value) => {
                self.asks_for_basic.store(true, Ordering::Relaxed);
                Ok(value.clone())
            }
            _ => Err(REJECTED),
        }
    }

    /// The token for `scope`, other than the one that was `tried`.
    async fn token(
        &self,
        connection: &Connection,
        scope: &Scope,
        challenge: &Challenge,
        tried: Option<&HeaderValue>,
    ) -> Result<HeaderValue, UpstreamError> {
        let held = self.tokens.get(scope).await;
        if held.is_some_and(|token| Some(&token.authorization) == tried) {
            self.tokens.invalidate(scope).await;
        }
        let fetched = self.tokens.try_get_with_by_ref(scope, self.fetch(connection, scope, challenge)).await;
        fetched.map(|token| token.authorization).map_err(Arc::unwrap_or_clone)
    }

    async fn fetch(
        &self,
        connection: &Connection,
        scope: &Scope,
        challenge: &Challenge,
    ) -> Result<Token, UpstreamError> {
        let authorization = match &self.login {
            Login::Basic(value) => Some(value),
            Login::Anonymous | Login::Bearer(_) => None,
        };
        let realm = challenge.parameter("realm").unwrap_or_default();
        let realm = self.home.realm(realm, authorization.is_some())?;
        let mut request = Request::new(Method::GET, token_url(realm, challenge.parameter("service"), scope));
        if let Some(value) = authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let response = connection.send("token", request).await?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(token_servers(connection::refusal(response).await, status));
        }
        let body = connection.read(response, MAX_TOKEN_ANSWER).await;
        Token::parse(&body.map_err(|error| token_servers(error, status))?)
    }
}

/// An error of the token server that must not be taken for the registry's word about the content.
fn token_servers(error: UpstreamError, status: StatusCode) -> UpstreamError {
    match error {
        UpstreamError::NotFound | UpstreamError::Status(_) | UpstreamError::Unavailable { .. } => {
            UpstreamError::TokenServer { status: status.as_u16() }
        }
        UpstreamError::TooLarge { .. } => UpstreamError::Malformed("the token server's answer is too long"),
        other => other,
    }
}

/// The realm's URL with our scope in it and no other.
fn token_url(mut realm: Url, service: Option<&str>, Scope(scope): &Scope) -> Url {
    let own = |(name, _): &(String, String)| !matches!(name.as_str(), "scope" | "service");
    let kept: Vec<(String, String)> = realm.query_pairs().into_owned().filter(own).collect();
    realm.set_fragment(None);
    realm.set_query(None);
    {
        let mut query = realm.query_pairs_mut();
        query.extend_pairs(kept);
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        if !scope.is_empty() {
            query.append_pair("scope", scope);
        }
    }
    realm
}

/// A token as it is sent, and how long it may be.
#[derive(Debug, Clone)]
struct Token {
    authorization: HeaderValue,
    usable: Duration,
}

impl Token {
    /// Reads a token server's answer, either dialect's.
    fn parse(body: &[u8]) -> Result<Self, UpstreamError> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
            expires_in: Option<u64>,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| UpstreamError::Malformed("the token server's answer is not the expected JSON"))?;
        let token = answer.token.filter(|token| !token.is_empty()).or(answer.access_token).unwrap_or_default();
        let authorization =
            bearer(&token).map_err(|_| UpstreamError::Malformed("the token server's answer holds no usable token"))?;
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFETIME)).min(MAX_LIFETIME);
        // Left alone before the registry's own clock says so.
        let usable = lifetime.saturating_sub((lifetime / 4).min(MAX_MARGIN));
        Ok(Self { authorization, usable })
    }
}

/// Forgets a token when it is no longer to be used.
struct UntilStale;

impl Expiry<Scope, Token> for UntilStale {
    fn expire_after_create(&self, _: &Scope, token: &Token, _: Instant) -> Option<Duration> {
        Some(token.usable)
    }
}

const MAX_TOKENS: u64 = 10_000;
const MAX_TOKEN_ANSWER: u64 = 64 << 10;
/// Seconds, where the token server does not say.
const DEFAULT_LIFETIME: u64 = 60;
const MAX_LIFETIME: Duration = Duration::from_hours(1);
const MAX_MARGIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_dialects_of_the_answer() {
        for (body, usable) in [
            (r#"{"token":"t","expires_in":300,"issued_at":"x"}"#, 270),
            (r#"{"token":"","access_token":"t"}"#, 45),
            (r#"{"access_token":"t","token":null,"expires_in":4}"#, 3),
            (r#"{"token":"t","access_token":"other","expires_in":99999999}"#, 3570),
        ] {
            let token = Token::parse(body.as_bytes()).expect(body);
            assert_eq!((token.authorization.as_bytes(), token.usable.as_secs()), (&b"Bearer t"[..], usable), "{body}");
        }
        for body in ["", "{}", "[]", r#"{"token":""}"#, r#"{"token":"a\nb"}"#, r#"{"token":"t","expires_in":-1}"#] {
            assert!(Token::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn asks_for_its_own_scope_only() {
        let realm = Url::parse("https://a/t?x=1&scope=repository:b:push&service=s#f").expect("a URL");
        let scope = Scope::pull(&"team/app".parse().expect("a repository"));
        let url = token_url(realm.clone(), Some("r&s"), &scope);
        assert_eq!(url.as_str(), "https://a/t?x=1&service=r%26s&scope=repository%3Ateam%2Fapp%3Apull");
        assert_eq!(token_url(realm, None, &Scope::none()).as_str(), "https://a/t?x=1");
    }
}
