//! What the registry knows the proxy by while its credentials stay the same: how to answer a challenge, and the tokens.
//!
//! Tokens are held by scope and fetched once for all who wait. New credentials begin a new session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::HeaderValue;
use moka::Expiry;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::Scope;
use super::token::{self, Token};
use crate::upstream::UpstreamError;
use crate::upstream::challenge::Challenge;
use crate::upstream::connection::Connection;
use crate::upstream::credentials::login::Login;
use crate::upstream::message::Request;
use crate::upstream::realm::Home;

/// One login and what was made of it.
#[derive(Debug)]
pub(in crate::upstream) struct Session {
    login: Login,
    /// The registry has asked for the Basic scheme: it is sent at once from then on.
    asks_for_basic: AtomicBool,
    tokens: Cache<Scope, Token>,
}

impl Session {
    /// Begins with nothing but `login`.
    pub(in crate::upstream) fn new(login: Login) -> Self {
        let tokens = Cache::builder().eviction_policy(EvictionPolicy::lru()).max_capacity(MAX_TOKENS);
        let tokens = tokens.expire_after(UntilStale).build();
        Self { login, asks_for_basic: AtomicBool::new(false), tokens }
    }

    /// Whom it is for.
    pub(in crate::upstream) fn login(&self) -> &Login {
        &self.login
    }

    /// What to send before the registry has asked.
    pub(super) async fn known(&self, scope: &Scope) -> Option<HeaderValue> {
        match &self.login {
            Login::Bearer(value) => Some(value.clone()),
            Login::Basic(value) if self.asks_for_basic.load(Ordering::Relaxed) => Some(value.clone()),
            // Many registries ask for none, and to find none costs less than what a cache does to note it.
            _ if !self.tokens.contains_key(scope) => None,
            _ => self.tokens.get(scope).await.map(|token| token.authorization),
        }
    }

    /// What to send after a 401 with these `challenges` to a request that carried `tried`.
    pub(super) async fn answer(
        &self,
        (connection, home): (&Connection, &Home),
        scope: &Scope,
        challenges: &[Challenge],
        tried: Option<&HeaderValue>,
    ) -> Result<HeaderValue, UpstreamError> {
        const REJECTED: UpstreamError = UpstreamError::CredentialsRejected { status: 401 };
        if matches!(self.login, Login::Bearer(_)) {
            return Err(REJECTED);
        }
        let mut refused = REJECTED;
        for challenge in challenges.iter().filter(|challenge| challenge.is("bearer")) {
            let Some(realm) = challenge.parameter("realm") else { continue };
            match home.realm(realm, self.login != Login::Anonymous) {
                Ok(realm) => {
                    let request = token::request(&self.login, realm, challenge.parameter("service"), scope);
                    return self.token(connection, scope, &request, tried).await;
                }
                Err(error) => refused = error,
            }
        }
        match &self.login {
            Login::Basic(value) if challenges.iter().any(|challenge| challenge.is("basic")) && tried != Some(value) => {
                self.asks_for_basic.store(true, Ordering::Relaxed);
                Ok(value.clone())
            }
            _ => Err(refused),
        }
    }

    /// The token for `scope` that `request` brings, other than the one that was `tried`.
    async fn token(
        &self,
        connection: &Connection,
        scope: &Scope,
        request: &Request,
        tried: Option<&HeaderValue>,
    ) -> Result<HeaderValue, UpstreamError> {
        let held = self.tokens.get(scope).await;
        if held.is_some_and(|token| Some(&token.authorization) == tried) {
            self.tokens.invalidate(scope).await;
        }
        let fetched = self.tokens.try_get_with_by_ref(scope, token::fetch(connection, request)).await;
        fetched.map(|token| token.authorization).map_err(Arc::unwrap_or_clone)
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
