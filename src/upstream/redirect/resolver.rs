//! Resolves names: of redirects' targets to addresses that may be dialled, and to no other.
//!
//! The connector dials what this gives and nothing else, so a name whose address changes between a check and its use
//! gains nothing. It is not asked for addresses written in digits: those are judged before.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use super::network::{Network, may_dial};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The system's resolver, and the rules for addresses.
#[derive(Debug, Clone)]
pub(in crate::upstream) enum Resolver {
    /// Of the registry itself, which the operator names.
    Any,
    /// Of where it redirects: public addresses, and those of these private networks.
    Public(Arc<[Network]>),
}

/// A name has addresses, and none of them may be dialled.
#[derive(Debug, thiserror::Error)]
#[error("{address} is not a public address")]
pub(in crate::upstream) struct NotPublic {
    /// The first of them.
    pub(in crate::upstream) address: IpAddr,
}

impl Resolver {
    async fn addresses(self, name: Name) -> Result<vec::IntoIter<SocketAddr>, BoxError> {
        let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
        let Self::Public(private) = self else { return Ok(found.into_iter()) };
        let (allowed, refused): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|address| may_dial(address.ip(), &private));
        match refused.first() {
            Some(first) if allowed.is_empty() => Err(NotPublic { address: first.ip() }.into()),
            _ => Ok(allowed.into_iter()),
        }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.clone().addresses(name))
    }
}
