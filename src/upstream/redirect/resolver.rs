//! Resolves the names of redirects' targets to addresses that may be dialled, and to no other.
//!
//! The connector dials what this gives and nothing else, so a name whose address changes between a check and its use
//! gains nothing. It is not asked for addresses written in digits: those are judged before.

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::network::{Network, may_dial};

/// The system's resolver behind the rules for addresses.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) private: Arc<[Network]>,
}

/// A name has addresses, and none of them may be dialled.
#[derive(Debug, thiserror::Error)]
#[error("{address} is not a public address")]
pub(in crate::upstream) struct NotPublic {
    /// The first of them.
    pub(in crate::upstream) address: IpAddr,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private.clone();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (allowed, refused): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|address| may_dial(address.ip(), &private));
            match refused.first() {
                Some(first) if allowed.is_empty() => Err(NotPublic { address: first.ip() }.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
